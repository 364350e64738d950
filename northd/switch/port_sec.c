/* port_sec.c - port security: who may send and receive with what addresses (room 3 of docs/architecture.md; ovn-nb(5)
 * "port_security"). The addresses go to controllers in Port_Binding, which know how to check them; here is only where they do.
 * A switch none of whose ports is secured does not ask.
 */
#include "northd/switch/switch.h"

void switch_port_sec(const struct lflow_out *l)
{
    static const struct lflow_text flows[] = {
        {STAGE_SW_IN_CHECK_PORT_SEC, 50, "1", "reg0[15] = check_in_port_sec(); next;"},
        {STAGE_SW_IN_APPLY_PORT_SEC, 50, "reg0[15] == 1", "drop;"},
        {STAGE_SW_OUT_CHECK_PORT_SEC, 100, "eth.mcast", "reg0[15] = 0; next;"},
        {STAGE_SW_OUT_CHECK_PORT_SEC, 50, "1", "reg0[15] = check_out_port_sec(); next;"},
        {STAGE_SW_OUT_APPLY_PORT_SEC, 50, "reg0[15] == 1", "drop;"},
    };
    lflows_emit_texts(l, flows, ARRAY_SIZE(flows));
}
