/* test_port_chore.c - what the kernel takes long for holds up neither packets nor questions; it is done in order, and the port may go meanwhile. */
#include "switchd/port/port_chore.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "switchd/port/dummy.h"

enum { FRAME = 64 };

struct world {
    struct loop *loop;
    struct counters *counters;
    struct port_host host;
    struct port *ports[2];
    pthread_mutex_t gate; /* held: no chore gets on, but questions do */
    unsigned n_rx;
    unsigned done[8]; /* numbers, in order */
    unsigned n_done;
    struct port *seen[8]; /* by number */
};

struct job {
    struct port_chore up;
    struct world *w;
    unsigned number;
};

static void rx(void *w_, struct port *port, struct packet *packets, size_t n)
{
    struct world *w = w_;
    (void)port;
    (void)packets;
    w->n_rx += (unsigned)n;
}

static void slow(struct port_chore *up)
{
    struct world *w = CONTAINER_OF(up, struct job, up)->w;
    pthread_mutex_lock(&w->gate);
    pthread_mutex_unlock(&w->gate);
}

static void quick(struct port_chore *up)
{
    (void)up;
}

static void done(struct port_chore *up)
{
    struct job *job = CONTAINER_OF(up, struct job, up);
    job->w->done[job->w->n_done++] = job->number;
    job->w->seen[job->number] = up->port;
    free(job);
}

static struct port_chore *job_new(struct world *w, unsigned number,
                                  void (*run)(struct port_chore *up))
{
    struct job *job = NEW(struct job);
    *job = (struct job){{.run = run, .done = done}, w, number};
    return &job->up;
}

static void begin(struct world *w)
{
    static const char *const names[] = {"p0", "p1"};
    struct smap options = SMAP_INIT;
    *w = (struct world){.loop = loop_new(env_real()), .counters = counter_set_new()};
    pthread_mutex_init(&w->gate, NULL);
    port_host_init(&w->host, w->loop, env_real(), w->counters, rx, w);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(port_open(&w->host, "dummy", names[i], &options, &w->ports[i], NULL), 0);
}

static void end(struct world *w)
{
    for (unsigned i = 0; i < 2; i++)
        port_close(w->ports[i]);
    port_host_fini(&w->host);
    counter_set_free(w->counters);
    loop_free(w->loop);
    pthread_mutex_destroy(&w->gate);
}

static void run_until_done(struct world *w, unsigned n)
{
    while (w->n_done < n)
        loop_run_once(w->loop, 100000);
}

static void test_packets_go_on(void **state)
{
    (void)state;
    static const uint8_t frame[FRAME];
    struct world w;
    begin(&w);
    pthread_mutex_lock(&w.gate);
    for (unsigned i = 0; i < 3; i++)
        port_chore_add(w.ports[0], job_new(&w, i, slow));
    for (unsigned i = 0; i < 100; i++) {
        for (unsigned k = 0; k < 2; k++)
            dummy_receive(w.ports[k], frame, sizeof frame);
        loop_run_once(w.loop, 0);
    }
    assert_int_equal(w.n_rx, 200);
    assert_int_equal(w.n_done, 0);
    assert_false(chores_are_done(w.host.chores));
    pthread_mutex_unlock(&w.gate);
    run_until_done(&w, 3);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(w.done[i], i);
    assert_ptr_equal(w.seen[2], w.ports[0]);
    end(&w);
}

static void test_questions_have_their_own_line(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    pthread_mutex_lock(&w.gate);
    port_chore_add(w.ports[0], job_new(&w, 0, slow));
    port_chore_ask(w.ports[0], job_new(&w, 1, quick));
    port_chore_ask(w.ports[1], job_new(&w, 2, quick));
    run_until_done(&w, 2);
    assert_int_equal(w.done[0], 1);
    assert_int_equal(w.done[1], 2);
    assert_true(chores_are_done(w.host.questions));
    pthread_mutex_unlock(&w.gate);
    run_until_done(&w, 3);
    assert_int_equal(w.done[2], 0);
    end(&w);
}

static void test_the_last(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    pthread_mutex_lock(&w.gate);
    struct port_chore *a = job_new(&w, 0, slow), *b = job_new(&w, 1, slow),
                      *c = job_new(&w, 2, quick);
    port_chore_add(w.ports[0], a);
    port_chore_add(w.ports[0], b);
    port_chore_add(w.ports[0], c);
    assert_ptr_equal(port_chore_last(w.ports[0], slow), b);
    assert_ptr_equal(port_chore_last(w.ports[0], quick), c);
    assert_null(port_chore_last(w.ports[1], slow));
    pthread_mutex_unlock(&w.gate);
    run_until_done(&w, 3);
    assert_null(port_chore_last(w.ports[0], slow));
    end(&w);
}

/* The ports of one that runs and of those that wait go, and the host while one runs. */
static void test_port_goes(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    pthread_mutex_lock(&w.gate);
    port_chore_add(w.ports[0], job_new(&w, 0, slow));
    port_chore_add(w.ports[0], job_new(&w, 1, slow));
    port_chore_add(w.ports[1], job_new(&w, 2, slow));
    port_close(w.ports[0]);
    w.ports[0] = NULL;
    w.seen[0] = w.seen[1] = w.ports[1];
    port_close(w.ports[1]);
    w.ports[1] = NULL;
    pthread_mutex_unlock(&w.gate);
    run_until_done(&w, 1);
    end(&w);
    assert_int_equal(w.n_done, 3);
    for (unsigned i = 0; i < 3; i++)
        assert_null(w.seen[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packets_go_on),
        cmocka_unit_test(test_questions_have_their_own_line),
        cmocka_unit_test(test_the_last),
        cmocka_unit_test(test_port_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
