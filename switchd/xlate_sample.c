/* xlate_sample.c - the sample action: the packet as it is now is told to a set of collectors, with the given probability; see
 * export/export.h. */
#include "switchd/xlate_ctx.h"

static uint32_t number(struct xctx *x, const struct subfield *src, uint32_t imm)
{
    return src->id == FIELD_NONE ? imm : (uint32_t)xctx_get(x, src);
}

void xlate_sample(struct xctx *x, const struct of_sample *a)
{
    struct dp_sample s = {.bridge_no = x->br->number,
                          .set_id = a->collector_set_id,
                          .probability = a->probability,
                          .egress = a->direction == 2 /* egress */,
                          .out_port = a->sampling_port == PORT_ANY ? 0 : a->sampling_port};
    if (!exports_find(&x->br->exports, a->collector_set_id)) {
        xctx_note(x, "     >> no Flow_Sample_Collector_Set %u", a->collector_set_id);
        return;
    }
    s.domain = number(x, &a->obs_domain_src, a->obs_domain_imm);
    s.point = number(x, &a->obs_point_src, a->obs_point_imm);
    xlate_commit(x);
    dp_put_sample(&x->out->actions, &s);
}
