/* parse.c - text of a logical flow that concerns this hypervisor into trees, once, however many datapaths it is on.
 *
 * Rooms 5 and 6. The match that comes out is the flow's own and the prerequisites of its actions together. What cannot be understood becomes a
 * reject fact with the reason; the host logs it and the flow is left out. Units are logical flows that are on a local datapath.
 */
#include "controller/program.h"

#include <string.h>

#include "base/err.h"
#include "lflow/lflow.h"
#include "rows/sb.h"

static void emit_reject(struct inc_ctx *ctx, struct program *p, const struct uuid *lflow,
                        const char *what, const char *text, const struct diag *diag)
{
    struct str why = STR_INIT;
    str_putf(&why, "%s \"%s\": %s", what, text, diag_text(diag));
    struct fact_reject f;
    INC_CLEAR(f);
    f.lflow = *lflow;
    f.why = program_name(p, str_c(&why));
    inc_emit_take(ctx, p->reject, &f);
    str_fini(&why);
}

/* The flow's actions and what they ask of the packet. */
static int parse_actions(struct program *p, const struct sb_logical_flow *row,
                         struct fact_parsed *f, struct expr **prereq, struct diag *diag)
{
    struct action_context context = {
        .pipeline = (enum pipeline)f->pipeline,
        .table = f->table,
        .n_tables = f->pipeline == PIPELINE_INGRESS ? MAX_INGRESS_TABLES : MAX_EGRESS_TABLES,
        .n_other = f->pipeline == PIPELINE_INGRESS ? MAX_EGRESS_TABLES : MAX_INGRESS_TABLES,
    };
    if (f->table >= context.n_tables)
        return diag_set(diag, ERR_RANGE, "table %u: the %s pipeline has %u", f->table,
                        lflow_pipeline_name(context.pipeline), context.n_tables);
    return actions_parse(p->actions, sb_logical_flow_actions(row), &context, &f->actions, prereq,
                         diag);
}

void parse_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct feed_row *in = inc_read_one(ctx, p->in_lflow_by_uuid, key);
    if (!in)
        return;
    const struct sb_logical_flow *row = sb_logical_flow_cast(in->row);
    struct fact_parsed f;
    INC_CLEAR(f);
    f.lflow = in->uuid;
    f.cookie = uuid_prefix32(&in->uuid);
    f.priority = (uint16_t)sb_logical_flow_priority(row);
    f.pipeline =
        !strcmp(sb_logical_flow_pipeline(row), "ingress") ? PIPELINE_INGRESS : PIPELINE_EGRESS;
    f.table = (uint8_t)sb_logical_flow_table_id(row);

    struct diag diag = DIAG_INIT;
    struct expr *match = NULL, *prereq = NULL;
    if (parse_actions(p, row, &f, &prereq, &diag)) {
        emit_reject(ctx, p, &f.lflow, "actions", sb_logical_flow_actions(row), &diag);
    } else if (expr_parse(p->exprs, sb_logical_flow_match(row), NULL, &match, &diag)) {
        emit_reject(ctx, p, &f.lflow, "match", sb_logical_flow_match(row), &diag);
        actions_unref(f.actions);
        expr_unref(prereq);
    } else {
        f.match = expr_and(p->exprs, match, prereq);
        f.meter = program_name(p, sb_logical_flow_controller_meter(row));
        inc_emit_take(ctx, p->parsed, &f);
    }
    diag_fini(&diag);
}
