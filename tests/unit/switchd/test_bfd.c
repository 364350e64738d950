/* test_bfd.c - two BFD sessions on virtual time: every step of the state machine (RFC 5880 section 6.8.6), detection times, polls,
 * decay, forwarding by data alone, and packets that must be thrown away. */
#include "switchd/bfd/bfd.h"
#include "unit/switchd/world.h"

struct end {
    struct bfd *bfd;
    struct end *peer;
    bool cut;    /* what it sends is lost */
    bool passes; /* false: kept in LAST only */
    struct packet last;
    unsigned n_sent, n_changed, n_oam;
    uint64_t received;
};

struct pair {
    struct world w;
    struct end a, b;
};

static void on_send(void *end_, struct packet *packet, bool oam)
{
    struct end *end = end_;
    end->n_sent++;
    end->n_oam += oam;
    packet_fini(&end->last);
    packet_init(&end->last);
    packet_clone_into(&end->last, packet);
    if (end->cut || !end->passes)
        return;
    struct flow_key key;
    struct packet copy;
    packet_init(&copy);
    packet_clone_into(&copy, packet);
    flow_extract(&copy, &key); /* as the port's way in does */
    end->peer->received++;
    if (end->peer->bfd)
        assert_true(bfd_take(end->peer->bfd, &copy));
    packet_fini(&copy);
}

static void on_changed(void *end)
{
    ((struct end *)end)->n_changed++;
}

static uint64_t on_received(void *end)
{
    return ((struct end *)end)->received;
}

static const struct bfd_callbacks callbacks = {on_send, on_changed, on_received};

static struct bfd_options options(const char *text)
{
    struct smap map = SMAP_INIT;
    struct bfd_options ret;
    char *copy = xstrdup(text), *save = NULL;
    smap_set(&map, "enable", "true");
    for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        char *value = strchr(word, '=');
        *value++ = '\0';
        smap_set(&map, word, value);
    }
    assert_true(bfd_options_read(&map, &ret));
    smap_fini(&map);
    free(copy);
    return ret;
}

static void start(struct pair *p, struct end *end, const char *text)
{
    struct bfd_options o = options(text);
    end->bfd = bfd_new(p->w.loop, "tunnel", &o, (struct mac){{2, 0, 0, 0, 0, 1}}, &callbacks, end);
}

static void setup(struct pair *p, const char *a, const char *b)
{
    memset(p, 0, sizeof *p);
    world_init(&p->w);
    p->a.peer = &p->b;
    p->b.peer = &p->a;
    p->a.passes = p->b.passes = true;
    packet_init(&p->a.last);
    packet_init(&p->b.last);
    start(p, &p->a, a);
    start(p, &p->b, b);
}

static void teardown(struct pair *p)
{
    bfd_free(p->a.bfd);
    bfd_free(p->b.bfd);
    packet_fini(&p->a.last);
    packet_fini(&p->b.last);
    world_fini(&p->w);
}

static void pass(struct pair *p, int64_t ms)
{
    int64_t until = p->w.env.now_us + ms * 1000;
    while (p->w.env.now_us < until) {
        int64_t next = loop_next_us(p->w.loop);
        p->w.env.now_us = next < 0 || next > until ? until : MAX(next, p->w.env.now_us);
        loop_run_once(p->w.loop, 0);
    }
}

static void up(struct pair *p)
{
    pass(p, 4000);
    assert_int_equal(p->a.bfd->state, BFD_UP);
    assert_int_equal(p->b.bfd->state, BFD_UP);
    assert_true(p->a.bfd->forwarding && p->b.bfd->forwarding);
}

static void test_up_and_down(void **state)
{
    (void)state;
    struct pair p;
    setup(&p, "min_rx=100 min_tx=100", "min_rx=300 min_tx=200");
    assert_int_equal(p.a.bfd->state, BFD_DOWN);
    up(&p);
    unsigned before =
        p.a.n_sent; /* as often as the slower of the two wants: 300 ms less at most a quarter */
    pass(&p, 6000);
    assert_in_range(p.a.n_sent - before, 20, 27);
    before = p.b.n_sent;
    pass(&p, 6000);
    assert_in_range(p.b.n_sent - before, 30, 41);
    p.b.cut = true; /* three times 200 ms */
    pass(&p, 380);
    assert_int_equal(p.a.bfd->state, BFD_UP);
    pass(&p, 260);
    assert_int_equal(p.a.bfd->state, BFD_DOWN);
    assert_int_equal(p.a.bfd->diag, BFD_DIAG_EXPIRED);
    assert_false(p.a.bfd->forwarding);
    pass(&p, 1100); /* the other hears that it is down */
    assert_int_not_equal(p.b.bfd->state, BFD_UP);
    assert_int_equal(p.b.bfd->diag, BFD_DIAG_REMOTE_DOWN);
    unsigned flaps = (unsigned)p.a.bfd->flap_count;
    p.b.cut = false;
    up(&p);
    assert_int_equal(p.a.bfd->flap_count, flaps + 1);
    assert_int_equal(p.a.bfd->diag, BFD_DIAG_NONE);
    teardown(&p);
}

/* A control packet of B's making, to A. */
static void tell(struct pair *p, const struct bfd_control *control)
{
    struct packet packet;
    struct flow_key key;
    packet_init(&packet);
    bfd_compose(p->b.bfd, control, &packet);
    flow_extract(&packet, &key);
    assert_true(bfd_take(p->a.bfd, &packet));
    packet_fini(&packet);
}

static void test_table(void **state)
{
    (void)state;
    static const struct {
        enum bfd_state was, remote, becomes;
    } steps[] = {
        {BFD_DOWN, BFD_ADMIN_DOWN, BFD_DOWN}, {BFD_DOWN, BFD_DOWN, BFD_INIT},
        {BFD_DOWN, BFD_INIT, BFD_UP},         {BFD_DOWN, BFD_UP, BFD_DOWN},
        {BFD_INIT, BFD_ADMIN_DOWN, BFD_DOWN}, {BFD_INIT, BFD_DOWN, BFD_INIT},
        {BFD_INIT, BFD_INIT, BFD_UP},         {BFD_INIT, BFD_UP, BFD_UP},
        {BFD_UP, BFD_ADMIN_DOWN, BFD_DOWN},   {BFD_UP, BFD_DOWN, BFD_DOWN},
        {BFD_UP, BFD_INIT, BFD_UP},           {BFD_UP, BFD_UP, BFD_UP},
    };
    struct pair p;
    setup(&p, "min_rx=1000", "min_rx=1000");
    p.a.passes = p.b.passes = false;
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        struct bfd_control c = {.mult = 3,
                                .my_disc = 7,
                                .your_disc = p.a.bfd->disc,
                                .min_tx_us = 100000,
                                .min_rx_us = 100000,
                                .state = steps[i].remote};
        p.a.bfd->state = steps[i].was;
        tell(&p, &c);
        assert_int_equal(p.a.bfd->state, steps[i].becomes);
        if (steps[i].was != BFD_DOWN && steps[i].becomes == BFD_DOWN)
            assert_int_equal(p.a.bfd->diag, BFD_DIAG_REMOTE_DOWN);
    }
    teardown(&p);
}

static void test_thrown_away(void **state)
{
    (void)state;
    struct pair p;
    setup(&p, "min_rx=1000", "min_rx=1000");
    p.a.passes = p.b.passes = false;
    struct bfd_control good = {.mult = 3, .my_disc = 7, .state = BFD_DOWN, .min_rx_us = 1};
    struct bfd_control other = good, nobody = good;
    other.your_disc = p.a.bfd->disc + 1; /* another session's */
    tell(&p, &other);
    nobody.state = BFD_UP; /* up, and does not know with whom */
    tell(&p, &nobody);
    assert_int_equal(p.a.bfd->state, BFD_DOWN);
    struct packet packet;
    packet_init(&packet);
    bfd_compose(p.b.bfd, &good, &packet);
    size_t at = packet.size - BFD_CONTROL_LEN;
    uint8_t raw[BFD_CONTROL_LEN];
    memcpy(raw, packet.data + at, sizeof raw);
    struct bfd_control read;
    assert_true(bfd_control_read(raw, sizeof raw, &read));
    assert_false(bfd_control_read(raw, sizeof raw - 1, &read));
    static const struct {
        unsigned at;
        uint8_t value;
    } damages[] = {{0, 0x40}, {1, 0x43}, {2, 0}, {3, 23},
                   {3, 25},   {7, 0}}; /* version, multipoint, mult, length, discriminator */
    for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
        uint8_t bad[BFD_CONTROL_LEN];
        memcpy(bad, raw, sizeof bad);
        bad[damages[i].at] = damages[i].value;
        if (bfd_control_read(bad, sizeof bad, &read))
            fail_msg("damage %zu is not seen", i);
    }
    packet_fini(&packet);
    tell(&p, &good);
    assert_int_equal(p.a.bfd->state, BFD_INIT);
    teardown(&p);
}

static void test_poll(void **state)
{
    (void)state;
    struct pair p;
    setup(&p, "min_rx=100 min_tx=100", "min_rx=100 min_tx=100");
    up(&p);
    struct bfd_options slower = options("min_rx=500 min_tx=400");
    bfd_configure(p.a.bfd, &slower, p.a.bfd->mac);
    assert_true(p.a.bfd->polling);
    pass(&p, 600);
    assert_false(p.a.bfd->polling); /* the other has answered */
    assert_int_equal(p.b.bfd->remote.min_rx_us, 500000);
    unsigned before = p.b.n_sent;
    pass(&p, 5000);
    assert_in_range(p.b.n_sent - before, 9, 14);
    assert_int_equal(p.b.bfd->state, BFD_UP);
    teardown(&p);
}

static void test_decay(void **state)
{
    (void)state;
    struct pair p;
    setup(&p, "min_rx=100 min_tx=100 decay_min_rx=2000", "min_rx=100 min_tx=100");
    up(&p);
    pass(&p, 5000); /* nothing but control packets: the other may speak rarely */
    assert_int_equal(p.a.bfd->min_rx_ms, 2000);
    for (unsigned i = 0; i < 50; i++) {
        p.a.received += 5;
        pass(&p, 100);
    }
    assert_int_equal(p.a.bfd->min_rx_ms, 100);
    assert_int_equal(p.a.bfd->state, BFD_UP);
    teardown(&p);
}

static void test_forwarding(void **state)
{
    (void)state;
    struct pair p;
    setup(&p, "min_rx=100 min_tx=100 forwarding_if_rx=true", "min_rx=100 min_tx=100");
    up(&p);
    p.b.cut = true;
    for (unsigned i = 0; i < 10; i++) { /* no control packets, but data */
        p.a.received++;
        pass(&p, 100);
    }
    assert_int_not_equal(p.a.bfd->state, BFD_UP);
    assert_true(p.a.bfd->forwarding);
    pass(&p, 1000);
    assert_false(p.a.bfd->forwarding);
    bfd_force(p.a.bfd, 1);
    assert_true(p.a.bfd->forwarding);
    bfd_force(p.a.bfd, 0);
    p.b.cut = false;
    pass(&p, 4000);
    assert_int_equal(p.a.bfd->state, BFD_UP);
    assert_false(p.a.bfd->forwarding);
    bfd_force(p.a.bfd, -1);
    assert_true(p.a.bfd->forwarding);
    struct bfd_options concatenated = options("min_rx=100 min_tx=100 cpath_down=true");
    bfd_configure(p.b.bfd, &concatenated, p.b.bfd->mac);
    pass(&p, 500);
    assert_int_equal(p.a.bfd->state, BFD_UP); /* it arrives there, but not beyond */
    p.a.bfd->options.forwarding_if_rx = false;
    pass(&p, 500);
    assert_false(p.a.bfd->forwarding);
    teardown(&p);
}

int main(void)
{
    log_set_level(NULL, LOG_ERR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_up_and_down), cmocka_unit_test(test_table),
        cmocka_unit_test(test_thrown_away), cmocka_unit_test(test_poll),
        cmocka_unit_test(test_decay),       cmocka_unit_test(test_forwarding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
