/* dns.c - opcode 6, dns_lookup: answers a DNS query (RFC 1035) from the records of the packet's datapath.
 *
 * Room 11 of docs/architecture.md. Addresses by name (A, AAAA), names by address (PTR), or all of it (ANY); a name without
 * records of the type asked for is left to the server that the client asked. The answer fits the datagram that the client takes
 * (RFC 6891), else it says that it is cut. The logical flow behind turns addresses and ports round.
 */
#include <ctype.h>
#include <stdlib.h>

#include "controller/pinctrl/frame.h"
#include "controller/pinctrl/pinctrl.h"

enum {
    HEADER = 12,
    NAME_MAX_TEXT = 254, /* RFC 1035 2.3.4 */
    FLAG_ANSWER = 0x8000,
    FLAG_AUTHORITATIVE = 0x0400,
    FLAG_CUT = 0x0200,
    FLAG_RECURSION_DESIRED = 0x0100,
    OPCODE_AND_RCODE = 0x780f,
    CLASS_IN = 1,
    CLASS_ANY = 255,
    TYPE_A = 1,
    TYPE_PTR = 12,
    TYPE_AAAA = 28,
    TYPE_OPT = 41,
    TYPE_ANY = 255,
    TTL = 3600,
    SIZE_PLAIN = 512,
    SIZE_EDNS = 1232, /* at most: no fragments on any IPv6 link */
    OPT_LEN = 11,
    RECORD_HEADER = 12,
};

struct query {
    const uint8_t *data; /* the message */
    size_t question_end;
    uint16_t flags, type;
    bool has_edns;
    size_t size; /* of the largest answer */
    char name[NAME_MAX_TEXT + 1];
};

/* The name at *OFS in lower case; pointers have no place in a question. */
static bool read_name(const uint8_t *data, size_t n, size_t *ofs, char *name)
{
    size_t len = 0;
    while (*ofs < n && data[*ofs]) {
        size_t label = data[(*ofs)++];
        if (label > 63 || label > n - *ofs || len + label + 1 > NAME_MAX_TEXT)
            return false;
        if (len)
            name[len++] = '.';
        for (; label; label--, ++*ofs) {
            if (!data[*ofs] || data[*ofs] == '.')
                return false;
            name[len++] = (char)tolower(data[*ofs]);
        }
    }
    name[len] = '\0';
    return (*ofs)++ < n && len;
}

/* RFC 6891 6.1: the one additional record that is understood. */
static bool read_edns(struct query *q, const uint8_t *data, size_t n)
{
    if (n < OPT_LEN || data[0] || get_be16(data + 1) != TYPE_OPT || data[6] /* version */ ||
        get_be16(data + 9) != n - OPT_LEN)
        return false;
    q->has_edns = true;
    q->size = MAX(SIZE_PLAIN, MIN(SIZE_EDNS, get_be16(data + 3)));
    return true;
}

static bool read_query(const uint8_t *data, size_t n, struct query *q)
{
    if (!data || n < HEADER)
        return false;
    uint16_t additional = get_be16(data + 10);
    q->data = data;
    q->flags = get_be16(data + 2);
    q->size = SIZE_PLAIN;
    q->has_edns = false;
    if (q->flags & (FLAG_ANSWER | FLAG_CUT | OPCODE_AND_RCODE) || get_be16(data + 4) != 1 ||
        get_be32(data + 6) /* answers, authorities */ || additional > 1)
        return false;
    size_t ofs = HEADER;
    if (!read_name(data, n, &ofs, q->name) || n - ofs < 4)
        return false;
    uint16_t class = get_be16(data + ofs + 2);
    q->type = get_be16(data + ofs);
    q->question_end = ofs + 4;
    return (class == CLASS_IN || class == CLASS_ANY) &&
           (!additional || read_edns(q, data + q->question_end, n - q->question_end));
}

/* ---- The answer ---- */

struct answer {
    struct of_buf *out;
    size_t begin, end; /* of the message; where it must end */
    uint16_t n;
    bool is_cut;
};

static void put_record(struct answer *a, uint16_t type, const void *data, size_t n)
{
    if (a->is_cut || a->out->n + RECORD_HEADER + n > a->end) {
        a->is_cut = true;
        return;
    }
    of_buf_put16(a->out, 0xc000 | HEADER); /* the name in the question */
    of_buf_put16(a->out, type);
    of_buf_put16(a->out, CLASS_IN);
    of_buf_put32(a->out, TTL);
    of_buf_put16(a->out, (uint16_t)n);
    of_buf_put(a->out, data, n);
    a->n++;
}

static void put_name_record(struct answer *a, const char *name, size_t n)
{
    uint8_t data[NAME_MAX_TEXT + 2];
    size_t len = 0;
    if (n && name[n - 1] == '.')
        n--;
    if (!n || n >= NAME_MAX_TEXT)
        return;
    for (size_t at = 0; at <= n;) {
        const char *dot = memchr(name + at, '.', n - at);
        size_t label = dot ? (size_t)(dot - name) - at : n - at;
        if (!label || label > 63)
            return; /* no name: RFC 1035 2.3.1 */
        data[len++] = (uint8_t)label;
        memcpy(data + len, name + at, label);
        len += label;
        at += label + 1;
    }
    data[len++] = 0;
    put_record(a, TYPE_PTR, data, len);
}

static bool wants(const struct query *q, uint16_t type)
{
    return q->type == type || q->type == TYPE_ANY;
}

/* One address or name of a record's value. */
static void put_word(struct answer *a, const struct query *q, const char *word, size_t n)
{
    struct ip_addr ip;
    char *text = xstrndup(word, n);
    if (ip_addr_parse(text, &ip)) {
        if (wants(q, TYPE_PTR))
            put_name_record(a, word, n);
    } else if (ip.version == 4 && wants(q, TYPE_A)) {
        put_record(a, TYPE_A, &ip.v4, sizeof ip.v4);
    } else if (ip.version == 6 && wants(q, TYPE_AAAA)) {
        put_record(a, TYPE_AAAA, &ip.v6, sizeof ip.v6);
    }
    free(text);
}

/* Appends the DNS message; false: there is nothing to say. */
static bool put_message(struct of_buf *out, const struct query *q, const char *value, bool is_owned)
{
    struct answer a = {.out = out, .begin = out->n};
    a.end = a.begin + q->size - (q->has_edns ? OPT_LEN : 0);
    of_buf_put(out, q->data, q->question_end);
    while (*value) {
        value += strspn(value, " ,");
        size_t n = strcspn(value, " ,");
        if (n)
            put_word(&a, q, value, n);
        value += n;
    }
    if (!a.n && !a.is_cut && !(is_owned && (q->type == TYPE_A || q->type == TYPE_AAAA)))
        return false;
    if (q->has_edns) {
        of_buf_put8(out, 0);
        of_buf_put16(out, TYPE_OPT);
        of_buf_put16(out, SIZE_EDNS);
        of_buf_put(out, NULL, 6);
    }
    uint8_t *header = out->data + a.begin;
    put_be16(header + 2, FLAG_ANSWER | FLAG_AUTHORITATIVE | (a.is_cut ? FLAG_CUT : 0) |
                             (q->flags & FLAG_RECURSION_DESIRED));
    put_be16(header + 6, a.n);
    put_be16(header + 10, q->has_edns);
    return true;
}

static bool make_answer(const struct frame *f, const struct query *q, const char *value,
                        bool is_owned, struct of_buf *out)
{
    const struct flow_key *key = &f->key;
    bool is4 = frame_is_ip4(f);
    struct udp_header udp = {key->tp_src, key->tp_dst, 0, 0};
    frame_put_eth(out, f, key->eth_dst, key->eth_src, is4 ? ETH_TYPE_IP : ETH_TYPE_IPV6);
    size_t l3 = is4 ? frame_put_ip4(out, key->nw_src, key->nw_dst, IP_PROTO_UDP, 64)
                    : frame_put_ip6(out, &key->ip6_src, &key->ip6_dst, IP_PROTO_UDP, 64);
    of_buf_put(out, &udp, sizeof udp);
    if (!put_message(out, q, value, is_owned))
        return false;
    frame_end(out, l3);
    return true;
}

void dns_handle(struct pinctrl *p, const struct pinctrl_event *event)
{
    const struct sb_datapath_binding *datapath =
        sb_index_datapath(p->options.sb, pinctrl_datapath(event));
    struct request r;
    struct frame f;
    struct query q;
    size_t n = 0;
    bool is_owned = false;
    if (!request_begin(p, event, &r))
        return;
    frame_read(&f, event->pin->packet, event->pin->packet_len);
    const uint8_t *data = frame_udp(&f, &n);
    if (!read_query(data, n, &q)) {
        request_refuse(p, &r);
        return;
    }
    const char *value = datapath
                            ? dns_index_find(&p->options.sb->dns,
                                             sb_datapath_binding_uuid(datapath), q.name, &is_owned)
                            : NULL;
    struct of_buf out = OF_BUF_INIT;
    if (value && make_answer(&f, &q, value, is_owned, &out))
        request_answer(p, &r, &out);
    else
        request_decline(p, &r);
    of_buf_fini(&out);
}
