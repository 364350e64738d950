/* tun_store.h - the tunnel options that keys have no room for, by number (lib/flow/tun_opts.h).
 *
 * Equal options have one number, and a number stands for the same options for as long as the process runs; so keys with the same number are
 * the same. The store keeps what was asked for last, some ten thousand different ones: of what is older only the number is left,
 * which caches may still hold, and a packet that needs it is dropped. For who has the whole, or is alone (forward/turn.h).
 */
#pragma once

#include "base/hmap.h"
#include "base/list.h"
#include "flow/tun_opts.h"

struct tun_store {
    struct hmap by_number, by_content;
    struct list used; /* the longest ago first */
    uint64_t last;
};

enum { TUN_STORE_MAX = 16384 };

void tun_store_init(struct tun_store *store);
void tun_store_fini(struct tun_store *store);
/* The number of OPTS, 0 if there are none. */
uint64_t tun_store_put(struct tun_store *store, const struct tun_opts *opts);
/* Until the next call of tun_store_put; NULL: they are no longer known. None for 0. */
const struct tun_opts *tun_store_get(struct tun_store *store, uint64_t number);
