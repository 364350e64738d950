/* translator.c - translations of logical flows, remembered with the questions that they depend on; see translator.h.
 *
 * The same flow may have many translations, as datapaths answer differently. What is asked next follows from the flow and the answers so far; so the
 * first translation is found by the flow, and where an answer is another than its own, the search goes on at the translation that was found by all
 * answers up to this one. Mostly that is one look, and never more than there are questions.
 */
#include "encode/translator.h"

#include <stdlib.h>
#include <string.h>

#include "base/gen_cache.h"
#include "base/hash.h"
#include "base/vec.h"
#include "encode/question.h"

/* What must be equal, beside the texts, before questions are worth asking. */
struct identity {
    const struct encode_profile *profile;
    size_t limit;
    uint32_t norm_flags, meter;
    uint16_t table;
    uint8_t pipeline, is_router, ct_zero_snat;
};

/* One block: what is looked at on a hit lies side by side. There is one for each logical flow, so it says where nothing is that can be counted. */
struct entry {
    struct gen_node node;
    struct rstr *match, *actions; /* texts */
    struct identity key;
    uint32_t n_questions;
    uint32_t n_prefix;           /* found by as many of its answers; 0: by the key alone */
    uint32_t last_datapath;      /* that used it */
    uint32_t n_names, n_actions; /* bytes */
    uint32_t n_flows, n_conj;
    bool is_local;
    struct question questions[];
    /* names, for each flow a struct packed_flow, matches, actions, clauses */
};

struct packed_flow {
    uint32_t conj_id, n_clauses;
};

typedef VEC(struct question) question_vec;

/* An entry in the making. */
struct draft {
    const struct translate_world *world;
    struct norm norm;
    struct of_actions actions;
    question_vec questions;
    question_vec given; /* ids known from an attempt to use an older translation */
    struct str names;   /* of both */
    struct str matches;
    bool is_own;
};

struct translator {
    struct gen_cache cache;
    uint64_t hits, misses;
    struct draft draft;                /* of the call; only its memory is kept */
    question_vec answers;              /* the same */
    VEC(struct translated_flow) flows; /* of the translation that was returned last */
    struct translation out;            /* that one */
};

static void release(struct gen_node *node)
{
    struct entry *e = CONTAINER_OF(node, struct entry, node);
    rstr_unref(e->match);
    rstr_unref(e->actions);
    free(e);
}

/* Empty, for WORLD. */
static struct draft *draft_begin(struct translator *t, const struct translate_world *world)
{
    struct draft *d = &t->draft;
    d->world = world;
    of_actions_clear(&d->actions);
    vec_clear(&d->questions);
    vec_clear(&d->given);
    str_clear(&d->names);
    str_clear(&d->matches);
    d->is_own = false;
    vec_clear(&t->answers);
    return d;
}

static void draft_fini(struct draft *d)
{
    of_actions_fini(&d->actions);
    vec_fini(&d->questions);
    vec_fini(&d->given);
    str_fini(&d->names);
    str_fini(&d->matches);
}

struct translator *translator_new(void)
{
    struct translator *t = NEW(struct translator);
    t->cache = (struct gen_cache){
        .max_entries = 262144, .max_bytes = (size_t)96 << 20, .release = release};
    return t;
}

void translator_free(struct translator *t)
{
    if (!t)
        return;
    gen_cache_clear(&t->cache);
    draft_fini(&t->draft);
    vec_fini(&t->answers);
    vec_fini(&t->flows);
    free(t);
}

struct translator_stats translator_get_stats(const struct translator *t)
{
    return (struct translator_stats){.hits = t->hits,
                                     .misses = t->misses,
                                     .entries = t->cache.young.n + t->cache.old.n,
                                     .bytes = t->cache.bytes};
}

/* --- Looking for what holds */

static const char *names_of(const struct entry *e)
{
    return (const char *)&e->questions[e->n_questions];
}

/* What is looked for: a flow, and the answers so far. */
struct wanted {
    const struct translate_source *source;
    struct identity key;
    uint64_t hash; /* of all */
    const struct question *answers;
    uint32_t n_answers;
};

static bool is_wanted(const struct gen_node *node, const void *aux)
{
    const struct entry *e = CONTAINER_OF(node, const struct entry, node);
    const struct wanted *w = aux;
    if (e->n_prefix != w->n_answers || memcmp(&e->key, &w->key, sizeof w->key) ||
        !rstr_equal(e->match, w->source->match) || !rstr_equal(e->actions, w->source->actions))
        return false;
    for (uint32_t i = 0; i < w->n_answers; i++)
        if (!question_same(&e->questions[i], &w->answers[i]))
            return false;
    return true;
}

static struct entry *find(struct translator *t, const struct wanted *w)
{
    struct gen_node *node = gen_cache_find(&t->cache, w->hash, is_wanted, w);
    return node ? CONTAINER_OF(node, struct entry, node) : NULL;
}

static uint64_t hash_answer(const struct question *q, uint64_t hash)
{
    return hash_u64(q->answer << 1 | q->found, hash);
}

/* The first answer of E from FROM on that is another now, which is then in *NOW; E->n_questions if all hold. */
static uint32_t first_other(const struct entry *e, uint32_t from, const struct translate_world *w,
                            struct question *now)
{
    for (uint32_t i = from; i < e->n_questions; i++) {
        *now = question_ask(w, e->questions[i], names_of(e), NULL);
        if (!question_same(now, &e->questions[i]))
            return i;
    }
    return e->n_questions;
}

/* Takes the first N answers, to questions of E, over to a translation that is made because nothing held: ids are asked for once. */
static void hand_over(struct draft *d, const struct entry *e, const struct question *answers,
                      uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (!question_is_id(&answers[i]))
            continue;
        struct question id = answers[i];
        const char *name = names_of(e) + e->questions[i].name;
        id.name = (uint32_t)d->names.n;
        str_put_n(&d->names, name, strlen(name) + 1);
        vec_push(&d->given, id);
    }
}

/* The translation whose answers all hold, or NULL: then W says how the one to be made will be found, and D has the ids that were asked for. ANSWERS is
 * where W's answers are. Where another datapath may well answer otherwise, both are kept; else the world has changed, and the new one takes the old
 * one's place. */
static struct entry *find_holding(struct translator *t, const struct translate_world *world,
                                  struct wanted *w, question_vec *answers, struct draft *d)
{
    uint32_t datapath = world->params->datapath_key;
    struct entry *next;
    w->hash = hash_u64(w->source->match->node.hash, w->source->actions->node.hash);
    w->hash = hash_bytes(&w->key, sizeof w->key, w->hash);
    for (struct entry *e = find(t, w); e; e = next) {
        struct question now;
        uint32_t i = first_other(e, w->n_answers, world, &now);
        if (i == e->n_questions) {
            e->last_datapath = datapath;
            return e;
        }
        for (uint32_t k = w->n_answers; k < i; k++)
            vec_push(answers, e->questions[k]);
        vec_push(answers, now);
        if (!question_is_local(&now) || e->last_datapath == datapath) {
            hand_over(d, e, answers->data, i + 1);
            gen_cache_remove(&t->cache, &e->node);
            return NULL;
        }
        for (uint32_t k = w->n_answers; k <= i; k++)
            w->hash = hash_answer(&answers->data[k], w->hash);
        w->answers = answers->data;
        w->n_answers = i + 1;
        next = find(t, w);
        if (!next)
            hand_over(d, e, answers->data, i + 1);
    }
    return NULL;
}

/* --- Noting what was asked while a translation is made */

static struct question note(struct draft *d, enum question_kind kind, const char *name,
                            const struct question_sink *sink)
{
    struct question q = {.kind = (uint8_t)kind, .name = (uint32_t)d->names.n};
    str_put_n(&d->names, name, strlen(name) + 1);
    q = question_ask(d->world, q, str_c(&d->names), sink);
    vec_push(&d->questions, q);
    return q;
}

static bool note_number(struct draft *d, enum question_kind kind, const char *name, uint32_t *ret)
{
    struct question q = note(d, kind, name, NULL);
    if (q.found)
        *ret = (uint32_t)q.answer;
    return q.found;
}

static bool note_port(void *aux, const char *name, uint32_t *ret)
{
    return note_number(aux, ASK_PORT, name, ret);
}

/* The match speaks of the port by which packets that are here came or will leave. */
static bool is_at(const struct draft *d, const struct symbol *sym)
{
    const struct encode_params *p = d->world->params;
    int at = p->pipeline == PIPELINE_INGRESS ? p->profile->inport : p->profile->outport;
    return p->port_at && sym->field == at;
}

static bool note_match_port(void *aux, const struct symbol *sym, const char *name, uint32_t *ret)
{
    return note_number(aux, is_at(aux, sym) ? ASK_PORT_AT : ASK_PORT, name, ret);
}

static bool note_tunnel_port(void *aux, const char *name, uint32_t *ret)
{
    return note_number(aux, ASK_TUNNEL_PORT, name, ret);
}

static bool note_set(void *aux, const char *name, void (*add)(void *, u128, u128), void *add_aux)
{
    const struct question_sink sink = {.value = add, .aux = add_aux};
    return note(aux, ASK_SET, name, &sink).found;
}

typedef VEC(uint32_t) number_vec;

static void push_number(void *aux, uint32_t number)
{
    number_vec *v = aux;
    vec_push(v, number);
}

static int compare_numbers(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* In the order of the numbers: what the translation is does not depend on how the world orders them. */
static bool note_members(void *aux, const struct symbol *sym, const char *name,
                         void (*add)(void *, uint32_t), void *add_aux)
{
    number_vec numbers = VEC_INIT;
    const struct question_sink sink = {.number = push_number, .aux = &numbers};
    bool found = note(aux, is_at(aux, sym) ? ASK_PORT_GROUP_AT : ASK_PORT_GROUP, name, &sink).found;
    if (numbers.n)
        qsort(numbers.data, numbers.n, sizeof *numbers.data, compare_numbers);
    const uint32_t *number;
    VEC_FOR_EACH (number, &numbers)
        add(add_aux, *number);
    vec_fini(&numbers);
    return found;
}

static bool note_resident(void *aux, const char *name)
{
    return note(aux, ASK_RESIDENT, name, NULL).found;
}

static bool note_resident_lb(void *aux, const char *name)
{
    return note(aux, ASK_RESIDENT_LB, name, NULL).found;
}

static uint32_t note_id(struct draft *d, enum question_kind kind, const char *name)
{
    const struct question *q;
    VEC_FOR_EACH (q, &d->questions)
        if (q->kind == kind && !strcmp(str_c(&d->names) + q->name, name))
            return (uint32_t)q->answer;
    VEC_FOR_EACH (q, &d->given)
        if (q->kind == kind && !strcmp(str_c(&d->names) + q->name, name)) {
            vec_push(&d->questions, *q); /* in the order in which they come */
            return (uint32_t)q->answer;
        }
    return (uint32_t)note(d, kind, name, NULL).answer;
}

static uint32_t note_group(void *aux, const char *spec)
{
    return note_id(aux, ASK_GROUP, spec);
}

static uint32_t note_meter(void *aux, const char *name)
{
    return note_id(aux, ASK_METER, name);
}

static bool note_collector(void *aux, uint32_t id)
{
    struct draft *d = aux;
    struct question q = {.kind = ASK_COLLECTOR, .name = id};
    q = question_ask(d->world, q, "", NULL);
    vec_push(&d->questions, q);
    return q.found;
}

/* --- Translating */

static int translate(struct draft *d, const struct translate_source *source, struct diag *diag)
{
    struct expr *match;
    struct actions *actions;
    int rc = source->parse(source->aux, &match, &actions, diag);
    if (rc)
        return rc;
    const struct translate_world *world = d->world;
    const struct expr_world names = {
        .aux = d, .set = note_set, .members = note_members, .resident = note_resident};
    const struct norm_ports ports = {.aux = d, .number = note_match_port};
    struct encode_params params = *world->params;
    params.aux = d;
    params.port = note_port;
    params.group = note_group;
    params.meter_id = note_meter;
    params.collector = note_collector;
    params.resident = note_resident_lb;
    params.tunnel_port = note_tunnel_port;
    params.is_own = &d->is_own;
    rc = norm_from_expr(match, &names, &ports, world->norm_flags, world->limit, &d->norm, diag);
    if (!rc && d->norm.n)
        encode_actions(actions, &params, &d->actions);
    if (d->is_own)
        vec_push(&d->questions, question_ask(world, (struct question){.kind = ASK_SELF}, "", NULL));
    expr_unref(match);
    actions_unref(actions);
    return rc;
}

/* The matches of NORM, one behind the other. */
static void pack_matches(const struct norm *norm, struct str *out)
{
    _Alignas(uint64_t) char mini[MINIMATCH_MAX];
    for (size_t i = 0; i < norm->n; i++) {
        struct match match;
        match_init(&match);
        norm_flow_to_match(&(struct norm_flow){.cube = norm->flows[i].cube}, 0, &match);
        str_put_n(out, mini, minimatch_put(&match, mini));
    }
}

static size_t clauses_size(const struct norm *norm)
{
    size_t n = 0;
    for (size_t i = 0; i < norm->n; i++)
        n += norm->flows[i].n_clauses;
    return n * sizeof(struct norm_clause);
}

/* Takes N bytes from *P for a copy of DATA. */
static void pack(char **p, const void *data, size_t n)
{
    if (n)
        memcpy(*p, data, n);
    *p += n;
}

/* D, with what it is of, as one block; the parts that need the widest alignment come first. */
static struct entry *finish(struct draft *d, const struct wanted *w)
{
    const struct norm *norm = &d->norm;
    pack_matches(norm, &d->matches);
    size_t n_questions = d->questions.n * sizeof *d->questions.data;
    size_t n_names = ROUND_UP(d->names.n, 8);
    size_t bytes = sizeof(struct entry) + n_questions + n_names +
                   norm->n * sizeof(struct packed_flow) + d->matches.n + d->actions.n +
                   clauses_size(norm);
    INVARIANT(bytes < UINT32_MAX);
    struct entry *e = xmalloc(bytes);
    *e = (struct entry){
        .node.bytes = bytes,
        .match = rstr_ref(w->source->match),
        .actions = rstr_ref(w->source->actions),
        .key = w->key,
        .n_questions = (uint32_t)d->questions.n,
        .n_prefix = w->n_answers,
        .last_datapath = d->world->params->datapath_key,
        .n_names = (uint32_t)n_names,
        .n_actions = (uint32_t)d->actions.n,
        .n_flows = (uint32_t)norm->n,
        .n_conj = norm->n_conj,
    };
    char *p = (char *)e->questions;
    pack(&p, d->questions.data, n_questions);
    pack(&p, str_c(&d->names), d->names.n);
    memset(p, 0, n_names - d->names.n);
    p += n_names - d->names.n;
    for (size_t i = 0; i < norm->n; i++) {
        struct packed_flow flow = {norm->flows[i].conj_id, norm->flows[i].n_clauses};
        pack(&p, &flow, sizeof flow);
    }
    pack(&p, str_c(&d->matches), d->matches.n);
    pack(&p, d->actions.data, d->actions.n);
    for (size_t i = 0; i < norm->n; i++)
        pack(&p, norm->flows[i].clauses, norm->flows[i].n_clauses * sizeof *norm->flows[i].clauses);
    for (size_t i = 0; i < d->questions.n; i++)
        e->is_local |= question_is_local(&d->questions.data[i]);
    return e;
}

/* What E says, in T until the next call. */
static const struct translation *unpack(struct translator *t, const struct entry *e)
{
    const struct packed_flow *flow = (const void *)(names_of(e) + e->n_names);
    const char *p = (const char *)(flow + e->n_flows);
    vec_clear(&t->flows);
    for (uint32_t i = 0; i < e->n_flows; i++) {
        struct translated_flow f = {
            .match = (const void *)p, .conj_id = flow[i].conj_id, .n_clauses = flow[i].n_clauses};
        vec_push(&t->flows, f);
        p += minimatch_size(f.match);
    }
    t->out = (struct translation){
        .flows = t->flows.data,
        .n = e->n_flows,
        .n_conj = e->n_conj,
        .is_local = e->is_local,
        .actions = {(uint8_t *)(uintptr_t)p, e->n_actions, e->n_actions},
    };
    p += e->n_actions;
    for (uint32_t i = 0; i < e->n_flows; i++) {
        t->flows.data[i].clauses = (const void *)p;
        p += flow[i].n_clauses * sizeof(struct norm_clause);
    }
    return &t->out;
}

int translator_run(struct translator *t, const struct translate_source *source,
                   const struct translate_world *world, const struct translation **ret,
                   struct diag *diag)
{
    const struct encode_params *p = world->params;
    struct wanted w;
    memset(&w, 0, sizeof w); /* padding is compared */
    w.source = source;
    w.key.profile = p->profile;
    w.key.limit = world->limit;
    w.key.norm_flags = world->norm_flags;
    w.key.meter = p->meter;
    w.key.table = (uint16_t)p->table;
    w.key.pipeline = (uint8_t)p->pipeline;
    w.key.is_router = p->is_router;
    w.key.ct_zero_snat = p->ct_zero_snat;
    struct draft *d = draft_begin(t, world);
    struct entry *e = find_holding(t, world, &w, &t->answers, d);
    int rc = 0;
    if (e) {
        t->hits++;
    } else {
        t->misses++;
        rc = translate(d, source, diag);
        if (!rc) {
            INVARIANT(w.n_answers <= d->questions.n); /* the same answers, the same questions */
            e = finish(d, &w);
            gen_cache_insert(&t->cache, &e->node, w.hash);
            norm_fini(&d->norm);
        }
    }
    *ret = e ? unpack(t, e) : NULL;
    return rc;
}
