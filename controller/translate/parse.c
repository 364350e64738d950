/* parse.c - text of a logical flow that concerns this hypervisor into trees.
 *
 * Rooms 5 and 6. The match that comes out is the flow's own and the prerequisites of its actions together. Trees live until they are translated;
 * what was translated is remembered by its texts (encode/translator.h).
 */
#include "controller/translate/parse.h"

#include <string.h>

#include "base/err.h"
#include "lflow/lflow.h"

struct lflow_text lflow_of(struct program *p, const struct row *row)
{
    const struct sb_logical_flow *lflow = sb_logical_flow_cast(row);
    bool is_ingress = !strcmp(sb_logical_flow_pipeline(lflow), "ingress");
    return (struct lflow_text){.p = p,
                               .row = lflow,
                               .cookie = uuid_prefix32(&row->uuid),
                               .priority = (uint16_t)sb_logical_flow_priority(lflow),
                               .pipeline = is_ingress ? PIPELINE_INGRESS : PIPELINE_EGRESS,
                               .table = (uint8_t)sb_logical_flow_table_id(lflow)};
}

static void tell(struct lflow_text *l, const char *what, const char *text, const struct diag *diag)
{
    struct str s = STR_INIT;
    str_putf(&s, "%s \"%s\": %s", what, text, diag_text(diag));
    l->why = program_name(l->p, str_c(&s));
    str_fini(&s);
}

/* The flow's actions and what they ask of the packet. */
static int parse_actions(const struct lflow_text *l, struct actions **actions, struct expr **prereq,
                         struct diag *diag)
{
    bool is_ingress = l->pipeline == PIPELINE_INGRESS;
    struct action_context context = {
        .pipeline = (enum pipeline)l->pipeline,
        .table = l->table,
        .n_tables = is_ingress ? MAX_INGRESS_TABLES : MAX_EGRESS_TABLES,
        .n_other = is_ingress ? MAX_EGRESS_TABLES : MAX_INGRESS_TABLES,
    };
    if (l->table >= context.n_tables)
        return diag_set(diag, ERR_RANGE, "table %u: the %s pipeline has %u", l->table,
                        lflow_pipeline_name(context.pipeline), context.n_tables);
    return actions_parse(l->p->actions, sb_logical_flow_actions(l->row), &context, actions, prereq,
                         diag);
}

int parse_lflow(void *lflow, struct expr **match, struct actions **actions,
                struct diag *diag UNUSED)
{
    struct lflow_text *l = lflow;
    struct diag why = DIAG_INIT;
    struct expr *own, *prereq;
    int rc = parse_actions(l, actions, &prereq, &why);
    if (rc) {
        tell(l, "actions", sb_logical_flow_actions(l->row), &why);
    } else if ((rc = expr_parse(l->p->exprs, sb_logical_flow_match(l->row), NULL, &own, &why))) {
        tell(l, "match", sb_logical_flow_match(l->row), &why);
        actions_unref(*actions);
        expr_unref(prereq);
    } else {
        *match = expr_and(l->p->exprs, own, prereq);
    }
    diag_fini(&why);
    return rc;
}
