/* chassis_world.h - the controller's hypervisor side with databases that the test plays: what it is told, what it writes. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/vec.h"
#include "controller/allocate/ids.h"
#include "controller/allocate/keep.h"
#include "controller/chassis/binding.h"
#include "controller/chassis/bridge.h"
#include "controller/chassis/config.h"
#include "controller/chassis/hypervisor.h"
#include "controller/chassis/progress.h"
#include "controller/chassis/register.h"
#include "controller/chassis/tunnels.h"
#include "rows/ovs.h"
#include "rows/sb.h"

/* --- A database that the test plays */

struct db {
    struct replica_source source;
    struct replica_sink sink;
    struct schema *schema;
    struct replica *replica;
    struct writer writer;
    VEC(const struct row *) rows; /* present */
    struct ops *ops;              /* of the last transaction; NULL: there was none */
    void (*done)(void *aux, int err, const char *error);
    void *done_aux;
};

static inline void source_start(struct replica_source *source,
                                const struct replica_options *options UNUSED,
                                const struct replica_sink *sink)
{
    struct db *db = CONTAINER_OF(source, struct db, source);
    db->sink = *sink;
    sink->status(sink->replica, true, false);
}

static inline void source_submit(struct replica_source *source, struct ops *ops,
                                 void (*done)(void *aux, int err, const char *error), void *aux)
{
    struct db *db = CONTAINER_OF(source, struct db, source);
    db->ops = ops;
    db->done = done;
    db->done_aux = aux;
}

static inline void source_free(struct replica_source *source UNUSED)
{
}

static inline void no_wake(void *aux UNUSED)
{
}

static inline void db_init(struct db *db, struct loop *loop, struct schema *schema)
{
    memset(db, 0, sizeof *db);
    db->schema = schema;
    db->source = (struct replica_source){
        .start = source_start, .submit = source_submit, .free = source_free};
    struct replica_options options = {.env = loop_env(loop), .schema = schema};
    db->replica = replica_new(&options, &db->source);
    struct changeset *cs = NEW(struct changeset);
    cs->refs = 1;
    db->sink.reset(db->sink.replica, cs);
    changeset_unref(cs);
    writer_init(&db->writer, loop, "test", no_wake, NULL);
    writer_set_replica(&db->writer, db->replica);
}

static inline void db_fini(struct db *db)
{
    if (db->ops)
        ops_free(db->ops);
    writer_fini(&db->writer);
    replica_free(db->replica);
    for (size_t i = 0; i < db->rows.n; i++)
        row_unref(db->rows.data[i]);
    vec_fini(&db->rows);
    schema_free(db->schema);
}

static inline struct uuid uuid_of(unsigned x)
{
    struct uuid u = {{(uint8_t)x, (uint8_t)(x >> 8), 1}};
    return u;
}

/* ROW (taken over) is now the version of its uuid. */
static inline void push(struct db *db, struct row *row)
{
    const struct row *before = NULL;
    size_t i = 0;
    while (i < db->rows.n && !uuid_equal(&db->rows.data[i]->uuid, &row->uuid))
        i++;
    if (i < db->rows.n)
        before = db->rows.data[i];
    struct changeset *cs = NEW(struct changeset);
    cs->refs = 1;
    cs->n = 1;
    cs->changes = NEW(struct change);
    cs->changes[0] = (struct change){before, row_ref(row)};
    db->sink.update(db->sink.replica, cs);
    changeset_unref(cs);
    if (before)
        db->rows.data[i] = row;
    else
        vec_push(&db->rows, (const struct row *)row);
}

static inline struct row *new_row(struct db *db, const char *table, unsigned id)
{
    struct uuid uuid = uuid_of(id);
    return row_new(schema_table_find(db->schema, table), &uuid);
}

static inline void set(struct row *row, const char *column, const struct datum *value)
{
    row_set(row, schema_column_find(row->table, column), value);
}

static inline void set_text(struct row *row, const char *column, const char *text)
{
    set(row, column, datum_new_string(text));
}

static inline void set_ref(struct row *row, const char *column, unsigned id)
{
    struct uuid uuid = uuid_of(id);
    set(row, column, datum_new_uuid(&uuid));
}

/* PAIRS: "k", "v", ..., NULL */
static inline void set_pairs(struct row *row, const char *column, const char *const *pairs)
{
    union atom keys[16], values[16];
    size_t n = 0;
    for (; pairs[2 * n]; n++) {
        keys[n].string = rstr_new(pairs[2 * n]);
        values[n].string = rstr_new(pairs[2 * n + 1]);
    }
    set(row, column, datum_new_map(ATOM_STRING, ATOM_STRING, keys, values, n));
}
#define PAIRS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Sends what was written; the number of operations of KIND on TABLE. The transaction succeeds. */
static inline void commit(struct db *db)
{
    if (db->ops)
        ops_free(db->ops);
    db->ops = NULL;
    writer_commit(&db->writer);
    if (db->ops)
        db->done(db->done_aux, 0, NULL);
}

static inline unsigned count(const struct db *db, enum op_kind kind, const char *table)
{
    unsigned n = 0;
    for (size_t i = 0; db->ops && i < db->ops->n; i++)
        n += db->ops->ops[i].kind == kind && !strcmp(db->ops->ops[i].table->name, table);
    return n;
}

/* The value that COLUMN is set to in an insert or update of TABLE, as text; "" when it is not. */
static inline const char *value_of(const struct db *db, const char *table, const char *column,
                                   struct str *text)
{
    str_clear(text);
    for (size_t i = 0; db->ops && i < db->ops->n; i++) {
        const struct op *op = &db->ops->ops[i];
        if ((op->kind != OP_INSERT && op->kind != OP_UPDATE) || strcmp(op->table->name, table))
            continue;
        for (size_t k = 0; k < op->n_values; k++)
            if (!strcmp(op->values[k].column->name, column))
                datum_print(op->values[k].value, text);
    }
    return str_c(text);
}

/* --- The world */

struct world {
    struct env_seeded env;
    struct loop *loop;
    struct db ovs, sb;
    struct config config;
    struct program program;
    struct inc *inc;
    struct ids ids;
    struct registration registration;
    struct feed *feed;
    struct hypervisor hypervisor;
    struct str text;
};

enum {
    ROOT = 1,
    BR,
    BR_PORT,
    BR_IFACE,
    VIF_PORT,
    VIF_IFACE,
    TUN_PORT,
    TUN_IFACE,
    CHASSIS = 20,
    ENCAP,
    PRIVATE,
    OTHER,
    OTHER_ENCAP,
    DATAPATH,
    PORT,
    GLOBAL
};

static inline void put_root(struct world *w, const char *const *pairs)
{
    struct row *row = new_row(&w->ovs, "Open_vSwitch", ROOT);
    set_pairs(row, "external_ids", pairs);
    push(&w->ovs, row);
    assert_true(config_read(&w->config, w->ovs.replica));
}

static inline void on_ovs_change(void *w_, const struct changeset *cs)
{
    struct world *w = w_;
    for (size_t i = 0; i < cs->n; i++)
        hypervisor_row_changed(&w->hypervisor, &cs->changes[i]);
}

static inline void world_init(struct world *w)
{
    memset(w, 0, sizeof *w);
    env_seeded_init(&w->env, 1);
    w->loop = loop_new(&w->env.env);
    db_init(&w->ovs, w->loop, ovs_schema_new());
    db_init(&w->sb, w->loop, sb_schema_new());
    program_init(&w->program);
    w->inc = inc_new(w->program.inc);
    inc_watch(w->inc, w->program.claim);
    inc_watch(w->inc, w->program.want);
    ids_init(&w->ids, &w->program, w->inc);
    w->feed = feed_new(w->inc, w->sb.replica, &w->program.names);
    feed_rows(w->feed, w->program.in_port, "Port_Binding");
    feed_rows(w->feed, w->program.in_encap, "Encap");
    feed_rows(w->feed, w->program.in_datapath, "Datapath_Binding");
    feed_start(w->feed, NULL, NULL);
    hypervisor_init(&w->hypervisor, &w->program, w->inc);
    replica_set_observer(w->ovs.replica, on_ovs_change, w);
    put_root(w, PAIRS("system-id", "hv1", "ovn-encap-ip", "10.0.0.1", "hostname", "host"));
}

static inline void world_fini(struct world *w)
{
    feed_free(w->feed);
    inc_free(w->inc);
    ids_fini(&w->ids);
    registration_fini(&w->registration);
    hypervisor_fini(&w->hypervisor);
    program_fini(&w->program);
    config_clear(&w->config);
    db_fini(&w->ovs);
    db_fini(&w->sb);
    str_fini(&w->text);
    loop_free(w->loop);
}

static inline void put_bridge(struct world *w, bool has_tunnel)
{
    struct row *row = new_row(&w->ovs, "Bridge", BR);
    set_text(row, "name", "br-int");
    union atom ports[3] = {
        {.uuid = uuid_of(BR_PORT)}, {.uuid = uuid_of(VIF_PORT)}, {.uuid = uuid_of(TUN_PORT)}};
    set(row, "ports", datum_new_set(ATOM_UUID, ports, has_tunnel ? 3 : 2));
    push(&w->ovs, row);
    row = new_row(&w->ovs, "Port", VIF_PORT);
    set_text(row, "name", "tap0");
    set_ref(row, "interfaces", VIF_IFACE);
    push(&w->ovs, row);
}

static inline void put_vif(struct world *w, int64_t ofport, const char *const *pairs)
{
    struct row *row = new_row(&w->ovs, "Interface", VIF_IFACE);
    set_text(row, "name", "tap0");
    set(row, "ofport", datum_new_integer(ofport));
    set_pairs(row, "external_ids", pairs);
    push(&w->ovs, row);
}

static inline void put_chassis(struct world *w, unsigned id, unsigned encap, const char *name,
                               const char *ip)
{
    struct row *row = new_row(&w->sb, "Encap", encap);
    set_text(row, "type", "geneve");
    set_text(row, "ip", ip);
    set_text(row, "chassis_name", name);
    set_pairs(row, "options", PAIRS("csum", "true"));
    push(&w->sb, row);
    row = new_row(&w->sb, "Chassis", id);
    set_text(row, "name", name);
    set_text(row, "hostname", "host");
    set_ref(row, "encaps", encap);
    set_pairs(row, "other_config",
              PAIRS("port-up-notif", "true", "mac-binding-timestamp", "true", "fdb-timestamp",
                    "true", "ls-dpg-column", "true", "ct-no-masked-label", "true", "datapath-type",
                    ""));
    push(&w->sb, row);
}

static inline void put_private(struct world *w, int64_t nb_cfg)
{
    struct row *row = new_row(&w->sb, "Chassis_Private", PRIVATE);
    set_text(row, "name", "hv1");
    set_ref(row, "chassis", CHASSIS);
    set(row, "nb_cfg", datum_new_integer(nb_cfg));
    push(&w->sb, row);
}
