/* vswitch.h - the switch as a whole: bridges, one datapath, the way of a packet through the caches.
 *
 *     port rx (32 packets) -> flow_extract -> signatures -> megaflow cache -> xlate -> exec
 *                                                                  ^ dp_actions: the seam
 *
 * What a device's packet does not find in the caches waits in its port's queue (upcall.h) and is translated later in the turn.
 *
 * Everything runs in the loop's thread, which has the whole (forward/turn.h), but for packets that forwarders carry (forward/forwarder.h): these are inside, and read
 * what is here, but write only what their worker has (worker.h). What must be added or ended for a packet is done alone: lane_be_alone stands before it. A packet's
 * key carries the datapath number of its port in in_port; a translation sees the OpenFlow number.
 */
#pragma once

#include "io/tls.h"
#include "switchd/bridge.h"
#include "switchd/deps.h"
#include "switchd/dp.h"
#include "switchd/expiry.h"
#include "switchd/forward/handoff.h"
#include "switchd/port_refresh.h"
#include "switchd/recirc.h"
#include "switchd/upcall.h"
#include "switchd/worker.h"

struct megaflows;
struct xlate_out;

enum { BUNDLE_IDLE_DEFAULT_MS = 10000 };

struct vswitch {
    struct loop *loop;
    struct env *env;
    struct counters *counters;
    char *rundir;
    struct tls_config *tls_db;    /* as the database says, config_tls.c */
    const struct tls_config *tls; /* of OpenFlow connections: that, or the command line's */
    struct port_host host;
    struct list bridges;
    VEC(struct vport *) dp_ports; /* by dp_no; NULL: free. Number 0 is never used */
    struct megaflows *cache;
    struct worker own;   /* the main thread's */
    struct list workers; /* this, and those of forwarders */
    /* Grows when any translation made earlier may be wrong: ports, options. Of flows, groups, MACs: deps. */
    uint64_t generation;
    struct deps deps;
    struct { /* revalidate.c: the walk over the megaflows */
        bool on;
        size_t left;
        uint64_t seq;                  /* deps.seq when it began */
        int64_t began_ms, credited_ms; /* the start of this one; of the last that is done */
        uint64_t n_revalidated;
        struct timer timer;
    } walk;
    struct expiry expiry;
    struct port_refresh refresh;
    uint32_t next_bridge;
    struct conntrack *ct;
    struct recirc_table recirc;
    struct upcalls upcalls;
    struct handoffs handoffs;
    struct xlate_out *spare; /* memory for translations; NULL: in use */
    int64_t bundle_idle_ms;  /* a bundle that nobody goes on with is forgotten */
    bool restore_wait;       /* flows are being put back: no packet is taken */
    bool no_cache;           /* for tests that compare: vswitch_rx_uncached */
    struct counter *drops[N_DROP_REASONS];
    uint64_t n_xlate;
    struct timer tick, ct_tick;
    /* Called each second and when a port's state changed; for the database. May be NULL. */
    void (*on_tick)(void *aux);
    /* Called when the port NAME could not be opened, or has queues and another speed than before. May be NULL. */
    void (*on_port)(void *aux, const char *name);
    void *tick_aux;
};

void vswitch_init(struct vswitch *vs, struct loop *loop, struct counters *counters,
                  const char *rundir);
void vswitch_fini(struct vswitch *vs);
struct bridge *vswitch_bridge(const struct vswitch *vs, const char *name);
struct bridge *vswitch_bridge_numbered(const struct vswitch *vs, uint32_t number); /* or NULL */
struct vport *vswitch_port(const struct vswitch *vs, uint32_t dp_no);
/* Puts PORT into the datapath; sets its dp_no. */
void vswitch_attach(struct vswitch *vs, struct vport *port);
void vswitch_detach(struct vswitch *vs, struct vport *port);
/* Everything cached is in doubt. */
void vswitch_invalidate(struct vswitch *vs);
/* Flows of BR have changed as JOURNAL says, group ID has, the answer for MAC has. */
void vswitch_flows_changed(struct vswitch *vs, const struct bridge *br,
                           const struct journal *journal);
void vswitch_group_changed(struct vswitch *vs, const struct bridge *br, uint32_t id);
void vswitch_mac_changed(struct vswitch *vs, const struct bridge *br, struct mac mac,
                         uint16_t vlan);
/* This thread's. */
static inline struct worker *vswitch_worker(struct vswitch *vs)
{
    return port_io(&vs->host)->worker;
}
static inline void vswitch_drop(struct vswitch *vs, enum drop_reason reason)
{
    struct worker *worker = vswitch_worker(vs);
    if (worker->tallies)
        worker->drops[reason]++;
    else
        counter_add(vs->drops[reason], 1);
}

/* What ports call: packets that arrived on PORT, whose owner is a struct vport. */
void vswitch_rx(void *vs, struct port *port, struct packet *packets, size_t n);
/* Goes on with PACKET, which has been through the tracker, from STATE; PACKET is changed. */
void vswitch_recirculate(struct vswitch *vs, struct packet *packet, struct recirc_state *state);
/* What the packet on its way knows of the connection of its next ct action; NULL: it remembers nothing. */
struct ct_hint *vswitch_next_conn(struct vswitch *vs);
/* Serves PACKET of PORT, which has waited: through the caches, and translated if need be. */
void vswitch_translate(struct vswitch *vs, struct vport *port, struct packet *packet);
/* As vswitch_rx, without the caches: for tests that compare. */
void vswitch_rx_uncached(struct vswitch *vs, struct vport *port, struct packet *packet);
struct of_ct_flush;
/* Forgets connections: all, those of a zone, those with the tuples, mark, label. Tuples without a zone: zone 0. */
void vswitch_ct_flush(struct vswitch *vs, const struct of_ct_flush *flush);
/* Credits flows with what the caches have counted; call before reading counters. */
void vswitch_push_stats(struct vswitch *vs);
/* Expires flows and MACs, sweeps the caches: what the tick does each second. */
void vswitch_tick(struct vswitch *vs);

/* Runs PACKET through ACTIONS as coming from IN_PORT (an OpenFlow number) of BR: packet-out. KEY's
 * metadata members are taken over. */
void vswitch_packet_out(struct bridge *br, const struct packet *packet,
                        const struct match *metadata, const void *actions, size_t n);
/* Goes on where a controller(pause) stopped; DATA has passed continuation_check. */
void vswitch_resume(struct bridge *br, const struct packet *packet, const struct match *metadata,
                    const uint8_t *data, size_t n);
/* For showing MATCH: the options that its key has a number for, instead of the number. */
void vswitch_match_options(const struct vswitch *vs, struct match *match);
/* The key of PACKET with METADATA's registers and the like; sets the packet's offsets. */
void vswitch_metadata_key(struct vswitch *vs, struct packet *packet, const struct match *metadata,
                          struct flow_key *ret);
