/* test_model.c - the tracker against a model: a plain list of connections, looked through from the start for each packet.
 *
 * Random UDP, TCP (sequence numbers unchecked: test_states.c has the windows) and ICMP packets between few hosts in two zones,
 * committed, turned around, translated into ranges so small that they run out, over virtual time that lets connections end. After
 * each packet its ct_state, mark, original tuple and headers must be the model's. Where the tracker may choose (a port), the model
 * checks that the choice is allowed and free, and that a refusal means that nothing was free. */
#include "base/vec.h"
#include "unit/conntrack/world.h"

enum { N_STEPS = 60000 };

struct tuple {
    uint32_t src, dst;
    uint16_t sport, dport; /* ICMP: id, type */
    uint8_t proto;
    uint16_t zone;
};

enum side { NOTHING, SYN, OPEN, RESET };

struct model_conn {
    struct tuple orig, reply;
    bool replied, again;
    uint32_t mark;
    enum side side[2];
    int64_t ends_ms;
};

struct model {
    VEC(struct model_conn) conns;
    int64_t now_ms;
};

struct random {
    uint64_t state;
};

static uint32_t rnd(struct random *r, uint32_t n)
{
    r->state = r->state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(r->state >> 33) % n;
}

static struct tuple reversed(struct tuple t)
{
    struct tuple r = t;
    r.src = t.dst;
    r.dst = t.src;
    if (t.proto == IP_PROTO_ICMP) {
        r.dport = t.dport == 8 ? 0 : 8;
    } else {
        r.sport = t.dport;
        r.dport = t.sport;
    }
    return r;
}

static bool same(const struct tuple *a, const struct tuple *b)
{
    return a->src == b->src && a->dst == b->dst && a->sport == b->sport && a->dport == b->dport &&
           a->proto == b->proto && a->zone == b->zone;
}

/* ---- the model ---- */

static struct model_conn *find(struct model *m, const struct tuple *t, int *dir)
{
    for (size_t i = 0; i < m->conns.n; i++) {
        struct model_conn *c = &m->conns.data[i];
        if (c->ends_ms <= m->now_ms)
            continue;
        if (same(&c->orig, t) || same(&c->reply, t)) {
            *dir = same(&c->orig, t) ? CT_ORIG : CT_REPLY;
            return c;
        }
    }
    return NULL;
}

static bool is_free(struct model *m, const struct tuple *t)
{
    int dir;
    return !find(m, t, &dir);
}

static void forget(struct model *m, struct model_conn *c)
{
    vec_remove(&m->conns, (size_t)(c - m->conns.data));
}

static void prolong(struct model *m, struct model_conn *c)
{
    int s = 60;
    if (c->orig.proto == IP_PROTO_UDP || c->orig.proto == IP_PROTO_ICMP)
        s = c->replied ? 30 : 60;
    else if (c->side[0] == OPEN && c->side[1] == OPEN)
        s = 86400;
    else
        s = 30;
    c->ends_ms = m->now_ms + s * 1000;
}

static bool begins(const struct tuple *t, uint16_t flags)
{
    if (t->proto == IP_PROTO_ICMP)
        return t->dport == 8;
    return t->proto == IP_PROTO_UDP || flags == TCP_SYN || flags == TCP_ACK;
}

/* False: the connection is over, and FLAGS begin another. */
static bool advance(struct model_conn *c, int dir, uint16_t flags)
{
    enum side *from = &c->side[dir], *to = &c->side[!dir];
    if (c->orig.proto == IP_PROTO_TCP) {
        if (flags == TCP_SYN && *from == RESET)
            return false;
        if (flags == TCP_SYN && *from != NOTHING) {
            c->replied |= dir == CT_REPLY;
            return true;
        }
        if (flags & TCP_RST) {
            *from = *to = RESET;
        } else {
            if (*from == NOTHING)
                *from = flags & TCP_SYN ? SYN : OPEN;
            if (flags & TCP_ACK && *to == SYN)
                *to = OPEN;
        }
    }
    c->replied |= dir == CT_REPLY;
    return true;
}

/* ---- one packet ---- */

struct step {
    struct tuple t;
    uint16_t flags;
    struct ct_action a;
};

static uint32_t host(struct random *r)
{
    return 0x0a000001 + rnd(r, 4);
}

static void random_step(struct random *r, struct step *s)
{
    static const uint8_t protos[] = {IP_PROTO_UDP, IP_PROTO_TCP, IP_PROTO_ICMP};
    static const uint16_t flags[] = {TCP_SYN, TCP_SYN | TCP_ACK, TCP_ACK, TCP_ACK, TCP_RST};
    memset(s, 0, sizeof *s);
    s->t = (struct tuple){host(r),
                          host(r),
                          (uint16_t)(1 + rnd(r, 3)),
                          (uint16_t)(1 + rnd(r, 3)),
                          protos[rnd(r, 3)],
                          (uint16_t)rnd(r, 2)};
    if (s->t.proto == IP_PROTO_ICMP)
        s->t.dport = rnd(r, 2) ? 8 : 0;
    s->flags = flags[rnd(r, ARRAY_SIZE(flags))];
    s->a.zone = s->t.zone;
    if (rnd(r, 2)) {
        s->a.flags = CT_COMMIT | (rnd(r, 8) ? 0 : CT_FORCE);
        s->a.mark = swap32(rnd(r, 4));
        s->a.mark_mask = swap32(rnd(r, 4));
    }
    if (rnd(r, 2)) {
        s->a.flags |= CT_TRANSLATE;
        if (s->a.flags & CT_COMMIT && rnd(r, 4)) {
            s->a.nat.flags = rnd(r, 2) ? CT_NAT_SRC : CT_NAT_DST;
            s->a.nat.version = 4;
            put_be32(&s->a.nat.addr_min, 0x0a000001 + rnd(r, 3));
            put_be32(&s->a.nat.addr_max, get_be32(&s->a.nat.addr_min) + rnd(r, 2));
            s->a.nat.port_min = s->a.nat.port_max = (uint16_t)(1 + rnd(r, 2));
            s->a.nat.port_max += (uint16_t)rnd(r, 2);
        }
    }
}

static void build(const struct step *s, struct packet *p)
{
    char src[16], dst[16];
    snprintf(src, sizeof src, "10.0.0.%u", s->t.src & 255);
    snprintf(dst, sizeof dst, "10.0.0.%u", s->t.dst & 255);
    struct spec spec = {.src = src,
                        .dst = dst,
                        .proto = s->t.proto,
                        .sport = s->t.sport,
                        .dport = s->t.dport,
                        .flags = s->flags,
                        .seq = 1000,
                        .ack = 1000,
                        .len = 4};
    make(p, &spec);
}

static struct tuple headers(struct packet *p, uint16_t zone)
{
    struct flow_key key;
    flow_extract(p, &key);
    struct tuple t = {.src = swap32(key.nw_src),
                      .dst = swap32(key.nw_dst),
                      .sport = swap16(key.tp_src),
                      .dport = swap16(key.tp_dst),
                      .proto = key.nw_proto,
                      .zone = zone};
    if (t.proto == IP_PROTO_ICMP) {
        t.sport = get_be16((uint8_t *)packet_l4(p) + 4);
        t.dport = key.icmp_type;
    }
    return t;
}

/* The reply tuples that a translation may choose, as far as ranges say. */
static bool some_choice_is_free(struct model *m, const struct step *s)
{
    const struct ct_nat *n = &s->a.nat;
    bool icmp = s->t.proto == IP_PROTO_ICMP;
    for (uint32_t addr = get_be32(&n->addr_min); addr <= get_be32(&n->addr_max); addr++) {
        struct tuple reply = reversed(s->t);
        *(n->flags & CT_NAT_SRC ? &reply.dst : &reply.src) = addr;
        if (icmp && !same(&reply, &s->t) && is_free(m, &reply))
            return true;
        if (icmp && n->flags & CT_NAT_SRC)
            return true; /* 65536 ids are never all taken here */
        for (unsigned port = n->port_min; port <= n->port_max && !icmp; port++) {
            *(n->flags & CT_NAT_SRC ? &reply.dport : &reply.sport) = (uint16_t)port;
            if (!same(&reply, &s->t) && is_free(m, &reply))
                return true;
        }
    }
    return false;
}

static void check_choice(struct model *m, const struct step *s, const struct tuple *now)
{
    const struct ct_nat *n = &s->a.nat;
    struct tuple reply = reversed(*now);
    bool src = n->flags & CT_NAT_SRC;
    uint32_t addr = src ? now->src : now->dst;
    assert_true(is_free(m, &reply));
    assert_in_range(addr, get_be32(&n->addr_min), get_be32(&n->addr_max));
    assert_int_equal(src ? now->dst : now->src, src ? s->t.dst : s->t.src);
    if (s->t.proto != IP_PROTO_ICMP) {
        assert_in_range(src ? now->sport : now->dport, n->port_min, n->port_max);
        assert_int_equal(src ? now->dport : now->sport, src ? s->t.dport : s->t.sport);
    }
}

/* A commit of a new connection: what the tracker made of it, checked. Returns the state, NULL in *RET: refused. */
static uint32_t model_commit(struct model *m, const struct step *s, const struct tuple *now,
                             uint32_t got, struct model_conn **ret)
{
    struct model_conn c = {.orig = s->t, .reply = reversed(s->t)};
    uint32_t state = CT_TRK | CT_NEW;
    *ret = NULL;
    if (s->a.nat.flags) {
        if (!some_choice_is_free(m, s))
            return CT_TRK | CT_INV;
        if (got & CT_INV)
            fail_msg("refused although a tuple is free");
        check_choice(m, s, now);
        c.reply = reversed(*now);
        if (now->src != s->t.src || now->sport != s->t.sport)
            state |= CT_SNAT;
        if (now->dst != s->t.dst || now->dport != s->t.dport)
            state |= CT_DNAT;
    } else if (same(&c.orig, &c.reply) || !is_free(m, &c.reply)) {
        return CT_TRK | CT_INV;
    }
    c.side[CT_ORIG] = s->t.proto != IP_PROTO_TCP ? NOTHING : s->flags & TCP_SYN ? SYN : OPEN;
    if (c.side[CT_ORIG] == OPEN) { /* under way before it was tracked */
        c.side[CT_REPLY] = OPEN;
        c.replied = true;
    }
    prolong(m, &c);
    vec_push(&m->conns, c);
    *ret = &vec_last(&m->conns);
    return state;
}

/* What the connection does to a packet of direction DIR. */
static uint32_t translate(const struct model_conn *c, int dir, const struct step *s,
                          const struct tuple *now)
{
    struct tuple want = s->t, plain = reversed(c->orig);
    uint32_t state = 0;
    if (s->a.flags & CT_TRANSLATE) {
        want = reversed(dir == CT_ORIG ? c->reply : c->orig);
        bool src = c->reply.dst != plain.dst ||
                   (c->orig.proto == IP_PROTO_ICMP ? c->reply.sport != plain.sport
                                                   : c->reply.dport != plain.dport);
        bool dst = c->reply.src != plain.src ||
                   (c->orig.proto != IP_PROTO_ICMP && c->reply.sport != plain.sport);
        state = (src ? dir == CT_ORIG ? CT_SNAT : CT_DNAT : 0) |
                (dst ? dir == CT_ORIG ? CT_DNAT : CT_SNAT : 0);
    }
    assert_true(same(&want, now));
    return state;
}

/* What the report of a failure needs. */
static void explain(struct world *w, const struct step *s)
{
    char *text = dump(w, CT_SHOW_MORE | CT_SHOW_TIMES);
    printf("packet %x:%u > %x:%u protocol %u zone %u TCP flags %x action %x\n%s", s->t.src,
           s->t.sport, s->t.dst, s->t.dport, s->t.proto, s->t.zone, s->flags, s->a.flags, text);
    free(text);
}

static void check_step(struct world *w, struct model *m, const struct step *s)
{
    struct packet p;
    build(s, &p);
    uint32_t got = run(w, &p, &s->a);
    struct tuple now = headers(&p, s->t.zone);
    int dir = CT_ORIG;
    struct model_conn *c = find(m, &s->t, &dir);
    uint32_t want = CT_TRK;
    bool turned = c && dir == CT_REPLY && s->a.flags & CT_FORCE;
    if (c && (turned || !advance(c, dir, s->flags))) {
        forget(m, c);
        c = NULL;
    }
    if (c) {
        prolong(m, c);
        want |= (c->replied ? CT_EST : CT_NEW) | (dir == CT_REPLY ? CT_RPL : 0) |
                translate(c, dir, s, &now);
    } else if (!begins(&s->t, s->flags)) {
        want |= CT_INV;
    } else if (s->a.flags & CT_COMMIT) {
        want = model_commit(m, s, &now, got, &c);
    } else {
        want |= CT_NEW;
    }
    if (got != want)
        explain(w, s);
    assert_int_equal(got, want);
    if (c) {
        if (s->a.flags & CT_COMMIT)
            c->mark =
                (c->mark & ~swap32(s->a.mark_mask)) | (swap32(s->a.mark) & swap32(s->a.mark_mask));
        assert_int_equal(swap32(p.md.ct.mark), c->mark);
        assert_int_equal(swap32(p.md.ct.nw_src), c->orig.src);
        assert_int_equal(swap32(p.md.ct.nw_dst), c->orig.dst);
    }
    assert_checksums(&p);
    packet_fini(&p);
}

static uint32_t count(struct model *m)
{
    for (size_t i = m->conns.n; i-- > 0;) {
        if (m->conns.data[i].ends_ms <= m->now_ms)
            vec_remove(&m->conns, i);
    }
    return (uint32_t)m->conns.n;
}

static void run_model(uint64_t seed)
{
    struct world w;
    struct model m = {.conns = VEC_INIT};
    struct random r = {seed};
    struct step s;
    uint64_t full = 0;
    world_init(&w);
    conntrack_check_sequence(w.ct, false);
    for (unsigned i = 0; i < N_STEPS; i++) {
        if (!rnd(&r, 3))
            w.now_ms += rnd(&r, 2000);
        if (!rnd(&r, 400))
            w.now_ms += rnd(&r, 90000000);
        m.now_ms = w.now_ms;
        if (!rnd(&r, 10))
            conntrack_expire(w.ct, w.now_ms);
        random_step(&r, &s);
        check_step(&w, &m, &s);
        full = MAX(full, m.conns.n);
        if (!rnd(&r, 100)) {
            conntrack_expire(w.ct, w.now_ms);
            conntrack_expire(w.ct, w.now_ms); /* the wheel's second may be the one that runs */
            assert_in_range(conntrack_count(w.ct), count(&m), count(&m) + 60);
        }
    }
    print_message("seed %lu: up to %lu connections, %lu committed, %lu without a free tuple\n",
                  (unsigned long)seed, (unsigned long)full,
                  (unsigned long)conntrack_counters(w.ct)->n_committed,
                  (unsigned long)conntrack_counters(w.ct)->n_nat_exhausted);
    assert_true(conntrack_counters(w.ct)->n_nat_exhausted > 100);
    vec_fini(&m.conns);
    world_fini(&w);
}

static void test_against_model(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++)
        run_model(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_against_model)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
