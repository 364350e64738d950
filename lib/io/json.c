/* json.c - JSON text in and out. See json.h; jansson parses what json_plain.c does not, the writer is
 * here.
 *
 * Rooms 1 and 5 reach the wire through it. Recursion is bounded: jansson and the scanner refuse
 * texts nested deeper than JSON_MAX_DEPTH, and what programs build is shallow.
 */
#include "io/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/vec.h"
#include "io/json_plain.h"

/* ---- out ---- */

void json_put_text(const char *s, size_t n, struct str *out)
{
    static const char hex[] = "0123456789abcdef";
    size_t from = 0;
    str_putc(out, '"');
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        str_put_n(out, s + from, i - from);
        from = i + 1;
        static const char plain[] = "\b\f\n\r\t\"\\", letters[] = "bfnrt\"\\";
        const char *p = c ? strchr(plain, c) : NULL;
        if (p) {
            char escape[2] = {'\\', letters[p - plain]};
            str_put_n(out, escape, 2);
        } else {
            char escape[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
            str_put_n(out, escape, 6);
        }
    }
    str_put_n(out, s + from, n - from);
    str_putc(out, '"');
}

void json_put_real(double real, struct str *out)
{
    if (real == 0)
        str_putc(out, '0'); /* also minus zero */
    else if (real > -1e15 && real < 1e15 && real == (double)(int64_t)real)
        str_putf(out, "%.0f", real);
    else
        str_putf(out, "%.15g", real);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void put_object(const json_t *json, bool sorted, struct str *out)
{
    VEC(const char *) names = VEC_INIT;
    json_t *object = (json_t *)(uintptr_t)json; /* jansson's iterators are not const */
    for (void *it = json_object_iter(object); it; it = json_object_iter_next(object, it))
        vec_push(&names, json_object_iter_key(it));
    if (sorted && names.n)
        qsort(names.data, names.n, sizeof *names.data, compare_names);
    str_putc(out, '{');
    for (size_t i = 0; i < names.n; i++) {
        if (i)
            str_putc(out, ',');
        json_put_text(names.data[i], strlen(names.data[i]), out);
        str_putc(out, ':');
        json_put(json_object_get(json, names.data[i]), sorted, out);
    }
    str_putc(out, '}');
    vec_fini(&names);
}

void json_put(const json_t *json, bool sorted, struct str *out)
{
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        put_object(json, sorted, out);
        break;
    case JSON_ARRAY:
        str_putc(out, '[');
        for (size_t i = 0; i < json_array_size(json); i++) {
            if (i)
                str_putc(out, ',');
            json_put(json_array_get(json, i), sorted, out);
        }
        str_putc(out, ']');
        break;
    case JSON_STRING:
        json_put_text(json_string_value(json), json_string_length(json), out);
        break;
    case JSON_INTEGER:
        str_putf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(json));
        break;
    case JSON_REAL:
        json_put_real(json_real_value(json), out);
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

/* ---- in ---- */

/* Integers written as reals become integers: 2.0, 1e2. */
static json_t *integral(const json_t *json)
{
    if (!json_is_real(json))
        return NULL;
    double real = json_real_value(json);
    if (real < -9223372036854775808.0 || real >= 9223372036854775808.0 ||
        real != (double)(json_int_t)real)
        return NULL;
    return json_integer((json_int_t)real);
}

static void normalise(json_t *json)
{
    json_t *value, *integer;
    if (json_is_array(json)) {
        for (size_t i = 0; i < json_array_size(json); i++) {
            value = json_array_get(json, i);
            if ((integer = integral(value)))
                json_array_set_new(json, i, integer);
            else
                normalise(value);
        }
    } else if (json_is_object(json)) {
        for (void *it = json_object_iter(json); it; it = json_object_iter_next(json, it)) {
            value = json_object_iter_value(it);
            if ((integer = integral(value)))
                json_object_iter_set_new(json, it, integer);
            else
                normalise(value);
        }
    }
}

/* Copies a text in which integers of 19 digits and more are written as reals, for a parser that
 * refuses integers beyond 64 bits. */
static void widen_integers(const char *text, size_t n, struct str *out)
{
    bool in_string = false;
    for (size_t i = 0; i < n; i++) {
        char c = text[i];
        str_putc(out, c);
        if (in_string && c == '\\' && i + 1 < n)
            str_putc(out, text[++i]);
        else if (c == '"')
            in_string = !in_string;
        if (in_string || c < '0' || c > '9')
            continue;
        size_t from = i;
        while (i + 1 < n && strchr("0123456789+-.eE", text[i + 1]) && text[i + 1])
            str_putc(out, text[++i]);
        size_t len = i + 1 - from;
        bool is_real = memchr(text + from, '.', len) || memchr(text + from, 'e', len) ||
                       memchr(text + from, 'E', len);
        if (!is_real && len >= 20)
            str_put(out, "e0");
        else if (!is_real && len == 19) {
            char digits[20];
            memcpy(digits, text + from, 19);
            digits[19] = '\0';
            bool negative = from && text[from - 1] == '-';
            if (strcmp(digits, negative ? "9223372036854775808" : "9223372036854775807") > 0)
                str_put(out, "e0");
        }
    }
}

int json_from_text(const char *text, size_t n, json_t **ret, struct diag *diag)
{
    json_error_t error;
    if ((*ret = json_parse_plain(text, n)))
        return 0;
    json_t *json = json_loadb(text, n, JSON_DECODE_ANY, &error);
    if (!json && json_error_code(&error) == json_error_numeric_overflow) {
        struct str wide = STR_INIT;
        widen_integers(text, n, &wide);
        json = json_loadb(str_c(&wide), wide.n, JSON_DECODE_ANY, &error);
        str_fini(&wide);
    }
    if (!json)
        return diag_set_at(diag, ERR_SYNTAX, error.position, "%s", error.text);
    json_t *integer = integral(json);
    if (integer) {
        json_decref(json);
        json = integer;
    } else {
        normalise(json);
    }
    *ret = json;
    return 0;
}

int json_scan(struct json_scanner *scanner, const char *text, size_t n)
{
    while (scanner->pos < n) {
        char c = text[scanner->pos++];
        if (scanner->in_string) {
            if (scanner->escaped)
                scanner->escaped = false;
            else if (c == '\\')
                scanner->escaped = true;
            else if (c == '"')
                scanner->in_string = false;
            continue;
        }
        switch (c) {
        case ' ':
        case '\t':
        case '\r':
        case '\n':
            break;
        case '{':
        case '[':
            if (++scanner->depth > JSON_MAX_DEPTH || (scanner->depth == 1 && c == '['))
                return ERR_SYNTAX;
            break;
        case '}':
        case ']':
            if (!scanner->depth)
                return ERR_SYNTAX;
            if (!--scanner->depth)
                return 1;
            break;
        default:
            if (!scanner->depth)
                return ERR_SYNTAX;
            scanner->in_string = c == '"';
        }
    }
    return 0;
}
