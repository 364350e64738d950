/* rows.c - tables of SB whose every row one fact stands for, and the fact says the row's uuid (room 5 of docs/architecture.md). A
 * row with another uuid is nobody's and goes. Another table is a line in `tables` and a function that writes its columns.
 */
#include "northd/publish/internal.h"

#include <stdlib.h>
#include <string.h>

struct rows_table {
    size_t table;                /* of SB */
    size_t coll;                 /* where struct northd_program has the collection */
    const struct inc_type *type; /* its facts begin with the row's uuid */
    /* ROW: what is there, NULL: it was just inserted. */
    void (*write)(struct publisher *pub, const void *fact, const struct row *row);
};

static const struct rows_table tables[] = {
    {SB_TABLE_HA_CHASSIS, offsetof(struct northd_program, gateway.ha_member),
     &northd_type_ha_member, ha_write_member},
    {SB_TABLE_HA_CHASSIS_GROUP, offsetof(struct northd_program, gateway.ha_group),
     &northd_type_ha_group, ha_write_group},
    {SB_TABLE_DNS, offsetof(struct northd_program, dns.binding), &northd_type_dns_binding,
     dns_write},
    {SB_TABLE_STATIC_MAC_BINDING, offsetof(struct northd_program, static_mac),
     &northd_type_static_mac, static_mac_sb_write},
    {SB_TABLE_LOAD_BALANCER, offsetof(struct northd_program, lb.binding), &northd_type_lb_binding,
     lb_write_binding},
    {SB_TABLE_SERVICE_MONITOR, offsetof(struct northd_program, lb.health.monitor),
     &northd_type_lb_monitor, lb_write_monitor},
    {SB_TABLE_METER, offsetof(struct northd_program, acl.meter), &northd_type_meter, meters_write},
    {SB_TABLE_METER_BAND, offsetof(struct northd_program, acl.meter_band), &northd_type_meter_band,
     meters_write_band},
};

struct pub_row {
    struct hnode node;
    struct uuid uuid;
    const struct rows_table *table;
    void *want; /* a copy of the fact, or NULL */
    const struct row *row;
    struct list dirty;
};

static const struct inc_coll *coll_of(const struct publisher *pub, const struct rows_table *t)
{
    return *(struct inc_coll *const *)((const char *)pub->p + t->coll);
}

static const struct rows_table *find_table(size_t table)
{
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
        if (tables[i].table == table)
            return &tables[i];
    return NULL;
}

static struct pub_row *get(struct publisher *pub, const struct rows_table *table,
                           const struct uuid *uuid)
{
    struct pub_row *r;
    HMAP_FOR_EACH_WITH_HASH (r, node, uuid_hash(uuid), &pub->rows)
        if (r->table == table && uuid_equal(&r->uuid, uuid))
            return r;
    r = NEW(struct pub_row);
    r->uuid = *uuid;
    r->table = table;
    list_init(&r->dirty);
    hmap_insert(&pub->rows, &r->node, uuid_hash(uuid));
    return r;
}

void rows_take_row(struct publisher *pub, const struct row *before, const struct row *after)
{
    const struct row *any = after ? after : before;
    const struct rows_table *table = find_table(any->table->index);
    if (!table)
        return;
    struct pub_row *r = get(pub, table, &any->uuid);
    publisher_hold(&r->row, after);
    publisher_mark(&pub->dirty_rows, &r->dirty);
}

static void drop_want(struct pub_row *r)
{
    if (r->want && r->table->type->unref)
        r->table->type->unref(r->want);
    free(r->want);
    r->want = NULL;
}

struct taking {
    struct publisher *pub;
    const struct rows_table *table;
};

static void take_fact(const void *fact, bool added, void *taking_)
{
    struct taking *t = taking_;
    size_t size = t->table->type->size;
    struct pub_row *r = get(t->pub, t->table, fact);
    if (r->want && (added || !memcmp(r->want, fact, size)))
        drop_want(r);
    if (added) {
        r->want = xmemdup(fact, size);
        if (t->table->type->ref)
            t->table->type->ref(fact);
    }
    publisher_mark(&t->pub->dirty_rows, &r->dirty);
}

static void take_present(const void *fact, void *taking)
{
    take_fact(fact, true, taking);
}

static void ignore_change(const void *fact UNUSED, bool added UNUSED, void *aux UNUSED)
{
}

void rows_take_facts(struct publisher *pub, bool restart)
{
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
        struct taking t = {pub, &tables[i]};
        inc_changes(pub->inc, coll_of(pub, &tables[i]), restart ? ignore_change : take_fact, &t);
        if (restart)
            inc_for_each(pub->inc, coll_of(pub, &tables[i]), take_present, &t);
    }
}

static void forget(struct publisher *pub, struct pub_row *r)
{
    hmap_remove(&pub->rows, &r->node);
    list_remove(&r->dirty);
    publisher_hold(&r->row, NULL);
    drop_want(r);
    free(r);
}

void rows_build(struct publisher *pub)
{
    struct pub_row *r, *next;
    LIST_FOR_EACH_SAFE (r, next, dirty, &pub->dirty_rows) {
        list_remove(&r->dirty);
        if (r->want) {
            if (!r->row)
                replica_txn_insert_as(pub->txn, publisher_table(pub, r->table->table), &r->uuid);
            r->table->write(pub, r->want, r->row);
        } else if (r->row) {
            publisher_delete(pub, r->table->table, &r->uuid);
        } else {
            forget(pub, r);
        }
    }
}

void rows_clear(struct publisher *pub)
{
    struct pub_row *r;
    HMAP_FOR_EACH_SAFE (r, node, &pub->rows)
        forget(pub, r);
}

void rows_start(struct publisher *pub)
{
    const struct row *row;
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
        REPLICA_FOR_EACH(row, pos, pub->sb, publisher_table(pub, tables[i].table))
    rows_take_row(pub, NULL, row);
}

void rows_watch(struct publisher *pub)
{
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
        inc_watch(pub->inc, coll_of(pub, &tables[i]));
}
