/* fdb.c - learning where MAC addresses are (room 3 of docs/architecture.md; ovn-northd(8) "Learn MAC of 'unknown' ports"): on ports
 * with "unknown" addresses, whose senders are not checked, and on a localnet port that asks for it. What was learned is looked up
 * in l2_lkup (l2_lkup.c).
 */
#include "northd/switch/switch.h"

void switch_fdb(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_lsp *lsp = inc_read_one(ctx, p->lsp_by_uuid, key);
    if (!(lsp->flags & PORT_LEARNS))
        return;
    struct lflow_out l = lflows_begin(ctx, p, &lsp->ls, &lsp->uuid);
    lflows_emit(&l, STAGE_SW_IN_LOOKUP_FDB, 100, lflows_inport(&l, lsp->name),
                lflows_actions(&l, "reg0[11] = lookup_fdb(inport, eth.src); next;"));
    lflows_emit(&l, STAGE_SW_IN_PUT_FDB, 100,
                expr_and(l.e, lflows_inport(&l, lsp->name), lflows_match(&l, "reg0[11] == 0")),
                lflows_actions(&l, "put_fdb(inport, eth.src); next;"));
}
