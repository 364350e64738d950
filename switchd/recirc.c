/* recirc.c - see recirc.h. */
#include "switchd/recirc.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

static uint64_t hash_some(const uint8_t *data, size_t n, uint64_t hash)
{
    return n ? hash_bytes(data, n, hash) : hash;
}

static bool some_equal(const uint8_t *a, size_t a_n, const uint8_t *b, size_t b_n)
{
    return a_n == b_n && (!a_n || !memcmp(a, b, a_n));
}

static uint64_t content_hash(const struct recirc_state *s)
{
    uint64_t hash = flow_key_hash(&s->key, (uint64_t)s->bridge_no << 16 | s->table_id);
    for (size_t i = 0; i < s->n_stack; i++)
        hash = hash_bytes(&s->stack[i].value, sizeof s->stack[i].value, hash);
    hash = hash_some(s->action_set, s->action_set_len, hash);
    return hash_some(s->levels, s->levels_len, hash);
}

static bool content_equal(const struct recirc_state *a, const struct recirc_state *b)
{
    if (a->bridge_no != b->bridge_no || a->table_id != b->table_id ||
        a->tun_options != b->tun_options || a->mirrored != b->mirrored ||
        a->n_stack != b->n_stack || !flow_key_equal(&a->key, &b->key) ||
        !flow_key_equal(&a->written.bits, &b->written.bits) ||
        !some_equal(a->action_set, a->action_set_len, b->action_set, b->action_set_len) ||
        !some_equal(a->levels, a->levels_len, b->levels, b->levels_len))
        return false;
    for (size_t i = 0; i < a->n_stack; i++) {
        if (memcmp(&a->stack[i].value, &b->stack[i].value, sizeof a->stack[i].value) != 0 ||
            a->stack[i].n_bits != b->stack[i].n_bits)
            return false;
    }
    return true;
}

struct recirc_state *recirc_get(struct recirc_table *table, const struct recirc_state *wanted)
{
    uint64_t hash = content_hash(wanted);
    struct recirc_state *s;
    HMAP_FOR_EACH_WITH_HASH (s, by_content, hash, &table->by_content) {
        if (content_equal(s, wanted))
            return recirc_ref(s);
    }
    s = xmemdup(wanted, sizeof *wanted);
    s->table = table;
    s->refs = 1;
    s->stack = wanted->n_stack ? xmemdup(wanted->stack, wanted->n_stack * sizeof *s->stack) : NULL;
    s->action_set =
        wanted->action_set_len ? xmemdup(wanted->action_set, wanted->action_set_len) : NULL;
    s->levels = wanted->levels_len ? xmemdup(wanted->levels, wanted->levels_len) : NULL;
    do
        s->id = ++table->last_id;
    while (!s->id || recirc_find(table, s->id));
    hmap_insert(&table->by_id, &s->by_id, hash_u64(s->id, 0));
    hmap_insert(&table->by_content, &s->by_content, hash);
    return s;
}

struct recirc_state *recirc_find(const struct recirc_table *table, uint32_t id)
{
    struct recirc_state *s;
    HMAP_FOR_EACH_WITH_HASH (s, by_id, hash_u64(id, 0), &table->by_id) {
        if (s->id == id)
            return s;
    }
    return NULL;
}

struct recirc_state *recirc_ref(struct recirc_state *state)
{
    state->refs++;
    return state;
}

void recirc_unref(struct recirc_state *s)
{
    if (!s || --s->refs)
        return;
    hmap_remove(&s->table->by_id, &s->by_id);
    hmap_remove(&s->table->by_content, &s->by_content);
    free(s->stack);
    free(s->action_set);
    free(s->levels);
    free(s);
}

void recirc_table_fini(struct recirc_table *table)
{
    INVARIANT(!table->by_id.n);
    hmap_fini(&table->by_id);
    hmap_fini(&table->by_content);
}
