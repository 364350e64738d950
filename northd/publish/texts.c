/* texts.c - matches and actions of new flows as texts, made by a second thread when they are many (docs/adr/0026-texts-by-a-thread.md), while the
 * publisher takes in facts and builds the rows of ports (room 5 of docs/architecture.md).
 *
 * Between texts_start and texts_finish the thread alone touches the texts and the hash of the flows that are wanted; their trees it only reads,
 * and takes no references. What it makes does not depend on when: flows are named in the order in which they were wanted.
 */
#include "northd/publish/internal.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/thread.h"

struct texts {
    VEC(struct pub_flow *) flows;
    size_t many;
    bool is_running;
    pthread_t thread;
};

static const struct datum *take_text(char *text)
{
    const struct datum *d = datum_new_string(text);
    free(text);
    return d;
}

void texts_make(const struct fact_lflow *f, const struct datum *ret[N_FLOW_TEXTS])
{
    ret[FLOW_MATCH] = take_text(expr_to_text(f->match));
    ret[FLOW_ACTIONS] = take_text(actions_to_text(f->actions));
    ret[FLOW_IDS] = NULL;
}

static void *run(void *texts_)
{
    struct texts *texts = texts_;
    struct pub_flow **at;
    VEC_FOR_EACH (at, &texts->flows) {
        struct pub_flow *flow = *at;
        texts_make(&flow->value, flow->texts);
        lflows_sb_hash(&flow->value, flow->texts, flow->text_hash);
    }
    return NULL;
}

void texts_want(struct texts *texts, struct pub_flow *flow)
{
    INVARIANT(!texts->is_running);
    vec_push(&texts->flows, flow);
}

void texts_start(struct texts *texts)
{
    INVARIANT(!texts->is_running);
    texts->is_running =
        texts->flows.n && texts->flows.n >= texts->many && thread_start(&texts->thread, run, texts);
}

void texts_finish(struct texts *texts, struct publisher *pub)
{
    struct pub_flow **flow;
    if (texts->is_running)
        pthread_join(texts->thread, NULL);
    else
        run(texts);
    texts->is_running = false;
    VEC_FOR_EACH (flow, &texts->flows)
        lflows_sb_name(pub, *flow);
    vec_fini(&texts->flows);
}

struct texts *texts_new(size_t many)
{
    struct texts *texts = NEW(struct texts);
    texts->many = many;
    return texts;
}

void texts_free(struct texts *texts)
{
    vec_fini(&texts->flows);
    free(texts);
}
