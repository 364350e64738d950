/* writer.c - the thread that writes a store's batches, so that its owner never waits for the disk.
 *
 * One batch at a time is handed over and taken back under a mutex, and the SQLite connection with
 * it: whoever has no batch under way may use the connection. The thread starts with the first batch.
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/thread.h"
#include "store/store_private.h"

struct writer {
    struct sql *sql;
    int fd; /* an eventfd: a batch is written */
    bool has_thread, stop, is_written;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    const struct batch *batch; /* NULL: idle */
    int err;
    struct diag diag;
};

struct writer *writer_new(struct sql *sql)
{
    struct writer *writer = NEW(struct writer);
    writer->sql = sql;
    writer->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    INVARIANT(writer->fd >= 0);
    pthread_mutex_init(&writer->lock, NULL);
    pthread_cond_init(&writer->changed, NULL);
    return writer;
}

int writer_fd(const struct writer *writer)
{
    return writer->fd;
}

static void write_one(struct writer *writer)
{
    const struct batch *batch = writer->batch;
    pthread_mutex_unlock(&writer->lock);
    struct diag diag = DIAG_INIT;
    int err = sql_write_batch(writer->sql, batch, &diag);
    pthread_mutex_lock(&writer->lock);
    writer->err = err;
    writer->diag = diag;
    writer->is_written = true;
    pthread_cond_broadcast(&writer->changed);
    uint64_t one = 1;
    INVARIANT(write(writer->fd, &one, sizeof one) == sizeof one);
}

static void *run(void *writer_)
{
    struct writer *writer = writer_;
    pthread_mutex_lock(&writer->lock);
    while (!writer->stop) {
        if (writer->batch && !writer->is_written)
            write_one(writer);
        else
            pthread_cond_wait(&writer->changed, &writer->lock);
    }
    pthread_mutex_unlock(&writer->lock);
    return NULL;
}

void writer_start(struct writer *writer, const struct batch *batch)
{
    if (!writer->has_thread)
        INVARIANT(thread_start(&writer->thread, run, writer));
    writer->has_thread = true;
    pthread_mutex_lock(&writer->lock);
    INVARIANT(!writer->batch);
    writer->batch = batch;
    pthread_mutex_unlock(&writer->lock);
    pthread_cond_signal(&writer->changed); /* after the unlock: it does not wake up to wait */
}

bool writer_take(struct writer *writer, bool wait, int *err, struct diag *diag)
{
    pthread_mutex_lock(&writer->lock);
    while (wait && !writer->is_written)
        pthread_cond_wait(&writer->changed, &writer->lock);
    bool written = writer->is_written;
    if (written) {
        uint64_t n;
        INVARIANT(read(writer->fd, &n, sizeof n) == sizeof n);
        *err = writer->err;
        *diag = writer->diag;
        writer->diag = (struct diag)DIAG_INIT;
        writer->is_written = false;
        writer->batch = NULL;
    }
    pthread_mutex_unlock(&writer->lock);
    return written;
}

void writer_free(struct writer *writer)
{
    if (!writer)
        return;
    pthread_mutex_lock(&writer->lock);
    INVARIANT(!writer->batch);
    writer->stop = true;
    pthread_cond_signal(&writer->changed);
    pthread_mutex_unlock(&writer->lock);
    if (writer->has_thread)
        pthread_join(writer->thread, NULL);
    pthread_cond_destroy(&writer->changed);
    pthread_mutex_destroy(&writer->lock);
    close(writer->fd);
    free(writer);
}
