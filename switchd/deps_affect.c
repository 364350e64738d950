/* deps_affect.c - whether a change can matter to a translation; see deps.h. */
#include <string.h>

#include "switchd/deps_private.h"
#include "switchd/xlate.h"

/* What the working key held, replayed: words, and which of their bits are known. */
struct replay {
    const struct dep_view *view;
    unsigned n_done; /* writes */
    uint64_t value[FLOW_WORDS], written[FLOW_WORDS];
};

static void replay_init(struct replay *r, const struct dep_view *view)
{
    r->view = view;
    r->n_done = 0;
    memset(r->value, 0, sizeof r->value);
    memset(r->written, 0, sizeof r->written);
    memset(r->written, 0xff, FLOW_STAGE_METADATA_END * 8);
}

static void replay_to(struct replay *r, unsigned n_writes)
{
    for (; r->n_done < n_writes; r->n_done++) {
        const struct dep_write *w = &r->view->writes[r->n_done];
        r->value[w->word] = w->value;
        r->written[w->word] = w->mask;
    }
}

/* Whether MATCH may cover a packet as its key stands. */
static bool may_match(const struct replay *r, const struct minimatch *match)
{
    const uint64_t *key = flow_words_const(r->view->key);
    const uint64_t *mask = flow_words_const(&r->view->mask->bits);
    unsigned n = (unsigned)__builtin_popcountll(match->map), i = 0;
    for (uint64_t map = match->map; map; map &= map - 1, i++) {
        unsigned word = (unsigned)__builtin_ctzll(map);
        uint64_t written = r->written[word];
        uint64_t now = (r->value[word] & written) | (key[word] & ~written);
        if ((match->words[i] ^ now) & match->words[n + i] & (written | mask[word]))
            return false;
    }
    return true;
}

/* Whether C can change what the lookup of effect E found. */
static bool change_matters(struct replay *r, const struct dep_change *c, const struct effect *e)
{
    struct rule *found = e->kind == EFFECT_RULE ? e->rule.rule : NULL;
    if (c->old && c->old == found)
        return true;
    if (!c->added && !c->soft)
        return false;
    if (found && !c->soft && !e->soft && found->cls.priority >= c->priority)
        return false;
    if (e->n_writes == DEP_UNKNOWN)
        return true;
    replay_to(r, e->n_writes);
    return may_match(r, c->match);
}

static bool domain_matters(struct replay *r, const struct dep_domain *d, uint64_t since,
                           const struct effect *e)
{
    if (d->changed <= since)
        return false;
    const struct list *p = d->changes.prev;
    for (; p != &d->changes; p = p->prev) {
        const struct dep_change *c = CONTAINER_OF(p, struct dep_change, in_domain);
        if (c->seq <= since)
            return false;
        if (!c->match || change_matters(r, c, e))
            return true;
    }
    return false;
}

static bool is_lookup(const struct effect *e)
{
    return e->kind == EFFECT_RULE || e->kind == EFFECT_TABLE_MISS;
}

bool deps_affect(const struct dep_view *view, uint64_t since)
{
    const struct dep_set *set = view->set;
    struct replay replay;
    replay_init(&replay, view);
    const struct effect *e = view->effects;
    for (uint32_t i = 0; i < set->n; i++) {
        bool table = set->keys[i].kind == DEP_TABLE;
        while (table && !is_lookup(e))
            e++;
        if (domain_matters(&replay, set->exact[i], since, e) ||
            (table && domain_matters(&replay, set->any[i], since, e)))
            return true;
        e += table;
    }
    return false;
}
