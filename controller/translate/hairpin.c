/* hairpin.c - load balancers whose client is its own backend, as flows: what chk_lb_hairpin, chk_lb_hairpin_reply and ct_snat_to_vip do.
 *
 * Room 8, tables 68 to 70. Such a packet goes back where it came from, with the virtual address (or the one that hairpin_snat_ip gives) as its source,
 * so that the answer comes back through the load balancer; the switch learns what the answer looks like (table 69). northd has put the original
 * destination into registers, or (hairpin_orig_tuple not set) conntrack knows it. Units are virtual addresses of load balancers.
 */
#include "controller/translate/oflow.h"

#include <stdlib.h>
#include <string.h>

#include "lflow/lflow.h"
#include "rows/sb.h"

enum { PRIO_PORT = 100, PRIO_NO_PORT = 90, PRIO_SNAT_IP = 200, LEARN_PRIORITY = 32768 };
enum {
    NATTED = 2
}; /* the bit of ct_mark (older: ct_label) that the load balancer's commit has set */

struct proto {
    const char *name;
    uint8_t number;
    enum field_id src, dst;
};

struct vip {
    struct inc_ctx *ctx;
    struct program *p;
    const struct sb_load_balancer *lb;
    const struct proto *proto; /* NULL: any */
    struct ip_addr ip, snat;
    bool has_snat, has_orig_tuple, is_label;
    uint16_t port; /* 0: none */
    uint32_t cookie;
    struct oflow flow;
};

static const struct proto *proto_of(const struct sb_load_balancer *lb)
{
    static const struct proto protos[] = {
        {"tcp", 6, FIELD_TCP_SRC, FIELD_TCP_DST},
        {"udp", 17, FIELD_UDP_SRC, FIELD_UDP_DST},
        {"sctp", 132, FIELD_SCTP_SRC, FIELD_SCTP_DST},
    };
    const char *name = sb_load_balancer_protocol(lb);
    for (size_t i = 0; name && i < ARRAY_SIZE(protos); i++)
        if (!strcmp(protos[i].name, name))
            return &protos[i];
    return &protos[0];
}

static bool is_true(const char *text, bool otherwise)
{
    return text ? !strcmp(text, "true") : otherwise;
}

static void match_family(struct vip *v, struct match *m)
{
    match_set(m, FIELD_ETH_TYPE, v->ip.version == 4 ? 0x0800 : 0x86dd);
    if (v->proto)
        match_set(m, FIELD_IP_PROTO, v->proto->number);
}

/* The packet was for the virtual address. */
static void match_vip(struct vip *v, struct match *m)
{
    bool v4 = v->ip.version == 4;
    u128 ip = ip_addr_to_u128(&v->ip);
    match_family(v, m);
    if (v->has_orig_tuple) {
        match_set(m, v4 ? FIELD_REG1 : FIELD_XXREG1, ip);
        if (v->port)
            match_set_masked(m, FIELD_REG2, v->port, 0xffff);
        return;
    }
    match_set_masked(m, FIELD_CT_STATE, 1u << 5, 1u << 5); /* tracked */
    match_set(m, v4 ? FIELD_CT_NW_DST : FIELD_CT_IPV6_DST, ip);
    if (v->proto) {
        match_set(m, FIELD_CT_NW_PROTO, v->proto->number);
        match_set(m, FIELD_CT_TP_DST, v->port);
    }
}

static void spec(struct vip *v, size_t learn, enum of_learn_dst type, struct subfield dst,
                 enum field_id src, u128 value)
{
    struct of_learn_spec s = {.dst_type = (uint8_t)type,
                              .src_imm = src == FIELD_NONE,
                              .n_bits = (uint8_t)dst.n_bits,
                              .dst = dst,
                              .value_hi = (uint64_t)(value >> 64),
                              .value_lo = (uint64_t)value};
    if (src != FIELD_NONE)
        s.src = subfield_whole(src);
    of_put_learn_spec(&v->flow.actions, learn, &s);
}

static void match_learned(struct vip *v, size_t learn, enum field_id dst, enum field_id src,
                          u128 value)
{
    spec(v, learn, OF_LEARN_MATCH, subfield_whole(dst), src, value);
}

/* The answer comes from the backend, to the address that the request was given as its source. */
static void learn_reply(struct vip *v)
{
    bool v4 = v->ip.version == 4;
    struct of_learn head = {.priority = LEARN_PRIORITY,
                            .table = OFTABLE_LB_HAIRPIN_REPLY,
                            .flags = OF_LEARN_DELETE_LEARNED,
                            .cookie = v->cookie};
    const struct ip_addr *to = v->has_snat ? &v->snat : &v->ip;
    size_t l = of_put_learn(&v->flow.actions, &head);
    match_learned(v, l, FIELD_METADATA, FIELD_METADATA, 0);
    match_learned(v, l, FIELD_ETH_TYPE, FIELD_NONE, v4 ? 0x0800 : 0x86dd);
    match_learned(v, l, v4 ? FIELD_IP_SRC : FIELD_IPV6_SRC, v4 ? FIELD_IP_SRC : FIELD_IPV6_SRC, 0);
    match_learned(v, l, v4 ? FIELD_IP_DST : FIELD_IPV6_DST, FIELD_NONE, ip_addr_to_u128(to));
    if (v->proto) {
        match_learned(v, l, FIELD_IP_PROTO, FIELD_NONE, v->proto->number);
        match_learned(v, l, v->proto->src, v->proto->dst, 0);
    } else {
        match_learned(v, l, FIELD_IP_PROTO, FIELD_IP_PROTO, 0);
    }
    spec(v, l, OF_LEARN_LOAD, subfield_make(REG_FLAGS, FLAG_HAIRPIN, 1), FIELD_NONE, 1);
}

static void check_flow(struct vip *v, const struct ip_addr *backend, uint16_t port)
{
    bool v4 = backend->version == 4;
    u128 ip = ip_addr_to_u128(backend);
    struct match *m = &v->flow.match;
    struct subfield found = subfield_make(REG_FLAGS, FLAG_HAIRPIN, 1);
    oflow_begin(&v->flow);
    match_vip(v, m);
    match_set_masked(m, v->is_label ? FIELD_CT_LABEL : FIELD_CT_MARK, NATTED, NATTED);
    match_set(m, v4 ? FIELD_IP_SRC : FIELD_IPV6_SRC, ip);
    match_set(m, v4 ? FIELD_IP_DST : FIELD_IPV6_DST, ip);
    if (v->proto)
        match_set(m, v->proto->dst, port);
    of_put_load(&v->flow.actions, &found, 1);
    learn_reply(v);
    oflow_emit(v->ctx, v->p, &v->flow, OFTABLE_LB_HAIRPIN, PRIO_PORT, v->cookie);
}

static void snat_flow(struct vip *v, const struct fact_here *datapath, unsigned priority)
{
    struct subfield zone = subfield_make(REG_SNAT_ZONE, 0, 16);
    oflow_begin(&v->flow);
    match_vip(v, &v->flow.match);
    if (datapath)
        oflow_match_dp(&v->flow, datapath->key);
    size_t ct = of_begin_ct(&v->flow.actions, OF_CT_COMMIT, &zone, 0, OF_CT_NO_RECIRC);
    of_put_nat(&v->flow.actions, OF_NAT_SRC, v->has_snat ? &v->snat : &v->ip, NULL, 0, 0);
    of_end_nested(&v->flow.actions, ct);
    oflow_emit(v->ctx, v->p, &v->flow, OFTABLE_CT_SNAT_HAIRPIN, priority, v->cookie);
}

/* --- Where the load balancer is */

/* Calls FN for each local datapath that has it; true if there is one. Without FN the first will do, and the others need not be read. */
static bool each_datapath(struct vip *v, void (*fn)(struct vip *v, const struct fact_here *dp))
{
    struct program *p = v->p;
    const struct feed_ref *ref;
    const struct uuid *groups[] = {sb_load_balancer_datapath_group(v->lb),
                                   sb_load_balancer_ls_datapath_group(v->lb)};
    bool is_any = false;
    for (size_t i = 0; i <= ARRAY_SIZE(groups); i++) {
        if (i && !groups[i - 1])
            continue;
        struct inc_facts refs =
            i ? inc_read(v->ctx, p->in_dp_group_dp_by_row, groups[i - 1])
              : inc_read(v->ctx, p->in_lb_dp_by_row, sb_load_balancer_uuid(v->lb));
        INC_FOR_EACH(ref, refs)
        {
            const struct fact_here *dp = inc_read_one(v->ctx, p->here_by_datapath, &ref->to);
            if (!dp)
                continue;
            if (!fn)
                return true;
            is_any = true;
            fn(v, dp);
        }
    }
    return is_any;
}

static void snat_on(struct vip *v, const struct fact_here *datapath)
{
    if (!datapath->is_router)
        snat_flow(v, datapath, PRIO_SNAT_IP);
}

/* The address of options:hairpin_snat_ip that is of the virtual address' family. */
static void read_snat(struct vip *v)
{
    const char *text = sb_load_balancer_options_value(v->lb, "hairpin_snat_ip");
    char *copy = xstrdup(text ? text : ""), *save = NULL;
    for (char *word = strtok_r(copy, " ,", &save); word && !v->has_snat;
         word = strtok_r(NULL, " ,", &save))
        v->has_snat = !ip_addr_parse(word, &v->snat) && v->snat.version == v->ip.version;
    free(copy);
}

static void backends(struct vip *v, const char *text)
{
    char *copy = xstrdup(text), *save = NULL;
    for (char *word = strtok_r(copy, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
        struct ip_addr ip;
        uint16_t port;
        if (!ip_endpoint_parse(word, &ip, &port) && ip.version == v->ip.version)
            check_flow(v, &ip, port);
    }
    free(copy);
}

void hairpin_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct feed_pair *pair = key;
    const struct feed_row *f = inc_read_one(ctx, p->in_lb_by_uuid, &pair->row);
    const struct fact_global *global = inc_read_one(ctx, p->global_all, NULL);
    struct vip v = {.ctx = ctx, .p = p, .flow = OFLOW_INIT};
    if (!f || ip_endpoint_parse(pair->key->s, &v.ip, &v.port))
        return;
    v.lb = sb_load_balancer_cast(f->row);
    if (!each_datapath(&v, NULL))
        return;
    v.cookie = uuid_prefix32(&f->uuid);
    v.proto = v.port ? proto_of(v.lb) : NULL;
    v.has_orig_tuple = is_true(sb_load_balancer_options_value(v.lb, "hairpin_orig_tuple"), false);
    v.is_label = global && global->hairpin_label;
    read_snat(&v);
    backends(&v, pair->value->s);
    if (v.has_snat)
        each_datapath(&v, snat_on);
    else
        snat_flow(&v, NULL, v.port ? PRIO_PORT : PRIO_NO_PORT);
    oflow_fini(&v.flow);
}
