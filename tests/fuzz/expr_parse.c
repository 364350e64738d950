/* expr_parse.c - fuzz harness: any text as a match. What is accepted prints to a text that parses to the same node. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "expr/expr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 4096)
        return 0;
    char *text = xstrndup((const char *)data, size);
    static struct symtab *symtab; /* the same for all: making it would be most of the time */
    if (!symtab)
        symtab = symtab_new();
    struct expr_pool *pool = expr_pool_new(symtab);
    struct expr *e = NULL, *again = NULL;
    struct diag diag = DIAG_INIT;
    if (!expr_parse(pool, text, NULL, &e, &diag)) {
        char *printed = expr_to_text(e);
        if (expr_parse(pool, printed, NULL, &again, &diag) || e != again)
            bug("\"%s\" prints as \"%s\": %s", text, printed, diag_text(&diag));
        free(printed);
        expr_unref(again);
        expr_unref(e);
    }
    diag_fini(&diag);
    expr_pool_free(pool);
    free(text);
    return 0;
}
