/* value_text.h - values of columns as the ctl tools read and print them.
 *
 *     5   3.25   true   word   "any text"   1b6e...-uuid   @name
 *     [a, b]   {key=value, key2="value 2"}      (brackets may be left out in input)
 *
 * Strings are quoted in output unless they are plain words. Input of a set of integers may hold
 * ranges (1-5). @name stands for a row that a command of the same invocation creates or fetches with
 * --id=@name. Knows types but no tables.
 */
#pragma once

#include "base/vec.h"
#include "schema/schema.h"

/* Names given with --id=@name. */
struct ctl_symbol {
    char *name; /* with the @ */
    struct uuid uuid;
    bool created;    /* declared by a command */
    bool referenced; /* used in a value */
    bool is_root;    /* its table needs no reference */
};
struct ctl_symbols {
    struct env *env;
    VEC(struct ctl_symbol *) all;
};
/* Found or made with a fresh uuid. */
struct ctl_symbol *ctl_symbols_get(struct ctl_symbols *symbols, const char *name);
void ctl_symbols_clear(struct ctl_symbols *symbols);

/* A value of TYPE from the whole of TEXT. SYMBOLS may be NULL. The sentence in DIAG is the one that
 * ctl tools print. */
int value_parse(const struct column_type *type, const char *text, struct ctl_symbols *symbols,
                const struct datum **ret, struct diag *diag) MUST_CHECK;
/* One atom from the whole of TEXT; unquoted strings may hold anything. */
int value_parse_atom(const struct base_type *type, const char *text, struct ctl_symbols *symbols,
                     union atom *ret, struct diag *diag) MUST_CHECK;
/* Length of the word at the beginning of TEXT as it stands in a value: quoted, or up to one of
 * ":=, []{}!<>". ERR_SYNTAX: an empty word or a quote without end. */
int value_word(const char *text, size_t *length, struct diag *diag) MUST_CHECK;

enum value_style { VALUE_STRING, VALUE_BARE, VALUE_JSON };
void value_print(const struct column_type *type, const struct datum *value, enum value_style style,
                 struct str *out);
void value_print_atom(enum atom_type type, const union atom *atom, enum value_style style,
                      struct str *out);
/* "set of strings", "map of string-integer pairs" ... */
void value_put_type(const struct column_type *type, struct str *out);
