/* limit.c - token buckets: one for each opcode and port, so that one port cannot take the controller's time from the others; one for each
 * host that ICMP errors are sent to, as routers have it (RFC 1812 4.3.2.8, RFC 4443 2.4 f; docs/seeds.md MB-70).
 *
 * Room 11 of docs/architecture.md. The buckets themselves are bounded: when there are too many of a kind, all of it start anew, full. So hosts
 * that are many are limited by their port only.
 */
#include <stdlib.h>

#include "base/hash.h"
#include "controller/pinctrl/pinctrl.h"

struct limit_key {
    uint64_t datapath;
    uint64_t what; /* opcode and port; or the IP version */
    u128 ip;
};

struct limit {
    struct hnode node;
    struct limit_key key;
    int64_t tokens, last_ms; /* tokens in thousandths */
};

void limit_clear(struct hmap *limits)
{
    struct limit *l;
    HMAP_FOR_EACH_SAFE (l, node, limits) {
        hmap_remove(limits, &l->node);
        free(l);
    }
}

static struct limit *limit_get(struct hmap *limits, const struct limit_key *key, int64_t full,
                               int64_t now)
{
    uint64_t hash = hash_bytes(key, sizeof *key, 0);
    struct limit *l;
    HMAP_FOR_EACH_WITH_HASH (l, node, hash, limits)
        if (!memcmp(&l->key, key, sizeof *key))
            return l;
    if (limits->n >= LIMIT_MAX)
        limit_clear(limits);
    l = NEW(struct limit);
    *l = (struct limit){.key = *key, .tokens = full, .last_ms = now};
    hmap_insert(limits, &l->node, hash);
    return l;
}

/* Takes a token from KEY's bucket, which holds BURST and gets RATE a second; false: it is empty. */
static bool take(struct hmap *limits, const struct limit_key *key, int64_t rate, int64_t burst,
                 int64_t now)
{
    struct limit *l = limit_get(limits, key, burst * 1000, now);
    l->tokens = MIN(l->tokens + (now - l->last_ms) * rate, burst * 1000);
    l->last_ms = now;
    if (l->tokens < 1000)
        return false;
    l->tokens -= 1000;
    return true;
}

bool limit_admit(struct pinctrl *p, uint32_t opcode, const struct of_packet_in *pin)
{
    const struct flow_key *key = &pin->metadata.key;
    struct limit_key k = {
        .datapath = (uint64_t)key_get(key, FIELD_METADATA),
        .what = (uint64_t)opcode << 32 | (uint32_t)key_get(key, FIELD_REG14),
    };
    return take(&p->limits, &k, LIMIT_RATE, LIMIT_BURST, loop_now_ms(p->options.loop));
}

bool limit_admit_error(struct pinctrl *p, const struct of_packet_in *pin, const struct ip_addr *to)
{
    struct limit_key k = {.datapath = (uint64_t)key_get(&pin->metadata.key, FIELD_METADATA),
                          .what = to->version,
                          .ip = ip_addr_to_u128(to)};
    return take(&p->error_limits, &k, ICMP_RATE, ICMP_BURST, loop_now_ms(p->options.loop));
}
