/* number.h - constants of the language as the lexer meets them. */
#pragma once

#include "expr/lexer.h"

/* If a number begins at P: fills T, returns its length, and sets *MESSAGE if it is wrong (else NULL). 0 if none does. */
size_t number_lex(const char *p, struct lex_token *t, const char **message);
