/* deps_affect.c - whether a change can matter to a translation; see deps.h. */
#include <string.h>

#include "switchd/deps_private.h"
#include "switchd/xlate.h"

/* What is known of word WORD of the working key after N_WRITES: bits, and their value. */
static uint64_t known_bits(const struct dep_view *view, unsigned n_writes, unsigned word,
                           uint64_t *value)
{
    uint64_t written = word < FLOW_STAGE_METADATA_END ? UINT64_MAX : 0, packet = 0, shared = 0;
    *value = 0;
    if (!(view->written >> word & 1))
        n_writes = 0;
    while (n_writes--) {
        const struct dep_write *w = &view->writes[n_writes];
        if (w->word == word) {
            written = w->mask;
            *value = w->value;
            break;
        }
    }
    for (unsigned i = 0; i < view->n_words; i++) {
        if (view->index[i] == word) {
            packet = view->values[i];
            shared = view->masks[i];
            break;
        }
    }
    *value = (*value & written) | (packet & ~written);
    return written | shared;
}

enum { METADATA_WORD = offsetof(struct flow_key, metadata) / 8 };

/* Whether MATCH may cover a packet as its key stands after N_WRITES. */
static bool may_match(const struct dep_view *view, unsigned n_writes, const struct minimatch *match)
{
    uint64_t map = minimatch_words(match); /* whatever it says of more options */
    unsigned n = (unsigned)__builtin_popcountll(map), i = 0;
    for (; map; map &= map - 1, i++) {
        uint64_t value;
        if (__builtin_ctzll(map) == METADATA_WORD && match->words[n + i] == UINT64_MAX)
            continue; /* the domain's, and so equal */
        uint64_t known = known_bits(view, n_writes, (unsigned)__builtin_ctzll(map), &value);
        if ((match->words[i] ^ value) & match->words[n + i] & known)
            return false;
    }
    return true;
}

/* Whether C can change what the lookup of effect E found. */
static bool change_matters(const struct dep_view *view, const struct dep_change *c,
                           const struct effect *e)
{
    struct rule *found = e->kind == EFFECT_RULE ? e->rule.rule : NULL;
    if (c->old && c->old == found)
        return true;
    if (!c->added && !c->soft)
        return false;
    if (found && !c->soft && !e->soft && found->cls.priority >= c->priority)
        return false;
    return e->n_writes == DEP_UNKNOWN || may_match(view, e->n_writes, c->match);
}

/* E: the lookup that asks D; any other thing for a group or a MAC. */
static bool domain_matters(const struct dep_view *view, const struct dep_domain *d, uint64_t since,
                           const struct effect *e)
{
    if (d->changed <= since)
        return false;
    const struct list *p = d->changes.prev;
    for (; p != &d->changes; p = p->prev) {
        const struct dep_change *c = CONTAINER_OF(p, struct dep_change, in_domain);
        if (c->seq <= since)
            return false;
        if (!c->match || change_matters(view, c, e))
            return true;
    }
    return false;
}

static bool is_lookup(const struct effect *e)
{
    return e->kind == EFFECT_RULE || e->kind == EFFECT_TABLE_MISS;
}

/* The effect of lookup I. */
static const struct effect *lookup_effect(const struct dep_view *view, uint32_t i)
{
    const struct effect *e = view->effects;
    if (view->n_effects == view->set->n_lookups)
        return e + i;
    for (;; e++) {
        if (is_lookup(e) && !i--)
            return e;
    }
}

/* True: the few last changes are all that there are, and none of them matters. */
static bool recent_do_not_matter(const struct dep_view *view, uint64_t since)
{
    const struct dep_set *set = view->set;
    if (set->recent_from > since)
        return false;
    for (unsigned i = 0; i < DEP_RECENT; i++) {
        const struct dep_link *link = &set->links[set->recent[i].link];
        if (set->recent[i].seq <= since)
            continue;
        if (link->many || link->domain->key.kind != DEP_TABLE ||
            domain_matters(view, link->domain, since, lookup_effect(view, link->lookup)))
            return false;
    }
    return true;
}

bool deps_affect(const struct dep_view *view, uint64_t since)
{
    const struct dep_set *set = view->set;
    if (recent_do_not_matter(view, since))
        return false;
    const struct effect *e = view->effects;
    for (uint32_t i = 0; i < set->n; i++) {
        bool table = set->keys[i].kind == DEP_TABLE;
        while (table && !is_lookup(e))
            e++;
        if (domain_matters(view, set->exact[i], since, e) ||
            (table && domain_matters(view, set->any[i], since, e)))
            return true;
        e += table;
    }
    return false;
}
