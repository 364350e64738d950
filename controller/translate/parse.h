/* parse.h - a logical flow of the southbound database, understood (rooms 5 and 6 of docs/architecture.md).
 */
#pragma once

#include "controller/program.h"

struct parsed {
    struct expr *match; /* the flow's match and its actions' prerequisites */
    struct actions *actions;
    const char *meter; /* for packets to the controller, NULL: none; the row's */
    uint32_t cookie;
    uint16_t priority;
    uint8_t pipeline; /* enum pipeline */
    uint8_t table;    /* logical */
};

/* False: it cannot be understood; *WHY gets a string of the program's pool that says why. Texts seen before cost a lookup. The caller ends PARSED
 * with parsed_fini. */
bool parse_lflow(struct program *p, const struct row *lflow, struct parsed *parsed,
                 struct rstr **why) MUST_CHECK;
void parsed_fini(struct parsed *parsed);
