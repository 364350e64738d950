/* act_hairpin.c - load balancers whose client is its own backend: chk_lb_hairpin and ct_snat_to_vip, out of the rows of Load_Balancer and what
 * connection tracking noted of where the connection went first. The answers' way back (chk_lb_hairpin_reply) is learned by switches, and
 * never known here.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "tools/trace/trace.h"

enum { TCP = 6, UDP = 17, SCTP = 132 };

/* A packet as a load balancer may have made it. */
struct hairpin {
    const struct at *at;
    struct ip_addr src, dst;
    uint8_t proto;
    struct ip_addr found; /* the address that takes the client's place */
};

static u128 field(const struct hairpin *h, enum symbol_id id)
{
    return uflow_field(h->at->trace->world, h->at->packet, id);
}

static u128 dst_port(const struct hairpin *h)
{
    switch (h->proto) {
    case TCP:
        return field(h, SYM_TCP_DST);
    case UDP:
        return field(h, SYM_UDP_DST);
    case SCTP:
        return field(h, SYM_SCTP_DST);
    default:
        return 0;
    }
}

static bool has_datapath(const struct row *row, const char *column, const struct row *datapath)
{
    const union atom key = {.uuid = datapath->uuid};
    const struct schema_column *c = schema_column_find(row->table, column);
    return c && datum_find(row_get(row, c), &key) >= 0;
}

/* Named itself, or in a group of datapaths. */
static bool is_on(const struct hairpin *h, const struct row *lb)
{
    static const char *const groups[] = {"datapath_group", "ls_datapath_group",
                                         "lr_datapath_group"};
    const struct world *world = h->at->trace->world;
    if (has_datapath(lb, "datapaths", h->at->datapath))
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
        const struct schema_column *c = schema_column_find(lb->table, groups[i]);
        const struct datum *group = c ? row_get(lb, c) : NULL;
        const struct row *row =
            group && group->n
                ? replica_row_find(world->replica, world_table(world, "Logical_DP_Group"),
                                   &group->atoms[0].uuid)
                : NULL;
        if (row && has_datapath(row, "datapaths", h->at->datapath))
            return true;
    }
    return false;
}

static uint8_t proto_of(const struct row *lb)
{
    const char *name = world_row_text(lb, "protocol");
    return !strcmp(name, "udp") ? UDP : !strcmp(name, "sctp") ? SCTP : TCP;
}

/* The address that the client gets: of options:hairpin_snat_ip, or VIP. */
static struct ip_addr source_of(const struct row *lb, const struct ip_addr *vip)
{
    const char *text = world_row_option(lb, "options", "hairpin_snat_ip");
    char *copy = xstrdup(text ? text : ""), *save = NULL;
    struct ip_addr ret = *vip, ip;
    for (char *word = strtok_r(copy, " ,", &save); word; word = strtok_r(NULL, " ,", &save))
        if (!ip_addr_parse(word, &ip) && ip.version == vip->version)
            ret = ip;
    free(copy);
    return ret;
}

/* The connection is for VIP:PORT. */
static bool is_for(const struct hairpin *h, const struct ip_addr *vip, uint16_t port)
{
    const u128 *value = h->at->packet->value;
    return value[vip->version == 4 ? FIELD_CT_NW_DST : FIELD_CT_IPV6_DST] == ip_addr_to_u128(vip) &&
           (!port || value[FIELD_CT_TP_DST] == port);
}

static bool is_hairpin(struct hairpin *h, const struct row *lb, const char *vip_text,
                       const char *backend)
{
    struct ip_addr vip, ip;
    uint16_t vip_port, port;
    if (ip_endpoint_parse(vip_text, &vip, &vip_port) || ip_endpoint_parse(backend, &ip, &port) ||
        ip.version != vip.version || !ip_addr_equal(&ip, &h->src) || !ip_addr_equal(&ip, &h->dst) ||
        !is_for(h, &vip, vip_port) ||
        (vip_port && (h->proto != proto_of(lb) || dst_port(h) != port)))
        return false;
    h->found = source_of(lb, &vip);
    return true;
}

static bool find_in(struct hairpin *h, const struct row *lb)
{
    const struct datum *vips = row_get(lb, schema_column_find(lb->table, "vips"));
    bool found = false;
    for (size_t i = 0; i < vips->n && !found; i++) {
        char *copy = xstrdup(datum_values(vips)[i].string->s), *save = NULL;
        for (char *word = strtok_r(copy, ",", &save); word && !found;
             word = strtok_r(NULL, ",", &save))
            found = is_hairpin(h, lb, vips->atoms[i].string->s, word);
        free(copy);
    }
    return found;
}

bool act_is_hairpin(const struct at *at, struct ip_addr *source)
{
    struct world *world = at->trace->world;
    struct hairpin h = {.at = at};
    const struct row *lb;
    if (!uflow_ip(world, at->packet, true, &h.src) || !uflow_ip(world, at->packet, false, &h.dst))
        return false;
    h.proto = (uint8_t)field(&h, SYM_IP_PROTO);
    REPLICA_FOR_EACH(lb, pos, world->replica, world_table(world, "Load_Balancer"))
    {
        if (is_on(&h, lb) && find_in(&h, lb)) {
            *source = h.found;
            return true;
        }
    }
    return false;
}
