/* xlate_set.c - action sets (OpenFlow 1.3 section 5.10), with the order of Open vSwitch (ovs-actions(7)); see xlate_ctx.h. */
#include "openflow/error.h"
#include "switchd/action_set.h"
#include "switchd/xlate_ctx.h"

enum { SET_FIELDS = 9, SET_GROUP = 11, SET_LAST = 15 };

/* Where an action of a set is carried out; 0: never part of one. From SET_GROUP on only the first there is. */
static int set_order(const struct of_action *a)
{
    static const uint8_t orders[] = {
        [OF_POP_VLAN] = 1,         [OF_POP_MPLS] = 2,      [OF_POP_PBB] = 3,
        [OF_PUSH_MPLS] = 4,        [OF_PUSH_PBB] = 5,      [OF_PUSH_VLAN] = 6,
        [OF_DEC_TTL] = 7,          [OF_DEC_MPLS_TTL] = 8,  [OF_SET_FIELD] = SET_FIELDS,
        [OF_SET_TUN] = SET_FIELDS, [OF_MOVE] = SET_FIELDS, [OF_SET_QUEUE] = 10,
        [OF_GROUP] = SET_GROUP,    [OF_OUTPUT] = 12,       [OF_RESUBMIT] = 13,
        [OF_CT_CLEAR] = 14,        [OF_CT] = SET_LAST,
    };
    return a->type < ARRAY_SIZE(orders) ? orders[a->type] : 0;
}

int action_set_check(const struct of_actions *actions)
{
    const struct of_action *a, *each;
    OF_ACTION_FOR_EACH(a, actions->data, actions->n)
    {
        size_t n;
        const void *nested = of_action_nested(a, &n);
        if (a->type != OF_WRITE_ACTIONS)
            continue;
        OF_ACTION_FOR_EACH(each, nested, n)
        {
            if (!set_order(each))
                return OF_ERR_ACTION_BAD_TYPE;
        }
    }
    return 0;
}

void xlate_order_set(const struct of_actions *set, struct of_actions *ret)
{
    const struct of_action *a;
    for (int order = 1; order <= SET_LAST; order++) {
        const struct of_action *last = NULL;
        OF_ACTION_FOR_EACH(a, set->data, set->n)
        {
            if (set_order(a) != order)
                continue;
            last = a;
            if (order == SET_FIELDS)
                of_actions_append(ret, a, a->len);
        }
        if (last && order != SET_FIELDS)
            of_actions_append(ret, last, last->len);
        if (last && order >= SET_GROUP)
            return;
    }
    of_actions_clear(ret);
}

bool xlate_set_is_empty(const struct of_actions *set)
{
    const struct of_action *a;
    OF_ACTION_FOR_EACH(a, set->data, set->n)
    {
        if (set_order(a) >= SET_GROUP)
            return false;
    }
    return true;
}

void xlate_set(struct xctx *x, const struct of_actions *set)
{
    struct of_actions ordered = OF_ACTIONS_INIT;
    xlate_order_set(set, &ordered);
    xlate_actions(x, ordered.data, ordered.n);
    of_actions_fini(&ordered);
}

void xlate_action_set(struct xctx *x)
{
    struct of_actions set = x->action_set;
    x->action_set = (struct of_actions)OF_ACTIONS_INIT;
    if (!xlate_set_is_empty(&set)) {
        xctx_note(x, "--. Executing action set:");
        xlate_set(x, &set);
    }
    of_actions_fini(&set);
}
