/* proxy.c - a switch answers for addresses behind a router as if they were on the link (rooms 1 and 3 of docs/architecture.md;
 * ovn-nb(5), Logical_Switch_Port options:arp_proxy): addresses and networks of both versions, after a MAC address of their own or
 * with the router port's. Addresses that a port of the switch has come first.
 */
#include "northd/port/port.h"

#include <ctype.h>
#include <string.h>

#include "northd/topology/topology.h"
#include "rows/nb.h"

enum { MAX_WORD = 64, PRIORITY = 30 };

struct proxy {
    uint64_t mac;       /* 0: the router port's */
    struct str list[2]; /* of IPv4, of IPv6: "a, b/c" */
};

/* An address or a network, as it stands in a match. */
static bool add(struct proxy *proxy, const char *word)
{
    char *text = strchr(word, '/')   ? xstrdup(word)
                 : strchr(word, ':') ? xasprintf("%s/128", word)
                                     : xasprintf("%s/32", word);
    struct address a;
    bool ok = topology_parse_network(text, &a);
    free(text);
    if (!ok)
        return false;
    struct str *list = &proxy->list[a.version == 6];
    a = address_network(&a, a.plen);
    if (*str_c(list))
        str_put(list, ", ");
    address_put(list, &a);
    return true;
}

/* False when a word is neither. */
static bool parse(struct proxy *proxy, const char *text)
{
    char word[MAX_WORD];
    struct mac mac;
    bool is_first = true;
    for (; *text; is_first = false) {
        size_t n = strcspn(text, " \t,");
        if (n >= sizeof word)
            return false;
        memcpy(word, text, n);
        word[n] = '\0';
        text += n + strspn(text + n, " \t,");
        if (!n)
            continue;
        if (is_first && !mac_parse(word, &mac))
            proxy->mac = mac_to_u64(mac);
        else if (!add(proxy, word))
            return false;
    }
    return true;
}

static void answer4(const struct lflow_out *l, const char *list, uint64_t mac)
{
    lflows_emit(
        l, STAGE_SW_IN_ARP_RSP, PRIORITY, lflows_match(l, "arp.op == 1 && arp.tpa == {%s}", list),
        lflows_send_back(l, actions_of(l->a, action_move(l->a, SYM_ETH_DST, SYM_ETH_SRC),
                                       lflows_load_mac(l, SYM_ETH_SRC, mac),
                                       action_load(l->a, SYM_ARP_OP, 2),
                                       action_move(l->a, SYM_ARP_THA, SYM_ARP_SHA),
                                       lflows_load_mac(l, SYM_ARP_SHA, mac),
                                       action_exchange(l->a, SYM_ARP_TPA, SYM_ARP_SPA), NULL)));
}

static void answer6(const struct lflow_out *l, const char *list, uint64_t mac)
{
    struct actions *reply =
        lflows_send_back(l, actions_of(l->a, lflows_load_mac(l, SYM_ETH_SRC, mac),
                                       action_move(l->a, SYM_IP6_SRC, SYM_ND_TARGET),
                                       lflows_load_mac(l, SYM_ND_TLL, mac), NULL));
    lflows_emit(l, STAGE_SW_IN_ARP_RSP, PRIORITY,
                lflows_match(l, "nd_ns && nd.target == {%s}", list),
                actions_of(l->a, action_nest(l->a, ACTION_ND_NA_ROUTER, reply), NULL));
}

/* With a MAC address of its own, frames to it are the router's too. */
static void deliver(struct inc_ctx *ctx, struct northd_program *p, const struct fact_link *link,
                    uint64_t mac)
{
    struct lflow_out on_switch = lflows_begin(ctx, p, &link->ls, &link->lsp);
    struct lflow_out on_router = lflows_begin(ctx, p, &link->lr, &link->lsp);
    lflows_emit(&on_switch, STAGE_SW_IN_L2_LKUP, 50, expr_eq(on_switch.e, SYM_ETH_DST, mac),
                lflows_output_port(&on_switch, link->lsp_name));
    lflows_emit(&on_router, STAGE_RTR_IN_ADMISSION, 50,
                expr_and(on_router.e, expr_eq(on_router.e, SYM_ETH_DST, mac),
                         lflows_inport(&on_router, link->lrp_name)),
                lflows_admit(&on_router, link->mac));
}

void port_proxy(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_link *link = inc_read_one(ctx, p->link_by_lsp, key);
    const struct feed_row *row = inc_read_one(ctx, p->in_lsp_by_uuid, key);
    const char *text =
        nb_logical_switch_port_options_value(nb_logical_switch_port_cast(row->row), "arp_proxy");
    struct proxy proxy = {.mac = 0};
    if (!text)
        return;
    if (!parse(&proxy, text)) {
        program_complain(ctx, p, key,
                         "port %.64s: options:arp_proxy is no list of addresses and networks: left "
                         "out",
                         link->lsp_name->s);
    } else {
        struct lflow_out l = lflows_begin(ctx, p, &link->ls, &link->lsp);
        uint64_t mac = proxy.mac ? proxy.mac : link->mac;
        if (*str_c(&proxy.list[0]))
            answer4(&l, str_c(&proxy.list[0]), mac);
        if (*str_c(&proxy.list[1]))
            answer6(&l, str_c(&proxy.list[1]), mac);
        if (proxy.mac && proxy.mac != link->mac)
            deliver(ctx, p, link, proxy.mac);
    }
    str_fini(&proxy.list[0]);
    str_fini(&proxy.list[1]);
}
