/* value_print.c - values as text, for output: the printing half of value_text.h. */
#include <ctype.h>
#include <string.h>

#include "ctl/value_text.h"

/* A plain word reads back as the same string. */
static bool needs_quotes(const char *s)
{
    if (!isalpha((unsigned char)*s) && *s != '_')
        return true;
    for (const char *p = s; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("_-.", *p))
            return true;
    struct uuid uuid;
    return !strcmp(s, "true") || !strcmp(s, "false") || uuid_parse(s, &uuid);
}

void value_print_atom(enum atom_type type, const union atom *atom, enum value_style style,
                      struct str *out)
{
    char uuid[UUID_TEXT_LEN + 1];
    switch (type) {
    case ATOM_INTEGER:
        str_putf(out, "%lld", (long long)atom->integer);
        return;
    case ATOM_REAL:
        json_text_put_real(atom->real, out);
        return;
    case ATOM_BOOLEAN:
        str_put(out, atom->boolean ? "true" : "false");
        return;
    case ATOM_UUID:
        str_put(out, uuid_print(&atom->uuid, uuid));
        return;
    case ATOM_STRING:
        if (style != VALUE_BARE && needs_quotes(atom->string->s))
            json_put_string(atom->string->s, atom->string->n, out);
        else
            str_put_n(out, atom->string->s, atom->string->n);
        return;
    }
}

static void print_elements(const struct datum *value, enum value_style style, struct str *out)
{
    for (size_t i = 0; i < value->n; i++) {
        if (i)
            str_put(out, style == VALUE_BARE ? " " : ", ");
        value_print_atom(value->key_type, &value->atoms[i], style, out);
        if (datum_is_map(value)) {
            str_putc(out, '=');
            value_print_atom(value->value_type, &datum_values(value)[i], style, out);
        }
    }
}

void value_print(const struct column_type *type, const struct datum *value, enum value_style style,
                 struct str *out)
{
    if (style == VALUE_JSON) {
        datum_put_json(value, out);
        return;
    }
    bool brackets = style == VALUE_STRING && (type->n_max > 1 || !value->n);
    if (brackets)
        str_putc(out, type->is_map ? '{' : '[');
    print_elements(value, style, out);
    if (brackets)
        str_putc(out, type->is_map ? '}' : ']');
}

void value_put_type(const struct column_type *type, struct str *out)
{
    const char *key = atom_type_name(type->key.type);
    bool one = type->n_max == 1;
    if (type->is_map)
        str_putf(out, "map of %s-%s pairs", key, atom_type_name(type->value.type));
    else if (one)
        str_putf(out, "%s%s", type->n_min ? "" : "optional ", key);
    else
        str_putf(out, "set of %ss", key);
}
