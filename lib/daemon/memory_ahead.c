/* memory_ahead.c - see memory_ahead.h. Beside the rooms of the architecture, like all of this folder.
 *
 * malloc is asked to take AHEAD bytes from the kernel at a time. The thread looks at the end of the heap once a millisecond, and when it has moved,
 * has all but the first piece of what is new populated: in that the program is already. If the program gives some of it back meanwhile,
 * the kernel says so, and nothing happens.
 */
#include "daemon/memory_ahead.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"

enum { PIECE = 2 << 20, AHEAD = 64 << 20, LARGE = 32 << 20, PAUSE_NS = 1000000 };

/* Sanitizers bring their own malloc. */
#if defined(__GLIBC__) && defined(MADV_POPULATE_WRITE) && !defined(__SANITIZE_ADDRESS__) &&        \
    !defined(__SANITIZE_THREAD__)

struct memory_ahead {
    pthread_t thread;
    atomic_bool stop;
};

static uintptr_t heap_end(void)
{
    return (uintptr_t)sbrk(0);
}

static void *run(void *ahead_)
{
    struct memory_ahead *ahead = ahead_;
    const struct timespec pause = {.tv_nsec = PAUSE_NS};
    uintptr_t done = heap_end();
    while (!atomic_load(&ahead->stop)) {
        uintptr_t end = heap_end() / PIECE * PIECE;
        uintptr_t next = ROUND_UP(done, (uintptr_t)PIECE) + PIECE;
        if (end < done)
            done = end;
        for (; next < end && !atomic_load(&ahead->stop); next += PIECE)
            if (madvise((void *)next, PIECE, MADV_POPULATE_WRITE))
                break;
        done = MAX(done, end);
        nanosleep(&pause, NULL);
    }
    return NULL;
}

/* Signals are the business of the thread that has the loop. */
static bool start_thread(struct memory_ahead *ahead)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int err = pthread_create(&ahead->thread, NULL, run, ahead);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return !err;
}

struct memory_ahead *memory_ahead_start(void)
{
    struct memory_ahead *ahead = NEW(struct memory_ahead);
    /* The first turns off what malloc would learn by itself: what is large enough to be no part of the heap, and how much of its end stays. */
    mallopt(M_TOP_PAD, AHEAD);
    mallopt(M_MMAP_THRESHOLD, LARGE);
    mallopt(M_TRIM_THRESHOLD, 2 * LARGE);
    if (start_thread(ahead))
        return ahead;
    free(ahead);
    return NULL;
}

void memory_ahead_stop(struct memory_ahead *ahead)
{
    if (!ahead)
        return;
    atomic_store(&ahead->stop, true);
    pthread_join(ahead->thread, NULL);
    mallopt(M_TOP_PAD, PIECE);
    free(ahead);
}

#else

struct memory_ahead *memory_ahead_start(void)
{
    return NULL;
}

void memory_ahead_stop(struct memory_ahead *ahead UNUSED)
{
}

#endif
