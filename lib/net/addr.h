/* addr.h - addresses of Ethernet and IP, and prefixes: values, their text forms, and masks.
 *
 * struct ip_addr and struct ip_prefix carry their version, so that code above can treat IPv4 and
 * IPv6 alike. All parsers take NUL-terminated text, accept the whole text or nothing, and return 0
 * or ERR_SYNTAX / ERR_RANGE with the result untouched. Printers append to a struct str.
 */
#pragma once

#include "base/str.h"
#include "net/bytes.h"

/* ---- Ethernet ---- */

struct mac {
    uint8_t b[6];
};

static inline uint64_t mac_to_u64(struct mac mac)
{
    return (uint64_t)get_be_n(mac.b, 6);
}

static inline struct mac mac_from_u64(uint64_t x)
{
    struct mac mac;
    put_be_n(mac.b, 6, x);
    return mac;
}

static inline bool mac_is_multicast(struct mac mac) /* also true of broadcast */
{
    return mac.b[0] & 1;
}

static inline bool mac_is_broadcast(struct mac mac)
{
    return mac_to_u64(mac) == 0xffffffffffff;
}

static inline bool mac_is_zero(struct mac mac)
{
    return mac_to_u64(mac) == 0;
}

static inline bool mac_equal(struct mac a, struct mac b)
{
    return !memcmp(a.b, b.b, sizeof a.b);
}

int mac_parse(const char *text, struct mac *ret) MUST_CHECK;
/* "xx:.." or "xx:../yy:..": *MASK is all ones when the text has none. */
int mac_parse_masked(const char *text, struct mac *ret, struct mac *mask) MUST_CHECK;
void mac_put(struct str *s, struct mac mac); /* lower case, two digits each */
void mac_put_masked(struct str *s, struct mac mac, struct mac mask);

/* ---- IPv4: be32 ---- */

int ip4_parse(const char *text, be32 *ret) MUST_CHECK;
/* "a.b.c.d", "a.b.c.d/24" or "a.b.c.d/255.255.0.255". Host bits are kept. */
int ip4_parse_masked(const char *text, be32 *ret, be32 *mask) MUST_CHECK;
void ip4_put(struct str *s, be32 ip);
/* With the shortest form of the mask: nothing, "/24", or dotted when it is no prefix. */
void ip4_put_masked(struct str *s, be32 ip, be32 mask);
be32 ip4_prefix_mask(unsigned len); /* len <= 32 */
int ip4_prefix_len(be32 mask);      /* -1 when MASK is no prefix */

/* ---- IPv6: 16 bytes in wire order ---- */

struct ip6 {
    uint8_t b[16];
};

static inline u128 ip6_to_u128(struct ip6 ip)
{
    return get_be128(ip.b);
}

static inline struct ip6 ip6_from_u128(u128 x)
{
    struct ip6 ip;
    put_be128(ip.b, x);
    return ip;
}

static inline bool ip6_equal(struct ip6 a, struct ip6 b)
{
    return !memcmp(a.b, b.b, sizeof a.b);
}

static inline bool ip6_is_zero(struct ip6 ip)
{
    return ip6_to_u128(ip) == 0;
}

static inline bool ip6_is_multicast(struct ip6 ip)
{
    return ip.b[0] == 0xff;
}

static inline bool ip6_is_link_local(struct ip6 ip)
{
    return ip.b[0] == 0xfe && (ip.b[1] & 0xc0) == 0x80;
}

int ip6_parse(const char *text, struct ip6 *ret) MUST_CHECK;
int ip6_parse_masked(const char *text, struct ip6 *ret, struct ip6 *mask) MUST_CHECK;
void ip6_put(struct str *s, struct ip6 ip); /* RFC 5952 */
void ip6_put_masked(struct str *s, struct ip6 ip, struct ip6 mask);
struct ip6 ip6_prefix_mask(unsigned len); /* len <= 128 */
int ip6_prefix_len(struct ip6 mask);      /* -1 when MASK is no prefix */
/* fe80::/64 plus the modified EUI-64 of MAC (RFC 4291 appendix A). */
struct ip6 ip6_link_local(struct mac mac);
struct ip6 ip6_eui64(struct ip6 prefix, struct mac mac);
struct ip6 ip6_solicited_node(struct ip6 ip); /* ff02::1:ffXX:XXXX (RFC 4291 2.7.1) */
struct mac ip6_multicast_mac(struct ip6 ip);  /* 33:33 + low 32 bits (RFC 2464 7) */

/* An Ethernet, IPv4 or IPv6 address with a mask (or all ones) as integers: what an address set holds. Bits
 * outside of *MASK are zero in *VALUE. */
int addr_parse_masked(const char *text, u128 *value, u128 *mask) MUST_CHECK;

/* ---- Either version ---- */

struct ip_addr {
    uint8_t version; /* 4 or 6; 0: none */
    union {
        be32 v4;
        struct ip6 v6;
    };
};

struct ip_prefix {
    struct ip_addr addr; /* host bits as given; ip_prefix_network() clears them */
    uint8_t len;
};

static inline unsigned ip_addr_bits(const struct ip_addr *ip)
{
    return ip->version == 6 ? 128 : 32;
}

struct ip_addr ip_addr_from_v4(be32 ip);
struct ip_addr ip_addr_from_v6(struct ip6 ip);
u128 ip_addr_to_u128(const struct ip_addr *ip); /* the address as an integer */
struct ip_addr ip_addr_from_u128(uint8_t version, u128 x);
bool ip_addr_equal(const struct ip_addr *a, const struct ip_addr *b);
int ip_addr_compare(const struct ip_addr *a,
                    const struct ip_addr *b); /* IPv4 first, then by value */
int ip_addr_parse(const char *text, struct ip_addr *ret) MUST_CHECK;
void ip_addr_put(struct str *s, const struct ip_addr *ip);
/* "IP4:PORT", "[IP6]:PORT", or an address alone, in brackets or not: then the port is 0. */
int ip_endpoint_parse(const char *text, struct ip_addr *ip, uint16_t *port) MUST_CHECK;

/* "ADDR" (a full-length prefix) or "ADDR/LEN"; an IPv4 mask may also be dotted if it is a prefix.
 */
int ip_prefix_parse(const char *text, struct ip_prefix *ret) MUST_CHECK;
void ip_prefix_put(struct str *s, const struct ip_prefix *prefix); /* always with "/LEN" */
/* Like ip_prefix_put, without "/32" and "/128". */
void ip_prefix_put_short(struct str *s, const struct ip_prefix *prefix);
struct ip_addr ip_prefix_network(const struct ip_prefix *prefix);   /* host bits zero */
struct ip_addr ip_prefix_broadcast(const struct ip_prefix *prefix); /* host bits one */
bool ip_prefix_contains(const struct ip_prefix *prefix, const struct ip_addr *ip);
