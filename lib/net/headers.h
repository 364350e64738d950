/* headers.h - layouts of the headers that Weft reads and writes, and their constants.
 *
 * The structs hold only byte-sized and be16/be32 members and are packed, so they may lie at any
 * address inside a packet. Multi-byte members are in network order.
 */
#pragma once

#include "net/addr.h"

#define PACKED __attribute__((packed))

/* ---- Ethernet, VLAN, MPLS ---- */

struct eth_header {
    struct mac dst, src;
    be16 type;
} PACKED;

struct vlan_header { /* stands between the addresses and the type */
    be16 tpid;
    be16 tci;
} PACKED;

#define ETH_HEADER_LEN 14
#define VLAN_HEADER_LEN 4
#define ETH_TYPE_MIN 0x600 /* below it the word is a length (IEEE 802.3) */
#define ETH_TYPE_IP 0x0800
#define ETH_TYPE_ARP 0x0806
#define ETH_TYPE_TEB 0x6558 /* transparent Ethernet bridging, inside Geneve */
#define ETH_TYPE_VLAN 0x8100
#define ETH_TYPE_RARP 0x8035
#define ETH_TYPE_IPV6 0x86dd
#define ETH_TYPE_MPLS 0x8847
#define ETH_TYPE_MPLS_MCAST 0x8848
#define ETH_TYPE_QINQ 0x88a8
#define ETH_TYPE_LLDP 0x88cc
#define ETH_TYPE_PBB 0x88e7  /* provider backbone bridging, IEEE 802.1ah */
#define ETH_TYPE_NONE 0x05ff /* OpenFlow's "no Ethernet II type" (802.2 without SNAP) */

#define VLAN_VID_MASK 0x0fff
#define VLAN_CFI 0x1000 /* in a match: "there is a tag" */
#define VLAN_PCP_MASK 0xe000
#define VLAN_PCP_SHIFT 13

#define MPLS_LABEL_SHIFT 12
#define MPLS_TC_SHIFT 9
#define MPLS_BOS_SHIFT 8

/* A backbone frame: addresses, perhaps a tag (B-TAG), the type, the I-TAG's control information, and then the customer's whole
 * frame (IEEE 802.1Q 9.7). */
#define PBB_TCI_LEN 4
#define PBB_PCP_SHIFT 29
#define PBB_UCA_SHIFT 27
#define PBB_ISID_MASK 0xffffffu

/* ---- ARP (RFC 826), for Ethernet and IPv4 ---- */

struct arp_header {
    be16 hrd, pro;
    uint8_t hln, pln;
    be16 op;
    struct mac sha;
    be32 spa;
    struct mac tha;
    be32 tpa;
} PACKED;

#define ARP_HEADER_LEN 28
#define ARP_OP_REQUEST 1
#define ARP_OP_REPLY 2

/* ---- IP ---- */

struct ip4_header {
    uint8_t ihl_ver;
    uint8_t tos;
    be16 tot_len;
    be16 id;
    be16 frag_off;
    uint8_t ttl;
    uint8_t proto;
    be16 csum;
    be32 src, dst;
} PACKED;

#define IP4_HEADER_LEN 20
#define IP4_DF 0x4000
#define IP4_MF 0x2000
#define IP4_FRAG_OFF_MASK 0x1fff
#define IP_ECN_MASK 0x03
#define IP_ECN_CE 0x03
#define IP_DSCP_MASK 0xfc

struct ip6_header {
    be32 ver_tc_flow;
    be16 payload_len;
    uint8_t next;
    uint8_t hop_limit;
    struct ip6 src, dst;
} PACKED;

struct ip6_frag_header {
    uint8_t next;
    uint8_t reserved;
    be16 offlg; /* offset in the upper 13 bits, more-fragments in the lowest */
    be32 id;
} PACKED;

#define IP6_HEADER_LEN 40
#define IP6_LABEL_MASK 0x000fffff

#define IP_PROTO_HOPOPTS 0
#define IP_PROTO_ICMP 1
#define IP_PROTO_IGMP 2
#define IP_PROTO_IPIP 4
#define IP_PROTO_TCP 6
#define IP_PROTO_UDP 17
#define IP_PROTO_ROUTING 43
#define IP_PROTO_FRAGMENT 44
#define IP_PROTO_GRE 47
#define IP_PROTO_ESP 50
#define IP_PROTO_AH 51
#define IP_PROTO_ICMPV6 58
#define IP_PROTO_NONE 59
#define IP_PROTO_DSTOPTS 60
#define IP_PROTO_SCTP 132
#define IP_PROTO_MOBILITY 135

/* ---- Transport ---- */

struct tcp_header {
    be16 src, dst;
    be32 seq, ack;
    be16 ctl; /* data offset in the upper 4 bits, flags in the lower 12 */
    be16 window;
    be16 csum;
    be16 urgent;
} PACKED;

#define TCP_HEADER_LEN 20
#define TCP_FIN 0x001
#define TCP_SYN 0x002
#define TCP_RST 0x004
#define TCP_PSH 0x008
#define TCP_ACK 0x010
#define TCP_URG 0x020
#define TCP_ECE 0x040
#define TCP_CWR 0x080
#define TCP_NS 0x100
#define TCP_FLAGS_MASK 0x0fff

struct udp_header {
    be16 src, dst;
    be16 len;
    be16 csum; /* 0: none (IPv4) */
} PACKED;

#define UDP_HEADER_LEN 8

struct sctp_header {
    be16 src, dst;
    be32 vtag;
    be32 csum;
} PACKED;

#define SCTP_HEADER_LEN 12

struct icmp_header {
    uint8_t type, code;
    be16 csum;
    be32 rest;
} PACKED;

#define ICMP_HEADER_LEN 8
#define ICMP_ECHO_REPLY 0
#define ICMP_DST_UNREACH 3
#define ICMP_REDIRECT 5
#define ICMP_ECHO_REQUEST 8
#define ICMP_TIME_EXCEEDED 11
#define ICMP6_DST_UNREACH 1
#define ICMP6_PACKET_TOO_BIG 2
#define ICMP6_TIME_EXCEEDED 3
#define ICMP6_ECHO_REQUEST 128
#define ICMP6_ECHO_REPLY 129
#define ICMP6_MLD_QUERY 130
#define ICMP6_ROUTER_SOLICIT 133
#define ICMP6_ROUTER_ADVERT 134
#define ICMP6_NEIGHBOR_SOLICIT 135
#define ICMP6_NEIGHBOR_ADVERT 136
#define ICMP6_MLD2_REPORT 143

struct nd_header { /* neighbor solicitation and advertisement (RFC 4861 4.3, 4.4); options follow */
    uint8_t type, code;
    be16 csum;
    be32 flags; /* advertisement: R S O in the three upper bits */
    struct ip6 target;
} PACKED;

struct nd_option_lla {
    uint8_t type; /* ND_OPT_* */
    uint8_t len;  /* in units of 8 bytes */
    struct mac mac;
} PACKED;

#define ND_HEADER_LEN 24
#define ND_OPT_SLL 1
#define ND_OPT_TLL 2
#define ND_OPT_PREFIX 3
#define ND_OPT_MTU 5
#define ND_FLAG_ROUTER 0x80000000u
#define ND_FLAG_SOLICITED 0x40000000u
#define ND_FLAG_OVERRIDE 0x20000000u

/* ---- Tunnels ---- */

struct geneve_header {  /* RFC 8926 3.1; options follow, then the inner frame */
    uint8_t ver_optlen; /* version in the upper 2 bits; length of options in 4-byte words */
    uint8_t flags;
    be16 proto;
    uint8_t vni[3];
    uint8_t reserved;
} PACKED;

struct geneve_option {
    be16 opt_class;
    uint8_t type;
    uint8_t len; /* in 4-byte words without this header, lower 5 bits */
} PACKED;

#define GENEVE_PORT 6081
#define GENEVE_HEADER_LEN 8
#define GENEVE_FLAG_OAM 0x80
#define GENEVE_FLAG_CRITICAL 0x40
#define GENEVE_OPT_CRITICAL 0x80 /* in the type of an option */
#define GENEVE_MAX_OPTIONS 252

struct vxlan_header { /* RFC 7348 5 */
    uint8_t flags;
    uint8_t reserved[3];
    uint8_t vni[3];
    uint8_t reserved2;
} PACKED;

#define VXLAN_PORT 4789
#define VXLAN_HEADER_LEN 8
#define VXLAN_FLAG_VNI 0x08
