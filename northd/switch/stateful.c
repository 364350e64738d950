/* stateful.c - connection tracking on a switch, as far as it is neither an ACL's nor a load balancer's own (room 3 of
 * docs/architecture.md; ovn-northd(8) "Pre-stateful", "Stateful"). Every switch has these flows: who sets no bit pays nothing.
 *
 * Bits of reg0: [0] go through conntrack, [2] through it with translation, [1] commit when all is decided, [13] with the
 * label in reg3.
 */
#include "northd/switch/switch.h"

void switch_stateful(const struct lflow_out *l)
{
    static const struct lflow_text flows[] = {
        {STAGE_SW_IN_PRE_STATEFUL, 110, "reg0[2] == 1", "ct_lb_mark;"},
        {STAGE_SW_IN_PRE_STATEFUL, 100, "reg0[0] == 1", "ct_next;"},
        {STAGE_SW_OUT_PRE_STATEFUL, 110, "reg0[2] == 1", "ct_lb_mark;"},
        {STAGE_SW_OUT_PRE_STATEFUL, 100, "reg0[0] == 1", "ct_next;"},
        {STAGE_SW_IN_STATEFUL, 100, "reg0[1] == 1 && reg0[13] == 0",
         "ct_commit { ct_mark.blocked = 0; }; next;"},
        {STAGE_SW_IN_STATEFUL, 100, "reg0[1] == 1 && reg0[13] == 1",
         "ct_commit { ct_mark.blocked = 0; ct_label.label = reg3; }; next;"},
        {STAGE_SW_OUT_STATEFUL, 100, "reg0[1] == 1 && reg0[13] == 0",
         "ct_commit { ct_mark.blocked = 0; }; next;"},
        {STAGE_SW_OUT_STATEFUL, 100, "reg0[1] == 1 && reg0[13] == 1",
         "ct_commit { ct_mark.blocked = 0; ct_label.label = reg3; }; next;"},
    };
    lflows_emit_texts(l, flows, ARRAY_SIZE(flows));
}
