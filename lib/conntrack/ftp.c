/* ftp.c - the helper for FTP (RFC 959, RFC 2428): where the data connection will go to.
 *
 * The client says it with PORT or EPRT, the server with 227 or 229. Only the sender's own address is believed. Where the control
 * connection is translated, the address in the text is, too; when the text becomes longer or shorter by that, the connection's
 * sequence numbers are shifted from there on (seq.c). Commands that are split over segments, and those in segments that a device
 * has joined, are not seen. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conntrack/conn.h"
#include "flow/rewrite.h"
#include "net/checksum.h"
#include "net/headers.h"

enum { MAX_LINE = 512 };

/* What a line announces. */
struct announcement {
    struct ip_addr addr; /* version 0: the line has none (229) */
    uint16_t port;
    bool extended;     /* EPRT, 229 */
    size_t start, end; /* what in the line says so */
};

/* "h1,h2,h3,h4,p1,p2" somewhere in LINE from FROM on. */
static bool read_numbers(const char *line, size_t from, struct announcement *ret)
{
    unsigned n[6];
    int used = 0;
    const char *text = line + from;
    while (*text && !isdigit((unsigned char)*text))
        text++;
    if (sscanf(text, "%3u,%3u,%3u,%3u,%3u,%3u%n", &n[0], &n[1], &n[2], &n[3], &n[4], &n[5],
               &used) != 6)
        return false;
    for (unsigned i = 0; i < 6; i++) {
        if (n[i] > 255)
            return false;
    }
    ret->start = (size_t)(text - line);
    ret->end = ret->start + (size_t)used;
    ret->addr = ip_addr_from_v4(swap32(n[0] << 24 | n[1] << 16 | n[2] << 8 | n[3]));
    ret->port = (uint16_t)(n[4] << 8 | n[5]);
    return true;
}

/* "|1|132.235.1.2|6275|" at FROM of LINE, with any delimiter; in a 229 the first two are empty. */
static bool read_extended(const char *line, size_t from, struct announcement *ret)
{
    char addr[64];
    const char *text = line + from;
    char d = *text++;
    const char *second = d ? strchr(text, d) : NULL, *third = second ? strchr(second + 1, d) : NULL;
    if (!third || third - second > (long)sizeof addr)
        return false;
    snprintf(addr, sizeof addr, "%.*s", (int)(third - second - 1), second + 1);
    char *end;
    unsigned long port = strtoul(third + 1, &end, 10);
    ret->extended = true;
    ret->port = (uint16_t)port;
    if (*end != d || !isdigit((unsigned char)third[1]) || port > UINT16_MAX)
        return false;
    ret->start = from;
    ret->end = (size_t)(end + 1 - line);
    return !*addr || !ip_addr_parse(addr, &ret->addr);
}

/* LINE, which side DIR has sent. */
static bool read_line(const char *line, int dir, struct announcement *ret)
{
    memset(ret, 0, sizeof *ret);
    if (dir == CT_ORIG && !strncasecmp(line, "PORT ", 5))
        return read_numbers(line, 5, ret);
    if (dir == CT_ORIG && !strncasecmp(line, "EPRT ", 5))
        return read_extended(line, 5, ret) && ret->addr.version;
    if (dir == CT_REPLY && !strncmp(line, "227 ", 4))
        return read_numbers(line, 4, ret);
    const char *paren = strchr(line, '(');
    return dir == CT_REPLY && !strncmp(line, "229 ", 4) && paren &&
           read_extended(line, (size_t)(paren + 1 - line), ret) && !ret->addr.version;
}

/* What A says, with the address that the peer sees. */
static void write_announcement(struct str *s, const struct announcement *a,
                               const struct ct_tuple *peer)
{
    const uint8_t *ip = (const uint8_t *)&peer->dst;
    be32 v4;
    memcpy(&v4, ip, 4);
    if (!a->extended) {
        str_putf(s, "%u,%u,%u,%u,%u,%u", ip[0], ip[1], ip[2], ip[3], a->port >> 8, a->port & 255u);
        return;
    }
    str_putf(s, "|%u|", peer->version == 4 ? 1u : 2u);
    peer->version == 4 ? ip4_put(s, v4) : ip6_put(s, peer->dst);
    str_putf(s, "|%u|", a->port);
}

/* The packet's OLD bytes at AT become the N of TEXT; lengths in the network header follow. */
static void replace(struct packet *packet, size_t at, size_t old, const char *text, size_t n)
{
    long d = (long)n - (long)old;
    size_t by = (size_t)labs(d);
    if (d > 0) { /* what is in front moves to the front */
        packet_push(packet, by);
        memmove(packet->data, packet->data + by, at);
        packet->l3_ofs = (uint16_t)(packet->l3_ofs - by);
        packet->l4_ofs = (uint16_t)(packet->l4_ofs - by);
    } else if (d < 0) {
        memmove(packet->data + by, packet->data, at);
        uint16_t l3 = packet->l3_ofs, l4 = packet->l4_ofs;
        packet_pull(packet, by);
        packet->l3_ofs = l3;
        packet->l4_ofs = l4;
    }
    memcpy(packet->data + at, text, n);
    uint8_t *l3 = packet_l3(packet);
    if (l3[0] >> 4 == 4) {
        struct ip4_header *ip = (void *)l3;
        put_be16(&ip->tot_len, (uint16_t)(get_be16(&ip->tot_len) + d));
        ip->csum = 0;
        put_be16(&ip->csum, checksum(ip, (ip->ihl_ver & 0xfu) * 4u));
    } else {
        struct ip6_header *ip = (void *)l3;
        put_be16(&ip->payload_len, (uint16_t)(get_be16(&ip->payload_len) + d));
    }
    packet_finish_checksum(packet);
}

static bool is_sender(const struct announcement *a, const struct ct_tuple *t)
{
    if (!a->addr.version)
        return true;
    return a->addr.version == t->version &&
           (t->version == 4 ? !memcmp(&a->addr.v4, &t->src, 4) : !memcmp(&a->addr.v6, &t->src, 16));
}

void ct_ftp(struct conntrack *ct, struct ct_conn *conn, int dir, struct ct_packet *p,
            bool translate, int64_t now_ms)
{
    char line[MAX_LINE];
    const uint8_t *l4 = p->outer.l4, *payload = l4 + (get_be16(l4 + 12) >> 12) * 4;
    size_t n = (size_t)(l4 + p->outer.l4_len - payload);
    const uint8_t *end = memchr(payload, '\r', MIN(n, sizeof line));
    struct announcement a;
    if (!end || (size_t)(end - payload) >= sizeof line)
        return;
    size_t len = (size_t)(end - payload);
    memcpy(line, payload, len);
    line[len] = '\0';
    if (!read_line(line, dir, &a) || !is_sender(&a, &conn->end[dir].tuple) || a.port < 1024)
        return;
    const struct ct_tuple *peer = &conn->end[!dir].tuple;
    if (a.addr.version && translate &&
        memcmp(&peer->dst, &conn->end[dir].tuple.src, sizeof peer->dst)) {
        if (p->packet->gso_type || ct->assembled)
            return;
        struct str text = STR_INIT;
        write_announcement(&text, &a, peer);
        size_t at = (size_t)(payload - p->packet->data) + a.start;
        ct_seq_note(conn, dir, p->seq, (int32_t)text.n - (int32_t)(a.end - a.start));
        replace(p->packet, at, a.end - a.start, str_c(&text), text.n);
        str_fini(&text);
    }
    ct_expect_add(ct, conn, dir, a.port, now_ms);
}
