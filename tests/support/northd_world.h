/* northd_world.h - two stores in memory, a northd between them, and a client that edits NB: what northd's tests stand on. Values are
 * written as a person would: "a b c" for a set of strings, "k=v k=v" for a map. Included by one file a test program.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/env.h"
#include "base/vec.h"
#include "localdb/local_source.h"
#include "northd/northd.h"
#include "rows/nb.h"
#include "rows/sb.h"
#include "store/store.h"

struct world {
    struct env_seeded env;
    struct store *nb, *sb;
    struct replica *nb_replica, *sb_replica; /* northd's */
    struct replica *nb_client, *sb_client;   /* the test's */
    struct northd *northd;
    struct replica_txn *txn, *sb_txn; /* being written by the test */
    int last_error;
    size_t part; /* of the northd that is started next: what it writes in one transaction; 0: all */
};

static struct store *world_store(struct world *w, const char *schema_text)
{
    struct store *store;
    struct diag diag = DIAG_INIT;
    struct store_options so = {.env = &w->env.env, .schema_text = schema_text};
    if (store_open(&so, &store, &diag))
        fail_msg("%s", diag_text(&diag));
    return store;
}

static struct replica *world_replica(struct world *w, struct store *store)
{
    struct replica_options ro = {.env = &w->env.env, .schema = store_schema(store)};
    return replica_new(&ro, local_source_new(store));
}

static void world_start(struct world *w)
{
    w->nb_replica = world_replica(w, w->nb);
    w->sb_replica = world_replica(w, w->sb);
    struct northd_options no = {.env = &w->env.env,
                                .nb = w->nb_replica,
                                .sb = w->sb_replica,
                                .verify = true,
                                .budget = 7,
                                .part = w->part};
    w->northd = northd_new(&no);
}

static void world_stop(struct world *w)
{
    northd_free(w->northd);
    replica_free(w->nb_replica);
    replica_free(w->sb_replica);
    w->northd = NULL;
}

static void world_open(struct world *w, uint64_t seed)
{
    memset(w, 0, sizeof *w);
    env_seeded_init(&w->env, seed);
    w->nb = world_store(w, nb_schema_text);
    w->sb = world_store(w, sb_schema_text);
    w->nb_client = world_replica(w, w->nb);
    w->sb_client = world_replica(w, w->sb);
    world_start(w);
}

static void world_close(struct world *w)
{
    world_stop(w);
    replica_free(w->nb_client);
    replica_free(w->sb_client);
    store_close(w->nb);
    store_close(w->sb);
}

/* Lets everything come to rest. Time goes on by itself, so that what is to be tried again is. */
static UNUSED void world_settle(struct world *w)
{
    for (int i = 0; i < 100000; i++) {
        bool more = northd_run(w->northd);
        store_flush(w->nb);
        store_flush(w->sb);
        w->env.now_us += 1000;
        if (!more && northd_is_idle(w->northd) && !store_is_dirty(w->nb) && !store_is_dirty(w->sb))
            return;
    }
    fail_msg("northd does not come to rest");
}

/* --- Writing NB (SB: the same through sb_) */

static void world_done(void *world, int err, const char *error UNUSED)
{
    ((struct world *)world)->last_error = err;
}

static struct replica_txn *world_txn(struct world *w)
{
    if (!w->txn)
        w->txn = replica_txn_new(w->nb_client);
    return w->txn;
}

/* Commits what was written; the error of the transaction. */
static UNUSED int world_commit(struct world *w)
{
    w->last_error = 0;
    if (w->txn)
        replica_txn_commit(w->txn, world_done, w);
    if (w->sb_txn)
        replica_txn_commit(w->sb_txn, world_done, w);
    w->txn = w->sb_txn = NULL;
    store_flush(w->nb);
    store_flush(w->sb);
    return w->last_error;
}

static const struct schema_column *world_column(struct world *w, const char *table,
                                                const char *column)
{
    const struct schema_table *t = replica_table(w->nb_client, table);
    const struct schema_column *c = schema_column_find(t, column);
    assert_non_null(c);
    return c;
}

/* A datum of a column's type from text: see the head of this file. */
static const struct datum *world_datum(const struct schema_column *c, const char *text)
{
    union atom keys[64], values[64];
    size_t n = 0;
    char *copy = xstrdup(text), *save = NULL;
    const struct column_type *t = &c->type;
    bool scalar = !t->is_map && t->n_max == 1 && t->key.type == ATOM_STRING;
    if (scalar) {
        if (*text || t->n_min)
            keys[n++].string = rstr_new(text);
    } else {
        const char *by = t->is_map ? " " : ",";
        for (char *p = strtok_r(copy, by, &save); p; p = strtok_r(NULL, by, &save), n++) {
            char *eq = t->is_map ? strchr(p, '=') : NULL;
            if (eq) {
                *eq = '\0';
                values[n] = t->value.type == ATOM_INTEGER
                                ? (union atom){.integer = atoll(eq + 1)}
                                : (union atom){.string = rstr_new(eq + 1)};
            }
            if (t->key.type == ATOM_STRING)
                keys[n].string = rstr_new(p);
            else if (t->key.type == ATOM_BOOLEAN)
                keys[n].boolean = !strcmp(p, "true");
            else if (t->key.type == ATOM_INTEGER)
                keys[n].integer = atoll(p);
            else
                assert_true(uuid_parse(p, &keys[n].uuid));
        }
    }
    free(copy);
    return t->is_map ? datum_new_map(t->key.type, t->value.type, keys, values, n)
                     : datum_new_set(t->key.type, keys, n);
}

static UNUSED void world_set(struct world *w, const char *table, const struct uuid *row,
                             const char *column, const char *text)
{
    const struct schema_column *c = world_column(w, table, column);
    replica_txn_set(world_txn(w), c->table, row, c, world_datum(c, text));
}

static UNUSED void world_link(struct world *w, const char *table, const struct uuid *row,
                              const char *column, const struct uuid *to, bool add)
{
    const struct schema_column *c = world_column(w, table, column);
    replica_txn_mutate(world_txn(w), c->table, row, c, add ? MUTATE_INSERT : MUTATE_DELETE,
                       datum_new_uuid(to));
}

static UNUSED struct uuid world_insert(struct world *w, const char *table)
{
    return replica_txn_insert(world_txn(w), replica_table(w->nb_client, table));
}

static UNUSED void world_delete(struct world *w, const char *table, const struct uuid *row)
{
    replica_txn_delete(world_txn(w), replica_table(w->nb_client, table), row);
}

static UNUSED struct uuid world_switch(struct world *w, const char *name)
{
    struct uuid ls = world_insert(w, "Logical_Switch");
    world_set(w, "Logical_Switch", &ls, "name", name);
    return ls;
}

static UNUSED struct uuid world_port(struct world *w, const struct uuid *ls, const char *name,
                                     const char *addresses)
{
    struct uuid lsp = world_insert(w, "Logical_Switch_Port");
    world_set(w, "Logical_Switch_Port", &lsp, "name", name);
    world_set(w, "Logical_Switch_Port", &lsp, "addresses", addresses);
    world_link(w, "Logical_Switch", ls, "ports", &lsp, true);
    return lsp;
}

static UNUSED struct uuid world_router(struct world *w, const char *name)
{
    struct uuid lr = world_insert(w, "Logical_Router");
    world_set(w, "Logical_Router", &lr, "name", name);
    return lr;
}

static UNUSED struct uuid world_router_port(struct world *w, const struct uuid *lr,
                                            const char *name, const char *mac, const char *networks)
{
    struct uuid lrp = world_insert(w, "Logical_Router_Port");
    world_set(w, "Logical_Router_Port", &lrp, "name", name);
    world_set(w, "Logical_Router_Port", &lrp, "mac", mac);
    world_set(w, "Logical_Router_Port", &lrp, "networks", networks);
    world_link(w, "Logical_Router", lr, "ports", &lrp, true);
    return lrp;
}

static UNUSED struct uuid world_attach(struct world *w, const struct uuid *ls, const char *name,
                                       const char *router_port)
{
    struct uuid lsp = world_port(w, ls, name, "router");
    char *options = xasprintf("router-port=%s", router_port);
    world_set(w, "Logical_Switch_Port", &lsp, "type", "router");
    world_set(w, "Logical_Switch_Port", &lsp, "options", options);
    free(options);
    return lsp;
}

static UNUSED struct uuid world_route(struct world *w, const struct uuid *lr, const char *prefix,
                                      const char *nexthop)
{
    struct uuid route = world_insert(w, "Logical_Router_Static_Route");
    world_set(w, "Logical_Router_Static_Route", &route, "ip_prefix", prefix);
    world_set(w, "Logical_Router_Static_Route", &route, "nexthop", nexthop);
    world_link(w, "Logical_Router", lr, "static_routes", &route, true);
    return route;
}

/* --- Reading SB: each thing as a line, flows once for each datapath, references by name */

typedef VEC(char *) line_vec;

static const struct schema_table *world_sb_table(const struct world *w, size_t index)
{
    return &replica_schema(w->sb_client)->tables[index];
}

static const char *world_datapath_name(struct world *w, const struct uuid *uuid, char buf[64])
{
    const struct row *row =
        replica_row_find(w->sb_client, world_sb_table(w, SB_TABLE_DATAPATH_BINDING), uuid);
    if (!row)
        return "?";
    const struct sb_datapath_binding *dp = sb_datapath_binding_cast(row);
    const char *nb = sb_datapath_binding_external_ids_value(dp, "logical-switch");
    if (!nb)
        nb = sb_datapath_binding_external_ids_value(dp, "logical-router");
    snprintf(buf, 64, "%s", nb ? nb : "?");
    return buf;
}

static void world_put_flow(struct world *w, const struct sb_logical_flow *f,
                           const struct uuid *datapath, line_vec *lines)
{
    char buf[64];
    const char *hint = sb_logical_flow_external_ids_value(f, "stage-hint");
    vec_push(lines,
             xasprintf("flow %s %s %s/%d %d (%s) (%s) %s", world_datapath_name(w, datapath, buf),
                       sb_logical_flow_external_ids_value(f, "stage-name"),
                       sb_logical_flow_pipeline(f), (int)sb_logical_flow_table_id(f),
                       (int)sb_logical_flow_priority(f), sb_logical_flow_match(f),
                       sb_logical_flow_actions(f), hint ? hint : "-"));
}

static void world_put_flows(struct world *w, line_vec *lines)
{
    const struct row *row;
    REPLICA_FOR_EACH(row, pos, w->sb_client, world_sb_table(w, SB_TABLE_LOGICAL_FLOW))
    {
        const struct sb_logical_flow *f = sb_logical_flow_cast(row);
        const struct uuid *group = sb_logical_flow_logical_dp_group(f);
        if (sb_logical_flow_logical_datapath(f)) {
            assert_null(group);
            world_put_flow(w, f, sb_logical_flow_logical_datapath(f), lines);
            continue;
        }
        assert_non_null(group);
        const struct row *g =
            replica_row_find(w->sb_client, world_sb_table(w, SB_TABLE_LOGICAL_DP_GROUP), group);
        assert_non_null(g);
        const struct datum *d = sb_logical_dp_group_datapaths(sb_logical_dp_group_cast(g));
        assert_true(d->n >= 2);
        for (size_t i = 0; i < d->n; i++)
            world_put_flow(w, f, &d->atoms[i].uuid, lines);
    }
}

static int world_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void world_put_group(struct world *w, const struct row *row, line_vec *lines)
{
    const struct sb_multicast_group *g = sb_multicast_group_cast(row);
    const struct datum *ports = sb_multicast_group_ports(g);
    line_vec names = VEC_INIT;
    struct str s = STR_INIT;
    char buf[64];
    for (size_t i = 0; i < ports->n; i++) {
        const struct row *p = replica_row_find(
            w->sb_client, world_sb_table(w, SB_TABLE_PORT_BINDING), &ports->atoms[i].uuid);
        vec_push(&names, xstrdup(p ? sb_port_binding_logical_port(sb_port_binding_cast(p)) : "?"));
    }
    if (names.n)
        qsort(names.data, names.n, sizeof *names.data, world_compare);
    str_putf(&s, "group %s %s %d", world_datapath_name(w, sb_multicast_group_datapath(g), buf),
             sb_multicast_group_name(g), (int)sb_multicast_group_tunnel_key(g));
    for (size_t i = 0; i < names.n; i++) {
        str_putf(&s, " %s", names.data[i]);
        free(names.data[i]);
    }
    vec_fini(&names);
    vec_push(lines, str_steal(&s));
}

/* A group of chassis as " NAME: chassis priority, ..."; "!" says that the chassis is there. */
static void world_put_ha_group(struct world *w, const struct uuid *group, struct str *s)
{
    const struct row *row =
        replica_row_find(w->sb_client, world_sb_table(w, SB_TABLE_HA_CHASSIS_GROUP), group);
    assert_non_null(row);
    const struct datum *members = sb_ha_chassis_group_ha_chassis(sb_ha_chassis_group_cast(row));
    str_putf(s, " %s:", sb_ha_chassis_group_name(sb_ha_chassis_group_cast(row)));
    for (size_t i = 0; i < members->n; i++) {
        const struct row *m = replica_row_find(w->sb_client, world_sb_table(w, SB_TABLE_HA_CHASSIS),
                                               &members->atoms[i].uuid);
        assert_non_null(m);
        const struct sb_ha_chassis *c = sb_ha_chassis_cast(m);
        str_putf(s, " %s%s %d,", sb_ha_chassis_external_ids_value(c, "chassis-name"),
                 sb_ha_chassis_chassis(c) ? "!" : "", (int)sb_ha_chassis_priority(c));
    }
    str_putf(s, " of %u", sb_ha_chassis_group_ref_chassis(sb_ha_chassis_group_cast(row))->n);
}

/* The chassis with the first name behind AFTER, or NULL: rows come in no order. */
static const struct row *world_next_chassis(struct world *w, const char *after)
{
    const struct row *row, *next = NULL;
    REPLICA_FOR_EACH(row, pos, w->sb_client, world_sb_table(w, SB_TABLE_CHASSIS))
    {
        const char *name = sb_chassis_name(sb_chassis_cast(row));
        if (strcmp(name, after) > 0 &&
            (!next || strcmp(name, sb_chassis_name(sb_chassis_cast(next))) < 0))
            next = row;
    }
    return next;
}

/* " on NAME, NAME": the chassis that the port asks for, those beside the first with "+". */
static void world_put_requested(struct world *w, const struct sb_port_binding *p, struct str *s)
{
    const struct uuid *one = sb_port_binding_requested_chassis(p);
    const struct datum *more = sb_port_binding_requested_additional_chassis(p);
    const char *name = "";
    for (const struct row *row; (row = world_next_chassis(w, name));) {
        name = sb_chassis_name(sb_chassis_cast(row));
        if (one && uuid_equal(one, &row->uuid))
            str_putf(s, " on %s", name);
        for (size_t i = 0; i < more->n; i++)
            if (uuid_equal(&more->atoms[i].uuid, &row->uuid))
                str_putf(s, " +%s", name);
    }
}

static void world_put_bindings(struct world *w, line_vec *lines)
{
    const struct row *row;
    char buf[64];
    REPLICA_FOR_EACH(row, pos, w->sb_client, world_sb_table(w, SB_TABLE_DATAPATH_BINDING))
    {
        struct str s = STR_INIT;
        str_putf(&s, "datapath %d ",
                 (int)sb_datapath_binding_tunnel_key(sb_datapath_binding_cast(row)));
        datum_print(sb_datapath_binding_external_ids(sb_datapath_binding_cast(row)), &s);
        vec_push(lines, str_steal(&s));
    }
    REPLICA_FOR_EACH(row, pos, w->sb_client, world_sb_table(w, SB_TABLE_PORT_BINDING))
    {
        const struct sb_port_binding *p = sb_port_binding_cast(row);
        struct str s = STR_INIT;
        str_putf(&s, "port %s of %s key %d type (%s) ", sb_port_binding_logical_port(p),
                 world_datapath_name(w, sb_port_binding_datapath(p), buf),
                 (int)sb_port_binding_tunnel_key(p), sb_port_binding_type(p));
        datum_print(sb_port_binding_options(p), &s);
        datum_print(sb_port_binding_mac(p), &s);
        datum_print(sb_port_binding_port_security(p), &s);
        if (sb_port_binding_tag_present(p))
            str_putf(&s, " tag %d in %s", (int)sb_port_binding_tag(p),
                     sb_port_binding_parent_port(p) ? sb_port_binding_parent_port(p) : "-");
        datum_print(sb_port_binding_external_ids(p), &s);
        datum_print(sb_port_binding_nat_addresses(p), &s);
        world_put_requested(w, p, &s);
        if (sb_port_binding_ha_chassis_group(p))
            world_put_ha_group(w, sb_port_binding_ha_chassis_group(p), &s);
        vec_push(lines, str_steal(&s));
    }
}

/* "set $name [a b]" for an address set, "set @name [a b]" for a port group. */
static void world_put_set(const struct row *row, line_vec *lines)
{
    bool group = row->table->index == SB_TABLE_PORT_GROUP;
    const struct datum *d = group ? sb_port_group_ports(sb_port_group_cast(row))
                                  : sb_address_set_addresses(sb_address_set_cast(row));
    struct str s = STR_INIT;
    str_putf(&s, "set %c%s [", group ? '@' : '$',
             group ? sb_port_group_name(sb_port_group_cast(row))
                   : sb_address_set_name(sb_address_set_cast(row)));
    for (size_t i = 0; i < d->n; i++)
        str_putf(&s, "%s%s", i ? " " : "", d->atoms[i].string->s);
    str_putc(&s, ']');
    vec_push(lines, str_steal(&s));
}

static void world_put_datapaths(struct world *w, const struct datum *datapaths, struct str *s)
{
    line_vec names = VEC_INIT;
    char buf[64];
    for (size_t i = 0; i < datapaths->n; i++)
        vec_push(&names, xstrdup(world_datapath_name(w, &datapaths->atoms[i].uuid, buf)));
    if (names.n)
        qsort(names.data, names.n, sizeof *names.data, world_compare);
    for (size_t i = 0; i < names.n; i++) {
        str_putf(s, " %s", names.data[i]);
        free(names.data[i]);
    }
    vec_fini(&names);
}

static void world_put_services(struct world *w, line_vec *lines)
{
    const struct row *row;
    REPLICA_FOR_EACH(row, pos, w->sb_client, world_sb_table(w, SB_TABLE_LOAD_BALANCER))
    {
        const struct sb_load_balancer *lb = sb_load_balancer_cast(row);
        const char *protocol = sb_load_balancer_protocol(lb);
        struct str s = STR_INIT;
        str_putf(&s, "load balancer %s %s ", sb_load_balancer_external_ids_value(lb, "lb_id"),
                 protocol ? protocol : "-");
        datum_print(sb_load_balancer_vips(lb), &s);
        datum_print(sb_load_balancer_options(lb), &s);
        world_put_datapaths(w, sb_load_balancer_datapaths(lb), &s);
        vec_push(lines, str_steal(&s));
    }
    REPLICA_FOR_EACH(row, pos, w->sb_client, world_sb_table(w, SB_TABLE_SERVICE_MONITOR))
    {
        const struct sb_service_monitor *m = sb_service_monitor_cast(row);
        struct str s = STR_INIT;
        str_putf(&s, "monitor %s %s %d of %s from %s %s ", sb_service_monitor_ip(m),
                 sb_service_monitor_protocol(m), (int)sb_service_monitor_port(m),
                 sb_service_monitor_logical_port(m), sb_service_monitor_src_ip(m),
                 sb_service_monitor_src_mac(m));
        datum_print(sb_service_monitor_options(m), &s);
        vec_push(lines, str_steal(&s));
    }
    REPLICA_FOR_EACH(row, pos, w->sb_client, world_sb_table(w, SB_TABLE_DNS))
    {
        const struct sb_dns *dns = sb_dns_cast(row);
        struct str s = STR_INIT;
        str_putf(&s, "dns %s ", sb_dns_external_ids_value(dns, "dns_id"));
        datum_print(sb_dns_records(dns), &s);
        world_put_datapaths(w, sb_dns_datapaths(dns), &s);
        vec_push(lines, str_steal(&s));
    }
}

/* "meter NAME UNIT RATE/BURST ...", by the bands' uuids. */
static void world_put_meter(struct world *w, const struct row *row, line_vec *lines)
{
    const struct sb_meter *m = sb_meter_cast(row);
    const struct datum *bands = sb_meter_bands(m);
    struct str s = STR_INIT;
    str_putf(&s, "meter %s %s", sb_meter_name(m), sb_meter_unit(m));
    for (size_t i = 0; i < bands->n; i++) {
        const struct row *b = replica_row_find(w->sb_client, world_sb_table(w, SB_TABLE_METER_BAND),
                                               &bands->atoms[i].uuid);
        assert_non_null(b);
        str_putf(&s, " %d/%d", (int)sb_meter_band_rate(sb_meter_band_cast(b)),
                 (int)sb_meter_band_burst_size(sb_meter_band_cast(b)));
    }
    vec_push(lines, str_steal(&s));
}

static void world_put_static_macs(struct world *w, line_vec *lines)
{
    const struct row *row;
    char buf[64];
    REPLICA_FOR_EACH(row, pos, w->sb_client, world_sb_table(w, SB_TABLE_STATIC_MAC_BINDING))
    {
        const struct sb_static_mac_binding *m = sb_static_mac_binding_cast(row);
        vec_push(lines,
                 xasprintf("static MAC %s %s %s %s%s",
                           world_datapath_name(w, sb_static_mac_binding_datapath(m), buf),
                           sb_static_mac_binding_logical_port(m), sb_static_mac_binding_ip(m),
                           sb_static_mac_binding_mac(m),
                           sb_static_mac_binding_override_dynamic_mac(m) ? " overrides" : ""));
    }
}

/* All that northd wrote, sorted. */
static UNUSED line_vec world_dump(struct world *w)
{
    line_vec lines = VEC_INIT;
    const struct row *row;
    world_put_flows(w, &lines);
    world_put_bindings(w, &lines);
    world_put_static_macs(w, &lines);
    world_put_services(w, &lines);
    REPLICA_FOR_EACH(row, pos, w->sb_client, world_sb_table(w, SB_TABLE_MULTICAST_GROUP))
    world_put_group(w, row, &lines);
    REPLICA_FOR_EACH(row, pos, w->sb_client, world_sb_table(w, SB_TABLE_METER))
    world_put_meter(w, row, &lines);
    REPLICA_FOR_EACH(row, pos, w->sb_client, world_sb_table(w, SB_TABLE_ADDRESS_SET))
    world_put_set(row, &lines);
    REPLICA_FOR_EACH(row, pos, w->sb_client, world_sb_table(w, SB_TABLE_PORT_GROUP))
    world_put_set(row, &lines);
    if (lines.n)
        qsort(lines.data, lines.n, sizeof *lines.data, world_compare);
    return lines;
}

static UNUSED void world_free_lines(line_vec *lines)
{
    for (size_t i = 0; i < lines->n; i++)
        free(lines->data[i]);
    vec_fini(lines);
}

/* How many lines hold all of the texts (up to NULL). */
static UNUSED size_t world_count(struct world *w, ...)
{
    const char *texts[8];
    size_t n_texts = 0, n = 0;
    va_list args;
    va_start(args, w);
    while ((texts[n_texts] = va_arg(args, const char *)) != NULL)
        n_texts++;
    va_end(args);
    line_vec lines = world_dump(w);
    for (size_t i = 0; i < lines.n; i++) {
        bool all = true;
        for (size_t j = 0; j < n_texts; j++)
            all &= strstr(lines.data[i], texts[j]) != NULL;
        n += all;
    }
    world_free_lines(&lines);
    return n;
}
