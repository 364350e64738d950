/* translator.c - translations of logical flows, remembered with the questions that they depend on; see translator.h. */
#include "encode/translator.h"

#include <stdlib.h>
#include <string.h>

#include "base/gen_cache.h"
#include "base/hash.h"
#include "base/vec.h"

enum question_kind {
    ASK_PORT,
    ASK_PORT_AT,     /* where the packet is */
    ASK_SET,         /* answer: a digest of the elements */
    ASK_PORT_GROUP,  /* the same */
    ASK_RESIDENT,    /* of the match */
    ASK_RESIDENT_LB, /* of ct_lb_mark_local */
    ASK_GROUP,
    ASK_METER,
    ASK_COLLECTOR,
    ASK_TUNNEL_PORT,
};

struct question {
    uint8_t kind;
    bool found;
    uint32_t name; /* offset of its text in the entry's names; the id of a collector */
    uint64_t answer;
};

/* What must be equal before questions are worth asking. */
struct identity {
    const struct expr *match;
    const struct actions *actions;
    const struct encode_profile *profile;
    size_t limit;
    uint32_t norm_flags, meter;
    uint16_t table;
    uint8_t pipeline, is_router, ct_zero_snat;
};

/* One block: what is looked at on a hit lies side by side. */
struct entry {
    struct gen_node node;
    struct identity key; /* match and actions are references */
    struct translation out;
    const char *names;
    uint32_t n_questions;
    uint32_t datapath_key, flow_id;
    bool is_own; /* also depends on the two above */
    struct question questions[];
    /* flows, matches, actions, clauses, names */
};

/* An entry in the making. */
struct draft {
    const struct translate_world *world;
    struct norm norm;
    struct of_actions actions;
    VEC(struct question) questions;
    VEC(struct question) given; /* ids known from an attempt to use an older translation */
    struct str names;           /* of both */
    bool is_own;
};

struct translator {
    struct gen_cache cache;
    uint64_t hits, misses;
};

static void release(struct gen_node *node)
{
    struct entry *e = CONTAINER_OF(node, struct entry, node);
    expr_unref(e->key.match);
    actions_unref(e->key.actions);
    free(e);
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
    free(t);
}

struct translator_stats translator_get_stats(const struct translator *t)
{
    return (struct translator_stats){.hits = t->hits,
                                     .misses = t->misses,
                                     .entries = t->cache.young.n + t->cache.old.n,
                                     .bytes = t->cache.bytes};
}

/* --- Asking */

struct digest {
    uint64_t hash;
    void (*add)(void *, u128, u128); /* NULL, or where elements go on to */
    void (*add_port)(void *, const char *);
    void *add_aux;
};

static void digest_element(void *aux, u128 value, u128 mask)
{
    struct digest *d = aux;
    u128 both[] = {value, mask};
    d->hash = hash_bytes(both, sizeof both, d->hash);
    if (d->add)
        d->add(d->add_aux, value, mask);
}

static void digest_port(void *aux, const char *port)
{
    struct digest *d = aux;
    d->hash = hash_bytes(port, strlen(port), d->hash);
    if (d->add_port)
        d->add_port(d->add_aux, port);
}

/* The world's answer to Q about NAME now; elements of sets go to D's add. */
static struct question ask(const struct translate_world *w, struct question q, const char *name,
                           struct digest *d)
{
    const struct expr_world *names = w->names;
    const struct encode_params *p = w->params;
    uint32_t number = 0;
    q.found = false;
    q.answer = 0;
    switch ((enum question_kind)q.kind) {
    case ASK_PORT:
        q.found = p->port && p->port(p->aux, name, &number);
        break;
    case ASK_PORT_AT:
        q.found = p->port_at(p->aux, name, &number);
        break;
    case ASK_SET:
        q.found = names->set && names->set(names->aux, name, digest_element, d);
        q.answer = d->hash;
        return q;
    case ASK_PORT_GROUP:
        q.found = names->group && names->group(names->aux, name, digest_port, d);
        q.answer = d->hash;
        return q;
    case ASK_RESIDENT:
        q.found = names->resident && names->resident(names->aux, name);
        break;
    case ASK_RESIDENT_LB:
        q.found = !p->resident || p->resident(p->aux, name);
        break;
    case ASK_GROUP:
        number = p->group ? p->group(p->aux, name) : 0;
        break;
    case ASK_METER:
        number = p->meter_id ? p->meter_id(p->aux, name) : 0;
        break;
    case ASK_COLLECTOR:
        q.found = !p->collector || p->collector(p->aux, q.name);
        break;
    case ASK_TUNNEL_PORT:
        q.found = p->tunnel_port && p->tunnel_port(p->aux, name, &number);
        break;
    }
    q.answer = number;
    return q;
}

static bool is_id(const struct question *q)
{
    return q->kind == ASK_GROUP || q->kind == ASK_METER;
}

/* Takes the answer to Q over to a translation that is made because a later one changed: what comes before that is the same. */
static void hand_over(struct draft *d, const struct entry *e, const struct question *q)
{
    struct question id = *q;
    const char *name = e->names + q->name;
    id.name = (uint32_t)d->names.n;
    str_put_n(&d->names, name, strlen(name) + 1);
    vec_push(&d->given, id);
}

/* False: E is another flow's, or some answer is another now; then D has the ids that were asked for. */
static bool still_holds(const struct entry *e, const struct translate_world *w, struct draft *d)
{
    if (e->is_own &&
        (e->datapath_key != w->params->datapath_key || e->flow_id != w->params->flow_id))
        return false;
    for (uint32_t i = 0; i < e->n_questions; i++) {
        const struct question *q = &e->questions[i];
        struct digest digest = {0};
        const char *name = q->kind == ASK_COLLECTOR ? NULL : e->names + q->name;
        struct question now = ask(w, *q, name, &digest);
        if (now.found == q->found && now.answer == q->answer)
            continue;
        for (uint32_t k = 0; k < i; k++)
            if (is_id(&e->questions[k]))
                hand_over(d, e, &e->questions[k]);
        if (is_id(&now))
            hand_over(d, e, &now);
        return false;
    }
    return true;
}

/* --- Noting what was asked while a translation is made */

static struct question note(struct draft *d, enum question_kind kind, const char *name,
                            struct digest *digest)
{
    struct question q = {.kind = (uint8_t)kind, .name = (uint32_t)d->names.n};
    q = ask(d->world, q, name, digest);
    str_put_n(&d->names, name, strlen(name) + 1);
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

/* Of the match. */
static bool note_match_port(void *aux, const struct symbol *sym, const char *name, uint32_t *ret)
{
    struct draft *d = aux;
    const struct encode_params *p = d->world->params;
    int at = p->pipeline == PIPELINE_INGRESS ? p->profile->inport : p->profile->outport;
    return note_number(d, p->port_at && sym->field == at ? ASK_PORT_AT : ASK_PORT, name, ret);
}

static bool note_tunnel_port(void *aux, const char *name, uint32_t *ret)
{
    return note_number(aux, ASK_TUNNEL_PORT, name, ret);
}

static bool note_set(void *aux, const char *name, void (*add)(void *, u128, u128), void *add_aux)
{
    struct digest d = {.add = add, .add_aux = add_aux};
    return note(aux, ASK_SET, name, &d).found;
}

static bool note_port_group(void *aux, const char *name, void (*add)(void *, const char *),
                            void *add_aux)
{
    struct digest d = {.add_port = add, .add_aux = add_aux};
    return note(aux, ASK_PORT_GROUP, name, &d).found;
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
    q = ask(d->world, q, NULL, NULL);
    vec_push(&d->questions, q);
    return q.found;
}

/* --- Translating */

static int translate(struct draft *d, const struct identity *key, struct diag *diag)
{
    const struct translate_world *world = d->world;
    const struct expr_world names = {
        .aux = d, .set = note_set, .group = note_port_group, .resident = note_resident};
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
    int rc =
        norm_from_expr(key->match, &names, &ports, world->norm_flags, world->limit, &d->norm, diag);
    if (!rc && d->norm.n)
        encode_actions(key->actions, &params, &d->actions);
    return rc;
}

static void draft_fini(struct draft *d)
{
    norm_fini(&d->norm);
    of_actions_fini(&d->actions);
    vec_fini(&d->questions);
    vec_fini(&d->given);
    str_fini(&d->names);
}

/* The matches of NORM, one behind the other. */
static void pack_matches(const struct norm *norm, struct str *out)
{
    for (size_t i = 0; i < norm->n; i++) {
        struct match match;
        match_init(&match);
        norm_flow_to_match(&(struct norm_flow){.cube = norm->flows[i].cube}, 0, &match);
        struct minimatch *mini = minimatch_new(&match);
        str_put_n(out, (const char *)mini, minimatch_size(mini));
        free(mini);
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
static void *pack(char **p, const void *data, size_t n)
{
    void *to = *p;
    if (n)
        memcpy(to, data, n);
    *p += n;
    return to;
}

static void pack_flows(struct entry *e, const struct norm *norm, char **p, const char *matches)
{
    e->out.flows = (void *)*p;
    e->out.n = norm->n;
    e->out.n_conj = norm->n_conj;
    *p += norm->n * sizeof *e->out.flows;
    for (size_t i = 0; i < norm->n; i++) {
        e->out.flows[i] =
            (struct translated_flow){.match = (const void *)*p, .conj_id = norm->flows[i].conj_id};
        size_t n = minimatch_size((const void *)matches);
        pack(p, matches, n);
        matches += n;
    }
}

/* D, with what it is of, as one block; the parts that need the widest alignment come first. */
static struct entry *finish(const struct draft *d, const struct identity *key)
{
    const struct norm *norm = &d->norm;
    struct str matches = STR_INIT;
    pack_matches(norm, &matches);
    size_t n_questions = d->questions.n * sizeof *d->questions.data;
    size_t bytes = sizeof(struct entry) + n_questions + norm->n * sizeof(struct translated_flow) +
                   matches.n + d->actions.n + clauses_size(norm) + d->names.n;
    struct entry *e = xmalloc(bytes);
    *e = (struct entry){
        .node.bytes = bytes,
        .key = *key,
        .n_questions = (uint32_t)d->questions.n,
        .datapath_key = d->world->params->datapath_key,
        .flow_id = d->world->params->flow_id,
        .is_own = d->is_own,
    };
    expr_ref(key->match);
    actions_ref(key->actions);
    char *p = (char *)e->questions;
    pack(&p, d->questions.data, n_questions);
    pack_flows(e, norm, &p, str_c(&matches));
    e->out.actions.n = e->out.actions.cap = d->actions.n;
    e->out.actions.data = pack(&p, d->actions.data, d->actions.n);
    for (size_t i = 0; i < norm->n; i++) {
        const struct norm_flow *f = &norm->flows[i];
        e->out.flows[i].n_clauses = f->n_clauses;
        e->out.flows[i].clauses = pack(&p, f->clauses, f->n_clauses * sizeof *f->clauses);
    }
    e->names = pack(&p, str_c(&d->names), d->names.n);
    str_fini(&matches);
    return e;
}

static bool is_same_flow(const struct gen_node *node, const void *key)
{
    return !memcmp(&CONTAINER_OF(node, const struct entry, node)->key, key,
                   sizeof(struct identity));
}

int translator_run(struct translator *t, const struct expr *match, const struct actions *actions,
                   const struct translate_world *world, const struct translation **ret,
                   struct diag *diag)
{
    const struct encode_params *p = world->params;
    struct identity key;
    memset(&key, 0, sizeof key); /* padding is compared */
    key.match = match;
    key.actions = actions;
    key.profile = p->profile;
    key.limit = world->limit;
    key.norm_flags = world->norm_flags;
    key.meter = p->meter;
    key.table = (uint16_t)p->table;
    key.pipeline = (uint8_t)p->pipeline;
    key.is_router = p->is_router;
    key.ct_zero_snat = p->ct_zero_snat;
    uint64_t hash = hash_bytes(&key, sizeof key, 0);
    struct gen_node *node = gen_cache_find(&t->cache, hash, is_same_flow, &key);
    struct draft d = {.world = world,
                      .actions = OF_ACTIONS_INIT,
                      .questions = VEC_INIT,
                      .given = VEC_INIT,
                      .names = STR_INIT};
    if (node && still_holds(CONTAINER_OF(node, struct entry, node), world, &d)) {
        t->hits++;
        *ret = &CONTAINER_OF(node, struct entry, node)->out;
        return 0;
    }
    t->misses++;
    if (node)
        gen_cache_remove(&t->cache, node);
    int rc = translate(&d, &key, diag);
    if (!rc) {
        struct entry *e = finish(&d, &key);
        gen_cache_insert(&t->cache, &e->node, hash);
        *ret = &e->out;
    }
    draft_fini(&d);
    return rc;
}
