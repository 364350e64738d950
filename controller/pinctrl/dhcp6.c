/* dhcp6.c - opcode 5, put_dhcpv6_opts: turns a DHCPv6 client's message into the server's answer (RFC 8415).
 *
 * Room 11 of docs/architecture.md. The action carries the server's identity, perhaps the port's address, and options; nothing is kept
 * here. An address, once given, is given for ever: it is the port's. Only one address for a port: a further identity association, and
 * one for temporary addresses or prefixes, is answered with a status. IP and UDP headers are the logical flow's business.
 */
#include "controller/pinctrl/frame.h"
#include "controller/pinctrl/pinctrl.h"

enum {
    SOLICIT = 1,
    ADVERTISE,
    REQUEST,
    CONFIRM,
    RENEW,
    REBIND,
    REPLY,
    RELEASE,
    DECLINE,
    INFORMATION_REQUEST = 11,
};
enum {
    OPT_CLIENT_ID = 1,
    OPT_SERVER_ID = 2,
    OPT_IA_NA = 3,
    OPT_IA_TA = 4,
    OPT_IA_ADDR = 5,
    OPT_STATUS = 13,
    OPT_RAPID_COMMIT = 14,
    OPT_USER_CLASS = 15,
    OPT_DNS = 23,
    OPT_DOMAIN_SEARCH = 24,
    OPT_IA_PD = 25,
    OPT_FQDN = 39,
    OPT_BOOTFILE = 59,
    OPT_BOOTFILE_ALT = 254, /* in userdata only: OPT_BOOTFILE unless iPXE asks */
};
enum { STATUS_SUCCESS = 0, STATUS_NO_ADDRS = 2, STATUS_NOT_ON_LINK = 4, STATUS_NO_PREFIX = 6 };
enum {
    HEADER = 4,  /* type and transaction id */
    DUID_LL = 3, /* RFC 8415 11.4 */
    DUID_LEN = 10,
    DUID_MAX = 130,
    IA_HEAD = 12, /* IAID, T1, T2 */
    IA_MAX = 16,  /* answered in one message */
    OPTIONS_MAX = 4096,
};
#define FOREVER UINT32_MAX

struct option {
    uint16_t code, len;
    const uint8_t *value;
};

/* *OFS starts at 0. False: the end, or what is there is no option. */
static bool next_option(const uint8_t *data, size_t n, size_t *ofs, struct option *ret)
{
    if (n - *ofs < 4 || get_be16(data + *ofs + 2) > n - *ofs - 4)
        return false;
    *ret = (struct option){get_be16(data + *ofs), get_be16(data + *ofs + 2), data + *ofs + 4};
    *ofs += 4u + ret->len;
    return true;
}

struct client { /* what the client says */
    const uint8_t *message;
    size_t n; /* of its options, behind HEADER */
    struct option id, server;
    unsigned n_ia;
    bool wants_rapid_commit, is_ipxe, has_fqdn;
    uint8_t fqdn_flags;
};

/* RFC 8415 21.15: the class data are each preceded by their length. */
static bool has_class(const struct option *o, const char *class)
{
    size_t n = strlen(class);
    for (size_t ofs = 0; o->len - ofs >= 2;) {
        size_t len = get_be16(o->value + ofs);
        ofs += 2;
        if (len > o->len - ofs)
            return false;
        if (len == n && !memcmp(o->value + ofs, class, n))
            return true;
        ofs += len;
    }
    return false;
}

static void read_option(struct client *c, const struct option *o)
{
    if (o->code == OPT_CLIENT_ID) {
        c->id = *o;
    } else if (o->code == OPT_SERVER_ID) {
        c->server = *o;
    } else if (o->code == OPT_IA_NA || o->code == OPT_IA_TA || o->code == OPT_IA_PD) {
        c->n_ia++;
    } else if (o->code == OPT_RAPID_COMMIT) {
        c->wants_rapid_commit = true;
    } else if (o->code == OPT_USER_CLASS) {
        c->is_ipxe = has_class(o, "iPXE");
    } else if (o->code == OPT_FQDN && o->len) {
        c->has_fqdn = true;
        c->fqdn_flags = o->value[0];
    }
}

static bool read_client(const struct frame *f, struct client *c)
{
    struct option o;
    size_t n, ofs = 0;
    *c = (struct client){.message = frame_udp(f, &n)};
    if (!c->message || !frame_is_ip6(f) || n < HEADER)
        return false;
    c->n = n - HEADER;
    while (next_option(c->message + HEADER, c->n, &ofs, &o))
        read_option(c, &o);
    return ofs == c->n && c->id.len <= DUID_MAX && c->n_ia <= IA_MAX;
}

struct offer { /* what the action says */
    uint8_t duid[DUID_LEN];
    const uint8_t *ip; /* NULL: no addresses from here */
    bool has_alt;
    const uint8_t *options;
    size_t n;
};

static bool read_offer(const struct request *r, struct offer *offer)
{
    struct option o;
    size_t ofs = 0;
    bool has_id = false;
    *offer = (struct offer){.options = r->args, .n = r->n_args};
    if (r->n_args > OPTIONS_MAX)
        return false;
    while (next_option(offer->options, offer->n, &ofs, &o)) {
        if (o.code == OPT_SERVER_ID && o.len == sizeof(struct mac)) {
            put_be16(offer->duid, DUID_LL);
            put_be16(offer->duid + 2, 1); /* Ethernet */
            memcpy(offer->duid + 4, o.value, o.len);
            has_id = true;
        } else if (o.code == OPT_IA_ADDR && o.len == sizeof(struct ip6)) {
            offer->ip = o.value;
        } else if (o.code == OPT_SERVER_ID || o.code == OPT_IA_ADDR) {
            return false;
        }
        offer->has_alt |= o.code == OPT_BOOTFILE_ALT;
    }
    return has_id && ofs == offer->n;
}

/* The type of the answer; 0: the message is to be left alone (RFC 8415 16). */
static uint8_t answer_type(const struct client *c, const struct offer *offer)
{
    uint8_t type = c->message[0];
    bool has_server = c->server.value != NULL;
    if (!c->id.value && type != INFORMATION_REQUEST)
        return 0;
    if (has_server &&
        (c->server.len != DUID_LEN || memcmp(c->server.value, offer->duid, DUID_LEN) != 0))
        return 0;
    switch (type) {
    case SOLICIT:
        return has_server ? 0 : c->wants_rapid_commit ? REPLY : ADVERTISE;
    case CONFIRM:
        return has_server || !offer->ip ? 0 : REPLY;
    case REBIND:
        return has_server ? 0 : REPLY;
    case REQUEST:
    case RENEW:
    case RELEASE:
    case DECLINE:
        return has_server ? REPLY : 0;
    case INFORMATION_REQUEST:
        return c->n_ia ? 0 : REPLY;
    default:
        return 0;
    }
}

static void put_option(struct of_buf *out, uint16_t code, const void *value, size_t len)
{
    of_buf_put16(out, code);
    of_buf_put16(out, (uint16_t)len);
    of_buf_put(out, value, len);
}

static size_t begin_option(struct of_buf *out, uint16_t code)
{
    of_buf_put16(out, code);
    of_buf_put16(out, 0);
    return out->n;
}

static void end_option(struct of_buf *out, size_t start)
{
    put_be16(out->data + start - 2, (uint16_t)(out->n - start));
}

static void put_status(struct of_buf *out, uint16_t status, const char *text)
{
    size_t at = begin_option(out, OPT_STATUS);
    of_buf_put16(out, status);
    of_buf_put(out, text, strlen(text));
    end_option(out, at);
}

static void put_address(struct of_buf *out, const uint8_t *ip, uint32_t lifetime)
{
    size_t at = begin_option(out, OPT_IA_ADDR);
    of_buf_put(out, ip, sizeof(struct ip6));
    of_buf_put32(out, lifetime);
    of_buf_put32(out, lifetime);
    end_option(out, at);
}

/* Addresses that the client has and that are not its own run out at once (RFC 8415 18.3.4). */
static void put_others(struct of_buf *out, const struct option *ia, const uint8_t *ip)
{
    struct option o;
    size_t ofs = 0;
    while (next_option(ia->value + IA_HEAD, ia->len - IA_HEAD, &ofs, &o))
        if (o.code == OPT_IA_ADDR && o.len >= sizeof(struct ip6) &&
            (!ip || memcmp(o.value, ip, sizeof(struct ip6)) != 0))
            put_address(out, o.value, 0);
}

/* An identity association of the client: the port's address in the first one for addresses, a status in the others. */
static void put_ia(struct of_buf *out, const struct client *c, const struct option *ia,
                   const uint8_t *ip)
{
    bool is_ta = ia->code == OPT_IA_TA;
    size_t head = is_ta ? 4 : IA_HEAD;
    if (ia->len < head)
        return;
    size_t at = begin_option(out, ia->code);
    of_buf_put(out, ia->value, 4);
    if (!is_ta) {
        of_buf_put32(out, ip ? FOREVER : 0); /* T1 and T2: when to renew */
        of_buf_put32(out, ip ? FOREVER : 0);
    }
    if (ip)
        put_address(out, ip, FOREVER);
    else if (ia->code == OPT_IA_PD)
        put_status(out, STATUS_NO_PREFIX, "no prefixes");
    else
        put_status(out, STATUS_NO_ADDRS, "no address");
    if (ia->code == OPT_IA_NA && (c->message[0] == RENEW || c->message[0] == REBIND))
        put_others(out, ia, ip);
    end_option(out, at);
}

static void put_ias(struct of_buf *out, const struct client *c, const struct offer *offer)
{
    struct option o;
    size_t ofs = 0;
    const uint8_t *ip = offer->ip;
    while (next_option(c->message + HEADER, c->n, &ofs, &o)) {
        if (o.code == OPT_IA_NA) {
            put_ia(out, c, &o, ip);
            ip = NULL;
        } else if (o.code == OPT_IA_TA || o.code == OPT_IA_PD) {
            put_ia(out, c, &o, NULL);
        }
    }
}

/* All addresses that the client asks about are the port's. */
static bool is_on_link(const struct client *c, const struct offer *offer)
{
    struct option ia, o;
    size_t ofs = 0;
    while (next_option(c->message + HEADER, c->n, &ofs, &ia)) {
        if (ia.code != OPT_IA_NA || ia.len < IA_HEAD)
            continue;
        size_t at = 0;
        while (next_option(ia.value + IA_HEAD, ia.len - IA_HEAD, &at, &o))
            if (o.code == OPT_IA_ADDR &&
                (o.len < sizeof(struct ip6) || memcmp(o.value, offer->ip, sizeof(struct ip6)) != 0))
                return false;
    }
    return true;
}

/* "a.example, b.example" as names in the form of RFC 1035 3.1 (RFC 3646 4). */
static void put_domains(struct of_buf *out, const char *list, size_t n)
{
    size_t at = begin_option(out, OPT_DOMAIN_SEARCH);
    const char *end = list + n;
    bool is_open = false;
    for (; list < end; list++) {
        size_t label = 0;
        while (list + label < end && !strchr(".,; ", list[label]))
            label++;
        if (label) {
            of_buf_put8(out, (uint8_t)MIN(label, 63));
            of_buf_put(out, list, MIN(label, 63));
            is_open = true;
        }
        list += label;
        if (is_open && (list >= end || *list != '.')) {
            of_buf_put8(out, 0);
            is_open = false;
        }
    }
    if (is_open) /* it ended with a dot */
        of_buf_put8(out, 0);
    end_option(out, at);
}

static void put_options(struct of_buf *out, const struct client *c, const struct offer *offer)
{
    struct option o;
    size_t ofs = 0;
    while (next_option(offer->options, offer->n, &ofs, &o)) {
        bool is_other_file = (o.code == OPT_BOOTFILE && offer->has_alt && !c->is_ipxe) ||
                             (o.code == OPT_BOOTFILE_ALT && c->is_ipxe);
        if (o.code == OPT_SERVER_ID || o.code == OPT_IA_ADDR || is_other_file)
            continue;
        if (o.code == OPT_DOMAIN_SEARCH) {
            put_domains(out, (const char *)o.value, o.len);
        } else if (o.code == OPT_FQDN) {
            if (!c->has_fqdn)
                continue;
            size_t at = begin_option(out, OPT_FQDN); /* no updates from here (RFC 4704 6) */
            of_buf_put8(out, 4 | (c->fqdn_flags & 1 ? 2 : 0));
            of_buf_put(out, o.value, o.len);
            end_option(out, at);
        } else {
            put_option(out, o.code == OPT_BOOTFILE_ALT ? OPT_BOOTFILE : o.code, o.value, o.len);
        }
    }
}

static void put_body(struct of_buf *out, const struct client *c, const struct offer *offer)
{
    switch (c->message[0]) {
    case CONFIRM:
        if (is_on_link(c, offer))
            put_status(out, STATUS_SUCCESS, "");
        else
            put_status(out, STATUS_NOT_ON_LINK, "another address");
        break;
    case RELEASE:
    case DECLINE:
        put_status(out, STATUS_SUCCESS, "");
        break;
    default:
        put_ias(out, c, offer);
        put_options(out, c, offer);
        break;
    }
}

static void make_answer(const struct frame *f, const struct client *c, const struct offer *offer,
                        uint8_t type, struct of_buf *out)
{
    struct udp_header udp = {f->key.tp_src, f->key.tp_dst, 0, 0};
    frame_put_eth(out, f, f->key.eth_dst, f->key.eth_src, ETH_TYPE_IPV6);
    size_t l3 = frame_put_ip6(out, &f->key.ip6_src, &f->key.ip6_dst, IP_PROTO_UDP, 128);
    of_buf_put(out, &udp, sizeof udp);
    of_buf_put8(out, type);
    of_buf_put(out, c->message + 1, HEADER - 1);
    if (c->id.value)
        put_option(out, OPT_CLIENT_ID, c->id.value, c->id.len);
    put_option(out, OPT_SERVER_ID, offer->duid, sizeof offer->duid);
    if (c->message[0] == SOLICIT && type == REPLY)
        put_option(out, OPT_RAPID_COMMIT, NULL, 0);
    put_body(out, c, offer);
    frame_end(out, l3);
}

void dhcp6_handle(struct pinctrl *p, const struct pinctrl_event *event)
{
    struct request r;
    struct frame f;
    struct client c;
    struct offer offer;
    if (!request_begin(p, event, &r))
        return;
    frame_read(&f, event->pin->packet, event->pin->packet_len);
    if (!read_offer(&r, &offer) || !read_client(&f, &c)) {
        request_refuse(p, &r);
        return;
    }
    uint8_t type = answer_type(&c, &offer);
    if (!type) {
        request_decline(p, &r);
        return;
    }
    struct of_buf out = OF_BUF_INIT;
    make_answer(&f, &c, &offer, type, &out);
    request_answer(p, &r, &out);
    of_buf_fini(&out);
}
