/* kinds_action.c - the KINDs of weft-lflow that concern actions; see kinds_action.h. */
#include "tools/lflow/kinds_action.h"

/* The flow that the actions belong to: logical table 10 of an ingress pipeline of 35. */
static const struct action_context example = {PIPELINE_INGRESS, 10, 35};

void kind_actions(struct session *s, const char *line, struct str *out)
{
    struct diag diag = DIAG_INIT;
    struct actions *as;
    struct expr *prereq;
    if (actions_parse(s->actions, line, &example, &as, &prereq, &diag)) {
        str_putf(out, "error: %s\n", diag_text(&diag));
        diag_fini(&diag);
        return;
    }
    str_put(out, "formats: ");
    actions_print(as, out);
    str_putc(out, '\n');
    if (prereq->kind != EXPR_BOOL) {
        str_put(out, "prereqs: ");
        expr_print(prereq, EXPR_STYLE_CANONICAL, out);
        str_putc(out, '\n');
    }
    actions_unref(as);
    expr_unref(prereq);
}

void kind_encodings(struct session *s, const char *line, struct str *out)
{
    (void)s, (void)line;
    str_put(out, "error: no encoder\n");
}
