/* deps.c - see deps.h: domains, sets and changes. Whether a change matters: deps_affect.c. */
#include "switchd/deps.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "switchd/deps_private.h"

void deps_init(struct deps *deps)
{
    memset(deps, 0, sizeof *deps);
    list_init(&deps->changes);
}

void deps_fini(struct deps *deps)
{
    INVARIANT(!deps->sets.n && !deps->domains.n);
    hmap_fini(&deps->sets);
    hmap_fini(&deps->domains);
}

/* ---- domains ---- */

static uint64_t key_hash(const struct dep_key *key)
{
    return hash_bytes(key, sizeof *key, 0);
}

static struct dep_domain *domain_find(const struct deps *deps, const struct dep_key *key)
{
    struct dep_domain *d;
    HMAP_FOR_EACH_WITH_HASH (d, node, key_hash(key), &deps->domains) {
        if (!memcmp(&d->key, key, sizeof *key))
            return d;
    }
    return NULL;
}

static struct dep_domain *domain_get(struct deps *deps, const struct dep_key *key)
{
    struct dep_domain *d = domain_find(deps, key);
    if (d)
        return d;
    d = NEW(struct dep_domain);
    d->key = *key;
    list_init(&d->links);
    list_init(&d->changes);
    hmap_insert(&deps->domains, &d->node, key_hash(key));
    return d;
}

static void change_free(struct deps *deps, struct dep_change *c)
{
    list_remove(&c->in_domain);
    list_remove(&c->in_order);
    deps->n_changes--;
    if (c->old)
        rule_unref(c->old);
    free(c->match);
    free(c);
}

static void domain_free(struct deps *deps, struct dep_domain *d)
{
    while (!list_empty(&d->changes))
        change_free(deps, LIST_FIRST(struct dep_change, in_domain, &d->changes));
    hmap_remove(&deps->domains, &d->node);
    free(d);
}

/* ---- sets ---- */

static struct dep_set *set_find(const struct deps *deps, const struct dep_key *keys, size_t n,
                                uint64_t hash)
{
    struct dep_set *set;
    HMAP_FOR_EACH_WITH_HASH (set, node, hash, &deps->sets) {
        if (set->n == n && (!n || !memcmp(set->keys, keys, n * sizeof *keys)))
            return set;
    }
    return NULL;
}

/* The domain of KEY, with SET among those that it marks, once. */
static struct dep_domain *set_link(struct deps *deps, struct dep_set *set,
                                   const struct dep_key *key)
{
    struct dep_domain *d = domain_get(deps, key);
    struct dep_link *last =
        list_empty(&d->links) ? NULL : CONTAINER_OF(d->links.prev, struct dep_link, node);
    if (last && last->set == set) {
        last->many = true;
    } else {
        struct dep_link *link = &set->links[set->n_links++];
        link->set = set;
        link->domain = d;
        link->lookup = set->n_lookups;
        list_push_back(&d->links, &link->node);
        set->changed = MAX(set->changed, d->changed);
    }
    return d;
}

struct dep_set *deps_intern(struct deps *deps, const struct dep_key *keys, size_t n)
{
    uint64_t hash = n ? hash_bytes(keys, n * sizeof *keys, 0) : 0;
    struct dep_set *set = set_find(deps, keys, n, hash);
    if (set) {
        set->refs++;
        return set;
    }
    set = NEW(struct dep_set);
    set->refs = 1;
    set->n = (uint32_t)n;
    set->keys = xmemdup(keys, n * sizeof *keys);
    set->exact = xcalloc(n + 1, sizeof *set->exact);
    set->any = xcalloc(n + 1, sizeof *set->any);
    set->links = xcalloc(2 * n + 1, sizeof *set->links);
    for (size_t i = 0; i < n; i++) {
        struct dep_key any = keys[i];
        any.any = 1;
        any.id = 0;
        set->exact[i] = set_link(deps, set, &keys[i]);
        set->any[i] = keys[i].kind == DEP_TABLE ? set_link(deps, set, &any) : NULL;
        set->n_lookups += keys[i].kind == DEP_TABLE;
    }
    set->recent_from = set->changed;
    hmap_insert(&deps->sets, &set->node, hash);
    return set;
}

void dep_set_unref(struct deps *deps, struct dep_set *set)
{
    if (!set || --set->refs)
        return;
    hmap_remove(&deps->sets, &set->node);
    for (uint32_t i = 0; i < set->n_links; i++) {
        struct dep_link *link = &set->links[i];
        list_remove(&link->node);
        if (list_empty(&link->domain->links))
            domain_free(deps, link->domain);
    }
    free(set->keys);
    free(set->exact);
    free(set->any);
    free(set->links);
    free(set);
}

/* ---- changes ---- */

static void set_mark(const struct dep_link *link, uint64_t seq)
{
    struct dep_set *set = link->set;
    struct dep_recent *r = &set->recent[set->next_recent++ % DEP_RECENT];
    set->recent_from = MAX(set->recent_from, r->seq);
    *r = (struct dep_recent){seq, (uint32_t)(link - set->links)};
    set->changed = seq;
}

/* Marks the sets of the domain; NULL when there is none. */
static struct dep_change *change_new(struct deps *deps, const struct dep_key *key)
{
    deps->seq++;
    struct dep_domain *d = domain_find(deps, key);
    if (!d)
        return NULL;
    d->changed = deps->seq;
    struct dep_link *link;
    LIST_FOR_EACH (link, node, &d->links)
        set_mark(link, deps->seq);
    struct dep_change *c = NEW(struct dep_change);
    c->seq = deps->seq;
    list_push_back(&d->changes, &c->in_domain);
    list_push_back(&deps->changes, &c->in_order);
    deps->n_changes++;
    return c;
}

uint64_t dep_mac_id(struct mac mac, uint16_t vlan)
{
    return hash_u64(mac_to_u64(mac), vlan);
}

void deps_change(struct deps *deps, const struct dep_key *key)
{
    change_new(deps, key);
}

/* The rule that packets have met before the journal and that change I ends, or NULL. */
static struct rule *rule_before(const struct journal *journal, size_t i)
{
    struct rule *old = journal->changes.data[i].old;
    while (old && !old->shown) {
        while (i > 0 && journal->changes.data[i].new != old)
            i--;
        old = journal->changes.data[i].new == old ? journal->changes.data[i].old : NULL;
    }
    return old;
}

static void rule_change(struct deps *deps, uint32_t bridge_no, struct rule *old, struct rule *new,
                        const struct match *match)
{
    bool exact = match->mask.bits.metadata == UINT64_MAX;
    struct dep_key key = {.kind = DEP_TABLE,
                          .table_id = (new ? new : old)->table_id,
                          .any = !exact,
                          .bridge_no = bridge_no,
                          .id = exact ? match->key.metadata : 0};
    struct dep_change *change = change_new(deps, &key);
    if (!change)
        return;
    struct match without = *match;
    without.key.conj_id = without.mask.bits.conj_id = 0; /* of a lookup within a lookup */
    change->added = !old;
    change->soft = (old && old->cls.n_conjs) || (new &&new->cls.n_conjs);
    change->priority = (new ? new : old)->cls.priority;
    change->old = old ? rule_ref(old) : NULL;
    change->match = minimatch_new(&without);
}

void deps_journal(struct deps *deps, uint32_t bridge_no, const struct journal *journal)
{
    for (size_t i = 0; i < journal->changes.n; i++) {
        const struct table_change *c = &journal->changes.data[i];
        if (c->new && c->new->removed)
            continue; /* a later change ends it */
        struct rule *old = rule_before(journal, i);
        struct match match;
        if (!old && !c->new)
            continue;
        if (c->new)
            cls_rule_match(&c->new->cls, &match);
        else
            minimatch_expand(c->match, &match);
        rule_change(deps, bridge_no, old, c->new, &match);
    }
}

void deps_forget(struct deps *deps, uint64_t seq)
{
    while (!list_empty(&deps->changes)) {
        struct dep_change *c = LIST_FIRST(struct dep_change, in_order, &deps->changes);
        if (c->seq > seq)
            return;
        change_free(deps, c);
    }
}
