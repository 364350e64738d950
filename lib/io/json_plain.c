/* json_plain.c - plain JSON text, fast: most of what programs send each other.
 *
 * See json_plain.h. One pass over the text, names and strings go into jansson's values from where
 * they stand; jansson's own parser reads through a function call a byte and copies each token first.
 * What is not plain, and what is wrong, is left to it: there are no errors here.
 */
#include "io/json_plain.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "io/json.h"

enum { MAX_DIGITS = 18 }; /* so many fit in 64 bits whatever they are */

struct plain {
    const char *at, *end;
    unsigned depth;
    struct str unescaped;
};

static json_t *parse_value(struct plain *p);

/* The next byte that is not white space, or NUL at the end. */
static char next(struct plain *p)
{
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\n' || *p->at == '\t' || *p->at == '\r'))
        p->at++;
    return p->at < p->end ? *p->at : '\0';
}

static bool take(struct plain *p, char c)
{
    if (next(p) != c)
        return false;
    p->at++;
    return true;
}

/* The end of what can be taken as it stands: ASCII but for control characters, quotes, escapes. */
static const char *run_end(const struct plain *p)
{
    const char *s = p->at;
    while (s < p->end && (signed char)*s >= 0x20 && *s != '"' && *s != '\\')
        s++;
    return s;
}

static bool unescape(struct plain *p)
{
    static const char letters[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
    const char *letter = p->at + 1 < p->end && p->at[1] ? strchr(letters, p->at[1]) : NULL;
    if (!letter)
        return false;
    str_putc(&p->unescaped, bytes[letter - letters]);
    p->at += 2;
    return true;
}

/* Behind a quote: the string's bytes, valid until the next string. */
static bool parse_string(struct plain *p, const char **ret, size_t *n)
{
    const char *from = p->at;
    p->at = run_end(p);
    if (p->at < p->end && *p->at == '"') {
        *ret = from;
        *n = (size_t)(p->at++ - from);
        return true;
    }
    str_clear(&p->unescaped);
    while (p->at < p->end && (*p->at == '"' || *p->at == '\\')) {
        str_put_n(&p->unescaped, from, (size_t)(p->at - from));
        if (*p->at == '"') {
            p->at++;
            *ret = str_c(&p->unescaped);
            *n = p->unescaped.n;
            return true;
        }
        if (!unescape(p))
            return false;
        from = p->at;
        p->at = run_end(p);
    }
    return false;
}

static json_t *parse_integer(struct plain *p)
{
    bool negative = *p->at == '-';
    const char *digits = p->at += negative;
    json_int_t value = 0;
    while (p->at < p->end && *p->at >= '0' && *p->at <= '9' && p->at - digits < MAX_DIGITS)
        value = value * 10 + (*p->at++ - '0');
    ptrdiff_t n = p->at - digits;
    if (!n || (*digits == '0' && (n > 1 || negative)))
        return NULL;
    if (p->at < p->end && strchr("0123456789.eE", *p->at)) /* NUL is found, and wrong too */
        return NULL;
    return json_integer(negative ? -value : value);
}

static bool parse_members(struct plain *p, json_t *object)
{
    if (take(p, '}'))
        return true;
    do {
        const char *s;
        size_t n;
        if (!take(p, '"') || !parse_string(p, &s, &n))
            return false;
        /* The name has to outlast the strings in its value. */
        char *name = s == p->unescaped.s ? memcpy(xmalloc(n + 1), s, n) : NULL;
        json_t *value = take(p, ':') ? parse_value(p) : NULL;
        int err = value ? json_object_setn_new_nocheck(object, name ? name : s, n, value) : -1;
        free(name);
        if (err)
            return false;
    } while (take(p, ','));
    return take(p, '}');
}

static bool parse_elements(struct plain *p, json_t *array)
{
    if (take(p, ']'))
        return true;
    do {
        json_t *value = parse_value(p);
        if (!value || json_array_append_new(array, value))
            return false;
    } while (take(p, ','));
    return take(p, ']');
}

static json_t *parse_container(struct plain *p, json_t *container,
                               bool (*parse)(struct plain *p, json_t *container))
{
    p->at++;
    bool ok = container && ++p->depth <= JSON_MAX_DEPTH && parse(p, container);
    p->depth--;
    if (ok)
        return container;
    json_decref(container);
    return NULL;
}

static json_t *parse_word(struct plain *p, const char *word, json_t *value)
{
    size_t n = strlen(word);
    if ((size_t)(p->end - p->at) < n || memcmp(p->at, word, n) != 0)
        return NULL;
    p->at += n;
    return value;
}

static json_t *parse_value(struct plain *p)
{
    const char *s;
    size_t n;
    switch (next(p)) {
    case '{':
        return parse_container(p, json_object(), parse_members);
    case '[':
        return parse_container(p, json_array(), parse_elements);
    case '"':
        p->at++;
        return parse_string(p, &s, &n) ? json_stringn_nocheck(s, n) : NULL;
    case 't':
        return parse_word(p, "true", json_true());
    case 'f':
        return parse_word(p, "false", json_false());
    case 'n':
        return parse_word(p, "null", json_null());
    case '\0':
        return NULL;
    default:
        return parse_integer(p);
    }
}

json_t *json_parse_plain(const char *text, size_t n)
{
    struct plain p = {text, text + n, 0, STR_INIT};
    json_t *json = parse_value(&p);
    if (json && (next(&p) || p.at < p.end)) {
        json_decref(json);
        json = NULL;
    }
    str_fini(&p.unescaped);
    return json;
}
