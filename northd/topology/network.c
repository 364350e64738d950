/* network.c - the networks of a router port: the column networks, and the link-local one that every port has (RFC 4291
 * 2.5.6); rooms 1 and 2 of docs/architecture.md. An element that is no network yields nothing.
 */
#include "northd/topology/topology.h"
#include "rows/nb.h"

bool topology_parse_network(const char *text, struct address *ret)
{
    struct ip_prefix prefix;
    if (ip_prefix_parse(text, &prefix))
        return false;
    *ret = address_make(prefix.addr.version, ip_addr_to_u128(&prefix.addr), prefix.len);
    return true;
}

static void emit(struct inc_ctx *ctx, struct northd_program *p, const struct fact_lrp *lrp,
                 const struct address *address, bool link_local)
{
    struct fact_network f;
    INC_CLEAR(f);
    f.lrp = lrp->uuid;
    f.lr = lrp->lr;
    f.lrp_name = lrp->name;
    f.mac = lrp->mac;
    f.address = *address;
    f.link_local = link_local;
    inc_emit(ctx, p->network, &f);
    if (link_local)
        return; /* next hops in fe80::/64 need a port to be named */
    struct fact_plen plen;
    INC_CLEAR(plen);
    plen.lr = lrp->lr;
    plen.version = address->version;
    plen.plen = address->plen;
    inc_emit(ctx, p->plen, &plen);
}

void topology_network(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_lrp *lrp = inc_read_one(ctx, p->lrp_by_uuid, key);
    const struct feed_row *f = inc_read_one(ctx, p->in_lrp_by_uuid, key);
    const struct datum *networks =
        nb_logical_router_port_networks(nb_logical_router_port_cast(f->row));
    struct address own = address_make(6, ip6_to_u128(ip6_link_local(mac_from_u64(lrp->mac))), 64);
    bool has_link_local = false;
    for (size_t i = 0; i < networks->n; i++) {
        struct address a;
        if (!topology_parse_network(networks->atoms[i].string->s, &a))
            continue;
        bool link_local = a.version == 6 && ip6_is_link_local(ip6_from_u128(address_value(&a)));
        has_link_local |= address_value(&a) == address_value(&own) && a.version == 6;
        emit(ctx, p, lrp, &a, link_local);
    }
    if (!has_link_local)
        emit(ctx, p, lrp, &own, true);
}
