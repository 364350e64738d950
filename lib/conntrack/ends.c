/* ends.c - the hash table of the tracker's tuples: linear hashing (Litwin, 1980). Each insert may add one chain and split one other
 * into it, so no packet ever waits for a million tuples to be moved. Chains lie in segments, so nothing large is allocated or
 * copied either. The table does not shrink. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "conntrack/conn.h"

enum { SEGMENT = 1024 };

static struct hnode **chain_at(const struct ct_ends *t, size_t i)
{
    return &t->segments[i / SEGMENT][i % SEGMENT];
}

/* The chain of a hash: its low bits, with one bit less where that chain is not there yet. */
static struct hnode **chain_of(const struct ct_ends *t, uint64_t hash)
{
    size_t i = hash & t->mask;
    return chain_at(t, i < t->n_chains ? i : i & t->mask >> 1);
}

static void add_chain(struct ct_ends *t)
{
    size_t new = t->n_chains;
    if (new % SEGMENT == 0) {
        t->segments = xrealloc(t->segments, (new / SEGMENT + 1) * sizeof *t->segments);
        t->segments[new / SEGMENT] = xcalloc(SEGMENT, sizeof(struct hnode *));
    }
    if (new > t->mask)
        t->mask = t->mask * 2 + 1;
    t->n_chains++;
    if (!new)
        return;
    for (struct hnode **at = chain_at(t, new & t->mask >> 1); *at;) {
        struct hnode *node = *at;
        if ((node->hash & t->mask) != new) {
            at = &node->next;
            continue;
        }
        *at = node->next;
        node->next = *chain_at(t, new);
        *chain_at(t, new) = node;
    }
}

void ct_ends_insert(struct ct_ends *t, struct ct_end *end, uint64_t hash)
{
    if (t->n_chains <= t->n)
        add_chain(t);
    struct hnode **chain = chain_of(t, hash);
    end->node.hash = hash;
    end->node.next = *chain;
    *chain = &end->node;
    t->n++;
}

void ct_ends_remove(struct ct_ends *t, struct ct_end *end)
{
    struct hnode **at = chain_of(t, end->node.hash);
    while (*at != &end->node)
        at = &(*at)->next;
    *at = end->node.next;
    t->n--;
}

struct ct_end *ct_ends_find(const struct ct_ends *t, const struct ct_tuple *tuple, uint64_t hash)
{
    if (!t->n_chains)
        return NULL;
    for (struct hnode *node = *chain_of(t, hash); node; node = node->next) {
        struct ct_end *end = CONTAINER_OF(node, struct ct_end, node);
        if (node->hash == hash && !memcmp(&end->tuple, tuple, sizeof *tuple))
            return end;
    }
    return NULL;
}

void ct_ends_fini(struct ct_ends *t)
{
    for (size_t i = 0; i < t->n_chains; i += SEGMENT)
        free(t->segments[i / SEGMENT]);
    free(t->segments);
}
