/* eval.c - what an annotated expression says of a packet; see expr.h. */
#include "expr/expr.h"

static bool eval_cmp(const struct expr *e, const struct expr_packet *pkt)
{
    u128 x = pkt->field(pkt->aux, e->sym) & e->mask;
    switch (e->relop) {
    case EXPR_EQ:
        return x == e->value;
    case EXPR_NE:
        return x != e->value;
    case EXPR_LT:
        return x < e->value;
    case EXPR_LE:
        return x <= e->value;
    case EXPR_GT:
        return x > e->value;
    case EXPR_GE:
        return x >= e->value;
    }
    return false;
}

/* The names "" and "none" are port 0. */
static bool eval_port(const struct expr *e, const struct expr_packet *pkt)
{
    uint32_t port = 0;
    if (e->name->n && strcmp(e->name->s, "none") != 0 &&
        !(pkt->port && pkt->port(pkt->aux, e->name->s, &port)))
        return false;
    return pkt->field(pkt->aux, e->sym) == port;
}

bool expr_eval(const struct expr *e, const struct expr_packet *pkt)
{
    switch (e->kind) {
    case EXPR_BOOL:
        return e->b;
    case EXPR_CMP:
        return eval_cmp(e, pkt);
    case EXPR_STR:
        return eval_port(e, pkt) == (e->relop == EXPR_EQ);
    case EXPR_RESIDENT:
        return (pkt->resident && pkt->resident(pkt->aux, e->name->s)) == (e->relop == EXPR_EQ);
    case EXPR_AND:
        for (uint32_t i = 0; i < e->n; i++)
            if (!expr_eval(e->sub[i], pkt))
                return false;
        return true;
    case EXPR_OR:
        for (uint32_t i = 0; i < e->n; i++)
            if (expr_eval(e->sub[i], pkt))
                return true;
        return false;
    case EXPR_SET:
    case EXPR_PORT_GROUP:
        break;
    }
    bug("expr_eval: names must be expanded first");
}
