/* port_addr.c - the addresses of a switch port (rooms 1 and 2 of docs/architecture.md): elements of the column addresses parsed,
 * "router" replaced by what the router port at the other end has, "dynamic" by what ipam/ gives.
 */
#include "northd/topology/topology.h"

#include <ctype.h>
#include <string.h>

#include "rows/nb.h"

enum { MAX_WORD = 64, MAX_IPS = 1024 };

/* Copies the next word of *TEXT into WORD and moves on; false at the end or when it is too long for an address. */
static bool next_word(const char **text, char word[MAX_WORD])
{
    const char *s = *text;
    size_t n = 0;
    while (isspace((unsigned char)*s))
        s++;
    while (s[n] && !isspace((unsigned char)s[n]))
        n++;
    if (!n || n >= MAX_WORD)
        return false;
    memcpy(word, s, n);
    word[n] = '\0';
    *text = s + n;
    return true;
}

static void parse_ips(const char *text, struct arena *arena, struct port_addr *ret)
{
    char word[MAX_WORD];
    size_t cap = 0;
    while (ret->n < MAX_IPS && next_word(&text, word)) {
        struct ip_addr ip;
        if (!strcmp(word, "dynamic")) {
            ret->kind = ADDR_DYNAMIC;
            return;
        }
        if (ip_addr_parse(word, &ip))
            return;
        if (ret->n == cap) {
            struct address *old = ret->ip;
            cap = cap ? cap * 2 : 4;
            ret->ip = arena_alloc(arena, cap * sizeof *ret->ip);
            if (ret->n)
                memcpy(ret->ip, old, ret->n * sizeof *old);
        }
        ret->ip[ret->n++] = address_make(ip.version, ip_addr_to_u128(&ip), ip_addr_bits(&ip));
    }
}

bool topology_is_unknown(const char *text)
{
    char word[MAX_WORD];
    return next_word(&text, word) && !strcmp(word, "unknown");
}

struct port_addr topology_parse_addr(const char *text, struct arena *arena)
{
    static const struct {
        const char *word;
        enum addr_kind kind;
    } words[] = {{"unknown", ADDR_UNKNOWN}, {"router", ADDR_ROUTER}, {"dynamic", ADDR_DYNAMIC}};
    struct port_addr ret = {.kind = ADDR_BAD};
    char word[MAX_WORD];
    struct mac mac;
    if (!next_word(&text, word))
        return ret;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (!strcmp(word, words[i].word)) {
            ret.kind = words[i].kind;
            return ret;
        }
    }
    if (mac_parse(word, &mac))
        return ret;
    ret.kind = ADDR_STATIC;
    ret.mac = mac_to_u64(mac);
    parse_ips(text, arena, &ret);
    return ret;
}

static void emit(struct inc_ctx *ctx, struct northd_program *p, const struct fact_lsp *lsp,
                 uint64_t mac, const struct address *ip)
{
    struct fact_port_addr f;
    INC_CLEAR(f);
    f.ls = lsp->ls;
    f.lsp = lsp->uuid;
    f.mac = mac;
    if (ip)
        f.ip = *ip;
    inc_emit(ctx, p->port_addr, &f);
}

static void emit_router(struct inc_ctx *ctx, struct northd_program *p, const struct fact_lsp *lsp)
{
    const struct fact_link *link = inc_read_one(ctx, p->link_by_lsp, &lsp->uuid);
    const struct fact_datapath *lr =
        link ? inc_read_one(ctx, p->datapath_by_uuid, &link->lr) : NULL;
    if (!lr || lr->flags & DATAPATH_DISABLED) /* nobody answers for a router that is off */
        return;
    emit(ctx, p, lsp, link->mac, NULL);
    const struct fact_network *network;
    INC_FOR_EACH(network, inc_read(ctx, p->network_by_lrp, &link->lrp))
    {
        struct address ip = network->address;
        ip.plen = (uint16_t)address_bits(&ip);
        emit(ctx, p, lsp, link->mac, &ip);
    }
}

static void emit_static(struct inc_ctx *ctx, struct northd_program *p, const struct fact_lsp *lsp,
                        const struct port_addr *addr)
{
    emit(ctx, p, lsp, addr->mac, NULL);
    for (size_t i = 0; i < addr->n; i++)
        emit(ctx, p, lsp, addr->mac, &addr->ip[i]);
}

static void emit_given(struct inc_ctx *ctx, struct northd_program *p, const struct fact_lsp *lsp)
{
    const struct fact_ipam_given *given = inc_read_one(ctx, p->ipam.given_by_lsp, &lsp->uuid);
    if (!given)
        return;
    emit(ctx, p, lsp, given->mac, NULL);
    if (given->ip4.version)
        emit(ctx, p, lsp, given->mac, &given->ip4);
    if (given->ip6.version)
        emit(ctx, p, lsp, given->mac, &given->ip6);
}

void topology_port_addr(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_lsp *lsp = inc_read_one(ctx, p->lsp_by_uuid, key);
    const struct feed_row *f = inc_read_one(ctx, p->in_lsp_by_uuid, key);
    const struct nb_logical_switch_port *row = nb_logical_switch_port_cast(f->row);
    const struct datum *addresses = nb_logical_switch_port_addresses(row);
    for (size_t i = 0; i < addresses->n; i++) {
        const char *text = addresses->atoms[i].string->s;
        struct port_addr addr = topology_parse_addr(text, inc_arena(ctx));
        switch (addr.kind) {
        case ADDR_STATIC:
            emit_static(ctx, p, lsp, &addr);
            break;
        case ADDR_ROUTER:
            if (lsp->type == LSP_ROUTER)
                emit_router(ctx, p, lsp);
            break;
        case ADDR_DYNAMIC:
            emit_given(ctx, p, lsp);
            break;
        case ADDR_UNKNOWN:
        case ADDR_BAD:
            break;
        }
    }
}
