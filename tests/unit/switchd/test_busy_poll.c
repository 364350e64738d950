/* test_busy_poll.c - when who forwards packets looks for more: after short gaps only, for as long as it was told, never without packets, not while others
 * want the processor; and how much it looks in vain at most. */
#include "switchd/port/busy_poll.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "daemon/counter.h"

enum { LIMIT = 50, LOOK_US = 1, SECOND = 1000000, LONG = 10000 };

static bool nobody(struct busy_poll *poll)
{
    (void)poll;
    return false;
}

static bool somebody(struct busy_poll *poll)
{
    (void)poll;
    return true;
}

struct world {
    struct busy_poll poll;
    struct counters *counters;
    int64_t now, looked; /* us */
};

static void begin(struct world *w)
{
    *w = (struct world){.now = SECOND, .counters = counter_set_new()};
    busy_poll_init(&w->poll, w->counters);
    w->poll.gave_way = nobody;
    busy_poll_set(&w->poll, LIMIT);
}

static uint64_t counted(const struct world *w, const char *name)
{
    uint64_t n;
    assert_true(counter_read(w->counters, name, &n));
    return n;
}

/* The next packets come after GAP microseconds. */
static void packet(struct world *w, int64_t gap)
{
    int64_t at = w->now + gap;
    while (w->now < at && busy_poll_goes_on(&w->poll, w->now)) {
        w->now += LOOK_US;
        w->looked += LOOK_US;
    }
    w->now = at;
    busy_poll_saw(&w->poll, at);
}

static void packets(struct world *w, size_t n, int64_t gap)
{
    for (size_t i = 0; i < n; i++)
        packet(w, gap);
}

static void end(struct world *w)
{
    counter_set_free(w->counters);
}

static void test_short_gaps_pay(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    packets(&w, 10, LONG);
    packets(&w, 15, 30);
    assert_int_equal(w.looked, 0);
    packets(&w, 1000, 30);
    assert_in_range(w.looked, 990 * 30, 1000 * 30);
    assert_in_range(counted(&w, "busy_poll_paid"), 990, 1000);
    assert_int_equal(counted(&w, "busy_poll_unpaid"), 0);
    end(&w);
}

/* It stops when its time is over, and does not begin again without a packet. */
static void test_idle_sleeps(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    packets(&w, 100, 30);
    w.looked = 0;
    packet(&w, 5 * SECOND);
    assert_in_range(w.looked, LIMIT, LIMIT + 2);
    assert_int_equal(counted(&w, "busy_poll_unpaid"), 1);
    end(&w);
}

static void test_low_rates_do_not_look(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    packets(&w, 1000, 2 * LIMIT);
    packets(&w, 100, LONG);
    for (int i = 0; i < 100; i++) { /* there and back */
        packet(&w, LONG);
        packet(&w, 30);
    }
    assert_int_equal(w.looked, 0);
    end(&w);
}

/* Gaps that are short enough to hope, and too long to be seen: little of the time is wasted. */
static void test_misses_are_bounded(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    int64_t start = w.now;
    packets(&w, 10000, LIMIT + 5);
    assert_int_equal(counted(&w, "busy_poll_paid"), 0);
    assert_true(counted(&w, "busy_poll_unpaid") > 0);
    assert_true(w.looked * 8 < w.now - start);
    end(&w);
}

static void test_more_at_once_is_no_poll(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    w.poll.gave_way = somebody; /* nor is anybody asked to go first under load */
    for (int i = 0; i < 1000; i++) {
        busy_poll_saw(&w.poll, w.now += 20);
        if (i > 20)
            assert_true(busy_poll_goes_on(&w.poll, w.now));
    }
    assert_int_equal(counted(&w, "busy_poll_paid") + counted(&w, "busy_poll_disturbed"), 0);
    end(&w);
}

static void test_others_go_first(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    w.poll.gave_way = somebody;
    int64_t start = w.now;
    while (w.now < start + 10 * SECOND)
        packet(&w, 30);
    assert_in_range(counted(&w, "busy_poll_disturbed"), 10, 30); /* rests get longer */
    w.poll.gave_way = nobody;
    for (start = w.now; w.now < start + 2 * SECOND;)
        packet(&w, 30);
    uint64_t paid = counted(&w, "busy_poll_paid");
    assert_true(paid > SECOND / 30 / 2);
    w.poll.gave_way = somebody; /* once: the rest is short again */
    packet(&w, 30);
    w.poll.gave_way = nobody;
    packets(&w, 100, 30);
    assert_in_range(counted(&w, "busy_poll_paid") - paid, 50, 70);
    end(&w);
}

static void test_off(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    busy_poll_set(&w.poll, 0);
    packets(&w, 1000, 30);
    assert_int_equal(w.looked, 0);
    busy_poll_set(&w.poll, LIMIT);
    packets(&w, 1000, 30);
    assert_true(w.looked > 0);
    busy_poll_set(&w.poll, 0);
    w.looked = 0;
    packets(&w, 1000, 30);
    assert_int_equal(w.looked, 0);
    end(&w);
}

static void test_clock_that_stands_still(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    packets(&w, 100, 0);
    unsigned n = 0;
    while (busy_poll_goes_on(&w.poll, w.now))
        assert_true(n++ < 100 * LIMIT);
    end(&w);
}

/* Who finds few of many packets waits for more; not for one by one, nor behind a full batch, nor when they come slowly. */
static void test_gathers(void **state)
{
    (void)state;
    static const struct {
        unsigned n;
        int64_t us; /* since the last look */
        bool gathers;
    } steps[] = {{4, 19, true},  {4, 20, false},  {1, 1, false}, {2, 9, true},
                 {23, 60, true}, {24, 60, false}, {0, 1, false}, {12, 59, true}};
    struct busy_poll poll = {.limit_us = 100};
    int64_t now_us = 1000;
    (void)busy_poll_gathers(&poll, now_us);
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        poll.n_packets += steps[i].n;
        now_us += steps[i].us;
        assert_int_equal(busy_poll_gathers(&poll, now_us), steps[i].gathers);
    }
    busy_poll_set(&poll, 0);
    poll.n_packets = 12;
    assert_false(busy_poll_gathers(&poll, now_us + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_short_gaps_pay),
        cmocka_unit_test(test_idle_sleeps),
        cmocka_unit_test(test_low_rates_do_not_look),
        cmocka_unit_test(test_misses_are_bounded),
        cmocka_unit_test(test_more_at_once_is_no_poll),
        cmocka_unit_test(test_others_go_first),
        cmocka_unit_test(test_off),
        cmocka_unit_test(test_clock_that_stands_still),
        cmocka_unit_test(test_gathers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
