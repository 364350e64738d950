/* json_plain.c - plain JSON text, fast: most of what programs send each other.
 *
 * See json_plain.h. One pass over the text, names and strings go into jansson's values from where
 * they stand; jansson's own parser reads through a function call a byte and copies each token first.
 * What is not plain, and what is wrong, is left to it: there are no errors here. json_walk.h goes through a text in the same way.
 */
#include "io/json_plain.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "io/json.h"
#include "io/json_walk.h"

enum { MAX_DIGITS = 18 }; /* so many fit in 64 bits whatever they are */

static json_t *parse_value(struct json_walk *p);

/* The next byte that is not white space, or NUL at the end. */
static char next(struct json_walk *p)
{
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\n' || *p->at == '\t' || *p->at == '\r'))
        p->at++;
    return p->at < p->end ? *p->at : '\0';
}

static bool take(struct json_walk *p, char c)
{
    if (next(p) != c)
        return false;
    p->at++;
    return true;
}

/* The end of what can be taken as it stands: ASCII but for control characters, quotes, escapes. */
static const char *run_end(const struct json_walk *p)
{
    const char *s = p->at;
    while (s < p->end && (signed char)*s >= 0x20 && *s != '"' && *s != '\\')
        s++;
    return s;
}

static bool unescape(struct json_walk *p)
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
static bool parse_string(struct json_walk *p, const char **ret, size_t *n)
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

static json_t *parse_integer(struct json_walk *p)
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

static bool parse_members(struct json_walk *p, json_t *object)
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

static bool parse_elements(struct json_walk *p, json_t *array)
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

static json_t *parse_container(struct json_walk *p, json_t *container,
                               bool (*parse)(struct json_walk *p, json_t *container))
{
    p->at++;
    bool ok = container && ++p->depth <= JSON_MAX_DEPTH && parse(p, container);
    p->depth--;
    if (ok)
        return container;
    json_decref(container);
    return NULL;
}

static json_t *parse_word(struct json_walk *p, const char *word, json_t *value)
{
    size_t n = strlen(word);
    if ((size_t)(p->end - p->at) < n || memcmp(p->at, word, n) != 0)
        return NULL;
    p->at += n;
    return value;
}

static json_t *parse_value(struct json_walk *p)
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
    struct json_walk p;
    json_walk_begin(&p, text, n);
    json_t *json = parse_value(&p);
    if (json && (next(&p) || p.at < p.end)) {
        json_decref(json);
        json = NULL;
    }
    json_walk_end(&p);
    return json;
}

/* ---- piece by piece ---- */

void json_walk_begin(struct json_walk *w, const char *text, size_t n)
{
    *w = (struct json_walk){.at = text, .end = text + n};
}

void json_walk_end(struct json_walk *w)
{
    str_fini(&w->unescaped);
}

/* False, and so is all that follows. */
static bool fail(struct json_walk *w)
{
    w->has_failed = true;
    w->at = w->end;
    return false;
}

bool json_walk_open(struct json_walk *w, char open)
{
    if (!take(w, open) || ++w->depth > JSON_MAX_DEPTH)
        return fail(w);
    w->is_fresh = true;
    return true;
}

bool json_walk_more(struct json_walk *w, char close)
{
    bool is_fresh = w->is_fresh;
    w->is_fresh = false;
    if (take(w, close)) {
        w->depth--;
        return false;
    }
    return is_fresh || take(w, ',') || fail(w);
}

const char *json_walk_name(struct json_walk *w, size_t *n)
{
    const char *name;
    if (take(w, '"') && parse_string(w, &name, n) && take(w, ':'))
        return name;
    fail(w);
    return NULL;
}

json_t *json_walk_value(struct json_walk *w)
{
    next(w);
    const char *from = w->at;
    json_t *json = parse_value(w);
    struct json_scanner scanner = {0};
    struct diag diag = DIAG_INIT;
    if (json)
        return json;
    if (json_scan(&scanner, from, (size_t)(w->end - from)) > 0 &&
        !json_from_text(from, scanner.pos, &json, &diag)) {
        w->at = from + scanner.pos;
        return json;
    }
    diag_fini(&diag);
    fail(w);
    return NULL;
}
