/* ftp.c - the helper for FTP (RFC 959, RFC 2428): where the data connection will go to.
 *
 * The client says it with PORT or EPRT, the server with 227 or 229. Only the sender's own address is believed. Where the control
 * connection is translated, the address in the text must be too; the text keeps its length, since sequence numbers would change
 * otherwise: 227 has words that can go, PORT and EPRT can be translated only to an address that is no longer. Where that does not
 * fit, nothing is announced. Commands that are split over segments are not seen. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conntrack/conn.h"
#include "flow/rewrite.h"

enum { MAX_LINE = 512 };

/* What a line announces. */
struct announcement {
    struct ip_addr addr; /* version 0: the line has none (229) */
    uint16_t port;
    bool extended; /* EPRT, 229 */
};

/* "h1,h2,h3,h4,p1,p2" somewhere in TEXT. */
static bool read_numbers(const char *text, struct announcement *ret)
{
    unsigned n[6];
    while (*text && !isdigit((unsigned char)*text))
        text++;
    if (sscanf(text, "%3u,%3u,%3u,%3u,%3u,%3u", &n[0], &n[1], &n[2], &n[3], &n[4], &n[5]) != 6)
        return false;
    for (unsigned i = 0; i < 6; i++) {
        if (n[i] > 255)
            return false;
    }
    ret->addr = ip_addr_from_v4(swap32(n[0] << 24 | n[1] << 16 | n[2] << 8 | n[3]));
    ret->port = (uint16_t)(n[4] << 8 | n[5]);
    return true;
}

/* "|1|132.235.1.2|6275|", with any delimiter; in a 229 the first two are empty. */
static bool read_extended(const char *text, struct announcement *ret)
{
    char addr[64];
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
    return !*addr || !ip_addr_parse(addr, &ret->addr);
}

/* LINE, which side DIR has sent. */
static bool read_line(const char *line, int dir, struct announcement *ret)
{
    memset(ret, 0, sizeof *ret);
    if (dir == CT_ORIG && !strncasecmp(line, "PORT ", 5))
        return read_numbers(line + 5, ret);
    if (dir == CT_ORIG && !strncasecmp(line, "EPRT ", 5))
        return read_extended(line + 5, ret) && ret->addr.version;
    if (dir == CT_REPLY && !strncmp(line, "227 ", 4))
        return read_numbers(line + 4, ret);
    const char *paren = strchr(line, '(');
    return dir == CT_REPLY && !strncmp(line, "229 ", 4) && paren && read_extended(paren + 1, ret) &&
           !ret->addr.version;
}

/* The line that says the same of ADDR and PORT, padded to LEN characters. False: it does not fit. */
static bool write_line(char *to, size_t len, int dir, const struct announcement *a,
                       const struct ct_tuple *peer, uint16_t port)
{
    const uint8_t *ip = (const uint8_t *)&peer->dst;
    char out[MAX_LINE];
    struct str addr = STR_INIT;
    int n;
    if (a->extended) {
        be32 v4;
        memcpy(&v4, ip, 4);
        peer->version == 4 ? ip4_put(&addr, v4) : ip6_put(&addr, peer->dst);
        n = snprintf(out, sizeof out, "EPRT |%u|%s|%u|", peer->version == 4 ? 1u : 2u, str_c(&addr),
                     port);
        str_fini(&addr);
        if (n != (int)len) /* it has nothing that could be longer */
            return false;
    } else {
        n = snprintf(out, sizeof out,
                     dir == CT_ORIG ? "PORT %u,%u,%u,%u,%u,%u" : "227 Passive (%u,%u,%u,%u,%u,%u)",
                     ip[0], ip[1], ip[2], ip[3], port >> 8, port & 255u);
    }
    if (n > (int)len)
        return false;
    size_t pad = len - (size_t)n;
    if (dir == CT_ORIG) { /* blanks after the word, which servers skip */
        memcpy(to, out, 5);
        memset(to + 5, ' ', pad);
        memcpy(to + 5 + pad, out + 5, (size_t)n - 5);
    } else {
        memcpy(to, out, (size_t)n);
        memset(to + n, ' ', pad);
    }
    return true;
}

static bool is_sender(const struct announcement *a, const struct ct_tuple *t)
{
    if (!a->addr.version)
        return true;
    return a->addr.version == t->version &&
           (t->version == 4 ? !memcmp(&a->addr.v4, &t->src, 4) : !memcmp(&a->addr.v6, &t->src, 16));
}

void ct_ftp(struct conntrack *ct, const struct ct_conn *conn, int dir, struct ct_packet *p,
            bool translate, int64_t now_ms)
{
    char line[MAX_LINE];
    uint8_t *l4 = p->outer.l4, *payload = l4 + (get_be16(l4 + 12) >> 12) * 4;
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
        if (p->packet->gso_type || !write_line(line, len, dir, &a, peer, a.port))
            return;
        memcpy(payload, line, len);
        packet_finish_checksum(p->packet);
    }
    ct_expect_add(ct, conn, dir, a.port, now_ms);
}
