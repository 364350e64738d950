/* ops.c - the table of actions; see ops.h. */
#include "action/ops.h"

#include "base/util.h"

static const struct op_info table[] = {
#define ACTION(ID, NAME, SHAPE, PREREQ)                                                            \
    [ACTION_##ID] = {.name = NAME, .shape = SHAPE_##SHAPE, .prereq = PREREQ},
#include "action/actions.def"
#undef ACTION
};

#define FIELDS(ARGS, WIDTH)                                                                        \
    {                                                                                              \
        ARGS, WIDTH, ", ", " = ", ", ", true                                                       \
    }
#define LISTS(WIDTH, SEPARATOR, ASSIGN, LIST_SEPARATOR, BRACES)                                    \
    {                                                                                              \
        NULL, WIDTH, SEPARATOR, ASSIGN, LIST_SEPARATOR, BRACES                                     \
    }

static const struct op_detail details[N_ACTION_OPS] = {
    [ACTION_GET_ARP] = FIELDS("P4", 0),
    [ACTION_PUT_ARP] = FIELDS("P4M", 0),
    [ACTION_LOOKUP_ARP] = FIELDS("P4M", 1),
    [ACTION_LOOKUP_ARP_IP] = FIELDS("P4", 1),
    [ACTION_GET_ND] = FIELDS("P6", 0),
    [ACTION_PUT_ND] = FIELDS("P6M", 0),
    [ACTION_LOOKUP_ND] = FIELDS("P6M", 1),
    [ACTION_LOOKUP_ND_IP] = FIELDS("P6", 1),
    [ACTION_PUT_FDB] = FIELDS("PM", 0),
    [ACTION_GET_FDB] = FIELDS("M", 32),
    [ACTION_GET_REMOTE_FDB] = FIELDS("M", 32),
    [ACTION_LOOKUP_FDB] = FIELDS("PM", 1),
    [ACTION_DNS_LOOKUP] = FIELDS("", 1),
    [ACTION_CHK_LB_HAIRPIN] = FIELDS("", 1),
    [ACTION_CHK_LB_HAIRPIN_REPLY] = FIELDS("", 1),
    [ACTION_CHECK_IN_PORT_SEC] = FIELDS("", 1),
    [ACTION_CHECK_OUT_PORT_SEC] = FIELDS("", 1),
    [ACTION_CHK_ECMP_NH_MAC] = FIELDS("", 1),
    [ACTION_CHK_ECMP_NH] = FIELDS("", 1),
    [ACTION_CHK_LB_AFF] = FIELDS("", 1),
    [ACTION_CT_NW_DST] = FIELDS("", 32),
    [ACTION_CT_IP6_DST] = FIELDS("", 128),
    [ACTION_CT_TP_DST] = FIELDS("", 16),
    [ACTION_CT_PROTO] = FIELDS("", 8),
    [ACTION_CT_STATE_SAVE] = FIELDS("", 8),
    [ACTION_HANDLE_BFD_MSG] = FIELDS("", 0),
    [ACTION_HANDLE_SVC_CHECK] = FIELDS("P", 0),
    [ACTION_PUT_DHCP_OPTS] = LISTS(1, ", ", " = ", ", ", true),
    [ACTION_PUT_DHCPV6_OPTS] = LISTS(1, ", ", " = ", ", ", true),
    [ACTION_PUT_ND_RA_OPTS] = LISTS(1, ", ", " = ", ", ", true),
    [ACTION_DHCP_RELAY_REQ_CHK] = LISTS(1, ", ", "", "", false),
    [ACTION_DHCP_RELAY_RESP_CHK] = LISTS(1, ", ", "", "", false),
    [ACTION_SET_QUEUE] = LISTS(0, ", ", "", "", false),
    [ACTION_SET_METER] = LISTS(0, ", ", "", "", false),
    [ACTION_LOG] = LISTS(0, ", ", "=", "", false),
    [ACTION_CHECK_PKT_LARGER] = LISTS(1, ", ", "", "", false),
    [ACTION_TRIGGER_EVENT] = LISTS(0, ", ", " = ", ", ", false),
    [ACTION_BIND_VPORT] = LISTS(0, ", ", "", "", false),
    [ACTION_FWD_GROUP] = LISTS(0, ", ", "=", ", ", false),
    [ACTION_SELECT] = LISTS(0, "; ", "=", "", false),
    [ACTION_CT_LB] = LISTS(0, "; ", "=", ",", false),
    [ACTION_CT_LB_MARK] = LISTS(0, "; ", "=", ",", false),
    [ACTION_CT_LB_MARK_LOCAL] = LISTS(0, "; ", "=", ",", false),
    [ACTION_COMMIT_ECMP_NH] = LISTS(0, ", ", " = ", "", false),
    [ACTION_COMMIT_LB_AFF] = LISTS(0, ", ", " = ", "", false),
    [ACTION_SAMPLE] = LISTS(0, ",", "=", "", false),
    [ACTION_MIRROR] = LISTS(0, ", ", "", "", false),
    [ACTION_PUSH] = LISTS(0, ", ", "", "", false),
    [ACTION_POP] = LISTS(0, ", ", "", "", false),
};

const struct op_info *op_info(enum action_op op)
{
    INVARIANT(op < N_ACTION_OPS);
    return &table[op];
}

const struct op_detail *op_detail(enum action_op op)
{
    INVARIANT(op < N_ACTION_OPS);
    return &details[op];
}

bool action_has_result(enum action_op op)
{
    return op_info(op)->shape == SHAPE_RESULT;
}
