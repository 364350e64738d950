/* parse.c - text of a logical flow that concerns this hypervisor into trees.
 *
 * Rooms 5 and 6. The match that comes out is the flow's own and the prerequisites of its actions together. The trees are not kept as facts: the pools
 * of the language remember what texts were parsed to (expr/text_cache.h).
 */
#include "controller/translate/parse.h"

#include <string.h>

#include "base/err.h"
#include "lflow/lflow.h"
#include "rows/sb.h"

static void tell(struct program *p, const char *what, const char *text, const struct diag *diag,
                 struct rstr **why)
{
    struct str s = STR_INIT;
    str_putf(&s, "%s \"%s\": %s", what, text, diag_text(diag));
    *why = program_name(p, str_c(&s));
    str_fini(&s);
}

/* The flow's actions and what they ask of the packet. */
static int parse_actions(struct program *p, const struct sb_logical_flow *row, struct parsed *f,
                         struct expr **prereq, struct diag *diag)
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

bool parse_lflow(struct program *p, const struct row *lflow, struct parsed *f, struct rstr **why)
{
    const struct sb_logical_flow *row = sb_logical_flow_cast(lflow);
    bool is_ingress = !strcmp(sb_logical_flow_pipeline(row), "ingress");
    *f = (struct parsed){.cookie = uuid_prefix32(&lflow->uuid),
                         .priority = (uint16_t)sb_logical_flow_priority(row),
                         .pipeline = is_ingress ? PIPELINE_INGRESS : PIPELINE_EGRESS,
                         .table = (uint8_t)sb_logical_flow_table_id(row),
                         .meter = sb_logical_flow_controller_meter(row)};
    struct diag diag = DIAG_INIT;
    struct expr *match = NULL, *prereq = NULL;
    if (parse_actions(p, row, f, &prereq, &diag)) {
        tell(p, "actions", sb_logical_flow_actions(row), &diag, why);
    } else if (expr_parse(p->exprs, sb_logical_flow_match(row), NULL, &match, &diag)) {
        tell(p, "match", sb_logical_flow_match(row), &diag, why);
        actions_unref(f->actions);
        expr_unref(prereq);
    } else {
        f->match = expr_and(p->exprs, match, prereq);
    }
    diag_fini(&diag);
    return f->match;
}

void parsed_fini(struct parsed *f)
{
    expr_unref(f->match);
    actions_unref(f->actions);
}
