/* limit.c - a token bucket for each opcode and port, so that one port cannot take the controller's time from the others.
 *
 * Room 11 of docs/architecture.md. The buckets themselves are bounded: when there are too many, all start anew, full.
 */
#include <stdlib.h>

#include "base/hash.h"
#include "controller/pinctrl/pinctrl.h"

struct limit {
    struct hnode node;
    uint64_t datapath;
    uint32_t opcode, port;
    int64_t tokens, last_ms; /* tokens in thousandths */
};

void limit_clear(struct pinctrl *p)
{
    struct limit *l;
    HMAP_FOR_EACH_SAFE (l, node, &p->limits) {
        hmap_remove(&p->limits, &l->node);
        free(l);
    }
}

static struct limit *limit_get(struct pinctrl *p, uint32_t opcode, uint64_t datapath, uint32_t port,
                               int64_t now)
{
    uint64_t hash = hash_u64((uint64_t)opcode << 32 | port, datapath);
    struct limit *l;
    HMAP_FOR_EACH_WITH_HASH (l, node, hash, &p->limits)
        if (l->datapath == datapath && l->opcode == opcode && l->port == port)
            return l;
    if (p->limits.n >= LIMIT_MAX)
        limit_clear(p);
    l = NEW(struct limit);
    *l = (struct limit){.datapath = datapath,
                        .opcode = opcode,
                        .port = port,
                        .tokens = LIMIT_BURST * INT64_C(1000),
                        .last_ms = now};
    hmap_insert(&p->limits, &l->node, hash);
    return l;
}

bool limit_admit(struct pinctrl *p, uint32_t opcode, const struct of_packet_in *pin)
{
    const struct flow_key *key = &pin->metadata.key;
    int64_t now = loop_now_ms(p->options.loop);
    struct limit *l = limit_get(p, opcode, (uint64_t)key_get(key, FIELD_METADATA),
                                (uint32_t)key_get(key, FIELD_REG14), now);
    l->tokens = MIN(l->tokens + (now - l->last_ms) * LIMIT_RATE, LIMIT_BURST * INT64_C(1000));
    l->last_ms = now;
    if (l->tokens < 1000)
        return false;
    l->tokens -= 1000;
    return true;
}
