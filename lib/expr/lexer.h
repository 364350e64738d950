/* lexer.h - tokens of the match and action language.
 *
 * Used by the parsers of lib/expr and lib/action and by weft-lflow. A lexer walks over a text that must stay valid; the
 * current token is in `token`. Strings are decoded into an arena of the lexer's own.
 */
#pragma once

#include "base/arena.h"
#include "base/diag.h"
#include "base/str.h"
#include "expr/value.h"

enum lex_type {
    LEX_END,
    LEX_ID,
    LEX_STRING,
    LEX_INTEGER,
    LEX_MASKED_INTEGER,
    LEX_MACRO,      /* $name */
    LEX_PORT_GROUP, /* @name */
    LEX_ERROR,      /* text: the message */
    LEX_LPAREN,
    LEX_RPAREN,
    LEX_LCURLY,
    LEX_RCURLY,
    LEX_LSQUARE,
    LEX_RSQUARE,
    LEX_EQ,
    LEX_NE,
    LEX_LT,
    LEX_LE,
    LEX_GT,
    LEX_GE,
    LEX_LOG_NOT,
    LEX_LOG_AND,
    LEX_LOG_OR,
    LEX_ELLIPSIS,
    LEX_COMMA,
    LEX_SEMICOLON,
    LEX_EQUALS,
    LEX_EXCHANGE,
    LEX_DECREMENT,
    LEX_COLON,
    LEX_HYPHEN,
};

enum lex_format { LEX_DECIMAL, LEX_HEX, LEX_IP4, LEX_IP6, LEX_MAC };

struct lex_token {
    enum lex_type type;
    enum lex_format format; /* integers */
    u128 value, mask;       /* integers; value within mask */
    unsigned width;         /* integers: bits of the constant, more than 128 if it is too wide */
    const char *text; /* ID, MACRO, PORT_GROUP (without the sign): N bytes of input, not terminated;
                             * STRING: decoded, terminated; ERROR: message, terminated */
    size_t n;
    size_t start, end; /* its place in the input */
};

struct lexer {
    const char *input, *next;
    struct lex_token token;
    struct lex_token ahead; /* valid if has_ahead */
    bool has_ahead;
    struct arena arena;
};

/* Makes the first token current. */
void lexer_init(struct lexer *lx, const char *input);
void lexer_fini(struct lexer *lx);
void lexer_get(struct lexer *lx);                       /* the next token becomes current */
enum lex_type lexer_lookahead(struct lexer *lx);        /* the type of the one after */
bool lexer_match(struct lexer *lx, enum lex_type type); /* if current, go past it */
bool lexer_match_id(struct lexer *lx, const char *id);
bool lexer_is_id(const struct lexer *lx, const char *id);
/* "Syntax error at `x' expecting y." with the place; EXPECTING may be NULL. If the current token is an error, its own
 * message. */
int lexer_error(struct lexer *lx, struct diag *diag, const char *expecting, ...)
    PRINTF_FORMAT(3, 4);
/* Go past TYPE or fail with lexer_error; the current token must be TYPE. */
int lexer_force(struct lexer *lx, enum lex_type type, struct diag *diag) MUST_CHECK;
int lexer_force_end(struct lexer *lx, struct diag *diag) MUST_CHECK;
/* A plain decimal or hexadecimal number below 2**31. */
int lexer_force_int(struct lexer *lx, struct diag *diag, int64_t *ret) MUST_CHECK;
const char *lex_type_text(enum lex_type type); /* "&&"; NULL for those with contents */

/* Text of one token, and of constants. */
void lex_token_print(const struct lex_token *token, struct str *out);
void lex_value_print(struct str *out, enum lex_format format, u128 value);
void lex_masked_print(struct str *out, enum lex_format format, u128 value, u128 mask);
void lex_hex_print(struct str *out, u128 value);                    /* 0, 0x1f */
void lex_string_print(struct str *out, const char *text, size_t n); /* quoted */
