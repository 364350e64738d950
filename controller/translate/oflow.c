/* oflow.c - emitting OpenFlow flows as facts. */
#include "controller/translate/oflow.h"

#include "controller/oflow_key.h"

void oflow_begin(struct oflow *flow)
{
    match_init(&flow->match);
    of_actions_clear(&flow->actions);
}

void oflow_fini(struct oflow *flow)
{
    of_actions_fini(&flow->actions);
}

struct rstr *oflow_actions(struct program *p, const struct oflow *flow)
{
    return rstr_pool_get_n(&p->blobs, flow->actions.n ? (const char *)flow->actions.data : "",
                           flow->actions.n);
}

void oflow_emit(struct inc_ctx *ctx, struct program *p, struct oflow *flow, unsigned table,
                unsigned priority, uint32_t cookie)
{
    struct fact_oflow f;
    INC_CLEAR(f);
    f.key = oflow_key_of(&p->blobs, &flow->match, table, priority);
    f.actions = oflow_actions(p, flow);
    f.cookie = cookie;
    inc_emit_take(ctx, p->oflow, &f);
}

void oflow_match_dp(struct oflow *flow, uint32_t dp_key)
{
    match_set(&flow->match, FIELD_METADATA, dp_key);
}

void oflow_match_reg(struct oflow *flow, enum field_id reg, uint32_t value)
{
    match_set(&flow->match, reg, value);
}

void oflow_resubmit(struct oflow *flow, unsigned table)
{
    of_put_resubmit(&flow->actions, PORT_IN_PORT, (uint8_t)table);
}

void oflow_load(struct oflow *flow, enum field_id field, u128 value)
{
    of_put_set_field(&flow->actions, field, value);
}

void oflow_clear_logical(struct oflow *flow)
{
    for (unsigned i = 0; i < 10; i++)
        oflow_load(flow, (enum field_id)(FIELD_REG0 + i), 0);
}
