/* bridge.h - a bridge and its ports: what one OpenFlow switch is made of.
 *
 * Holds flow tables, groups, meters, the MAC table of NORMAL, the tunnel option map and the ports by
 * OpenFlow number. All bridges of the process share one datapath (vswitch.h), in which each port has a
 * second number, dp_no, never reused while caches may name it. It does not read databases (config.c
 * does) nor speak OpenFlow (ofserver.c does).
 */
#pragma once

#include "base/spin.h"
#include "openflow/group.h"
#include "openflow/meter.h"
#include "openflow/port.h"
#include "switchd/export/export.h"
#include "switchd/learned.h"
#include "switchd/mac_table.h"
#include "switchd/mirror.h"
#include "switchd/port/port.h"
#include "switchd/port/tunnel_options.h"
#include "switchd/qos/qos.h"
#include "switchd/table.h"
#include "switchd/tlv.h"

struct vswitch;
struct ofserver;
struct inband;
struct bfd;
struct row;

/* How NORMAL treats VLANs on a port. */
struct vlan_config {
    enum { VLAN_TRUNK, VLAN_ACCESS, VLAN_NATIVE_TAGGED, VLAN_NATIVE_UNTAGGED } mode;
    uint16_t tag;
    uint64_t *trunks; /* 4096 bits; NULL: all */
    /* Whether tags without a VLAN are sent. */
    enum { PRIORITY_NEVER, PRIORITY_IF_NONZERO, PRIORITY_ALWAYS } priority_tags;
};

/* What a port may receive: two token buckets. */
struct policer {
    uint64_t bits_per_s, burst_bits; /* 0: as many as come */
    uint64_t packets_per_s, burst_packets;
    double bits, packets; /* tokens */
    int64_t filled_us;
    struct spin spin; /* packets of several queues are policed at once */
};

struct vport {
    struct bridge *bridge;
    struct hnode by_no, by_name;
    char *name;
    char *type; /* of the Interface */
    uint32_t ofport;
    uint32_t dp_no;
    struct port *dev;    /* NULL: a patch port */
    char *peer;          /* patch: name of the other port, of whatever bridge */
    struct smap options; /* as last configured */
    bool is_tunnel;
    struct tunnel_options tunnel;
    struct vlan_config vlan;
    uint32_t config;         /* OF_PC_* */
    struct port_stats patch; /* of a patch port */
    struct smap bfd_config;  /* Interface.bfd */
    struct bfd *bfd;         /* NULL: off */
    struct qos qos;
    struct policer policer;
    struct upcall_queue *upcalls; /* NULL: no packet has waited yet */
    struct port_status reported;  /* as last told to controllers */
    struct list refresh_node;     /* port_refresh.h */
    bool is_told;                 /* controllers have heard of it */
    uint64_t link_resets;         /* how often link_up has changed */
    int64_t created_ms;
    /* Versions of the rows of Port and Interface when they are in force and say all there is to know (config_ports.c), references held; otherwise
     * NULL. */
    const struct row *applied[2];
};

struct group {
    struct hnode node;
    struct of_group of;
    struct of_group *draft; /* what the commit at work makes of it, or NULL */
    bool is_new, is_going;  /* by that commit: OF is not in force; it is, but goes */
    uint64_t n_packets, n_bytes;
    struct bucket_count { /* as many as OF has buckets, in their order; NULL: no packet yet */
        uint64_t packets, bytes;
    } * bucket_counts;
    int64_t created_ms;
};

enum { METER_BANDS_MAX = 8 };

struct meter {
    struct hnode node;
    struct of_meter of;
    bool in_flows;    /* a flow has named it since it was made */
    struct spin spin; /* what follows, as several threads meter packets */
    int64_t filled_us;
    uint64_t n_packets, n_bytes;
    struct band_count {
        double tokens;           /* packets, or bits */
        uint64_t packets, bytes; /* that it dropped */
    } bands[METER_BANDS_MAX];    /* of OF's */
    int64_t created_ms;
};

struct bridge {
    struct list node; /* in vswitch.bridges */
    struct vswitch *vs;
    uint32_t number;
    char *name;
    uint64_t datapath_id;
    bool secure;           /* fail_mode */
    bool forward_bpdu;     /* NORMAL forwards link-local protocols too */
    bool drop_fragments;   /* SET_CONFIG: fragments are dropped */
    bool frags_have_ports; /* mode nx-match: the first fragment shows its ports */
    struct tables tables;
    struct learned learned;
    struct hmap groups, meters;
    VEC(struct group *) drafts; /* the groups that the commit at work changes */
    struct mac_table macs;
    struct mirrors mirrors;
    struct exports exports;
    struct tlv_map tlvs;
    struct hmap ports, names;
    uint16_t next_ofport;
    struct smap numbers;   /* name of a port -> the OpenFlow number it last had here */
    struct ofserver *of;   /* may be NULL (tests) */
    struct inband *inband; /* NULL: off */
    bool had_controllers;  /* configured, as of the last bridge_apply_fail_mode */
    bool was_secure;       /* the same of SECURE */
    bool fail_mode_applied;
    struct rule *fail_open;  /* the hidden flow of fail_mode=standalone, while it is needed */
    int64_t uncontrolled_ms; /* no controller is connected since; 0: one is */
    bool miss_to_controller; /* some OpenFlow 1.0 controller wants table misses */
};

struct bridge *bridge_new(struct vswitch *vs, const char *name);
void bridge_free(struct bridge *br); /* with its ports */

struct vport_options {
    const char *name;
    const char *type; /* "" is system */
    uint32_t request; /* ofport wanted, 0: any */
    const struct smap *options;
};
/* Adds a port; its device opens now. 0, or an error with the text for the Interface's error column. */
int bridge_add_port(struct bridge *br, const struct vport_options *options, struct vport **ret,
                    struct diag *diag) MUST_CHECK;
void bridge_remove_port(struct bridge *br, struct vport *port);
/* Takes changed options. */
int vport_configure(struct vport *port, const struct smap *options, struct diag *diag) MUST_CHECK;
struct vport *bridge_port(const struct bridge *br, uint32_t ofport); /* or NULL */
struct vport *bridge_port_named(const struct bridge *br, const char *name);
/* The ports in order of number. Freed by the caller. */
typedef VEC(struct vport *) vport_vec;
void bridge_ports_sorted(const struct bridge *br, vport_vec *ret);
/* The other end of a patch port; NULL: not one, or the peer is not there or does not point back. */
struct vport *vport_peer(const struct vport *port);
/* For texts; valid while the bridge stands. The struct is filled in and points to BR. */
struct bridge_port_names {
    struct port_names names;
    const struct bridge *br;
};
void bridge_names(const struct bridge *br, struct bridge_port_names *ret);

/* Packets can cross PORT from now on: controllers hear of it. */
void vport_begun(struct vport *port);
void vport_describe(const struct vport *port, struct of_port *ret);
struct port_stats vport_stats(const struct vport *port);
bool vport_is_up(const struct vport *port); /* carries packets: not configured down */
/* What is sent there arrives, as far as the link, and BFD where it is on, can tell. */
bool vport_is_live(const struct vport *port);
/* Takes Interface.bfd: a session begins, changes or ends (vport_bfd.c). */
/* Takes the queues that the port is to have; CONFIG is emptied (vport_qos.c). */
void vport_set_qos(struct vport *port, struct qos_config *config);
/* Asks what the queues have sent; the answer comes later. */
void vport_count_queues(struct vport *port);
/* PORT goes, and its queues with it. */
void vport_end_qos(struct vport *port);
/* Limits of what it receives: kilobits and thousands of packets a second, and how many at once; 0: none. */
void vport_set_policing(struct vport *port, uint64_t kbps, uint64_t burst_kb, uint64_t kpps,
                        uint64_t burst_kpkts);
bool vport_police(struct vport *port, size_t size); /* true: the packet may pass */
void vport_set_bfd(struct vport *port, const struct smap *options);

/* The group or meter that packets and readers meet, or NULL. */
struct group *bridge_group(const struct bridge *br, uint32_t id);
struct meter *bridge_meter(const struct bridge *br, uint32_t id);
/* Whether there is one for the commit at work, which has begun, or removed, some; without a commit: as bridge_group. */
bool bridge_has_group(const struct bridge *br, uint32_t id);
/* A mod message, flows that use what it deletes included: 0 or an OF_ERROR. What a commit at work does to groups is in force from groups_flip on;
 * groups_undo forgets it. */
int bridge_group_mod(struct bridge *br, const struct of_group_mod *gm,
                     struct journal *journal) MUST_CHECK;
int bridge_meter_mod(struct bridge *br, const struct of_meter_mod *mm,
                     struct journal *journal) MUST_CHECK;
/* Groups or meters without their flows, which the caller removes; a commit at work is in force before meters go. */
void bridge_groups_remove(struct bridge *br, uint32_t id); /* or OF_GROUP_ALL */
void bridge_meters_remove(struct bridge *br, uint32_t id); /* or OF_METER_ALL */
/* Whether flows may use METER, or any (OF_METER_ALL). */
bool bridge_meter_is_in_flows(const struct bridge *br, uint32_t meter);
void groups_flip(struct bridge *br);
void groups_undo(struct bridge *br);
void group_free(struct bridge *br, struct group *group);
/* True: the packet may pass. Counts. */
bool meter_admit(struct meter *meter, size_t size, int64_t now_us);
/* Packets that went through GROUP, and in it bucket BUCKET_ID, or all (OF_BUCKET_ALL). */
void group_count(struct group *group, uint32_t bucket_id, uint64_t packets, uint64_t bytes);
/* A flow mod, with the groups and meters that it names checked first. */
int bridge_flow_mod(struct bridge *br, struct of_flow_mod *fm, struct journal *journal) MUST_CHECK;
/* The same a few flows at a time, for a commit at work: FM is taken over unless an OF_ERROR is returned. */
struct flow_walk;
int bridge_flow_walk(struct bridge *br, struct of_flow_mod *fm, struct flow_walk *ret) MUST_CHECK;
/* Flows of the bridge's own that fail_mode and the presence of controllers ask for: a bridge that is
 * not secure and has no controller gets one NORMAL flow when that becomes so; one whose controllers
 * are all silent gets a hidden one (seeds WK-17) after 15 s. */
void bridge_apply_fail_mode(struct bridge *br);
/* Ends a flow mod or bundle that succeeded: tells controllers of removed flows. */
void bridge_commit(struct bridge *br, struct journal *journal);
/* What bridge_commit does, for a commit that goes in pieces: tells controllers of PART of the changes that are kept; and, when all are, of the
 * room that is left, and removes what was learned from flows that are gone. */
void bridge_tell(struct bridge *br, const struct journal *part);
void bridge_told(struct bridge *br);
