/* internal.h - what the files of in-band control share. */
#pragma once

#include "switchd/inband/inband.h"

struct remote {
    struct inband_remote at;
    struct mac next_hop;   /* zero: not known now */
    struct mac last;       /* the last one that was known */
    struct mac seen;       /* of ARP from its address on the way through the bridge */
    struct ip_addr hop_ip; /* of the next hop; the remote's own where there is no route (yet) */
};

enum { INBAND_NOTICES = 64 };
enum sign { SIGN_NONE, SIGN_OTHER_REMOTE, SIGN_OTHER_HOP, SIGN_DROPPED_REQUEST };
struct notice { /* a log line about a switch behind this one */
    enum sign sign;
    u128 what; /* the address or MAC it was about */
    int64_t told_ms;
};

struct inband {
    struct bridge *br;
    const struct inband_kernel *kernel;
    struct timer timer;
    VEC(struct remote) remotes;
    int64_t queue;
    struct mac local;                      /* zero: not known */
    int64_t next_local_ms, next_remote_ms; /* when to look again */
    uint64_t n_refreshes;
    bool no_local; /* it was said that there is no local port */
    VEC(struct rule *) rules;
    struct str wanted; /* the rules' identity: priorities and matches as bytes, and the queue */
    struct notice notices[INBAND_NOTICES];
    int64_t questions_ms; /* to the kernel, about notices: since when they are counted */
    unsigned n_questions;
};

/* The MAC of the local port as it is now. */
struct mac inband_local_mac(struct inband *ib);
/* What the host knows of the way to R: its next hop's MAC, or zero; notes the next hop's address. */
struct mac inband_find_next_hop(struct inband *ib, struct remote *r);
/* The halves of inband_amend: DHCP replies to the local port (dhcp.c), log lines about switches that get no help (notice.c). */
void inband_amend_dhcp(struct inband *ib, const struct vport *local, const struct packet *packet,
                       const struct flow_key *key, struct xlate_out *out);
void inband_notice(struct inband *ib, const struct vport *in_port, const struct flow_key *key,
                   struct xlate_out *out);
/* Makes the flows those that IB asks for; does nothing when they are already (rules.c). */
void inband_update_rules(struct inband *ib);
void inband_remove_rules(struct inband *ib);
