/* parser.h - what the parts of the action parser share. Internal to lib/action. */
#pragma once

#include "action/action.h"
#include "action/ops.h"
#include "base/vec.h"
#include "expr/lexer.h"
#include "expr/parse.h"
#include "expr/text_cache.h"

typedef VEC(struct operand) operand_vec;

struct action_parser {
    struct action_pool *pool;
    const struct symtab *symtab;
    const struct action_context *context; /* may be NULL */
    struct lexer lx;
    struct diag *diag;
    unsigned depth;
    bool in_ct_commit;
    struct expr *prereq; /* so far; NULL when none */
    operand_vec args;    /* of the action being parsed; owned until made into an action */
};

/* Operands appended to the action being parsed. */
void arg_field(struct action_parser *ap, struct sym_bits bits);
void arg_value(struct action_parser *ap, enum const_format format, u128 value);
void arg_token(struct action_parser *ap, const struct lex_token *t); /* a (masked) integer */
void arg_text(struct action_parser *ap, enum operand_kind kind, const char *text, size_t n);
void arg_option(struct action_parser *ap, const char *name);
void action_release_args(struct action_parser *ap, size_t from); /* those from FROM on, again */

/* What the pool remembers of texts: struct actions and the prerequisite, by text and context. */
struct text_cache *action_pool_texts(struct action_pool *p);

/* The action of a name; N_ACTION_OPS if there is none. */
enum action_op action_pool_op(const struct action_pool *p, const char *name, size_t n);

/* ANDs the annotated prerequisites of SYM, or the expression TEXT as it stands, to what is required. */
int action_require_symbol(struct action_parser *ap, const struct symbol *sym) MUST_CHECK;
int action_require_text(struct action_parser *ap, const char *text) MUST_CHECK;

/* A field argument: of WIDTH bits (0: a port, by name). */
int parse_field_arg(struct action_parser *ap, unsigned width) MUST_CHECK;
/* The same for a field already read; the sentences of type errors. */
int action_check_field(struct action_parser *ap, struct sym_bits bits, unsigned width) MUST_CHECK;
/* SYM may be assigned to: within ct_commit only what is the connection's, elsewhere only what is not. */
int action_check_assignable(struct action_parser *ap, const struct symbol *sym) MUST_CHECK;
int parse_string_arg(struct action_parser *ap, const char *expecting) MUST_CHECK;
int parse_int_arg(struct action_parser *ap) MUST_CHECK;

/* The arguments of OP, after its opening parenthesis and up to the closing one (not read), for actions that have a
 * syntax of their own. */
int parse_own_args(struct action_parser *ap, enum action_op op) MUST_CHECK;
/* ct_lb and its relatives, ct_next, ct_dnat and so on: after the name. */
int parse_ct(struct action_parser *ap, enum action_op op) MUST_CHECK;
/* put_dhcp_opts, put_dhcpv6_opts, put_nd_ra_opts: as parse_own_args. */
int parse_dhcp_args(struct action_parser *ap, enum action_op op) MUST_CHECK;
