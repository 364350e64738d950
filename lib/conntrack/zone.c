/* zone.c - limits and timeouts of zones; see conntrack.h. A zone exists here once something was said of it or committed in it. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "conntrack/conn.h"

void ct_timeouts_default(struct ct_timeouts *ret)
{
    static const struct ct_timeouts defaults = {{
#define CT_TIMEOUT(NAME, KEY, SECONDS) SECONDS,
#include "conntrack/timeouts.def"
#undef CT_TIMEOUT
    }};
    *ret = defaults;
}

bool ct_timeouts_set(struct ct_timeouts *timeouts, const char *key, uint32_t seconds)
{
    static const char *const keys[] = {
#define CT_TIMEOUT(NAME, KEY, SECONDS) KEY,
#include "conntrack/timeouts.def"
#undef CT_TIMEOUT
    };
    for (unsigned i = 0; i < ARRAY_SIZE(keys); i++) {
        if (!strcmp(key, keys[i])) {
            timeouts->seconds[i] = seconds;
            return true;
        }
    }
    return false;
}

struct ct_zone *ct_zone_find(const struct conntrack *ct, uint16_t zone)
{
    struct ct_zone *z;
    HMAP_FOR_EACH_WITH_HASH (z, node, hash_u64(zone, 0), &ct->zones) {
        if (z->zone == zone)
            return z;
    }
    return NULL;
}

struct ct_zone *ct_zone_get(struct conntrack *ct, uint16_t zone)
{
    struct ct_zone *z = ct_zone_find(ct, zone);
    if (!z) {
        z = NEW(struct ct_zone);
        z->zone = zone;
        z->timeouts = ct->timeouts;
        hmap_insert(&ct->zones, &z->node, hash_u64(zone, 0));
    }
    return z;
}

bool ct_zone_is_full(const struct conntrack *ct, const struct ct_zone *zone)
{
    uint32_t limit = zone->limited ? zone->limit : ct->default_limit;
    return limit && zone->n >= limit;
}

void conntrack_set_timeouts(struct conntrack *ct, uint16_t zone, const struct ct_timeouts *timeouts)
{
    if (timeouts || ct_zone_find(ct, zone))
        ct_zone_get(ct, zone)->timeouts = timeouts ? *timeouts : ct->timeouts;
}

void conntrack_set_default_limit(struct conntrack *ct, uint32_t limit)
{
    ct->default_limit = limit;
}

uint32_t conntrack_default_limit(const struct conntrack *ct)
{
    return ct->default_limit;
}

void conntrack_set_limit(struct conntrack *ct, uint16_t zone, uint32_t limit)
{
    struct ct_zone *z = ct_zone_get(ct, zone);
    z->limited = true;
    z->limit = limit;
}

void conntrack_unset_limit(struct conntrack *ct, uint16_t zone)
{
    struct ct_zone *z = ct_zone_find(ct, zone);
    if (z)
        z->limited = false;
}

struct ct_limit conntrack_limit(const struct conntrack *ct, uint16_t zone)
{
    const struct ct_zone *z = ct_zone_find(ct, zone);
    return (struct ct_limit){.limit = z && z->limited ? z->limit : ct->default_limit,
                             .n = z ? z->n : 0,
                             .own = z && z->limited};
}
