/* memory_ahead.c - see memory_ahead.h. Beside the rooms of the architecture, like all of this folder.
 *
 * malloc is asked to take RESERVE bytes of addresses from the kernel at a time and to give nothing back. What of it the program has not used is zero, if the
 * thread has had it populated: by that the thread knows how far the program is, and stays a part of what it uses ahead. It only reads
 * what is populated, and what it reads decides about nothing but that.
 */
#include "daemon/memory_ahead.h"

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/thread.h"
#include "base/util.h"

enum {
    PIECE = 2 << 20,
    LEAST = 4 << 20,
    MOST = 64 << 20,
    RESERVE = 256 << 20,
    LARGE = 32 << 20,
    PAUSE_NS = 1000000
};

/* Sanitizers bring their own malloc. */
#if defined(__GLIBC__) && defined(MADV_POPULATE_WRITE) && !defined(__SANITIZE_ADDRESS__) &&        \
    !defined(__SANITIZE_THREAD__)

struct memory_ahead {
    pthread_t thread;
    atomic_bool stop;
    size_t surely;
};

static uintptr_t heap_end(void)
{
    return (uintptr_t)sbrk(0);
}

/* Whether the program has written into a populated piece: looks at one word in 64 KiB. */
static bool is_used(uintptr_t piece)
{
    for (uintptr_t at = piece; at < piece + PIECE; at += PIECE / 32)
        if (*(const volatile uint64_t *)(at + 8)) /* there is a chunk's size, if one begins here */
            return true;
    return false;
}

/* The end of what the program uses of the pieces from USED to DONE. It may leave a few untouched, as a table that is empty. */
static uintptr_t skip_used(uintptr_t used, uintptr_t done)
{
    enum { FAR = 8 };
    for (uintptr_t at = used; at < done && at < used + FAR * PIECE; at += PIECE)
        if (is_used(at))
            used = at + PIECE;
    return used;
}

/* How far ahead to be of a program that uses so much and SURELY will use so much: beyond that memory grows by it. */
static uintptr_t lead(uintptr_t use, uintptr_t surely)
{
    uintptr_t wanted = MAX(use / 8, surely > use ? surely - use : 0);
    return MAX((uintptr_t)LEAST, MIN(wanted, (uintptr_t)MOST));
}

static void *run(void *ahead_)
{
    struct memory_ahead *ahead = ahead_;
    const struct timespec pause = {.tv_nsec = PAUSE_NS};
    uintptr_t start = ROUND_UP(heap_end(), (uintptr_t)PIECE) + PIECE, done = start, used = start;
    while (!atomic_load(&ahead->stop)) {
        uintptr_t end = heap_end() / PIECE * PIECE;
        used = skip_used(used, done);
        if (done < end && done < used + lead(used - start, ahead->surely)) {
            if (madvise((void *)done, PIECE, MADV_POPULATE_WRITE))
                return NULL;
            done += PIECE;
        } else {
            nanosleep(&pause, NULL);
        }
    }
    return NULL;
}

struct memory_ahead *memory_ahead_start(size_t surely)
{
    struct memory_ahead *ahead = NEW(struct memory_ahead);
    ahead->surely = surely;
    /* The first turns off what malloc would learn by itself: what is large enough to be no part of the heap, and how much of its end stays. */
    mallopt(M_TOP_PAD, RESERVE);
    mallopt(M_MMAP_THRESHOLD, LARGE);
    mallopt(M_TRIM_THRESHOLD, -1);
    if (thread_start(&ahead->thread, run, ahead))
        return ahead;
    free(ahead);
    return NULL;
}

/* What was reserved: malloc looks at the end of the heap when something large next to it is freed. */
static void give_back(void)
{
    mallopt(M_TOP_PAD, PIECE);
    mallopt(M_TRIM_THRESHOLD, 2 * PIECE);
    void *volatile last = malloc(PIECE);
    free(last);
    mallopt(M_TRIM_THRESHOLD, 2 * LARGE);
}

void memory_ahead_stop(struct memory_ahead *ahead)
{
    if (!ahead)
        return;
    atomic_store(&ahead->stop, true);
    pthread_join(ahead->thread, NULL);
    free(ahead);
    give_back();
}

#else

struct memory_ahead *memory_ahead_start(size_t surely UNUSED)
{
    return NULL;
}

void memory_ahead_stop(struct memory_ahead *ahead UNUSED)
{
}

#endif
