/* untracked.c - ports that connection tracking is kept off (room 3 of docs/architecture.md; ovn-northd(8) "Pre-ACLs"): what comes from
 * or goes to a router or a physical network has no zone of its own on this switch.
 */
#include "northd/acl/acl.h"
#include "rows/nb.h"

void acl_port(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_lsp *lsp = inc_read_one(ctx, p->lsp_by_uuid, key);
    if ((lsp->type != LSP_ROUTER && lsp->type != LSP_LOCALNET) ||
        !program_switch_has(ctx, p, &lsp->ls, SWITCH_HAS_STATEFUL_ACL))
        return;
    const struct feed_row *in = inc_read_one(ctx, p->in_lsp_by_uuid, key);
    const char *asked = nb_logical_switch_port_options_value(nb_logical_switch_port_cast(in->row),
                                                             "enable_router_port_acl");
    if (lsp->type == LSP_ROUTER && asked && !strcmp(asked, "true"))
        return;
    struct lflow_out l = lflows_begin(ctx, p, &lsp->ls, &lsp->uuid);
    struct expr *ip = expr_flag(l.e, SYM_IP, true);
    lflows_emit(&l, STAGE_SW_IN_PRE_ACL, 110,
                expr_and(l.e, expr_ref(ip), lflows_inport(&l, lsp->name)), lflows_next(&l));
    lflows_emit(&l, STAGE_SW_OUT_PRE_ACL, 110, expr_and(l.e, ip, lflows_outport(&l, lsp->name)),
                lflows_next(&l));
}
