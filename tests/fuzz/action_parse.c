/* action_parse.c - fuzz harness: any text as logical actions. What is accepted prints to a text that parses to the same value. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "action/action.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 4096)
        return 0;
    char *text = xstrndup((const char *)data, size);
    static struct symtab *symtab; /* the same for all: making it would be most of the time */
    if (!symtab)
        symtab = symtab_new();
    struct expr_pool *exprs = expr_pool_new(symtab);
    struct action_pool *pool = action_pool_new(exprs);
    struct actions *as = NULL, *again = NULL;
    struct expr *prereq = NULL;
    struct diag diag = DIAG_INIT;
    if (!actions_parse(pool, text, NULL, &as, &prereq, &diag)) {
        char *printed = actions_to_text(as);
        if (actions_parse(pool, printed, NULL, &again, NULL, &diag) || as != again)
            bug("\"%s\" prints as \"%s\": %s", text, printed, diag_text(&diag));
        free(printed);
        actions_unref(again);
        actions_unref(as);
        expr_unref(prereq);
    }
    diag_fini(&diag);
    action_pool_free(pool);
    expr_pool_free(exprs);
    free(text);
    return 0;
}
