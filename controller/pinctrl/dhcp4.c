/* dhcp4.c - opcode 2, put_dhcp_opts: turns a DHCP client's message into the server's answer (RFC 2131, options RFC 2132).
 *
 * Room 11 of docs/architecture.md. The action carries the address that the port has and the options of the answer, encoded as they go
 * out; nothing is kept here, so any hypervisor answers at any time. The addresses of server and client in the IP and Ethernet
 * headers are the business of the logical flow behind; the destination is said here, since it depends on the message (RFC 2131 4.1).
 */
#include "base/log.h"
#include "controller/pinctrl/frame.h"
#include "controller/pinctrl/pinctrl.h"

LOG_MODULE(dhcp);

struct dhcp_header { /* RFC 2131 2 */
    uint8_t op, htype, hlen, hops;
    be32 xid;
    be16 secs, flags;
    be32 ciaddr, yiaddr, siaddr, giaddr;
    uint8_t chaddr[16], sname[64], file[128];
    be32 cookie;
} PACKED;

enum {
    BOOTREQUEST = 1,
    BOOTREPLY = 2,
    FLAG_BROADCAST = 0x8000,
    COOKIE = 0x63825363,
    BOOTP_MIN = 300, /* of an answer: what old clients expect (RFC 1542 2.1) */
    OPTIONS_MAX = 4096,
};
enum { DISCOVER = 1, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM };
enum {
    OPT_PAD = 0,
    OPT_REQUESTED_IP = 50,
    OPT_LEASE = 51,
    OPT_TYPE = 53,
    OPT_SERVER_ID = 54,
    OPT_T1 = 58,
    OPT_T2 = 59,
    OPT_BOOTFILE = 67,
    OPT_ETHERBOOT = 175,
    OPT_NEXT_SERVER = 253,  /* in userdata only: the field siaddr */
    OPT_BOOTFILE_ALT = 254, /* in userdata only: OPT_BOOTFILE unless iPXE asks */
    OPT_END = 255,
};

struct option {
    uint8_t code, len;
    const uint8_t *value;
};

/* *OFS starts at 0. False: the end, or what is there is no option. */
static bool next_option(const uint8_t *data, size_t n, size_t *ofs, struct option *ret)
{
    while (*ofs < n && data[*ofs] == OPT_PAD)
        ++*ofs;
    if (n - *ofs < 2 || data[*ofs] == OPT_END || data[*ofs + 1] > n - *ofs - 2)
        return false;
    *ret = (struct option){data[*ofs], data[*ofs + 1], data + *ofs + 2};
    *ofs += 2u + ret->len;
    return true;
}

static bool option_ip(const struct option *o, be32 *ret)
{
    if (o->len != sizeof *ret)
        return false;
    memcpy(ret, o->value, sizeof *ret);
    return true;
}

struct client { /* what the client says */
    struct dhcp_header header;
    uint8_t type;
    be32 requested, server; /* options, 0: not there */
    bool is_ipxe;
};

static bool read_client(const struct frame *f, struct client *c)
{
    struct option o;
    size_t n, ofs = 0;
    const uint8_t *udp = frame_udp(f, &n);
    *c = (struct client){.type = 0};
    if (!udp || !frame_is_ip4(f) || n < sizeof c->header)
        return false;
    memcpy(&c->header, udp, sizeof c->header);
    if (c->header.op != BOOTREQUEST || c->header.cookie != swap32(COOKIE))
        return false;
    while (next_option(udp + sizeof c->header, n - sizeof c->header, &ofs, &o)) {
        if (o.code == OPT_TYPE && o.len == 1)
            c->type = o.value[0];
        else if (o.code == OPT_REQUESTED_IP && !option_ip(&o, &c->requested))
            return false;
        else if (o.code == OPT_SERVER_ID && !option_ip(&o, &c->server))
            return false;
        else if (o.code == OPT_ETHERBOOT)
            c->is_ipxe = true;
    }
    return c->type != 0;
}

struct offer { /* what the action says */
    be32 ip, server, next_server;
    bool has_alt;
    const uint8_t *options;
    size_t n;
};

static bool read_offer(const struct request *r, struct offer *offer)
{
    struct option o;
    size_t ofs = 0;
    *offer = (struct offer){.ip = 0};
    if (r->n_args < sizeof offer->ip || r->n_args > OPTIONS_MAX)
        return false;
    memcpy(&offer->ip, r->args, sizeof offer->ip);
    offer->options = r->args + sizeof offer->ip;
    offer->n = r->n_args - sizeof offer->ip;
    while (next_option(offer->options, offer->n, &ofs, &o)) {
        if ((o.code == OPT_SERVER_ID && !option_ip(&o, &offer->server)) ||
            (o.code == OPT_NEXT_SERVER && !option_ip(&o, &offer->next_server)))
            return false;
        offer->has_alt |= o.code == OPT_BOOTFILE_ALT;
    }
    return ofs == offer->n && offer->ip;
}

/* The type of the answer; 0: the message is none of ours to answer (RFC 2131 4.3). */
static uint8_t answer_type(const struct client *c, const struct offer *offer)
{
    if (c->server && offer->server && c->server != offer->server)
        return 0; /* the client has chosen another server */
    switch (c->type) {
    case DISCOVER:
        return OFFER;
    case REQUEST:
        return (c->requested ? c->requested : c->header.ciaddr) == offer->ip ? ACK : NAK;
    case INFORM:
        return ACK;
    default:
        return 0;
    }
}

static void put_option(struct of_buf *out, uint8_t code, const void *value, uint8_t len)
{
    of_buf_put8(out, code);
    of_buf_put8(out, len);
    of_buf_put(out, value, len);
}

static void put_options(struct of_buf *out, const struct client *c, const struct offer *offer,
                        uint8_t type)
{
    struct option o;
    size_t ofs = 0;
    put_option(out, OPT_TYPE, &type, 1);
    while (next_option(offer->options, offer->n, &ofs, &o)) {
        bool is_time = o.code == OPT_LEASE || o.code == OPT_T1 || o.code == OPT_T2;
        bool is_other_file = (o.code == OPT_BOOTFILE && offer->has_alt && !c->is_ipxe) ||
                             (o.code == OPT_BOOTFILE_ALT && c->is_ipxe);
        if (o.code == OPT_NEXT_SERVER || is_other_file || o.code == OPT_TYPE ||
            (is_time && c->type == INFORM) || (type == NAK && o.code != OPT_SERVER_ID))
            continue;
        put_option(out, o.code == OPT_BOOTFILE_ALT ? OPT_BOOTFILE : o.code, o.value, o.len);
    }
    of_buf_put8(out, OPT_END);
}

/* Where the answer goes (RFC 2131 4.1). */
static be32 destination(const struct client *c, const struct offer *offer, uint8_t type)
{
    if (c->header.giaddr)
        return c->header.giaddr;
    if (type == NAK)
        return UINT32_MAX;
    if (c->header.ciaddr)
        return c->header.ciaddr;
    return swap16(c->header.flags) & FLAG_BROADCAST ? UINT32_MAX : offer->ip;
}

static void make_answer(const struct frame *f, const struct client *c, const struct offer *offer,
                        uint8_t type, struct of_buf *out)
{
    struct dhcp_header h = c->header;
    struct udp_header udp = {f->key.tp_src, f->key.tp_dst, 0, 0};
    h.op = BOOTREPLY;
    h.hops = 0;
    h.secs = 0;
    if (type == NAK)
        h.ciaddr = 0;
    h.yiaddr = type == NAK || c->type == INFORM ? 0 : offer->ip;
    h.siaddr = type == NAK ? 0 : offer->next_server;
    memset(h.sname, 0, sizeof h.sname);
    memset(h.file, 0, sizeof h.file);

    frame_put_eth(out, f, f->key.eth_dst, f->key.eth_src, ETH_TYPE_IP);
    size_t l3 = frame_put_ip4(out, f->key.nw_src, destination(c, offer, type), IP_PROTO_UDP, 128);
    of_buf_put(out, &udp, sizeof udp);
    size_t dhcp = out->n;
    of_buf_put(out, &h, sizeof h);
    put_options(out, c, offer, type);
    if (out->n - dhcp < BOOTP_MIN)
        of_buf_put(out, NULL, BOOTP_MIN - (out->n - dhcp));
    frame_end(out, l3);
}

static void log_message(const char *what, const struct client *c, be32 ip)
{
    static struct log_rate rate = LOG_RATE(60, 60);
    struct str text = STR_INIT;
    struct mac mac;
    memcpy(&mac, c->header.chaddr, sizeof mac);
    mac_put(&text, mac);
    str_putc(&text, ' ');
    ip4_put(&text, ip);
    log_info_limited(&rate, "%s %s", what, str_c(&text));
    str_fini(&text);
}

void dhcp4_handle(struct pinctrl *p, const struct pinctrl_event *event)
{
    static const char *const names[] = {
        [OFFER] = "DHCPOFFER", [ACK] = "DHCPACK", [NAK] = "DHCPNAK"};
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
        if (c.type == DECLINE)
            log_message("DHCPDECLINE (the address is in use elsewhere)", &c, offer.ip);
        else if (c.type == RELEASE)
            log_message("DHCPRELEASE", &c, offer.ip);
        request_decline(p, &r);
        return;
    }
    struct of_buf out = OF_BUF_INIT;
    make_answer(&f, &c, &offer, type, &out);
    log_message(names[type], &c, offer.ip);
    request_answer(p, &r, &out);
    of_buf_fini(&out);
}
