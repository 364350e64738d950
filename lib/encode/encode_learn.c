/* encode_learn.c - actions that make the switch learn flows: ECMP next hops and load balancer affinity; see internal.h. */
#include <stdlib.h>
#include <string.h>

#include "encode/internal.h"
#include "net/addr.h"

static void put_spec(struct encoder *en, size_t learn, struct of_learn_spec spec)
{
    of_put_learn_spec(en->out, learn, &spec);
}

/* The new flow matches DST == the packet's SRC. */
static void match_packet(struct encoder *en, size_t learn, enum field_id dst, enum field_id src)
{
    struct subfield d = subfield_whole(dst), s = subfield_whole(src);
    put_spec(
        en, learn,
        (struct of_learn_spec){.dst_type = OF_LEARN_MATCH, .n_bits = d.n_bits, .src = s, .dst = d});
}

static void match_value(struct encoder *en, size_t learn, enum field_id dst, u128 value)
{
    struct subfield d = subfield_whole(dst);
    put_spec(en, learn,
             (struct of_learn_spec){.dst_type = OF_LEARN_MATCH,
                                    .src_imm = 1,
                                    .n_bits = d.n_bits,
                                    .dst = d,
                                    .value_hi = (uint64_t)(value >> 64),
                                    .value_lo = (uint64_t)value});
}

static void load_value(struct encoder *en, size_t learn, struct subfield dst, u128 value)
{
    put_spec(en, learn,
             (struct of_learn_spec){.dst_type = OF_LEARN_LOAD,
                                    .src_imm = 1,
                                    .n_bits = dst.n_bits,
                                    .dst = dst,
                                    .value_hi = (uint64_t)(value >> 64),
                                    .value_lo = (uint64_t)value});
}

struct proto {
    const char *name;
    uint8_t number;
    enum field_id src, dst;
};

static const struct proto *find_proto(const struct action *a)
{
    static const struct proto protos[] = {
        {"tcp", 6, FIELD_TCP_SRC, FIELD_TCP_DST},
        {"udp", 17, FIELD_UDP_SRC, FIELD_UDP_DST},
        {"sctp", 132, FIELD_SCTP_SRC, FIELD_SCTP_DST},
    };
    const struct operand *o = encode_option_value(a, "proto");
    for (size_t i = 0; o && o->text && i < ARRAY_SIZE(protos); i++)
        if (!strcmp(protos[i].name, o->text->s))
            return &protos[i];
    return NULL;
}

static void learn_ecmp(struct encoder *en, const struct action *a, bool reply)
{
    const struct operand *v6 = encode_option_value(a, "ipv6");
    bool is6 = v6 && v6->text && !strcmp(v6->text->s, "true");
    const struct proto *proto = find_proto(a);
    struct of_learn head = {.idle_timeout = 20,
                            .hard_timeout = 30,
                            .priority = 32768,
                            .table = reply ? en->pf->ecmp_nh : en->pf->ecmp_nh_mac,
                            .flags = OF_LEARN_DELETE_LEARNED};
    size_t l = of_put_learn(en->out, &head);
    enum field_id src = is6 ? FIELD_IPV6_SRC : FIELD_IP_SRC;
    enum field_id dst = is6 ? FIELD_IPV6_DST : FIELD_IP_DST;
    match_packet(en, l, FIELD_METADATA, FIELD_METADATA);
    if (!reply)
        match_packet(en, l, FIELD_ETH_SRC, FIELD_ETH_SRC);
    match_value(en, l, FIELD_ETH_TYPE, is6 ? 0x86dd : 0x800);
    match_packet(en, l, src, reply ? dst : src);
    match_packet(en, l, dst, reply ? src : dst);
    if (proto) {
        match_value(en, l, FIELD_IP_PROTO, proto->number);
        match_packet(en, l, proto->src, reply ? proto->dst : proto->src);
        match_packet(en, l, proto->dst, reply ? proto->src : proto->dst);
    }
    load_value(en, l, subfield_make(FIELD_REG10, ANSWER_ECMP, 1), 1);
}

void encode_commit_ecmp_nh(struct encoder *en, const struct action *a)
{
    learn_ecmp(en, a, false);
    learn_ecmp(en, a, true);
}

void encode_commit_lb_aff(struct encoder *en, const struct action *a)
{
    struct ip_addr vip, backend;
    uint16_t vip_port, backend_port;
    const struct proto *proto = find_proto(a);
    if (ip_endpoint_parse(encode_option_value(a, "vip")->text->s, &vip, &vip_port) ||
        ip_endpoint_parse(encode_option_value(a, "backend")->text->s, &backend, &backend_port))
        return;
    bool is6 = vip.version == 6;
    struct of_learn head = {.idle_timeout = (uint16_t)encode_option_value(a, "timeout")->value,
                            .priority = 32768,
                            .table = en->pf->lb_affinity,
                            .flags = OF_LEARN_DELETE_LEARNED,
                            .cookie = encode_flow_id(en)};
    size_t l = of_put_learn(en->out, &head);
    enum field_id src = is6 ? FIELD_IPV6_SRC : FIELD_IP_SRC;
    match_packet(en, l, FIELD_METADATA, FIELD_METADATA);
    match_value(en, l, FIELD_ETH_TYPE, is6 ? 0x86dd : 0x800);
    match_packet(en, l, src, src);
    match_value(en, l, is6 ? FIELD_IPV6_DST : FIELD_IP_DST, ip_addr_to_u128(&vip));
    if (proto)
        match_value(en, l, FIELD_IP_PROTO, proto->number);
    if (proto && vip_port)
        match_value(en, l, proto->dst, vip_port);
    load_value(en, l, subfield_make(FIELD_REG10, ANSWER_AFFINITY, 1), 1);
    load_value(en, l, subfield_whole(is6 ? FIELD_XXREG1 : FIELD_REG4), ip_addr_to_u128(&backend));
    if (backend_port)
        load_value(en, l, subfield_make(FIELD_REG2, 0, 16), backend_port);
}
