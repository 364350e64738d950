/* keys.c - see keys.h (room 2 of docs/architecture.md). Each scope (all datapaths; the ports of one datapath) has a bitmap of the
 * numbers in use. Promises that a key is given to one owner at a time, and is kept as long as its owner wants it.
 */
#include "northd/topology/keys.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/vec.h"
#include "northd/publish/publisher.h"

LOG_MODULE(northd_keys);

struct key_scope {
    struct hnode node;
    struct uuid id; /* a datapath, or zero for the scope of datapaths */
    uint32_t max, next;
    size_t n_used, n_words;
    uint64_t *used;
    size_t n_owners; /* in this scope */
};

struct key_owner {
    struct hnode node;
    struct uuid id;
    struct key_scope *scope;
    const struct rstr *name;
    uint32_t key;   /* 0: not given */
    bool is_told;   /* there is a fact that says so */
    uint32_t wish;  /* 0: any will do */
    uint32_t kind;  /* enum key_owner_kind */
    size_t n_wants; /* facts */
    bool is_gone;
};

struct keys {
    struct northd_program *p;
    struct inc *inc;
    const struct publisher *pub;
    struct hmap scopes, owners;
    VEC(struct key_owner *) touched, gone;
    VEC(struct key_owner *) turn; /* touched, in the order in which they are served */
    bool changed;
    bool may_choose; /* at the last run */
};

/* --- Scopes */

static struct key_scope *get_scope(struct keys *keys, const struct uuid *id)
{
    struct key_scope *s;
    HMAP_FOR_EACH_WITH_HASH (s, node, uuid_hash(id), &keys->scopes)
        if (uuid_equal(&s->id, id))
            return s;
    s = NEW(struct key_scope);
    s->id = *id;
    s->max = uuid_is_zero(id) ? KEYS_MAX_DATAPATH : KEYS_MAX_PORT;
    s->next = 1;
    hmap_insert(&keys->scopes, &s->node, uuid_hash(id));
    return s;
}

static bool is_used(const struct key_scope *s, uint32_t key)
{
    return key / 64 < s->n_words && (s->used[key / 64] >> key % 64 & 1);
}

static void set_used(struct key_scope *s, uint32_t key, bool used)
{
    if (key / 64 >= s->n_words) {
        size_t n = MAX(s->n_words * 2, (size_t)key / 64 + 1);
        s->used = xrealloc(s->used, n * sizeof *s->used);
        for (size_t i = s->n_words; i < n; i++)
            s->used[i] = 0;
        s->n_words = n;
    }
    if (used) {
        s->used[key / 64] |= (uint64_t)1 << key % 64;
        s->n_used++;
    } else {
        s->used[key / 64] &= ~((uint64_t)1 << key % 64);
        s->n_used--;
    }
}

static uint32_t next_free(struct key_scope *s)
{
    if (s->n_used >= s->max)
        return 0;
    while (is_used(s, s->next))
        s->next = s->next == s->max ? 1 : s->next + 1;
    uint32_t key = s->next;
    s->next = key == s->max ? 1 : key + 1;
    return key;
}

static void drop_scope(struct keys *keys, struct key_scope *s)
{
    hmap_remove(&keys->scopes, &s->node);
    free(s->used);
    free(s);
}

/* --- Owners */

static struct key_owner *find_owner(const struct keys *keys, const struct uuid *id)
{
    struct key_owner *o;
    HMAP_FOR_EACH_WITH_HASH (o, node, uuid_hash(id), &keys->owners)
        if (uuid_equal(&o->id, id))
            return o;
    return NULL;
}

static void tell(struct keys *keys, struct key_owner *o, bool given)
{
    struct fact_key f;
    INC_CLEAR(f);
    f.id = o->id;
    f.key = o->key;
    o->is_told = given;
    if (given)
        inc_assert(keys->inc, keys->p->key, &f);
    else
        inc_retract(keys->inc, keys->p->key, &f);
    keys->changed = true;
}

/* It is told at the end of the run. */
static void give(struct key_owner *o, uint32_t key)
{
    set_used(o->scope, key, true);
    o->key = key;
}

static void take_back(struct keys *keys, struct key_owner *o)
{
    if (!o->key)
        return;
    set_used(o->scope, o->key, false);
    if (o->is_told)
        tell(keys, o, false);
    o->key = 0;
}

/* Moves O to SCOPE (NULL: to none). A scope lives as long as somebody is in it, whether he has a key yet or not. */
static void set_scope(struct keys *keys, struct key_owner *o, struct key_scope *scope)
{
    struct key_scope *old = o->scope;
    if (old == scope)
        return;
    take_back(keys, o);
    o->scope = scope;
    if (scope)
        scope->n_owners++;
    if (old && !--old->n_owners)
        drop_scope(keys, old);
}

static void on_want(const void *fact, bool added, void *keys_)
{
    struct keys *keys = keys_;
    const struct fact_want_key *f = fact;
    struct key_owner *o = find_owner(keys, &f->id);
    if (!o) {
        o = NEW(struct key_owner);
        o->id = f->id;
        hmap_insert(&keys->owners, &o->node, uuid_hash(&f->id));
    }
    if (added) {
        set_scope(keys, o, get_scope(keys, &f->scope));
        rstr_unref(o->name);
        o->name = rstr_ref(f->name);
        o->wish = f->wish;
        o->kind = f->kind;
        o->n_wants++;
    } else {
        o->n_wants--;
    }
    vec_push(&keys->touched, o);
}

static void drop_owner(struct keys *keys, struct key_owner *o)
{
    set_scope(keys, o, NULL);
    hmap_remove(&keys->owners, &o->node);
    rstr_unref(o->name);
    free(o);
}

static uint32_t key_in_sb(const struct keys *keys, const struct key_owner *o)
{
    return uuid_is_zero(&o->scope->id) ? publisher_datapath_key(keys->pub, &o->id)
                                       : publisher_port_key(keys->pub, &o->scope->id, o->name);
}

static uint32_t present_key(const struct keys *keys, const struct key_owner *o)
{
    uint32_t key = key_in_sb(keys, o);
    return key <= o->scope->max && !is_used(o->scope, key) ? key : 0;
}

/* Who wants no key any more gives it back; an owner may have been touched twice. */
static void forget_gone(struct keys *keys)
{
    size_t n = 0;
    for (size_t i = 0; i < keys->touched.n; i++) {
        struct key_owner *o = keys->touched.data[i];
        if (o->n_wants) {
            keys->touched.data[n++] = o;
        } else if (!o->is_gone) {
            o->is_gone = true;
            vec_push(&keys->gone, o);
        }
    }
    keys->touched.n = n;
    for (size_t i = 0; i < keys->gone.n; i++)
        drop_owner(keys, keys->gone.data[i]);
    vec_clear(&keys->gone);
}

/* Another northd may have chosen since: who holds a number that SB does not give him asks again. */
static void yield_to_sb(struct keys *keys)
{
    struct key_owner *o;
    HMAP_FOR_EACH (o, node, &keys->owners) {
        if (!o->key || o->key == key_in_sb(keys, o))
            continue;
        take_back(keys, o);
        vec_push(&keys->touched, o);
    }
}

static struct key_owner *find_holder(const struct keys *keys, const struct key_scope *scope,
                                     uint32_t key)
{
    struct key_owner *o;
    HMAP_FOR_EACH (o, node, &keys->owners)
        if (o->scope == scope && o->key == key)
            return o;
    return NULL;
}

/* O, who asks for a number of his own, gets it, unless who has it asks for it as well. */
static void grant_wish(struct keys *keys, struct key_owner *o)
{
    static struct log_rate rate = LOG_RATE(6, 3);
    struct key_owner *holder =
        is_used(o->scope, o->wish) ? find_holder(keys, o->scope, o->wish) : NULL;
    if (holder == o)
        return;
    if (holder && holder->wish == o->wish) {
        log_warn_limited(&rate, "%s and %s both request the tunnel key %u: it is the former's",
                         holder->name->s, o->name->s, o->wish);
        return;
    }
    if (holder) {
        take_back(keys, holder);
        vec_push(&keys->turn, holder);
    }
    take_back(keys, o);
    give(o, o->wish);
}

/* First those who have it already, so that a restart changes nothing. TURN may grow meanwhile. */
static void grant_wishes(struct keys *keys)
{
    for (int has_it = 1; has_it >= 0; has_it--)
        for (size_t i = 0; i < keys->turn.n; i++) {
            struct key_owner *o = keys->turn.data[i];
            if (o->wish && o->wish <= o->scope->max && (!has_it || key_in_sb(keys, o) == o->wish))
                grant_wish(keys, o);
        }
}

static int compare_owners(const void *a, const void *b)
{
    const struct key_owner *x = *(struct key_owner *const *)a, *y = *(struct key_owner *const *)b;
    return x->kind != y->kind ? (x->kind > y->kind) - (x->kind < y->kind)
                              : uuid_compare(&x->id, &y->id);
}

/* Who comes at one time is served in an order that does not depend on that in which facts come. */
static void order_touched(struct keys *keys)
{
    struct key_owner **o;
    vec_clear(&keys->turn);
    VEC_FOR_EACH (o, &keys->touched)
        vec_push(&keys->turn, *o);
    if (keys->turn.n > 1)
        qsort(keys->turn.data, keys->turn.n, sizeof *keys->turn.data, compare_owners);
}

static void tell_new(struct keys *keys, struct key_owner *o)
{
    if (o->key && !o->is_told)
        tell(keys, o, true);
}

/* Told in the order in which they came, in which what is made of it lies side by side with what it is made of. Who got no number, or not his own, tries
 * again next time. */
static void finish_touched(struct keys *keys)
{
    struct key_owner **o;
    VEC_FOR_EACH (o, &keys->touched)
        tell_new(keys, *o);
    vec_clear(&keys->touched);
    VEC_FOR_EACH (o, &keys->turn) {
        tell_new(keys, *o);
        if (!(*o)->key || ((*o)->wish && (*o)->wish != (*o)->key))
            vec_push(&keys->touched, *o);
    }
}

bool keys_run(struct keys *keys, bool may_choose)
{
    struct key_owner **o;
    keys->changed = false;
    inc_changes(keys->inc, keys->p->want_key, on_want, keys);
    forget_gone(keys);
    if (may_choose && !keys->may_choose)
        yield_to_sb(keys);
    keys->may_choose = may_choose;
    order_touched(keys);
    if (may_choose)
        grant_wishes(keys);
    /* First who has a key in SB, then who takes what is left. */
    VEC_FOR_EACH (o, &keys->turn) {
        uint32_t key = !(*o)->key ? present_key(keys, *o) : 0;
        if (key) {
            give(*o, key);
            (*o)->scope->next = MAX((*o)->scope->next, key % (*o)->scope->max + 1);
        }
    }
    VEC_FOR_EACH (o, &keys->turn) {
        uint32_t key = may_choose && !(*o)->key ? next_free((*o)->scope) : 0;
        if (key)
            give(*o, key);
    }
    finish_touched(keys);
    return keys->changed;
}

struct keys *keys_new(struct northd_program *program, struct inc *inc, const struct publisher *pub)
{
    struct keys *keys = NEW(struct keys);
    keys->p = program;
    keys->inc = inc;
    keys->pub = pub;
    inc_watch(inc, program->want_key);
    return keys;
}

void keys_free(struct keys *keys)
{
    struct key_owner *o;
    struct key_scope *s;
    if (!keys)
        return;
    HMAP_FOR_EACH_SAFE (o, node, &keys->owners) {
        hmap_remove(&keys->owners, &o->node);
        rstr_unref(o->name);
        free(o);
    }
    HMAP_FOR_EACH_SAFE (s, node, &keys->scopes)
        drop_scope(keys, s);
    hmap_fini(&keys->owners);
    hmap_fini(&keys->scopes);
    vec_fini(&keys->touched);
    vec_fini(&keys->turn);
    vec_fini(&keys->gone);
    free(keys);
}
