/* tunnel_options.h - what Interface.options say of a tunnel: read once, for the translation (where packets go) and for the port (what it takes in).
 *
 * The names and meanings are those of ovs-vswitchd.conf.db(5), but that csum, when it is not said, is on over IPv6, where a datagram should have a
 * checksum (RFC 8200 section 8.1; without one: RFC 6936).
 */
#pragma once

#include "base/diag.h"
#include "net/addr.h"
#include "switchd/smap.h"

struct tunnel_options {
    struct ip_addr dst, src;       /* remote_ip and local_ip; version 0: not given, or by flow */
    bool dst_flow, src_flow;       /* taken from the flow */
    bool in_any, out_flow;         /* keys: any is taken, taken from the flow */
    uint32_t in_key, out_key;      /* 24 bits */
    uint16_t udp_port;             /* dst_port */
    bool csum, csum6;              /* over IPv4, over IPv6 */
    bool df;                       /* the outer IPv4 header forbids fragments */
    bool tos_inherit, ttl_inherit; /* from the inner packet, if it is IP */
    uint8_t tos, ttl;
};

/* UDP_PORT: unless they say another. ERR_SYNTAX or ERR_INVALID, and which option is wrong, and how. */
int tunnel_options_parse(const struct smap *map, uint16_t udp_port, struct tunnel_options *ret,
                         struct diag *diag) MUST_CHECK;
/* The first of them that is none, or has no effect here; NULL: there is none. */
const char *tunnel_options_unknown(const struct smap *map);
