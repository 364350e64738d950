/* lflow.c - one logical flow on one local datapath into OpenFlow flows.
 *
 * Rooms 6 to 8. Names of ports become numbers of this datapath, address sets and port groups their elements, is_chassis_resident what is true
 * here; the match's normal form gives a flow for each alternative; actions are encoded once (encode/translator.h, which remembers). Reading the names through the context makes
 * the unit run again when one of them changes. Units are (logical flow, datapath).
 */
#include "controller/translate/oflow.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "controller/local/local.h"
#include "encode/translator.h"
#include "lflow/lflow.h"
#include "net/addr.h"

struct lookup { /* aux of the callbacks */
    struct inc_ctx *ctx;
    struct program *p;
    const struct fact_datapath *datapath;
    const struct uuid *lflow;
};

/* Port or multicast group of this datapath. *PORT: NULL, if it is a group. */
static bool find_port(struct lookup *l, const char *text, uint32_t *ret,
                      const struct fact_port **port)
{
    struct rstr *name = program_name(l->p, text);
    *port = inc_read_one(l->ctx, l->p->port_by_name, &name);
    bool is_found = *port && uuid_equal(&(*port)->datapath, &l->datapath->uuid);
    if (is_found) {
        *ret = (*port)->key;
    } else {
        *port = NULL;
        struct group_key key;
        INC_CLEAR(key);
        key.datapath = l->datapath->uuid;
        key.name = name;
        const struct fact_group *group = inc_read_one(l->ctx, l->p->group_by_name, &key);
        is_found = group != NULL;
        if (group)
            *ret = group->key;
    }
    rstr_unref(name);
    return is_found;
}

static bool number_of_port(void *aux, const char *text, uint32_t *ret)
{
    const struct fact_port *port;
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
    snprintf(prefix, sizeof prefix, "@%u_", l->datapath->key);
    const struct fact_set *set = find_set(l, prefix, name);
    if (!set)
        set = find_set(l, "@", name);
    if (!set)
        return false;
    const struct feed_text *element;
    INC_FOR_EACH(element, inc_read(l->ctx, l->p->in_group_name_by_row, &set->row))
    add(add_aux, element->text->s);
    return true;
}

/* --- Numbers: 0 until they are given, which makes the unit run again */

static uint32_t number_of_group(void *aux, const char *spec)
{
    struct lookup *l = aux;
    return local_id(l->ctx, l->p, ID_GROUP, spec, 0);
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

static void emit_flows(struct lookup *l, const struct fact_parsed *parsed,
                       const struct translation *t)
{
    bool is_ingress = parsed->pipeline == PIPELINE_INGRESS;
    unsigned table = (is_ingress ? OFTABLE_LOG_INGRESS : OFTABLE_LOG_EGRESS) + parsed->table;
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
        oflow_match_dp(out, l->datapath->key);
        of_actions_clear(&clauses.actions);
        for (uint32_t c = 0; c < f->n_clauses; c++)
            of_put_conjunction(&clauses.actions, base + f->clauses[c].conj, f->clauses[c].clause,
                               f->clauses[c].n_clauses);
        oflow_emit(l->ctx, l->p, out, table, parsed->priority, parsed->cookie);
    }
    oflow_fini(&clauses);
    oflow_fini(&flow);
}

void lflow_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct fact_lflow_at *at = key;
    const struct fact_parsed *parsed = inc_read_one(ctx, p->parsed_by_lflow, &at->lflow);
    const struct fact_datapath *datapath = inc_read_one(ctx, p->datapath_by_uuid, &at->datapath);
    if (!parsed || !datapath)
        return;
    struct lookup lookup = {.ctx = ctx, .p = p, .datapath = datapath, .lflow = &at->lflow};
    const struct expr_world names = {
        .aux = &lookup, .set = elements_of_set, .group = ports_of_group, .resident = is_resident};
    uint32_t meter = parsed->meter ? number_of_meter(&lookup, parsed->meter->s) : 0;
    const struct encode_params params = {
        .profile = &encode_modern,
        .pipeline = (enum pipeline)parsed->pipeline,
        .table = parsed->table,
        .is_router = datapath->is_router,
        .datapath_key = datapath->key,
        .flow_id = parsed->cookie,
        .meter = meter ? meter : OF_METER_NONE,
        .aux = &lookup,
        .port = number_of_port,
        .port_at = number_of_port_at,
        .group = number_of_group,
        .meter_id = number_of_meter,
        .resident = is_resident,
        .tunnel_port = tunnel_port,
    };
    const struct translate_world world = {
        .names = &names, .params = &params, .norm_flags = NORM_MERGE};
    const struct translation *t;
    if (!translator_run(p->translator, parsed->match, parsed->actions, &world, &t, NULL))
        emit_flows(&lookup, parsed, t);
}
