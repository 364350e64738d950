/* oxm.c - OXM and NXM: fields with their values, and the matches made of them. OpenFlow 1.0's own match is in match10.c. */
#include "openflow/oxm.h"

#include "net/headers.h"

enum { CT_STATE_BITS = 0xff };
enum {
    CLASS_NXM_0 = 0x0000,
    CLASS_NXM_1 = 0x0001,
    CLASS_BASIC = 0x8000,
    CLASS_PKT_REG = 0x8001,
    CLASS_EXPERIMENTER = 0xffff
};
enum { ONF_FIELD_FIRST = 42 };
enum { NXM_COOKIE = 30, TUN_METADATA_FIRST = 40, TUN_METADATA_LAST = 103, TUN_METADATA_LEN = 124 };
enum { MATCH_TYPE_OXM = 1 };

/* ---- Single fields ---- */

/* Which of a field's headers is sent in VERSION. */
static const struct field_header *header_for(const struct field *f, uint8_t version)
{
    bool late = f->id == FIELD_TCP_FLAGS && version < OF15_VERSION;
    if ((version == OF10_VERSION || late) && f->nxm.name)
        return &f->nxm;
    return f->oxm.name ? &f->oxm : &f->nxm;
}

static void put_header(struct of_buf *out, const struct field_header *h, bool masked, unsigned len)
{
    of_buf_put16(out, h->class);
    of_buf_put8(out, (uint8_t)(h->number << 1 | masked));
    of_buf_put8(out, (uint8_t)len);
}

static void put_value(struct of_buf *out, u128 value, unsigned n)
{
    uint8_t bytes[16];
    put_be_n(bytes, n, value);
    of_buf_put(out, bytes, n);
}

/* An exact match on an option has as many bytes as its value needs; with a mask, as both need. */
void of_oxm_put_tun(struct of_buf *out, enum field_id id, const struct tun_value *value,
                    const struct tun_value *mask, uint8_t version)
{
    unsigned n = tun_value_len(value), more = mask ? tun_value_len(mask) : 0;
    n = MAX(n, more);
    put_header(out, header_for(field_get(id), version), mask != NULL, mask ? 2 * n : n);
    of_buf_put(out, value->b + TUN_OPT_MAX - n, n);
    if (mask)
        of_buf_put(out, mask->b + TUN_OPT_MAX - n, n);
}

static void put_field(struct of_buf *out, enum field_id id, u128 value, u128 mask, uint8_t version,
                      bool force_mask)
{
    const struct field *f = field_get(id);
    bool masked = force_mask || mask != u128_ones(f->n_bits);
    unsigned n = f->n_bytes;
    if (FIELD_IS_TUN_METADATA(id)) {
        struct tun_value v, m;
        tun_value_of(&v, value);
        tun_value_of(&m, mask);
        of_oxm_put_tun(out, id, &v, masked ? &m : NULL, version);
        return;
    }
    const struct field_header *h = header_for(f, version);
    put_header(out, h, masked, masked ? 2 * n : n);
    put_value(out, value, n);
    if (masked)
        put_value(out, mask, n);
}

void of_oxm_put_field(struct of_buf *out, enum field_id id, u128 value, u128 mask, uint8_t version)
{
    put_field(out, id, value, mask, version, false);
}

void of_oxm_put_masked(struct of_buf *out, enum field_id id, u128 value, u128 mask, uint8_t version)
{
    put_field(out, id, value, mask, version, true);
}

void of_oxm_put_header(struct of_buf *out, enum field_id id, uint8_t version)
{
    const struct field *f = field_get(id);
    put_header(out, header_for(f, version), false,
               FIELD_IS_TUN_METADATA(id) ? TUN_METADATA_LEN : f->n_bytes);
}

/* The field of an OXM whose payload is known to be there; NULL: unknown. Fields that became standard in 1.5 were ONF
 * experiments before, under the same numbers. */
static const struct field *find_field(const uint8_t *p)
{
    uint16_t class = get_be16(p);
    unsigned number = p[2] >> 1;
    if (class != CLASS_EXPERIMENTER)
        return field_find_header(class, (uint8_t)number);
    if (p[3] < 4 || get_be32(p + 4) != OF_VENDOR_ONF || number < ONF_FIELD_FIRST)
        return NULL;
    return field_find_header(CLASS_BASIC, (uint8_t)number);
}

int of_oxm_get_header(const void *data, size_t n, enum field_id *id, size_t *used)
{
    const uint8_t *p = data;
    if (n < 4)
        return OF_ERR_ACTION_BAD_LEN;
    const struct field *f = field_find_header(get_be16(p), p[2] >> 1);
    if (!f)
        return OF_ERR_ACTION_BAD_SET_TYPE;
    if (p[2] & 1 || (p[3] != f->n_bytes && !FIELD_IS_TUN_METADATA(f->id)))
        return OF_ERR_ACTION_BAD_SET_LEN;
    *id = f->id;
    *used = 4;
    return 0;
}

/* The N bytes at P as a number; false: it has more than BITS bits. */
static bool get_value(const uint8_t *p, unsigned n, unsigned bits, u128 *ret)
{
    for (; n > 16; n--)
        if (*p++)
            return false;
    *ret = get_be_n(p, n);
    return !(*ret & ~u128_ones(bits));
}

/* Reads value and mask behind a header whose total payload length is known to be there. */
static int get_payload(const struct field *f, const uint8_t *p, u128 *value, u128 *mask)
{
    bool masked = p[2] & 1; /* the header is read before P moves */
    unsigned skip = get_be16(p) == CLASS_EXPERIMENTER ? 4 : 0;
    unsigned len = p[3] - skip, n = masked ? len / 2 : len;
    p += skip;
    if (masked && len % 2)
        return OF_ERR_MATCH_BAD_LEN;
    if (n != f->n_bytes)
        return OF_ERR_MATCH_BAD_LEN;
    if (!get_value(p + 4, n, f->n_bits, value))
        return OF_ERR_MATCH_BAD_VALUE;
    *mask = u128_ones(f->n_bits);
    if (masked) {
        /* Bits that the field does not have may be set in a mask. */
        u128 m;
        (void)get_value(p + 4 + n, n, 128, &m);
        if ((m & *mask) != *mask && !f->maskable)
            return OF_ERR_MATCH_BAD_MASK;
        *mask &= m;
        if (*value & ~*mask)
            return OF_ERR_MATCH_BAD_WILDCARDS;
    }
    return 0;
}

/* The same of a tunnel option, of as many bytes as there are. */
static int get_tun_payload(const uint8_t *p, struct tun_value *value, struct tun_value *mask,
                           bool *exact)
{
    bool masked = p[2] & 1;
    unsigned n = masked ? p[3] / 2u : p[3];
    if ((masked && p[3] % 2) || n > TUN_METADATA_LEN)
        return OF_ERR_MATCH_BAD_LEN;
    tun_value_from(value, p + 4, n);
    *exact = !masked;
    tun_value_ones(mask, TUN_OPT_BITS);
    if (!masked)
        return 0;
    tun_value_from(mask, p + 4 + n, n);
    struct tun_value kept = *value;
    tun_value_and(&kept, mask);
    return memcmp(&kept, value, sizeof kept) ? OF_ERR_MATCH_BAD_WILDCARDS : 0;
}

/* What is wrong with a match, as it is called of an action. */
static int error_of_action(int err)
{
    return err == OF_ERR_MATCH_BAD_LEN ? OF_ERR_ACTION_BAD_SET_LEN
           : err == OF_ERR_MATCH_BAD_WILDCARDS || err == OF_ERR_MATCH_BAD_MASK
               ? OF_ERR_ACTION_BAD_SET_MASK
               : OF_ERR_ACTION_BAD_SET_ARGUMENT;
}

bool of_oxm_is_tun(const void *data, size_t n)
{
    const uint8_t *p = data;
    unsigned number = n < 4 ? 0 : p[2] >> 1;
    return n >= 4 && get_be16(p) == CLASS_NXM_1 && number >= TUN_METADATA_FIRST &&
           number <= TUN_METADATA_LAST;
}

int of_oxm_get_tun(const void *data, size_t n, enum field_id *id, struct tun_value *value,
                   struct tun_value *mask, bool *exact, size_t *used)
{
    const uint8_t *p = data;
    if (n < 4 || n < 4u + p[3])
        return OF_ERR_ACTION_BAD_LEN;
    if (!of_oxm_is_tun(data, n))
        return OF_ERR_ACTION_BAD_SET_TYPE;
    int err = get_tun_payload(p, value, mask, exact);
    *id = FIELD_TUN_METADATA0 + (p[2] >> 1) - TUN_METADATA_FIRST;
    *used = 4u + p[3];
    return err ? error_of_action(err) : 0;
}

int of_oxm_get_field(const void *data, size_t n, enum field_id *id, u128 *value, u128 *mask,
                     size_t *used)
{
    const uint8_t *p = data;
    if (n < 4 || n < 4u + p[3])
        return OF_ERR_ACTION_BAD_LEN;
    const struct field *f = find_field(p);
    if (!f)
        return OF_ERR_ACTION_BAD_SET_TYPE;
    int err = get_payload(f, p, value, mask);
    if (err)
        return error_of_action(err);
    *id = f->id;
    *used = 4u + p[3];
    return 0;
}

/* ---- Matches: sending ---- */

struct writer {
    struct of_buf *out;
    const struct match *m;
    uint8_t version;
};

static void emit(const struct writer *w, enum field_id id)
{
    u128 mask = mask_get(&w->m->mask, id);
    if (mask)
        put_field(w->out, id, key_get(&w->m->key, id), mask, w->version, false);
}

static void emit_tun(const struct writer *w, enum field_id id)
{
    struct tun_value value, mask;
    enum tun_match kind = match_get_tun(w->m, id, &value, &mask);
    if (kind != TUN_NOT)
        of_oxm_put_tun(w->out, id, &value, kind == TUN_EXACT ? NULL : &mask, w->version);
}

static void emit_all(const struct writer *w, const uint8_t *ids, size_t n)
{
    for (size_t i = 0; i < n; i++)
        emit(w, ids[i]);
}

static void emit_vlan(const struct writer *w)
{
    if (w->version == OF10_VERSION) {
        emit(w, FIELD_VLAN_TCI);
        return;
    }
    u128 vid_mask = mask_get(&w->m->mask, FIELD_VLAN_VID);
    u128 vid = key_get(&w->m->key, FIELD_VLAN_VID);
    if (vid_mask)
        put_field(w->out, FIELD_VLAN_VID, vid, vid_mask, w->version, false);
    if (mask_get(&w->m->mask, FIELD_VLAN_PCP) && vid & VLAN_CFI)
        emit(w, FIELD_VLAN_PCP);
}

static void emit_tos(const struct writer *w)
{
    if (w->version == OF10_VERSION) {
        u128 dscp = mask_get(&w->m->mask, FIELD_IP_DSCP);
        if (dscp)
            put_field(w->out, FIELD_IP_TOS, key_get(&w->m->key, FIELD_IP_DSCP) << 2, 0xff,
                      w->version, false);
    } else {
        emit(w, FIELD_IP_DSCP);
    }
    emit(w, FIELD_IP_ECN);
}

static void emit_l4(const struct writer *w)
{
    switch (w->m->key.nw_proto) {
    case IP_PROTO_TCP:
        emit(w, FIELD_TCP_SRC);
        emit(w, FIELD_TCP_DST);
        emit(w, FIELD_TCP_FLAGS);
        break;
    case IP_PROTO_UDP:
        emit(w, FIELD_UDP_SRC);
        emit(w, FIELD_UDP_DST);
        break;
    case IP_PROTO_SCTP:
        emit(w, FIELD_SCTP_SRC);
        emit(w, FIELD_SCTP_DST);
        break;
    case IP_PROTO_ICMP:
        emit(w, FIELD_ICMP_TYPE);
        emit(w, FIELD_ICMP_CODE);
        break;
    case IP_PROTO_ICMPV6:
        emit(w, FIELD_ICMPV6_TYPE);
        emit(w, FIELD_ICMPV6_CODE);
        emit(w, FIELD_ND_TARGET);
        emit(w, FIELD_ND_SLL);
        emit(w, FIELD_ND_TLL);
        break;
    }
}

static void emit_l3(const struct writer *w)
{
    static const uint8_t v4[] = {FIELD_IP_SRC, FIELD_IP_DST};
    static const uint8_t v6[] = {FIELD_IPV6_SRC, FIELD_IPV6_DST};
    static const uint8_t arp[] = {FIELD_ARP_OP, FIELD_ARP_SPA, FIELD_ARP_TPA, FIELD_ARP_SHA,
                                  FIELD_ARP_THA};
    switch (swap16(w->m->key.eth_type)) {
    case ETH_TYPE_IP:
    case ETH_TYPE_IPV6:
        if (w->m->key.eth_type == swap16(ETH_TYPE_IP))
            emit_all(w, v4, sizeof v4);
        else
            emit_all(w, v6, sizeof v6);
        emit(w, FIELD_IP_FRAG);
        emit_tos(w);
        emit(w, FIELD_IP_TTL);
        emit(w, FIELD_IPV6_LABEL);
        emit(w, FIELD_IP_PROTO);
        emit_l4(w);
        break;
    case ETH_TYPE_ARP:
    case ETH_TYPE_RARP:
        emit_all(w, arp, sizeof arp);
        break;
    }
}

static void emit_registers(const struct writer *w)
{
    for (unsigned i = 0; i < N_REGS; i++) {
        if (w->version < OF15_VERSION)
            emit(w, FIELD_REG0 + i);
        else if (i % 2 == 0)
            emit(w, FIELD_XREG0 + i / 2);
    }
}

static void emit_match(const struct writer *w)
{
    static const uint8_t head[] = {FIELD_DP_HASH, FIELD_RECIRC_ID, FIELD_CONJ_ID,
                                   FIELD_PACKET_TYPE};
    static const uint8_t eth[] = {FIELD_ETH_SRC, FIELD_ETH_DST, FIELD_ETH_TYPE};
    static const uint8_t mpls[] = {FIELD_MPLS_TC, FIELD_MPLS_BOS, FIELD_MPLS_TTL, FIELD_MPLS_LABEL};
    static const uint8_t pbb[] = {FIELD_PBB_ISID, FIELD_PBB_UCA};
    static const uint8_t tunnel[] = {
        FIELD_TUN_ID,       FIELD_TUN_FLAGS,    FIELD_TUN_SRC,    FIELD_TUN_DST,
        FIELD_TUN_IPV6_SRC, FIELD_TUN_IPV6_DST, FIELD_TUN_GBP_ID, FIELD_TUN_GBP_FLAGS,
    };
    static const uint8_t ct[] = {
        FIELD_PKT_MARK,    FIELD_CT_STATE,    FIELD_CT_ZONE,   FIELD_CT_MARK,
        FIELD_CT_LABEL,    FIELD_CT_NW_SRC,   FIELD_CT_NW_DST, FIELD_CT_IPV6_SRC,
        FIELD_CT_IPV6_DST, FIELD_CT_NW_PROTO, FIELD_CT_TP_SRC, FIELD_CT_TP_DST,
    };
    emit_all(w, head, sizeof head);
    emit(w, w->version == OF10_VERSION ? FIELD_IN_PORT : FIELD_IN_PORT_OXM);
    emit(w, FIELD_ACTSET_OUTPUT);
    emit_all(w, eth, sizeof eth);
    emit_vlan(w);
    emit_all(w, mpls, sizeof mpls);
    emit_all(w, pbb, sizeof pbb);
    emit_l3(w);
    emit_all(w, tunnel, sizeof tunnel);
    for (unsigned i = 0; i < N_TUN_METADATA; i++)
        emit_tun(w, FIELD_TUN_METADATA0 + i);
    emit_registers(w);
    emit_all(w, ct, sizeof ct);
    emit(w, FIELD_METADATA);
}

void of_oxm_encode(const struct match *match, uint8_t version, uint64_t cookie,
                   uint64_t cookie_mask, struct of_buf *out)
{
    struct writer w = {out, match, version};
    emit_match(&w);
    if (cookie_mask) {
        static const struct field_header h = {CLASS_NXM_1, NXM_COOKIE, NULL};
        bool masked = cookie_mask != UINT64_MAX;
        put_header(out, &h, masked, masked ? 16 : 8);
        of_buf_put64(out, cookie & cookie_mask);
        if (masked)
            of_buf_put64(out, cookie_mask);
    }
}

void of_match_encode(const struct match *match, uint8_t version, struct of_buf *out)
{
    size_t start = out->n;
    of_buf_put16(out, MATCH_TYPE_OXM);
    of_buf_put16(out, 0);
    of_oxm_encode(match, version, 0, 0, out);
    put_be16(out->data + start + 2, (uint16_t)(out->n - start));
    of_buf_pad(out, start, 8);
}

/* ---- Matches: receiving ---- */

struct reader {
    struct match *m;
    bool loose;
    uint64_t seen[4]; /* fields, to find duplicates */
    uint64_t *cookie, *cookie_mask;
};

static int read_cookie(struct reader *r, const uint8_t *p)
{
    bool masked = p[2] & 1;
    if (p[3] != (masked ? 16 : 8))
        return OF_ERR_MATCH_BAD_LEN;
    *r->cookie = get_be64(p + 4);
    *r->cookie_mask = masked ? get_be64(p + 12) : UINT64_MAX;
    return 0;
}

static bool mark_seen(struct reader *r, enum field_id id)
{
    uint64_t bit = 1ull << (id % 64), *word = &r->seen[id / 64];
    bool seen = *word & bit;
    *word |= bit;
    return seen;
}

/* The first packet's addresses and ports are there for what the tracker knows: a flag of a connection is set, or it is said to be valid. */
static bool tracker_knows(const struct match *m, const struct field *f)
{
    uint32_t state = swap32(m->key.ct.state), mask = swap32(m->mask.bits.ct.state);
    bool known = state & ~(uint32_t)(CT_TRK | CT_INV) ||
                 (state & CT_TRK && mask & CT_INV && !(state & CT_INV));
    switch (f->id) {
    case FIELD_CT_NW_SRC:
    case FIELD_CT_NW_DST:
        return known && match_implies_prereq(m, PREREQ_IPV4);
    case FIELD_CT_IPV6_SRC:
    case FIELD_CT_IPV6_DST:
        return known && match_implies_prereq(m, PREREQ_IPV6);
    default:
        return known;
    }
}

static bool may_stand(const struct match *m, const struct field *f)
{
    return f->prereq == PREREQ_CT ? tracker_knows(m, f) : match_implies_prereq(m, f->prereq);
}

static int read_tun(struct reader *r, const struct field *f, const uint8_t *p)
{
    struct tun_value value, mask;
    bool exact;
    int err = get_tun_payload(p, &value, &mask, &exact);
    if (err)
        return err;
    if (mark_seen(r, f->id))
        return OF_ERR_MATCH_DUP_FIELD;
    if (!match_set_tun(r->m, f->id, &value, exact ? NULL : &mask))
        return OF_ERR_MATCH_BAD_VALUE; /* more than all options may hold together */
    match_set_present(r->m, f->id);    /* without any bits too */
    return 0;
}

static int read_field(struct reader *r, const uint8_t *p)
{
    if (r->cookie && get_be16(p) == CLASS_NXM_1 && p[2] >> 1 == NXM_COOKIE &&
        (p[3] == 8 || p[3] == 16))
        return read_cookie(r, p);
    const struct field *f = find_field(p);
    if (!f || f->internal)
        return r->loose ? 0 : OF_ERR_MATCH_BAD_FIELD;
    if (FIELD_IS_TUN_METADATA(f->id))
        return read_tun(r, f, p);
    u128 value, mask;
    int err = get_payload(f, p, &value, &mask);
    if (err)
        return err;
    if (f->id == FIELD_IN_PORT_OXM && value >= 0xff00 && value < PORT_MAX)
        return OF_ERR_MATCH_BAD_VALUE;
    if (f->id == FIELD_CT_STATE &&
        !r->loose) { /* its other bits are not in use, but for a mask of all */
        if (value & ~(u128)CT_STATE_BITS)
            return OF_ERR_MATCH_BAD_VALUE;
        if (mask != u128_ones(f->n_bits) && mask & ~(u128)CT_STATE_BITS)
            return OF_ERR_MATCH_BAD_MASK;
    }
    if (f->id == FIELD_IP_TOS) { /* NXM's byte holds the DSCP alone */
        if (value & IP_ECN_MASK)
            return OF_ERR_MATCH_BAD_VALUE;
        mask &= IP_DSCP_MASK;
    }
    if (mark_seen(r, f->id))
        return OF_ERR_MATCH_DUP_FIELD;
    if (!r->loose && !may_stand(r->m, f))
        return OF_ERR_MATCH_BAD_PREREQ;
    /* Two fields that share bits (registers, VLAN) add up, but may not contradict. */
    u128 old_mask = mask_get(&r->m->mask, f->id), both = old_mask & mask;
    u128 old = key_get(&r->m->key, f->id);
    if (!r->loose && (old ^ value) & both)
        return OF_ERR_MATCH_DUP_FIELD;
    match_set_masked(r->m, f->id, (old & ~mask) | value, old_mask | mask);
    return 0;
}

int of_oxm_decode(const void *data, size_t n, bool loose, struct match *ret, uint64_t *cookie,
                  uint64_t *cookie_mask)
{
    struct reader r = {.m = ret, .loose = loose, .cookie = cookie, .cookie_mask = cookie_mask};
    const uint8_t *p = data, *end = p + n;
    match_init(ret);
    if (cookie)
        *cookie = *cookie_mask = 0;
    while (p < end) {
        if (end - p < 4 || end - p < 4 + p[3])
            return OF_ERR_MATCH_BAD_LEN;
        int err = read_field(&r, p);
        if (err)
            return err;
        p += 4 + p[3];
    }
    return 0;
}

int of_match_decode(const void *data, size_t n, struct match *ret, size_t *used)
{
    const uint8_t *p = data;
    if (n < 4)
        return OF_ERR_MATCH_BAD_LEN;
    uint16_t type = get_be16(p), len = get_be16(p + 2);
    if (type != MATCH_TYPE_OXM)
        return OF_ERR_MATCH_BAD_TYPE;
    size_t padded = ROUND_UP((size_t)len, 8);
    if (len < 4 || padded > n)
        return OF_ERR_MATCH_BAD_LEN;
    *used = padded;
    return of_oxm_decode(p + 4, len - 4u, false, ret, NULL, NULL);
}
