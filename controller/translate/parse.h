/* parse.h - a logical flow of the southbound database, understood (rooms 5 and 6 of docs/architecture.md).
 */
#pragma once

#include "action/action.h"
#include "controller/program.h"
#include "rows/sb.h"

/* A logical flow, and what parse_lflow is for. */
struct lflow_text {
    struct program *p;
    const struct sb_logical_flow *row;
    struct rstr
        *why; /* parse_lflow failed: a string of the program's pool that says why; the caller's */
    uint32_t cookie;
    uint16_t priority;
    uint8_t pipeline; /* enum pipeline */
    uint8_t table;    /* logical */
};

struct lflow_text lflow_of(struct program *p, const struct row *row);
/* The trees of a struct lflow_text's texts, as struct translate_source wants them: the match and its actions' prerequisites, the actions. */
int parse_lflow(void *lflow, struct expr **match, struct actions **actions,
                struct diag *diag) MUST_CHECK;
