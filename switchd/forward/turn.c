/* turn.c - see turn.h: a ticket lock (Mellor-Crummey and Scott, 1991) whose waiters sleep. */
#include "switchd/forward/turn.h"

enum { LOOKS = 1000 };

void turn_init(struct turn *turn)
{
    *turn = (struct turn){.next = 0};
    pthread_mutex_init(&turn->lock, NULL);
    pthread_cond_init(&turn->changed, NULL);
}

void turn_fini(struct turn *turn)
{
    pthread_cond_destroy(&turn->changed);
    pthread_mutex_destroy(&turn->lock);
}

static bool is_served(const struct turn *turn, uint64_t ticket)
{
    return __atomic_load_n(&turn->now, __ATOMIC_SEQ_CST) == ticket;
}

void turn_take(struct turn *turn)
{
    uint64_t ticket = __atomic_fetch_add(&turn->next, 1, __ATOMIC_SEQ_CST);
    for (int i = 0; i < LOOKS; i++) {
        if (is_served(turn, ticket))
            return;
    }
    pthread_mutex_lock(&turn->lock);
    while (!is_served(turn, ticket))
        pthread_cond_wait(&turn->changed, &turn->lock);
    pthread_mutex_unlock(&turn->lock);
}

/* Who got his ticket before NOW grew is seen here and told; who gets it later sees NOW. */
void turn_give(struct turn *turn)
{
    uint64_t now = __atomic_add_fetch(&turn->now, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&turn->next, __ATOMIC_SEQ_CST) == now)
        return;
    pthread_mutex_lock(&turn->lock);
    pthread_cond_broadcast(&turn->changed);
    pthread_mutex_unlock(&turn->lock);
}
