/* ofserver.h - the OpenFlow side of a bridge: who controls it, and what they are told.
 *
 * Listens at RUNDIR/BRIDGE.mgmt for management connections and keeps connections to the controllers
 * that are configured. Speaks OpenFlow 1.0 (with Nicira's extensions), 1.3, 1.4 and 1.5, negotiated for
 * each connection. A management connection gets no asynchronous messages until it has sent SET_CONFIG
 * with miss_send_len above zero; a controller gets them from the start.
 *
 *     ofserver.c     connections, dispatch, what is told unasked
 *     ofbundle.c     bundles
 *     ofcontroller.c the configured controllers
 *     ofstats.c      multipart requests
 *     oftable.c      flow tables
 *     ofmonitor.c    flow monitors
 *     ofsnoop.c      onlookers
 *     ofpacket.c     packet-in, packet-out, resume
 *
 * Room 11 of docs/architecture.md.
 */
#pragma once

#include "switchd/bridge.h"

struct dp_packet_in;
struct journal;

/* TARGET such as "punix:/run/br0.mgmt" or NULL: no management socket. */
int ofserver_new(struct bridge *br, const char *management, struct ofserver **ret,
                 struct diag *diag) MUST_CHECK;
void ofserver_free(struct ofserver *of);
/* Who connects to TARGET such as "punix:/run/br0.snoop" sees what the bridge and its controllers say to one another. */
int ofserver_listen_snoop(struct ofserver *of, const char *target, struct diag *diag) MUST_CHECK;

struct ofcontroller_config {
    const char *target;
    int64_t probe_ms;
    int64_t max_backoff_ms;
};
/* Makes the configured controllers those; connections that stay are not touched. */
void ofserver_set_controllers(struct ofserver *of, const struct ofcontroller_config *configs,
                              size_t n);
/* State of the N-th of them, for the database. */
struct ofcontroller_status {
    const char *target;
    bool connected;
    const char *role;
    const char *state, *last_error; /* of_remote_state, of_remote_last_error; passive: NULL */
    int64_t connected_ms, disconnected_ms; /* when it last was, by the env's clock; 0: never */
};
size_t ofserver_controllers(const struct ofserver *of, struct ofcontroller_status *ret, size_t max);
/* Whether there are controllers, and whether one of them is connected (true when there is none); for
 * fail_mode. A passive target (ptcp:) is a service like the management socket, not a controller. */
bool ofserver_has_controllers(const struct ofserver *of);
bool ofserver_is_controlled(const struct ofserver *of);

/* Drops the connections to controllers; they are made anew. */
void ofserver_reconnect(struct ofserver *of);
/* Each second: forgets bundles that nobody finishes. */
void ofserver_tick(struct ofserver *of, int64_t now_ms);
/* Sends a packet-in to those who want it. False: nobody did. */
bool ofserver_packet_in(struct ofserver *of, const struct packet *packet,
                        const struct dp_packet_in *pin);
void ofserver_port_status(struct vport *port, enum of_port_reason reason);
/* Carries out PM, which has been checked, and tells controllers. */
void ofserver_port_mod(struct bridge *br, const struct of_port_mod *pm);
/* JOURNAL is about to be kept: tells those who watch flows. */
void ofmonitor_report(struct ofserver *of, const struct journal *journal);
void ofserver_flow_removed(struct ofserver *of, const struct rule *rule,
                           const struct minimatch *match, uint8_t reason);
/* Flows have come or gone: tells controllers of tables whose room passed a mark (VACANCY_DOWN, VACANCY_UP). */
void ofserver_tables_changed(struct ofserver *of);
/* Works on a message as if it had come from a management connection of VERSION; replies are appended
 * to REPLIES. For tests. */
void ofserver_inject(struct ofserver *of, uint8_t version, const void *msg, size_t n,
                     struct of_buf *replies);
