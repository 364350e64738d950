/* ra.c - IPv6 router advertisements (rooms 3 and 5 of docs/architecture.md; RFC 4861 6.2, RFC 4191, RFC 8106; ovn-nb(5),
 * Logical_Router_Port ipv6_ra_configs; ovn-northd(8), IPv6 ND RA option processing): hosts that ask are answered by flows,
 * and what the chassis send unasked now and then stands in options of the port's binding.
 */
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "northd/lflows.h"
#include "northd/router/router.h"
#include "rows/nb.h"

struct ra {
    struct inc_ctx *ctx;
    struct northd_program *p;
    const struct fact_lrp *lrp;
    const struct nb_logical_router_port *row;
    const char *mode;
    unsigned mtu;        /* 0: none */
    struct str prefixes; /* by spaces */
};

static const char *config(const struct ra *ra, const char *key)
{
    return nb_logical_router_port_ipv6_ra_configs_value(ra->row, key);
}

static bool is_one_of(const char *text, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(text, words[i]))
            return true;
    return false;
}

static unsigned number(const struct ra *ra, const char *key, unsigned otherwise, unsigned lo,
                       unsigned hi)
{
    const char *text = config(ra, key);
    if (!text)
        return otherwise;
    char *end;
    unsigned long v = strtoul(text, &end, 10);
    if (*end || *text < '0' || *text > '9' || v < lo || v > hi) {
        program_complain(ra->ctx, ra->p, &ra->lrp->uuid,
                         "ipv6_ra_configs:%s \"%s\" is not a number from %u to %u", key, text, lo,
                         hi);
        return otherwise;
    }
    return (unsigned)v;
}

static bool parse(struct ra *ra)
{
    static const char *const modes[] = {"slaac", "dhcpv6_stateful", "dhcpv6_stateless"};
    const struct fact_network *n;
    ra->mode = config(ra, "address_mode");
    if (!ra->mode)
        return false;
    if (!is_one_of(ra->mode, modes, ARRAY_SIZE(modes))) {
        program_complain(ra->ctx, ra->p, &ra->lrp->uuid,
                         "ipv6_ra_configs:address_mode \"%s\" is not slaac, dhcpv6_stateful or "
                         "dhcpv6_stateless",
                         ra->mode);
        return false;
    }
    ra->mtu = number(ra, "mtu", 0, 1280, 65535);
    INC_FOR_EACH(n, inc_read(ra->ctx, ra->p->network_by_lrp, &ra->lrp->uuid))
    {
        if (n->link_local || n->address.version != 6)
            continue;
        struct address prefix = address_network(&n->address, n->address.plen);
        str_put(&ra->prefixes, ra->prefixes.n ? " " : "");
        address_put(&ra->prefixes, &prefix);
    }
    return ra->prefixes.n || strcmp(ra->mode, "slaac");
}

/* --- Answers */

static void put_quoted(struct str *s, const struct ra *ra, const char *key, const char *as)
{
    const char *text = config(ra, key);
    if (!text || !*text)
        return;
    str_putf(s, ", %s = \"", as);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            str_putc(s, '\\');
        str_putc(s, *text);
    }
    str_put(s, "\"");
}

static void put_options(struct str *s, const struct ra *ra)
{
    const char *rdnss = config(ra, "rdnss"), *text = str_c(&ra->prefixes);
    str_putf(s, "reg0[5] = put_nd_ra_opts(addr_mode = \"%s\", slla = ", ra->mode);
    mac_put(s, mac_from_u64(ra->lrp->mac));
    if (ra->mtu)
        str_putf(s, ", mtu = %u", ra->mtu);
    const char *preference = config(ra, "router_preference");
    if (preference && strcmp(preference, "MEDIUM"))
        put_quoted(s, ra, "router_preference", "router_preference");
    if (rdnss && *rdnss)
        str_putf(s, ", rdnss = %s", rdnss);
    put_quoted(s, ra, "dnssl", "dnssl");
    put_quoted(s, ra, "route_info", "route_info");
    while (*text) {
        size_t n = strcspn(text, " ");
        str_putf(s, ", prefix = %.*s", (int)n, text);
        text += n + (text[n] == ' ');
    }
    str_put(s, "); next;");
}

static struct expr *to_routers(const struct lflow_out *l, const struct ra *ra, const char *rest)
{
    return expr_and(l->e, lflows_inport(l, ra->lrp->name),
                    lflows_match(l, "ip6.dst == ff02::2 && %s", rest));
}

static void answer(const struct ra *ra)
{
    struct lflow_out l = lflows_begin(ra->ctx, ra->p, &ra->lrp->lr, &ra->lrp->uuid);
    struct str s = STR_INIT;
    struct actions *options;
    struct diag diag = DIAG_INIT;
    put_options(&s, ra);
    if (actions_parse(l.a, str_c(&s), NULL, &options, NULL, &diag)) {
        program_complain(ra->ctx, ra->p, &ra->lrp->uuid, "ipv6_ra_configs: %s", diag_text(&diag));
    } else {
        struct address own =
            address_make(6, ip6_to_u128(ip6_link_local(mac_from_u64(ra->lrp->mac))), 128);
        lflows_emit(&l, STAGE_RTR_IN_ND_RA_OPTIONS, 50, to_routers(&l, ra, "nd_rs"), options);
        lflows_emit(&l, STAGE_RTR_IN_ND_RA_RESPONSE, 50, to_routers(&l, ra, "nd_ra && reg0[5]"),
                    lflows_send_back(&l, actions_of(l.a, action_move(l.a, SYM_ETH_DST, SYM_ETH_SRC),
                                                    lflows_load_mac(&l, SYM_ETH_SRC, ra->lrp->mac),
                                                    action_move(l.a, SYM_IP6_DST, SYM_IP6_SRC),
                                                    lflows_load_ip(&l, SYM_IP6_SRC, &own), NULL)));
    }
    diag_fini(&diag);
    str_fini(&s);
}

/* --- Unasked */

static void option(const struct ra *ra, const char *key, const char *value)
{
    if (!value || !*value)
        return;
    struct fact_port_option f;
    INC_CLEAR(f);
    f.port = rstr_ref(ra->lrp->name);
    f.key = program_intern(ra->p, key);
    f.value = program_intern(ra->p, value);
    inc_emit_take(ra->ctx, ra->p->port_option, &f);
}

static void option_number(const struct ra *ra, const char *key, unsigned value)
{
    char text[16];
    snprintf(text, sizeof text, "%u", value);
    option(ra, key, text);
}

/* RFC 4861 6.2.1: what is not set, and the bounds. */
static void option_intervals(const struct ra *ra)
{
    unsigned max = number(ra, "max_interval", 600, 4, 1800);
    unsigned otherwise = max >= 9 ? max / 3 : max * 3 / 4;
    option_number(ra, "ipv6_ra_max_interval", max);
    option_number(ra, "ipv6_ra_min_interval",
                  number(ra, "min_interval", otherwise, 3, max * 3 / 4));
}

static void advertise(const struct ra *ra)
{
    const char *periodic = config(ra, "send_periodic");
    struct str s = STR_INIT;
    if (!periodic || strcmp(periodic, "true"))
        return;
    option(ra, "ipv6_ra_send_periodic", "true");
    option(ra, "ipv6_ra_address_mode", ra->mode);
    option_intervals(ra);
    if (ra->mtu)
        option_number(ra, "ipv6_ra_mtu", ra->mtu);
    option(ra, "ipv6_ra_prefixes", str_c(&ra->prefixes));
    const char *preference = config(ra, "router_preference");
    option(ra, "ipv6_ra_prf", preference ? preference : "MEDIUM");
    option(ra, "ipv6_ra_rdnss", config(ra, "rdnss"));
    option(ra, "ipv6_ra_dnssl", config(ra, "dnssl"));
    option(ra, "ipv6_ra_route_info", config(ra, "route_info"));
    mac_put(&s, mac_from_u64(ra->lrp->mac));
    option(ra, "ipv6_ra_src_eth", str_c(&s));
    str_clear(&s);
    struct address own =
        address_make(6, ip6_to_u128(ip6_link_local(mac_from_u64(ra->lrp->mac))), 128);
    address_put(&s, &own);
    option(ra, "ipv6_ra_src_addr", str_c(&s));
    str_fini(&s);
}

void router_ra(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct feed_row *row = inc_read_one(ctx, p->in_lrp_by_uuid, key);
    struct ra ra = {.ctx = ctx,
                    .p = p,
                    .lrp = inc_read_one(ctx, p->lrp_by_uuid, key),
                    .row = nb_logical_router_port_cast(row->row),
                    .prefixes = STR_INIT};
    if (parse(&ra)) {
        answer(&ra);
        advertise(&ra);
    }
    str_fini(&ra.prefixes);
}
