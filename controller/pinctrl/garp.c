/* garp.c - gratuitous ARP, its like of IPv6, and RARP: addresses that have come to this hypervisor are announced, so that physical
 * networks send there from now on.
 *
 * Room 11 of docs/architecture.md. Announced are the machines bound here on switches that have a localnet port, and the addresses
 * in Port_Binding.nat_addresses of gateways that are here: "MAC IP..." of a port that is bound here, or with
 * is_chassis_resident("PORT") when that one is. Each is announced at once, and again after 1, 2, 4, 8 and 16 seconds.
 */
#include <stdlib.h>

#include "controller/pinctrl/frame.h"
#include "controller/pinctrl/pinctrl.h"

enum { FIRST_MS = 1000, LAST_MS = 16000, ADDRESSES_MAX = 512 };

struct garp {
    struct hnode node; /* by port */
    struct uuid port;
    struct mac mac;
    struct ip_addr ip; /* version 0: the MAC alone, by RARP */
    int64_t next_ms;   /* INT64_MAX: has been said often enough */
    int64_t interval_ms;
    bool is_wanted;
};

static void garp_free(struct pinctrl *p, struct garp *g)
{
    hmap_remove(&p->garps, &g->node);
    free(g);
}

void garp_clear(struct pinctrl *p)
{
    struct garp *g;
    HMAP_FOR_EACH_SAFE (g, node, &p->garps)
        garp_free(p, g);
    vec_fini(&p->resident_nats);
    timer_stop(&p->garp_timer);
}

/* ---- Packets ---- */

static void put_arp_body(struct of_buf *out, const struct garp *g, uint16_t op)
{
    be32 ip = g->ip.version ? g->ip.v4 : 0;
    struct arp_header arp = {.hrd = swap16(1),
                             .pro = swap16(ETH_TYPE_IP),
                             .hln = 6,
                             .pln = 4,
                             .op = swap16(op),
                             .sha = g->mac,
                             .spa = ip,
                             .tpa = ip};
    if (!g->ip.version)
        arp.tha = g->mac;
    of_buf_put(out, &arp, sizeof arp);
}

static void make_packet(const struct garp *g, struct of_buf *out)
{
    enum { RARP_REQUEST = 3 };
    static const struct mac all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
    if (g->ip.version == 6) {
        struct nd_header nd = {
            .type = ICMP6_NEIGHBOR_ADVERT, .flags = swap32(ND_FLAG_OVERRIDE), .target = g->ip.v6};
        struct nd_option_lla tll = {ND_OPT_TLL, 1, g->mac};
        frame_put_plain_eth(out, ip6_multicast_mac(frame_all_nodes), g->mac, ETH_TYPE_IPV6);
        size_t l3 = frame_put_ip6(out, &g->ip.v6, &frame_all_nodes, IP_PROTO_ICMPV6, 255);
        of_buf_put(out, &nd, sizeof nd);
        of_buf_put(out, &tll, sizeof tll);
        frame_end(out, l3);
    } else {
        frame_put_plain_eth(out, all, g->mac, g->ip.version ? ETH_TYPE_ARP : ETH_TYPE_RARP);
        put_arp_body(out, g, g->ip.version ? ARP_OP_REQUEST : RARP_REQUEST);
    }
}

static void announce(struct pinctrl *p, struct garp *g, int64_t now)
{
    const struct sb_port_binding *port = sb_index_port_uuid(p->options.sb, &g->port);
    struct of_buf packet = OF_BUF_INIT;
    make_packet(g, &packet);
    if (port && inject(p, port, false, &packet))
        p->stats.garps_sent++;
    of_buf_fini(&packet);
    g->next_ms = g->interval_ms > LAST_MS ? INT64_MAX : now + g->interval_ms;
    g->interval_ms *= 2;
}

static void schedule(struct pinctrl *p)
{
    int64_t next = INT64_MAX;
    const struct garp *g;
    HMAP_FOR_EACH (g, node, &p->garps)
        next = MIN(next, g->next_ms);
    if (next == INT64_MAX)
        timer_stop(&p->garp_timer);
    else
        timer_set_us(&p->garp_timer, next * 1000);
}

void garp_run(void *p_)
{
    struct pinctrl *p = p_;
    int64_t now = loop_now_ms(p->options.loop);
    struct garp *g;
    HMAP_FOR_EACH (g, node, &p->garps)
        if (g->next_ms <= now)
            announce(p, g, now);
    schedule(p);
}

/* ---- What is to be announced ---- */

static void want(struct pinctrl *p, const struct uuid *port, struct mac mac,
                 const struct ip_addr *ip)
{
    struct garp *g;
    HMAP_FOR_EACH_WITH_HASH (g, node, uuid_hash(port), &p->garps) {
        if (uuid_equal(&g->port, port) && mac_equal(g->mac, mac) && ip_addr_equal(&g->ip, ip)) {
            g->is_wanted = true;
            return;
        }
    }
    g = NEW(struct garp);
    g->port = *port;
    g->mac = mac;
    g->ip = *ip;
    g->next_ms = loop_now_ms(p->options.loop);
    g->interval_ms = FIRST_MS;
    g->is_wanted = true;
    hmap_insert(&p->garps, &g->node, uuid_hash(port));
}

/* The next word of *TEXT into WORD; false: the end. */
static bool next_word(const char **text, char *word, size_t size)
{
    *text += strspn(*text, " ");
    size_t n = strcspn(*text, " ");
    if (!n)
        return false;
    size_t kept = MIN(n, size - 1);
    memcpy(word, *text, kept);
    word[kept] = '\0';
    *text += n;
    return true;
}

/* is_chassis_resident("PORT"): PORT is bound here. */
static bool is_resident(struct pinctrl *p, const char *word)
{
    static const char head[] = "is_chassis_resident(\"";
    size_t n = strlen(word), skip = sizeof head - 1;
    if (n < skip + 2 || strcmp(word + n - 2, "\")") != 0)
        return false;
    char *name = xstrndup(word + skip, n - skip - 2);
    bool is_here = pinctrl_is_ours(p, sb_index_port_named(p->options.sb, name));
    free(name);
    return is_here;
}

/* "MAC IP... [is_chassis_resident("PORT")]". */
static void want_addresses(struct pinctrl *p, const struct uuid *port, const char *text,
                           bool is_here)
{
    char word[256];
    struct mac mac;
    struct ip_prefix prefixes[ADDRESSES_MAX];
    size_t n = 0;
    if (!next_word(&text, word, sizeof word) || mac_parse(word, &mac))
        return;
    while (next_word(&text, word, sizeof word)) {
        if (text_starts_with(word, "is_chassis_resident("))
            is_here = is_resident(p, word);
        else if (n < ADDRESSES_MAX && !ip_prefix_parse(word, &prefixes[n]))
            n++;
    }
    for (size_t i = 0; is_here && i < n; i++)
        want(p, port, mac, &prefixes[i].addr);
    if (is_here && !n)
        want(p, port, mac, &(struct ip_addr){.version = 0});
}

static void want_port(struct pinctrl *p, const struct sb_port_binding *port)
{
    const struct uuid *uuid = sb_port_binding_uuid(port), *at = sb_port_binding_datapath(port);
    const struct datum *nat = sb_port_binding_nat_addresses(port), *mac = sb_port_binding_mac(port);
    const char *off = sb_port_binding_options_value(port, "disable_garp_rarp");
    bool is_here = pinctrl_is_ours(p, port);
    bool is_machine = is_here && !*sb_port_binding_type(port) &&
                      (!sb_port_binding_up_present(port) || sb_port_binding_up(port));
    if (off && !strcmp(off, "true"))
        return;
    for (uint32_t i = 0; i < nat->n; i++)
        want_addresses(p, uuid, nat->atoms[i].string->s, is_here);
    if (is_machine && at && sb_index_has_localnet(p->options.sb, at))
        for (uint32_t i = 0; i < mac->n; i++)
            want_addresses(p, uuid, mac->atoms[i].string->s, true);
}

static struct garp *find_unwanted(struct pinctrl *p, const struct uuid *uuid)
{
    struct garp *g;
    HMAP_FOR_EACH_WITH_HASH (g, node, uuid_hash(uuid), &p->garps)
        if (!g->is_wanted && uuid_equal(&g->port, uuid))
            return g;
    return NULL;
}

/* Some address of the port, which may be NULL, is here when the port NAME is (NULL: any port). */
static bool goes_with(const struct sb_port_binding *port, const char *name)
{
    const struct datum *nat = port ? sb_port_binding_nat_addresses(port) : NULL;
    char *word = xasprintf("is_chassis_resident(\"%s", name ? name : "");
    bool found = false;
    for (uint32_t i = 0; nat && i < nat->n && !found; i++)
        found = strstr(nat->atoms[i].string->s, word);
    free(word);
    return found;
}

static void keep_resident(struct pinctrl *p, const struct uuid *uuid, bool wanted)
{
    size_t i = 0;
    while (i < p->resident_nats.n && !uuid_equal(&p->resident_nats.data[i], uuid))
        i++;
    if (wanted && i == p->resident_nats.n)
        vec_push(&p->resident_nats, *uuid);
    else if (!wanted && i < p->resident_nats.n)
        vec_remove(&p->resident_nats, i);
}

static void check_port(struct pinctrl *p, const struct uuid *uuid)
{
    const struct sb_port_binding *port = sb_index_port_uuid(p->options.sb, uuid);
    struct garp *g;
    HMAP_FOR_EACH_WITH_HASH (g, node, uuid_hash(uuid), &p->garps)
        if (uuid_equal(&g->port, uuid))
            g->is_wanted = false;
    keep_resident(p, uuid, goes_with(port, NULL));
    if (port)
        want_port(p, port);
    while ((g = find_unwanted(p, uuid)) != NULL)
        garp_free(p, g);
}

static bool has_duties(const struct sb_port_binding *port)
{
    return port && (!*sb_port_binding_type(port) || sb_port_binding_nat_addresses(port)->n);
}

/* A machine has come or gone: addresses outside that are translated where it is come and go with it. */
static void check_residents(struct pinctrl *p, const char *name)
{
    for (size_t i = 0; i < p->resident_nats.n; i++) {
        struct uuid uuid = p->resident_nats.data[i];
        if (goes_with(sb_index_port_uuid(p->options.sb, &uuid), name))
            check_port(p, &uuid);
    }
}

void garp_port_changed(struct pinctrl *p, const struct sb_port_binding *before,
                       const struct sb_port_binding *after)
{
    const struct sb_port_binding *port = after ? after : before;
    const char *type = sb_port_binding_type(port);
    /* Others may depend on where this one is, or that it is there. */
    if (!strcmp(type, "localnet") || !strcmp(type, "chassisredirect") ||
        !strcmp(type, "l3gateway")) {
        garp_check_all(p);
    } else if (has_duties(before) || has_duties(after)) {
        check_port(p, sb_port_binding_uuid(port));
        if (pinctrl_is_ours(p, before) != pinctrl_is_ours(p, after))
            check_residents(p, sb_port_binding_logical_port(port));
        schedule(p);
    }
}

void garp_check_all(struct pinctrl *p)
{
    deferred_schedule(&p->garp_check);
}

static void check_if_due(const struct sb_port_binding *port, void *p)
{
    if (has_duties(port))
        check_port(p, sb_port_binding_uuid(port));
}

void garp_check(void *p_)
{
    struct pinctrl *p = p_;
    sb_index_for_each_port(p->options.sb, check_if_due, p);
    schedule(p);
}
