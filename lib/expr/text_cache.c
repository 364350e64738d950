/* text_cache.c - what texts were parsed to, remembered within bounds; see text_cache.h. */
#include "expr/text_cache.h"

#include <string.h>

#include "base/hash.h"
#include "base/util.h"

struct wanted {
    const char *text;
    size_t n;
    uint64_t key;
};

static bool is_wanted(const struct gen_node *node, const void *aux)
{
    const struct text_cached *e = CONTAINER_OF(node, const struct text_cached, node);
    const struct wanted *w = aux;
    return e->key == w->key && e->n == w->n && !memcmp(e->text, w->text, w->n);
}

void text_cache_init(struct gen_cache *c, void (*release)(struct gen_node *))
{
    *c = (struct gen_cache){
        .max_entries = 262144, .max_bytes = (size_t)48 << 20, .release = release};
}

const struct text_cached *text_cache_find(struct gen_cache *c, const char *text, uint64_t key)
{
    struct wanted w = {.text = text, .n = strlen(text), .key = key};
    struct gen_node *e = gen_cache_find(c, hash_bytes(text, w.n, key), is_wanted, &w);
    return e ? CONTAINER_OF(e, struct text_cached, node) : NULL;
}

void text_cache_add(struct gen_cache *c, const char *text, uint64_t key, void *value, void *more)
{
    size_t n = strlen(text);
    struct text_cached *e = xmalloc(sizeof *e + n + 1);
    *e = (struct text_cached){
        .node.bytes = sizeof *e + n + 1, .key = key, .value = value, .more = more, .n = n};
    memcpy(e->text, text, n + 1);
    gen_cache_insert(c, &e->node, hash_bytes(text, n, key));
}
