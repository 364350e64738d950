/* internal.h - what the files of in-band control share. */
#pragma once

#include "switchd/inband/inband.h"

struct remote {
    struct inband_remote at;
    struct mac next_hop;   /* zero: not known now */
    struct mac last;       /* the last one that was known */
    struct ip_addr hop_ip; /* of the next hop; the remote's own where there is no route (yet) */
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
};

/* The MAC of the local port as it is now. */
struct mac inband_local_mac(struct inband *ib);
/* Makes the flows those that IB asks for; does nothing when they are already (rules.c). */
void inband_update_rules(struct inband *ib);
void inband_remove_rules(struct inband *ib);
