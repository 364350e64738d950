/* enabled.c - which ports may send and receive at all: a disabled port does neither (room 3 of docs/architecture.md). */
#include "northd/lflows.h"
#include "northd/switch/switch.h"

void switch_enabled(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_lsp *lsp = inc_read_one(ctx, p->lsp_by_uuid, key);
    if (!(lsp->flags & PORT_DISABLED))
        return;
    struct lflow_out l = lflows_begin(ctx, p, &lsp->ls, &lsp->uuid);
    lflows_emit(&l, STAGE_SW_IN_CHECK_PORT_SEC, 100, lflows_inport(&l, lsp->name), lflows_drop(&l));
    lflows_emit(&l, STAGE_SW_OUT_CHECK_PORT_SEC, 150, lflows_outport(&l, lsp->name),
                lflows_drop(&l));
}
