/* ids.c - see ids.h. Beside room 8 of docs/architecture.md. It knows nothing of databases or switches.
 */
#include "controller/allocate/ids.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"

LOG_MODULE(ids);

static const struct id_range {
    const char *what;
    uint32_t max;
    bool is_hash;
} ranges[N_ID_KINDS] = {
    [ID_ZONE] = {"connection tracking zone", 65535, false},
    [ID_GROUP] = {"group", 0xfffffeff, true},
    [ID_METER] = {"meter", 65535, false},
    [ID_CONJ] = {"conjunction", 0xfffffffe, true},
};

struct id_number {
    struct hnode node;
    struct id_entry *entry;
    uint32_t number;
};

void ids_init(struct ids *ids, struct program *program, struct inc *inc)
{
    memset(ids, 0, sizeof *ids);
    ids->program = program;
    ids->inc = inc;
    list_init(&ids->unsaved);
    for (int k = 0; k < N_ID_KINDS; k++)
        ids->next[k] = 1;
}

static uint64_t number_hash(enum id_kind kind, uint32_t number)
{
    return hash_u64((uint64_t)kind << 32 | number, 0);
}

static struct id_entry *holder(const struct ids *ids, enum id_kind kind, uint32_t number)
{
    struct id_number *n;
    HMAP_FOR_EACH_WITH_HASH (n, node, number_hash(kind, number), &ids->numbers)
        if (n->number == number && n->entry->key.kind == kind)
            return n->entry;
    return NULL;
}

static uint32_t width(const struct id_entry *e)
{
    return e->key.kind == ID_CONJ && e->arg ? e->arg : 1;
}

static bool is_free(const struct ids *ids, enum id_kind kind, uint32_t first, uint32_t n)
{
    if (!first || first > ranges[kind].max - (n - 1))
        return false;
    for (uint32_t i = 0; i < n; i++)
        if (holder(ids, kind, first + i))
            return false;
    return true;
}

static bool is_saved_kind(enum id_kind kind)
{
    return kind == ID_ZONE || kind == ID_METER;
}

/* The engine learns E's number (0: none is left for it). */
static void tell(struct ids *ids, struct id_entry *e)
{
    struct fact_id f;
    INC_CLEAR(f);
    f.key = e->key;
    f.id = e->told_id = e->id;
    e->is_told = true;
    inc_assert(ids->inc, ids->program->id, &f);
}

/* The engine learns that E has it no more; true when it had heard of it. */
static bool untell(struct ids *ids, struct id_entry *e)
{
    struct fact_id f;
    INC_CLEAR(f);
    f.key = e->key;
    f.id = e->told_id;
    if (!e->is_told)
        return false;
    e->is_told = false;
    inc_retract(ids->inc, ids->program->id, &f);
    return true;
}

static void take(struct ids *ids, struct id_entry *e, uint32_t id)
{
    e->id = id;
    e->numbers = xcalloc(width(e), sizeof *e->numbers);
    for (uint32_t i = 0; i < width(e); i++) {
        e->numbers[i] = (struct id_number){.entry = e, .number = id + i};
        hmap_insert(&ids->numbers, &e->numbers[i].node, number_hash(e->key.kind, id + i));
    }
    if (!is_saved_kind(e->key.kind))
        return;
    list_push_back(&ids->unsaved, &e->unsaved);
    ids->has_news = true;
}

static void give_up(struct ids *ids, struct id_entry *e)
{
    if (!e->id)
        return;
    if (is_saved_kind(e->key.kind)) {
        list_remove(&e->unsaved);
        rstr_ref(e->key.name);
        vec_push(&ids->gone, e->key);
    }
    for (uint32_t i = 0; i < width(e); i++)
        hmap_remove(&ids->numbers, &e->numbers[i].node);
    free(e->numbers);
    e->numbers = NULL;
    e->id = 0;
}

static struct id_entry *entry_find(const struct ids *ids, const struct id_key *key)
{
    struct id_entry *e;
    HMAP_FOR_EACH_WITH_HASH (e, node, hash_pointer(key->name, key->kind), &ids->names)
        if (e->key.name == key->name && e->key.kind == key->kind)
            return e;
    return NULL;
}

static struct id_entry *entry_get(struct ids *ids, const struct id_key *key)
{
    struct id_entry *e = entry_find(ids, key);
    if (e)
        return e;
    e = NEW(struct id_entry);
    e->key = *key;
    rstr_ref(key->name);
    list_init(&e->unsaved);
    hmap_insert(&ids->names, &e->node, hash_pointer(key->name, key->kind));
    return e;
}

static void entry_free(struct ids *ids, struct id_entry *e)
{
    give_up(ids, e);
    hmap_remove(&ids->names, &e->node);
    rstr_unref(e->key.name);
    free(e);
}

void ids_fini(struct ids *ids)
{
    struct id_entry *e;
    HMAP_FOR_EACH_SAFE (e, node, &ids->names)
        entry_free(ids, e);
    while (ids->gone.n)
        ids_forgotten(ids, 0);
    vec_fini(&ids->gone);
    hmap_fini(&ids->names);
    hmap_fini(&ids->numbers);
    vec_fini(&ids->touched);
    vec_fini(&ids->flush);
}

void ids_restore(struct ids *ids, enum id_kind kind, const char *name, uint32_t id)
{
    struct id_key key = {.name = program_name(ids->program, name), .kind = kind};
    if (!entry_find(ids, &key) && is_free(ids, kind, id, 1)) {
        struct id_entry *e = entry_get(ids, &key);
        take(ids, e, id);
        list_remove(&e->unsaved);
        e->is_restored = true;
        ids->next[kind] = MAX(ids->next[kind], id + 1);
        rstr_unref(key.name);
    } else {
        vec_push(&ids->gone, key);
    }
}

static void touch(struct ids *ids, struct id_entry *e)
{
    if (!e->is_touched)
        vec_push(&ids->touched, e);
    e->is_touched = true;
}

static void on_want(const void *fact, bool added, void *ids_)
{
    const struct fact_want *want = fact;
    struct ids *ids = ids_;
    struct id_entry *e = entry_get(ids, &want->key);
    e->n_wants += added ? 1u : -1u;
    if (added)
        e->arg = want->arg;
    touch(ids, e);
}

/* A free number: its hash or the next free one after it; or the next in turn. */
static uint32_t choose(struct ids *ids, const struct id_entry *e)
{
    enum id_kind kind = e->key.kind;
    const struct id_range *r = &ranges[kind];
    uint32_t from = r->is_hash ? (uint32_t)hash_text(e->key.name->s) : ids->next[kind];
    for (uint64_t tries = 0; tries < r->max; tries++, from++) {
        if (!from || from > r->max)
            from = 1;
        if (is_free(ids, kind, from, width(e))) {
            ids->next[kind] = from + 1;
            return from;
        }
    }
    return 0;
}

static void drop(struct ids *ids, struct id_entry *e)
{
    untell(ids, e);
    give_up(ids, e);
    e->is_restored = false;
}

/* The zone that E asks for can be had: it is free, or somebody has it by chance, who gets another. */
static bool can_have(struct ids *ids, const struct id_entry *e)
{
    if (e->key.kind != ID_ZONE || !e->arg || e->arg > ranges[ID_ZONE].max || e->id == e->arg)
        return false;
    struct id_entry *other = holder(ids, ID_ZONE, e->arg);
    if (!other)
        return true;
    if (other->arg == e->arg && other->n_wants)
        return false;
    drop(ids, other);
    if (other->n_wants)
        touch(ids, other);
    else
        entry_free(ids, other);
    return true;
}

/* Its number may not be used before it is saved. */
static bool is_waiting(const struct ids *ids, const struct id_entry *e)
{
    return ids->must_save && e->key.kind == ID_ZONE && e->id && !list_empty(&e->unsaved);
}

static bool give(struct ids *ids, struct id_entry *e)
{
    bool is_asked = can_have(ids, e);
    if (is_asked)
        drop(ids, e);
    ids->has_unmet |= e->key.kind == ID_ZONE && e->arg && !is_asked && e->id != e->arg;
    e->is_restored = false;
    if (!e->id) {
        uint32_t id = is_asked ? e->arg : choose(ids, e);
        if (!id) {
            static struct log_rate rate = LOG_RATE(12, 1);
            log_warn_limited(&rate, "no %s is left for %s", ranges[e->key.kind].what,
                             e->key.name->s);
            ids->n_refused++;
            if (e->is_told)
                return false;
            tell(ids, e);
            return true;
        }
        untell(ids, e);
        take(ids, e, id);
        if (e->key.kind == ID_ZONE)
            vec_push(&ids->flush, id);
    }
    if (e->is_told || is_waiting(ids, e))
        return false;
    tell(ids, e);
    return true;
}

void ids_saved(struct ids *ids, struct id_entry *e)
{
    list_remove(&e->unsaved);
    if (e->n_wants && e->id && !e->is_told)
        tell(ids, e);
}

bool ids_is_waiting(const struct ids *ids, const char *zone)
{
    const struct id_entry *e;
    LIST_FOR_EACH (e, unsaved, &ids->unsaved)
        if (is_waiting(ids, e) && e->n_wants && (!zone || !strcmp(e->key.name->s, zone)))
            return true;
    return false;
}

void ids_forgotten(struct ids *ids, size_t gone)
{
    rstr_unref(ids->gone.data[gone].name);
    ids->gone.data[gone] = vec_last(&ids->gone);
    ids->gone.n--;
}

/* What they asked for may be free now. */
static void touch_unmet(struct ids *ids)
{
    struct id_entry *e;
    ids->has_unmet = false;
    HMAP_FOR_EACH (e, node, &ids->names)
        if (e->key.kind == ID_ZONE && e->arg && e->n_wants && e->id != e->arg)
            touch(ids, e);
}

static int compare_entries(const void *va, const void *vb)
{
    const struct id_entry *const *a = va, *const *b = vb;
    /* numbers that are asked for come first, so that few move */
    int c = ((*b)->arg != 0) - ((*a)->arg != 0);
    if (!c)
        c = (int)(*a)->key.kind - (int)(*b)->key.kind;
    return c ? c : rstr_compare((*a)->key.name, (*b)->key.name);
}

bool ids_run(struct ids *ids)
{
    bool changed = false;
    inc_changes(ids->inc, ids->program->want, on_want, ids);
    if (ids->has_unmet && ids->touched.n)
        touch_unmet(ids);
    if (ids->touched.n > 1)
        qsort(ids->touched.data, ids->touched.n, sizeof *ids->touched.data, compare_entries);
    size_t kept = 0; /* first what is free again, then what is wanted */
    for (size_t i = 0; i < ids->touched.n; i++) {
        struct id_entry *e = ids->touched.data[i];
        e->is_touched = false;
        if (e->n_wants) {
            ids->touched.data[kept++] = e;
        } else if (!e->is_restored) {
            changed |= untell(ids, e);
            entry_free(ids, e);
        }
    }
    ids->touched.n = kept;
    for (size_t i = 0; i < ids->touched.n; i++) /* can_have appends */
        changed |= give(ids, ids->touched.data[i]);
    for (size_t i = 0; i < ids->touched.n; i++)
        ids->touched.data[i]->is_touched = false;
    vec_clear(&ids->touched);
    return changed;
}

void ids_forget_restored(struct ids *ids)
{
    struct id_entry *e;
    HMAP_FOR_EACH_SAFE (e, node, &ids->names)
        if (e->is_restored && !e->n_wants && !e->is_touched)
            entry_free(ids, e);
}

uint32_t ids_find(const struct ids *ids, enum id_kind kind, const char *name)
{
    struct id_key key = {.name = program_name(ids->program, name), .kind = kind};
    const struct id_entry *e = entry_find(ids, &key);
    rstr_unref(key.name);
    return e ? e->id : 0;
}

void ids_for_each(const struct ids *ids, enum id_kind kind,
                  void (*fn)(const char *name, uint32_t id, void *aux), void *aux)
{
    struct id_entry *e;
    HMAP_FOR_EACH (e, node, &ids->names)
        if (e->key.kind == kind && e->id)
            fn(e->key.name->s, e->id, aux);
}
