/* thread.h - starting a second thread. Signals are the business of the one that has the loop. */
#pragma once

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>

/* RUN(AUX) in a thread that gets no signals; false: the system gives none, errno says why. */
static inline bool thread_start(pthread_t *thread, void *(*run)(void *aux), void *aux)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int err = pthread_create(thread, NULL, run, aux);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = err;
    return !err;
}
