/* ra.c - periodic router advertisements (RFC 4861 6.2.4), for router ports whose Port_Binding has options:ipv6_ra_send_periodic.
 *
 * Room 11 of docs/architecture.md. Every hypervisor where the switch behind the port is local advertises to the machines it has
 * itself; of a distributed gateway port only the one that has the gateway does. The message is the one of put_nd_ra_opts, made by
 * the same encoder from options:ipv6_ra_*. The first ones follow each other faster.
 */
#include <stdlib.h>

#include "base/log.h"
#include "controller/pinctrl/frame.h"
#include "controller/pinctrl/pinctrl.h"

LOG_MODULE(ra);

enum {
    INITIAL = 3, /* RFC 4861 10: MAX_INITIAL_RTR_ADVERTISEMENTS, and their longest interval */
    INITIAL_INTERVAL_S = 16,
    MAX_INTERVAL_S = 600, /* RFC 4861 6.2.1 */
    RA_AT = 16,           /* in the userdata: behind opcode and result */
};

struct ra {
    struct hnode node;
    struct uuid port;
    char *name, *peer;
    struct of_buf packet;
    unsigned min_s, max_s, sent;
    int64_t next_ms; /* INT64_MAX: not before something changes */
};

static void ra_free(struct pinctrl *p, struct ra *ra)
{
    hmap_remove(&p->ras, &ra->node);
    of_buf_fini(&ra->packet);
    free(ra->name);
    free(ra->peer);
    free(ra);
}

void ra_clear(struct pinctrl *p)
{
    struct ra *ra;
    HMAP_FOR_EACH_SAFE (ra, node, &p->ras)
        ra_free(p, ra);
    timer_stop(&p->ra_timer);
}

static void schedule(struct pinctrl *p)
{
    int64_t next = INT64_MAX;
    struct ra *ra;
    HMAP_FOR_EACH (ra, node, &p->ras)
        next = MIN(next, ra->next_ms);
    if (next == INT64_MAX)
        timer_stop(&p->ra_timer);
    else
        timer_set_us(&p->ra_timer, next * 1000);
}

/* ---- The message ---- */

static const char *option(const struct sb_port_binding *port, const char *name)
{
    const char *value = sb_port_binding_options_value(port, name);
    return value && *value ? value : NULL;
}

static void put_text_option(struct str *s, const char *name, const char *value)
{
    if (value)
        str_putf(s, ", %s = \"%s\"", name, value);
}

/* As the logical flow that answers solicitations has it. */
static void put_action(struct str *s, const struct sb_port_binding *port)
{
    const char *mtu = option(port, "ipv6_ra_mtu"), *prefixes = option(port, "ipv6_ra_prefixes");
    const char *rdnss = option(port, "ipv6_ra_rdnss"), *eth = option(port, "ipv6_ra_src_eth");
    const char *mode = option(port, "ipv6_ra_address_mode");
    str_putf(s, "reg0[0] = put_nd_ra_opts(addr_mode = \"%s\", slla = %s", mode ? mode : "",
             eth ? eth : "");
    if (mtu)
        str_putf(s, ", mtu = %s", mtu);
    put_text_option(s, "router_preference", option(port, "ipv6_ra_prf"));
    if (rdnss)
        str_putf(s, ", rdnss = %s", rdnss);
    put_text_option(s, "dnssl", option(port, "ipv6_ra_dnssl"));
    put_text_option(s, "route_info", option(port, "ipv6_ra_route_info"));
    while (prefixes && *prefixes) {
        prefixes += strspn(prefixes, " ,");
        size_t n = strcspn(prefixes, " ,");
        if (n)
            str_putf(s, ", prefix = %.*s", (int)n, prefixes);
        prefixes += n;
    }
    str_put(s, ");");
}

/* The advertisement itself; false: the options make none. */
static bool encode(struct pinctrl *p, const char *text, struct of_buf *out, struct diag *diag)
{
    const struct action_context context = {.pipeline = PIPELINE_INGRESS};
    const struct encode_params params = {.profile = &encode_modern, .meter = OF_METER_NONE};
    struct actions *parsed;
    if (actions_parse(p->options.actions, text, &context, &parsed, NULL, diag))
        return false;
    struct of_actions actions = OF_ACTIONS_INIT;
    encode_actions(parsed, &params, &actions);
    const struct of_controller *c = (const void *)actions.data;
    bool is_there = actions.n >= sizeof *c && c->type == OF_CONTROLLER && c->userdata_len > RA_AT;
    if (is_there)
        of_buf_put(out, c->userdata + RA_AT, c->userdata_len - RA_AT);
    of_actions_fini(&actions);
    actions_unref(parsed);
    return is_there;
}

static bool make_packet(struct pinctrl *p, const struct sb_port_binding *port, struct of_buf *out,
                        struct diag *diag)
{
    struct mac src;
    struct ip6 ip;
    struct str text = STR_INIT;
    const char *eth = option(port, "ipv6_ra_src_eth"), *addr = option(port, "ipv6_ra_src_addr");
    if (!eth || mac_parse(eth, &src) || !addr || ip6_parse(addr, &ip)) {
        (void)diag_set(diag, -1, "ipv6_ra_src_eth or ipv6_ra_src_addr is missing or no address");
        return false;
    }
    put_action(&text, port);
    frame_put_plain_eth(out, ip6_multicast_mac(frame_all_nodes), src, ETH_TYPE_IPV6);
    size_t l3 = frame_put_ip6(out, &ip, &frame_all_nodes, IP_PROTO_ICMPV6, 255);
    bool is_made = encode(p, str_c(&text), out, diag);
    if (is_made)
        frame_end(out, l3);
    str_fini(&text);
    return is_made;
}

/* ---- Rows ---- */

static unsigned interval(const struct sb_port_binding *port, const char *name, unsigned deflt)
{
    const char *text = sb_port_binding_options_value(port, name);
    int64_t x;
    return text && !text_to_i64(text, 10, &x) && x > 0 && x <= MAX_INTERVAL_S ? (unsigned)x : deflt;
}

static struct ra *ra_find(struct pinctrl *p, const struct uuid *port)
{
    struct ra *ra;
    HMAP_FOR_EACH_WITH_HASH (ra, node, uuid_hash(port), &p->ras)
        if (uuid_equal(&ra->port, port))
            return ra;
    return NULL;
}

static void ra_add(struct pinctrl *p, const struct sb_port_binding *port)
{
    static struct log_rate rate = LOG_RATE(5, 5);
    struct diag diag = DIAG_INIT;
    struct of_buf packet = OF_BUF_INIT;
    const char *peer = option(port, "peer");
    if (make_packet(p, port, &packet, &diag) && peer) {
        struct ra *ra = NEW(struct ra);
        ra->port = *sb_port_binding_uuid(port);
        ra->name = xstrdup(sb_port_binding_logical_port(port));
        ra->peer = xstrdup(peer);
        ra->packet = packet;
        ra->max_s = interval(port, "ipv6_ra_max_interval", MAX_INTERVAL_S);
        ra->min_s = MIN(interval(port, "ipv6_ra_min_interval", MAX_INTERVAL_S), ra->max_s);
        ra->next_ms = loop_now_ms(p->options.loop);
        hmap_insert(&p->ras, &ra->node, uuid_hash(&ra->port));
        schedule(p);
    } else {
        log_warn_limited(&rate, "port %s: no router advertisements: %s",
                         sb_port_binding_logical_port(port), peer ? diag_text(&diag) : "no peer");
        of_buf_fini(&packet);
    }
    diag_fini(&diag);
}

void ra_port_changed(struct pinctrl *p, const struct sb_port_binding *before,
                     const struct sb_port_binding *after)
{
    if (before && after && sb_port_binding_options(before) == sb_port_binding_options(after))
        return;
    const char *periodic = after ? option(after, "ipv6_ra_send_periodic") : NULL;
    struct ra *ra = before ? ra_find(p, sb_port_binding_uuid(before)) : NULL;
    if (ra)
        ra_free(p, ra);
    if (periodic && !strcmp(periodic, "true") && p->options.actions)
        ra_add(p, after);
}

void ra_wake(struct pinctrl *p)
{
    struct ra *ra;
    HMAP_FOR_EACH (ra, node, &p->ras)
        if (ra->next_ms == INT64_MAX)
            ra->next_ms = loop_now_ms(p->options.loop);
    schedule(p);
}

static void advertise(struct pinctrl *p, struct ra *ra, int64_t now)
{
    const struct sb_port_binding *peer = inject_source(p, ra->name, ra->peer);
    ra->next_ms = INT64_MAX;
    if (!peer) {
        ra->sent = 0;
        return;
    }
    if (!inject(p, peer, true, &ra->packet))
        return;
    p->stats.ras_sent++;
    ra->sent++;
    uint64_t seconds =
        ra->min_s + env_random_u64(loop_env(p->options.loop)) % (ra->max_s - ra->min_s + 1);
    if (ra->sent < INITIAL)
        seconds = MIN(seconds, INITIAL_INTERVAL_S);
    ra->next_ms = now + (int64_t)seconds * 1000;
}

void ra_run(void *p_)
{
    struct pinctrl *p = p_;
    int64_t now = loop_now_ms(p->options.loop);
    struct ra *ra;
    HMAP_FOR_EACH (ra, node, &p->ras)
        if (ra->next_ms <= now)
            advertise(p, ra, now);
    schedule(p);
}
