/* hop.c - sending towards a next hop: which network it is in, and what to write into the packet (room 3 of docs/architecture.md). Used by
 * routes and by policies.
 */
#include "northd/router/router.h"

const struct fact_network *router_network_of(struct inc_ctx *ctx, struct northd_program *p,
                                             const struct uuid *lr, const struct address *hop)
{
    const struct fact_plen *plen;
    INC_FOR_EACH(plen, inc_read(ctx, p->plen_by_lr, lr))
    { /* longest first */
        if (plen->version != hop->version)
            continue;
        struct key_network key;
        INC_CLEAR(key);
        key.lr = *lr;
        key.network = address_network(hop, plen->plen);
        const struct fact_network *n = inc_read_one(ctx, p->network_by_prefix, &key);
        if (n)
            return n;
    }
    return NULL;
}

void router_put_hop(const struct lflow_out *l, struct lflow_list *list,
                    const struct fact_network *out, const struct address *to)
{
    bool v6 = out->address.version == 6;
    struct address self = out->address;
    if (to)
        lflows_put_one(list, lflows_load_ip(l, v6 ? SYM_XXREG0 : SYM_REG0, to));
    else
        lflows_put(l, list, v6 ? "xxreg0 = ip6.dst;" : "reg0 = ip4.dst;");
    lflows_put_one(list, lflows_load_ip(l, v6 ? SYM_XXREG1 : SYM_REG1, &self));
    lflows_put_one(list, lflows_load_mac(l, SYM_ETH_SRC, out->mac));
    lflows_put_one(list, action_load_name(l->a, SYM_OUTPORT, out->lrp_name));
}

struct actions *router_hop(const struct lflow_out *l, const struct fact_network *out,
                           const struct address *to)
{
    struct lflow_list list = {.n = 0};
    router_put_hop(l, &list, out, to);
    return lflows_list(l, &list);
}
