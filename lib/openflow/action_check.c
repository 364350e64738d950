/* action_check.c - whether actions make sense for a flow's match and table (OpenFlow 1.3 6.4: "inconsistent"). */
#include "openflow/action_check.h"

#include "net/headers.h"

enum { OF_PORTS_MAX = 0xff00 };
enum { PORT_FTP = 21, PORT_TFTP = 69 };

struct checker {
    const struct match *match; /* NULL: packets are not known (any more) */
    uint8_t table, n_tables;
    unsigned vlan;  /* tags that are there, by match or pushed */
    bool mpls, pbb; /* a label, I-TAG is */
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
        return c->vlan > 0;
    case PREREQ_MPLS:
        return c->mpls;
    case PREREQ_PBB:
        return c->pbb;
    default:
        break;
    }
    return match_implies_prereq(c->match, f->prereq);
}

static bool match_has_vlan(const struct match *match)
{
    return match->key.vlan_tci & match->mask.bits.vlan_tci & swap16(VLAN_CFI);
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
        if (s->field == FIELD_DL_VLAN || s->field == FIELD_DL_VLAN_PCP) {
            s->tagged = c->vlan > 0;
            c->vlan = MAX(c->vlan, 1u);
        }
        return 0;
    }
    if (s->field == FIELD_VLAN_TCI)
        c->vlan = MAX(c->vlan, 1u);
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

/* What an action reads and writes must be there. */
static int check_sub(const struct checker *c, const struct subfield *sub)
{
    return may_have(c, field_get(sub->id)) ? 0 : OF_ERR_ACTION_MATCH_INCONSISTENT;
}

static bool is(const struct checker *c, enum field_prereq prereq)
{
    return !c->match || match_implies_prereq(c->match, prereq);
}

/* Sources are fields of this packet; what is matched or loaded belongs to the packets that the values before promise. */
static int check_learn(const struct checker *c, const struct of_learn *l)
{
    struct match learned;
    match_init(&learned);
    struct checker other = {.match = &learned, .vlan = 1};
    for (unsigned i = 0; i < l->n_specs; i++) {
        const struct of_learn_spec *spec = &l->specs[i];
        int err = spec->src_imm ? 0 : check_sub(c, &spec->src);
        if (!err && spec->dst_type != OF_LEARN_OUTPUT)
            err = check_sub(&other, &spec->dst);
        if (err)
            return err;
        if (spec->dst_type == OF_LEARN_MATCH && spec->src_imm)
            match_set_bits(&learned, &spec->dst, (u128)spec->value_hi << 64 | spec->value_lo);
    }
    return 0;
}

static int check_ct(const struct checker *c, const struct of_ct *ct)
{
    const struct of_action *a;
    size_t n;
    const void *nested = of_action_nested((const void *)ct, &n);
    if (!is(c, ct->alg == PORT_FTP ? PREREQ_TCP : ct->alg == PORT_TFTP ? PREREQ_UDP : PREREQ_IP))
        return OF_ERR_ACTION_MATCH_INCONSISTENT;
    OF_ACTION_FOR_EACH(a, nested, n)
    {
        const struct of_nat *nat = (const void *)a;
        if (a->type == OF_NAT && nat->addr_version &&
            !is(c, nat->addr_version == 4 ? PREREQ_IPV4 : PREREQ_IPV6))
            return OF_ERR_ACTION_MATCH_INCONSISTENT;
    }
    return 0;
}

static int check_goto(const struct checker *c, const struct of_goto_table *g)
{
    return g->table <= c->table || g->table >= c->n_tables ? OF_ERR_INSTRUCTION_BAD_TABLE_ID : 0;
}

static int check_action(struct checker *c, struct of_action *x)
{
    const struct of_move *move = (const void *)x;
    int err;
    switch (x->type) {
    case OF_SET_FIELD:
        return check_set_field(c, (void *)x);
    case OF_MOVE:
        err = check_sub(c, &move->src);
        return err ? err : check_sub(c, &move->dst);
    case OF_STACK_PUSH:
    case OF_STACK_POP:
        return check_sub(c, &((const struct of_stack *)(const void *)x)->sub);
    case OF_LEARN:
        return check_learn(c, (const void *)x);
    case OF_OUTPUT:
        return is_output_port(((const struct of_output *)(const void *)x)->port)
                   ? 0
                   : OF_ERR_ACTION_BAD_OUT_PORT;
    case OF_PUSH_VLAN:
        c->vlan++;
        return 0;
    case OF_POP_VLAN:
        c->vlan -= c->vlan > 0;
        return 0;
    case OF_PUSH_MPLS:
        c->mpls = true;
        return 0;
    case OF_PUSH_PBB:
        c->pbb = true;
        return 0;
    case OF_POP_MPLS:
    case OF_POP_PBB:
        c->match = NULL; /* what was inside */
        return 0;
    case OF_GOTO_TABLE:
        return check_goto(c, (const void *)x);
    case OF_CT:
        return check_ct(c, (const void *)x);
    case OF_RESUBMIT:
        return !((const struct of_resubmit *)(const void *)x)->with_ct || is(c, PREREQ_IP)
                   ? 0
                   : OF_ERR_ACTION_MATCH_INCONSISTENT;
    case OF_FIN_TIMEOUT:
        return is(c, PREREQ_TCP) ? 0 : OF_ERR_ACTION_MATCH_INCONSISTENT;
    default:
        return 0;
    }
}

/* Beside "conjunction" only notes may stand: such a flow has no actions of its own. */
static int check_conjunctions(const uint8_t *data, size_t n)
{
    const struct of_action *a;
    bool conjunction = false, other = false;
    OF_ACTION_FOR_EACH(a, data, n)
    {
        conjunction |= a->type == OF_CONJUNCTION;
        other |= a->type != OF_CONJUNCTION && a->type != OF_NOTE;
    }
    return conjunction && other ? OF_ERR_NX_BAD_CONJUNCTION : 0;
}

static int check_list(struct checker *c, uint8_t *data, size_t n)
{
    int err = check_conjunctions(data, n);
    for (uint8_t *p = data; !err && n && p < data + n;) {
        struct of_action *x = (void *)p;
        size_t m;
        uint8_t *nested = (uint8_t *)(uintptr_t)of_action_nested(x, &m);
        err = check_action(c, x);
        if (!err && nested) {
            struct checker inner = *c;
            err = check_list(&inner, nested, m);
        }
        p += x->len;
    }
    return err;
}

int of_actions_check_present(const struct of_actions *actions, const struct match *match)
{
    struct checker c = {.match = match};
    bool mpls = match_implies_prereq(match, PREREQ_MPLS);
    unsigned vlan = match_has_vlan(match);
    const struct of_action *a;
    OF_ACTION_FOR_EACH(a, actions->data, actions->n)
    {
        const struct of_set_field *set = (const void *)a;
        bool mod = a->type == OF_SET_FIELD && set->form == OF_FORM_MOD;
        if (a->type == OF_POP_MPLS || a->type == OF_POP_PBB)
            break;
        if (a->type == OF_SET_FIELD &&
            (set->field == FIELD_VLAN_TCI || set->field == FIELD_DL_VLAN ||
             set->field == FIELD_DL_VLAN_PCP))
            vlan = MAX(vlan, 1u);
        vlan += a->type == OF_PUSH_VLAN;
        mpls |= a->type == OF_PUSH_MPLS;
        if ((a->type == OF_POP_VLAN && !vlan) ||
            ((a->type == OF_DEC_MPLS_TTL || (mod && set->field == FIELD_MPLS_TTL)) && !mpls) ||
            ((a->type == OF_DEC_TTL || (mod && set->field == FIELD_IP_TTL)) && !is(&c, PREREQ_IP)))
            return OF_ERR_ACTION_MATCH_INCONSISTENT;
        if (a->type == OF_POP_VLAN)
            vlan--;
    }
    return 0;
}

int of_actions_check(struct of_actions *actions, const struct match *match, uint8_t table_id,
                     uint8_t n_tables)
{
    struct checker c = {.match = match, .table = table_id, .n_tables = n_tables};
    c.vlan = !match || match_has_vlan(match);
    c.mpls = !match || match_implies_prereq(match, PREREQ_MPLS);
    c.pbb = !match || match_implies_prereq(match, PREREQ_PBB);
    return check_list(&c, actions->data, actions->n);
}
