/* keyvalue.h - cutting flow texts into "key=value", "key:value", "key(value)" and "key" pieces. */
#pragma once

#include <stdbool.h>

struct keyvalue {
    char *key;
    char *value;  /* "" without one */
    bool parens;  /* it was key(value) */
    char *target; /* what follows "->" behind a closing parenthesis; NULL: nothing */
};

/* Takes the next piece off *TEXT, which is cut up in place. Pieces are separated by commas and blanks; a value lasts until
 * a separator outside of parentheses, brackets and quotes. 1: a piece, 0: the end, -1: unbalanced parentheses. */
int keyvalue_next(char **text, struct keyvalue *ret);
