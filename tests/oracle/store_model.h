/* store_model.h - what store_model.c compares the store with: a schema as data, and a naive database of it. */
#pragma once

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/vec.h"
#include "store/store_private.h"

/* ---- the schema, as data ---- */

enum { N_TABLES = 4, N_IDS = 16, MAX_COLUMNS = 9, NOWHERE = 99, NONE = -1 };
enum { T_N, T_O, T_P, T_R }; /* in order of name */

enum kind {
    K_TEXT,     /* "n<k>" */
    K_INTEGER,  /* -20 to 20 */
    K_SET,      /* of small integers */
    K_SET13,    /* 1 to 3 of them */
    K_REFS,     /* strong set */
    K_WEAK_SET, /* weak set */
    K_REF,      /* strong optional */
    K_WEAK,     /* weak optional */
    K_NEED,     /* weak, exactly one */
    K_WEAK_MAP, /* text to weak */
    K_MIX       /* weak to strong */
};

struct column {
    const char *name;
    enum kind kind;
    int target;
};

static const struct column columns[N_TABLES][MAX_COLUMNS] = {
    [T_N] = {{"val", K_INTEGER, 0},
             {"next", K_REF, T_N},
             {"buddy", K_WEAK, T_N},
             {"kids", K_REFS, T_N}},
    [T_O] = {{"x", K_INTEGER, 0}},
    [T_P] = {{"name", K_TEXT, 0}, {"a", K_INTEGER, 0}, {"b", K_INTEGER, 0}, {"need", K_NEED, T_R}},
    [T_R] = {{"name", K_TEXT, 0},
             {"i", K_INTEGER, 0},
             {"si", K_SET, 0},
             {"s13", K_SET13, 0},
             {"leaf", K_REFS, T_N},
             {"weak", K_WEAK_SET, T_N},
             {"one", K_REF, T_N},
             {"mw", K_WEAK_MAP, T_N},
             {"mix", K_MIX, T_N}},
};

static const char schema_text[] =
    "{\"name\":\"M\",\"version\":\"1.0.0\",\"tables\":{"
    "\"N\":{\"columns\":{\"val\":{\"type\":{\"key\":{\"type\":\"integer\",\"minInteger\":-20,"
    "\"maxInteger\":20}}},\"next\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"N\"},"
    "\"min\":0}},"
    "\"buddy\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"N\",\"refType\":\"weak\"},"
    "\"min\":0}},"
    "\"kids\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"N\"},\"min\":0,\"max\":"
    "\"unlimited\"}}}},"
    "\"O\":{\"isRoot\":true,\"maxRows\":2,\"columns\":{\"x\":{\"type\":{\"key\":{\"type\":"
    "\"integer\","
    "\"minInteger\":-20,\"maxInteger\":20}}}}},"
    "\"P\":{\"isRoot\":true,\"indexes\":[[\"name\"],[\"a\",\"b\"]],\"columns\":{\"name\":{\"type\":"
    "\"string\"},\"a\":{\"type\":{\"key\":{\"type\":\"integer\",\"minInteger\":-20,\"maxInteger\":"
    "20}}},"
    "\"b\":{\"type\":{\"key\":{\"type\":\"integer\",\"minInteger\":-20,\"maxInteger\":20}}},"
    "\"need\":{"
    "\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"R\",\"refType\":\"weak\"}}}}},"
    "\"R\":{\"isRoot\":true,\"indexes\":[[\"name\"]],\"columns\":{\"name\":{\"type\":\"string\"},"
    "\"i\":{\"type\":{\"key\":{\"type\":\"integer\",\"minInteger\":-20,\"maxInteger\":20}}},"
    "\"si\":{\"type\":{\"key\":\"integer\",\"min\":0,\"max\":\"unlimited\"}},"
    "\"s13\":{\"type\":{\"key\":\"integer\",\"min\":1,\"max\":3}},"
    "\"leaf\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"N\"},\"min\":0,\"max\":"
    "\"unlimited\"}},"
    "\"weak\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"N\",\"refType\":\"weak\"},"
    "\"min\":0,"
    "\"max\":\"unlimited\"}},"
    "\"one\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"N\"},\"min\":0}},"
    "\"mw\":{\"type\":{\"key\":\"string\",\"value\":{\"type\":\"uuid\",\"refTable\":\"N\","
    "\"refType\":"
    "\"weak\"},\"min\":0,\"max\":\"unlimited\"}},"
    "\"mix\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"N\",\"refType\":\"weak\"},"
    "\"value\":{"
    "\"type\":\"uuid\",\"refTable\":\"N\"},\"min\":0,\"max\":\"unlimited\"}}}}}}";

/* ---- the model ---- */

struct value {
    int8_t v[N_IDS]; /* scalars: v[0]; sets: v[e] is 1; maps: v[key], NONE when absent */
};

struct mrow {
    bool alive;
    struct value values[MAX_COLUMNS];
};

struct state {
    struct mrow rows[N_TABLES][N_IDS];
};

struct run {
    struct env_seeded env;
    struct store *store;
    struct state now;     /* after everything submitted */
    struct state durable; /* after everything flushed */
    struct state copy;    /* from change sets */
    char path[64];
    size_t n_done, n_ok, n_failed_disk;
};

static inline unsigned pick(struct run *run, unsigned n)
{
    return (unsigned)(env_random_u64(&run->env.env) % n);
}

static inline bool is_map(enum kind kind)
{
    return kind == K_WEAK_MAP || kind == K_MIX;
}

static inline bool is_set(enum kind kind)
{
    return kind == K_SET || kind == K_SET13 || kind == K_REFS || kind == K_WEAK_SET;
}

static inline struct value default_value(enum kind kind)
{
    struct value value = {{0}};
    if (is_map(kind))
        memset(value.v, NONE, sizeof value.v);
    if (kind == K_REF || kind == K_WEAK)
        value.v[0] = NONE;
    if (kind == K_NEED || kind == K_TEXT)
        value.v[0] = NOWHERE; /* the zero uuid, the empty text */
    if (kind == K_SET13)
        value.v[0] = 1; /* the element 0 */
    return value;
}

static inline int count(const struct value *value)
{
    int n = 0;
    for (int i = 0; i < N_IDS; i++)
        n += value->v[i] != 0;
    return n;
}

static inline bool is_alive(const struct state *state, int table, int id)
{
    return id >= 0 && id < N_IDS && state->rows[table][id].alive;
}

/* Calls for every reference of a row. */
typedef bool ref_visit(const struct state *state, int table, int id, const struct column *c,
                       struct value *value, int target, bool strong, int slot, void *aux);

static inline bool visit_column(struct state *state, int table, int id, int column,
                                ref_visit *visit, void *aux)
{
    const struct column *c = &columns[table][column];
    struct value *value = &state->rows[table][id].values[column];
    bool any = false;
    for (int s = 0; s < N_IDS; s++) {
        if ((c->kind == K_REFS || c->kind == K_WEAK_SET) && value->v[s])
            any |= visit(state, table, id, c, value, s, c->kind == K_REFS, s, aux);
        if (c->kind == K_WEAK_MAP && value->v[s] != NONE)
            any |= visit(state, table, id, c, value, value->v[s], false, s, aux);
        if (c->kind == K_MIX && value->v[s] != NONE) {
            any |= visit(state, table, id, c, value, value->v[s], true, s, aux);
            any |= visit(state, table, id, c, value, s, false, s, aux);
        }
    }
    if ((c->kind == K_REF || c->kind == K_WEAK || c->kind == K_NEED) && value->v[0] != NONE)
        any |= visit(state, table, id, c, value, value->v[0], c->kind == K_REF, 0, aux);
    return any;
}

static inline bool visit_all(struct state *state, ref_visit *visit, void *aux)
{
    bool any = false;
    for (int t = 0; t < N_TABLES; t++) {
        for (int id = 0; id < N_IDS; id++) {
            for (int c = 0; state->rows[t][id].alive && c < MAX_COLUMNS && columns[t][c].name; c++)
                any |= visit_column(state, t, id, c, visit, aux);
        }
    }
    return any;
}

static inline bool dangling_strong(const struct state *state, int table, int id,
                                   const struct column *c, struct value *value, int target,
                                   bool strong, int slot, void *aux)
{
    (void)table;
    (void)id;
    (void)value;
    (void)slot;
    (void)aux;
    return strong && !is_alive(state, c->target, target);
}

static inline bool count_strong(const struct state *state, int table, int id,
                                const struct column *c, struct value *value, int target,
                                bool strong, int slot, void *aux)
{
    int(*n)[N_IDS] = aux;
    (void)state;
    (void)value;
    (void)slot;
    if (strong && !(table == c->target && id == target))
        n[c->target][target]++;
    return false;
}

static inline bool collect(struct state *state)
{
    int n[N_TABLES][N_IDS] = {{0}};
    bool any = false;
    visit_all(state, count_strong, n);
    for (int id = 0; id < N_IDS; id++) {
        if (state->rows[T_N][id].alive && !n[T_N][id]) {
            state->rows[T_N][id].alive = false;
            any = true;
        }
    }
    return any;
}

/* Takes one dangling weak reference out. */
static inline bool clear_weak(const struct state *state, int table, int id, const struct column *c,
                              struct value *value, int target, bool strong, int slot, void *aux)
{
    bool *emptied = aux;
    (void)table;
    (void)id;
    if (strong || is_alive(state, c->target, target))
        return false;
    value->v[slot] = c->kind == K_WEAK_SET ? 0 : NONE;
    *emptied |= c->kind == K_NEED;
    return true;
}

static inline bool same_key(const struct mrow *a, const struct mrow *b, int table)
{
    if (table == T_R)
        return a->values[0].v[0] == b->values[0].v[0];
    if (table != T_P)
        return false;
    return a->values[0].v[0] == b->values[0].v[0] ||
           (a->values[1].v[0] == b->values[1].v[0] && a->values[2].v[0] == b->values[2].v[0]);
}

static inline bool breaks_index(const struct state *state)
{
    for (int t = 0; t < N_TABLES; t++) {
        for (int a = 0; a < N_IDS; a++) {
            for (int b = 0; b < a; b++) {
                if (state->rows[t][a].alive && state->rows[t][b].alive &&
                    same_key(&state->rows[t][a], &state->rows[t][b], t))
                    return true;
            }
        }
    }
    return false;
}

static inline const char *model_commit(struct state *state)
{
    bool emptied = false;
    int n = 0;
    if (visit_all(state, dangling_strong, NULL))
        return "referential integrity violation";
    do {
        while (collect(state))
            continue;
    } while (visit_all(state, clear_weak, &emptied));
    for (int id = 0; id < N_IDS; id++)
        n += state->rows[T_O][id].alive;
    return emptied || n > 2 || breaks_index(state) ? "constraint violation" : NULL;
}
