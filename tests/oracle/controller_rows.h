/* controller_rows.h - SB for controller_random.c: rows of every table that the controller reads, made and changed at random, and the world that has them. */
#pragma once

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/env.h"
#include "base/vec.h"
#include "controller/allocate/ids.h"
#include "controller/oflow_key.h"
#include "controller/program.h"
#include "feed/feed.h"
#include "flow/key.h"
#include "openflow/actions.h"
#include "rows/sb.h"

enum {
    N_DATAPATHS = 6,
    N_PORTS = 24,
    N_GROUPS = 6,
    N_LFLOWS = 60,
    N_DP_GROUPS = 4,
    N_CHASSIS = 3,
    N_MACS = 10,
    N_FDBS = 6,
    N_SETS = 2,
    N_METERS = 2,
    N_LBS = 3,
    N_HAS = 2,
};

/* A source that pushes what the test makes. */
struct source {
    struct replica_source base;
    struct replica_sink sink;
};

static inline void source_start(struct replica_source *base,
                                const struct replica_options *options UNUSED,
                                const struct replica_sink *sink)
{
    struct source *source = CONTAINER_OF(base, struct source, base);
    source->sink = *sink;
    sink->status(sink->replica, true, false);
}

static inline void source_free(struct replica_source *base)
{
    free(CONTAINER_OF(base, struct source, base));
}

struct world {
    struct env_seeded rnd;
    struct schema *schema;
    struct source *source;
    struct replica *replica;
    struct program program;
    struct inc *inc;
    struct ids ids;
    struct feed *feed;
    /* present versions, NULL: not there */
    const struct row *datapaths[N_DATAPATHS], *ports[N_PORTS], *groups[N_GROUPS], *lflows[N_LFLOWS],
        *dp_groups[N_DP_GROUPS], *chassis[N_CHASSIS], *encaps[N_CHASSIS], *macs[N_MACS],
        *fdbs[N_FDBS], *sets[N_SETS], *port_groups[N_DATAPATHS], *meters[N_METERS],
        *bands[N_METERS], *lbs[N_LBS], *ha_groups[N_HAS], *ha_chassis[N_HAS * N_CHASSIS], *global;
    VEC(struct change) pending; /* of this transaction */
    bool has_self;
    struct fact_self self;
    struct fact_iface ifaces[N_PORTS];
    bool has_iface[N_PORTS];
    struct fact_tunnel tunnels[N_CHASSIS];
    bool has_tunnel[N_CHASSIS];
    struct fact_uplink uplinks[N_PORTS];
    bool has_uplink[N_PORTS];
    struct fact_mapping mapping;
    bool has_mapping;
};

static inline uint32_t below(struct world *w, uint32_t n)
{
    return (uint32_t)(env_random_u64(&w->rnd.env) % n);
}

static inline struct uuid uuid_of(uint8_t kind, uint32_t i)
{
    struct uuid u = {{kind, 0, 0, 0, 0, 0, 0x40}};
    u.bytes[15] = (uint8_t)i;
    u.bytes[3] = (uint8_t)(i * 37 + 11);
    return u;
}

/* --- Rows in the making */

static inline void set(struct row *row, const char *column, const struct datum *value)
{
    const struct schema_column *c = schema_column_find(row->table, column);
    INVARIANT(c);
    row_set(row, c, value);
}

static inline void set_text(struct row *row, const char *column, const char *text)
{
    set(row, column, datum_new_string(text));
}

static inline void set_pair(struct row *row, const char *column, const char *key, const char *value)
{
    union atom k = {.string = rstr_new(key)}, v = {.string = rstr_new(value)};
    set(row, column, datum_new_map(ATOM_STRING, ATOM_STRING, &k, &v, 1));
}

/* PAIRS: key, value, ..., NULL */
static inline void set_pairs(struct row *row, const char *column, const char *const *pairs)
{
    union atom k[8], v[8];
    size_t n = 0;
    for (; pairs[2 * n]; n++) {
        k[n].string = rstr_new(pairs[2 * n]);
        v[n].string = rstr_new(pairs[2 * n + 1]);
    }
    set(row, column, datum_new_map(ATOM_STRING, ATOM_STRING, k, v, n));
}

static inline struct row *new_row(struct world *w, const char *table, struct uuid uuid)
{
    return row_new(schema_table_find(w->schema, table), &uuid);
}

/* ROW (taken over; NULL: none) becomes the present version in SLOT. */
static inline void put(struct world *w, const struct row **slot, struct row *row)
{
    const struct row *before = *slot;
    if (!before && !row)
        return;
    const struct row *one = row ? row : before;
    for (size_t i = 0; i < w->pending.n; i++) {
        struct change *c = &w->pending.data[i];
        const struct row *other = c->after ? c->after : c->before;
        if (uuid_equal(&other->uuid, &one->uuid)) { /* once a transaction */
            row_unref(row);
            return;
        }
    }
    struct change change = {before, row ? row_ref(row) : NULL};
    vec_push(&w->pending, change);
    *slot = row;
}

static inline void port_name(uint32_t i, char *buf)
{
    snprintf(buf, 16, "p%u", i);
}

/* Patch ports come in pairs 2i, 2i+1. */
static inline bool is_patch(uint32_t i)
{
    return i % 8 >= 6;
}

static inline void change_datapath(struct world *w, uint32_t i)
{
    struct row *row = NULL;
    if (below(w, 10)) {
        row = new_row(w, "Datapath_Binding", uuid_of(1, i));
        set(row, "tunnel_key", datum_new_integer(1 + i));
        if (i % 2 && below(w, 2))
            set_pairs(row, "external_ids",
                      (const char *const[]){"logical-router", "x", "snat-ct-zone",
                                            below(w, 2) ? "7" : "9", NULL});
        else
            set_pair(row, "external_ids", i % 2 ? "logical-router" : "logical-switch", "x");
    }
    put(w, &w->datapaths[i], row);
}

/* What ports of any type may say; most of it means something for some types only. */
static inline void set_kind(struct world *w, struct row *row, const char *type)
{
    char peer[16];
    const char *hv = below(w, 2) ? "hv0" : "hv1";
    port_name(below(w, N_PORTS), peer);
    set_text(row, "type", type);
    set_pairs(row, "options",
              (const char *const[]){"network_name", below(w, 4) ? "phys" : "elsewhere",
                                    "l2gateway-chassis", hv, "l3gateway-chassis", hv,
                                    "distributed-port", peer, "peer", peer,
                                    below(w, 6) ? "x" : "requested-chassis", hv, NULL});
    if (!below(w, 4)) {
        set_text(row, *type ? "virtual_parent" : "parent_port", peer);
        set(row, "tag", datum_new_integer(1 + below(w, 9)));
    }
    if (!below(w, 2)) {
        struct uuid ha = uuid_of(16, below(w, N_HAS));
        set(row, "ha_chassis_group", datum_new_uuid(&ha));
    }
}

static inline void change_port(struct world *w, uint32_t i)
{
    static const char *const security[] = {
        "02:00:00:00:00:01", "02:00:00:00:00:01 10.0.0.1 fd00::1", "02:00:00:00:00:02 10.0.0.0/24",
        "02:00:00:00:00:02 10.0.0.9/24 fe80::/64", "rubbish"};
    static const char *const types[] = {"localport",       "localnet", "l2gateway", "l3gateway",
                                        "chassisredirect", "external", "virtual",   "remote"};
    struct row *row = NULL;
    if (below(w, 8)) {
        char name[16], peer[16];
        port_name(i, name);
        row = new_row(w, "Port_Binding", uuid_of(2, i));
        struct uuid dp = uuid_of(1, below(w, 3) ? i % N_DATAPATHS : below(w, N_DATAPATHS));
        set(row, "datapath", datum_new_uuid(&dp));
        set_text(row, "logical_port", name);
        set(row, "tunnel_key", datum_new_integer(1 + i + 100 * below(w, 2)));
        if (is_patch(i)) {
            port_name(i ^ 1, peer);
            set_text(row, "type", "patch");
            set_pair(row, "options", "peer", peer);
        } else {
            if (below(w, 3)) {
                struct uuid at = uuid_of(6, below(w, N_CHASSIS));
                set(row, "chassis", datum_new_uuid(&at));
            }
            set_kind(w, row, below(w, 3) ? "" : types[below(w, ARRAY_SIZE(types))]);
            if (!below(w, 3))
                set_text(row, "port_security", security[below(w, ARRAY_SIZE(security))]);
        }
    }
    put(w, &w->ports[i], row);
}

static inline const struct datum *some_refs(struct world *w, uint8_t kind, uint32_t n_kind)
{
    union atom atoms[32];
    size_t n = 0;
    for (uint32_t i = 0; i < n_kind; i++)
        if (!below(w, 3))
            atoms[n++].uuid = uuid_of(kind, i);
    return datum_new_set(ATOM_UUID, atoms, n);
}

static inline void change_group(struct world *w, uint32_t i)
{
    struct row *row = NULL;
    if (below(w, 8)) {
        row = new_row(w, "Multicast_Group", uuid_of(3, i));
        struct uuid dp = uuid_of(1, i % N_DATAPATHS);
        set(row, "datapath", datum_new_uuid(&dp));
        set_text(row, "name", "_MC_flood");
        set(row, "tunnel_key", datum_new_integer(32768 + below(w, 2)));
        set(row, "ports", some_refs(w, 2, N_PORTS));
    }
    put(w, &w->groups[i], row);
}

static inline void change_dp_group(struct world *w, uint32_t i)
{
    struct row *row = NULL;
    if (below(w, 8)) {
        row = new_row(w, "Logical_DP_Group", uuid_of(5, i));
        set(row, "datapaths", some_refs(w, 1, N_DATAPATHS));
    }
    put(w, &w->dp_groups[i], row);
}

static inline void change_lflow(struct world *w, uint32_t i)
{
    static const char *const matches[] = {
        "1",
        "ip4",
        "inport == \"p1\"",
        "inport == {\"p0\", \"p2\", \"p13\"} && ip4.src == 10.0.0.0/24",
        "outport == \"p3\" && eth.dst == 02:00:00:00:00:03",
        "eth.mcast",
        "eth.dst == ff:ff:ff:ff:ff:ff && arp.op == 1 && arp.tpa == 10.0.0.5",
        "ip4.dst == $set0",
        "ip4.src == $set0 && tcp.dst == {80, 443, 8080}",
        "ip4.src == {10.0.0.1, 10.0.0.7} && ip4.dst == $set1 && inport == @pg0",
        "ip4.src == $set0 && tcp.dst == {80, 443, 22}",
        "outport == @pg0 && ip4",
        "ip6.src == $set1 || ip4.src == $set1",
        "tcp.dst == {80, 443} && ip4",
        "reg0 == 5 && ip.ttl > 3",
        "is_chassis_resident(\"p2\") && ip",
        "syntax error here (",
        "inport == \"nowhere\"",
    };
    static const char *const actions[] = {
        "next;",
        "drop;",
        "outport = \"p4\"; output;",
        "outport = \"_MC_flood\"; output;",
        "eth.dst <-> eth.src; outport = inport; flags.loopback = 1; output;",
        "reg0 = ip4.dst; reg1 = 10.0.0.1; eth.src = 02:00:00:00:00:01; outport = \"p6\"; next;",
        "get_arp(outport, reg0); next;",
        "arp { eth.dst = ff:ff:ff:ff:ff:ff; arp.op = 1; output; };",
        "put_arp(inport, arp.spa, arp.sha);",
        "ip.ttl--; next;",
        "ct_lb_mark(backends=10.0.0.1:80,10.0.0.2:80);",
        "ct_lb_mark(backends=10.0.0.3:80);",
        "reg8[16..31] = select(1=50, 2=50);",
        "log(name=\"x\", severity=info, verdict=drop, meter=\"m0\");",
        "set_meter(1000, 100); next;",
        "ct_next;",
        "ct_snat_to_vip;",
        "reg0[6] = chk_lb_hairpin(); next;",
        "reg0[15] = check_in_port_sec(); next;",
        "no_such_action;",
    };
    struct row *row = NULL;
    if (below(w, 6)) {
        row = new_row(w, "Logical_Flow", uuid_of(4, i));
        set_text(row, "pipeline", below(w, 2) ? "ingress" : "egress");
        set(row, "table_id", datum_new_integer(below(w, 9)));
        set(row, "priority", datum_new_integer(below(w, 4) * 10));
        if (!below(w, 4))
            set_text(row, "controller_meter", below(w, 2) ? "m0" : "m1");
        set_text(row, "match", matches[below(w, ARRAY_SIZE(matches))]);
        set_text(row, "actions", actions[below(w, ARRAY_SIZE(actions))]);
        struct uuid to =
            below(w, 2) ? uuid_of(1, below(w, N_DATAPATHS)) : uuid_of(5, below(w, N_DP_GROUPS));
        set(row, to.bytes[0] == 1 ? "logical_datapath" : "logical_dp_group", datum_new_uuid(&to));
    }
    put(w, &w->lflows[i], row);
}

static inline void change_chassis(struct world *w, uint32_t i)
{
    char text[32];
    struct row *row = NULL, *encap = NULL;
    if (below(w, 6)) {
        struct uuid encap_id = uuid_of(7, i);
        row = new_row(w, "Chassis", uuid_of(6, i));
        snprintf(text, sizeof text, "hv%u", i);
        set_text(row, "name", text);
        set(row, "encaps", datum_new_uuid(&encap_id));
        encap = new_row(w, "Encap", encap_id);
        set_text(encap, "chassis_name", text);
        set_text(encap, "type", below(w, 5) ? "geneve" : "vxlan");
        snprintf(text, sizeof text, "192.168.0.%u", i + 10 * below(w, 2));
        set_text(encap, "ip", text);
        set_pair(encap, "options", "csum", below(w, 2) ? "true" : "false");
    }
    put(w, &w->chassis[i], row);
    put(w, &w->encaps[i], encap);
}

static inline void change_mac(struct world *w, uint32_t i)
{
    char text[32];
    struct row *row = NULL;
    if (below(w, 4)) {
        row = new_row(w, "MAC_Binding", uuid_of(8, i));
        port_name(below(w, N_PORTS), text);
        set_text(row, "logical_port", text);
        snprintf(text, sizeof text, below(w, 8) ? "10.0.0.%u" : "bad%u", below(w, 20));
        set_text(row, "ip", text);
        snprintf(text, sizeof text, "02:00:00:00:01:%02x", below(w, 4));
        set_text(row, "mac", text);
    }
    put(w, &w->macs[i], row);
}

static inline void change_fdb(struct world *w, uint32_t i)
{
    char text[32];
    struct row *row = NULL;
    if (below(w, 4)) {
        row = new_row(w, "FDB", uuid_of(10, i));
        set(row, "dp_key", datum_new_integer(1 + below(w, N_DATAPATHS)));
        set(row, "port_key", datum_new_integer(1 + below(w, 4)));
        snprintf(text, sizeof text, below(w, 8) ? "02:00:00:00:02:%02x" : "bad%u", below(w, 6));
        set_text(row, "mac", text);
    }
    put(w, &w->fdbs[i], row);
}

static inline void change_set(struct world *w, uint32_t i)
{
    char text[32];
    struct row *row = NULL;
    if (below(w, 5)) {
        union atom atoms[6];
        size_t n = below(w, 6);
        for (size_t k = 0; k < n; k++) {
            snprintf(text, sizeof text, below(w, 8) ? "10.0.%u.0/24" : "rubbish%u", below(w, 9));
            atoms[k].string = rstr_new(text);
        }
        row = new_row(w, "Address_Set", uuid_of(9, i));
        snprintf(text, sizeof text, "set%u", i);
        set_text(row, "name", text);
        set(row, "addresses", datum_new_set(ATOM_STRING, atoms, n));
    }
    put(w, &w->sets[i], row);
}

static inline void change_port_group(struct world *w, uint32_t i)
{
    char text[32];
    struct row *row = NULL;
    if (below(w, 5)) {
        union atom atoms[6];
        size_t n = below(w, 6);
        for (size_t k = 0; k < n; k++) {
            port_name(below(w, N_PORTS), text);
            atoms[k].string = rstr_new(text);
        }
        row = new_row(w, "Port_Group", uuid_of(11, i));
        snprintf(text, sizeof text, i ? "%u_pg0" : "pg0", i);
        set_text(row, "name", text);
        set(row, "ports", datum_new_set(ATOM_STRING, atoms, n));
    }
    put(w, &w->port_groups[i], row);
}

static inline void change_meter(struct world *w, uint32_t i)
{
    char text[32];
    struct row *row = NULL, *band = NULL;
    if (below(w, 5)) {
        struct uuid band_id = uuid_of(13, i);
        row = new_row(w, "Meter", uuid_of(12, i));
        snprintf(text, sizeof text, "m%u", i);
        set_text(row, "name", text);
        set_text(row, "unit", below(w, 2) ? "kbps" : "pktps");
        set(row, "bands", datum_new_uuid(&band_id));
        band = new_row(w, "Meter_Band", band_id);
        set_text(band, "action", "drop");
        set(band, "rate", datum_new_integer(1 + below(w, 3)));
    }
    put(w, &w->meters[i], row);
    put(w, &w->bands[i], band);
}

static inline void change_lb(struct world *w, uint32_t i)
{
    struct row *row = NULL;
    if (below(w, 5)) {
        row = new_row(w, "Load_Balancer", uuid_of(14, i));
        set_text(row, "name", "lb");
        if (below(w, 2))
            set_text(row, "protocol", below(w, 2) ? "udp" : "tcp");
        set_pairs(row, "vips",
                  (const char *const[]){"10.9.9.9:80", "10.0.0.1:80,10.0.0.2:8080", "10.9.9.10",
                                        below(w, 2) ? "10.0.0.1" : "rubbish", "[fd00::9]:80",
                                        "[fd00::1]:80", NULL});
        set(row, "datapaths", some_refs(w, 1, N_DATAPATHS));
        if (below(w, 2))
            set_pairs(row, "options",
                      (const char *const[]){"hairpin_orig_tuple", "true", "hairpin_snat_ip",
                                            "9.9.9.9 fd00::99", NULL});
        struct uuid group = uuid_of(5, below(w, N_DP_GROUPS));
        if (below(w, 2))
            set(row, "datapath_group", datum_new_uuid(&group));
    }
    put(w, &w->lbs[i], row);
}

static inline void change_ha(struct world *w, uint32_t i)
{
    struct row *row = NULL;
    for (uint32_t k = 0; k < N_CHASSIS; k++) {
        uint32_t at = i * N_CHASSIS + k;
        struct row *member = new_row(w, "HA_Chassis", uuid_of(17, at));
        struct uuid chassis = uuid_of(6, k);
        set(member, "chassis", datum_new_uuid(&chassis));
        set(member, "priority", datum_new_integer(below(w, 5)));
        put(w, &w->ha_chassis[at], member);
    }
    if (below(w, 6)) {
        row = new_row(w, "HA_Chassis_Group", uuid_of(16, i));
        set(row, "ha_chassis", some_refs(w, 17, N_HAS * N_CHASSIS));
    }
    put(w, &w->ha_groups[i], row);
}

static inline void change_global(struct world *w)
{
    struct row *row = new_row(w, "SB_Global", uuid_of(18, 0));
    if (below(w, 2))
        set_pair(row, "options", "lb_hairpin_use_ct_mark", below(w, 2) ? "true" : "false");
    put(w, &w->global, row);
}
