/* json_text.c - printing JSON; see json_text.h. */
#include "schema/json_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

/* The escape letter of C, 'u' for those written by number, 0 for plain characters. */
static char escape_of(unsigned char c)
{
    switch (c) {
    case '"':
    case '\\':
        return (char)c;
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return c < 0x20 ? 'u' : 0;
    }
}

void json_put_string(const char *s, size_t n, struct str *out)
{
    size_t plain = 0;
    str_putc(out, '"');
    for (size_t i = 0; i < n; i++) {
        char e = escape_of((unsigned char)s[i]);
        if (!e)
            continue;
        str_put_n(out, s + plain, i - plain);
        plain = i + 1;
        if (e == 'u')
            str_putf(out, "\\u%04x", (unsigned)(unsigned char)s[i]);
        else
            str_put_n(out, (char[]){'\\', e}, 2);
    }
    str_put_n(out, s + plain, n - plain);
    str_putc(out, '"');
}

void json_text_put_real(double real, struct str *out)
{
    str_putf(out, "%.15g", real == 0 ? 0.0 : real);
}

static void put(const json_t *json, int depth, struct str *out);

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void put_object(const json_t *json, int depth, struct str *out)
{
    VEC(const char *) names = VEC_INIT;
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)json, name, value)
    {
        (void)value;
        vec_push(&names, name);
    }
    if (names.n)
        qsort(names.data, names.n, sizeof *names.data, compare_names);
    str_putc(out, '{');
    for (size_t i = 0; i < names.n; i++) {
        if (i)
            str_putc(out, ',');
        json_put_string(names.data[i], strlen(names.data[i]), out);
        str_putc(out, ':');
        put(json_object_get(json, names.data[i]), depth, out);
    }
    str_putc(out, '}');
    vec_fini(&names);
}

static void put_array(const json_t *json, int depth, struct str *out)
{
    str_putc(out, '[');
    for (size_t i = 0; i < json_array_size(json); i++) {
        if (i)
            str_putc(out, ',');
        put(json_array_get(json, i), depth, out);
    }
    str_putc(out, ']');
}

static void put(const json_t *json, int depth, struct str *out)
{
    if (!json || depth > JSON_TEXT_DEPTH) {
        str_put(out, "null");
        return;
    }
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        put_object(json, depth + 1, out);
        break;
    case JSON_ARRAY:
        put_array(json, depth + 1, out);
        break;
    case JSON_STRING:
        json_put_string(json_string_value(json), json_string_length(json), out);
        break;
    case JSON_INTEGER:
        str_putf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(json));
        break;
    case JSON_REAL:
        json_text_put_real(json_real_value(json), out);
        break;
    case JSON_TRUE:
        str_put(out, "true");
        break;
    case JSON_FALSE:
        str_put(out, "false");
        break;
    case JSON_NULL:
        str_put(out, "null");
        break;
    }
}

void json_text_put(const json_t *json, struct str *out)
{
    put(json, 0, out);
}

char *json_to_text(const json_t *json)
{
    struct str out = STR_INIT;
    json_text_put(json, &out);
    return str_steal(&out);
}
