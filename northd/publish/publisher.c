/* publisher.c - the publisher as a whole: takes changes of rows and facts in, and builds the transaction; see publisher.h
 * (room 5 of docs/architecture.md). What is done for each table is in the other files of this folder.
 */
#include "northd/publish/internal.h"

#include <stdlib.h>
#include <string.h>

enum { LARGE = 16384 };

/* --- Helpers of this folder */

const struct schema_table *publisher_table(const struct publisher *pub, size_t index)
{
    return &pub->schema->tables[index];
}

bool publisher_is_full(const struct publisher *pub)
{
    return replica_txn_size(pub->txn) >= pub->part && !replica_txn_deletes(pub->txn);
}

struct uuid publisher_insert(struct publisher *pub, size_t table, const struct uuid *wish)
{
    const struct schema_table *t = publisher_table(pub, table);
    if (replica_row_find(pub->sb, t, wish))
        return replica_txn_insert(pub->txn, t);
    replica_txn_insert_as(pub->txn, t, wish);
    return *wish;
}

void publisher_put(struct publisher *pub, size_t table, const struct uuid *uuid,
                   const struct row *row, int column, const struct datum *value)
{
    const struct schema_table *t = publisher_table(pub, table);
    const struct schema_column *c = &t->columns[column];
    const struct datum *present = row ? row_get(row, c) : c->default_value;
    if (datum_equal(present, value))
        datum_unref(value);
    else
        replica_txn_set(pub->txn, t, uuid, c, value);
}

void publisher_delete(struct publisher *pub, size_t table, const struct uuid *uuid)
{
    replica_txn_delete(pub->txn, publisher_table(pub, table), uuid);
}

void publisher_mutate(struct publisher *pub, size_t table, const struct uuid *uuid, int column,
                      enum mutator mutator, const struct datum *value)
{
    const struct schema_table *t = publisher_table(pub, table);
    replica_txn_mutate(pub->txn, t, uuid, &t->columns[column], mutator, value);
}

void publisher_surplus(struct publisher *pub, const struct row *row)
{
    struct surplus s = {.table = row->table, .uuid = row->uuid};
    vec_push(&pub->surplus, s);
}

void publisher_hold(const struct row **slot, const struct row *row)
{
    const struct row *old = *slot;
    *slot = row ? row_ref(row) : NULL;
    row_unref(old);
}

void publisher_mark(struct list *head, struct list *node)
{
    if (list_empty(node))
        list_push_back(head, node);
}

void pairs_put(struct pairs *pairs, const char *key, const char *value)
{
    if (!value || pairs->n == MAX_PAIRS)
        return;
    pairs->keys[pairs->n].string = rstr_new(key);
    pairs->values[pairs->n++].string = rstr_new(value);
}

bool pairs_have(const struct pairs *pairs, const char *key)
{
    for (size_t i = 0; i < pairs->n; i++)
        if (!strcmp(pairs->keys[i].string->s, key))
            return true;
    return false;
}

void pairs_put_all(struct pairs *pairs, const struct datum *map)
{
    for (size_t i = 0; i < map->n && pairs->n < MAX_PAIRS; i++) {
        pairs->keys[pairs->n].string = rstr_ref(map->atoms[i].string);
        pairs->values[pairs->n++].string = rstr_ref(datum_values(map)[i].string);
    }
}

const struct datum *pairs_take(struct pairs *pairs)
{
    const struct datum *d =
        datum_new_map(ATOM_STRING, ATOM_STRING, pairs->keys, pairs->values, pairs->n);
    pairs->n = 0;
    return d;
}

/* --- Taking in */

/* One row's change. A deleted row is told as AFTER NULL, a new one as BEFORE NULL. */
static void take_row(struct publisher *pub, const struct row *before, const struct row *after)
{
    size_t table = (after ? after : before)->table->index;
    switch (table) {
    case SB_TABLE_DATAPATH_BINDING:
        datapaths_take_row(pub, before, after);
        break;
    case SB_TABLE_PORT_BINDING:
        ports_take_row(pub, before, after);
        break;
    case SB_TABLE_MULTICAST_GROUP:
        groups_take_row(pub, before, after);
        break;
    case SB_TABLE_ADDRESS_SET:
    case SB_TABLE_PORT_GROUP:
        sets_take_row(pub, before, after);
        break;
    case SB_TABLE_LOGICAL_FLOW:
        lflows_sb_take_row(pub, before, after);
        break;
    case SB_TABLE_LOGICAL_DP_GROUP:
        dpsets_take_row(pub, before, after);
        break;
    case SB_TABLE_FDB:
        stations_take_row(pub, after);
        break;
    case SB_TABLE_MAC_BINDING:
        ports_take_neighbor(pub, before, after);
        break;
    default:
        rows_take_row(pub, before, after);
        if (seed_is_seed_table(table))
            pub->seed_dirty = true;
    }
}

/* Datapaths first, since other rows are understood through them; what goes before what comes, since a row may be replaced
 * by one with the same key. */
void publisher_take_rows(struct publisher *pub, const struct changeset *cs)
{
    for (int pass = 0; pass < 4; pass++) {
        for (size_t i = 0; i < cs->n; i++) {
            const struct change *c = &cs->changes[i];
            bool is_datapath =
                (c->after ? c->after : c->before)->table->index == SB_TABLE_DATAPATH_BINDING;
            if ((pass >= 2) != (c->after != NULL))
                continue; /* 0, 1: gone; 2, 3: come or changed */
            if (is_datapath == (pass == 1 || pass == 2))
                take_row(pub, c->before, c->after);
        }
    }
}

struct taking {
    struct publisher *pub;
    inc_change_fn *fn;
};

static void take_one(const void *fact, void *taking_)
{
    struct taking *taking = taking_;
    taking->fn(fact, true, taking->pub);
}

static void ignore_change(const void *fact UNUSED, bool added UNUSED, void *aux UNUSED)
{
}

static void take_all(struct publisher *pub, const struct inc_coll *coll, inc_change_fn *fn)
{
    struct taking taking = {pub, fn};
    inc_changes(pub->inc, coll, ignore_change, NULL);
    inc_for_each(pub->inc, coll, take_one, &taking);
}

static void clear(struct publisher *pub)
{
    classes_clear(pub);
    lflows_sb_clear(pub);
    rows_clear(pub);
    dpsets_clear(pub);
    groups_clear(pub);
    sets_clear(pub);
    ports_clear(pub);
    datapaths_clear(pub);
    stations_clear(pub);
    vec_clear(&pub->surplus);
    pub->seed_dirty = true;
}

static void take_table(struct publisher *pub, size_t index)
{
    const struct row *row;
    REPLICA_FOR_EACH(row, pos, pub->sb, publisher_table(pub, index))
    take_row(pub, NULL, row);
}

void publisher_start(struct publisher *pub)
{
    static const size_t tables[] = {SB_TABLE_DATAPATH_BINDING, SB_TABLE_LOGICAL_DP_GROUP,
                                    SB_TABLE_PORT_BINDING,     SB_TABLE_MAC_BINDING,
                                    SB_TABLE_MULTICAST_GROUP,  SB_TABLE_LOGICAL_FLOW,
                                    SB_TABLE_ADDRESS_SET,      SB_TABLE_PORT_GROUP};
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
        take_table(pub, tables[i]);
    stations_check_all(pub);
    rows_start(pub);
}

void publisher_take_facts(struct publisher *pub)
{
    enum { N_OF_FLOWS = 5 };
    const struct {
        const struct inc_coll *coll;
        inc_change_fn *fn;
    } all[] = {{pub->p->lflow, lflows_sb_take_fact}, /* first: their texts are made meanwhile */
               {pub->p->class_flow, classes_take_flow},
               {pub->p->class_member, classes_take_member},
               {pub->p->lb.member, classes_take_member},
               {pub->p->acl.member, classes_take_member},
               {pub->p->datapath_binding, datapaths_take_fact},
               {pub->p->port_binding, ports_take_fact},
               {pub->p->group, groups_take_fact},
               {pub->p->member, groups_take_member},
               {pub->p->port_option, ports_take_extra},
               {pub->p->port_nat, ports_take_nat},
               {pub->p->port_chassis, ports_take_extra},
               {pub->p->acl.set, sets_take_fact},
               {pub->p->acl.in_address, sets_take_element},
               {pub->p->acl.set_element, sets_take_element}};
    bool restart = pub->must_restart;
    pub->must_restart = false;
    if (restart) {
        clear(pub);
        publisher_start(pub);
    }
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        if (restart)
            take_all(pub, all[i].coll, all[i].fn);
        else
            inc_changes(pub->inc, all[i].coll, all[i].fn, pub);
        if (i + 1 == N_OF_FLOWS)
            texts_start(pub->texts);
    }
    rows_take_facts(pub, restart);
}

/* --- Building */

static void delete_surplus(struct publisher *pub)
{
    struct surplus *s;
    VEC_FOR_EACH (s, &pub->surplus)
        if (replica_row_find(pub->sb, s->table, &s->uuid))
            replica_txn_delete(pub->txn, s->table, &s->uuid);
    vec_clear(&pub->surplus);
}

bool publisher_build(struct publisher *pub, struct replica_txn *txn)
{
    pub->txn = txn;
    delete_surplus(pub);
    seed_build(pub);
    datapaths_build(pub);
    rows_build(pub);
    lb_end(pub);
    ports_build(pub);
    stations_build(pub);
    groups_build(pub);
    sets_build(pub);
    return publisher_go_on(pub, txn);
}

bool publisher_go_on(struct publisher *pub, struct replica_txn *txn)
{
    pub->txn = txn;
    bool all = lflows_sb_build(pub);
    if (all)
        dpsets_build(pub);
    pub->txn = NULL;
    pub->in_flight = true;
    return !all;
}

void publisher_done(struct publisher *pub, int err)
{
    pub->in_flight = false;
    pub->must_restart |= err != 0;
}

void publisher_restart(struct publisher *pub)
{
    pub->must_restart = true;
}

bool publisher_is_dirty(const struct publisher *pub)
{
    return pub->must_restart || pub->seed_dirty || pub->surplus.n || pub->differing.n ||
           pub->stations.n || pub->check_stations || !list_empty(&pub->dirty_datapaths) ||
           !list_empty(&pub->dirty_ports) || !list_empty(&pub->dirty_groups) ||
           !list_empty(&pub->dirty_flows) || !list_empty(&pub->single_flows) ||
           !list_empty(&pub->dirty_rows) || !list_empty(&pub->dirty_sets);
}

/* --- Life */

struct publisher *publisher_new(struct northd_program *program, struct inc *inc, struct replica *sb,
                                size_t part, bool one_thread)
{
    struct publisher *pub = NEW(struct publisher);
    pub->p = program;
    pub->inc = inc;
    pub->sb = sb;
    pub->schema = replica_schema(sb);
    pub->seed_dirty = true;
    list_init(&pub->dirty_datapaths);
    list_init(&pub->dirty_ports);
    list_init(&pub->dirty_groups);
    list_init(&pub->dirty_flows);
    list_init(&pub->single_flows);
    pub->part = part ? part : LARGE;
    pub->texts = texts_new(one_thread ? SIZE_MAX : pub->part / 8);
    list_init(&pub->dirty_rows);
    list_init(&pub->dirty_sets);
    pub->pipelines[PIPELINE_INGRESS] = datum_new_string(lflow_pipeline_name(PIPELINE_INGRESS));
    pub->pipelines[PIPELINE_EGRESS] = datum_new_string(lflow_pipeline_name(PIPELINE_EGRESS));
    struct inc_coll *watched[] = {
        program->datapath_binding, program->port_binding, program->group,
        program->member,           program->lflow,        program->port_option,
        program->port_nat,         program->acl.set,      program->acl.in_address,
        program->acl.set_element,  program->port_chassis, program->class_flow,
        program->class_member,     program->lb.member,    program->acl.member};
    for (size_t i = 0; i < ARRAY_SIZE(watched); i++)
        inc_watch(inc, watched[i]);
    rows_watch(pub);
    return pub;
}

void publisher_free(struct publisher *pub)
{
    if (!pub)
        return;
    clear(pub);
    texts_free(pub->texts);
    hmap_fini(&pub->datapaths_by_nb);
    hmap_fini(&pub->datapaths_by_sb);
    hmap_fini(&pub->datapaths_by_hash);
    hmap_fini(&pub->datapaths_by_key);
    hmap_fini(&pub->ports_by_key);
    vec_fini(&pub->stations);
    hmap_fini(&pub->ports);
    hmap_fini(&pub->groups);
    hmap_fini(&pub->rows);
    hmap_fini(&pub->sets_by_name);
    hmap_fini(&pub->sets_by_owner);
    hmap_fini(&pub->dpsets);
    hmap_fini(&pub->classes);
    hmap_fini(&pub->flows_by_value);
    hmap_fini(&pub->flows_by_text);
    vec_fini(&pub->surplus);
    vec_fini(&pub->differing);
    datum_unref(pub->pipelines[0]);
    datum_unref(pub->pipelines[1]);
    free(pub);
}
