/* lflow.c - one logical flow on one local datapath into OpenFlow flows.
 *
 * Rooms 6 to 8. Names of ports become numbers of this datapath, address sets and port groups their elements, is_chassis_resident what is true
 * here; the match's normal form gives a flow for each alternative; actions are encoded once. Reading the names through the context makes
 * the unit run again when one of them changes. Units are (logical flow, datapath).
 */
#include "controller/translate/oflow.h"

#include <string.h>

#include "base/err.h"
#include "encode/encode.h"
#include "expr/norm.h"
#include "lflow/lflow.h"
#include "net/addr.h"

struct lookup { /* aux of the callbacks */
    struct inc_ctx *ctx;
    struct program *p;
    const struct fact_datapath *datapath;
};

/* Port or multicast group of this datapath. */
static bool number_of_port(void *aux, const char *text, uint32_t *ret)
{
    struct lookup *l = aux;
    if (!strcmp(text, "none")) { /* what get_fdb leaves when it finds nothing */
        *ret = 0;
        return true;
    }
    struct rstr *name = program_name(l->p, text);
    const struct fact_port *port = inc_read_one(l->ctx, l->p->port_by_name, &name);
    bool is_found = port && uuid_equal(&port->datapath, &l->datapath->uuid);
    if (is_found) {
        *ret = port->key;
    } else {
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

static bool is_resident(void *aux, const char *text)
{
    struct lookup *l = aux;
    struct rstr *name = program_name(l->p, text);
    const struct fact_port *port = inc_read_one(l->ctx, l->p->port_by_name, &name);
    const struct fact_self *self = inc_read_one(l->ctx, l->p->self_all, NULL);
    rstr_unref(name);
    return port && self && uuid_equal(&port->chassis, &self->chassis);
}

static const struct fact_set *find_set(struct lookup *l, char sigil, const char *text)
{
    struct str full = STR_INIT;
    str_putc(&full, sigil);
    str_put(&full, text);
    struct rstr *name = program_name(l->p, str_c(&full));
    const struct fact_set *set = inc_read_one(l->ctx, l->p->set_by_name, &name);
    rstr_unref(name);
    str_fini(&full);
    return set;
}

/* An element of an address set: an IPv4, IPv6 or Ethernet address, with a mask or not. */
static bool parse_element(const char *text, u128 *value, u128 *mask)
{
    struct ip_prefix prefix;
    struct mac mac, mac_mask;
    if (!ip_prefix_parse(text, &prefix)) {
        unsigned bits = ip_addr_bits(&prefix.addr);
        *value = ip_addr_to_u128(&prefix.addr);
        *mask = prefix.len ? u128_ones(bits) & ~u128_ones(bits - prefix.len) : 0;
        return true;
    }
    if (!mac_parse_masked(text, &mac, &mac_mask)) {
        *value = mac_to_u64(mac);
        *mask = mac_to_u64(mac_mask);
        return true;
    }
    return false;
}

static bool elements_of_set(void *aux, const char *name,
                            void (*add)(void *add_aux, u128 value, u128 mask), void *add_aux)
{
    struct lookup *l = aux;
    const struct fact_set *set = find_set(l, '$', name);
    if (!set)
        return false;
    const struct feed_text *element;
    INC_FOR_EACH(element, inc_read(l->ctx, l->p->in_address_by_set, &set->row))
    {
        u128 value, mask;
        if (parse_element(element->text->s, &value, &mask))
            add(add_aux, value, mask);
    }
    return true;
}

static bool ports_of_group(void *aux, const char *name,
                           void (*add)(void *add_aux, const char *port), void *add_aux)
{
    struct lookup *l = aux;
    const struct fact_set *set = find_set(l, '@', name);
    if (!set)
        return false;
    const struct feed_text *element;
    INC_FOR_EACH(element, inc_read(l->ctx, l->p->in_group_name_by_group, &set->row))
    add(add_aux, element->text->s);
    return true;
}

static void emit_flows(struct lookup *l, const struct fact_parsed *parsed, const struct norm *norm,
                       struct oflow *flow)
{
    bool is_ingress = parsed->pipeline == PIPELINE_INGRESS;
    unsigned table = (is_ingress ? OFTABLE_LOG_INGRESS : OFTABLE_LOG_EGRESS) + parsed->table;
    for (size_t i = 0; i < norm->n; i++) {
        match_init(&flow->match);
        norm_flow_to_match(&norm->flows[i], 0, &flow->match);
        oflow_match_dp(flow, l->datapath->key);
        oflow_emit(l->ctx, l->p, flow, table, parsed->priority, parsed->cookie);
    }
}

/* Ids of groups and meters are given by an allocator; where there is none the action drops. */
static uint32_t no_group(void *aux UNUSED, const char *spec UNUSED)
{
    return 0;
}

static uint32_t no_meter(void *aux UNUSED, const char *name UNUSED)
{
    return 0;
}

void lflow_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct fact_lflow_at *at = key;
    const struct fact_parsed *parsed = inc_read_one(ctx, p->parsed_by_lflow, &at->lflow);
    const struct fact_datapath *datapath = inc_read_one(ctx, p->datapath_by_uuid, &at->datapath);
    if (!parsed || !datapath)
        return;
    struct lookup lookup = {.ctx = ctx, .p = p, .datapath = datapath};
    const struct expr_world world = {
        .aux = &lookup, .set = elements_of_set, .group = ports_of_group, .resident = is_resident};
    const struct norm_ports ports = {.aux = &lookup, .number = number_of_port};
    struct norm norm;
    if (norm_from_expr(parsed->match, &world, &ports, NORM_MERGE | NORM_NO_CONJ, 0, &norm, NULL))
        return;
    if (norm.n) {
        const struct encode_params encode = {
            .profile = &encode_modern,
            .pipeline = (enum pipeline)parsed->pipeline,
            .table = parsed->table,
            .is_router = datapath->is_router,
            .datapath_key = datapath->key,
            .flow_id = parsed->cookie,
            .meter = OF_METER_NONE,
            .aux = &lookup,
            .port = number_of_port,
            .group = no_group,
            .meter_id = no_meter,
        };
        struct oflow flow = OFLOW_INIT;
        oflow_begin(&flow);
        encode_actions(parsed->actions, &encode, &flow.actions);
        emit_flows(&lookup, parsed, &norm, &flow);
        oflow_fini(&flow);
    }
    norm_fini(&norm);
}
