/* replay_match.h - compares what a server said with what was recorded.
 *
 * Equal up to a consistent renaming of uuids, the order of object members, rows, set elements and
 * map pairs, _version, milliseconds in texts, and which of two equal rows an error names first.
 */
#pragma once

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/uuid.h"
#include "base/vec.h"

struct renaming {
    char want[UUID_TEXT_LEN + 1], got[UUID_TEXT_LEN + 1];
};

struct matcher {
    VEC(struct renaming) names;
};

static bool is_uuid(const char *text)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    for (size_t i = 0; i < UUID_TEXT_LEN; i++) {
        if (form[i] == '-' ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
            return false;
    }
    return true;
}

static bool match_uuid(struct matcher *m, const char *want, const char *got)
{
    if (!strncmp(want, "00000000-0000-", 14) || !strncmp(got, "00000000-0000-", 14))
        return !strncmp(want, got, UUID_TEXT_LEN);
    for (size_t i = 0; i < m->names.n; i++) {
        bool w = !strncmp(m->names.data[i].want, want, UUID_TEXT_LEN);
        bool g = !strncmp(m->names.data[i].got, got, UUID_TEXT_LEN);
        if (w || g)
            return w && g;
    }
    struct renaming *r = vec_push_zero(&m->names);
    memcpy(r->want, want, UUID_TEXT_LEN);
    memcpy(r->got, got, UUID_TEXT_LEN);
    return true;
}

static bool match_text(struct matcher *m, const char *w, const char *g)
{
    if (text_starts_with(w, "Transaction causes multiple rows"))
        return text_starts_with(g, "Transaction causes multiple rows");
    while (*w && *g) {
        if (is_uuid(w) && is_uuid(g)) {
            if (!match_uuid(m, w, g))
                return false;
            w += UUID_TEXT_LEN;
            g += UUID_TEXT_LEN;
        } else if (isdigit((unsigned char)*w) && isdigit((unsigned char)*g)) {
            size_t nw = strspn(w, "0123456789"), ng = strspn(g, "0123456789");
            bool ms = text_starts_with(w + nw, " ms") && text_starts_with(g + ng, " ms");
            if (!ms && (nw != ng || strncmp(w, g, nw)))
                return false;
            w += nw;
            g += ng;
        } else if (*w++ != *g++) {
            return false;
        }
    }
    return !*w && !*g;
}

static bool match(struct matcher *m, const json_t *w, const json_t *g);

/* Each element of W has a partner in G, in any order. */
static bool match_bag(struct matcher *m, const json_t *w, const json_t *g)
{
    size_t n = json_array_size(w);
    if (n != json_array_size(g))
        return false;
    bool *used = calloc(n + 1, 1), ok = true;
    for (size_t i = 0; i < n && ok; i++) {
        ok = false;
        for (size_t j = 0; j < n && !ok; j++) {
            size_t mark = m->names.n;
            if (used[j])
                continue;
            ok = match(m, json_array_get(w, i), json_array_get(g, j));
            if (ok)
                used[j] = true;
            else
                m->names.n = mark;
        }
    }
    free(used);
    return ok;
}

static bool is_bag(const json_t *w)
{
    const json_t *first = json_array_get(w, 0);
    if (json_is_string(first) && !strcmp(json_string_value(first), "_Server"))
        return true; /* list_dbs */
    if (json_is_string(json_array_get(w, 1)) &&
        !strcmp(json_string_value(json_array_get(w, 1)), "_Server"))
        return true;
    /* Rows of a select: objects that are neither errors nor results of operations. */
    for (size_t i = 0; i < json_array_size(w); i++) {
        const json_t *e = json_array_get(w, i);
        if (!json_is_object(e) || json_object_get(e, "error") || json_object_get(e, "uuid") ||
            json_object_get(e, "count") || json_object_get(e, "rows"))
            return false;
    }
    return json_array_size(w) > 1;
}

static bool match_array(struct matcher *m, const json_t *w, const json_t *g)
{
    const char *tag = json_string_value(json_array_get(w, 0));
    if (json_array_size(w) != json_array_size(g))
        return false;
    if (tag && (!strcmp(tag, "set") || !strcmp(tag, "map")) && json_array_size(w) == 2 &&
        json_is_array(json_array_get(w, 1)))
        return match_bag(m, json_array_get(w, 1), json_array_get(g, 1));
    if (is_bag(w))
        return match_bag(m, w, g);
    for (size_t i = 0; i < json_array_size(w); i++) {
        if (!match(m, json_array_get(w, i), json_array_get(g, i)))
            return false;
    }
    return true;
}

/* Rows are members named by their uuid: a bag of [uuid, row]. */
static json_t *rows_of(const json_t *object)
{
    const char *name;
    json_t *value, *rows = json_array();
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        if (strlen(name) == UUID_TEXT_LEN && is_uuid(name))
            json_array_append_new(rows, json_pack("[s,O]", name, value));
    }
    return rows;
}

static size_t plain_size(const json_t *object)
{
    json_t *rows = rows_of(object);
    size_t n = json_object_size(object) - json_array_size(rows);
    json_decref(rows);
    return n - (json_object_get(object, "_version") != NULL);
}

static bool match_object(struct matcher *m, const json_t *w, const json_t *g)
{
    const char *name;
    json_t *value;
    const char *details = json_string_value(json_object_get(w, "details"));
    bool loose = details && strstr(details, "is not an atomic-type");
    if (!loose && plain_size(w) != plain_size(g))
        return false;
    json_object_foreach((json_t *)(uintptr_t)w, name, value)
    {
        if (!strcmp(name, "_version") || (strlen(name) == UUID_TEXT_LEN && is_uuid(name)))
            continue;
        if (loose && (!strcmp(name, "details") || !strcmp(name, "syntax")))
            continue;
        if (!json_object_get(g, name) || !match(m, value, json_object_get(g, name)))
            return false;
    }
    json_t *wr = rows_of(w), *gr = rows_of(g);
    bool ok = match_bag(m, wr, gr);
    json_decref(wr);
    json_decref(gr);
    return ok;
}

static bool match(struct matcher *m, const json_t *w, const json_t *g)
{
    if (json_is_number(w) && json_is_number(g))
        return json_number_value(w) == json_number_value(g);
    if (json_typeof(w) != json_typeof(g))
        return false;
    if (json_is_object(w))
        return match_object(m, w, g);
    if (json_is_array(w))
        return match_array(m, w, g);
    if (json_is_string(w))
        return match_text(m, json_string_value(w), json_string_value(g));
    return true;
}
