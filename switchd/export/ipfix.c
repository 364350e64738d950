/* ipfix.c - see ipfix.h. */
#include "switchd/export/ipfix.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "flow/packet.h"
#include "openflow/protocol.h"

enum {
    VERSION = 10,
    HEADER_LEN = 16,
    SET_HEADER_LEN = 4,
    TEMPLATE_SET = 2,
    FIRST_TEMPLATE = 256,
    TEMPLATES_MS = 600000,
    VARIABLE = 0xffff,
    ENTERPRISE_BIT = 0x8000,
    VMWARE = 6876,
    VIRTUAL_OBS_ID = 898,
    END_ACTIVE_TIMEOUT = 2,
    END_FORCED = 4,
    END_LACK_OF_RESOURCES = 5,
    KEY_MAX = 160
};

/* The number of a record's template says which groups of elements it has. */
enum group {
    GROUP_ALL = 0,
    GROUP_EGRESS = 1,
    GROUP_VLAN = 2,
    GROUP_IP4 = 4,
    GROUP_IP6 = 8,
    GROUP_PORTS = 16,
    GROUP_ICMP4 = 32,
    GROUP_ICMP6 = 64,
    GROUP_TUNNEL = 128,
    GROUP_IP = GROUP_IP4 | GROUP_IP6, /* either */
    N_TEMPLATES = 256
};

struct domain {
    struct hnode node;
    uint32_t id;
    uint32_t sequence; /* data records so far */
    uint8_t told[N_TEMPLATES];
    int64_t told_ms;
};

struct ipfix_flow {
    struct hnode node;
    struct list in_order;
    uint32_t domain;
    uint8_t groups;
    uint8_t n_key;
    int64_t first_us, last_us;
    uint64_t packets, frame_bytes, ip_bytes;
    uint8_t key[KEY_MAX]; /* its elements, as they are sent */
};

struct element {
    uint8_t group;
    uint8_t bytes;
    uint16_t id;
    uint32_t enterprise;
};

static const struct element elements[] = {
#define IE(GROUP, NAME, ENTERPRISE, ELEMENT, BYTES, VALUE)                                         \
    {GROUP_##GROUP, BYTES, ELEMENT, ENTERPRISE},
#include "switchd/export/ipfix.def"
#undef IE
};

/* What each record counts, behind its key. */
static const struct element counters[] = {
    {GROUP_ALL, 4, 158, 0}, /* flowStartDeltaMicroseconds */
    {GROUP_ALL, 4, 159, 0}, /* flowEndDeltaMicroseconds */
    {GROUP_ALL, 8, 2, 0},   /* packetDeltaCount */
    {GROUP_ALL, 8, 352, 0}, /* layer2OctetDeltaCount */
    {GROUP_IP, 8, 1, 0},    /* octetDeltaCount */
    {GROUP_ALL, 1, 136, 0}, /* flowEndReason */
};

void ipfix_init(struct ipfix *ipfix, struct env *env)
{
    memset(ipfix, 0, sizeof *ipfix);
    ipfix->env = env;
    list_init(&ipfix->oldest);
}

static bool has_group(uint8_t groups, uint8_t group)
{
    return group == GROUP_ALL || groups & group;
}

static void put_number(struct of_buf *b, u128 value, unsigned n)
{
    uint8_t *p = of_buf_put(b, NULL, n);
    for (unsigned i = n; i--; value >>= 8)
        p[i] = (uint8_t)value;
}

/* ---- messages ---- */

static struct domain *domain_get(struct ipfix *ipfix, uint32_t id)
{
    struct domain *d;
    HMAP_FOR_EACH_WITH_HASH (d, node, hash_u64(id, 0), &ipfix->domains) {
        if (d->id == id)
            return d;
    }
    if (ipfix->domains.n >= IPFIX_DOMAINS_MAX)
        return NULL;
    d = NEW(struct domain);
    d->id = id;
    hmap_insert(&ipfix->domains, &d->node, hash_u64(id, 0));
    return d;
}

static void put_element(struct of_buf *b, const struct element *e, unsigned *n)
{
    of_buf_put16(b, e->id | (e->enterprise ? ENTERPRISE_BIT : 0));
    of_buf_put16(b, e->bytes);
    if (e->enterprise)
        of_buf_put32(b, e->enterprise);
    ++*n;
}

static void put_template(struct of_buf *b, uint8_t groups, bool virtual_obs_id)
{
    size_t start = b->n;
    unsigned n = 0;
    of_buf_put16(b, TEMPLATE_SET);
    of_buf_put16(b, 0);
    of_buf_put16(b, FIRST_TEMPLATE + groups);
    of_buf_put16(b, 0);
    for (size_t i = 0; i < ARRAY_SIZE(elements); i++) {
        if (has_group(groups, elements[i].group))
            put_element(b, &elements[i], &n);
    }
    for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
        if (has_group(groups, counters[i].group))
            put_element(b, &counters[i], &n);
    }
    if (virtual_obs_id) {
        of_buf_put16(b, VIRTUAL_OBS_ID | ENTERPRISE_BIT);
        of_buf_put16(b, VARIABLE);
        of_buf_put32(b, VMWARE);
        n++;
    }
    put_be16(b->data + start + 2, (uint16_t)(b->n - start));
    put_be16(b->data + start + 6, (uint16_t)n);
}

static void put_record(const struct ipfix *ipfix, struct of_buf *b, const struct ipfix_flow *f,
                       int64_t export_us, uint8_t reason)
{
    size_t start = b->n;
    const char *id = ipfix->config.virtual_obs_id;
    of_buf_put16(b, FIRST_TEMPLATE + f->groups);
    of_buf_put16(b, 0);
    of_buf_put(b, f->key, f->n_key);
    put_number(b, (uint64_t)(export_us - f->first_us), 4);
    put_number(b, (uint64_t)(export_us - f->last_us), 4);
    put_number(b, f->packets, 8);
    put_number(b, f->frame_bytes, 8);
    if (f->groups & GROUP_IP)
        put_number(b, f->ip_bytes, 8);
    of_buf_put8(b, reason);
    if (*id) {
        of_buf_put8(b, (uint8_t)strlen(id));
        of_buf_put(b, id, strlen(id));
    }
    put_be16(b->data + start + 2, (uint16_t)(b->n - start));
}

static void send_flow(struct ipfix *ipfix, const struct ipfix_flow *f, uint8_t reason)
{
    struct domain *d = domain_get(ipfix, f->domain);
    if (!d)
        return;
    int64_t now_us = ipfix->env->wall_us(ipfix->env), now_ms = env_now_ms(ipfix->env);
    int64_t export_us = DIV_ROUND_UP(now_us, 1000000) * 1000000;
    struct of_buf b = OF_BUF_INIT;
    of_buf_put16(&b, VERSION);
    of_buf_put16(&b, 0);
    of_buf_put32(&b, (uint32_t)(export_us / 1000000));
    of_buf_put32(&b, d->sequence);
    of_buf_put32(&b, d->id);
    if (now_ms - d->told_ms >= TEMPLATES_MS) {
        memset(d->told, 0, sizeof d->told);
        d->told_ms = now_ms;
    }
    if (!d->told[f->groups]) {
        d->told[f->groups] = true;
        put_template(&b, f->groups, *ipfix->config.virtual_obs_id);
    }
    put_record(ipfix, &b, f, export_us, reason);
    put_be16(b.data + 2, (uint16_t)b.n);
    collectors_send(&ipfix->collectors, b.data, b.n);
    d->sequence++;
    ipfix->n_records++;
    ipfix->n_messages++;
    of_buf_fini(&b);
}

/* ---- samples ---- */

static uint8_t groups_of(const struct ipfix *ipfix, const struct ipfix_sample *s)
{
    const struct flow_key *k = &s->key;
    uint16_t type = swap16(k->eth_type);
    uint8_t groups = (s->has_out_port ? GROUP_EGRESS : 0) | (k->vlan_tci ? GROUP_VLAN : 0) |
                     (ipfix->config.tunnels && k->tunnel.dst ? GROUP_TUNNEL : 0);
    if (type != ETH_TYPE_IP && type != ETH_TYPE_IPV6)
        return groups;
    groups |= type == ETH_TYPE_IP ? GROUP_IP4 : GROUP_IP6;
    bool later = k->nw_frag & FRAG_LATER;
    if (later)
        return groups;
    if (k->nw_proto == IP_PROTO_TCP || k->nw_proto == IP_PROTO_UDP || k->nw_proto == IP_PROTO_SCTP)
        groups |= GROUP_PORTS;
    else if (type == ETH_TYPE_IP && k->nw_proto == IP_PROTO_ICMP)
        groups |= GROUP_ICMP4;
    else if (type == ETH_TYPE_IPV6 && k->nw_proto == IP_PROTO_ICMPV6)
        groups |= GROUP_ICMP6;
    return groups;
}

static void fill_key(struct ipfix_flow *f, const struct ipfix_sample *s)
{
    const struct flow_key *k = &s->key;
    const u128 values[] = {
#define IE(GROUP, NAME, ENTERPRISE, ELEMENT, BYTES, VALUE) (u128)(VALUE),
#include "switchd/export/ipfix.def"
#undef IE
    };
    struct of_buf b = OF_BUF_INIT;
    for (size_t i = 0; i < ARRAY_SIZE(elements); i++) {
        if (has_group(f->groups, elements[i].group))
            put_number(&b, values[i], elements[i].bytes);
    }
    INVARIANT(b.n <= KEY_MAX);
    memcpy(f->key, b.data, b.n);
    f->n_key = (uint8_t)b.n;
    of_buf_fini(&b);
}

static void flow_end(struct ipfix *ipfix, struct ipfix_flow *f, uint8_t reason)
{
    send_flow(ipfix, f, reason);
    hmap_remove(&ipfix->flows, &f->node);
    list_remove(&f->in_order);
    free(f);
}

static void flush(struct ipfix *ipfix)
{
    while (!list_empty(&ipfix->oldest))
        flow_end(ipfix, LIST_FIRST(struct ipfix_flow, in_order, &ipfix->oldest), END_FORCED);
}

static uint64_t flow_hash(const struct ipfix_flow *f)
{
    return hash_bytes(f->key, f->n_key, (uint64_t)f->domain << 8 | f->groups);
}

static struct ipfix_flow *find_flow(const struct ipfix *ipfix, const struct ipfix_flow *like)
{
    struct ipfix_flow *f;
    HMAP_FOR_EACH_WITH_HASH (f, node, flow_hash(like), &ipfix->flows) {
        if (f->domain == like->domain && f->groups == like->groups && f->n_key == like->n_key &&
            !memcmp(f->key, like->key, f->n_key))
            return f;
    }
    return NULL;
}

static void remember(struct ipfix *ipfix, const struct ipfix_flow *one)
{
    struct ipfix_flow *f = find_flow(ipfix, one);
    if (f) {
        f->last_us = one->last_us;
        f->packets += one->packets;
        f->frame_bytes += one->frame_bytes;
        f->ip_bytes += one->ip_bytes;
        return;
    }
    while (ipfix->flows.n >= ipfix->config.cache_max)
        flow_end(ipfix, LIST_FIRST(struct ipfix_flow, in_order, &ipfix->oldest),
                 END_LACK_OF_RESOURCES);
    f = xmemdup(one, sizeof *one);
    hmap_insert(&ipfix->flows, &f->node, flow_hash(f));
    list_push_back(&ipfix->oldest, &f->in_order);
}

void ipfix_sample(struct ipfix *ipfix, const struct ipfix_sample *s)
{
    struct ipfix_flow f;
    memset(&f, 0, sizeof f);
    f.domain = s->domain;
    f.groups = groups_of(ipfix, s);
    f.first_us = f.last_us = ipfix->env->wall_us(ipfix->env);
    f.packets = 1;
    f.frame_bytes = s->size;
    f.ip_bytes = s->ip_size;
    fill_key(&f, s);
    ipfix->n_samples++;
    ipfix->n_ip4 += (f.groups & GROUP_IP4) != 0;
    ipfix->n_ip6 += (f.groups & GROUP_IP6) != 0;
    if (ipfix->config.cache_timeout_s && ipfix->config.cache_max)
        remember(ipfix, &f);
    else
        send_flow(ipfix, &f, END_ACTIVE_TIMEOUT);
}

void ipfix_tick(struct ipfix *ipfix)
{
    int64_t until_us =
        ipfix->env->wall_us(ipfix->env) - (int64_t)ipfix->config.cache_timeout_s * 1000000;
    while (!list_empty(&ipfix->oldest)) {
        struct ipfix_flow *f = LIST_FIRST(struct ipfix_flow, in_order, &ipfix->oldest);
        if (f->first_us > until_us)
            break;
        flow_end(ipfix, f, END_ACTIVE_TIMEOUT);
    }
}

void ipfix_configure(struct ipfix *ipfix, const struct ipfix_config *config)
{
    if (!memcmp(&ipfix->config, config, sizeof *config))
        return;
    flush(ipfix);
    ipfix->config = *config;
    struct domain *d;
    HMAP_FOR_EACH (d, node, &ipfix->domains)
        memset(d->told, 0, sizeof d->told); /* templates may be others now */
}

void ipfix_fini(struct ipfix *ipfix)
{
    flush(ipfix);
    struct domain *d;
    HMAP_FOR_EACH_SAFE (d, node, &ipfix->domains) {
        hmap_remove(&ipfix->domains, &d->node);
        free(d);
    }
    hmap_fini(&ipfix->domains);
    hmap_fini(&ipfix->flows);
    collectors_fini(&ipfix->collectors);
}
