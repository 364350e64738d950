/* parse.h - the parts of the match parser that the action parser shares. */
#pragma once

#include "expr/expr.h"
#include "expr/lexer.h"

enum { PARSE_MAX_DEPTH = 100 };

/* A field or subfield, as in "reg1[0..3]". Predicates are refused unless ALLOW_PREDICATE. */
int parse_sym_bits(const struct symtab *st, struct lexer *lx, bool allow_predicate,
                   struct sym_bits *ret, struct diag *diag) MUST_CHECK;
/* "reg1[0..3]", "reg1". */
void sym_bits_print(struct sym_bits sf, struct str *out);
/* The nodes of EXPR_SET and EXPR_PORT_GROUP for any symbol. */
struct expr *expr_set_sym(struct expr_pool *p, enum expr_kind kind, const struct symbol *sym,
                          enum expr_relop relop, const char *name, size_t n);
/* Where POOL remembers the annotated expansion of SYM, or its annotated prerequisites (with those of what it is part of);
 * NULL there: not asked yet. */
struct expr **expr_pool_known(struct expr_pool *p, const struct symbol *sym, bool prereq);
/* Checks that the constant T fits SF; the sentence is that of a comparison. */
int parse_check_width(const struct lex_token *t, struct sym_bits sf, struct diag *diag) MUST_CHECK;
/* What POOL remembers of texts: expressions, by text. */
struct text_cache *expr_pool_texts(struct expr_pool *p);
