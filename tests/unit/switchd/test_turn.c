/* test_turn.c - who may be where at the same time (switchd/forward/turn.h): the data that is touched has no lock but the turn, so ThreadSanitizer (cmake --preset
 * tsan) finds what the turn lets through, and sums that come out wrong do in every build. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "switchd/forward/turn.h"

enum { FORWARDERS = 3, ALONE_EVERY = 16, ENOUGH = 1000, DEADLINE_S = 60 };

struct game {
    struct turn turn;
    struct turn_seat seats[FORWARDERS];
    /* Shared: read inside, changed alone or with the whole. */
    uint64_t a, b; /* the same, but while one changes them */
    /* Each one's own, read with the whole. */
    uint64_t n_inside[FORWARDERS], n_alone[FORWARDERS];
    bool quit, wrong; /* atomic */
};

struct player {
    struct game *game;
    unsigned number;
    pthread_t thread;
};

static void check(struct game *g)
{
    if (g->a != g->b)
        __atomic_store_n(&g->wrong, true, __ATOMIC_RELAXED);
}

static void change(struct game *g)
{
    g->a++;
    g->b++;
}

static void *play(void *player_)
{
    const struct player *player = player_;
    struct game *g = player->game;
    struct turn_seat *seat = &g->seats[player->number];
    for (unsigned i = 0; !__atomic_load_n(&g->quit, __ATOMIC_RELAXED); i++) {
        turn_enter(&g->turn, seat);
        check(g);
        g->n_inside[player->number]++;
        if (i % ALONE_EVERY == player->number) {
            turn_be_alone(&g->turn, seat);
            turn_be_alone(&g->turn, seat); /* it is */
            change(g);
            g->n_alone[player->number]++;
        }
        check(g);
        turn_leave(&g->turn, seat);
    }
    return NULL;
}

/* With the whole: whether each has been inside, and alone, often enough. */
static bool is_enough(const struct game *g)
{
    for (unsigned i = 0; i < FORWARDERS; i++) {
        if (g->n_inside[i] < ENOUGH || g->n_alone[i] < ENOUGH / ALONE_EVERY)
            return false;
    }
    return true;
}

/* The main thread wants the whole again and again, and neither keeps the others out nor is kept out by them. */
static void test_exclusion(void **state)
{
    (void)state;
    static struct game g;
    struct player players[FORWARDERS];
    uint64_t n_wholes = 0, n_changes = 0;
    time_t end = time(NULL) + DEADLINE_S;
    turn_init(&g.turn, g.seats, FORWARDERS);
    for (unsigned i = 0; i < FORWARDERS; i++) {
        players[i] = (struct player){.game = &g, .number = i};
        assert_int_equal(pthread_create(&players[i].thread, NULL, play, &players[i]), 0);
    }
    for (bool enough = false; !enough && time(NULL) < end;) {
        turn_take_whole(&g.turn);
        check(&g);
        change(&g);
        enough = ++n_wholes >= ENOUGH && is_enough(&g);
        turn_give_whole(&g.turn);
    }
    __atomic_store_n(&g.quit, true, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < FORWARDERS; i++) {
        pthread_join(players[i].thread, NULL);
        n_changes += g.n_alone[i];
    }
    assert_true(n_wholes >= ENOUGH);
    assert_true(is_enough(&g));
    assert_false(g.wrong);
    assert_int_equal(g.a, n_changes + n_wholes);
    assert_int_equal(g.b, g.a);
    turn_fini(&g.turn);
}

/* ---- side by side, really ---- */

struct meeting {
    struct turn turn;
    struct turn_seat seats[2];
    unsigned n_inside; /* atomic: those who are there now */
    bool go;           /* atomic: they may leave */
    bool was_alone;
};

static bool wait_until(const bool *flag)
{
    struct timespec nap = {.tv_nsec = 1000 * 1000};
    for (int i = 0; i < DEADLINE_S * 1000 && !__atomic_load_n(flag, __ATOMIC_ACQUIRE); i++)
        nanosleep(&nap, NULL);
    return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static void wait_for_inside(const struct meeting *m, unsigned n)
{
    struct timespec nap = {.tv_nsec = 1000 * 1000};
    int i;
    for (i = 0; i < DEADLINE_S * 1000 && __atomic_load_n(&m->n_inside, __ATOMIC_ACQUIRE) != n; i++)
        nanosleep(&nap, NULL);
    assert_int_equal(__atomic_load_n(&m->n_inside, __ATOMIC_ACQUIRE), n);
}

static void *stay_inside(void *m_)
{
    struct meeting *m = m_;
    turn_enter(&m->turn, &m->seats[0]);
    (void)__atomic_fetch_add(&m->n_inside, 1, __ATOMIC_RELEASE);
    (void)wait_until(&m->go);
    (void)__atomic_fetch_sub(&m->n_inside, 1, __ATOMIC_RELEASE);
    turn_leave(&m->turn, &m->seats[0]);
    return NULL;
}

static void *come_and_be_alone(void *m_)
{
    struct meeting *m = m_;
    turn_enter(&m->turn, &m->seats[1]);
    (void)__atomic_fetch_add(&m->n_inside, 1, __ATOMIC_RELEASE);
    turn_be_alone(&m->turn, &m->seats[1]);
    m->was_alone = __atomic_load_n(&m->n_inside, __ATOMIC_ACQUIRE) == 1;
    turn_leave(&m->turn, &m->seats[1]);
    return NULL;
}

/* Two are inside at once, which no lock would let be; who wants to be alone waits for the other. */
static void test_side_by_side(void **state)
{
    (void)state;
    struct meeting m = {.go = false};
    pthread_t a, b;
    turn_init(&m.turn, m.seats, 2);
    assert_int_equal(pthread_create(&a, NULL, stay_inside, &m), 0);
    wait_for_inside(&m, 1);
    assert_int_equal(pthread_create(&b, NULL, come_and_be_alone, &m), 0);
    wait_for_inside(&m, 2);
    __atomic_store_n(&m.go, true, __ATOMIC_RELEASE);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    assert_true(m.was_alone);
    turn_fini(&m.turn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exclusion),
        cmocka_unit_test(test_side_by_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
