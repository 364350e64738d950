/* addr.c - Ethernet, IPv4 and IPv6 addresses and prefixes: text and masks. Values only; no sockets, no name lookup. */
#include "net/addr.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "base/err.h"

/* One pair of hexadecimal digits, or a single digit; moves *P. -1: none. */
static int parse_octet(const char **p)
{
    int x = 0, n = 0;
    for (; n < 2; n++) {
        char c = **p;
        int d = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
        if (d < 0)
            break;
        x = x * 16 + d;
        (*p)++;
    }
    return n ? x : -1;
}

static int parse_mac_prefix(const char **text, struct mac *ret)
{
    const char *p = *text;
    struct mac mac;
    for (int i = 0; i < 6; i++) {
        int x = parse_octet(&p);
        if (x < 0 || (i < 5 && *p++ != ':'))
            return ERR_SYNTAX;
        mac.b[i] = (uint8_t)x;
    }
    *ret = mac;
    *text = p;
    return 0;
}

int mac_parse(const char *text, struct mac *ret)
{
    struct mac mac;
    if (parse_mac_prefix(&text, &mac) || *text)
        return ERR_SYNTAX;
    *ret = mac;
    return 0;
}

int mac_parse_masked(const char *text, struct mac *ret, struct mac *mask)
{
    struct mac mac, m = mac_from_u64(0xffffffffffff);
    if (parse_mac_prefix(&text, &mac))
        return ERR_SYNTAX;
    if (*text == '/') {
        text++;
        if (parse_mac_prefix(&text, &m))
            return ERR_SYNTAX;
    }
    if (*text)
        return ERR_SYNTAX;
    *ret = mac;
    *mask = m;
    return 0;
}

void mac_put(struct str *s, struct mac mac)
{
    static const char digits[] = "0123456789abcdef";
    char text[3 * sizeof mac.b];
    for (size_t i = 0; i < sizeof mac.b; i++) {
        text[3 * i] = digits[mac.b[i] >> 4];
        text[3 * i + 1] = digits[mac.b[i] & 15];
        text[3 * i + 2] = ':';
    }
    str_put_n(s, text, sizeof text - 1);
}

void mac_put_masked(struct str *s, struct mac mac, struct mac mask)
{
    mac_put(s, mac);
    if (!mac_is_broadcast(mask)) {
        str_putc(s, '/');
        mac_put(s, mask);
    }
}

/* ---- IPv4 ---- */

int ip4_parse(const char *text, be32 *ret)
{
    struct in_addr a;
    if (inet_pton(AF_INET, text, &a) != 1)
        return ERR_SYNTAX;
    *ret = a.s_addr;
    return 0;
}

/* Splits "ADDR/REST" into BUF and REST (NULL without a slash). */
static int split_slash(const char *text, char *buf, size_t size, const char **rest)
{
    const char *slash = strchr(text, '/');
    size_t n = slash ? (size_t)(slash - text) : strlen(text);
    if (n >= size)
        return ERR_SYNTAX;
    memcpy(buf, text, n);
    buf[n] = '\0';
    *rest = slash ? slash + 1 : NULL;
    return 0;
}

static int parse_len(const char *text, unsigned max, unsigned *ret)
{
    uint64_t n;
    if (text[0] < '0' || text[0] > '9')
        return ERR_SYNTAX;
    int err = text_to_u64(text, 10, &n);
    if (err)
        return err;
    if (n > max)
        return ERR_RANGE;
    *ret = (unsigned)n;
    return 0;
}

int ip4_parse_masked(const char *text, be32 *ret, be32 *mask)
{
    char buf[INET_ADDRSTRLEN];
    const char *rest;
    be32 ip, m = UINT32_MAX;
    if (split_slash(text, buf, sizeof buf, &rest) || ip4_parse(buf, &ip))
        return ERR_SYNTAX;
    if (rest && ip4_parse(rest, &m)) {
        unsigned len;
        int err = parse_len(rest, 32, &len);
        if (err)
            return err;
        m = ip4_prefix_mask(len);
    }
    *ret = ip;
    *mask = m;
    return 0;
}

void ip4_put(struct str *s, be32 ip)
{
    const uint8_t *b = (const uint8_t *)&ip;
    char text[INET_ADDRSTRLEN];
    size_t at = sizeof text;
    for (size_t i = sizeof ip; i-- > 0;) {
        unsigned rest = b[i];
        do
            text[--at] = (char)('0' + rest % 10);
        while (rest /= 10);
        text[--at] = '.';
    }
    str_put_n(s, text + at + 1, sizeof text - at - 1);
}

void ip4_put_masked(struct str *s, be32 ip, be32 mask)
{
    ip4_put(s, ip);
    int len = ip4_prefix_len(mask);
    if (len < 0) {
        str_putc(s, '/');
        ip4_put(s, mask);
    } else if (len < 32) {
        str_putf(s, "/%d", len);
    }
}

be32 ip4_prefix_mask(unsigned len)
{
    INVARIANT(len <= 32);
    return len ? swap32(UINT32_MAX << (32 - len)) : 0;
}

int ip4_prefix_len(be32 mask)
{
    uint32_t m = swap32(mask);
    if (~m & (~m + 1))
        return -1;
    return __builtin_popcount(m);
}

/* ---- IPv6 ---- */

int ip6_parse(const char *text, struct ip6 *ret)
{
    struct in6_addr a;
    if (inet_pton(AF_INET6, text, &a) != 1)
        return ERR_SYNTAX;
    memcpy(ret->b, &a, sizeof ret->b);
    return 0;
}

int ip6_parse_masked(const char *text, struct ip6 *ret, struct ip6 *mask)
{
    char buf[INET6_ADDRSTRLEN];
    const char *rest;
    struct ip6 ip, m = ip6_prefix_mask(128);
    if (split_slash(text, buf, sizeof buf, &rest) || ip6_parse(buf, &ip))
        return ERR_SYNTAX;
    if (rest && ip6_parse(rest, &m)) {
        unsigned len;
        int err = parse_len(rest, 128, &len);
        if (err)
            return err;
        m = ip6_prefix_mask(len);
    }
    *ret = ip;
    *mask = m;
    return 0;
}

void ip6_put(struct str *s, struct ip6 ip)
{
    char buf[INET6_ADDRSTRLEN];
    struct in6_addr a;
    memcpy(&a, ip.b, sizeof a);
    str_put(s, inet_ntop(AF_INET6, &a, buf, sizeof buf));
}

void ip6_put_masked(struct str *s, struct ip6 ip, struct ip6 mask)
{
    ip6_put(s, ip);
    int len = ip6_prefix_len(mask);
    if (len < 0) {
        str_putc(s, '/');
        ip6_put(s, mask);
    } else if (len < 128) {
        str_putf(s, "/%d", len);
    }
}

struct ip6 ip6_prefix_mask(unsigned len)
{
    INVARIANT(len <= 128);
    return ip6_from_u128(len ? ~(u128)0 << (128 - len) : 0);
}

int ip6_prefix_len(struct ip6 mask)
{
    u128 m = ip6_to_u128(mask);
    if (~m & (~m + 1))
        return -1;
    return __builtin_popcountll((uint64_t)(m >> 64)) + __builtin_popcountll((uint64_t)m);
}

struct ip6 ip6_eui64(struct ip6 prefix, struct mac mac)
{
    struct ip6 ip = prefix;
    ip.b[8] = mac.b[0] ^ 2;
    ip.b[9] = mac.b[1];
    ip.b[10] = mac.b[2];
    ip.b[11] = 0xff;
    ip.b[12] = 0xfe;
    ip.b[13] = mac.b[3];
    ip.b[14] = mac.b[4];
    ip.b[15] = mac.b[5];
    return ip;
}

struct ip6 ip6_link_local(struct mac mac)
{
    struct ip6 prefix = {{0xfe, 0x80}};
    return ip6_eui64(prefix, mac);
}

struct ip6 ip6_solicited_node(struct ip6 ip)
{
    struct ip6 sn = {{0xff, 0x02, [11] = 1, [12] = 0xff}};
    memcpy(&sn.b[13], &ip.b[13], 3);
    return sn;
}

struct mac ip6_multicast_mac(struct ip6 ip)
{
    return (struct mac){{0x33, 0x33, ip.b[12], ip.b[13], ip.b[14], ip.b[15]}};
}

/* ---- Either version ---- */

struct ip_addr ip_addr_from_v4(be32 ip)
{
    struct ip_addr a;
    memset(&a, 0, sizeof a);
    a.version = 4;
    a.v4 = ip;
    return a;
}

struct ip_addr ip_addr_from_v6(struct ip6 ip)
{
    struct ip_addr a;
    memset(&a, 0, sizeof a);
    a.version = 6;
    a.v6 = ip;
    return a;
}

u128 ip_addr_to_u128(const struct ip_addr *ip)
{
    return ip->version == 6 ? ip6_to_u128(ip->v6) : ip->version == 4 ? swap32(ip->v4) : 0;
}

struct ip_addr ip_addr_from_u128(uint8_t version, u128 x)
{
    return version == 6 ? ip_addr_from_v6(ip6_from_u128(x)) : ip_addr_from_v4(swap32((uint32_t)x));
}

bool ip_addr_equal(const struct ip_addr *a, const struct ip_addr *b)
{
    return a->version == b->version && ip_addr_to_u128(a) == ip_addr_to_u128(b);
}

int ip_addr_compare(const struct ip_addr *a, const struct ip_addr *b)
{
    if (a->version != b->version)
        return a->version < b->version ? -1 : 1;
    u128 x = ip_addr_to_u128(a), y = ip_addr_to_u128(b);
    return x < y ? -1 : x > y;
}

int ip_addr_parse(const char *text, struct ip_addr *ret)
{
    be32 v4;
    struct ip6 v6;
    if (!ip4_parse(text, &v4)) {
        *ret = ip_addr_from_v4(v4);
        return 0;
    }
    if (!ip6_parse(text, &v6)) {
        *ret = ip_addr_from_v6(v6);
        return 0;
    }
    return ERR_SYNTAX;
}

void ip_addr_put(struct str *s, const struct ip_addr *ip)
{
    if (ip->version == 6)
        ip6_put(s, ip->v6);
    else if (ip->version == 4)
        ip4_put(s, ip->v4);
}

int ip_prefix_parse(const char *text, struct ip_prefix *ret)
{
    char buf[INET6_ADDRSTRLEN];
    const char *rest;
    struct ip_addr addr;
    if (split_slash(text, buf, sizeof buf, &rest) || ip_addr_parse(buf, &addr))
        return ERR_SYNTAX;
    unsigned len = ip_addr_bits(&addr);
    struct ip_addr mask;
    if (rest && !ip_addr_parse(rest, &mask)) {
        int n = mask.version != addr.version ? -1
                : mask.version == 4          ? ip4_prefix_len(mask.v4)
                                             : ip6_prefix_len(mask.v6);
        if (n < 0)
            return ERR_SYNTAX;
        len = (unsigned)n;
    } else if (rest) {
        int err = parse_len(rest, len, &len);
        if (err)
            return err;
    }
    ret->addr = addr;
    ret->len = (uint8_t)len;
    return 0;
}

int addr_parse_masked(const char *text, u128 *value, u128 *mask)
{
    be32 ip4, mask4;
    struct ip6 ip6, mask6;
    struct mac mac, mac_mask;
    if (!ip4_parse_masked(text, &ip4, &mask4)) {
        *value = get_be32(&ip4);
        *mask = get_be32(&mask4);
    } else if (!mac_parse_masked(text, &mac, &mac_mask)) {
        *value = mac_to_u64(mac);
        *mask = mac_to_u64(mac_mask);
    } else if (!ip6_parse_masked(text, &ip6, &mask6)) {
        *value = ip6_to_u128(ip6);
        *mask = ip6_to_u128(mask6);
    } else {
        return ERR_SYNTAX;
    }
    *value &= *mask;
    return 0;
}

int ip_endpoint_parse(const char *text, struct ip_addr *ip, uint16_t *port)
{
    char addr[64];
    const char *end = *text == '[' ? strchr(text, ']') : strchr(text, ':');
    int64_t number = 0;
    if (*text == '[') {
        if (!end)
            return ERR_SYNTAX;
        text++;
    } else if (!end || strchr(end + 1, ':')) { /* no colon, or an IPv6 address alone */
        end = text + strlen(text);
    }
    size_t n = (size_t)(end - text);
    if (n >= sizeof addr)
        return ERR_SYNTAX;
    memcpy(addr, text, n);
    addr[n] = '\0';
    const char *rest = *end == ']' ? end + 1 : end;
    if (*rest &&
        (*rest != ':' || text_to_i64(rest + 1, 10, &number) || number < 1 || number > UINT16_MAX))
        return ERR_SYNTAX;
    *port = (uint16_t)number;
    return ip_addr_parse(addr, ip);
}

void ip_prefix_put(struct str *s, const struct ip_prefix *prefix)
{
    ip_addr_put(s, &prefix->addr);
    str_putf(s, "/%u", prefix->len);
}

void ip_prefix_put_short(struct str *s, const struct ip_prefix *prefix)
{
    if (prefix->len == ip_addr_bits(&prefix->addr))
        ip_addr_put(s, &prefix->addr);
    else
        ip_prefix_put(s, prefix);
}

static u128 host_mask(const struct ip_prefix *prefix)
{
    return u128_ones(ip_addr_bits(&prefix->addr) - prefix->len);
}

struct ip_addr ip_prefix_network(const struct ip_prefix *prefix)
{
    return ip_addr_from_u128(prefix->addr.version,
                             ip_addr_to_u128(&prefix->addr) & ~host_mask(prefix));
}

struct ip_addr ip_prefix_broadcast(const struct ip_prefix *prefix)
{
    return ip_addr_from_u128(prefix->addr.version,
                             ip_addr_to_u128(&prefix->addr) | host_mask(prefix));
}

bool ip_prefix_contains(const struct ip_prefix *prefix, const struct ip_addr *ip)
{
    u128 diff = ip_addr_to_u128(&prefix->addr) ^ ip_addr_to_u128(ip);
    return prefix->addr.version == ip->version && !(diff & ~host_mask(prefix));
}
