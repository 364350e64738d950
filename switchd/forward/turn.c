/* turn.c - see turn.h. Who goes in says so and then looks at the door; who closes the door does that and then looks who is inside; so one of two
 * sees the other (both sequentially consistent). All that waits has `lock`, and is woken by who leaves while the door is closed. */
#include "switchd/forward/turn.h"

enum { LOOKS = 2000 };
enum turn_at { OUT, INSIDE, STANDING /* inside, and waiting to be alone */ };

void turn_init(struct turn *turn, struct turn_seat *seats, unsigned n)
{
    *turn = (struct turn){.seats = seats, .n_seats = n};
    pthread_mutex_init(&turn->lock, NULL);
    pthread_cond_init(&turn->changed, NULL);
}

void turn_fini(struct turn *turn)
{
    pthread_cond_destroy(&turn->changed);
    pthread_mutex_destroy(&turn->lock);
}

static uint32_t read_word(const uint32_t *word)
{
    return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static void put(struct turn_seat *seat, enum turn_at at)
{
    __atomic_store_n(&seat->at, (uint32_t)at, __ATOMIC_SEQ_CST);
}

static void close_door(struct turn *turn)
{
    (void)__atomic_fetch_add(&turn->n_closed, 1, __ATOMIC_SEQ_CST);
}

static void open_door(struct turn *turn)
{
    (void)__atomic_fetch_sub(&turn->n_closed, 1, __ATOMIC_SEQ_CST);
}

static void wait_for_change(struct turn *turn)
{
    pthread_cond_wait(&turn->changed, &turn->lock);
}

static void enter_slowly(struct turn *turn, struct turn_seat *seat)
{
    pthread_mutex_lock(&turn->lock);
    put(seat, OUT);
    pthread_cond_broadcast(&turn->changed);
    turn->n_waiting++;
    while (read_word(&turn->n_closed))
        wait_for_change(turn);
    turn->n_waiting--;
    put(seat, INSIDE); /* nobody closes the door without the lock */
    if (turn->n_owed && !--turn->n_owed)
        pthread_cond_broadcast(&turn->changed);
    pthread_mutex_unlock(&turn->lock);
}

void turn_enter(struct turn *turn, struct turn_seat *seat)
{
    put(seat, INSIDE);
    if (read_word(&turn->n_closed))
        enter_slowly(turn, seat);
}

void turn_leave(struct turn *turn, struct turn_seat *seat)
{
    if (!seat->alone) {
        put(seat, OUT);
        if (!read_word(&turn->n_closed))
            return;
    }
    pthread_mutex_lock(&turn->lock);
    if (seat->alone) {
        seat->alone = false;
        turn->alone = NULL;
        put(seat, OUT);
        open_door(turn);
    }
    pthread_cond_broadcast(&turn->changed);
    pthread_mutex_unlock(&turn->lock);
}

/* Whether a seat but OWN is at INSIDE; with ALL also those that stand. */
static bool others_are_inside(const struct turn *turn, const struct turn_seat *own, bool all)
{
    for (unsigned i = 0; i < turn->n_seats; i++) {
        uint32_t at = read_word(&turn->seats[i].at);
        if (&turn->seats[i] != own && (at == INSIDE || (all && at == STANDING)))
            return true;
    }
    return false;
}

/* With the lock, which is given meanwhile. They leave within a batch of packets, so it looks for a moment before it sleeps. */
static void wait_for_others(struct turn *turn, const struct turn_seat *own, bool all)
{
    pthread_mutex_unlock(&turn->lock);
    for (int i = 0; i < LOOKS && others_are_inside(turn, own, all); i++)
        ;
    pthread_mutex_lock(&turn->lock);
    while (others_are_inside(turn, own, all))
        wait_for_change(turn);
}

void turn_be_alone(struct turn *turn, struct turn_seat *seat)
{
    if (seat->alone)
        return;
    pthread_mutex_lock(&turn->lock);
    put(seat, STANDING);
    pthread_cond_broadcast(&turn->changed);
    while (turn->alone)
        wait_for_change(turn);
    turn->alone = seat;
    close_door(turn);
    put(seat, INSIDE);
    wait_for_others(turn, seat, false);
    seat->alone = true;
    pthread_mutex_unlock(&turn->lock);
}

void turn_take_whole(struct turn *turn)
{
    pthread_mutex_lock(&turn->lock);
    while (turn->n_owed)
        wait_for_change(turn);
    close_door(turn);
    wait_for_others(turn, NULL, true);
    pthread_mutex_unlock(&turn->lock);
}

void turn_give_whole(struct turn *turn)
{
    pthread_mutex_lock(&turn->lock);
    open_door(turn);
    turn->n_owed = turn->n_waiting;
    pthread_cond_broadcast(&turn->changed);
    pthread_mutex_unlock(&turn->lock);
}
