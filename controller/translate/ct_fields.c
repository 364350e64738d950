/* ct_fields.c - tables 81 to 83, 85 and 86: what the connection tracker knows of a packet, for ct_nw_dst(), ct_ip6_dst(), ct_tp_dst(),
 * ct_proto() and ct_state_save().
 *
 * Room 8. The action leaves a zero where the answer belongs (lib/encode/encode_lookup.c) and comes here; of a packet that is not tracked, or whose
 * state is invalid, the zero stays. One unit: the flows are always the same. Northds of OVN 24.09 and later ask.
 */
#include "controller/translate/oflow.h"

#include "lflow/lflow.h"
#include "net/headers.h"

enum { PRIO_ANSWER = 100 };

struct answer {
    unsigned table;
    enum field_id what, to;
    uint16_t n_bits;
    uint16_t eth_type; /* 0: any */
};

static void put_answer(struct inc_ctx *ctx, struct program *p, struct oflow *flow,
                       const struct answer *a)
{
    struct subfield from = subfield_make(a->what, 0, a->n_bits),
                    to = subfield_make(a->to, 0, a->n_bits);
    oflow_begin(flow);
    if (a->eth_type)
        match_set(&flow->match, FIELD_ETH_TYPE, a->eth_type);
    match_set_masked(&flow->match, FIELD_CT_STATE, CT_TRK, CT_TRK | CT_INV);
    of_put_move(&flow->actions, &from, &to);
    oflow_emit(ctx, p, flow, a->table, PRIO_ANSWER, 0);
}

void ct_fields_run(struct inc_ctx *ctx, const void *key UNUSED, void *aux)
{
    static const struct answer answers[] = {
        {OFTABLE_CT_ORIG_NW_DST, FIELD_CT_NW_DST, FIELD_XXREG1, 32, ETH_TYPE_IP},
        {OFTABLE_CT_ORIG_IP6_DST, FIELD_CT_IPV6_DST, FIELD_XXREG1, 128, ETH_TYPE_IPV6},
        {OFTABLE_CT_ORIG_TP_DST, FIELD_CT_TP_DST, FIELD_XXREG1, 16, ETH_TYPE_IP},
        {OFTABLE_CT_ORIG_TP_DST, FIELD_CT_TP_DST, FIELD_XXREG1, 16, ETH_TYPE_IPV6},
        {OFTABLE_CT_ORIG_PROTO, FIELD_CT_NW_PROTO, FIELD_XXREG1, 8, ETH_TYPE_IP},
        {OFTABLE_CT_ORIG_PROTO, FIELD_CT_NW_PROTO, FIELD_XXREG1, 8, ETH_TYPE_IPV6},
        {OFTABLE_CT_STATE_SAVE, FIELD_CT_STATE, FIELD_REG4, 8, 0},
    };
    struct oflow flow = OFLOW_INIT;
    for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
        put_answer(ctx, aux, &flow, &answers[i]);
    oflow_fini(&flow);
}
