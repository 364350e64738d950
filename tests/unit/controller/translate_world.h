/* translate_world.h - the controller's compiler with a southbound database that the test fills, and a look at the flows that come out. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/env.h"
#include "base/vec.h"
#include "controller/allocate/ids.h"
#include "controller/install/flows.h"
#include "controller/oflow_key.h"
#include "controller/program.h"
#include "flow/key.h"
#include "openflow/actions.h"
#include "rows/sb.h"

/* --- A southbound database that the test fills, and the engine */

struct world {
    struct env_seeded env;
    struct schema *schema;
    struct replica_source source;
    struct replica_sink sink;
    struct replica *replica;
    VEC(const struct row *) rows; /* present */
    VEC(struct change) pending;
    struct program program;
    struct inc *inc;
    struct ids ids;
    struct feed *feed;
    size_t added, removed; /* flows, of the last settle */
};

static inline void source_start(struct replica_source *source,
                                const struct replica_options *options UNUSED,
                                const struct replica_sink *sink)
{
    struct world *w = CONTAINER_OF(source, struct world, source);
    w->sink = *sink;
    sink->status(sink->replica, true, false);
}

static inline void source_free(struct replica_source *source UNUSED)
{
}

enum { DATAPATH = 1, PORT, CHASSIS, GROUP, LFLOW, SET, PORT_GROUP, HA_GROUP, HA_CHASSIS };

static inline struct uuid uuid_of(unsigned kind, unsigned i)
{
    struct uuid u = {{(uint8_t)(i >> 8), (uint8_t)i, (uint8_t)kind, 1}};
    return u;
}

static inline struct row *new_row(struct world *w, const char *table, unsigned kind, unsigned i)
{
    struct uuid uuid = uuid_of(kind, i);
    return row_new(schema_table_find(w->schema, table), &uuid);
}

static inline void set(struct row *row, const char *column, const struct datum *value)
{
    const struct schema_column *c = schema_column_find(row->table, column);
    assert_non_null(c);
    row_set(row, c, value);
}

static inline void set_text(struct row *row, const char *column, const char *text)
{
    set(row, column, datum_new_string(text));
}

static inline void set_int(struct row *row, const char *column, int64_t value)
{
    set(row, column, datum_new_integer(value));
}

static inline void set_ref(struct row *row, const char *column, unsigned kind, unsigned i)
{
    struct uuid uuid = uuid_of(kind, i);
    set(row, column, datum_new_uuid(&uuid));
}

static inline void set_pair(struct row *row, const char *column, const char *key, const char *value)
{
    union atom k = {.string = rstr_new(key)}, v = {.string = rstr_new(value)};
    set(row, column, datum_new_map(ATOM_STRING, ATOM_STRING, &k, &v, 1));
}

/* ROW (taken over) is the version of its uuid from the next settle on. */
static inline void put(struct world *w, struct row *row)
{
    const struct row *before = NULL;
    size_t i = 0;
    while (i < w->rows.n && !uuid_equal(&w->rows.data[i]->uuid, &row->uuid))
        i++;
    if (i < w->rows.n) {
        before = w->rows.data[i];
        w->rows.data[i] = row;
    } else {
        vec_push(&w->rows, (const struct row *)row);
    }
    struct change change = {before, row_ref(row)};
    vec_push(&w->pending, change);
}

static inline void count_change(const void *fact UNUSED, bool added, void *w_)
{
    struct world *w = w_;
    (*(added ? &w->added : &w->removed))++;
}

static inline void settle(struct world *w)
{
    if (w->pending.n) {
        struct changeset *cs = NEW(struct changeset);
        cs->refs = 1;
        cs->n = w->pending.n;
        cs->changes = w->pending.data;
        memset(&w->pending, 0, sizeof w->pending);
        w->sink.update(w->sink.replica, cs);
        changeset_unref(cs);
    }
    while (!inc_settle(w->inc, SIZE_MAX) || ids_run(&w->ids))
        ;
    w->added = w->removed = 0;
    inc_changes(w->inc, w->program.oflow, count_change, w);
}

static inline void world_init(struct world *w)
{
    memset(w, 0, sizeof *w);
    env_seeded_init(&w->env, 1);
    w->schema = sb_schema_new();
    w->source = (struct replica_source){.start = source_start, .free = source_free};
    struct replica_options options = {.env = &w->env.env, .schema = w->schema};
    w->replica = replica_new(&options, &w->source);
    program_init(&w->program);
    w->inc = inc_new(w->program.inc);
    inc_watch(w->inc, w->program.want);
    inc_watch(w->inc, w->program.oflow);
    ids_init(&w->ids, &w->program, w->inc);
    w->feed = feed_new(w->inc, w->replica, &w->program.names);
    program_feed(&w->program, w->feed);
    feed_start(w->feed, NULL, NULL);
}

static inline void world_fini(struct world *w)
{
    feed_free(w->feed);
    inc_free(w->inc);
    ids_fini(&w->ids);
    replica_free(w->replica);
    for (size_t i = 0; i < w->rows.n; i++)
        row_unref(w->rows.data[i]);
    vec_fini(&w->rows);
    program_fini(&w->program);
    schema_free(w->schema);
}

/* --- What is there */

static inline void put_self(struct world *w)
{
    struct fact_self f;
    INC_CLEAR(f);
    f.chassis = uuid_of(CHASSIS, 0);
    f.name = program_name(&w->program, "hv0");
    f.hostname = program_name(&w->program, "host0");
    inc_assert(w->inc, w->program.self, &f);
    type_self.unref(&f);
}

static inline void put_iface(struct world *w, const char *id, uint32_t ofport)
{
    struct fact_iface f;
    INC_CLEAR(f);
    f.iface_id = program_name(&w->program, id);
    f.name = program_name(&w->program, id);
    f.ofport = ofport;
    inc_assert(w->inc, w->program.iface, &f);
    type_iface.unref(&f);
}

static inline void put_tunnel(struct world *w, const char *chassis, uint32_t ofport, bool is_down,
                              bool on)
{
    struct fact_tunnel f;
    INC_CLEAR(f);
    f.chassis = program_name(&w->program, chassis);
    f.ip = program_name(&w->program, "192.0.2.1");
    f.ofport = ofport;
    f.is_down = is_down;
    (on ? inc_assert : inc_retract)(w->inc, w->program.tunnel, &f);
    type_tunnel.unref(&f);
}

static inline void put_datapath(struct world *w, unsigned i)
{
    struct row *row = new_row(w, "Datapath_Binding", DATAPATH, i);
    set_int(row, "tunnel_key", i);
    put(w, row);
}

static inline struct row *port(struct world *w, unsigned i, const char *name, unsigned datapath,
                               const char *type)
{
    struct row *row = new_row(w, "Port_Binding", PORT, i);
    set_ref(row, "datapath", DATAPATH, datapath);
    set_text(row, "logical_port", name);
    set_text(row, "type", type);
    set_int(row, "tunnel_key", i);
    return row;
}

static inline void put_vif(struct world *w, unsigned i, const char *name, unsigned datapath)
{
    struct row *row = port(w, i, name, datapath, "");
    set_ref(row, "chassis", CHASSIS, 0);
    put(w, row);
    put_iface(w, name, 100 + i);
}

static inline void put_chassis(struct world *w, unsigned i)
{
    char name[16];
    snprintf(name, sizeof name, "hv%u", i);
    struct row *row = new_row(w, "Chassis", CHASSIS, i);
    set_text(row, "name", name);
    put(w, row);
}

static inline void put_lflow(struct world *w, unsigned i, const char *match, const char *actions)
{
    struct row *row = new_row(w, "Logical_Flow", LFLOW, i);
    set_ref(row, "logical_datapath", DATAPATH, 1);
    set_text(row, "pipeline", "ingress");
    set_int(row, "table_id", 8);
    set_int(row, "priority", 2002);
    set_text(row, "match", match);
    set_text(row, "actions", actions);
    put(w, row);
}

/* Addresses 10.x.y.z, of which the first is 10.0.0.FIRST. */
static inline void put_set(struct world *w, unsigned n, unsigned first)
{
    union atom *atoms = xcalloc(n, sizeof *atoms);
    for (unsigned i = 0; i < n; i++) {
        char text[32];
        unsigned at = i ? 1000 + 2 * i : first; /* not adjacent: nothing is merged */
        snprintf(text, sizeof text, "10.%u.%u.%u", at >> 16 & 255, at >> 8 & 255, at & 255);
        atoms[i].string = rstr_new(text);
    }
    struct row *row = new_row(w, "Address_Set", SET, 1);
    set_text(row, "name", "as");
    set(row, "addresses", datum_new_set(ATOM_STRING, atoms, n));
    put(w, row);
    free(atoms);
}

/* --- Looking at flows */

struct look {
    struct world *w;
    unsigned table;
    const char *pattern; /* in the text, NULL: any */
    size_t n, outputs, clauses;
    bool fits;
};

static inline void look_at(const void *fact, void *look_)
{
    const struct fact_oflow *f = fact;
    struct look *look = look_;
    struct str s = STR_INIT;
    struct match match;
    if (f->key.table != look->table)
        return;
    oflow_key_match(&f->key, &match);
    match_put(&s, &match, f->key.priority, NULL);
    str_put(&s, " actions=");
    of_actions_put(&s, f->actions->s, f->actions->n, NULL);
    if (!look->pattern || strstr(str_c(&s), look->pattern)) {
        const struct of_action *a;
        look->n++;
        look->fits &= flow_actions_fit(f->actions);
        OF_ACTION_FOR_EACH(a, f->actions->s, f->actions->n)
        {
            look->outputs += a->type == OF_OUTPUT;
            look->clauses += a->type == OF_CONJUNCTION;
        }
    }
    str_fini(&s);
}

static inline struct look look(struct world *w, unsigned table, const char *pattern)
{
    struct look l = {.w = w, .table = table, .pattern = pattern, .fits = true};
    inc_for_each(w->inc, w->program.oflow, look_at, &l);
    return l;
}

static inline void put_small_network(struct world *w)
{
    put_self(w);
    put_chassis(w, 0);
    put_datapath(w, 1);
    put_vif(w, 1, "a", 1);
    put_vif(w, 2, "b", 1);
}
