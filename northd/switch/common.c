/* common.c - the flows that every logical switch has: each stage's last word, and the drops of frames that no port may
 * send (room 3 of docs/architecture.md). They are the same on all switches, so each is one southbound row for all of them.
 *
 * A stage without features of its own passes on. The ingress pipeline ends in l2_unknown, the egress in apply_port_sec,
 * whose name is older than what it does last: hand the packet to the port.
 */
#include "northd/classes.h"
#include "northd/switch/switch.h"

static void admission(const struct lflow_out *l, bool vlans_pass)
{
    lflows_emit(l, STAGE_SW_IN_CHECK_PORT_SEC, 100, expr_eq_bits(l->e, SYM_ETH_SRC, 40, 1, 1),
                lflows_drop(l)); /* from a group address */
    if (!vlans_pass)
        lflows_emit(l, STAGE_SW_IN_CHECK_PORT_SEC, 100, expr_flag(l->e, SYM_VLAN_PRESENT, true),
                    lflows_drop(l));
}

static void flood(const struct lflow_out *l)
{
    lflows_emit(l, STAGE_SW_IN_L2_LKUP, 70, expr_flag(l->e, SYM_ETH_MCAST, true),
                lflows_output_to(l, group_name(GROUP_FLOOD)));
}

void switch_common(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const uint64_t *traits = key;
    struct lflow_out l = classes_begin(ctx, p, CLASS_COMMON, traits);
    for (enum stage stage = 0; stage < N_STAGES; stage++) {
        if (stage_info(stage)->datapath != DATAPATH_SWITCH || stage == STAGE_SW_IN_ACL ||
            stage == STAGE_SW_IN_ACL_AFTER_LB || stage == STAGE_SW_OUT_ACL)
            continue; /* acl/common.c has the last word on ACLs */
        if (stage == STAGE_SW_IN_L2_LKUP)
            continue; /* l2_lkup.c */
        bool last = stage == STAGE_SW_IN_L2_UNKNOWN || stage == STAGE_SW_OUT_APPLY_PORT_SEC;
        struct actions *actions = last ? lflows_output(&l) : lflows_next(&l);
        lflows_emit(&l, stage, 0, expr_true(l.e), actions);
    }
    admission(&l, has_trait(*traits, TRAIT_VLAN_PASSTHRU));
    flood(&l);
    switch_l2_common(&l);
    switch_stateful(&l);
    if (has_trait(*traits, SWITCH_HAS_PORT_SECURITY))
        switch_port_sec(&l);
    if (has_trait(*traits, SWITCH_HAS_VTEP))
        switch_vtep_common(&l);
}
