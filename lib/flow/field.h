/* field.h - match fields as values: what they are called, how wide they are, where they live.
 *
 * Value 7 and below of docs/architecture.md speak of fields; this is where fields are. The table is
 * fields.def. Values are plain integers (u128, host order, at most `n_bits` wide), whatever the
 * field: an Ethernet address is a 48-bit number, an IPv6 address a 128-bit one. Subfields count
 * bits from the least significant one, 0. Tunnel options alone are wider: as a u128 they are their lower
 * 128 bits, and a mask of 128 ones is one of all their bits; all of them are a struct tun_value (tun_opts.h).
 *
 * Registers overlap: xregN is regs 2N (upper half) and 2N+1, xxregN is regs 4N..4N+3. in_port and
 * in_port_oxm are one 32-bit port seen with 16-bit (OpenFlow 1.0) and 32-bit numbers; setting
 * either sets the whole port. vlan_tci, vlan_vid, dl_vlan, vlan_pcp and dl_vlan_pcp are views of
 * one 16-bit word, as are nw_tos, ip_dscp, nw_ecn.
 */
#pragma once

#include "base/str.h"
#include "net/bytes.h"

enum field_id {
    FIELD_NONE = 0,
#define FIELD(ID, ...) FIELD_##ID,
#include "flow/fields.def"
#undef FIELD
    N_FIELDS
};

/* FIELD_TUN_METADATA0 + i, FIELD_REG0 + i, FIELD_XREG0 + i and FIELD_XXREG0 + i are consecutive. */
#define N_REGS 16
#define N_XREGS 8
#define N_XXREGS 4
#define N_TUN_METADATA 64
#define FIELD_IS_TUN_METADATA(ID) ((ID) >= FIELD_TUN_METADATA0 && (ID) <= FIELD_TUN_METADATA63)
#define FIELD_IS_REG(ID) ((ID) >= FIELD_REG0 && (ID) <= FIELD_REG15)
#define FIELD_IS_ANY_REG(ID) ((ID) >= FIELD_REG0 && (ID) <= FIELD_XXREG3)

enum field_format {
    FORMAT_DECIMAL,
    FORMAT_HEX,
    FORMAT_MAC,
    FORMAT_IPV4,
    FORMAT_IPV6,
    FORMAT_PORT16,
    FORMAT_PORT,
    FORMAT_FRAG,
    FORMAT_CT_STATE,
    FORMAT_TCP_FLAGS,
    FORMAT_TUN_FLAGS,
    FORMAT_PACKET_TYPE,
};

enum field_prereq {
    PREREQ_NONE,
    PREREQ_CT,   /* ct_state says tracked */
    PREREQ_VLAN, /* a tag is present */
    PREREQ_ARP,  /* eth_type 0x0806 or 0x8035 */
    PREREQ_IPV4,
    PREREQ_IPV6,
    PREREQ_IP, /* either */
    PREREQ_MPLS,
    PREREQ_PBB, /* eth_type 0x88e7 */
    PREREQ_TCP, /* IPv4 or IPv6 with that protocol, not a later fragment */
    PREREQ_UDP,
    PREREQ_SCTP,
    PREREQ_ICMP,
    PREREQ_ICMPV6,
    PREREQ_ND, /* ICMPv6 type 135 or 136, code 0 */
    PREREQ_ND_SOLICIT,
    PREREQ_ND_ADVERT,
};

struct field_header { /* an NXM or OXM header without length and mask bit */
    uint16_t class;
    uint8_t number;
    const char *name; /* NULL: there is none */
};

struct field {
    enum field_id id;
    const char *name;
    const char *alias; /* NULL: none */
    uint16_t n_bits;
    uint8_t
        n_bytes; /* of the value on the wire: 1, 2, 3, 4, 6, 8 or 16; tunnel options: at most 124 */
    uint16_t offset; /* of the containing member in struct flow_key */
    uint8_t size;    /* of the containing member, bytes */
    uint8_t shift;   /* of the value in it */
    enum field_format format;
    enum field_prereq prereq;
    bool maskable, writable;
    bool internal; /* has no header */
    struct field_header nxm, oxm;
};

/* The field with this id, which must be a real one. */
const struct field *field_get(enum field_id id);
/* By name or alias, or by NXM or OXM header name without brackets ("NXM_OF_ETH_DST"); NULL: there
 * is none. */
const struct field *field_find(const char *name);
/* By OXM class (0x0000, 0x0001, 0x8000, 0x8001) and number; NULL: unknown. */
const struct field *field_find_header(uint16_t class, uint8_t number);

/* Bits ofs .. ofs + n_bits - 1 of a field. Four bytes without holes, so that it may be part of values that are compared
 * as bytes. */
struct subfield {
    uint32_t id : 8; /* enum field_id; FIELD_NONE: no subfield */
    uint32_t ofs : 10;
    uint32_t n_bits : 10; /* 1..128; of tunnel options up to 992 */
    uint32_t pad : 4;
};

struct subfield subfield_make(enum field_id id, unsigned ofs, unsigned n_bits);
struct subfield subfield_whole(enum field_id id);
/* Parses "NAME[]", "NAME[3]", "NAME[0..15]" or a bare "NAME" from the start of *TEXT and moves
 * *TEXT past it. */
int subfield_parse(const char **text, struct subfield *ret) MUST_CHECK;
/* Like NXM_NX_REG0[0..15]: "[]" for the whole, "[N]" for one bit. */
void subfield_put(struct str *s, const struct subfield *sub);

/* ---- Text of values ---- */

/* Names of OpenFlow ports; whoever has them (a bridge, a client that asked PORT_DESC) fills this
 * in. */
struct port_names {
    /* 0 when there is no such name */
    uint32_t (*by_name)(const struct port_names *names, const char *name);
    const char *(*by_number)(const struct port_names *names, uint32_t number);
    const struct table_names *tables; /* of the same switch; NULL: they have none */
};

/* Names of flow tables, likewise. */
struct table_names {
    int (*by_name)(const struct table_names *names, const char *name); /* -1: none */
    const char *(*by_number)(const struct table_names *names, uint8_t number);
};

/* Parses VALUE or VALUE/MASK in any form that the field's format allows (also plain numbers where
 * that makes sense). *MASK is u128_ones(n_bits) when the text has none. Names of ports are looked
 * up in NAMES (may be NULL). */
int field_parse(const struct field *field, const char *text, const struct port_names *names,
                u128 *value, u128 *mask) MUST_CHECK;
/* Writes the value; "/MASK" is added unless MASK is all ones. Never "*". */
void field_put(struct str *s, const struct field *field, u128 value, u128 mask,
               const struct port_names *names);
/* "LOCAL", "IN_PORT", "17", or a name (quoted if it needs to be). PORT is a 32-bit OpenFlow 1.1+
 * number. */
void port_put(struct str *s, uint32_t port, const struct port_names *names);
/* The table's number, or its name as that of a port. TABLES may be NULL. */
void table_put(struct str *s, uint8_t table, const struct table_names *tables);
/* Reserved names in any case, numbers, names. */
int port_parse(const char *text, const struct port_names *names, uint32_t *ret) MUST_CHECK;

/* Reserved OpenFlow ports (OpenFlow 1.3 A.2.1), 32-bit form; 1.0 has the low 16 bits of the same.
 */
#define PORT_MAX 0xffffff00u
#define PORT_UNSET 0xfffffff7u /* 1.5: no output in the action set */
#define PORT_IN_PORT 0xfffffff8u
#define PORT_TABLE 0xfffffff9u
#define PORT_NORMAL 0xfffffffau
#define PORT_FLOOD 0xfffffffbu
#define PORT_ALL 0xfffffffcu
#define PORT_CONTROLLER 0xfffffffdu
#define PORT_LOCAL 0xfffffffeu
#define PORT_ANY 0xffffffffu /* "none" in 1.0 */

/* Conversions of port numbers; a 32-bit number that has no 16-bit form becomes 0xffff. */
static inline uint32_t port_from_16(uint16_t port)
{
    return port >= 0xff00 ? 0xffff0000u | port : port;
}

static inline uint16_t port_to_16(uint32_t port)
{
    return port < 0xff00 || port >= PORT_MAX ? (uint16_t)port : 0xffff;
}

/* Bits of ct_state. */
enum {
    CT_NEW = 0x01,
    CT_EST = 0x02,
    CT_REL = 0x04,
    CT_RPL = 0x08,
    CT_INV = 0x10,
    CT_TRK = 0x20,
    CT_SNAT = 0x40,
    CT_DNAT = 0x80,
};

/* Bits of nw_frag. */
enum { FRAG_ANY = 1, FRAG_LATER = 2 };

/* Bits of tun_flags as matched. */
enum { TUN_FLAG_OAM = 1 };
