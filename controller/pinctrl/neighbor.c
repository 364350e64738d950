/* neighbor.c - the life of a learned neighbour: in use it is kept, unused it is forgotten.
 *
 * Rooms 11 and 12 of docs/architecture.md. Where a datapath has external_ids:mac_binding_age_threshold (seconds, or
 * "NETWORK:seconds;...;seconds" as OVN has it) its rows of MAC_Binding are looked after by every hypervisor that has it. The
 * switch's counters say what happened: flows of table 66 carry packets to a neighbour, those of 67 and 79 see it speak with the
 * MAC that is known. Who spoke is young again, for all hypervisors, by MAC_Binding.timestamp. Who is only spoken to is asked, by
 * unicast, when three quarters of its time are over (RFC 4861 7.3.3), and the answer counts as speaking. Past the threshold the
 * row goes. Where no threshold is known nothing is done.
 */
#include <stdlib.h>

#include "base/log.h"
#include "controller/pinctrl/frame.h"
#include "controller/pinctrl/pinctrl.h"
#include "lflow/lflow.h"
#include "net/prefix_list.h"
#include "openflow/flow_mod.h"

LOG_MODULE(neighbor);

enum { TICK_MIN_MS = 1000, TICK_MAX_MS = 30000, TICKS = 8 /* of a threshold */, COUNT_MS = 300 };

struct neighbor {      /* a row that ages */
    struct hnode node; /* by cookie */
    struct uuid row;
    struct counter {
        uint64_t packets;         /* as last read */
        bool is_known, has_moved; /* since the last tick */
    } used, heard, cached;        /* of tables 66, 67 and 79 */
    bool is_seen;                 /* in this tick */
    int64_t since_ms;             /* wall time at which we met it */
};

static uint64_t cookie_hash(uint32_t cookie)
{
    return cookie * UINT64_C(0x9e3779b97f4a7c15);
}

static struct neighbor *neighbor_get(struct pinctrl *p, const struct uuid *row, int64_t wall_ms)
{
    uint64_t hash = cookie_hash(uuid_prefix32(row));
    struct neighbor *n;
    HMAP_FOR_EACH_WITH_HASH (n, node, hash, &p->neighbors)
        if (uuid_equal(&n->row, row))
            return n;
    n = NEW(struct neighbor);
    n->row = *row;
    n->since_ms = wall_ms;
    hmap_insert(&p->neighbors, &n->node, hash);
    return n;
}

static void neighbor_free(struct pinctrl *p, struct neighbor *n)
{
    hmap_remove(&p->neighbors, &n->node);
    free(n);
}

void neighbor_clear(struct pinctrl *p)
{
    struct neighbor *n;
    HMAP_FOR_EACH_SAFE (n, node, &p->neighbors)
        neighbor_free(p, n);
    vec_clear(&p->neighbor_ops);
    timer_stop(&p->neighbor_timer);
    p->is_counting = false;
}

/* ---- Thresholds ---- */

uint32_t neighbor_threshold(const struct pinctrl *p, const struct sb_mac_binding *row,
                            const struct ip_addr *ip)
{
    const struct sb_index *sb = p->options.sb;
    const struct uuid *at = sb_mac_binding_datapath(row);
    const struct sb_datapath_binding *datapath =
        at && sb_index_is_local(sb, at) ? sb_index_datapath_uuid(sb, at) : NULL;
    return datapath ? prefix_list_find(sb_datapath_binding_external_ids_value(
                                           datapath, "mac_binding_age_threshold"),
                                       ip)
                    : 0;
}

/* ---- Asking ---- */

/* The router port's own MAC, and its address on the network of IP. */
static bool own_address(const struct sb_port_binding *port, const struct ip_addr *ip,
                        struct mac *mac, struct ip_addr *ret)
{
    const struct datum *d = sb_port_binding_mac(port);
    struct str all = STR_INIT;
    bool is_found = false, has_mac = false;
    for (uint32_t i = 0; i < d->n; i++)
        str_putf(&all, "%s ", d->atoms[i].string->s);
    char *copy = str_steal(&all), *rest = copy, *word;
    while ((word = strsep(&rest, " ")) != NULL && !is_found) {
        struct ip_prefix prefix;
        if (!mac_parse(word, mac)) {
            has_mac = true;
        } else if (!ip_prefix_parse(word, &prefix) && ip_prefix_contains(&prefix, ip)) {
            *ret = prefix.addr;
            is_found = true;
        }
    }
    free(copy);
    if (has_mac && !is_found && ip->version == 6 && ip6_is_link_local(ip->v6)) {
        *ret = ip_addr_from_v6(ip6_link_local(*mac));
        is_found = true;
    }
    return has_mac && is_found;
}

static void make_probe(struct of_buf *out, struct mac to, struct mac from,
                       const struct ip_addr *src, const struct ip_addr *ip)
{
    if (ip->version == 4) {
        struct arp_header arp = {.hrd = swap16(1),
                                 .pro = swap16(ETH_TYPE_IP),
                                 .hln = 6,
                                 .pln = 4,
                                 .op = swap16(ARP_OP_REQUEST),
                                 .sha = from,
                                 .spa = src->v4,
                                 .tpa = ip->v4};
        frame_put_plain_eth(out, to, from, ETH_TYPE_ARP);
        of_buf_put(out, &arp, sizeof arp);
        return;
    }
    struct nd_header nd = {.type = ICMP6_NEIGHBOR_SOLICIT, .target = ip->v6};
    struct nd_option_lla sll = {ND_OPT_SLL, 1, from};
    frame_put_plain_eth(out, to, from, ETH_TYPE_IPV6);
    size_t l3 = frame_put_ip6(out, &src->v6, &ip->v6, IP_PROTO_ICMPV6, 255);
    of_buf_put(out, &nd, sizeof nd);
    of_buf_put(out, &sll, sizeof sll);
    frame_end(out, l3);
}

static void probe(struct pinctrl *p, const struct sb_mac_binding *row, const struct ip_addr *ip)
{
    const char *name = sb_mac_binding_logical_port(row);
    const struct sb_port_binding *port = sb_index_port_named(p->options.sb, name);
    const struct sb_port_binding *source =
        port ? inject_source(p, name, sb_port_binding_options_value(port, "peer")) : NULL;
    struct mac to, from;
    struct ip_addr src;
    struct of_buf out = OF_BUF_INIT;
    if (!source || mac_parse(sb_mac_binding_mac(row), &to) || !own_address(port, ip, &from, &src))
        return;
    make_probe(&out, to, from, &src, ip);
    p->stats.neighbors_probed += inject(p, source, false, &out);
    of_buf_fini(&out);
}

/* ---- Each tick ---- */

struct tick {
    struct pinctrl *pinctrl;
    bool is_dry;              /* only to see which rows age */
    int64_t wall_ms, next_ms; /* when, and how soon again */
};

static void note(struct pinctrl *p, const struct uuid *row, bool is_gone)
{
    struct neighbor_op op = {*row, is_gone};
    vec_push(&p->neighbor_ops, op);
}

static void look_at(const struct sb_mac_binding *row, void *tick_)
{
    struct tick *t = tick_;
    struct pinctrl *p = t->pinctrl;
    struct ip_addr ip;
    if (ip_addr_parse(sb_mac_binding_ip(row), &ip))
        return;
    int64_t threshold = (int64_t)neighbor_threshold(p, row, &ip) * 1000;
    if (!threshold)
        return;
    struct neighbor *n = neighbor_get(p, sb_mac_binding_uuid(row), t->wall_ms);
    int64_t stamp = sb_mac_binding_timestamp(row);
    int64_t age = t->wall_ms - (stamp ? stamp : n->since_ms);
    int64_t tick = MIN(MAX(threshold / TICKS, (int64_t)TICK_MIN_MS), (int64_t)TICK_MAX_MS);
    t->next_ms = MIN(t->next_ms, tick);
    bool is_confirmed = n->heard.has_moved || n->cached.has_moved;
    n->is_seen = true;
    if (t->is_dry)
        return;
    if (is_confirmed && age > threshold / 4)
        note(p, &n->row, false);
    else if (age > threshold + tick && !is_confirmed)
        note(p, &n->row, true);
    else if (n->used.has_moved && age > threshold / 4 * 3)
        probe(p, row, &ip);
    n->used.has_moved = n->heard.has_moved = n->cached.has_moved = false;
}

static void ask_counters(struct pinctrl *p)
{
    static const uint8_t tables[] = {OFTABLE_MAC_BINDING, OFTABLE_MAC_LOOKUP,
                                     OFTABLE_MAC_CACHE_USE};
    struct of_buf buf = OF_BUF_INIT;
    for (size_t i = 0; i < sizeof tables; i++) {
        struct of_flow_stats_request request;
        of_flow_stats_request_init(&request);
        request.table_id = tables[i];
        of_flow_stats_request_encode(&request, OF15_VERSION, false, of_conn_next_xid(p->conn),
                                     &buf);
    }
    of_conn_send_buf(p->conn, &buf);
    of_buf_fini(&buf);
}

/* Looks at every row; how soon that is to be done again, INT64_MAX: nothing ages. */
static int64_t look_at_all(struct pinctrl *p, bool is_dry)
{
    struct tick t = {p, is_dry, env_wall_ms(loop_env(p->options.loop)), INT64_MAX};
    struct neighbor *n;
    HMAP_FOR_EACH (n, node, &p->neighbors)
        n->is_seen = false;
    sb_index_for_each_neighbor(p->options.sb, look_at, &t);
    HMAP_FOR_EACH_SAFE (n, node, &p->neighbors)
        if (!n->is_seen)
            neighbor_free(p, n);
    if (p->neighbor_ops.n)
        p->options.wake(p->options.aux);
    return t.next_ms;
}

/* Asks for the counters, gives the switch some time, and looks. Who has no switch knows nothing of his neighbours. */
void neighbor_tick(void *p_)
{
    struct pinctrl *p = p_;
    bool is_counted = p->is_counting;
    p->is_counting = false;
    int64_t next_ms = look_at_all(p, !p->conn || !is_counted);
    if (next_ms == INT64_MAX)
        return; /* nothing ages: neighbor_start wakes us */
    if (!p->conn) {
        timer_start_ms(&p->neighbor_timer, TICK_MIN_MS);
    } else if (is_counted) {
        timer_start_ms(&p->neighbor_timer, next_ms - COUNT_MS);
    } else {
        p->is_counting = true;
        ask_counters(p);
        timer_start_ms(&p->neighbor_timer, COUNT_MS);
    }
}

void neighbor_start(struct pinctrl *p)
{
    if (!timer_is_running(&p->neighbor_timer))
        timer_start_ms(&p->neighbor_timer, TICK_MIN_MS);
}

static void count(struct counter *c, uint64_t packets)
{
    if (packets == UINT64_MAX)
        return;
    c->has_moved |= c->is_known ? packets != c->packets : packets > 0;
    c->packets = packets;
    c->is_known = true;
}

void neighbor_counters(struct pinctrl *p, const struct of_msg *msg)
{
    struct of_flow_stats fs;
    size_t ofs = 0;
    int more;
    while ((more = of_flow_stats_next(msg, &ofs, &fs)) > 0) {
        struct neighbor *n;
        HMAP_FOR_EACH_WITH_HASH (n, node, cookie_hash((uint32_t)fs.cookie), &p->neighbors)
            count(fs.table_id == OFTABLE_MAC_BINDING  ? &n->used
                  : fs.table_id == OFTABLE_MAC_LOOKUP ? &n->heard
                                                      : &n->cached,
                  fs.packets);
        of_flow_stats_fini(&fs);
    }
    if (more < 0)
        p->stats.malformed++;
}

/* ---- What becomes of it in SB ---- */

void neighbor_write(struct pinctrl *p, struct writer *w)
{
    const struct schema_table *table = replica_table(w->replica, "MAC_Binding");
    int64_t wall_ms = env_wall_ms(loop_env(p->options.loop));
    const struct neighbor_op *op;
    VEC_FOR_EACH (op, &p->neighbor_ops) {
        const struct row *row = replica_row_find(w->replica, table, &op->row);
        if (!row)
            continue;
        const struct sb_mac_binding *r = sb_mac_binding_cast(row);
        if (op->is_gone) {
            log_dbg("%s of port %s is forgotten", sb_mac_binding_ip(r),
                    sb_mac_binding_logical_port(r));
            writer_delete(w, row);
            p->stats.neighbors_aged++;
        } else {
            writer_integer(w, "MAC_Binding", &op->row, "timestamp", wall_ms);
            p->stats.neighbors_refreshed++;
        }
    }
    vec_clear(&p->neighbor_ops);
}
