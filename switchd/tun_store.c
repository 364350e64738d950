/* tun_store.c - see tun_store.h. */
#include "switchd/tun_store.h"

#include <stdlib.h>

#include "base/hash.h"

struct entry {
    struct hnode by_number, by_content;
    struct list used;
    uint64_t number;
    struct tun_opts opts;
};

void tun_store_init(struct tun_store *store)
{
    *store = (struct tun_store){.last = 0};
    list_init(&store->used);
}

static void forget_oldest(struct tun_store *store)
{
    struct entry *e = LIST_FIRST(struct entry, used, &store->used);
    list_remove(&e->used);
    hmap_remove(&store->by_number, &e->by_number);
    hmap_remove(&store->by_content, &e->by_content);
    free(e);
}

void tun_store_fini(struct tun_store *store)
{
    while (!list_empty(&store->used))
        forget_oldest(store);
    hmap_fini(&store->by_number);
    hmap_fini(&store->by_content);
}

static void use(struct tun_store *store, struct entry *e)
{
    list_remove(&e->used);
    list_push_back(&store->used, &e->used);
}

uint64_t tun_store_put(struct tun_store *store, const struct tun_opts *opts)
{
    if (tun_opts_is_empty(opts))
        return 0;
    uint64_t hash = tun_opts_hash(opts, 0);
    struct entry *e;
    HMAP_FOR_EACH_WITH_HASH (e, by_content, hash, &store->by_content) {
        if (tun_opts_equal(&e->opts, opts)) {
            use(store, e);
            return e->number;
        }
    }
    if (store->by_number.n >= TUN_STORE_MAX)
        forget_oldest(store);
    e = NEW(struct entry);
    e->number = ++store->last;
    tun_opts_copy(&e->opts, opts);
    hmap_insert(&store->by_number, &e->by_number, hash_u64(e->number, 0));
    hmap_insert(&store->by_content, &e->by_content, hash);
    list_push_back(&store->used, &e->used);
    return e->number;
}

const struct tun_opts *tun_store_get(struct tun_store *store, uint64_t number)
{
    static const struct tun_opts none;
    struct entry *e;
    if (!number)
        return &none;
    HMAP_FOR_EACH_WITH_HASH (e, by_number, hash_u64(number, 0), &store->by_number) {
        if (e->number == number) {
            use(store, e);
            return &e->opts;
        }
    }
    return NULL;
}
