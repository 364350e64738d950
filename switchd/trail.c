/* trail.c - see trail.h. */
#include "switchd/trail.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

_Static_assert(sizeof(struct effect) == 24 && sizeof(struct dep_write) == 24,
               "without holes, since they are compared as bytes");

static size_t effects_size(const struct xlate_out *out)
{
    return out->effects.n * sizeof *out->effects.data;
}

static size_t writes_size(const struct xlate_out *out)
{
    return out->writes.n * sizeof *out->writes.data;
}

static bool same(const void *a, const void *b, size_t n)
{
    return !n || !memcmp(a, b, n);
}

static bool is_of(const struct trail *trail, const struct xlate_out *out)
{
    return trail->n_effects == out->effects.n && trail->n_writes == out->writes.n &&
           same(trail->effects, out->effects.data, effects_size(out)) &&
           same(trail->writes, out->writes.data, writes_size(out));
}

static struct trail *trail_new(const struct xlate_out *out)
{
    struct trail *trail = xcalloc(1, sizeof *trail + effects_size(out) + writes_size(out));
    trail->refs = 1;
    trail->n_effects = (uint32_t)out->effects.n;
    trail->n_writes = (uint32_t)out->writes.n;
    trail->effects = (void *)(trail + 1);
    trail->writes = (void *)(trail->effects + trail->n_effects);
    for (uint32_t i = 0; i < trail->n_effects; i++) {
        trail->effects[i] = out->effects.data[i];
        if (effect_has_rule(&trail->effects[i]))
            rule_ref(trail->effects[i].rule.rule);
    }
    for (uint32_t i = 0; i < trail->n_writes; i++) {
        trail->writes[i] = out->writes.data[i];
        trail->written |= UINT64_C(1) << trail->writes[i].word;
    }
    return trail;
}

struct trail *trail_intern(struct hmap *trails, const struct xlate_out *out)
{
    uint64_t hash = out->effects.n ? hash_bytes(out->effects.data, effects_size(out), 0) : 0;
    if (out->writes.n)
        hash = hash_bytes(out->writes.data, writes_size(out), hash);
    struct trail *trail;
    HMAP_FOR_EACH_WITH_HASH (trail, node, hash, trails) {
        if (is_of(trail, out)) {
            trail->refs++;
            return trail;
        }
    }
    trail = trail_new(out);
    hmap_insert(trails, &trail->node, hash);
    return trail;
}

void trail_unref(struct hmap *trails, struct trail *trail)
{
    if (!trail || --trail->refs)
        return;
    hmap_remove(trails, &trail->node);
    for (uint32_t i = 0; i < trail->n_effects; i++) {
        if (effect_has_rule(&trail->effects[i]))
            rule_unref(trail->effects[i].rule.rule);
    }
    free(trail);
}
