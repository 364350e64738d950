/* test_classifier.c - the classifier against a list that is searched from end to end, over random
 * tables, packets and changes, by itself and through a memo; the promise of un-wildcarding; conjunctions; selection; versions. */
#include "classifier/counts.h"
#include "classifier/memo.h"
#include "flow/match_tun.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N_RULES = 60, N_STEPS = 400, N_PACKETS = 40, N_OPTS = 6, OPTION_BITS = 96 };

struct test_rule {
    struct cls_rule cls;
    struct match match;
    struct cls_conj conj;
    bool in;
};

struct world {
    uint64_t state;
    struct classifier cls;
    struct cls_memo *memo;
    struct test_rule *rules[N_RULES];
    struct tun_opts opts[N_OPTS]; /* by number: tunnel options that the key has no room for */
};

static uint32_t rnd(struct world *w, uint32_t n)
{
    w->state = w->state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(w->state >> 33) % n;
}

/* Fields with options beyond the key: one that is partly in it, and two that are not. */
static const enum field_id options[] = {FIELD_TUN_METADATA0 + 3, FIELD_TUN_METADATA0 + 20,
                                        FIELD_TUN_METADATA63};

static const enum field_id exact_fields[] = {FIELD_IN_PORT_OXM, FIELD_METADATA, FIELD_REG1,
                                             FIELD_ETH_DST,     FIELD_ETH_TYPE, FIELD_IP_PROTO,
                                             FIELD_TCP_DST,     FIELD_REG0};

/* Few values, so that rules and packets meet. */
static u128 random_value(struct world *w, enum field_id id)
{
    switch (id) {
    case FIELD_IP_SRC:
    case FIELD_IP_DST:
        return 0x0a000000 | rnd(w, 4) << 14 | rnd(w, 3) << 7 | rnd(w, 3);
    case FIELD_IPV6_DST:
        return (u128)0xfd << 120 | (u128)rnd(w, 3) << 60 | rnd(w, 4);
    default:
        return rnd(w, 3);
    }
}

/* Of 12 bytes, few of which are not 0. */
static struct tun_value random_option(struct world *w)
{
    struct tun_value v = {{0}};
    v.b[TUN_OPT_MAX - 1] = (uint8_t)rnd(w, 2);
    v.b[TUN_OPT_MAX - 12] = (uint8_t)rnd(w, 3);
    return v;
}

static void random_opts(struct world *w)
{
    for (unsigned n = 1; n < N_OPTS; n++) {
        struct flow_key key;
        memset(&key, 0, sizeof key);
        tun_opts_init(&w->opts[n]);
        for (unsigned i = 0; i < ARRAY_SIZE(options); i++) {
            struct tun_value v = random_option(w);
            if (rnd(w, 4))
                assert_true(key_set_tun(&key, &w->opts[n], options[i], &v));
        }
    }
}

static void random_match(struct world *w, struct match *match)
{
    match_init(match);
    for (unsigned i = 0; i < ARRAY_SIZE(exact_fields); i++) {
        if (!rnd(w, 3))
            match_set(match, exact_fields[i], random_value(w, exact_fields[i]));
    }
    for (unsigned i = 0; i < ARRAY_SIZE(options); i++) {
        if (rnd(w, 6))
            continue;
        struct tun_value value = random_option(w), mask = random_option(w);
        bool exact = !rnd(w, 2);
        assert_true(match_set_tun(match, options[i], &value, exact ? NULL : &mask));
        if (!rnd(w, 3))
            match_set_masked(match, options[i], 0, 0);
        if (!rnd(w, 2))
            match_set_present(match, options[i]);
        assert_true(match_cut_tun(match, options[i], OPTION_BITS));
    }
    static const enum field_id ips[] = {FIELD_IP_SRC, FIELD_IP_DST, FIELD_IPV6_DST};
    for (unsigned i = 0; i < ARRAY_SIZE(ips); i++) {
        if (rnd(w, 3))
            continue;
        unsigned bits = field_get(ips[i])->n_bits;
        unsigned plen = rnd(w, 5) ? 8 * rnd(w, bits / 8 + 1) : rnd(w, bits + 1);
        u128 mask = u128_ones(bits) & ~u128_ones(bits - plen);
        if (!rnd(w, 6))
            mask = 0xff00ff;
        match_set_masked(match, ips[i], random_value(w, ips[i]) & mask, mask);
    }
}

static void random_key(struct world *w, struct flow_key *key)
{
    memset(key, 0, sizeof *key);
    for (unsigned i = 0; i < ARRAY_SIZE(exact_fields); i++)
        key_set(key, exact_fields[i], random_value(w, exact_fields[i]));
    key->tunnel.more = rnd(w, N_OPTS);
    key->tunnel.present = (uint8_t)(rnd(w, 2) << 3);
    key->tunnel.metadata[3] = key->tunnel.present ? swap64(rnd(w, 2)) : 0;
    key_set(key, FIELD_IP_SRC, random_value(w, FIELD_IP_SRC));
    key_set(key, FIELD_IP_DST, random_value(w, FIELD_IP_DST));
    key_set(key, FIELD_IPV6_DST, random_value(w, FIELD_IPV6_DST));
}

static struct cls_rule *look_up(const struct world *w, const struct flow_key *key,
                                struct flow_mask *wc)
{
    uint64_t words;
    return classifier_lookup_words(&w->cls, key, &w->opts[key->tunnel.more], wc, &words);
}

/* Options by their values, the rest by the words of the key. */
static bool model_covers(const struct world *w, const struct match *match,
                         const struct flow_key *key)
{
    const struct tun_opts *opts = &w->opts[key->tunnel.more];
    for (unsigned i = 0; i < ARRAY_SIZE(options); i++) {
        struct tun_value want, mask, have;
        enum tun_match kind = match_get_tun(match, options[i], &want, &mask);
        key_get_tun(key, opts, options[i], &have);
        tun_value_and(&have, &mask);
        if (kind != TUN_NOT &&
            (!key_has_tun(key, opts, options[i]) || memcmp(&have, &want, sizeof have) != 0))
            return false;
    }
    return flow_key_equal_masked(&match->key, key, &match->mask);
}

static bool model_beats(const struct test_rule *a, const struct test_rule *b)
{
    return !b || a->cls.priority > b->cls.priority ||
           (a->cls.priority == b->cls.priority && a->cls.seq < b->cls.seq);
}

/* What the rules say, by looking at each of them. */
static struct test_rule *model_hard(struct world *w, const struct flow_key *key)
{
    struct test_rule *best = NULL;
    for (unsigned i = 0; i < N_RULES; i++) {
        struct test_rule *r = w->rules[i];
        if (r->in && !r->cls.n_conjs && model_covers(w, &r->match, key) && model_beats(r, best))
            best = r;
    }
    return best;
}

static struct test_rule *model_lookup(struct world *w, const struct flow_key *key)
{
    struct test_rule *hard = model_hard(w, key);
    for (int priority = 10; priority > (hard ? hard->cls.priority : -1); priority--) {
        for (uint32_t id = 1; id < 4; id++) {
            unsigned have = 0;
            for (unsigned i = 0; i < N_RULES; i++) {
                struct test_rule *r = w->rules[i];
                if (r->in && r->cls.n_conjs && r->conj.id == id && r->cls.priority == priority &&
                    model_covers(w, &r->match, key))
                    have |= 1u << r->conj.clause;
            }
            if (have != 3)
                continue;
            struct flow_key again = *key;
            key_set(&again, FIELD_CONJ_ID, id);
            struct test_rule *r = model_hard(w, &again);
            if (r)
                return r;
        }
    }
    return hard;
}

static void toggle_rule(struct world *w, bool conjunctions)
{
    struct test_rule *r = w->rules[rnd(w, N_RULES)];
    if (r->in) {
        classifier_remove(&w->cls, &r->cls);
        r->in = false;
        return;
    }
    random_match(w, &r->match);
    int32_t priority = (int32_t)rnd(w, 10);
    uint32_t n_conjs = conjunctions && !rnd(w, 2);
    if (n_conjs)
        r->conj = (struct cls_conj){1 + rnd(w, 3), (uint8_t)rnd(w, 2), 2};
    else if (conjunctions && !rnd(w, 3))
        match_set(&r->match, FIELD_CONJ_ID, 1 + rnd(w, 3));
    if (classifier_find(&w->cls, &r->match, priority))
        return;
    classifier_insert(&w->cls, &r->cls, &r->match, priority, n_conjs ? &r->conj : NULL, n_conjs);
    assert_ptr_equal(classifier_find(&w->cls, &r->match, priority), &r->cls);
    r->in = true;
    struct match back;
    cls_rule_match(&r->cls, &back);
    assert_true(match_equal(&back, &r->match));
}

/* The memo says the same, of bits that decide: it is asked about keys that agree in those of an earlier answer. */
static void check_memo(struct world *w, const struct flow_key *key, const struct cls_rule *answer)
{
    struct flow_mask wc, more;
    uint64_t words;
    memset(&wc, 0, sizeof wc);
    assert_ptr_equal(
        cls_memo_lookup(w->memo, &w->cls, 7, key, &w->opts[key->tunnel.more], &wc, &words), answer);
    for (unsigned i = 0; i < FLOW_WORDS; i++)
        assert_true(words >> i & 1 || !flow_words_const(&wc.bits)[i]);
    struct flow_key other;
    random_key(w, &other);
    for (unsigned i = 0; i < FLOW_WORDS; i++) {
        uint64_t m = flow_words_const(&wc.bits)[i];
        flow_words(&other)[i] = (flow_words(&other)[i] & ~m) | (flow_words_const(key)[i] & m);
    }
    assert_ptr_equal(look_up(w, &other, NULL), answer);
    memset(&more, 0, sizeof more);
    assert_ptr_equal(
        cls_memo_lookup(w->memo, &w->cls, 7, &other, &w->opts[other.tunnel.more], &more, &words),
        answer);
}

/* Any key that agrees with KEY under WC must get the same answer. */
static void check_unwildcarding(struct world *w, const struct flow_key *key,
                                const struct flow_mask *wc, const struct cls_rule *answer)
{
    for (int i = 0; i < 8; i++) {
        struct flow_key other;
        random_key(w, &other);
        uint64_t *to = flow_words(&other);
        for (unsigned j = 0; j < FLOW_WORDS; j++) {
            uint64_t m = flow_words_const(&wc->bits)[j];
            to[j] = (to[j] & ~m) | (flow_words_const(key)[j] & m);
        }
        assert_ptr_equal(look_up(w, &other, NULL), answer);
        check_memo(w, &other, answer);
    }
}

static void run_oracle(uint64_t seed, bool conjunctions)
{
    struct world w = {.state = seed, .memo = cls_memo_new()};
    classifier_init(&w.cls);
    random_opts(&w);
    for (unsigned i = 0; i < N_RULES; i++)
        w.rules[i] = NEW(struct test_rule);
    for (unsigned step = 0; step < N_STEPS; step++) {
        toggle_rule(&w, conjunctions);
        if (step % 5)
            continue;
        for (unsigned i = 0; i < N_PACKETS; i++) {
            struct flow_key key;
            random_key(&w, &key);
            struct flow_mask wc;
            memset(&wc, 0, sizeof wc);
            struct test_rule *want = model_lookup(&w, &key);
            struct cls_rule *got = look_up(&w, &key, &wc);
            assert_ptr_equal(got, want ? &want->cls : NULL);
            assert_int_equal(wc.bits.conj_id, 0);
            check_unwildcarding(&w, &key, &wc, got);
        }
    }
    for (unsigned i = 0; i < N_RULES; i++) {
        if (w.rules[i]->in)
            classifier_remove(&w.cls, &w.rules[i]->cls);
        free(w.rules[i]);
    }
    assert_int_equal(w.cls.subtables.n, 0);
    classifier_fini(&w.cls);
    cls_memo_free(w.memo);
}

static void test_oracle(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++)
        run_oracle(seed, false);
}

static void test_oracle_conjunctions(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++)
        run_oracle(seed, true);
}

static void test_selection_and_overlap(void **state)
{
    (void)state;
    struct world w = {.state = 7};
    classifier_init(&w.cls);
    for (unsigned i = 0; i < N_RULES; i++)
        w.rules[i] = NEW(struct test_rule);
    for (unsigned step = 0; step < 200; step++)
        toggle_rule(&w, false);
    for (unsigned i = 0; i < 200; i++) {
        struct match target;
        random_match(&w, &target);
        cls_rules got = VEC_INIT;
        classifier_select(&w.cls, &target, &got);
        size_t want = 0;
        bool overlaps = false;
        for (unsigned j = 0; j < N_RULES; j++) {
            struct test_rule *r = w.rules[j];
            want += r->in && match_is_subset(&r->match, &target);
            overlaps |= r->in && r->cls.priority == 4 && match_overlaps(&r->match, &target);
        }
        assert_int_equal(got.n, want);
        for (size_t j = 1; j < got.n; j++)
            assert_true(got.data[j - 1]->seq < got.data[j]->seq);
        assert_int_equal(classifier_overlaps(&w.cls, &target, 4), overlaps);
        vec_fini(&got);
    }
    for (unsigned i = 0; i < N_RULES; i++) {
        if (w.rules[i]->in)
            classifier_remove(&w.cls, &w.rules[i]->cls);
        free(w.rules[i]);
    }
    classifier_fini(&w.cls);
}

static void test_first_added_wins(void **state)
{
    (void)state;
    struct classifier cls;
    classifier_init(&cls);
    struct match a, b;
    match_init(&a);
    match_set(&a, FIELD_REG0, 1);
    match_init(&b);
    match_set(&b, FIELD_REG1, 2);
    struct cls_rule ra = {.seq = 0}, rb = {.seq = 0}, rc = {.seq = 0};
    classifier_insert(&cls, &rb, &b, 5, NULL, 0);
    classifier_insert(&cls, &ra, &a, 5, NULL, 0);
    struct flow_key key;
    memset(&key, 0, sizeof key);
    key_set(&key, FIELD_REG0, 1);
    key_set(&key, FIELD_REG1, 2);
    assert_ptr_equal(classifier_lookup(&cls, &key, NULL), &rb);
    classifier_replace(&cls, &rb, &rc, NULL, 0); /* keeps the place */
    assert_ptr_equal(classifier_lookup(&cls, &key, NULL), &rc);
    classifier_remove(&cls, &rc);
    assert_ptr_equal(classifier_lookup(&cls, &key, NULL), &ra);
    classifier_remove(&cls, &ra);
    classifier_fini(&cls);
}

/* Looking up one address among routes must not need more bits than tell it from the other routes.
 */
static void test_prefixes_leave_bits_alone(void **state)
{
    (void)state;
    struct classifier cls;
    classifier_init(&cls);
    struct cls_rule rules[3];
    static const struct {
        uint32_t ip;
        unsigned plen;
    } routes[3] = {{0x0a010000, 16}, {0xc0a80100, 24}, {0xc0a80203, 32}};
    for (unsigned i = 0; i < 3; i++) {
        struct match match;
        match_init(&match);
        match_set_masked(&match, FIELD_IP_DST, routes[i].ip,
                         u128_ones(32) & ~u128_ones(32 - routes[i].plen));
        classifier_insert(&cls, &rules[i], &match, (int32_t)routes[i].plen, NULL, 0);
    }
    struct flow_key key;
    memset(&key, 0, sizeof key);
    key_set(&key, FIELD_IP_DST, 0x0a010203);
    struct flow_mask wc;
    memset(&wc, 0, sizeof wc);
    assert_ptr_equal(classifier_lookup(&cls, &key, &wc), &rules[0]);
    assert_true(mask_get(&wc, FIELD_IP_DST) == 0xffff0000);
    memset(&wc, 0, sizeof wc);
    key_set(&key, FIELD_IP_DST, 0x50000000);
    assert_null(classifier_lookup(&cls, &key, &wc));
    assert_true(mask_get(&wc, FIELD_IP_DST) == 0x80000000 + 0 ||
                mask_get(&wc, FIELD_IP_DST) == 0xc0000000);
    for (unsigned i = 0; i < 3; i++)
        classifier_remove(&cls, &rules[i]);
    classifier_fini(&cls);
}

static const struct cls_rule *remembered(const struct classifier *cls, struct cls_memo *memo)
{
    struct flow_key key;
    struct flow_mask wc;
    uint64_t words;
    memset(&key, 0, sizeof key);
    memset(&wc, 0, sizeof wc);
    key_set(&key, FIELD_REG0, 1);
    key_set(&key, FIELD_REG1, 2);
    struct cls_rule *rule = classifier_lookup_words(cls, &key, NULL, &wc, &words);
    memset(&wc, 0, sizeof wc);
    assert_ptr_equal(cls_memo_lookup(memo, cls, 0, &key, NULL, &wc, &words), rule);
    return rule;
}

/* A memo sees rules come and go with the versions, as look-ups do, and remembers nothing of a version that is over. */
static void test_memo_and_versions(void **state)
{
    (void)state;
    struct classifier cls;
    classifier_init(&cls);
    struct cls_memo *memo = cls_memo_new();
    struct match a, b;
    match_init(&a);
    match_init(&b);
    match_set(&a, FIELD_REG0, 1);
    match_set(&b, FIELD_REG1, 2);
    struct cls_rule ra, rb;
    classifier_insert(&cls, &ra, &a, 5, NULL, 0);
    classifier_insert(&cls, &rb, &b, 6, NULL, 0);
    classifier_from_next(&cls, &rb);
    for (unsigned i = 0; i < 3; i++)
        assert_ptr_equal(remembered(&cls, memo), &ra);
    classifier_flip(&cls);
    assert_ptr_equal(remembered(&cls, memo), &rb);
    rb.from = cls.version = 0; /* the commit is over */
    assert_ptr_equal(remembered(&cls, memo), &rb);
    classifier_until_next(&cls, &rb);
    assert_ptr_equal(remembered(&cls, memo), &rb);
    classifier_flip(&cls);
    assert_ptr_equal(remembered(&cls, memo), &ra);
    classifier_remove(&cls, &rb);
    cls.version = 0;
    assert_ptr_equal(remembered(&cls, memo), &ra);
    classifier_remove(&cls, &ra);
    assert_null(remembered(&cls, memo));
    classifier_fini(&cls);
    cls_memo_free(memo);
}

/* Counts of random hashes, many of which share slots, while the table grows and what it had before is being moved. */
static void test_counts(void **state)
{
    enum { HASHES = 5000, STEPS = 60000 };
    (void)state;
    struct counts counts = {.moved = 0};
    unsigned *model = xcalloc(HASHES, sizeof *model), moving = 0;
    uint64_t random = 1;
    for (unsigned i = 0; i < STEPS; i++) {
        random = random * 6364136223846793005 + 1442695040888963407;
        unsigned k = (unsigned)(random >> 33) % MIN(HASHES, i / 8 + 8);
        uint64_t hash = (uint64_t)(k % 2 ? k : k << 16 | 76) << 32;
        assert_int_equal(counts_has(&counts, hash), model[k] > 0);
        if (model[k] && random >> 62 == 0) {
            counts_remove(&counts, hash);
            model[k]--;
        } else {
            counts_add(&counts, hash);
            model[k]++;
        }
        assert_int_equal(counts_has(&counts, hash), model[k] > 0);
        moving += counts.before.n > 0;
    }
    assert_true(moving > 100);
    for (unsigned k = 0; k < HASHES; k++) {
        uint64_t hash = (uint64_t)(k % 2 ? k : k << 16 | 76) << 32;
        for (; model[k]; model[k]--)
            counts_remove(&counts, hash);
        assert_false(counts_has(&counts, hash));
    }
    assert_true(counts_is_empty(&counts));
    counts_fini(&counts);
    free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_added_wins),
        cmocka_unit_test(test_prefixes_leave_bits_alone),
        cmocka_unit_test(test_selection_and_overlap),
        cmocka_unit_test(test_memo_and_versions),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_oracle),
        cmocka_unit_test(test_oracle_conjunctions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
