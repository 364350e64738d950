/* oflow_key.c - see oflow_key.h. */
#include "controller/oflow_key.h"

#include <stdlib.h>

#include "base/hash.h"

/* The datapath that MATCH asks for, which is taken out of it; 0: none, or a part of its number only. */
static uint32_t take_datapath(struct match *match)
{
    u128 mask = key_get(&match->mask.bits, FIELD_METADATA);
    u128 value = key_get(&match->key, FIELD_METADATA);
    if (mask != u128_ones(64) || !value || value > UINT32_MAX)
        return 0;
    match_set_masked(match, FIELD_METADATA, 0, 0);
    return (uint32_t)value;
}

struct oflow_key oflow_key_of(struct rstr_pool *blobs, const struct match *match, unsigned table,
                              unsigned priority)
{
    struct match rest = *match;
    struct oflow_key key;
    INC_CLEAR(key);
    key.dp = take_datapath(&rest);
    key.priority = (uint16_t)priority;
    key.table = (uint8_t)table;
    struct minimatch *mini = minimatch_new(&rest);
    key.match = rstr_pool_get_n(blobs, (const char *)mini, minimatch_size(mini));
    free(mini);
    return key;
}

void oflow_key_match(const struct oflow_key *key, struct match *ret)
{
    minimatch_expand((const struct minimatch *)(const void *)key->match->s, ret);
    if (key->dp)
        match_set(ret, FIELD_METADATA, key->dp);
}

uint64_t oflow_key_hash(const struct oflow_key *key)
{
    return hash_u64((uint64_t)key->dp << 32 | (uint64_t)key->table << 16 | key->priority,
                    key->match->node.hash);
}

bool oflow_key_equal(const struct oflow_key *a, const struct oflow_key *b)
{
    return !memcmp(a, b, sizeof *a);
}
