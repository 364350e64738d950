/* test_hints.c - hints of where connections are: they find the right one, and none that has gone, when the memory of connections was given
 * back and when it holds others. */
#include "unit/conntrack/world.h"

enum { N = 20000 }; /* more than two chunks */

/* Sends packet I of so many connections, with the hint that it had before. */
static uint32_t send_one(struct world *w, struct packet *p, struct ct_hint *hints, unsigned i,
                         bool reply, const struct ct_action *a)
{
    struct flow_key key;
    uint8_t *l4 = packet_l4(p);
    put_be16(l4 + (reply ? 2 : 0), (uint16_t)(1024 + i));
    packet_finish_checksum(p);
    p->md.has_ct = false;
    flow_extract(p, &key);
    conntrack_execute_near(w->ct, p, a, w->now_ms, &hints[i]);
    return swap32(p->md.ct.state);
}

static void test_gone_and_back(void **state)
{
    (void)state;
    static struct ct_hint hints[N];
    struct world w;
    struct packet p, back;
    struct ct_action c = commit(1), t = track(1);
    struct ct_filter all = {0};
    world_init(&w);
    make(&p, &(struct spec){"10.0.0.1", "10.0.0.2", IP_PROTO_UDP, .dport = 53, .len = 10});
    make(&back, &(struct spec){"10.0.0.2", "10.0.0.1", IP_PROTO_UDP, .sport = 53, .len = 10});
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < N;
             i++) /* nobody is there any more, though hints say where they were */
            assert_int_equal(send_one(&w, &p, hints, i, false, &t), CT_TRK | CT_NEW);
        for (unsigned i = 0; i < N; i++) /* in another order in memory than before */
            assert_int_equal(send_one(&w, &p, hints, (i * 7 + round) % N, false, &c),
                             CT_TRK | CT_NEW);
        for (unsigned i = 0; i < N; i++)
            assert_int_equal(send_one(&w, &back, hints, i, true, &t), CT_TRK | CT_EST | CT_RPL);
        for (unsigned i = 0; i < N; i++) {
            const void *end = hints[i].end;
            assert_int_equal(send_one(&w, &back, hints, i, true, &t), CT_TRK | CT_EST | CT_RPL);
            assert_ptr_equal(hints[i].end, end);
            conntrack_prefetch(hints[i]);
        }
        assert_int_equal(conntrack_count(w.ct), N);
        assert_int_equal(conntrack_flush(w.ct, &all), N);
    }
    packet_fini(&p);
    packet_fini(&back);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gone_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
