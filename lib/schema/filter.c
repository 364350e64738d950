/* filter.c - see filter.h. */
#include "schema/filter.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/hmap.h"
#include "base/vec.h"
#include "schema/json_text.h"

enum { FEW = 4 }; /* clauses: asked one by one that is faster */

struct key { /* a clause that is found by hash */
    struct hnode node;
    const struct clause *clause;
};

struct filter {
    unsigned refs;
    struct condition where;
    struct key *keys;
    struct hmap by_hash;
    VEC(const struct clause *) subjects; /* one of each function and column among the keys */
    VEC(const struct clause *) others;   /* clauses that are not keys */
    VEC(const struct schema_column *) columns;
    char *text; /* NULL: not made yet */
};

static bool same_subject(const struct clause *a, const struct clause *b)
{
    return a->function == b->function && a->column == b->column;
}

static uint64_t subject_hash(const struct clause *c)
{
    return hash_u64((uint64_t)c->function, (uint64_t)(int64_t)c->column->index);
}

/* "column == value", or "column includes" one element. */
static bool is_key(const struct clause *c)
{
    return c->function == FN_EQ ||
           (c->function == FN_INCLUDES && c->arg->n == 1 && !datum_is_map(c->arg));
}

static uint64_t key_hash(const struct clause *c)
{
    return c->function == FN_EQ ? datum_hash(c->arg, subject_hash(c))
                                : atom_hash(c->arg->key_type, &c->arg->atoms[0], subject_hash(c));
}

static void add_key(struct filter *f, const struct clause *c)
{
    struct key *key = &f->keys[f->by_hash.n];
    key->clause = c;
    hmap_insert(&f->by_hash, &key->node, key_hash(c));
    for (size_t i = 0; i < f->subjects.n; i++)
        if (same_subject(f->subjects.data[i], c))
            return;
    vec_push(&f->subjects, c);
}

static void add_column(struct filter *f, const struct schema_column *column)
{
    for (size_t i = 0; i < f->columns.n; i++)
        if (f->columns.data[i] == column)
            return;
    if (column)
        vec_push(&f->columns, column);
}

struct filter *filter_new(struct condition *where)
{
    struct filter *f = NEW(struct filter);
    f->refs = 1;
    f->where = *where;
    *where = (struct condition){0};
    f->keys = f->where.n > FEW ? xcalloc(f->where.n, sizeof *f->keys) : NULL;
    for (size_t i = 0; i < f->where.n; i++) {
        const struct clause *c = &f->where.clauses[i];
        add_column(f, c->column);
        if (f->keys && c->column && is_key(c))
            add_key(f, c);
        else
            vec_push(&f->others, c);
    }
    return f;
}

struct filter *filter_ref(struct filter *f)
{
    f->refs++;
    return f;
}

void filter_unref(struct filter *f)
{
    if (!f || --f->refs)
        return;
    condition_fini(&f->where);
    hmap_fini(&f->by_hash);
    vec_fini(&f->subjects);
    vec_fini(&f->others);
    vec_fini(&f->columns);
    free(f->text);
    free(f->keys);
    free(f);
}

const struct condition *filter_condition(const struct filter *f)
{
    return &f->where;
}

const char *filter_text(struct filter *f)
{
    if (!f->text) {
        struct str text = STR_INIT;
        json_t *json = condition_to_json(&f->where);
        json_text_put(json, &text);
        json_decref(json);
        f->text = str_steal(&text);
    }
    return f->text;
}

static bool has_value(const struct filter *f, const struct clause *subject,
                      const struct datum *value)
{
    const struct key *key;
    HMAP_FOR_EACH_WITH_HASH (key, node, datum_hash(value, subject_hash(subject)), &f->by_hash)
        if (same_subject(key->clause, subject) && datum_equal(key->clause->arg, value))
            return true;
    return false;
}

static bool has_element(const struct filter *f, const struct clause *subject,
                        const struct datum *value)
{
    for (size_t i = 0; i < value->n; i++) {
        const union atom *atom = &value->atoms[i];
        uint64_t hash = atom_hash(value->key_type, atom, subject_hash(subject));
        const struct key *key;
        HMAP_FOR_EACH_WITH_HASH (key, node, hash, &f->by_hash)
            if (same_subject(key->clause, subject) &&
                !atom_compare(value->key_type, &key->clause->arg->atoms[0], atom))
                return true;
    }
    return false;
}

bool filter_matches(const struct filter *f, const struct row *row)
{
    struct condition others = {1, NULL};
    bool is_match = !f->where.n;
    for (size_t i = 0; !is_match && i < f->subjects.n; i++) {
        const struct clause *subject = f->subjects.data[i];
        const struct datum *value = row_get_any(row, subject->column);
        is_match = subject->function == FN_EQ ? has_value(f, subject, value)
                                              : has_element(f, subject, value);
        datum_unref(value);
    }
    for (size_t i = 0; !is_match && i < f->others.n; i++) {
        others.clauses = (struct clause *)(uintptr_t)f->others.data[i];
        is_match = condition_matches_any(&others, row);
    }
    return is_match;
}

bool filter_column_differs(const struct filter *f, const struct row *before,
                           const struct row *after)
{
    for (size_t i = 0; i < f->columns.n; i++) {
        int at = f->columns.data[i]->index;
        if (at == COLUMN_VERSION && !uuid_equal(&before->version, &after->version))
            return true;
        if (at >= 0 && before->values[at] != after->values[at] &&
            !datum_equal(before->values[at], after->values[at]))
            return true;
    }
    return false;
}

static bool clause_equal(const struct clause *a, const struct clause *b)
{
    return same_subject(a, b) && (!a->column || datum_equal(a->arg, b->arg));
}

static bool has_clause(const struct filter *f, const struct clause *c)
{
    const struct key *key;
    if (f->keys && c->column && is_key(c)) {
        HMAP_FOR_EACH_WITH_HASH (key, node, key_hash(c), &f->by_hash)
            if (clause_equal(key->clause, c))
                return true;
        return false;
    }
    for (size_t i = 0; i < f->others.n; i++)
        if (clause_equal(f->others.data[i], c))
            return true;
    return false;
}

struct filter *filter_minus(const struct filter *a, const struct filter *b)
{
    VEC(struct clause) left = VEC_INIT;
    for (size_t i = 0; b->where.n && i < a->where.n; i++) {
        struct clause c = a->where.clauses[i];
        if (has_clause(b, &c))
            continue;
        if (c.arg)
            datum_ref(c.arg);
        vec_push(&left, c);
    }
    if (!left.n) /* all rows, or none */
        vec_push(&left,
                 ((struct clause){.function = a->where.n || !b->where.n ? FN_FALSE : FN_TRUE}));
    struct condition condition = {left.n, left.data};
    return filter_new(&condition);
}

bool filter_is_nothing(const struct filter *f)
{
    for (size_t i = 0; i < f->where.n; i++)
        if (f->where.clauses[i].function != FN_FALSE)
            return false;
    return f->where.n > 0;
}
