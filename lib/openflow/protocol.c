/* protocol.c - recognising and beginning messages: the table is message.def. */
#include "openflow/protocol.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"

#include "openflow/internal.h"

enum {
    K_MSG,
    K_MP_REQUEST,
    K_MP_REPLY,
    K_NX,
    K_NXMP_REQUEST,
    K_NXMP_REPLY,
    K_ONF,
    K_ONFMP_REQUEST,
    K_ONFMP_REPLY
};

struct kind {
    uint8_t kind, first, last;
    uint8_t type; /* enum of_type */
    uint16_t number;
    const char *name;
};

static const struct kind kinds[] = {
#define MSG(TYPE, NAME, FIRST, LAST, NUMBER) {K_MSG, FIRST, LAST, OF_##TYPE, NUMBER, NAME},
#define MP(TYPE, NAME, FIRST, LAST, NUMBER)                                                        \
    {K_MP_REQUEST, FIRST, LAST, OF_##TYPE##_REQUEST, NUMBER, NAME " request"},                     \
        {K_MP_REPLY, FIRST, LAST, OF_##TYPE##_REPLY, NUMBER, NAME " reply"},
#define NX(TYPE, NAME, FIRST, LAST, NUMBER) {K_NX, FIRST, LAST, OF_##TYPE, NUMBER, NAME},
#define NXMP(TYPE, NAME, FIRST, LAST, NUMBER)                                                      \
    {K_NXMP_REQUEST, FIRST, LAST, OF_##TYPE##_REQUEST, NUMBER, NAME " request"},                   \
        {K_NXMP_REPLY, FIRST, LAST, OF_##TYPE##_REPLY, NUMBER, NAME " reply"},
#define ONF(TYPE, NAME, FIRST, LAST, NUMBER) {K_ONF, FIRST, LAST, OF_##TYPE, NUMBER, NAME},
#define ONFMP(TYPE, NAME, FIRST, LAST, NUMBER)                                                     \
    {K_ONFMP_REQUEST, FIRST, LAST, OF_##TYPE##_REQUEST, NUMBER, NAME " request"},                  \
        {K_ONFMP_REPLY, FIRST, LAST, OF_##TYPE##_REPLY, NUMBER, NAME " reply"},
#include "openflow/message.def"
#undef MSG
#undef MP
#undef NX
#undef NXMP
#undef ONF
#undef ONFMP
};

enum { MSG_VENDOR = 4, MP_VENDOR = 0xffff };

static uint8_t mp_request_number(uint8_t version)
{
    return version == OF10_VERSION ? 16 : 18;
}

static const struct kind *find_wire(unsigned kind, uint8_t version, uint32_t number)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        const struct kind *k = &kinds[i];
        if (k->kind == kind && k->number == number && version >= k->first && version <= k->last)
            return k;
    }
    return NULL;
}

static int parse_experimenter(struct of_msg *m)
{
    if (m->body_len < 8)
        return OF_ERR_BAD_LEN;
    uint32_t vendor = get_be32(m->body);
    m->subtype = get_be32(m->body + 4);
    if (vendor != OF_VENDOR_NX && vendor != OF_VENDOR_ONF)
        return OF_ERR_BAD_VENDOR;
    const struct kind *k = find_wire(vendor == OF_VENDOR_NX ? K_NX : K_ONF, m->version, m->subtype);
    m->nx = true;
    m->body += 8;
    m->body_len -= 8;
    if (!k)
        return OF_ERR_BAD_SUBTYPE;
    m->type = k->type;
    return 0;
}

static int parse_multipart(struct of_msg *m, bool reply)
{
    size_t head = m->version == OF10_VERSION ? 4 : 8;
    if (m->body_len < head)
        return OF_ERR_BAD_LEN;
    uint16_t number = get_be16(m->body);
    m->flags = get_be16(m->body + 2);
    m->body += head;
    m->body_len -= head;
    const struct kind *k;
    if (number == MP_VENDOR) {
        /* 1.0 has four bytes of padding behind vendor and subtype, so that entries begin at multiples of 8. */
        size_t n = m->version == OF10_VERSION ? 12 : 8;
        if (m->body_len < n)
            return OF_ERR_BAD_LEN;
        uint32_t vendor = get_be32(m->body);
        if (vendor != OF_VENDOR_NX && vendor != OF_VENDOR_ONF)
            return OF_ERR_BAD_VENDOR;
        m->subtype = get_be32(m->body + 4);
        m->body += n;
        m->body_len -= n;
        m->nx = true;
        unsigned kind = vendor == OF_VENDOR_NX ? K_NXMP_REQUEST : K_ONFMP_REQUEST;
        k = find_wire(kind + reply, m->version, m->subtype);
        if (!k)
            return OF_ERR_BAD_SUBTYPE;
    } else {
        k = find_wire(reply ? K_MP_REPLY : K_MP_REQUEST, m->version, number);
        if (!k)
            return OF_ERR_BAD_STAT;
    }
    m->type = k->type;
    return 0;
}

static int check_length(const struct of_msg *m)
{
    static const struct {
        uint8_t type, first, last, min, unit;
    } lengths[] = {
#define LEN(TYPE, FIRST, LAST, MIN, UNIT) {OF_##TYPE, FIRST, LAST, MIN, UNIT},
#include "openflow/length.def"
#undef LEN
    };
    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        if (lengths[i].type != m->type || m->version < lengths[i].first ||
            m->version > lengths[i].last)
            continue;
        size_t min = lengths[i].min, unit = lengths[i].unit;
        bool ok =
            m->body_len == min || (m->body_len > min && unit && (m->body_len - min) % unit == 0);
        return ok ? 0 : OF_ERR_BAD_LEN;
    }
    return 0;
}

int of_msg_parse(const void *data, size_t n, struct of_msg *ret)
{
    memset(ret, 0, sizeof *ret);
    if (n < OF_HEADER_LEN)
        return OF_ERR_BAD_LEN;
    const uint8_t *d = data;
    ret->data = d;
    ret->version = d[0];
    ret->xid = get_be32(d + 4);
    ret->len = n;
    ret->body = d + OF_HEADER_LEN;
    ret->body_len = n - OF_HEADER_LEN;
    if (get_be16(d + 2) != n)
        return OF_ERR_BAD_LEN;
    if (d[1] == 0) { /* HELLO is understood in any version */
        ret->type = OF_HELLO;
        return 0;
    }
    if (ret->version < OF10_VERSION || ret->version > OF15_VERSION)
        return OF_ERR_BAD_VERSION;
    uint8_t request = mp_request_number(ret->version);
    int err = 0;
    if (d[1] == MSG_VENDOR) {
        err = parse_experimenter(ret);
    } else if (d[1] == request || d[1] == request + 1) {
        err = parse_multipart(ret, d[1] != request);
    } else {
        const struct kind *k = find_wire(K_MSG, ret->version, d[1]);
        if (!k)
            return OF_ERR_BAD_TYPE;
        ret->type = k->type;
    }
    return err ? err : check_length(ret);
}

static const struct kind *find_type(enum of_type type, uint8_t version)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (kinds[i].type == type && version >= kinds[i].first && version <= kinds[i].last)
            return &kinds[i];
    return NULL;
}

const char *of_type_name(enum of_type type, uint8_t version)
{
    const struct kind *k = find_type(type, version);
    return k ? k->name : "unknown message";
}

static const struct {
    uint8_t version;
    const char *name, *number;
} versions[] = {
    {OF10_VERSION, "OpenFlow10", "1.0"}, {OF11_VERSION, "OpenFlow11", "1.1"},
    {OF12_VERSION, "OpenFlow12", "1.2"}, {OF13_VERSION, "OpenFlow13", "1.3"},
    {OF14_VERSION, "OpenFlow14", "1.4"}, {OF15_VERSION, "OpenFlow15", "1.5"},
};

uint8_t of_version_parse(const char *text)
{
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++)
        if (!strcasecmp(text, versions[i].name) || !strcmp(text, versions[i].number))
            return versions[i].version;
    return 0;
}

const char *of_version_name(uint8_t version)
{
    return version >= OF10_VERSION && version <= OF15_VERSION ? versions[version - 1].name
                                                              : "unknown";
}

/* ---- Building ---- */

static size_t put_header(struct of_buf *buf, uint8_t version, uint8_t number, uint32_t xid)
{
    size_t start = buf->n;
    of_buf_put8(buf, version);
    of_buf_put8(buf, number);
    of_buf_put16(buf, 0);
    of_buf_put32(buf, xid);
    return start;
}

/* NX: the experimenter form with that SUBTYPE, else the first row that fits. */
size_t of_begin_as(struct of_buf *buf, uint8_t version, enum of_type type, bool nx,
                   uint32_t subtype, uint32_t xid)
{
    const struct kind *k = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(kinds) && !k; i++) {
        const struct kind *c = &kinds[i];
        bool exp = c->kind >= K_NX;
        if (c->type == type && version >= c->first && version <= c->last &&
            (!nx || (exp && c->number == subtype)))
            k = c;
    }
    INVARIANT(k != NULL);
    uint8_t mp = mp_request_number(version);
    bool request =
        k->kind == K_MP_REQUEST || k->kind == K_NXMP_REQUEST || k->kind == K_ONFMP_REQUEST;
    bool reply = k->kind == K_MP_REPLY || k->kind == K_NXMP_REPLY || k->kind == K_ONFMP_REPLY;
    size_t start = put_header(buf, version,
                              k->kind == K_MSG ? (uint8_t)k->number
                              : request        ? mp
                              : reply          ? mp + 1
                                               : MSG_VENDOR,
                              xid);
    bool vendor_mp = k->kind > K_NX && k->kind != K_ONF;
    if (request || reply) {
        of_buf_put16(buf, vendor_mp ? MP_VENDOR : k->number);
        of_buf_put(buf, NULL, version == OF10_VERSION ? 2 : 6);
    }
    if (k->kind >= K_NX) {
        of_buf_put32(buf, k->kind >= K_ONF ? OF_VENDOR_ONF : OF_VENDOR_NX);
        of_buf_put32(buf, k->number);
        if (vendor_mp && version == OF10_VERSION)
            of_buf_put32(buf, 0);
    }
    return start;
}

size_t of_begin(struct of_buf *buf, uint8_t version, enum of_type type, uint32_t xid)
{
    return of_begin_as(buf, version, type, false, 0, xid);
}

void of_end(struct of_buf *buf, size_t start)
{
    INVARIANT(buf->n - start <= OF_MAX_LEN);
    put_be16(buf->data + start + 2, (uint16_t)(buf->n - start));
}

void of_simple_encode(enum of_type type, uint8_t version, uint32_t xid, struct of_buf *out)
{
    of_end(out, of_begin(out, version, type, xid));
}

void of_raw_encode(enum of_type type, uint8_t version, uint32_t xid, const void *body, size_t n,
                   struct of_buf *out)
{
    size_t start = of_begin(out, version, type, xid);
    of_buf_put(out, body, n);
    of_end(out, start);
}

/* ---- HELLO ---- */

enum { HELLO_BITMAP = 1 };

void of_hello_encode(uint32_t offered, bool bitmap, uint32_t xid, struct of_buf *out)
{
    INVARIANT(offered > 1);
    uint8_t highest = (uint8_t)(31 - __builtin_clz(offered));
    size_t start = put_header(out, highest, 0, xid);
    uint32_t up_to_highest = (uint32_t)((2ull << highest) - 2);
    if (bitmap && offered != up_to_highest) {
        of_buf_put16(out, HELLO_BITMAP);
        of_buf_put16(out, 8);
        of_buf_put32(out, offered);
    }
    of_end(out, start);
}

int of_hello_decode(const struct of_msg *msg, uint32_t *ret)
{
    uint8_t v = MIN(msg->version, 31);
    *ret = (uint32_t)((1ull << (v + 1)) - 1) & ~1u;
    const uint8_t *p = msg->body, *end = p + msg->body_len;
    while (end - p >= 4) {
        uint16_t type = get_be16(p), len = get_be16(p + 2);
        if (len < 4 || len > end - p)
            break; /* OpenFlow 1.3 7.5.1: what is not understood is ignored */
        if (type == HELLO_BITMAP && len >= 8) {
            *ret = get_be32(p + 4) & ~1u;
            break;
        }
        if ((size_t)ROUND_UP(len, 8) > (size_t)(end - p))
            break;
        p += ROUND_UP(len, 8);
    }
    return *ret ? 0 : OF_ERR_HELLO_INCOMPATIBLE;
}

int of_versions_parse(const char *text, uint32_t *bitmap, struct diag *diag)
{
    char *copy = xstrdup(text), *save = NULL;
    int err = 0;
    *bitmap = 0;
    for (char *word = strtok_r(copy, ", ", &save); word && !err;
         word = strtok_r(NULL, ", ", &save)) {
        uint8_t v = of_version_parse(word);
        if (!v || !(OF_VERSIONS_ALL >> v & 1))
            err = diag_set(diag, ERR_SYNTAX, "%s: unknown OpenFlow version", word);
        *bitmap |= 1u << v;
    }
    free(copy);
    return err;
}
