/* vtep.c - frames from a hardware VTEP (room 3 of docs/architecture.md; ovn-northd(8) "Ingress Table 16"): no from-lport ACL is asked,
 * and they go to the look-up of their destination at once; reg0[14] says on the way that they came so.
 */
#include "northd/switch/switch.h"

void switch_vtep(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_lsp *lsp = inc_read_one(ctx, p->lsp_by_uuid, key);
    if (lsp->type != LSP_VTEP || lsp->flags & PORT_DISABLED)
        return;
    struct lflow_out l = lflows_begin(ctx, p, &lsp->ls, &lsp->uuid);
    lflows_emit(
        &l, STAGE_SW_IN_CHECK_PORT_SEC, 70, lflows_inport(&l, lsp->name),
        lflows_actions(&l, "reg0[14] = 1; next(%u);", stage_info(STAGE_SW_IN_HAIRPIN)->table));
}

void switch_vtep_common(const struct lflow_out *l)
{
    lflows_emit(l, STAGE_SW_IN_HAIRPIN, 1000, lflows_match(l, "reg0[14] == 1"),
                lflows_actions(l, "next(%u);", stage_info(STAGE_SW_IN_L2_LKUP)->table));
}
