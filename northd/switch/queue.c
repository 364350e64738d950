/* queue.c - the queue that a port's packets go through on a physical network (room 3 of docs/architecture.md; ovn-nb(5)
 * "qdisc_queue_id"): set where they enter, and on a localnet port where they leave.
 */
#include <ctype.h>

#include "northd/switch/switch.h"
#include "rows/nb.h"

enum { MAX_QUEUE = 61440 }; /* what Linux's HTB can tell apart */

/* The number of the queue; 0: none, or no number. */
static unsigned queue_of(const struct feed_row *in)
{
    const char *s = nb_logical_switch_port_options_value(nb_logical_switch_port_cast(in->row),
                                                         "qdisc_queue_id");
    unsigned n = 0;
    if (!s)
        return 0;
    for (; *s; s++) {
        if (!isdigit((unsigned char)*s) || (n = n * 10 + (unsigned)(*s - '0')) > MAX_QUEUE)
            return 0;
    }
    return n;
}

void switch_queue(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_lsp *lsp = inc_read_one(ctx, p->lsp_by_uuid, key);
    unsigned queue = queue_of(inc_read_one(ctx, p->in_lsp_by_uuid, key));
    if (!queue || lsp->type == LSP_VTEP || lsp->flags & PORT_DISABLED)
        return;
    struct lflow_out l = lflows_begin(ctx, p, &lsp->ls, &lsp->uuid);
    bool checked = program_switch_has(ctx, p, &lsp->ls, SWITCH_HAS_PORT_SECURITY);
    lflows_emit(&l, STAGE_SW_IN_CHECK_PORT_SEC, 70, lflows_inport(&l, lsp->name),
                lflows_actions(&l, "set_queue(%u); %snext;", queue,
                               checked ? "reg0[15] = check_in_port_sec(); " : ""));
    if (lsp->type == LSP_LOCALNET) /* after what port security drops */
        lflows_emit(&l, STAGE_SW_OUT_APPLY_PORT_SEC, 40, lflows_outport(&l, lsp->name),
                    lflows_actions(&l, "set_queue(%u); output;", queue));
}
