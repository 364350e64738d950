/* trie.c - see trie.h. Each node holds its whole prefix from the root, so that nodes compare by
 * themselves; depth is at most 128, which bounds every loop and recursion here. */
#include "classifier/trie.h"

#include <stdlib.h>
#include <string.h>

struct trie_node {
    struct trie_node *child[2];
    uint32_t plen : 8;
    uint32_t
        count : 24; /* prefixes that end here; 0 for a node that only branches; COUNT_MAX: ever since, too many to count */
    uint8_t prefix[]; /* PREFIX_BYTES(plen), zero after plen bits */
};
enum { COUNT_MAX = (1 << 24) - 1 };
#define PREFIX_BYTES(PLEN) MAX(DIV_ROUND_UP(PLEN, 8u), 4u)

static bool bit_at(const uint8_t *bytes, unsigned i)
{
    return bytes[i / 8] >> (7 - i % 8) & 1;
}

/* Length of the common prefix of A and B, at most MAX bits. */
static unsigned common_bits(const uint8_t *a, const uint8_t *b, unsigned max)
{
    unsigned i = 0;
    while (i + 8 <= max && a[i / 8] == b[i / 8])
        i += 8;
    while (i < max && bit_at(a, i) == bit_at(b, i))
        i++;
    return i;
}

static struct trie_node *node_new(const uint8_t *value, unsigned plen, unsigned count)
{
    struct trie_node *node = xcalloc(1, offsetof(struct trie_node, prefix) + PREFIX_BYTES(plen));
    memcpy(node->prefix, value, plen / 8);
    if (plen % 8)
        node->prefix[plen / 8] = value[plen / 8] & (uint8_t)(0xff00 >> (plen % 8));
    node->plen = (uint8_t)plen;
    node->count = count & COUNT_MAX;
    return node;
}

void trie_add(struct trie *trie, const uint8_t *value, unsigned plen)
{
    INVARIANT(plen >= 1 && plen <= TRIE_BITS);
    struct trie_node **p = &trie->root;
    for (;;) {
        struct trie_node *node = *p;
        if (!node) {
            *p = node_new(value, plen, 1);
            return;
        }
        unsigned common = common_bits(node->prefix, value, MIN(node->plen, plen));
        if (common < node->plen) {
            struct trie_node *branch = node_new(value, common, 0);
            branch->child[bit_at(node->prefix, common)] = node;
            *p = node = branch;
        }
        if (plen == node->plen) {
            node->count += node->count < COUNT_MAX;
            return;
        }
        p = &node->child[bit_at(value, node->plen)];
    }
}

/* Removes a node that neither counts nor branches. */
static void node_prune(struct trie_node **p)
{
    struct trie_node *node = *p;
    if (!node->count && !(node->child[0] && node->child[1])) {
        *p = node->child[0] ? node->child[0] : node->child[1];
        free(node);
    }
}

void trie_remove(struct trie *trie, const uint8_t *value, unsigned plen)
{
    struct trie_node **path[TRIE_BITS + 2];
    unsigned n = 0;
    struct trie_node **p = &trie->root;
    for (;;) {
        INVARIANT(*p && n < ARRAY_SIZE(path) && (*p)->plen <= plen);
        path[n++] = p;
        if ((*p)->plen == plen)
            break;
        p = &(*p)->child[bit_at(value, (*p)->plen)];
    }
    INVARIANT((*p)->count > 0 && common_bits((*p)->prefix, value, plen) == plen);
    (*p)->count -= (*p)->count < COUNT_MAX;
    node_prune(path[n - 1]);
    if (n >= 2)
        node_prune(path[n - 2]);
}

void trie_lookup(const struct trie *trie, const uint8_t *value, unsigned n_bytes,
                 struct trie_answer *ret)
{
    *ret = (struct trie_answer){.examined = 0};
    const struct trie_node *node = trie->root;
    while (node) {
        unsigned common = common_bits(node->prefix, value, node->plen);
        if (common < node->plen) {
            ret->examined = common + 1;
            return;
        }
        ret->examined = node->plen;
        if (node->count)
            ret->plens[node->plen / 64] |= UINT64_C(1) << (node->plen % 64);
        if (node->plen == n_bytes * 8 || !(node->child[0] || node->child[1]))
            return;
        ret->examined = node->plen + 1;
        node = node->child[bit_at(value, node->plen)];
    }
}

static void node_free(struct trie_node *node)
{
    if (node) {
        node_free(node->child[0]);
        node_free(node->child[1]);
        free(node);
    }
}

void trie_fini(struct trie *trie)
{
    node_free(trie->root);
    trie->root = NULL;
}
