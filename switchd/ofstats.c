/* ofstats.c - multipart requests: what a bridge says of itself when it is asked; of its flows: ofdump.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "switchd/ofconn.h"
#include "switchd/use_count.h"

static void put_desc(const struct bridge *br, struct of_reply *reply)
{
    struct of_desc desc = {.mfr = "Weft", .hw = "Weft", .sw = WEFT_VERSION, .serial = "None"};
    (void)br;
    strcpy(desc.dp, "None");
    of_desc_put(reply, &desc);
}

void ofstats_age(int64_t now_ms, int64_t since_ms, uint32_t *sec, uint32_t *nsec)
{
    int64_t ms = MAX(now_ms - since_ms, 0);
    *sec = (uint32_t)(ms / 1000);
    *nsec = (uint32_t)(ms % 1000 * 1000000);
}

static int port_desc(struct bridge *br, const struct of_msg *msg, struct of_reply *reply)
{
    uint32_t number;
    int err = of_port_desc_request_decode(msg, &number);
    if (err)
        return err;
    vport_vec ports = VEC_INIT;
    bridge_ports_sorted(br, &ports);
    for (size_t i = 0; i < ports.n; i++) {
        if (number != PORT_ANY && number != ports.data[i]->ofport)
            continue;
        struct of_port desc;
        vport_describe(ports.data[i], &desc);
        of_port_desc_put(reply, &desc);
    }
    vec_fini(&ports);
    return 0;
}

static void put_port_stats(const struct vport *port, int64_t now_ms, struct of_reply *reply)
{
    struct port_stats s = vport_stats(port);
    struct of_port_stats ps = {.number = port->ofport,
                               .rx_packets = s.rx_packets,
                               .tx_packets = s.tx_packets,
                               .rx_bytes = s.rx_bytes,
                               .tx_bytes = s.tx_bytes,
                               .rx_dropped = s.rx_dropped,
                               .tx_dropped = s.tx_dropped,
                               .rx_errors = s.rx_errors,
                               .tx_errors = s.tx_errors,
                               .rx_frame_err = OF_STAT_UNKNOWN,
                               .rx_over_err = OF_STAT_UNKNOWN,
                               .rx_crc_err = OF_STAT_UNKNOWN,
                               .collisions = OF_STAT_UNKNOWN};
    ofstats_age(now_ms, port->created_ms, &ps.duration_sec, &ps.duration_nsec);
    of_port_stats_put(reply, &ps);
}

static int port_stats(struct bridge *br, const struct of_msg *msg, struct of_reply *reply)
{
    uint32_t number;
    int err = of_port_stats_request_decode(msg, &number);
    if (err)
        return err;
    vswitch_push_stats(br->vs);
    vport_vec ports = VEC_INIT;
    bridge_ports_sorted(br, &ports);
    for (size_t i = 0; i < ports.n; i++) {
        if (number == PORT_ANY || number == ports.data[i]->ofport)
            put_port_stats(ports.data[i], env_now_ms(br->vs->env), reply);
    }
    vec_fini(&ports);
    return 0;
}

static void put_group_stats(const struct group *g, const use_ids *uses, int64_t now_ms,
                            struct of_reply *reply)
{
    struct of_group_stats gs = {.id = g->of.id,
                                .ref_count = use_count(uses, g->of.id),
                                .packets = g->n_packets,
                                .bytes = g->n_bytes,
                                .n_buckets = g->of.n_buckets};
    gs.buckets = xcalloc(g->of.n_buckets + 1, sizeof *gs.buckets);
    for (size_t i = 0; g->bucket_counts && i < g->of.n_buckets; i++) {
        gs.buckets[i].packets = g->bucket_counts[i].packets;
        gs.buckets[i].bytes = g->bucket_counts[i].bytes;
    }
    ofstats_age(now_ms, g->created_ms, &gs.duration_sec, &gs.duration_nsec);
    of_group_stats_put(reply, &gs);
    of_group_stats_fini(&gs);
}

static int compare_group(const void *a_, const void *b_)
{
    const struct group *const *a = a_, *const *b = b_;
    return (*a)->of.id < (*b)->of.id ? -1 : (*a)->of.id > (*b)->of.id;
}

static int groups(struct bridge *br, const struct of_msg *msg, struct of_reply *reply)
{
    uint32_t id;
    int err = of_group_request_decode(msg, &id);
    if (err)
        return err;
    vswitch_push_stats(br->vs);
    VEC(struct group *) sorted = VEC_INIT;
    struct group *g;
    HMAP_FOR_EACH (g, node, &br->groups) {
        if (!g->is_new && (id == OF_GROUP_ALL || id == g->of.id))
            vec_push(&sorted, g);
    }
    if (sorted.n)
        qsort(sorted.data, sorted.n, sizeof sorted.data[0], compare_group);
    use_ids uses = VEC_INIT;
    if (sorted.n && msg->type == OF_GROUP_STATS_REQUEST)
        use_ids_gather(&br->tables, OF_GROUP, &uses);
    for (size_t i = 0; i < sorted.n; i++) {
        if (msg->type == OF_GROUP_DESC_REQUEST)
            of_group_desc_put(reply, &sorted.data[i]->of);
        else
            put_group_stats(sorted.data[i], &uses, env_now_ms(br->vs->env), reply);
    }
    vec_fini(&uses);
    vec_fini(&sorted);
    return 0;
}

static void put_meter_stats(const struct meter *m, const use_ids *uses, int64_t now_ms,
                            struct of_reply *reply)
{
    struct of_meter_stats ms = {.id = m->of.id,
                                .flow_count = use_count(uses, m->of.id),
                                .packets = m->n_packets,
                                .bytes = m->n_bytes,
                                .n_bands = m->of.n_bands};
    ms.bands = xcalloc(ms.n_bands, sizeof *ms.bands);
    for (size_t i = 0; i < ms.n_bands; i++) {
        ms.bands[i].packets = m->bands[i].packets;
        ms.bands[i].bytes = m->bands[i].bytes;
    }
    ofstats_age(now_ms, m->created_ms, &ms.duration_sec, &ms.duration_nsec);
    of_meter_stats_put(reply, &ms);
    of_meter_stats_fini(&ms);
}

static int compare_meter(const void *a_, const void *b_)
{
    const struct meter *const *a = a_, *const *b = b_;
    return (*a)->of.id < (*b)->of.id ? -1 : (*a)->of.id > (*b)->of.id;
}

static int meters(struct bridge *br, const struct of_msg *msg, struct of_reply *reply)
{
    uint32_t id;
    int err = of_meter_request_decode(msg, &id);
    if (err)
        return err;
    VEC(struct meter *) sorted = VEC_INIT;
    struct meter *m;
    HMAP_FOR_EACH (m, node, &br->meters) {
        if (id == OF_METER_ALL || id == m->of.id)
            vec_push(&sorted, m);
    }
    if (!sorted.n)
        return id == OF_METER_ALL ? 0 : OF_ERR_METER_MOD_UNKNOWN_METER;
    qsort(sorted.data, sorted.n, sizeof sorted.data[0], compare_meter);
    use_ids uses = VEC_INIT;
    if (msg->type == OF_METER_STATS_REQUEST)
        use_ids_gather(&br->tables, OF_METER, &uses);
    for (size_t i = 0; i < sorted.n; i++) {
        if (msg->type == OF_METER_CONFIG_REQUEST)
            of_meter_config_put(reply, &sorted.data[i]->of);
        else
            put_meter_stats(sorted.data[i], &uses, env_now_ms(br->vs->env), reply);
    }
    vec_fini(&uses);
    vec_fini(&sorted);
    return 0;
}

static void group_features(struct of_reply *reply)
{
    struct of_group_features gf = {.types = 0xf, .capabilities = 0x7};
    for (unsigned i = 0; i < 4; i++) {
        gf.max_groups[i] = 0xffffff00;
        gf.actions[i] = reply->version == OF10_VERSION ? 0xfff : 0x03ff8001;
    }
    of_group_features_put(reply, &gf);
}

static void meter_features(struct of_reply *reply)
{
    struct of_meter_features mf = {.max_meters = 262144,
                                   .band_types = 1u << OF_BAND_DROP,
                                   .capabilities = OF_METER_KBPS | OF_METER_PKTPS | OF_METER_BURST |
                                                   OF_METER_STATS,
                                   .max_bands = METER_BANDS_MAX};
    of_meter_features_put(reply, &mf);
}

static int fill(struct ofconn *oc, const struct of_msg *msg, struct of_reply *reply)
{
    struct bridge *br = oc->of->br;
    switch (msg->type) {
    case OF_DESC_REQUEST:
        put_desc(br, reply);
        return 0;
    case OF_TABLE_STATS_REQUEST:
    case OF_TABLE_FEATURES_REQUEST:
    case OF_TABLE_DESC_REQUEST:
        return oftable_stats(oc, msg, reply);
    case OF_PORT_DESC_REQUEST:
        return port_desc(br, msg, reply);
    case OF_PORT_STATS_REQUEST:
        return port_stats(br, msg, reply);
    case OF_FLOW_MONITOR_REQUEST:
        return ofmonitor_request(oc, msg, reply);
    case OF_QUEUE_STATS_REQUEST:
        return ofqueue_stats(br, msg, reply);
    case OF_QUEUE_DESC_REQUEST:
        return ofqueue_desc(br, msg, reply);
    case OF_GROUP_DESC_REQUEST:
    case OF_GROUP_STATS_REQUEST:
        return groups(br, msg, reply);
    case OF_GROUP_FEATURES_REQUEST:
        group_features(reply);
        return 0;
    case OF_METER_CONFIG_REQUEST:
    case OF_METER_STATS_REQUEST:
        return meters(br, msg, reply);
    case OF_IPFIX_FLOW_REQUEST:
        return exports_stats(&br->exports, reply);
    case OF_IPFIX_BRIDGE_REQUEST: /* only packets that sample actions choose are told of */
        return OF_ERR_NX_NOT_CONFIGURED;
    case OF_METER_FEATURES_REQUEST:
        meter_features(reply);
        return 0;
    default:
        return msg->type >= OF_DESC_REQUEST && msg->type <= OF_QUEUE_DESC_REPLY ? OF_ERR_BAD_STAT
                                                                                : OF_ERR_BAD_TYPE;
    }
}

int ofstats_handle(struct ofconn *oc, const struct of_msg *msg, struct of_buf *out)
{
    /* Requests and replies take turns in the enumeration; a reply has no answer. */
    if (msg->type < OF_DESC_REQUEST || msg->type > OF_QUEUE_DESC_REPLY ||
        (msg->type - OF_DESC_REQUEST) % 2)
        return OF_ERR_BAD_TYPE;
    if (msg->type == OF_FLOW_STATS_REQUEST || msg->type == OF_FLOW_DESC_REQUEST ||
        msg->type == OF_AGGREGATE_REQUEST)
        return ofdump_begin(oc, msg, out);
    size_t before = out->n;
    struct of_reply reply;
    of_reply_begin(&reply, msg, out);
    int err = fill(oc, msg, &reply);
    if (err || (msg->type == OF_TABLE_FEATURES_REQUEST && msg->flags & OF_MULTIPART_MORE)) {
        out->n = before;
        return err;
    }
    of_reply_end(&reply);
    return 0;
}
