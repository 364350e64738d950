/* allocate.c - who on a switch gets which addresses (room 2 of docs/architecture.md). A function of facts alone, so that every northd
 * comes to the same result.
 *
 * IPv4, in turns: who has what he asks for, or asks for nothing in particular, keeps it; who asks for an address that is free gets
 * it; who has one keeps it; who has none gets the lowest free one. The first address of a subnet is left to a router. A MAC
 * address that was given is kept, others are made of NB_Global options:mac_prefix, the switch and the IP address.
 * IPv6 addresses follow from the MAC address (RFC 4291 appendix A).
 */
#include "base/hash.h"
#include "net/addr.h"
#include "northd/ipam/ipam.h"

struct allocation {
    struct inc_ctx *ctx;
    struct northd_program *p;
    const struct fact_ipam_config *config;
    uint32_t first; /* of the subnet: the network itself */
    uint64_t n_ips; /* 0: no subnet */
    uint8_t *ips;   /* a bit for each address that is taken */
    uint64_t *macs; /* hash table of those that are taken; 0: empty */
    size_t macs_mask;
    uint64_t mac_prefix;
    bool keeps_macs; /* whatever their prefix */
    struct inc_facts wants;
    struct fact_ipam_given *given; /* for each want */
};

/* --- What is taken */

static bool in_subnet(const struct allocation *a, const struct address *ip)
{
    return ip->version == 4 && a->n_ips && (uint32_t)ip->low - a->first < a->n_ips;
}

static bool is_free(const struct allocation *a, const struct address *ip)
{
    uint32_t i = (uint32_t)ip->low - a->first;
    return in_subnet(a, ip) && !(a->ips[i / 8] >> i % 8 & 1);
}

static void take(struct allocation *a, uint32_t ip)
{
    uint32_t i = ip - a->first;
    if (a->n_ips && i < a->n_ips)
        a->ips[i / 8] = (uint8_t)(a->ips[i / 8] | 1u << i % 8);
}

static bool take_mac(struct allocation *a, uint64_t mac)
{
    size_t i = hash_u64(mac, 0) & a->macs_mask;
    for (; a->macs[i]; i = (i + 1) & a->macs_mask)
        if (a->macs[i] == mac)
            return false;
    a->macs[i] = mac;
    return true;
}

/* "10.0.0.4 10.0.0.6..10.0.0.8"; words that make no sense are told. */
static void exclude(struct allocation *a)
{
    const char *text = a->config->excluded ? a->config->excluded->s : "";
    for (size_t n; *(text += strspn(text, " ")); text += n) {
        char *word = arena_printf(inc_arena(a->ctx), "%.*s", (int)(n = strcspn(text, " ")), text);
        char *dots = strstr(word, "..");
        struct ip_addr from, to;
        if (dots)
            *dots = '\0';
        if (ip_addr_parse(word, &from) || ip_addr_parse(dots ? dots + 2 : word, &to) ||
            from.version != 4 || to.version != 4 || ip_addr_compare(&from, &to) > 0) {
            program_complain(a->ctx, a->p, &a->config->ls,
                             "other_config:exclude_ips of a switch: \"%.64s\" is no address and no "
                             "range: it is left out",
                             word);
            continue;
        }
        uint64_t low = MAX((uint64_t)ip_addr_to_u128(&from), (uint64_t)a->first);
        uint64_t high = MIN((uint64_t)ip_addr_to_u128(&to), a->first + a->n_ips - 1);
        for (uint64_t ip = low; ip <= high; ip++)
            take(a, (uint32_t)ip);
    }
}

static void begin(struct allocation *a)
{
    const struct fact_ipam_used *used;
    struct inc_facts all = inc_read(a->ctx, a->p->ipam.used_by_ls, &a->config->ls);
    size_t n_macs = 16;
    while (n_macs < 2 * (all.n + a->wants.n))
        n_macs *= 2;
    a->macs = arena_zalloc(inc_arena(a->ctx), n_macs * sizeof *a->macs);
    a->macs_mask = n_macs - 1;
    a->given = arena_zalloc(inc_arena(a->ctx), (a->wants.n + 1) * sizeof *a->given);
    if (a->config->subnet.version) {
        a->first = (uint32_t)a->config->subnet.low;
        a->n_ips = (uint64_t)1 << (32 - a->config->subnet.plen);
        a->ips = arena_zalloc(inc_arena(a->ctx), a->n_ips / 8 + 1);
        take(a, a->first);
        take(a, a->first + 1);
        take(a, (uint32_t)(a->first + a->n_ips - 1));
        exclude(a);
    }
    INC_FOR_EACH(used, all)
    {
        take_mac(a, used->mac);
        if (used->ip.version == 4)
            take(a, (uint32_t)used->ip.low);
    }
}

/* --- Giving */

static void give_ip(struct allocation *a, size_t i, const struct address *ip)
{
    a->given[i].ip4 = *ip;
    take(a, (uint32_t)ip->low);
}

/* The three turns in which somebody gets an address that he names. */
static void give_named(struct allocation *a, unsigned turn)
{
    for (size_t i = 0; i < a->wants.n; i++) {
        const struct fact_ipam_want *w = a->wants.v[i];
        bool content = !w->ip4.version || !address_compare(&w->ip4, &w->had_ip4);
        const struct address *ip = turn == 1 ? &w->ip4 : &w->had_ip4;
        if (!a->given[i].ip4.version && (turn != 0 || content) && is_free(a, ip))
            give_ip(a, i, ip);
    }
}

/* Everybody has what he could have. */
static void tell_full(struct allocation *a)
{
    const struct fact_datapath *ls = inc_read_one(a->ctx, a->p->datapath_by_uuid, &a->config->ls);
    for (size_t i = 0; ls && i < a->wants.n; i++) {
        const struct fact_ipam_want *w = a->wants.v[i];
        const struct fact_lsp *lsp =
            a->given[i].ip4.version ? NULL : inc_read_one(a->ctx, a->p->lsp_by_uuid, &w->lsp);
        if (lsp)
            program_complain(a->ctx, a->p, &w->lsp,
                             "switch \"%s\" has no address left in other_config:subnet for port "
                             "\"%s\"",
                             ls->name->s, lsp->name->s);
    }
}

static void give_lowest(struct allocation *a)
{
    uint64_t next = 0;
    for (size_t i = 0; i < a->wants.n; i++) {
        if (a->given[i].ip4.version)
            continue;
        while (next < a->n_ips && a->ips[next / 8] >> next % 8 & 1)
            next++;
        if (next == a->n_ips) {
            tell_full(a);
            return;
        }
        struct address ip = address_make(4, a->first + next, 32);
        give_ip(a, i, &ip);
    }
}

static uint64_t new_mac(struct allocation *a, size_t i)
{
    const struct fact_ipam_want *w = a->wants.v[i];
    uint64_t low = hash_u64(a->given[i].ip4.version ? a->given[i].ip4.low : uuid_hash(&w->lsp),
                            uuid_hash(&w->ls));
    while (!take_mac(a, a->mac_prefix << 24 | (low & 0xffffff)))
        low++;
    return a->mac_prefix << 24 | (low & 0xffffff);
}

static void give_macs(struct allocation *a)
{
    for (size_t i = 0; i < a->wants.n; i++) {
        const struct fact_ipam_want *w = a->wants.v[i];
        if (w->mac)
            take_mac(a, a->given[i].mac = w->mac);
    }
    for (size_t i = 0; i < a->wants.n; i++) {
        const struct fact_ipam_want *w = a->wants.v[i];
        bool keeps = w->had_mac && (a->keeps_macs || w->had_mac >> 24 == a->mac_prefix);
        if (!w->mac && keeps && take_mac(a, w->had_mac))
            a->given[i].mac = w->had_mac;
    }
    for (size_t i = 0; i < a->wants.n; i++)
        if (!a->given[i].mac)
            a->given[i].mac = new_mac(a, i);
}

static struct address address6(const struct allocation *a, const struct fact_ipam_want *w,
                               uint64_t mac)
{
    if (w->ip6.version || !a->config->prefix6.version)
        return w->ip6;
    struct ip6 prefix = ip6_from_u128(address_value(&a->config->prefix6));
    return address_make(6, ip6_to_u128(ip6_eui64(prefix, mac_from_u64(mac))), 128);
}

/* "0a:0b:0c" */
static bool parse_mac_prefix(const char *text, uint64_t *ret)
{
    struct mac mac;
    char full[32];
    if (!text || strlen(text) != 8)
        return false;
    snprintf(full, sizeof full, "%s:00:00:00", text);
    if (mac_parse(full, &mac))
        return false;
    *ret = mac_to_u64(mac) >> 24;
    return *ret != 0;
}

/* False when there is none yet: it comes, status.c makes one. One that is malformed takes no address away. */
static bool choose_mac_prefix(struct allocation *a)
{
    enum { SPARE_PREFIX = 0x0a0000 };
    const char *text = program_option(a->ctx, a->p, "mac_prefix");
    if (!text || parse_mac_prefix(text, &a->mac_prefix))
        return text != NULL;
    program_complain(a->ctx, a->p, &a->config->ls,
                     "options:mac_prefix \"%.64s\" of NB_Global is not as 0a:0b:0c: MAC addresses "
                     "stay, new ones begin with 0a:00:00",
                     text);
    a->mac_prefix = SPARE_PREFIX;
    a->keeps_macs = true;
    return true;
}

void ipam_allocate(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    struct allocation a = {.ctx = ctx,
                           .p = p,
                           .config = inc_read_one(ctx, p->ipam.config_by_ls, key),
                           .wants = inc_read(ctx, p->ipam.want_by_ls, key)};
    if (!a.wants.n || !choose_mac_prefix(&a))
        return;
    begin(&a);
    if (a.n_ips) {
        for (unsigned turn = 0; turn < 3; turn++)
            give_named(&a, turn);
        give_lowest(&a);
    }
    give_macs(&a);
    for (size_t i = 0; i < a.wants.n; i++) {
        const struct fact_ipam_want *w = a.wants.v[i];
        if (a.n_ips && !a.given[i].ip4.version)
            continue; /* the subnet is full */
        a.given[i].lsp = w->lsp;
        a.given[i].ip6 = address6(&a, w, a.given[i].mac);
        inc_emit(ctx, p->ipam.given, &a.given[i]);
    }
}
