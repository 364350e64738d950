/* dp_text.c - datapath actions as Open vSwitch writes them: "set(eth(src=..,dst=..)),ct(commit,zone=5),2". See dp.h. */
#include <string.h>

#include "switchd/dp.h"
#include "switchd/qos/qos.h"
#include "switchd/recirc.h"

static void put_tunnel(struct str *s, const struct dp_tunnel *t)
{
    struct flow_key key;
    str_putf(s, "set(tunnel(tun_id=0x%llx,", (unsigned long long)swap64(t->key.id));
    if (t->key.dst) {
        str_put(s, "dst=");
        ip4_put(s, t->key.dst);
    } else {
        str_put(s, "ipv6_dst=");
        ip6_put(s, t->key.ip6_dst);
    }
    static const struct tun_opts none;
    for (uint64_t left = t->options; left; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        struct tun_value value;
        key.tunnel = t->key;
        key_get_tun(&key, t->more ? t->more : &none, FIELD_TUN_METADATA0 + i, &value);
        str_putf(s, ",tun_metadata%u=", i);
        tun_value_put(s, &value, NULL);
    }
    str_put(s, ")),");
}

static void put_nat(struct str *s, const struct ct_nat *nat)
{
    if (!(nat->flags & (CT_NAT_SRC | CT_NAT_DST))) {
        str_put(s, ",nat");
        return;
    }
    const struct ip6 *ends[] = {&nat->addr_min, &nat->addr_max};
    bool bracket = nat->version == 6 && nat->port_min;
    bool range = memcmp(ends[0], ends[1], sizeof *ends[0]) != 0;
    str_put(s, nat->flags & CT_NAT_SRC ? ",nat(src" : ",nat(dst");
    for (int i = 0; i < 1 + range && nat->version; i++) {
        be32 v4;
        memcpy(&v4, ends[i], sizeof v4);
        str_putc(s, i ? '-' : '=');
        if (nat->version == 4)
            ip4_put(s, v4);
        else
            str_put(s, bracket ? "[" : ""), ip6_put(s, *ends[i]), str_put(s, bracket ? "]" : "");
    }
    if (nat->port_min)
        str_putf(s, ":%u", nat->port_min);
    if (nat->port_max != nat->port_min)
        str_putf(s, "-%u", nat->port_max);
    str_put(s, nat->flags & CT_NAT_PERSISTENT ? ",persistent" : "");
    str_put(s, nat->flags & CT_NAT_HASH ? ",hash" : "");
    str_put(s, nat->flags & CT_NAT_RANDOM ? ",random)" : ")");
}

static void put_ct(struct str *s, const struct ct_action *ct)
{
    static const char *const helpers[] = {NULL, "ftp", "tftp"};
    struct str args = STR_INIT;
    if (ct->flags & CT_COMMIT)
        str_put(&args, ct->flags & CT_FORCE ? ",force_commit" : ",commit");
    if (ct->zone)
        str_putf(&args, ",zone=%u", ct->zone);
    if (ct->mark_mask)
        str_putf(&args, ",mark=0x%x/0x%x", swap32(ct->mark), swap32(ct->mark_mask));
    if (!ip6_is_zero(ct->label_mask)) {
        str_put(&args, ",label=");
        field_put(&args, field_get(FIELD_CT_LABEL), get_be128(&ct->label),
                  get_be128(&ct->label_mask), NULL);
    }
    if (ct->helper)
        str_putf(&args, ",helper=%s", helpers[ct->helper]);
    if (ct->flags & CT_TRANSLATE)
        put_nat(&args, &ct->nat);
    str_put(s, "ct");
    if (args.n)
        str_putf(s, "(%s)", str_c(&args) + 1);
    str_fini(&args);
}

static void put_action(struct str *s, const struct dp_action *a,
                       const char *(*port_name)(void *aux, uint32_t dp_no), void *aux)
{
    switch ((enum dp_type)a->type) {
    case DP_OUTPUT:
        if (a->tunnel)
            put_tunnel(s, a->tunnel);
        const char *name = port_name ? port_name(aux, a->port) : NULL;
        if (name)
            str_put(s, name);
        else
            str_putf(s, "%u", a->port);
        break;
    case DP_SET:
        break; /* put_sets */
    case DP_PUSH_VLAN:
        str_putf(s, "push_vlan(%svid=%u,pcp=%u)", a->eth_type == 0x88a8 ? "tpid=0x88a8," : "",
                 a->tci & 0xfffu, a->tci >> 13);
        break;
    case DP_POP_VLAN:
        str_put(s, "pop_vlan");
        break;
    case DP_PUSH_MPLS:
        str_putf(s, "push_mpls(lse=0x%x,eth_type=0x%x)", (unsigned)a->value_lo, a->eth_type);
        break;
    case DP_POP_MPLS:
        str_putf(s, "pop_mpls(eth_type=0x%x)", a->eth_type);
        break;
    case DP_PUSH_PBB:
        str_putf(s, "push_pbb(tci=0x%x)", (unsigned)a->value_lo);
        break;
    case DP_POP_PBB:
        str_put(s, "pop_pbb");
        break;
    case DP_CONTROLLER:
        str_putf(s,
                 "userspace(pid=0,controller(reason=%u,dont_send=0,continuation=%d,recirc_id=0,"
                 "rule_cookie=%s%llx,controller_id=%u,max_len=%u))",
                 a->pin->reason, a->pin->continuation_len > 0,
                 a->pin->cookie && a->pin->cookie != UINT64_MAX ? "0x" : "",
                 a->pin->cookie == UINT64_MAX ? 0 : (unsigned long long)a->pin->cookie,
                 a->pin->controller_id, a->pin->max_len);
        break;
    case DP_METER:
        str_putf(s, "meter(%u)", a->meter);
        break;
    case DP_QUEUE:
        str_putf(s, "set(skb_priority(0x%x))", a->n ? qos_priority(a->n) : 0);
        break;
    case DP_TRUNC:
        str_putf(s, "trunc(%u)", a->n);
        break;
    case DP_CT:
        put_ct(s, a->ct);
        break;
    case DP_SAMPLE:
        str_putf(s,
                 "userspace(flow_sample(probability=%u,collector_set_id=%u,obs_domain_id=%u,"
                 "obs_point_id=%u,output_port=%u%s))",
                 a->sample->probability, a->sample->set_id, a->sample->domain, a->sample->point,
                 a->sample->out_port ? a->sample->out_port : UINT32_MAX,
                 a->sample->egress ? ",egress" : "");
        break;
    case DP_RECIRC:
        str_putf(s, "recirc(0x%x)", a->recirc->id);
        break;
    case DP_CLONE:
        break;
    }
}

/* Where a header field stands in "set(GROUP(NAME=...))". */
struct set_name {
    uint8_t field; /* enum field_id */
    const char *group, *name;
    uint8_t shift, mask; /* of a byte that it is a part of; MASK 0: it is whole */
};

static const struct set_name set_names[] = {
    {FIELD_ETH_SRC, "eth", "src", 0, 0},         {FIELD_ETH_DST, "eth", "dst", 0, 0},
    {FIELD_IP_SRC, "ipv4", "src", 0, 0},         {FIELD_IP_DST, "ipv4", "dst", 0, 0},
    {FIELD_IPV6_SRC, "ipv6", "src", 0, 0},       {FIELD_IPV6_DST, "ipv6", "dst", 0, 0},
    {FIELD_IPV6_LABEL, "ipv6", "label", 0, 0},   {FIELD_IP_TOS, "ip", "tos", 0, 0},
    {FIELD_IP_DSCP, "ip", "tos", 2, 0xfc},       {FIELD_IP_ECN, "ip", "tos", 0, 0x03},
    {FIELD_IP_TTL, "ip", "ttl", 0, 0},           {FIELD_TCP_SRC, "tcp", "src", 0, 0},
    {FIELD_TCP_DST, "tcp", "dst", 0, 0},         {FIELD_UDP_SRC, "udp", "src", 0, 0},
    {FIELD_UDP_DST, "udp", "dst", 0, 0},         {FIELD_SCTP_SRC, "sctp", "src", 0, 0},
    {FIELD_SCTP_DST, "sctp", "dst", 0, 0},       {FIELD_ICMP_TYPE, "icmp", "type", 0, 0},
    {FIELD_ICMP_CODE, "icmp", "code", 0, 0},     {FIELD_ICMPV6_TYPE, "icmpv6", "type", 0, 0},
    {FIELD_ICMPV6_CODE, "icmpv6", "code", 0, 0}, {FIELD_ARP_SPA, "arp", "sip", 0, 0},
    {FIELD_ARP_TPA, "arp", "tip", 0, 0},         {FIELD_ARP_OP, "arp", "op", 0, 0},
    {FIELD_ARP_SHA, "arp", "sha", 0, 0},         {FIELD_ARP_THA, "arp", "tha", 0, 0},
    {FIELD_ND_TARGET, "nd", "target", 0, 0},     {FIELD_ND_SLL, "nd", "sll", 0, 0},
    {FIELD_ND_TLL, "nd", "tll", 0, 0},
};

static const struct set_name *set_name(uint8_t field)
{
    for (size_t i = 0; i < ARRAY_SIZE(set_names); i++)
        if (set_names[i].field == field)
            return &set_names[i];
    return NULL;
}

/* TOS and TTL are called after the protocol of the addresses that they stand with, of which only IPv6's are wide. */
static const char *set_group(const struct set_name *name, bool v6)
{
    return strcmp(name->group, "ip") != 0 ? name->group : v6 ? "ipv6" : "ipv4";
}

/* The sets at the head of N actions that are of one header, as one; how many they are. */
static size_t put_sets(struct str *s, const struct dp_action *a, size_t n)
{
    const struct set_name *first = set_name(a->field);
    const struct field *field = field_get(a->field);
    size_t i = 0;
    bool v6 = false;
    if (!first) {
        str_putf(s, "set(%s(", field->name);
        field_put(s, field, (u128)a->value_hi << 64 | a->value_lo, u128_ones(field->n_bits), NULL);
        str_put(s, "))");
        return 1;
    }
    for (size_t k = 0; k < n && a[k].type == DP_SET; k++)
        v6 |= a[k].field == FIELD_IPV6_SRC || a[k].field == FIELD_IPV6_DST;
    str_putf(s, "set(%s(", set_group(first, v6));
    for (; i < n && a[i].type == DP_SET; i++) {
        const struct set_name *name = set_name(a[i].field);
        if (!name || strcmp(set_group(name, v6), set_group(first, v6)) != 0)
            break;
        field = field_get(name->field);
        str_putf(s, "%s%s=", i ? "," : "", name->name);
        if (name->mask)
            str_putf(s, "0x%x/0x%x", (unsigned)a[i].value_lo << name->shift, name->mask);
        else if (name->field == FIELD_IP_TOS)
            str_putf(s, "0x%x", (unsigned)a[i].value_lo);
        else
            field_put(s, field, (u128)a[i].value_hi << 64 | a[i].value_lo, u128_ones(field->n_bits),
                      NULL);
    }
    str_put(s, "))");
    return i;
}

static void put_range(struct str *s, const struct dp_action *a, size_t n,
                      const char *(*port_name)(void *aux, uint32_t dp_no), void *aux)
{
    for (size_t i = 0; i < n;) {
        if (i)
            str_putc(s, ',');
        if (a[i].type == DP_CLONE) {
            str_put(s, "clone(");
            put_range(s, &a[i + 1], a[i].n, port_name, aux);
            str_putc(s, ')');
            i += 1 + a[i].n;
        } else if (a[i].type == DP_SET) {
            i += put_sets(s, &a[i], n - i);
        } else {
            put_action(s, &a[i++], port_name, aux);
        }
    }
}

void dp_actions_put_text(struct str *s, const struct dp_actions *actions,
                         const char *(*port_name)(void *aux, uint32_t dp_no), void *aux)
{
    if (actions->list.n)
        put_range(s, actions->list.data, actions->list.n, port_name, aux);
    else
        str_put(s, "drop");
}
