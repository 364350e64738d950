/* test_loop.c - the loop's order of calls and its timers; the texts that say where to connect. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "io/loop.h"
#include "io/target.h"

/* ---- loop ---- */

struct order {
    struct loop *loop;
    char text[64];
    size_t n;
    struct deferred later, commit, output;
    struct timer timer;
    int again;
};

static void note(struct order *o, char c)
{
    o->text[o->n++] = c;
    o->text[o->n] = '\0';
}

static void on_later(void *o_)
{
    struct order *o = o_;
    note(o, 'l');
    deferred_schedule(&o->commit);
    if (o->again-- > 0)
        deferred_schedule(&o->later);
}

static void on_commit(void *o_)
{
    struct order *o = o_;
    note(o, 'c');
    deferred_schedule(&o->output);
}

static void on_output(void *o_)
{
    note(o_, 'o');
}

static void on_timer(void *o_)
{
    note(o_, 't');
}

static void test_turn_order(void **state UNUSED)
{
    struct env_seeded env;
    env_seeded_init(&env, 1);
    struct order o = {.loop = loop_new(&env.env), .again = 1};
    deferred_init(&o.later, o.loop, LOOP_LATER, on_later, &o);
    deferred_init(&o.commit, o.loop, LOOP_COMMIT, on_commit, &o);
    deferred_init(&o.output, o.loop, LOOP_OUTPUT, on_output, &o);
    timer_init(&o.timer, o.loop, on_timer, &o);
    assert_true(loop_next_us(o.loop) == INT64_MAX);
    timer_start_ms(&o.timer, 5);
    deferred_schedule(&o.later);
    deferred_schedule(&o.later);
    loop_run_once(o.loop, 0);
    assert_string_equal(o.text, "lco"); /* the second "later" waits for the next turn */
    loop_run_once(o.loop, 0);
    assert_string_equal(o.text, "lcolco");
    /* Virtual time: the timer runs when the env says so, not before. */
    int64_t next = loop_next_us(o.loop);
    assert_true(next == env.now_us + 5000);
    loop_run_once(o.loop, 0);
    assert_string_equal(o.text, "lcolco");
    env.now_us = next;
    loop_run_once(o.loop, 0);
    assert_string_equal(o.text, "lcolcot");
    assert_false(timer_is_running(&o.timer));
    deferred_schedule(&o.output);
    deferred_cancel(&o.output);
    loop_run_once(o.loop, 0);
    assert_string_equal(o.text, "lcolcot");
    loop_free(o.loop);
}

enum { N_TIMERS = 300 };
struct timers {
    struct env_seeded env;
    struct timer timers[N_TIMERS];
    int64_t last;
    size_t fired;
};

static struct timers *timers_now;
static void on_many(void *timer_)
{
    struct timer *t = timer_;
    assert_true(t->at_us >= timers_now->last);
    timers_now->last = t->at_us;
    timers_now->fired++;
}

static void test_many_timers(void **state UNUSED)
{
    struct timers *ts = NEW(struct timers);
    timers_now = ts;
    env_seeded_init(&ts->env, 7);
    struct loop *loop = loop_new(&ts->env.env);
    for (size_t i = 0; i < N_TIMERS; i++) {
        timer_init(&ts->timers[i], loop, on_many, &ts->timers[i]);
        timer_set_us(&ts->timers[i],
                     ts->env.now_us + (int64_t)(env_random_u64(&ts->env.env) % 10000));
    }
    for (size_t i = 0; i < N_TIMERS; i += 3)
        timer_stop(&ts->timers[i]);
    for (size_t i = 1; i < N_TIMERS; i += 3) /* set again, elsewhere */
        timer_set_us(&ts->timers[i],
                     ts->env.now_us + (int64_t)(env_random_u64(&ts->env.env) % 10000));
    while (loop_next_us(loop) != INT64_MAX) {
        ts->env.now_us = MAX(ts->env.now_us, loop_next_us(loop));
        loop_run_once(loop, 0);
    }
    assert_int_equal(ts->fired, N_TIMERS - N_TIMERS / 3);
    loop_free(loop);
    free(ts);
}

/* ---- targets ---- */

static void check_target(const char *text, const char *expect)
{
    struct target t;
    struct diag diag = DIAG_INIT;
    int err = target_parse(text, TARGET_PORT_OVSDB, "/run/x", &t, &diag);
    char *got = NULL;
    if (err)
        got = xstrdup("error");
    else if (t.kind == TARGET_UNIX)
        got = xstrdup(t.path);
    else
        got = target_print_addr(&t.addr);
    assert_string_equal(got, expect);
    assert_true(err == 0 || diag.text);
    free(got);
    target_fini(&t);
    diag_fini(&diag);
}

static void test_targets(void **state UNUSED)
{
    check_target("unix:/a/b.sock", "/a/b.sock");
    check_target("punix:db.sock", "/run/x/db.sock");
    check_target("tcp:10.1.2.3:6641", "10.1.2.3:6641");
    check_target("tcp:10.1.2.3", "10.1.2.3:6640");
    check_target("tcp:[::1]:80", "[::1]:80");
    check_target("ssl:[fd00::1]", "[fd00::1]:6640");
    check_target("tcp:localhost:1", "127.0.0.1:1");
    check_target("ptcp:", "0.0.0.0:6640");
    check_target("ptcp:0:127.0.0.1", "127.0.0.1:0");
    check_target("ptcp:6641:[::]", "[::]:6641");
    check_target("tcp:10.1.2.3:0", "error");
    check_target("tcp:10.1.2.3:99999", "error");
    check_target("tcp:10.1.2.3:12x", "error");
    check_target("tcp:10.1.2:1", "error");
    check_target("tcp:::1:6640", "error");
    check_target("tcp:", "error");
    check_target("unix:", "error");
    check_target("udp:1.2.3.4:5", "error");
    check_target("", "error");
    assert_true(target_is_passive("ptcp:") && target_is_active("unix:x"));
    assert_false(target_is_passive("tcp:") || target_is_active("nonsense"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_turn_order),
        cmocka_unit_test(test_many_timers),
        cmocka_unit_test(test_targets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
