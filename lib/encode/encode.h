/* encode.h - logical actions to OpenFlow actions.
 *
 * Rooms 7 and 8 of docs/architecture.md: what the controller installs for a logical flow. Matches come from lib/expr
 * (norm.h); this is the other half. It knows nothing of databases: tables, registers, ports, groups and meters come in
 * through struct encode_params.
 *
 * Register and table numbers live in one *profile*. The product's is the modern one (inport reg14, outport reg15, opcodes in
 * the controller action's userdata); a second one, `seed`, is that of the first ARP patch of 2015 (MB-10..MB-17) and serves
 * tests only.
 *
 * Opcodes and arguments of actions that the controller answers travel in userdata: a 32-bit opcode, 32 zero bits, and for
 * nested actions OpenFlow 1.5 actions (encode_opcode; pinctrl reads them back).
 */
#pragma once

#include "action/action.h"
#include "flow/key.h"
#include "net/addr.h"
#include "openflow/actions.h"

/* First 4 bytes of userdata. Interface numbers shared with OVN's controllers. */
enum encode_opcode {
    OPCODE_ARP = 0,
    OPCODE_PUT_ARP = 1,
    OPCODE_PUT_DHCP_OPTS = 2,
    OPCODE_ND_NA = 3,
    OPCODE_PUT_ND = 4,
    OPCODE_PUT_DHCPV6_OPTS = 5,
    OPCODE_DNS_LOOKUP = 6,
    OPCODE_LOG = 7,
    OPCODE_PUT_ND_RA_OPTS = 8,
    OPCODE_ND_NS = 9,
    OPCODE_ICMP = 10,
    OPCODE_TCP_RESET = 11,
    OPCODE_ND_NA_ROUTER = 12,
    OPCODE_PUT_ICMP4_FRAG_MTU = 13,
    OPCODE_ICMP4_ERROR = 14,
    OPCODE_EVENT = 15,
    OPCODE_IGMP = 16,
    OPCODE_BIND_VPORT = 17,
    OPCODE_HANDLE_SVC_CHECK = 18,
    OPCODE_DHCP6_SERVER = 19,
    OPCODE_ICMP6_ERROR = 20,
    OPCODE_PUT_ICMP6_FRAG_MTU = 21,
    OPCODE_REJECT = 22,
    OPCODE_BFD_MSG = 23,
    OPCODE_SCTP_ABORT = 24,
    OPCODE_PUT_FDB = 25,
    OPCODE_DHCP_RELAY_REQ_CHK = 28,
    OPCODE_DHCP_RELAY_RESP_CHK = 29,
};

/* Where things are in the switch. */
struct encode_profile {
    bool is_seed;                          /* put_arp's opcode in reg0 instead of userdata */
    uint8_t ingress, egress;               /* first tables of the pipelines */
    uint8_t output_ingress, output_egress; /* where "output" goes */
    uint8_t mac_binding, mac_lookup, lb_hairpin, lb_hairpin_reply, ct_snat_hairpin;
    uint8_t fdb_get, fdb_lookup, port_sec_in, port_sec_out, ecmp_nh_mac, ecmp_nh, lb_affinity;
    uint8_t mac_cache_use, ct_nw_dst, ct_ip6_dst, ct_tp_dst, flood_remote, ct_state_save, ct_proto;
    uint8_t remote_fdb_get;
    uint8_t mirror;                /* where a mirrored packet goes: remote output */
    enum field_id inport, outport; /* registers */
    enum field_id arg4;            /* where IPv4 arguments are passed */
    enum field_id arg6;            /* ... IPv6, of put_nd and lookup_nd (table mac_lookup) */
    enum field_id arg6_get;        /* ... IPv6, of get_nd and lookup_nd_ip (table mac_binding) */
    enum field_id put_arg4;        /* ... IPv4, of put_arp */
    enum field_id zone_dnat, zone_snat, zone_port;
    bool
        peer_numbers; /* fwd_group writes decimal port numbers behind 0x, as OVN does: for comparing texts only */
};

extern const struct encode_profile encode_modern, encode_seed;

struct encode_params {
    const struct encode_profile *profile;
    enum pipeline pipeline; /* of the logical flow */
    unsigned table;         /* of the logical flow, within its pipeline */
    bool is_router;         /* its datapath is one: which zones ct_... use */
    uint32_t datapath_key;  /* for sample */
    uint32_t
        flow_id; /* first 32 bits of the logical flow's uuid: cookies of learned flows, sample's $cookie */
    uint32_t
        meter; /* meter for packets to the controller (control plane protection); OF_METER_NONE */
    /* The switch knows nat(src) without an address: ct_commit asks for it, so that ports that collide with those of
     * translated connections are changed. */
    bool ct_zero_snat;
    void *aux;
    /* Number of a port within its datapath; false: unknown. */
    bool (*port)(void *aux, const char *name, uint32_t *ret);
    /* The same for a match on the port by which packets that are here entered the pipeline (inport in ingress) or will leave it
     * (outport in egress); false also when that cannot be. NULL: port. */
    bool (*port_at)(void *aux, const char *name, uint32_t *ret);
    /* The id of the group that SPEC (ovs-ofctl's syntax from "type=select" on) describes; 0: none to be had. */
    uint32_t (*group)(void *aux, const char *spec);
    /* The id of a meter: NAME is a meter's name or "__string: kbps..." for set_meter. 0: none. */
    uint32_t (*meter_id)(void *aux, const char *name);
    /* Does the switch have this collector set? NULL: all. */
    bool (*collector)(void *aux, uint32_t id);
    /* Is the port bound here? For ct_lb_mark_local; NULL: all are. */
    bool (*resident)(void *aux, const char *name);
    /* OpenFlow port of the tunnel that leads to a port, for fwd_group with liveness; NULL: none. */
    bool (*tunnel_port)(void *aux, const char *name, uint32_t *ret);
    bool *is_own; /* NULL, or set when the result depends on datapath_key or flow_id */
};

/* Appends to OUT. An empty sequence, and what cannot be done here (an unknown port, no group to be had), appends nothing:
 * drop. Never fails: what the parser accepts has an encoding. */
void encode_actions(const struct actions *as, const struct encode_params *params,
                    struct of_actions *out);
/* A neighbour of a router port: as table profile->mac_binding has it, what is added to a match and to actions (MB-16). The caller starts with
 * an empty match, and knows priority and cookie. */
struct encode_neighbor {
    uint32_t datapath_key, port_key;
    struct ip_addr ip;
    struct mac mac;
};
void encode_neighbor(const struct encode_profile *profile, const struct encode_neighbor *neighbor,
                     struct match *match, struct of_actions *out);
/* The OpenFlow table of a logical one. */
uint8_t encode_table(const struct encode_profile *profile, enum pipeline pipeline, unsigned table);
