/* conntrack.h - the connection tracker: which connection a packet belongs to, and address translation.
 *
 * A connection is two tuples (addresses, ports, protocol, zone), one for each direction, that lead to the
 * same state. A packet is parsed (parse.c), its tuple looked up (table.c), the protocol's state machine asked
 * whether the packet fits (tcp.c, sctp.c, state.c), and the answer written into packet.md.ct, where flows
 * match it. A commit makes a connection; until then nothing is remembered. Everything else hangs on these:
 *
 *     nat.c       Translation is the other direction's tuple, reversed: a packet of direction d leaves with
 *                 the reverse of end[!d].tuple. So un-NAT, ICMP errors (whose inner packet is the reverse) and
 *                 source and destination NAT are one function; choosing a free tuple is the only search.
 *     ends.c      The table grows by one chain at a time.
 *     pool.c      The memory of connections.
 *     table.c     Expiry is a wheel of seconds. A packet only moves the connection's time; the wheel looks
 *                 again when the old time comes. Work for each call is bounded, so nothing pauses.
 *     zone.c      Limits and timeouts for each zone.
 *     expect.c    Data connections that a control connection announced (ftp.c, tftp.c).
 *     fragment.c  Fragments wait until their datagram is whole, within bounds of memory and time.
 *     dump.c      Text, in the format of ovs-appctl dpctl/dump-conntrack.
 *
 * The module does no I/O and asks nobody for the time. It is for one thread, but for conntrack_pass. A packet of an established
 * connection allocates nothing. The language is that of ovs-fields(7) and ovs-actions(7), "connection
 * tracking"; the state machines are RFC 9293's and RFC 9260's, the window checks those of G. van Rooij, "Real
 * Stateful TCP Packet Filtering in IP Filter".
 */
#pragma once

#include "base/env.h"
#include "base/str.h"
#include "flow/packet.h"

struct conntrack;

enum { CT_ORIG, CT_REPLY };

/* Who talks to whom, as the packets of one direction say. No holes: hashed and compared as bytes. */
struct ct_tuple {
    struct ip6 src, dst;         /* IPv4 in the first 4 bytes, the rest zero */
    uint16_t src_port, dst_port; /* host order; ICMP: the id, and type * 256 + code */
    uint16_t zone;
    uint8_t proto;
    uint8_t version; /* 4, 6 */
};

enum { CT_NAT_SRC = 1, CT_NAT_DST = 2, CT_NAT_PERSISTENT = 4, CT_NAT_HASH = 8, CT_NAT_RANDOM = 16 };

struct ct_nat {
    uint8_t flags;               /* CT_NAT_*; neither SRC nor DST: what the connection has */
    uint8_t version;             /* 0: no address: only ports, and these only on a clash */
    uint16_t port_min, port_max; /* 0: the packet's own if it is free */
    uint16_t pad;
    struct ip6 addr_min, addr_max;
};

enum { CT_COMMIT = 1, CT_FORCE = 2, CT_TRANSLATE = 4 };
enum ct_helper { CT_HELPER_NONE, CT_HELPER_FTP, CT_HELPER_TFTP };

/* What a ct action asks for. No holes: compared as bytes. */
struct ct_action {
    uint16_t zone;
    uint8_t flags;  /* CT_COMMIT... */
    uint8_t helper; /* enum ct_helper */
    be32 mark, mark_mask;
    struct ip6 label, label_mask;
    struct ct_nat nat;
};

struct conntrack *conntrack_new(struct env *env); /* ENV: randomness only */
void conntrack_free(struct conntrack *ct);

/* Sends PACKET, whose offsets are set (flow_extract), through the tracker: sets packet->md.ct, and changes headers
 * as ACTION says. A packet that fits nowhere gets CT_INV; nothing fails. */
void conntrack_execute(struct conntrack *ct, struct packet *packet, const struct ct_action *action,
                       int64_t now_ms);
/* Where the tracker found the connection of a packet, for a later one that probably belongs to it too: that one needs no search, and can have
 * it fetched beforehand. It may be used for any packet of the same tracker, for as long as that lives, whatever became of
 * the connection. Zero: nothing is known. */
struct ct_hint {
    const void *end;
};
/* The same; HINT (NULL: none) is tried and set. */
void conntrack_execute_near(struct conntrack *ct, struct packet *packet,
                            const struct ct_action *action, int64_t now_ms, struct ct_hint *hint);
/* The same for what several threads may do at once, while none does anything else with CT: packets of connections that are there and go on, and packets of none
 * that make none. (A connection's state is changed by one at a time.) HINT is the thread's own. False: conntrack_execute_near must do it, and nothing has been done. */
bool conntrack_pass(struct conntrack *ct, struct packet *packet, const struct ct_action *action,
                    int64_t now_ms, struct ct_hint *hint) MUST_CHECK;
void conntrack_prefetch(struct ct_hint hint);
/* Ends what has expired, a bounded number; call it several times a second. */
void conntrack_expire(struct conntrack *ct, int64_t now_ms);

/* ---- fragments ---- */

bool conntrack_is_fragment(const struct packet *packet);
struct ct_datagram;
enum ct_hold {
    CT_WAITS, /* the tracker has a copy; PACKET's way ends here */
    CT_WHOLE, /* this was the last one; the datagram has been through the tracker */
    CT_REFUSED /* it belongs to nothing that could become whole: PACKET is invalid, COOKIE is the caller's */
};
/* What conntrack_execute is for other packets. COOKIE says how to go on, for ct_datagram_next. */
enum ct_hold conntrack_hold(struct conntrack *ct, struct packet *packet,
                            const struct ct_action *action, void *cookie, int64_t now_ms,
                            struct ct_datagram **ret);
/* The fragments of a datagram from CT_WHOLE, each once; NULL: that was all. */
struct packet *ct_datagram_next(struct ct_datagram *d, void **cookie);
void ct_datagram_free(struct ct_datagram *d);
/* FN is given the cookies of fragments that are dropped: they waited too long, or too many do. Must be set before
 * conntrack_hold. */
void conntrack_on_drop_fragment(struct conntrack *ct, void (*fn)(void *aux, void *cookie),
                                void *aux);
void conntrack_drop_fragments(struct conntrack *ct); /* all of them */

/* Of each pair the first is for IPv4, the second for IPv6. */
struct ct_fragment_config {
    bool disabled[2]; /* fragments are invalid */
    uint32_t min_size
        [2]; /* of fragments but the last, with their network header; smaller ones are invalid */
    uint32_t max; /* that wait at once */
};
struct ct_fragment_stats {
    uint64_t accepted[2], completed[2], expired[2], too_small[2], overlapped[2], purged[2];
    uint32_t n; /* that wait */
};
enum { CT_MAX_FRAGMENTS = 5000, CT_MIN_FRAGMENT4 = 400, CT_MIN_FRAGMENT6 = 400 };
struct ct_fragment_config *conntrack_fragment_config(struct conntrack *ct); /* may be changed */
void conntrack_fragment_stats(const struct conntrack *ct, struct ct_fragment_stats *ret);
/* A line for each datagram that is not whole yet. */
void conntrack_put_fragments(const struct conntrack *ct, struct str *out);

/* ---- settings ---- */

enum ct_timeout {
#define CT_TIMEOUT(NAME, KEY, SECONDS) CT_TIMEOUT_##NAME,
#include "conntrack/timeouts.def"
#undef CT_TIMEOUT
    N_CT_TIMEOUTS
};
struct ct_timeouts {
    uint32_t seconds[N_CT_TIMEOUTS];
};
void ct_timeouts_default(struct ct_timeouts *ret);
/* By a key of CT_Timeout_Policy; false: not one that is used here. */
bool ct_timeouts_set(struct ct_timeouts *timeouts, const char *key, uint32_t seconds);
/* Of connections in ZONE, from their next packet on; NULL: the defaults. */
void conntrack_set_timeouts(struct conntrack *ct, uint16_t zone,
                            const struct ct_timeouts *timeouts);

uint32_t conntrack_count(const struct conntrack *ct);
uint32_t conntrack_max(const struct conntrack *ct);
void conntrack_set_max(struct conntrack *ct, uint32_t max);
bool conntrack_checks_sequence(const struct conntrack *ct);
void conntrack_check_sequence(struct conntrack *ct, bool check);

/* Connections that a zone may have; 0: any number. */
void conntrack_set_default_limit(struct conntrack *ct, uint32_t limit);
uint32_t conntrack_default_limit(const struct conntrack *ct);
void conntrack_set_limit(struct conntrack *ct, uint16_t zone, uint32_t limit);
void conntrack_unset_limit(struct conntrack *ct, uint16_t zone); /* back to the default */
struct ct_limit {
    uint32_t limit, n;
    bool own; /* not the default one */
};
struct ct_limit conntrack_limit(const struct conntrack *ct, uint16_t zone);

/* ---- what is there ---- */

/* Connections to show or forget. Members that are zero match anything. */
struct ct_filter {
    bool has_zone;
    uint16_t zone;
    struct ct_tuple_filter {
        struct ip_addr src, dst; /* version 0: any */
        uint8_t proto;
        uint16_t src_port, dst_port; /* TCP, UDP, SCTP */
        uint16_t icmp_id;
        uint8_t icmp_type, icmp_code;
    } tuple[2]; /* CT_ORIG, CT_REPLY */
    uint32_t mark, mark_mask;
    u128 label, label_mask;
};
/* Returns how many. */
uint32_t conntrack_flush(struct conntrack *ct, const struct ct_filter *filter);

enum { CT_SHOW_MORE = 1, CT_SHOW_TIMES = 2 };
/* One line a connection. */
void conntrack_put(struct str *s, const struct conntrack *ct, const struct ct_filter *filter,
                   unsigned show, int64_t now_ms);
/* Numbers by protocol; with CT_SHOW_MORE of TCP by state. */
void conntrack_put_stats(struct str *s, const struct conntrack *ct, const struct ct_filter *filter,
                         unsigned show);
/* How many connections each second of the wheel holds; those with more than ABOVE. */
void conntrack_put_buckets(struct str *s, const struct conntrack *ct, unsigned above);

/* What happened since the start. */
struct ct_counters {
    uint64_t n_committed, n_expired, n_early_dropped, n_full, n_zone_full, n_nat_exhausted, n_clash,
        n_invalid, n_expected, n_fragments, n_fragments_expired;
};
const struct ct_counters *conntrack_counters(const struct conntrack *ct);
