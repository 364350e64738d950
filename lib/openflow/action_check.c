/* action_check.c - whether actions make sense for a flow's match and table (OpenFlow 1.3 6.4: "inconsistent"). */
#include "net/headers.h"
#include "openflow/actions.h"

enum { OF_PORTS_MAX = 0xff00 };

struct checker {
    const struct match *match; /* NULL: packets are not known (any more) */
    uint8_t table, n_tables;
    bool vlan, mpls, pbb; /* a tag, label, I-TAG is there, by match or pushed */
};

/* Whether the packets of the flow may have FIELD: their match promises it, or an action before has brought it. */
static bool may_have(const struct checker *c, const struct field *f)
{
    if (!c->match)
        return true;
    switch (f->prereq) {
    case PREREQ_NONE:
    case PREREQ_CT: /* the tracker may bring it */
        return true;
    case PREREQ_VLAN:
        return c->vlan;
    case PREREQ_MPLS:
        return c->mpls;
    case PREREQ_PBB:
        return c->pbb;
    default:
        break;
    }
    return match_implies_prereq(c->match, f->prereq);
}

static enum field_id transport_field(const struct match *match, enum field_id id)
{
    bool src = id == FIELD_TCP_SRC;
    if (key_has_prereq(&match->key, PREREQ_UDP))
        return src ? FIELD_UDP_SRC : FIELD_UDP_DST;
    if (key_has_prereq(&match->key, PREREQ_SCTP))
        return src ? FIELD_SCTP_SRC : FIELD_SCTP_DST;
    return id;
}

static int check_set_field(struct checker *c, struct of_set_field *s)
{
    const struct field *f = field_get(s->field);
    if (s->form == OF_FORM_MOD) {
        /* 1.0's actions do what the packet allows; "tp_src" means the ports of whatever protocol it is. */
        if (c->match && (s->field == FIELD_TCP_SRC || s->field == FIELD_TCP_DST))
            s->field = (uint8_t)transport_field(c->match, s->field);
        if (s->field == FIELD_DL_VLAN || s->field == FIELD_DL_VLAN_PCP)
            c->vlan = true;
        return 0;
    }
    if (s->form == OF_FORM_LOAD)
        return 0;
    return may_have(c, f) ? 0 : OF_ERR_ACTION_MATCH_INCONSISTENT;
}

/* A port that can be output to: a number of a port, or one of those with a meaning. */
static bool is_output_port(uint32_t port)
{
    switch (port) {
    case PORT_IN_PORT:
    case PORT_TABLE:
    case PORT_NORMAL:
    case PORT_FLOOD:
    case PORT_ALL:
    case PORT_CONTROLLER:
    case PORT_LOCAL:
        return true;
    default:
        return port < OF_PORTS_MAX;
    }
}

static int check_list(struct checker *c, uint8_t *data, size_t n)
{
    for (uint8_t *p = data; n && p < data + n;) {
        struct of_action *x = (void *)p;
        size_t m;
        uint8_t *nested = (uint8_t *)(uintptr_t)of_action_nested(x, &m);
        int err = 0;
        if (x->type == OF_SET_FIELD)
            err = check_set_field(c, (void *)x);
        else if (x->type == OF_OUTPUT && !is_output_port(((struct of_output *)(void *)x)->port))
            err = OF_ERR_ACTION_BAD_OUT_PORT;
        else if (x->type == OF_PUSH_VLAN)
            c->vlan = true;
        else if (x->type == OF_POP_VLAN)
            c->vlan = false;
        else if (x->type == OF_PUSH_MPLS)
            c->mpls = true;
        else if (x->type == OF_PUSH_PBB)
            c->pbb = true;
        else if (x->type == OF_POP_MPLS || x->type == OF_POP_PBB)
            c->match = NULL; /* what was inside */
        else if (x->type == OF_GOTO_TABLE && ((struct of_goto_table *)(void *)x)->table <= c->table)
            err = OF_ERR_INSTRUCTION_BAD_TABLE_ID;
        else if (x->type == OF_GOTO_TABLE &&
                 ((struct of_goto_table *)(void *)x)->table >= c->n_tables)
            err = OF_ERR_INSTRUCTION_BAD_TABLE_ID;
        else if (x->type == OF_CT && c->match && !match_implies_prereq(c->match, PREREQ_IP))
            err = OF_ERR_ACTION_MATCH_INCONSISTENT;
        else if (x->type == OF_FIN_TIMEOUT && c->match &&
                 !match_implies_prereq(c->match, PREREQ_TCP))
            err = OF_ERR_ACTION_MATCH_INCONSISTENT;
        if (!err && nested) {
            struct checker inner = *c;
            err = check_list(&inner, nested, m);
        }
        if (err)
            return err;
        p += x->len;
    }
    return 0;
}

int of_actions_check(struct of_actions *actions, const struct match *match, uint8_t table_id,
                     uint8_t n_tables)
{
    struct checker c = {.match = match, .table = table_id, .n_tables = n_tables};
    c.vlan = !match || (match->key.vlan_tci & match->mask.bits.vlan_tci & swap16(VLAN_CFI));
    c.mpls = !match || match_implies_prereq(match, PREREQ_MPLS);
    c.pbb = !match || match_implies_prereq(match, PREREQ_PBB);
    return check_list(&c, actions->data, actions->n);
}
