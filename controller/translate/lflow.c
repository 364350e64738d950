/* lflow.c - one logical flow into OpenFlow flows of its local datapaths.
 *
 * Rooms 6 to 8. Names of ports become numbers of a datapath, address sets and port groups their elements, is_chassis_resident what is true
 * here; the match's normal form gives a flow for each alternative; actions are encoded once (encode/translator.h, which remembers). Reading the names through the context makes
 * the unit run again when one of them changes. Units are logical flows. Of most that have several datapaths the translation asked no datapath
 * anything: it serves them all. The others have a unit on each datapath more, so that one port costs one datapath.
 */
#include "controller/translate/oflow.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "controller/local/local.h"
#include "controller/oflow_key.h"
#include "controller/translate/parse.h"
#include "encode/translator.h"
#include "lflow/lflow.h"
#include "net/addr.h"
#include "rows/sb.h"

struct lookup { /* aux of the callbacks */
    struct inc_ctx *ctx;
    struct program *p;
    const struct fact_here *here;
    const struct uuid *lflow;
    const struct fact_port_in_group *member; /* the one that is being told of */
    bool is_waiting;                         /* for the number of a group */
};

/* Port or multicast group of this datapath. *PORT: NULL, if it is a group. */
static bool find_port(struct lookup *l, const char *text, uint32_t *ret,
                      const struct fact_port **port)
{
    struct rstr *name = program_name(l->p, text);
    *port = inc_read_one(l->ctx, l->p->port_by_name, &name);
    bool is_found = *port && uuid_equal(&(*port)->datapath, &l->here->datapath);
    if (is_found) {
        *ret = (*port)->key;
    } else {
        *port = NULL;
        struct group_key key;
        INC_CLEAR(key);
        key.datapath = l->here->datapath;
        key.name = name;
        const struct fact_group *group = inc_read_one(l->ctx, l->p->group_by_name, &key);
        is_found = group != NULL;
        if (group)
            *ret = group->key;
    }
    rstr_unref(name);
    return is_found;
}

/* The port is the one that ports_of_group tells of, so that nothing need be looked up. */
static bool is_member(const struct lookup *l, const char *text)
{
    return l->member && text == l->member->name->s;
}

static bool number_of_port(void *aux, const char *text, uint32_t *ret)
{
    const struct lookup *l = aux;
    const struct fact_port *port;
    if (is_member(l, text)) {
        *ret = l->member->key;
        return true;
    }
    if (!strcmp(text, "none")) { /* what get_fdb leaves when it finds nothing */
        *ret = 0;
        return true;
    }
    return find_port(aux, text, ret, &port);
}

/* What a machine sends enters the pipeline where the machine is, and what it gets leaves it there: elsewhere a match on its port is a flow
 * for nothing. */
static bool number_of_port_at(void *aux, const char *text, uint32_t *ret)
{
    struct lookup *l = aux;
    const struct fact_port *port;
    if (is_member(l, text)) {
        *ret = l->member->key;
        return !l->member->is_away;
    }
    return find_port(l, text, ret, &port) &&
           (!port || port->type != PORT_VIF || inc_read(l->ctx, l->p->home_by_port, &port->uuid).n);
}

static bool is_resident(void *aux, const char *text)
{
    struct lookup *l = aux;
    struct rstr *name = program_name(l->p, text);
    const struct fact_port *port = inc_read_one(l->ctx, l->p->port_by_name, &name);
    const struct fact_self *self = inc_read_one(l->ctx, l->p->self_all, NULL);
    rstr_unref(name);
    return port && self && uuid_equal(&port->chassis, &self->chassis);
}

static const struct fact_set *find_set(struct lookup *l, const char *prefix, const char *text)
{
    struct str full = STR_INIT;
    str_put(&full, prefix);
    str_put(&full, text);
    struct rstr *name = program_name(l->p, str_c(&full));
    const struct fact_set *set = inc_read_one(l->ctx, l->p->set_by_name, &name);
    rstr_unref(name);
    str_fini(&full);
    return set;
}

static bool elements_of_set(void *aux, const char *name,
                            void (*add)(void *add_aux, u128 value, u128 mask), void *add_aux)
{
    struct lookup *l = aux;
    const struct fact_set *set = find_set(l, "$", name);
    if (!set)
        return false;
    const struct feed_text *element;
    INC_FOR_EACH(element, inc_read(l->ctx, l->p->in_address_by_row, &set->row))
    {
        u128 value, mask;
        if (!addr_parse_masked(element->text->s, &value, &mask))
            add(add_aux, value, mask);
    }
    return true;
}

/* The ports of a group that are on this datapath are the row "<key of the datapath>_<name>"; a row of the plain name has those of all. */
static bool ports_of_group(void *aux, const char *name,
                           void (*add)(void *add_aux, const char *port), void *add_aux)
{
    struct lookup *l = aux;
    char prefix[16];
    snprintf(prefix, sizeof prefix, "@%u_", l->here->key);
    const struct fact_set *set = find_set(l, prefix, name);
    if (!set)
        set = find_set(l, "@", name);
    if (!set)
        return false;
    const struct fact_port_in_group *member;
    INC_FOR_EACH(member, inc_read(l->ctx, l->p->port_in_group_by_row, &set->row))
    {
        if (!uuid_equal(&member->datapath, &l->here->datapath))
            continue;
        l->member = member;
        add(add_aux, member->name->s);
    }
    l->member = NULL;
    return true;
}

/* --- Numbers: 0 until they are given, which makes the unit run again */

static uint32_t number_of_group(void *aux, const char *spec)
{
    struct lookup *l = aux;
    uint32_t id = local_id(l->ctx, l->p, ID_GROUP, spec, 0);
    l->is_waiting |= !id;
    return id;
}

/* A meter of the database, or "__string: ..." of this logical flow alone. */
static uint32_t number_of_meter(void *aux, const char *name)
{
    static const char text[] = "__string: ";
    struct lookup *l = aux;
    if (strncmp(name, text, sizeof text - 1)) {
        struct rstr *pooled = program_name(l->p, name);
        bool is_known = inc_read(l->ctx, l->p->meter_by_name, &pooled).n;
        rstr_unref(pooled);
        return is_known ? local_id(l->ctx, l->p, ID_METER, name, 0) : 0;
    }
    char uuid[UUID_TEXT_LEN + 1];
    struct str own = STR_INIT;
    str_putf(&own, "%suuid %s %s", text, uuid_print(l->lflow, uuid), name + sizeof text - 1);
    uint32_t id = local_id(l->ctx, l->p, ID_METER, str_c(&own), 0);
    str_fini(&own);
    return id;
}

/* The number before the first of the conjunctions of a logical flow; all its datapaths share them, since each flow matches its own. */
static bool conj_base(struct lookup *l, uint32_t n_conj, uint32_t *ret)
{
    *ret = 0;
    if (!n_conj)
        return true;
    char name[UUID_TEXT_LEN + 16];
    uuid_print(l->lflow, name);
    snprintf(name + UUID_TEXT_LEN, 16, "/%u", n_conj);
    uint32_t id = local_id(l->ctx, l->p, ID_CONJ, name, n_conj);
    *ret = id - 1;
    return id;
}

static bool tunnel_port(void *aux, const char *name, uint32_t *ret)
{
    struct lookup *l = aux;
    struct rstr *pooled = program_name(l->p, name);
    const struct fact_port *port = inc_read_one(l->ctx, l->p->port_by_name, &pooled);
    rstr_unref(pooled);
    const struct fact_place *place =
        port ? inc_read_one(l->ctx, l->p->place_by_port, &port->uuid) : NULL;
    if (!place || place->how != PLACE_TUNNEL)
        return false;
    *ret = place->ofport;
    return true;
}

/* --- Flows */

/* Where a logical flow is to be. */
struct heres {
    const struct fact_here *const *v;
    size_t n;
};

/* FLOW, without its datapath, on each of them. */
static void emit_on(struct lookup *l, const struct oflow *flow, const struct lflow_text *lflow,
                    struct heres heres)
{
    bool is_ingress = lflow->pipeline == PIPELINE_INGRESS;
    unsigned table = (is_ingress ? OFTABLE_LOG_INGRESS : OFTABLE_LOG_EGRESS) + lflow->table;
    struct fact_oflow f;
    INC_CLEAR(f);
    f.key = oflow_key_of(&l->p->blobs, &flow->match, table, lflow->priority);
    f.actions = oflow_actions(l->p, flow);
    f.cookie = lflow->cookie;
    for (size_t i = 0; i < heres.n; i++) {
        f.key.dp = heres.v[i]->key;
        inc_emit(l->ctx, l->p->oflow, &f);
    }
    rstr_unref(f.key.match);
    rstr_unref(f.actions);
}

static void emit_flows(struct lookup *l, const struct lflow_text *lflow,
                       const struct translation *t, struct heres heres)
{
    struct oflow clauses = OFLOW_INIT, flow = OFLOW_INIT;
    uint32_t base;
    if (!conj_base(l, t->n_conj, &base))
        return;
    of_actions_copy(&flow.actions, &t->actions);
    for (size_t i = 0; i < t->n; i++) {
        const struct translated_flow *f = &t->flows[i];
        struct oflow *out = f->n_clauses ? &clauses : &flow;
        minimatch_expand(f->match, &out->match);
        if (f->conj_id)
            match_set(&out->match, FIELD_CONJ_ID, base + f->conj_id);
        of_actions_clear(&clauses.actions);
        for (uint32_t c = 0; c < f->n_clauses; c++)
            of_put_conjunction(&clauses.actions, base + f->clauses[c].conj, f->clauses[c].clause,
                               f->clauses[c].n_clauses);
        emit_on(l, out, lflow, heres);
    }
    oflow_fini(&clauses);
    oflow_fini(&flow);
}

/* The text of a column that always has one. */
static const struct rstr *text_of(const struct lflow_text *lflow, size_t column)
{
    return lflow->row->row.values[column]->atoms[0].string;
}

/* What LFLOW is on the datapath of L. NULL: nothing; LFLOW->why may say why. */
static const struct translation *translate(struct lookup *l, struct lflow_text *lflow)
{
    const struct expr_world names = {
        .aux = l, .set = elements_of_set, .group = ports_of_group, .resident = is_resident};
    const char *meter_name = sb_logical_flow_controller_meter(lflow->row);
    uint32_t meter = meter_name ? number_of_meter(l, meter_name) : 0;
    const struct encode_params params = {
        .profile = &encode_modern,
        .pipeline = (enum pipeline)lflow->pipeline,
        .table = lflow->table,
        .is_router = l->here->is_router,
        .datapath_key = l->here->key,
        .flow_id = lflow->cookie,
        .meter = meter ? meter : OF_METER_NONE,
        .aux = l,
        .port = number_of_port,
        .port_at = number_of_port_at,
        .group = number_of_group,
        .meter_id = number_of_meter,
        .resident = is_resident,
        .tunnel_port = tunnel_port,
    };
    const struct translate_world world = {
        .names = &names, .params = &params, .norm_flags = NORM_MERGE};
    const struct translate_source source = {
        .match = text_of(lflow, SB_LOGICAL_FLOW_COL_MATCH),
        .actions = text_of(lflow, SB_LOGICAL_FLOW_COL_ACTIONS),
        .parse = parse_lflow,
        .aux = lflow,
    };
    const struct translation *t;
    int rc = translator_run(l->p->translator, &source, &world, &t, NULL);
    return rc ? NULL : t;
}

/* The local datapaths of a logical flow. */
static struct heres heres_of(struct inc_ctx *ctx, struct program *p,
                             const struct sb_logical_flow *row)
{
    const struct uuid *datapath = sb_logical_flow_logical_datapath(row);
    const struct uuid *group = sb_logical_flow_logical_dp_group(row);
    struct inc_facts one = {0}, many = {0};
    if (datapath)
        one = inc_read(ctx, p->here_by_datapath, datapath);
    if (group)
        many = inc_read(ctx, p->dp_group_at_by_group, group);
    const struct fact_here **v = arena_alloc(inc_arena(ctx), (one.n + many.n) * sizeof *v);
    size_t n = 0;
    if (one.n)
        v[n++] = one.v[0];
    for (size_t i = 0; i < many.n; i++) {
        const struct fact_dp_group_at *at = many.v[i];
        if (!one.n || !uuid_equal(&at->here.datapath, &v[0]->datapath))
            v[n++] = &at->here;
    }
    return (struct heres){v, n};
}

/* Whether T, the translation on the first datapath, is that on all of them. */
static bool is_common(const struct translation *t, struct heres heres)
{
    for (size_t i = 1; i < heres.n; i++)
        if (!t || t->is_local || heres.v[i]->is_router != heres.v[0]->is_router)
            return false;
    return true;
}

static void emit_each(struct inc_ctx *ctx, struct program *p, const struct feed_row *lflow,
                      struct heres heres)
{
    struct fact_lflow_at f;
    INC_CLEAR(f);
    f.lflow = *lflow;
    for (size_t i = 0; i < heres.n; i++) {
        f.here = *heres.v[i];
        inc_emit(ctx, p->lflow_at, &f);
    }
}

void lflow_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct feed_row *row = key;
    struct lflow_text lflow = lflow_of(p, row->row);
    struct heres heres = heres_of(ctx, p, lflow.row);
    if (!heres.n)
        return;
    struct lookup lookup = {.ctx = ctx, .p = p, .here = heres.v[0], .lflow = &row->uuid};
    const struct translation *t = translate(&lookup, &lflow);
    if (lflow.why) {
        struct fact_reject reject;
        INC_CLEAR(reject);
        reject.lflow = row->uuid;
        reject.why = lflow.why;
        inc_emit_take(ctx, p->reject, &reject);
    } else if (!is_common(t, heres)) {
        emit_each(ctx, p, row, heres);
    } else if (t && !lookup.is_waiting) {
        emit_flows(&lookup, &lflow, t, heres);
    }
}

void lflow_at_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct fact_lflow_at *at = key;
    const struct fact_here *here = &at->here;
    struct lflow_text lflow = lflow_of(p, at->lflow.row);
    struct lookup lookup = {.ctx = ctx, .p = p, .here = here, .lflow = &at->lflow.uuid};
    const struct translation *t = translate(&lookup, &lflow);
    rstr_unref(lflow.why); /* nothing: it was understood a moment ago */
    if (t && !lookup.is_waiting)
        emit_flows(&lookup, &lflow, t, (struct heres){&here, 1});
}
