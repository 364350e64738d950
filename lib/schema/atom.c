/* atom.c - scalars: order, hash, text.
 *
 * See datum.h.
 */
#include <math.h>
#include <stdlib.h>

#include "base/err.h"
#include "schema/json_text.h"
#include "schema/schema.h"

const char *atom_type_name(enum atom_type type)
{
    static const char *const names[] = {"integer", "real", "boolean", "string", "uuid"};
    return names[type];
}

int atom_compare(enum atom_type type, const union atom *a, const union atom *b)
{
    switch (type) {
    case ATOM_INTEGER:
        return (a->integer > b->integer) - (a->integer < b->integer);
    case ATOM_REAL:
        return (a->real > b->real) - (a->real < b->real);
    case ATOM_BOOLEAN:
        return a->boolean - b->boolean;
    case ATOM_STRING:
        return rstr_compare(a->string, b->string);
    case ATOM_UUID:
        return uuid_compare(&a->uuid, &b->uuid);
    }
    bug("atom type %d", type);
}

uint64_t atom_hash(enum atom_type type, const union atom *a, uint64_t seed)
{
    switch (type) {
    case ATOM_INTEGER:
        return hash_u64((uint64_t)a->integer, seed);
    case ATOM_REAL: {
        double real = a->real == 0 ? 0.0 : a->real;
        return hash_bytes(&real, sizeof real, seed);
    }
    case ATOM_BOOLEAN:
        return hash_u64(a->boolean, seed);
    case ATOM_STRING:
        return hash_u64(a->string->node.hash, seed);
    case ATOM_UUID:
        return hash_u64(uuid_hash(&a->uuid), seed);
    }
    bug("atom type %d", type);
}

void atom_unref(enum atom_type type, const union atom *a)
{
    if (type == ATOM_STRING)
        rstr_unref(a->string);
}

/* A word that reads back as itself without quotes. */
static bool is_plain_word(const char *s)
{
    struct uuid uuid;
    if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || *s == '_'))
        return false;
    for (const char *p = s; *p; p++) {
        if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
              *p == '_' || *p == '-' || *p == '.'))
            return false;
    }
    return strcmp(s, "true") && strcmp(s, "false") && !uuid_parse(s, &uuid);
}

void atom_print(enum atom_type type, const union atom *a, struct str *out)
{
    char buf[UUID_TEXT_LEN + 1];
    switch (type) {
    case ATOM_INTEGER:
        str_putf(out, "%lld", (long long)a->integer);
        break;
    case ATOM_REAL:
        json_text_put_real(a->real, out);
        break;
    case ATOM_BOOLEAN:
        str_put(out, a->boolean ? "true" : "false");
        break;
    case ATOM_STRING:
        if (is_plain_word(a->string->s))
            str_put_n(out, a->string->s, a->string->n);
        else
            json_put_string(a->string->s, a->string->n, out);
        break;
    case ATOM_UUID:
        str_put(out, uuid_print(&a->uuid, buf));
        break;
    }
}

static int string_from_text(const char *text, struct rstr **ret, struct diag *diag)
{
    if (*text != '"') {
        *ret = rstr_new(text);
        return 0;
    }
    json_error_t error;
    json_t *json = json_loads(text, JSON_DECODE_ANY, &error);
    if (!json || !json_is_string(json)) {
        json_decref(json);
        return diag_set(diag, ERR_SYNTAX, "%s is not a valid quoted string", text);
    }
    *ret = rstr_new_n(json_string_value(json), json_string_length(json));
    json_decref(json);
    return 0;
}

static int real_from_text(const char *text, double *ret, struct diag *diag)
{
    char *end;
    *ret = strtod(text, &end);
    if (!*text || *end || !isfinite(*ret))
        return diag_set(diag, ERR_SYNTAX, "\"%s\" is not a valid real number", text);
    return 0;
}

static int parse(enum atom_type type, const char *text, union atom *ret, struct diag *diag)
{
    switch (type) {
    case ATOM_INTEGER:
        if (text_to_i64(text, 0, &ret->integer))
            return diag_set(diag, ERR_SYNTAX, "\"%s\" is not a valid integer", text);
        return 0;
    case ATOM_REAL:
        return real_from_text(text, &ret->real, diag);
    case ATOM_BOOLEAN:
        ret->boolean = !strcmp(text, "true") || !strcmp(text, "yes") || !strcmp(text, "on") ||
                       !strcmp(text, "1");
        if (!ret->boolean && strcmp(text, "false") && strcmp(text, "no") && strcmp(text, "off") &&
            strcmp(text, "0"))
            return diag_set(diag, ERR_SYNTAX,
                            "\"%s\" is not a valid boolean (use \"true\" or \"false\")", text);
        return 0;
    case ATOM_STRING:
        return string_from_text(text, &ret->string, diag);
    case ATOM_UUID:
        if (!uuid_parse(text, &ret->uuid))
            return diag_set(diag, ERR_SYNTAX, "\"%s\" is not a valid UUID", text);
        return 0;
    }
    bug("atom type %d", type);
}

int atom_from_text(const struct base_type *type, const char *text, union atom *ret,
                   struct diag *diag)
{
    int err = parse(type->type, text, ret, diag);
    if (err)
        return err;
    err = base_type_check(type, ret, diag);
    if (err)
        atom_unref(type->type, ret);
    return err;
}
