/* test_chores.c - chores: another thread does them, in order, while the loop goes on; what is done comes back to the loop's, and all of it before the end. */
#include "switchd/port/chores.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "io/loop.h"

enum { N = 20 };

struct world {
    struct loop *loop;
    struct chores *chores;
    pthread_t self;
    pthread_mutex_t gate; /* held: no chore gets on */
    unsigned n_run, n_done, n_all_done;
    bool wrong; /* what cmocka cannot be told from another thread */
};

struct errand {
    struct chore chore;
    struct world *w;
    unsigned number;
    bool follow_up; /* asks for another when it is done */
};

static void errand_run(struct chore *chore)
{
    struct errand *e = CONTAINER_OF(chore, struct errand, chore);
    pthread_mutex_lock(&e->w->gate);
    e->w->wrong |= pthread_equal(pthread_self(), e->w->self) || e->number != e->w->n_run++;
    pthread_mutex_unlock(&e->w->gate);
}

static void add(struct world *w, unsigned number, bool follow_up);

static void errand_done(struct chore *chore)
{
    struct errand *e = CONTAINER_OF(chore, struct errand, chore);
    struct world *w = e->w;
    assert_true(pthread_equal(pthread_self(), w->self));
    assert_int_equal(e->number, w->n_done++);
    if (e->follow_up)
        add(w, e->number + 1, false);
    free(e);
}

static void add(struct world *w, unsigned number, bool follow_up)
{
    struct errand *e = NEW(struct errand);
    *e = (struct errand){{.run = errand_run, .done = errand_done}, w, number, follow_up};
    chores_add(w->chores, &e->chore);
}

static void all_done(void *w_)
{
    struct world *w = w_;
    assert_true(chores_are_done(w->chores));
    w->n_all_done++;
}

static void begin(struct world *w)
{
    *w = (struct world){.loop = loop_new(env_real()), .self = pthread_self()};
    pthread_mutex_init(&w->gate, NULL);
    w->chores = chores_new(w->loop);
    chores_set_observer(w->chores, all_done, w);
}

static void end(struct world *w)
{
    chores_free(w->chores);
    assert_false(w->wrong);
    loop_free(w->loop);
    pthread_mutex_destroy(&w->gate);
}

static void test_beside_the_loop(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    assert_true(chores_are_done(w.chores));
    pthread_mutex_lock(&w.gate);
    for (unsigned i = 0; i < N; i++)
        add(&w, i, i == N - 1);
    for (int i = 0; i < 5; i++) /* nothing stops the loop, and nothing is done */
        loop_run_once(w.loop, 0);
    assert_int_equal(w.n_done, 0);
    assert_false(chores_are_done(w.chores));
    pthread_mutex_unlock(&w.gate);
    while (!chores_are_done(w.chores))
        loop_run_once(w.loop, 100000);
    assert_int_equal(w.n_done, N + 1);
    assert_true(w.n_all_done >= 1);
    end(&w);
}

static void test_wait(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    for (unsigned i = 0; i < N; i++)
        add(&w, i, i == N - 1);
    chores_wait(w.chores);
    assert_int_equal(w.n_done, N + 1);
    chores_wait(w.chores);
    loop_run_once(w.loop, 0); /* told of nothing twice */
    assert_int_equal(w.n_done, N + 1);
    end(&w);
}

static void test_end_does_all(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    for (unsigned i = 0; i < N; i++)
        add(&w, i, i == N - 1);
    end(&w);
    assert_int_equal(w.n_done, N + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_beside_the_loop),
        cmocka_unit_test(test_wait),
        cmocka_unit_test(test_end_does_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
