/* print_stats.c - statistics and descriptions as ovs-ofctl shows them. */
#include "openflow/flow_monitor.h"
#include "openflow/group.h"
#include "openflow/ipfix.h"
#include "openflow/meter.h"
#include "openflow/print_impl.h"
#include "openflow/queue.h"
#include "openflow/switch.h"
#include "openflow/table.h"

static unsigned long long ull(uint64_t x)
{
    return x;
}

static int put_flows(struct str *s, const struct of_msg *msg, const struct port_names *ports,
                     const struct table_names *tables)
{
    struct of_flow_stats fs;
    size_t ofs = 0;
    int more;
    str_putc(s, '\n');
    while ((more = of_flow_stats_next(msg, &ofs, &fs)) > 0) {
        of_flow_stats_print(s, &fs, ports, tables, true);
        str_putc(s, '\n');
        of_flow_stats_fini(&fs);
    }
    return -more;
}

static int put_flow_request(struct str *s, const struct of_msg *msg, const struct port_names *ports)
{
    struct of_flow_stats_request req;
    int err = of_flow_stats_request_decode(msg, &req);
    if (err)
        return err;
    if (req.table_id != OF_TABLE_ALL)
        str_putf(s, " table=%u", req.table_id);
    if (req.out_port != PORT_ANY) {
        str_put(s, " out_port=");
        port_put(s, req.out_port, ports);
    }
    str_putc(s, ' ');
    match_put(s, &req.match, -1, ports);
    str_chomp(s, " ");
    str_putc(s, '\n');
    return 0;
}

static int put_monitors(struct str *s, const struct of_msg *msg, const struct port_names *ports)
{
    struct of_flow_monitor fm;
    size_t ofs = 0;
    int more;
    while ((more = of_flow_monitor_next(msg, &ofs, &fm)) > 0)
        of_flow_monitor_print(s, &fm, ports);
    str_putc(s, '\n');
    return -more;
}

static int put_updates(struct str *s, const struct of_msg *msg, const struct port_names *ports)
{
    struct of_flow_update u;
    size_t ofs = 0;
    int more;
    while ((more = of_flow_update_next(msg, &ofs, &u)) > 0) {
        str_putc(s, '\n');
        of_flow_update_print(s, &u, ports);
        of_flow_update_fini(&u);
    }
    str_putc(s, '\n');
    return -more;
}

static int put_aggregate(struct str *s, const struct of_msg *msg)
{
    struct of_aggregate agg;
    int err = of_aggregate_decode(msg, &agg);
    if (!err)
        str_putf(s, " packet_count=%llu byte_count=%llu flow_count=%u\n", ull(agg.packets),
                 ull(agg.bytes), agg.flows);
    return err;
}

static int put_desc(struct str *s, const struct of_msg *msg)
{
    struct of_desc d;
    int err = of_desc_decode(msg, &d);
    if (!err)
        str_putf(s,
                 "\nManufacturer: %s\nHardware: %s\nSoftware: %s\nSerial Num: %s\n"
                 "DP Description: %s\n",
                 d.mfr, d.hw, d.sw, d.serial, d.dp);
    return err;
}

/* ---- Ports ---- */

static void put_stat(struct str *s, const char *name, uint64_t value, bool more)
{
    if (value == OF_STAT_UNKNOWN)
        str_putf(s, "%s=?", name);
    else
        str_putf(s, "%s=%llu", name, ull(value));
    str_put(s, more ? ", " : "\n");
}

static int put_port_stats(struct str *s, const struct of_msg *msg, const struct port_names *ports,
                          int verbosity)
{
    struct of_port_stats ps;
    size_t ofs = 0, n = 0;
    int more;
    while ((more = of_port_stats_next(msg, &ofs, &ps)) > 0)
        n++;
    if (more < 0)
        return -more;
    str_putf(s, " %zu ports\n", n);
    ofs = 0;
    while (verbosity > 0 && (more = of_port_stats_next(msg, &ofs, &ps)) > 0) {
        struct str name = STR_INIT;
        port_put(&name, ps.number, ports);
        str_putf(s, "  port %2s: rx ", str_c(&name));
        str_fini(&name);
        put_stat(s, "pkts", ps.rx_packets, true);
        put_stat(s, "bytes", ps.rx_bytes, true);
        put_stat(s, "drop", ps.rx_dropped, true);
        put_stat(s, "errs", ps.rx_errors, true);
        put_stat(s, "frame", ps.rx_frame_err, true);
        put_stat(s, "over", ps.rx_over_err, true);
        put_stat(s, "crc", ps.rx_crc_err, false);
        str_put(s, "           tx ");
        put_stat(s, "pkts", ps.tx_packets, true);
        put_stat(s, "bytes", ps.tx_bytes, true);
        put_stat(s, "drop", ps.tx_dropped, true);
        put_stat(s, "errs", ps.tx_errors, true);
        put_stat(s, "coll", ps.collisions, false);
        if (ps.duration_sec != UINT32_MAX) {
            str_put(s, "           duration=");
            of_duration_put(s, ps.duration_sec, ps.duration_nsec);
            str_putc(s, '\n');
        }
    }
    return -more;
}

/* ---- Tables ---- */

/* Tables whose text is that of the one before are gathered: "table 1: ditto", "tables 2...253: ditto". */
struct ditto {
    struct str last;
    int first, final; /* of the run of same tables; -1: none */
};

static void flush_ditto(struct str *s, struct ditto *d)
{
    if (d->first < 0)
        return;
    if (d->first == d->final)
        str_putf(s, "  table %d: ditto\n", d->first);
    else
        str_putf(s, "  tables %d...%d: ditto\n", d->first, d->final);
    d->first = -1;
}

static void put_ditto(struct str *s, struct ditto *d, uint8_t id, struct str *text)
{
    if (d->last.n && d->last.n == text->n && !strcmp(str_c(&d->last), str_c(text))) {
        if (d->first < 0)
            d->first = id;
        d->final = id;
        return;
    }
    flush_ditto(s, d);
    str_putf(s, "  table %u:\n%s\n", id, str_c(text));
    str_clear(&d->last);
    str_put(&d->last, str_c(text));
}

static int put_tables(struct str *s, const struct of_msg *msg)
{
    struct of_table_stats ts;
    struct ditto d = {STR_INIT, -1, -1};
    struct str text = STR_INIT;
    size_t ofs = 0;
    uint32_t max_entries = 0;
    int more;
    str_putc(s, '\n');
    while ((more = of_table_stats_next(msg, &ofs, &ts)) > 0) {
        str_clear(&text);
        str_putf(&text, "    active=%u, lookup=%llu, matched=%llu\n", ts.active, ull(ts.lookups),
                 ull(ts.matches));
        if (msg->version == OF10_VERSION && ofs > 64 && ts.max_entries == max_entries)
            str_put(&text, "    (same features)\n");
        else if (msg->version == OF10_VERSION)
            str_putf(
                &text,
                "    max_entries=%u\n    matching:\n      exact match or wildcard: in_port "
                "eth_{src,dst,type} vlan_{vid,pcp} ip_{src,dst} nw_{proto,tos} tcp_{src,dst}\n",
                ts.max_entries);
        max_entries = ts.max_entries;
        put_ditto(s, &d, ts.id, &text);
    }
    flush_ditto(s, &d);
    str_fini(&text);
    str_fini(&d.last);
    return -more;
}

static int put_queues(struct str *s, const struct of_msg *msg, const struct port_names *ports)
{
    struct of_queue_stats qs;
    size_t ofs = 0, n = 0;
    int more;
    while ((more = of_queue_stats_next(msg, &ofs, &qs)) > 0)
        n++;
    str_putf(s, " %zu queues\n", n);
    ofs = 0;
    while (more == 0 && of_queue_stats_next(msg, &ofs, &qs) > 0) {
        const uint64_t counts[] = {qs.tx_bytes, qs.tx_packets, qs.tx_errors};
        static const char *const names[] = {"bytes", "pkts", "errors"};
        str_put(s, "  port ");
        port_put(s, qs.port, ports);
        str_putf(s, " queue %u: ", qs.queue);
        for (unsigned k = 0; k < 3; k++)
            str_putf(s, counts[k] == OF_STAT_UNKNOWN ? "%s=?, " : "%s=%llu, ", names[k],
                     ull(counts[k]));
        str_put(s, "duration=");
        if (qs.duration_sec == UINT32_MAX)
            str_putc(s, '?');
        else
            of_duration_put(s, qs.duration_sec, qs.duration_nsec);
        str_putc(s, '\n');
    }
    return -more;
}

static void put_rate(struct str *s, const char *name, uint16_t rate)
{
    if (rate <= 1000)
        str_putf(s, " %s:%u.%u%%", name, rate / 10u, rate % 10u);
    else if (rate != OF_QUEUE_RATE_UNKNOWN)
        str_putf(s, " %s:(disabled)", name);
}

/* QUEUE_GET_CONFIG and QUEUE_DESC. */
static int put_queue_config(struct str *s, const struct of_msg *msg, const struct port_names *ports)
{
    struct of_queue_config qc;
    size_t ofs = 0;
    int more;
    uint32_t port = PORT_ANY;
    while ((more = of_queue_config_next(msg, &ofs, &qc)) > 0) {
        if (qc.port != port) {
            str_put(s, " port=");
            port_put(s, qc.port, ports);
            str_putc(s, '\n');
            port = qc.port;
        }
        str_putf(s, "queue %u:", qc.queue);
        put_rate(s, "min_rate", qc.min_rate);
        put_rate(s, "max_rate", qc.max_rate);
        str_putc(s, '\n');
    }
    if (port == PORT_ANY)
        str_putc(s, '\n');
    return -more;
}

static int put_table_features(struct str *s, const struct of_msg *msg)
{
    struct of_table_features tf;
    size_t ofs = 0;
    int more;
    str_putc(s, '\n');
    while ((more = of_table_features_next(msg, &ofs, &tf)) > 0)
        str_putf(
            s, "  table %u%s%s%s:\n    metadata: match=0x%llx write=0x%llx\n    max_entries=%u\n\n",
            tf.id, tf.name[0] ? " (\"" : "", tf.name, tf.name[0] ? "\")" : "",
            ull(tf.metadata_match), ull(tf.metadata_write), tf.max_entries);
    return -more;
}

/* ---- Groups ---- */

static int put_group_desc(struct str *s, const struct of_msg *msg, const struct port_names *ports)
{
    struct of_group g;
    size_t ofs = 0;
    int more;
    str_putc(s, '\n');
    while ((more = of_group_desc_next(msg, &ofs, &g)) > 0) {
        str_putc(s, ' ');
        of_group_put(s, &g, msg->version, ports);
        str_putc(s, '\n');
        of_group_fini(&g);
    }
    return -more;
}

static int put_group_stats(struct str *s, const struct of_msg *msg)
{
    struct of_group_stats gs;
    size_t ofs = 0;
    int more;
    str_putc(s, '\n');
    while ((more = of_group_stats_next(msg, &ofs, &gs)) > 0) {
        str_putf(s, " group_id=%u,duration=", gs.id);
        of_duration_put(s, gs.duration_sec, gs.duration_nsec);
        str_putf(s, ",ref_count=%u,packet_count=%llu,byte_count=%llu", gs.ref_count,
                 ull(gs.packets), ull(gs.bytes));
        for (size_t i = 0; i < gs.n_buckets; i++)
            str_putf(s, ",bucket%zu:packet_count=%llu,byte_count=%llu", i,
                     ull(gs.buckets[i].packets), ull(gs.buckets[i].bytes));
        str_putc(s, '\n');
        of_group_stats_fini(&gs);
    }
    return -more;
}

static int put_group_features(struct str *s, const struct of_msg *msg)
{
    static const char *const types[] = {"all", "select", "indirect", "fast failover"};
    static const char *const actions[32] = {
        [0] = "output",      [15] = "set_mpls_ttl", [16] = "dec_mpls_ttl", [17] = "push_vlan",
        [18] = "strip_vlan", [19] = "push_mpls",    [20] = "pop_mpls",     [21] = "set_queue",
        [22] = "group",      [23] = "mod_nw_ttl",   [24] = "dec_ttl",      [25] = "set_field",
    };
    static const uint8_t order[] = {0, 22, 25, 18, 17, 23, 24, 15, 16, 19, 20, 21};
    /* Numbers of 1.0, as in FEATURES_REPLY. */
    static const char *const actions_10[] = {
        "output",     "set_vlan_vid", "set_vlan_pcp", "strip_vlan", "mod_dl_src", "mod_dl_dst",
        "mod_nw_src", "mod_nw_dst",   "mod_nw_tos",   "mod_tp_src", "mod_tp_dst", "enqueue"};
    static const uint8_t order_10[] = {0, 11, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    bool v10 = msg->version == OF10_VERSION;
    const uint8_t *ids = v10 ? order_10 : order;
    struct of_group_features gf;
    int err = of_group_features_decode(msg, &gf);
    if (err)
        return err;
    str_putf(s, "\n Group table:\n    Types:  0x%x\n    Capabilities:  0x%x\n", gf.types,
             gf.capabilities);
    for (unsigned i = 0; i < 4; i++) {
        if (!(gf.types >> i & 1))
            continue;
        str_putf(s, "    %s group:\n       max_groups=%#x\n       actions:", types[i],
                 gf.max_groups[i]);
        for (size_t k = 0; k < sizeof order; k++)
            if (gf.actions[i] >> ids[k] & 1)
                str_putf(s, " %s", v10 ? actions_10[ids[k]] : actions[ids[k]]);
        str_putc(s, '\n');
    }
    return 0;
}

/* ---- Meters ---- */

static int put_meter_config(struct str *s, const struct of_msg *msg)
{
    struct of_meter m;
    size_t ofs = 0;
    int more;
    while ((more = of_meter_config_next(msg, &ofs, &m)) > 0) {
        str_putc(s, '\n');
        of_meter_put(s, &m);
        of_meter_fini(&m);
    }
    return -more;
}

static int put_meter_stats(struct str *s, const struct of_msg *msg)
{
    struct of_meter_stats ms;
    size_t ofs = 0;
    int more;
    while ((more = of_meter_stats_next(msg, &ofs, &ms)) > 0) {
        str_put(s, "\nmeter:");
        of_meter_put_id(s, ms.id);
        str_putf(s,
                 " flow_count:%u packet_in_count:%llu byte_in_count:%llu duration:", ms.flow_count,
                 ull(ms.packets), ull(ms.bytes));
        of_duration_put(s, ms.duration_sec, ms.duration_nsec);
        str_put(s, " bands:\n");
        for (size_t i = 0; i < ms.n_bands; i++)
            str_putf(s, "%zu: packet_count:%llu byte_count:%llu\n", i, ull(ms.bands[i].packets),
                     ull(ms.bands[i].bytes));
        of_meter_stats_fini(&ms);
    }
    return -more;
}

static int put_meter_features(struct str *s, const struct of_msg *msg)
{
    static const char *const bands[] = {NULL, "drop", "dscp_remark"};
    static const char *const caps[] = {"kbps", "pktps", "burst", "stats"};
    struct of_meter_features mf;
    int err = of_meter_features_decode(msg, &mf);
    if (err)
        return err;
    str_putf(s, "\nmax_meter:%u max_bands:%u max_color:%u\nband_types: ", mf.max_meters,
             mf.max_bands, mf.max_color);
    print_bits(s, mf.band_types, bands, ARRAY_SIZE(bands), ' ');
    str_put(s, "\ncapabilities: ");
    print_bits(s, mf.capabilities, caps, ARRAY_SIZE(caps), ' ');
    str_putc(s, '\n');
    return 0;
}

static void put_tlv_maps(struct str *s, const struct of_tlv_map *maps, size_t n)
{
    str_put(s, "  class  type  length  match field\n ------  ----  ------  --------------\n");
    for (size_t i = 0; i < n; i++)
        str_putf(s, " %#6x  %#4x  %6u  tun_metadata%u\n", maps[i].opt_class, maps[i].type,
                 maps[i].len, maps[i].index);
}

static int put_tlv_reply(struct str *s, const struct of_msg *msg)
{
    struct of_tlv_reply r;
    int err = of_tlv_reply_decode(msg, &r);
    if (err)
        return err;
    unsigned space = 0;
    for (size_t i = 0; i < r.n; i++)
        space += r.maps[i].len;
    str_putf(
        s, "\n max option space=%u max fields=%u\n allocated option space=%u\n\n mapping table:\n",
        r.max_option_space, r.max_fields, space);
    put_tlv_maps(s, r.maps, r.n);
    of_tlv_reply_fini(&r);
    return 0;
}

static int put_tlv_mod(struct str *s, const struct of_msg *msg)
{
    static const char *const commands[] = {"ADD", "DEL", "CLEAR"};
    struct of_tlv_mod m;
    int err = of_tlv_mod_decode(msg, &m);
    if (err)
        return err;
    str_putf(s, "\n %s", commands[m.command]);
    if (m.command != OF_TLV_CLEAR) {
        str_put(s, " mapping table:\n");
        put_tlv_maps(s, m.maps, m.n);
    } else {
        str_putc(s, '\n');
    }
    of_tlv_mod_fini(&m);
    return 0;
}

int print_stats(struct str *s, const struct of_msg *msg, const struct port_names *ports,
                const struct table_names *tables, int verbosity)
{
    switch (msg->type) {
    case OF_DESC_REPLY:
        return put_desc(s, msg);
    case OF_FLOW_STATS_REQUEST:
    case OF_AGGREGATE_REQUEST:
        return put_flow_request(s, msg, ports);
    case OF_FLOW_STATS_REPLY:
        return put_flows(s, msg, ports, tables);
    case OF_FLOW_MONITOR_REQUEST:
        return put_monitors(s, msg, ports);
    case OF_FLOW_MONITOR_REPLY:
        return put_updates(s, msg, ports);
    case OF_AGGREGATE_REPLY:
        return put_aggregate(s, msg);
    case OF_TABLE_STATS_REPLY:
        return put_tables(s, msg);
    case OF_TABLE_FEATURES_REPLY:
        return put_table_features(s, msg);
    case OF_PORT_STATS_REPLY:
        return put_port_stats(s, msg, ports, verbosity);
    case OF_QUEUE_STATS_REPLY:
        return put_queues(s, msg, ports);
    case OF_QUEUE_GET_CONFIG_REPLY:
    case OF_QUEUE_DESC_REPLY:
        return put_queue_config(s, msg, ports);
    case OF_GROUP_DESC_REPLY:
        return put_group_desc(s, msg, ports);
    case OF_GROUP_STATS_REPLY:
        return put_group_stats(s, msg);
    case OF_GROUP_FEATURES_REPLY:
        return put_group_features(s, msg);
    case OF_METER_CONFIG_REPLY:
        return put_meter_config(s, msg);
    case OF_METER_STATS_REPLY:
        return put_meter_stats(s, msg);
    case OF_METER_FEATURES_REPLY:
        return put_meter_features(s, msg);
    case OF_IPFIX_BRIDGE_REPLY:
    case OF_IPFIX_FLOW_REPLY:
        return of_ipfix_print(s, msg);
    case OF_NX_TLV_TABLE_MOD:
        return put_tlv_mod(s, msg);
    case OF_NX_TLV_TABLE_REPLY:
        return put_tlv_reply(s, msg);
    default: {
        size_t at = s->n;
        int err = print_state(s, msg);
        return err || s->n > at ? err : print_request(s, msg, verbosity, ports, tables);
    }
    }
}
