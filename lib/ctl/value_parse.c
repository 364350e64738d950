/* value_parse.c - values from text: the reading half of value_text.h.
 *
 * A value is words with commas or spaces between them, in brackets or not. A word is quoted as in
 * JSON or ends before one of ":=, []{}!<>". Recursion-free; the number of elements is bounded by the
 * length of the argument.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "ctl/value_text.h"
#include "io/json.h"

/* ---- symbols ---- */

struct ctl_symbol *ctl_symbols_get(struct ctl_symbols *symbols, const char *name)
{
    for (size_t i = 0; i < symbols->all.n; i++)
        if (!strcmp(symbols->all.data[i]->name, name))
            return symbols->all.data[i];
    struct ctl_symbol *s = NEW(struct ctl_symbol);
    s->name = xstrdup(name);
    s->uuid = uuid_random(symbols->env);
    vec_push(&symbols->all, s);
    return s;
}

void ctl_symbols_clear(struct ctl_symbols *symbols)
{
    for (size_t i = 0; i < symbols->all.n; i++) {
        free(symbols->all.data[i]->name);
        free(symbols->all.data[i]);
    }
    vec_fini(&symbols->all);
}

/* ---- atoms ---- */

static int parse_quoted(const char *text, struct rstr **ret, struct diag *diag)
{
    /* JSON texts are objects or arrays here: wrap the string. */
    char *wrapped = xasprintf("[%s]", text);
    json_t *json;
    int err = json_from_text(wrapped, strlen(wrapped), &json, NULL);
    free(wrapped);
    const char *s = err ? NULL : json_string_value(json_array_get(json, 0));
    if (s && json_array_size(json) == 1)
        *ret = rstr_new(s);
    else
        err = diag_set(diag, ERR_SYNTAX, "%s: not a valid quoted string", text);
    if (json && !(err && !s))
        json_decref(json);
    return err;
}

static int parse_boolean(const char *text, bool *ret)
{
    static const char *const words[] = {"true", "yes", "on", "1", "false", "no", "off", "0"};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (!strcmp(text, words[i])) {
            *ret = i < ARRAY_SIZE(words) / 2;
            return 0;
        }
    return ERR_SYNTAX;
}

static int parse_real(const char *text, double *ret)
{
    char *end;
    errno = 0;
    *ret = strtod(text, &end);
    return *text && !*end && isfinite(*ret) ? 0 : ERR_SYNTAX;
}

static int parse_uuid(const char *text, struct ctl_symbols *symbols, struct uuid *ret)
{
    if (*text == '@' && symbols) {
        struct ctl_symbol *s = ctl_symbols_get(symbols, text);
        s->referenced = true;
        *ret = s->uuid;
        return 0;
    }
    return uuid_parse(text, ret) ? 0 : ERR_SYNTAX;
}

static int check_atom(const struct base_type *type, const union atom *atom, struct diag *diag)
{
    struct column_type one = {.key = *type, .n_min = 1, .n_max = 1};
    union atom copy = atom_ref(type->type, atom);
    const struct datum *value = datum_new_set(type->type, &copy, 1);
    int err = column_type_check(&one, value, diag);
    datum_unref(value);
    if (err)
        diag_prefix(diag, "constraint violation: ");
    return err;
}

static int parse_any_atom(const struct base_type *type, const char *text,
                          struct ctl_symbols *symbols, union atom *ret, struct diag *diag)
{
    switch (type->type) {
    case ATOM_INTEGER:
        if (text_to_i64(text, 0, &ret->integer))
            return diag_set(diag, ERR_SYNTAX, "\"%s\" is not a valid integer or range", text);
        return 0;
    case ATOM_REAL:
        if (parse_real(text, &ret->real))
            return diag_set(diag, ERR_SYNTAX, "\"%s\" is not a valid real number", text);
        return 0;
    case ATOM_BOOLEAN:
        if (parse_boolean(text, &ret->boolean))
            return diag_set(diag, ERR_SYNTAX,
                            "\"%s\" is not a valid boolean (use \"true\" or \"false\")", text);
        return 0;
    case ATOM_UUID:
        if (parse_uuid(text, symbols, &ret->uuid))
            return diag_set(diag, ERR_SYNTAX, "\"%s\" is not a valid UUID", text);
        return 0;
    case ATOM_STRING:
        if (!*text)
            return diag_set(diag, ERR_SYNTAX,
                            "An empty string is not valid as input; use \"\" to represent the "
                            "empty string");
        if (*text == '"')
            return parse_quoted(text, &ret->string, diag);
        ret->string = rstr_new(text);
        return 0;
    }
    return ERR_TYPE;
}

int value_parse_atom(const struct base_type *type, const char *text, struct ctl_symbols *symbols,
                     union atom *ret, struct diag *diag)
{
    int err = parse_any_atom(type, text, symbols, ret, diag);
    if (err)
        return err;
    err = check_atom(type, ret, diag);
    if (err)
        atom_unref(type->type, ret);
    return err;
}

/* ---- words ---- */

int value_word(const char *text, size_t *length, struct diag *diag)
{
    if (*text != '"') {
        *length = strcspn(text, ":=, []{}!<>");
        return *length ? 0 : ERR_SYNTAX;
    }
    size_t n = 1;
    while (text[n] != '"') {
        n += text[n] == '\\' && text[n + 1] ? 2 : 1;
        if (!text[n])
            return diag_set(diag, ERR_SYNTAX, "%s: quoted string extends past end of argument",
                            text);
    }
    *length = n + 1;
    return 0;
}

/* ---- sets and maps ---- */

struct reader {
    const struct column_type *type;
    const char *text, *p;
    struct ctl_symbols *symbols;
    VEC(union atom) keys;
    VEC(union atom) values;
    struct diag *diag;
};

static void skip_spaces(struct reader *r)
{
    r->p += strspn(r->p, ", ");
}

static int read_word(struct reader *r, const struct base_type *type, union atom *ret)
{
    size_t n = 0;
    int err = value_word(r->p, &n, r->diag);
    if (err && *r->p != '"')
        return *r->p ? diag_set(r->diag, err, "%s: unexpected \"%c\" parsing %s", r->text, *r->p,
                                atom_type_name(type->type))
                     : diag_set(r->diag, err, "%s: unexpected end parsing %s", r->text,
                                atom_type_name(type->type));
    if (err)
        return err;
    char *word = xstrndup(r->p, n);
    err = value_parse_atom(type, word, r->symbols, ret, r->diag);
    free(word);
    r->p += err ? 0 : n;
    return err;
}

/* "3-7" where integers may be several. */
static bool read_range(struct reader *r, int *err)
{
    enum { MAX_RANGE = 4096 };
    if (r->type->is_map || r->type->key.type != ATOM_INTEGER || r->type->n_max == 1)
        return false;
    char *end;
    long long low = strtoll(r->p, &end, 10);
    if (end == r->p || *end != '-')
        return false;
    const char *second = end + 1;
    long long high = strtoll(second, &end, 10);
    if (end == second || (*end && !strchr(",] ", *end)) || high - low >= MAX_RANGE)
        return false;
    if (high < low) {
        *err = diag_set(r->diag, ERR_SYNTAX,
                        "\"%.*s\" is not a valid range. Range end cannot be before start.",
                        (int)(end - r->p), r->p);
        return true;
    }
    for (long long i = low; i <= high; i++) {
        union atom a = {.integer = i};
        if (check_atom(&r->type->key, &a, NULL))
            return false;
        vec_push(&r->keys, a);
    }
    r->p = end;
    return true;
}

static int read_element(struct reader *r)
{
    int err = 0;
    if (read_range(r, &err))
        return err;
    union atom key, value;
    err = read_word(r, &r->type->key, &key);
    if (err)
        return err;
    vec_push(&r->keys, key);
    if (!r->type->is_map)
        return 0;
    if (*r->p != '=')
        return diag_set(r->diag, ERR_SYNTAX, "%s: syntax error at \"%.1s\" expecting \"=\"",
                        r->text, r->p);
    r->p++;
    err = read_word(r, &r->type->value, &value);
    if (!err)
        vec_push(&r->values, value);
    return err;
}

static int read_all(struct reader *r)
{
    char open = r->type->is_map ? '{' : '[', close = r->type->is_map ? '}' : ']';
    r->p += strspn(r->p, " ");
    bool bracket = *r->p == open;
    if (bracket)
        r->p++;
    skip_spaces(r);
    while (*r->p && !(bracket && *r->p == close)) {
        int err = read_element(r);
        if (err)
            return err;
        if (*r->p && !strchr(", ", *r->p) && !(bracket && *r->p == close)) {
            struct str type = STR_INIT;
            value_put_type(r->type, &type);
            err = diag_set(r->diag, ERR_SYNTAX, "%s: unexpected \"%c\" parsing %s", r->text, *r->p,
                           str_c(&type));
            str_fini(&type);
            return err;
        }
        skip_spaces(r);
    }
    if (bracket && *r->p != close)
        return diag_set(r->diag, ERR_SYNTAX, "%s: missing \"%c\" at end of data", r->text, close);
    r->p += bracket;
    r->p += strspn(r->p, " ");
    if (*r->p)
        return diag_set(r->diag, ERR_SYNTAX, "%s: trailing garbage after \"%c\"", r->text, close);
    return 0;
}

static int check_count(const struct reader *r)
{
    if (r->keys.n < r->type->n_min)
        return diag_set(r->diag, ERR_CONSTRAINT,
                        "%s: %zu %s specified but the minimum number is %u", r->text, r->keys.n,
                        r->type->is_map ? "pair(s)" : "value(s)", r->type->n_min);
    if (r->keys.n > r->type->n_max)
        return diag_set(r->diag, ERR_CONSTRAINT,
                        "%s: %zu %s specified but the maximum number is %u", r->text, r->keys.n,
                        r->type->is_map ? "pair(s)" : "value(s)", r->type->n_max);
    return 0;
}

static void drop_atoms(struct reader *r)
{
    for (size_t i = 0; i < r->keys.n; i++)
        atom_unref(r->type->key.type, &r->keys.data[i]);
    for (size_t i = 0; i < r->values.n; i++)
        atom_unref(r->type->value.type, &r->values.data[i]);
}

int value_parse(const struct column_type *type, const char *text, struct ctl_symbols *symbols,
                const struct datum **ret, struct diag *diag)
{
    struct reader r = {.type = type, .text = text, .p = text, .symbols = symbols, .diag = diag};
    int err = read_all(&r);
    if (!err)
        err = check_count(&r);
    if (err) {
        drop_atoms(&r);
    } else {
        uint8_t value_type = type->is_map ? (uint8_t)type->value.type : (uint8_t)DATUM_SET;
        err = datum_new_checked(type->key.type, value_type, r.keys.data,
                                type->is_map ? r.values.data : NULL, r.keys.n, ret, diag);
        if (err)
            diag_set(diag, err, "%s: %s", text,
                     type->is_map ? "map contains duplicate key" : "set contains duplicate value");
    }
    vec_fini(&r.keys);
    vec_fini(&r.values);
    return err;
}
