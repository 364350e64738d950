/* fragment.c - fragments of IPv4 (RFC 791 3.2) and IPv6 (RFC 8200 4.5) on their way through the tracker; see conntrack.h.
 *
 * They wait until the datagram is whole. Then the tracker sees it whole, and what it did to it (addresses, ports, checksums) is
 * copied back into the fragments, which go on as they came: nothing is fragmented anew. Fragments that overlap end their
 * datagram (RFC 5722); what waits is bounded in number, bytes and time, and the oldest datagram makes room. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "conntrack/conn.h"
#include "net/checksum.h"

enum { MAX_BYTES = 4 << 20, MAX_PARTS = 64, WAIT_MS = 15000, MAX_DATAGRAM = 65535 };

/* What a fragment says of itself. */
struct part {
    struct packet packet;
    void *cookie;
    uint32_t offset, len; /* of its payload in the datagram's */
    uint32_t payload;     /* where that lies in the packet */
    uint32_t next_ofs;    /* IPv6: of the byte that names the fragment header */
    uint8_t next;         /* IPv6: the protocol behind it */
    bool more;
};

struct datagram_key {
    struct ip6 src, dst;
    uint32_t id;
    uint16_t zone;
    uint8_t proto, version;
};

struct ct_datagram {
    struct hnode node;
    struct list lru;
    struct datagram_key key;
    VEC(struct part) parts; /* by offset */
    uint32_t total;         /* bytes of payload; 0: the last part is missing */
    uint32_t have;
    uint32_t bytes; /* of the packets */
    int64_t expires_ms;
    size_t given; /* by ct_datagram_next */
};

/* ---- reading ---- */

/* Where the fragment header of an IPv6 packet lies; 0: there is none. *NEXT_OFS: the byte that names it. */
static uint32_t find_fragment_header(const uint8_t *l3, size_t n, uint32_t *next_ofs)
{
    uint32_t ofs = IP6_HEADER_LEN;
    *next_ofs = offsetof(struct ip6_header, next);
    for (unsigned i = 0; i < 16 && ofs + 8 <= n; i++) {
        uint8_t next = l3[*next_ofs];
        if (next == IP_PROTO_FRAGMENT)
            return ofs;
        if (next != IP_PROTO_HOPOPTS && next != IP_PROTO_ROUTING && next != IP_PROTO_DSTOPTS)
            return 0;
        *next_ofs = ofs;
        ofs += (l3[ofs + 1] + 1u) * 8;
    }
    return 0;
}

static bool is_ip(const struct packet *packet, uint16_t type, size_t header)
{
    return packet->l3_ofs != PACKET_NO_OFS && packet->l3_ofs >= 2 &&
           get_be16(packet->data + packet->l3_ofs - 2) == type &&
           packet->l3_end >= packet->l3_ofs + header;
}

bool conntrack_is_fragment(const struct packet *packet)
{
    const uint8_t *l3 = packet_l3(packet);
    uint32_t next_ofs, ofs;
    if (is_ip(packet, ETH_TYPE_IP, IP4_HEADER_LEN))
        return get_be16(l3 + offsetof(struct ip4_header, frag_off)) & (IP4_FRAG_OFF_MASK | IP4_MF);
    if (!is_ip(packet, ETH_TYPE_IPV6, IP6_HEADER_LEN) ||
        ct_proto_has_ports(l3[offsetof(struct ip6_header, next)]))
        return false;
    ofs = find_fragment_header(l3, packet->l3_end - packet->l3_ofs, &next_ofs);
    return ofs && get_be16(l3 + ofs + 2) & 0xfff9;
}

static bool read_part4(const struct packet *packet, struct datagram_key *key, struct part *part)
{
    const struct ip4_header *ip = packet_l3(packet);
    uint32_t hlen = (ip->ihl_ver & 15u) * 4u, n = packet->l3_end - packet->l3_ofs;
    if (hlen < IP4_HEADER_LEN || hlen >= n || checksum(ip, hlen))
        return false;
    uint16_t frag = get_be16(&ip->frag_off);
    memcpy(&key->src, &ip->src, 4);
    memcpy(&key->dst, &ip->dst, 4);
    key->id = get_be16(&ip->id);
    key->proto = ip->proto;
    key->version = 4;
    part->offset = (frag & IP4_FRAG_OFF_MASK) * 8u;
    part->more = frag & IP4_MF;
    part->payload = packet->l3_ofs + hlen;
    part->len = n - hlen;
    return true;
}

static bool read_part6(const struct packet *packet, struct datagram_key *key, struct part *part)
{
    const uint8_t *l3 = packet_l3(packet);
    uint32_t n = packet->l3_end - packet->l3_ofs,
             ofs = find_fragment_header(l3, n, &part->next_ofs);
    if (!ofs || ofs + 8 >= n)
        return false;
    const struct ip6_header *ip = (const void *)l3;
    const struct ip6_frag_header *fh = (const void *)(l3 + ofs);
    key->src = ip->src;
    key->dst = ip->dst;
    key->id = get_be32(&fh->id);
    key->version = 6;
    part->next = fh->next;
    part->offset = get_be16(&fh->offlg) & 0xfff8u;
    part->more = get_be16(&fh->offlg) & 1;
    part->payload = packet->l3_ofs + ofs + 8;
    part->len = n - ofs - 8;
    return true;
}

static bool read_part(const struct packet *packet, uint16_t zone,
                      const struct ct_fragment_config *config, struct ct_fragment_stats *stats,
                      struct datagram_key *key, struct part *part)
{
    memset(key, 0, sizeof *key);
    memset(part, 0, sizeof *part);
    key->zone = zone;
    if (!(is_ip(packet, ETH_TYPE_IP, IP4_HEADER_LEN) ? read_part4(packet, key, part)
                                                     : read_part6(packet, key, part)))
        return false;
    bool six = key->version == 6;
    if (part->more && part->payload - packet->l3_ofs + part->len < config->min_size[six]) {
        stats->too_small[six]++;
        return false;
    }
    return !config->disabled[six] && (!part->more || part->len % 8 == 0) &&
           part->offset + part->len <= MAX_DATAGRAM - 100;
}

/* ---- what waits ---- */

/* Takes it out of the table; it is the caller's. */
static void detach(struct conntrack *ct, struct ct_datagram *d)
{
    hmap_remove(&ct->datagrams, &d->node);
    list_remove(&d->lru);
    ct->n_fragments -= (uint32_t)d->parts.n;
    ct->fragment_bytes -= d->bytes;
}

void ct_datagram_free(struct ct_datagram *d)
{
    struct part *part;
    VEC_FOR_EACH (part, &d->parts)
        packet_fini(&part->packet);
    vec_fini(&d->parts);
    free(d);
}

/* Nobody will see its fragments. */
static void drop_datagram(struct conntrack *ct, struct ct_datagram *d)
{
    struct part *part;
    detach(ct, d);
    VEC_FOR_EACH (part, &d->parts)
        ct->drop_fragment(ct->drop_aux, part->cookie);
    ct_datagram_free(d);
}

void ct_fragments_expire(struct conntrack *ct, int64_t now_ms)
{
    while (!list_empty(&ct->datagram_lru)) {
        struct ct_datagram *d = LIST_FIRST(struct ct_datagram, lru, &ct->datagram_lru);
        if (d->expires_ms > now_ms)
            return;
        ct->counters.n_fragments_expired += d->parts.n;
        ct->fragment_stats.expired[d->key.version == 6] += d->parts.n;
        drop_datagram(ct, d);
    }
}

void conntrack_drop_fragments(struct conntrack *ct)
{
    while (!list_empty(&ct->datagram_lru))
        drop_datagram(ct, LIST_FIRST(struct ct_datagram, lru, &ct->datagram_lru));
}

void conntrack_on_drop_fragment(struct conntrack *ct, void (*fn)(void *aux, void *cookie),
                                void *aux)
{
    ct->drop_fragment = fn;
    ct->drop_aux = aux;
}

static struct ct_datagram *get_datagram(struct conntrack *ct, const struct datagram_key *key,
                                        int64_t now_ms)
{
    uint64_t hash = hash_bytes(key, sizeof *key, ct->seed);
    struct ct_datagram *d;
    HMAP_FOR_EACH_WITH_HASH (d, node, hash, &ct->datagrams) {
        if (!memcmp(&d->key, key, sizeof *key))
            return d;
    }
    d = NEW(struct ct_datagram);
    d->key = *key;
    d->expires_ms = now_ms + WAIT_MS;
    hmap_insert(&ct->datagrams, &d->node, hash);
    list_push_back(&ct->datagram_lru, &d->lru);
    return d;
}

/* Where PART belongs; -1: it overlaps, or contradicts what is known of the end. */
static long find_place(const struct ct_datagram *d, const struct part *part)
{
    uint32_t end = part->offset + part->len;
    if (d->parts.n >= MAX_PARTS ||
        (d->total && (end > d->total || (!part->more && end != d->total))))
        return -1;
    size_t i = 0;
    while (i < d->parts.n && d->parts.data[i].offset < part->offset)
        i++;
    if (i && d->parts.data[i - 1].offset + d->parts.data[i - 1].len > part->offset)
        return -1;
    if (i < d->parts.n && (d->parts.data[i].offset < end || !part->more))
        return -1;
    return (long)i;
}

static void add_part(struct conntrack *ct, struct ct_datagram *d, size_t place, struct part *part,
                     const struct packet *packet, void *cookie)
{
    packet_init(&part->packet);
    packet_clone_into(&part->packet, packet);
    part->cookie = cookie;
    vec_push(&d->parts, *part);
    memmove(&d->parts.data[place + 1], &d->parts.data[place],
            (d->parts.n - 1 - place) * sizeof *part);
    d->parts.data[place] = *part;
    d->have += part->len;
    d->bytes += packet->size;
    if (!part->more)
        d->total = part->offset + part->len;
    ct->n_fragments++;
    ct->fragment_bytes += packet->size;
    ct->counters.n_fragments++;
}

/* ---- the whole ---- */

/* The datagram as one packet, with the headers of its first fragment. */
static void assemble(const struct ct_datagram *d, struct packet *ret)
{
    const struct part *first = &d->parts.data[0], *part;
    uint32_t head = first->payload - (d->key.version == 6 ? 8 : 0);
    packet_init_copy(ret, first->packet.data, head);
    uint8_t *to = packet_append(ret, d->total);
    VEC_FOR_EACH (part, &d->parts)
        memcpy(to + part->offset, part->packet.data + part->payload, part->len);
    uint8_t *l3 = ret->data + first->packet.l3_ofs;
    uint16_t n = (uint16_t)(ret->size - first->packet.l3_ofs);
    if (d->key.version == 4) {
        struct ip4_header *ip = (void *)l3;
        put_be16(&ip->tot_len, n);
        put_be16(&ip->frag_off, 0);
        put_be16(&ip->csum, 0);
        put_be16(&ip->csum, checksum(ip, (ip->ihl_ver & 15u) * 4u));
    } else {
        put_be16(&((struct ip6_header *)(void *)l3)->payload_len, (uint16_t)(n - IP6_HEADER_LEN));
        l3[first->next_ofs] = first->next;
    }
    ret->md = first->packet.md;
}

/* What was done to WHOLE, done to its fragments. */
static void copy_back(struct ct_datagram *d, const struct packet *whole)
{
    const struct part *first = &d->parts.data[0];
    const uint8_t *payload = whole->data + whole->size - d->total;
    const uint8_t *whole_l3 = whole->data + first->packet.l3_ofs;
    struct part *part;
    VEC_FOR_EACH (part, &d->parts) {
        uint8_t *l3 = packet_l3(&part->packet);
        memcpy(part->packet.data + part->payload, payload + part->offset, part->len);
        if (d->key.version == 4) {
            struct ip4_header *ip = (void *)l3;
            memcpy(&ip->src, whole_l3 + offsetof(struct ip4_header, src), 8);
            put_be16(&ip->csum, 0);
            put_be16(&ip->csum, checksum(ip, (ip->ihl_ver & 15u) * 4u));
        } else {
            memcpy(l3 + offsetof(struct ip6_header, src),
                   whole_l3 + offsetof(struct ip6_header, src), 32);
        }
        part->packet.md.has_ct = true;
        part->packet.md.ct = whole->md.ct;
    }
}

static void execute_whole(struct conntrack *ct, struct ct_datagram *d,
                          const struct ct_action *action, int64_t now_ms)
{
    struct packet whole;
    struct flow_key key;
    assemble(d, &whole);
    flow_extract(&whole, &key);
    ct->assembled = true;
    conntrack_execute(ct, &whole, action, now_ms);
    ct->assembled = false;
    copy_back(d, &whole);
    packet_fini(&whole);
}

enum ct_hold conntrack_hold(struct conntrack *ct, struct packet *packet,
                            const struct ct_action *action, void *cookie, int64_t now_ms,
                            struct ct_datagram **ret)
{
    struct datagram_key key;
    struct part part;
    ct_fragments_expire(ct, now_ms);
    if (!read_part(packet, action->zone, &ct->fragment_config, &ct->fragment_stats, &key, &part)) {
        ct_set_invalid(ct, packet, action->zone);
        return CT_REFUSED;
    }
    struct ct_datagram *d = get_datagram(ct, &key, now_ms);
    long place = find_place(d, &part);
    bool six = key.version == 6;
    if (place < 0) {
        ct->fragment_stats.overlapped[six]++;
        drop_datagram(ct, d);
        ct_set_invalid(ct, packet, action->zone);
        return CT_REFUSED;
    }
    add_part(ct, d, (size_t)place, &part, packet, cookie);
    ct->fragment_stats.accepted[six]++;
    if (d->total && d->have == d->total) {
        ct->fragment_stats.completed[six] += d->parts.n;
        detach(ct, d);
        execute_whole(ct, d, action, now_ms);
        *ret = d;
        return CT_WHOLE;
    }
    while (ct->n_fragments > ct->fragment_config.max || ct->fragment_bytes > MAX_BYTES) {
        struct ct_datagram *oldest = LIST_FIRST(struct ct_datagram, lru, &ct->datagram_lru);
        ct->fragment_stats.purged[oldest->key.version == 6] += oldest->parts.n;
        drop_datagram(ct, oldest);
    }
    return CT_WAITS;
}

struct packet *ct_datagram_next(struct ct_datagram *d, void **cookie)
{
    if (d->given == d->parts.n)
        return NULL;
    struct part *part = &d->parts.data[d->given++];
    *cookie = part->cookie;
    return &part->packet;
}

struct ct_fragment_config *conntrack_fragment_config(struct conntrack *ct)
{
    return &ct->fragment_config;
}

void conntrack_fragment_stats(const struct conntrack *ct, struct ct_fragment_stats *ret)
{
    *ret = ct->fragment_stats;
    ret->n = ct->n_fragments;
}

void conntrack_put_fragments(const struct conntrack *ct, struct str *out)
{
    const struct ct_datagram *d;
    LIST_FOR_EACH (d, lru, &ct->datagram_lru) {
        bool six = d->key.version == 6;
        be32 src, dst;
        memcpy(&src, &d->key.src, 4);
        memcpy(&dst, &d->key.dst, 4);
        str_put(out, "src=");
        six ? ip6_put(out, d->key.src) : ip4_put(out, src);
        str_put(out, ",dst=");
        six ? ip6_put(out, d->key.dst) : ip4_put(out, dst);
        str_putf(out, ",dl_type=0x%04x,ip_id=0x%x,zone=%u,num_fragments=%zu\n",
                 six ? ETH_TYPE_IPV6 : ETH_TYPE_IP, d->key.id, d->key.zone, d->parts.n);
    }
}
