/* chores.c - see chores.h. The thread starts with the first chore; where none can be started, chores are run at once. */
#include "switchd/port/chores.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/thread.h"
#include "io/loop.h"

LOG_MODULE(chores);

struct chores {
    struct loop_fd *lfd;
    size_t n; /* not done; the loop's thread's alone */
    void (*fn)(void *aux);
    void *aux;
    bool has_thread;
    pthread_t thread;
    int event; /* some have been run */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* under the lock */
    struct list waiting, run;
    bool stop;
};

static void work(struct chores *chores)
{
    struct chore *chore = LIST_FIRST(struct chore, node, &chores->waiting);
    list_remove(&chore->node);
    pthread_mutex_unlock(&chores->lock);
    chore->run(chore);
    pthread_mutex_lock(&chores->lock);
    list_push_back(&chores->run, &chore->node);
    pthread_cond_broadcast(&chores->changed);
    uint64_t one = 1;
    INVARIANT(write(chores->event, &one, sizeof one) == sizeof one);
}

static void *run(void *chores_)
{
    struct chores *chores = chores_;
    pthread_mutex_lock(&chores->lock);
    while (!chores->stop) {
        if (list_empty(&chores->waiting))
            pthread_cond_wait(&chores->changed, &chores->lock);
        else
            work(chores);
    }
    pthread_mutex_unlock(&chores->lock);
    return NULL;
}

/* Hands what has been run back; false: there was nothing. */
static bool collect(struct chores *chores)
{
    pthread_mutex_lock(&chores->lock);
    struct chore *chore =
        list_empty(&chores->run) ? NULL : LIST_FIRST(struct chore, node, &chores->run);
    if (chore)
        list_remove(&chore->node);
    pthread_mutex_unlock(&chores->lock);
    if (!chore)
        return false;
    chore->done(chore);
    chores->n--;
    return true;
}

static void on_event(void *chores_, unsigned events UNUSED)
{
    struct chores *chores = chores_;
    uint64_t n;
    if (read(chores->event, &n, sizeof n) < 0)
        return;
    while (collect(chores))
        ;
    if (!chores->n && chores->fn)
        chores->fn(chores->aux);
}

struct chores *chores_new(struct loop *loop)
{
    struct chores *chores = NEW(struct chores);
    chores->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    INVARIANT(chores->event >= 0);
    chores->lfd = loop_fd_new(loop, chores->event, LOOP_READ, on_event, chores);
    pthread_mutex_init(&chores->lock, NULL);
    pthread_cond_init(&chores->changed, NULL);
    list_init(&chores->waiting);
    list_init(&chores->run);
    return chores;
}

void chores_free(struct chores *chores)
{
    chores_wait(chores);
    pthread_mutex_lock(&chores->lock);
    chores->stop = true;
    pthread_cond_broadcast(&chores->changed);
    pthread_mutex_unlock(&chores->lock);
    if (chores->has_thread)
        pthread_join(chores->thread, NULL);
    loop_fd_free(chores->lfd);
    close(chores->event);
    pthread_cond_destroy(&chores->changed);
    pthread_mutex_destroy(&chores->lock);
    free(chores);
}

static bool start(struct chores *chores)
{
    chores->has_thread = thread_start(&chores->thread, run, chores);
    if (chores->has_thread)
        (void)pthread_setname_np(chores->thread, "chores");
    else
        log_warn("no thread for what takes long: packets wait for it");
    return chores->has_thread;
}

void chores_add(struct chores *chores, struct chore *chore)
{
    bool has_thread = chores->has_thread || start(chores);
    chores->n++;
    pthread_mutex_lock(&chores->lock);
    list_push_back(&chores->waiting, &chore->node);
    if (!has_thread)
        work(chores);
    pthread_cond_broadcast(&chores->changed);
    pthread_mutex_unlock(&chores->lock);
}

bool chores_are_done(const struct chores *chores)
{
    return !chores->n;
}

void chores_wait(struct chores *chores)
{
    while (chores->n) {
        pthread_mutex_lock(&chores->lock);
        while (list_empty(&chores->run))
            pthread_cond_wait(&chores->changed, &chores->lock);
        pthread_mutex_unlock(&chores->lock);
        (void)collect(chores);
    }
}

void chores_set_observer(struct chores *chores, void (*fn)(void *aux), void *aux)
{
    chores->fn = fn;
    chores->aux = aux;
}
