/* mtu.c - packets that are larger than what a router port may send (room 3 of docs/architecture.md; ovn-nb(5), Logical_Router_Port
 * options:gateway_mtu and gateway_mtu_bypass; ovn-northd(8), Check packet length, Handle larger packets; RFC 1191, RFC 8201): who
 * sent one is told the port's MTU. What the port receives is held to it too (router/admission.c has asked).
 */
#include "northd/gateway/gateway.h"

#include "base/diag.h"
#include "northd/lflows.h"
#include "northd/nat/nat.h"
#include "rows/nb.h"

/* Ethernet's header is not in the MTU. */
enum { ETHERNET = 14 };

struct actions *gateway_check_length(const struct lflow_out *l, uint32_t mtu)
{
    return mtu ? lflows_actions(l, "reg9[1] = check_pkt_larger(%u);", mtu + ETHERNET)
               : actions_drop(l->a);
}

struct expr *gateway_mtu_bypass(struct inc_ctx *ctx, struct northd_program *p,
                                const struct fact_lrp *lrp)
{
    const struct feed_row *row = inc_read_one(ctx, p->in_lrp_by_uuid, &lrp->uuid);
    const char *text = nb_logical_router_port_options_value(nb_logical_router_port_cast(row->row),
                                                            "gateway_mtu_bypass");
    struct expr *e = NULL;
    struct diag diag = DIAG_INIT;
    if (!lrp->mtu || !text)
        return NULL;
    if (expr_parse(p->exprs, text, NULL, &e, &diag))
        e = NULL;
    diag_fini(&diag);
    return e;
}

/* Tells the sender, from the address of the port that the packet came in by. */
static struct actions *too_big(const struct lflow_out *l, const struct fact_network *in,
                               uint32_t mtu)
{
    struct str s = STR_INIT, mac = STR_INIT;
    bool v6 = in->address.version == 6;
    struct address own = in->address;
    own.plen = (uint16_t)address_bits(&own);
    address_put(&s, &own);
    mac_put(&mac, mac_from_u64(in->mac));
    struct actions *a = lflows_actions(
        l,
        v6 ? "icmp6_error { reg9[0] = 1; reg9[1] = 0; eth.dst = %s; ip6.dst = ip6.src; ip6.src = "
             "%s; ip.ttl = 255; icmp6.type = 2; icmp6.code = 0; icmp6.frag_mtu = %u; "
             "next(pipeline=ingress, table=0); };"
           : "icmp4_error { reg9[0] = 1; reg9[1] = 0; eth.dst = %s; ip4.dst = ip4.src; ip4.src = "
             "%s; ip.ttl = 255; icmp4.type = 3; icmp4.code = 4; icmp4.frag_mtu = %u; "
             "next(pipeline=ingress, table=0); };",
        str_c(&mac), str_c(&s), mtu);
    str_fini(&s);
    str_fini(&mac);
    return a;
}

static void report(const struct lflow_out *l, const struct fact_lrp *in, const struct fact_lrp *out)
{
    bool seen[7] = {false};
    const struct fact_network *n;
    INC_FOR_EACH(n, inc_read(l->ctx, l->p->network_by_lrp, &in->uuid))
    {
        unsigned version = n->address.version;
        if (n->link_local || seen[version])
            continue;
        seen[version] = true;
        struct expr *match = expr_and(l->e, lflows_inport(l, in->name),
                                      lflows_match(l, "ip%u && reg9[1] && reg9[0] == 0", version));
        if (out)
            match = expr_and(l->e, match, lflows_outport(l, out->name));
        lflows_emit(l, out ? STAGE_RTR_IN_LARGER_PKTS : STAGE_RTR_IN_IP_INPUT, 150, match,
                    too_big(l, n, out ? out->mtu : in->mtu));
    }
}

/* As the port that packets come in by. */
void gateway_larger(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_lrp *lrp = inc_read_one(ctx, p->lrp_by_uuid, key), *out;
    struct lflow_out l = lflows_begin(ctx, p, &lrp->lr, &lrp->uuid);
    INC_FOR_EACH(out, inc_read(ctx, p->lrp_mtu_by_lr, &lrp->lr))
    if (!uuid_equal(&out->uuid, &lrp->uuid))
        report(&l, lrp, out);
}

/* As the port that has an MTU. */
void gateway_mtu(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_lrp *lrp = inc_read_one(ctx, p->lrp_by_uuid, key);
    struct lflow_out l = lflows_begin(ctx, p, &lrp->lr, &lrp->uuid);
    if (!lrp->mtu)
        return;
    struct expr *bypass = gateway_mtu_bypass(ctx, p, lrp);
    lflows_emit(&l, STAGE_RTR_IN_CHK_PKT_LEN, 50, lflows_outport(&l, lrp->name),
                actions_join(gateway_check_length(&l, lrp->mtu), lflows_next(&l)));
    if (bypass)
        lflows_emit(&l, STAGE_RTR_IN_CHK_PKT_LEN, 55,
                    expr_and(l.e, lflows_outport(&l, lrp->name), bypass), lflows_next(&l));
    report(&l, lrp, NULL);
}
