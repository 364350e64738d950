/* session.h - one switch under weft-testcontroller: what it is told when it connects, and the answers to its packets.
 *
 * Files: session.c connection and set-up, learning.c the learning switch and hub, dnat.c services moved by flows for each
 * connection, arp.c ARP answered and rewritten here, demand.c flows given when a packet asks for them. Nothing is kept when a switch goes; when it comes again it begins anew.
 */
#pragma once

#include "base/hmap.h"
#include "base/vec.h"
#include "flow/packet.h"
#include "openflow/connection.h"
#include "openflow/flow_mod.h"
#include "openflow/packet_io.h"
#include "openflow/port.h"

enum testcontroller_mode { MODE_LEARN, MODE_LEARN_NORMAL, MODE_HUB };

/* tcp to IP:PORT of nobody's in particular is answered at TO_IP:TO_PORT on the switch's local port. */
struct dnat {
    be32 ip, to_ip;
    uint16_t port, to_port;
    bool per_instance; /* flows for each instance instead of each connection */
};

/* Questions for IP are answered with MAC; without one it is announced too. */
struct arp_answer {
    be32 ip;
    struct mac mac; /* zero: the local port's */
};

/* The machine with the inner addresses is known to all others by the outer ones. */
struct arp_rewrite {
    be32 inner_ip, outer_ip;
    struct mac inner_mac, outer_mac;
};

struct texts {
    char **data;
    size_t n, cap;
};

struct testcontroller_config {
    enum testcontroller_mode mode;
    bool no_flows;     /* every packet comes here */
    bool wildcard;     /* flows match addresses of Ethernet only */
    bool mute;         /* says nothing to switches but hello and echo */
    uint16_t max_idle; /* seconds; 0: for ever */
    int64_t queue;     /* -1: none */
    uint32_t versions;
    struct texts flows; /* of --with-flows, in ovs-ofctl's syntax */
    VEC(struct dnat) dnats;
    VEC(struct arp_answer) arp_answers;
    VEC(struct arp_rewrite) arp_rewrites;
    struct texts on_demand; /* flows of --on-demand */
};

/* What options say is added; ERR_SYNTAX: DIAG tells what was expected. */
int config_add_dnat(struct testcontroller_config *config, const char *arg, bool per_instance,
                    struct diag *diag) MUST_CHECK;
int config_add_arp(struct testcontroller_config *config, const char *arg,
                   struct diag *diag) MUST_CHECK;
int config_add_arp_rewrite(struct testcontroller_config *config, const char *arg,
                           struct diag *diag) MUST_CHECK;
/* Flows are checked now, so that mistakes are told to who starts the program. */
int config_add_flows(const char *path, struct texts *flows, struct diag *diag) MUST_CHECK;
void config_fini(struct testcontroller_config *config);

struct session {
    struct hnode node; /* in its owner's */
    const struct testcontroller_config *config;
    struct of_conn *conn;
    uint64_t datapath_id;
    struct mac local_mac; /* of the switch's local port; zero: not known */
    struct hmap macs;     /* where addresses were seen */
    uint64_t n_packet_ins, n_flows;
};

/* Begins with CONN (borrowed), whose version is settled. Sends the set-up. */
void session_init(struct session *s, const struct testcontroller_config *config,
                  struct of_conn *conn);
void session_fini(struct session *s);
void session_message(struct session *s, const struct of_msg *msg);

/* --- for the parts below */
/* A packet as it came in; KEY has its in_port, registers and metadata too. */
struct packet_in {
    const struct of_packet_in *pin;
    struct flow_key key;
};
/* Sends FM, which is emptied. */
void session_flow(struct session *s, struct of_flow_mod *fm);
/* Sends the packet out through ACTIONS. */
void session_packet_out(struct session *s, const struct packet_in *in,
                        const struct of_actions *actions);
/* Sends a packet of our own out through ACTIONS. */
void session_packet(struct session *s, const struct packet *packet, uint32_t in_port,
                    const struct of_actions *actions);
void session_output(const struct session *s, struct of_actions *actions, uint32_t port);

void learning_packet(struct session *s, const struct packet_in *in);
void learning_forget(struct session *s);
void dnat_setup(struct session *s);
/* False: the packet is for none of the services. */
bool dnat_packet(struct session *s, const struct packet_in *in);
void arp_setup(struct session *s);
/* Tells the addresses that are answered for to what is behind PORT, which may be PORT_FLOOD. */
void arp_announce(struct session *s, uint32_t port);
/* False: no ARP, or none that concerns us. */
bool arp_packet(struct session *s, const struct packet_in *in);
/* False: from a table that none of the flows on demand names. */
bool demand_packet(struct session *s, const struct packet_in *in);
