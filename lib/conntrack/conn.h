/* conn.h - private to lib/conntrack: a connection, the tracker, and what its files have for one another; see conntrack.h. */
#pragma once

#include "base/hmap.h"
#include "base/list.h"
#include "base/spin.h"
#include "base/vec.h"
#include "conntrack/conntrack.h"

enum {
    CT_WHEEL_SLOTS = 1024,      /* seconds */
    CT_MAX_DEFAULT = 3000000,   /* connections */
    CT_MAX_EXPECTATIONS = 4096, /* announced data connections */
    CT_MAX_FRAGMENTS_DEFAULT = 1000,
    CT_EXPIRE_BUDGET = 10000, /* connections looked at in one call of conntrack_expire */
};

/* One side of a TCP connection: what it sent and may send (van Rooij, section 4). */
struct tcp_side {
    uint32_t end;     /* one beyond the highest sequence number sent */
    uint32_t max_end; /* the highest that the other side has allowed */
    uint32_t max_win; /* the largest window offered; 0: nothing was heard from this side */
    uint8_t scale;    /* of its windows, RFC 7323 */
    uint8_t state;    /* enum tcp_state */
    uint8_t scaled;   /* its SYN had the option */
    uint8_t pad;
};
enum tcp_state { TCP_NONE, TCP_SYN_SENT, TCP_OPEN, TCP_FIN_SENT, TCP_FIN_ACKED, TCP_RESET };

struct sctp_side {
    uint32_t vtag; /* that packets of this direction carry; 0: not known */
};

/* What is added to the sequence numbers of one side, seq.c. */
struct ct_seq_side {
    uint32_t at;             /* the last change is behind this number of the side's own */
    uint32_t before, behind; /* added to numbers up to AT, and to later ones */
    bool used;
};
struct ct_seq {
    struct ct_seq_side side[2];
};

/* A direction of a connection, in the table. A cache line. */
struct ct_end {
    struct hnode node;
    struct ct_tuple tuple;
    uint8_t dir;
};

struct ct_conn {
    struct ct_end end[2];
    /* What every packet needs: the next cache line. */
    int64_t expires_ms;
    struct ct_zone *zone;
    struct ct_tuple
        *parent; /* original tuple of the connection that announced this one; NULL: none did */
    struct ct_seq *seq; /* NULL: its sequence numbers stay */
    struct ip6 label;
    be32 mark;
    uint32_t slot;  /* the second at which the wheel looks */
    uint8_t nat;    /* CT_NAT_SRC, CT_NAT_DST: what packets of the original direction get */
    uint8_t helper; /* enum ct_helper */
    bool
        replied; /* packets of both directions were seen, or must have been before it was tracked */
    uint8_t state;    /* SCTP: enum sctp_state; UDP: more than one packet was seen */
    struct spin spin; /* see conntrack_pass */
    /* And the one behind it. */
    union {
        struct tcp_side tcp[2];
        struct sctp_side sctp[2];
    };
    struct list expiry; /* in a slot of the wheel */
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct ct_conn) == 256, "four cache lines");

struct ct_chunk;
struct ct_pool {
    VEC(struct ct_chunk *) chunks;
    struct list room;       /* chunks that are not full; one is filled after the other */
    struct ct_chunk *spare; /* was the last to become empty; or NULL */
};

struct ct_zone {
    struct hnode node;
    uint16_t zone;
    bool limited; /* has a limit of its own */
    uint32_t limit;
    uint32_t n; /* connections */
    struct ct_timeouts timeouts;
};

struct ct_expectation {
    struct hnode node;
    struct list lru;
    struct ct_tuple tuple; /* src_port 0 */
    struct ct_tuple parent;
    struct ip6 label;
    be32 mark;
    int64_t expires_ms;
    /* The address and port that the announcer really has, where the announcement was translated. */
    bool translated;
    struct ip6 real_dst;
    uint16_t real_port;
};

/* The tuples of all connections; see ends.c. */
struct ct_ends {
    struct hnode ***segments;
    size_t n_chains;
    size_t mask; /* the lowest 2^k - 1 that is not below n_chains - 1 */
    size_t n;
};

struct conntrack {
    struct env *env;
    uint64_t seed;
    struct ct_ends ends;
    struct ct_pool pool;
    struct hmap zones;
    struct hmap expectations;
    struct list expectation_lru;
    struct hmap datagrams;
    struct list datagram_lru;
    uint32_t n_fragments, fragment_bytes; /* that wait */
    struct ct_fragment_config fragment_config;
    struct ct_fragment_stats fragment_stats;
    bool assembled; /* the packet in work is made of fragments, whose lengths must stay */
    void (*drop_fragment)(void *aux, void *cookie);
    void *drop_aux;
    struct list wheel[CT_WHEEL_SLOTS];
    struct spin wheel_spin; /* see conntrack_pass */
    uint32_t wheel_s;       /* the next second to look at; 0: no time is known yet */
    uint32_t n, max;
    uint32_t default_limit;
    bool liberal; /* no window checks */
    struct ct_timeouts timeouts;
    struct ct_counters counters;
};

/* ---- parse.c ---- */

/* Where the network and transport headers of a packet, or of one inside an ICMP error, lie. */
struct ct_headers {
    struct ct_tuple tuple; /* but the zone */
    uint8_t *l3, *l4;
    uint32_t l4_len; /* bytes that are there */
    bool fragment;   /* of any kind */
    bool later;      /* not the first */
};
struct ct_packet {
    struct packet *packet;
    struct ct_headers outer;
    struct ct_tuple tuple;   /* what to look up */
    bool is_error;           /* an ICMP error: TUPLE is the reverse of INNER's */
    struct ct_headers inner; /* of an error */
    uint32_t seq;            /* TCP: as its sender wrote it */
};
/* Reads N bytes at L3. CUT: they may end before the packet does. False: no IP packet that can be tracked. */
bool ct_headers_parse(uint8_t *l3, size_t n, bool cut, struct ct_headers *ret);
/* False: malformed, or a checksum is wrong. */
bool ct_packet_parse(struct packet *packet, uint16_t zone, struct ct_packet *ret);
void ct_tuple_reverse(const struct ct_tuple *tuple, struct ct_tuple *ret);
bool ct_proto_is_icmp(uint8_t proto);
bool ct_proto_has_ports(uint8_t proto);

/* ---- table.c ---- */
struct ct_conn *ct_find(struct conntrack *ct, const struct ct_tuple *tuple, int64_t now_ms,
                        int *dir);
/* The same; HINT (NULL: none) is tried and set. */
struct ct_conn *ct_find_near(struct conntrack *ct, const struct ct_tuple *tuple, int64_t now_ms,
                             int *dir, struct ct_hint *hint);
/* The same, whether its time is over or not. */
struct ct_conn *ct_peek(const struct conntrack *ct, const struct ct_tuple *tuple, int *dir,
                        struct ct_hint *hint);
bool ct_tuple_is_free(struct conntrack *ct, const struct ct_tuple *tuple, int64_t now_ms);
/* Both tuples, the zone and the time are set. */
void ct_insert(struct conntrack *ct, struct ct_conn *conn, int64_t now_ms);
void ct_remove(struct conntrack *ct, struct ct_conn *conn); /* and frees it */
void ct_touch(struct conntrack *ct, struct ct_conn *conn, enum ct_timeout timeout, int64_t now_ms);
/* Makes room for one more; false: there is none. */
bool ct_make_room(struct conntrack *ct, int64_t now_ms);
struct ct_conn *ct_end_conn(const struct ct_end *end);

/* ---- track.c, fragment.c ---- */
void ct_set_invalid(struct conntrack *ct, struct packet *packet, uint16_t zone);
void ct_fragments_expire(struct conntrack *ct, int64_t now_ms);

/* ---- pool.c ---- */
void ct_pool_init(struct ct_pool *pool);
void ct_pool_fini(struct ct_pool *pool);           /* no connection is left */
struct ct_conn *ct_conn_new(struct ct_pool *pool); /* of zeros, in no table */
void ct_conn_free(struct ct_pool *pool, struct ct_conn *conn);

/* ---- ends.c ---- */
void ct_ends_insert(struct ct_ends *ends, struct ct_end *end, uint64_t hash);
void ct_ends_remove(struct ct_ends *ends, struct ct_end *end); /* which must be there */
struct ct_end *ct_ends_find(const struct ct_ends *ends, const struct ct_tuple *tuple,
                            uint64_t hash);
void ct_ends_fini(struct ct_ends *ends);

/* ---- zone.c ---- */
struct ct_zone *ct_zone_find(const struct conntrack *ct, uint16_t zone);
struct ct_zone *ct_zone_get(struct conntrack *ct, uint16_t zone); /* makes it */
bool ct_zone_is_full(const struct conntrack *ct, const struct ct_zone *zone);

/* ---- state machines: tcp.c, sctp.c, state.c ---- */
enum ct_fit {
    CT_FITS,
    CT_MISFIT, /* invalid; nothing was changed */
    CT_RESTART /* the connection has ended, and this begins another one */
};
enum ct_fit ct_state_update(struct conntrack *ct, struct ct_conn *conn, int dir,
                            const struct ct_packet *p, int64_t now_ms);
bool ct_state_may_begin(const struct ct_packet *p);
void ct_state_begin(struct ct_conn *conn, const struct ct_packet *p, int64_t now_ms);
const char *ct_state_name(const struct ct_conn *conn); /* NULL: the protocol has none */

bool tcp_flags_valid(uint16_t ctl);
enum ct_fit tcp_update(struct ct_conn *conn, int dir, const struct ct_packet *p, bool liberal);
void tcp_begin(struct ct_conn *conn, const struct ct_packet *p);
enum ct_timeout tcp_timeout(const struct ct_conn *conn);
const char *tcp_merged_name(const struct ct_conn *conn);
const char *tcp_side_name(const struct tcp_side *side);

bool sctp_may_begin(const struct ct_packet *p);
enum ct_fit sctp_update(struct ct_conn *conn, int dir, const struct ct_packet *p);
void sctp_begin(struct ct_conn *conn, const struct ct_packet *p);
enum ct_timeout sctp_timeout(const struct ct_conn *conn);
const char *sctp_state_name(uint8_t state);

/* ---- nat.c ---- */
/* Sets the tuple of the reply direction. False: every tuple that ACTION allows is taken. */
bool ct_nat_choose(struct conntrack *ct, struct ct_conn *conn, const struct ct_action *action,
                   int64_t now_ms);
/* Translates a packet, or an ICMP error, of direction DIR. Returns the CT_SNAT and CT_DNAT that it now has. */
uint32_t ct_nat_apply(const struct ct_conn *conn, int dir, struct ct_packet *p);

/* ---- seq.c ---- */
/* The text of a segment of side DIR, which it sent with SEQ, became DELTA bytes longer. */
void ct_seq_note(struct ct_conn *conn, int dir, uint32_t seq, int32_t delta);
/* An acknowledgment of side DIR, in the other side's own numbers. */
uint32_t ct_seq_ack(const struct ct_conn *conn, int dir, uint32_t ack);
/* Shifts the numbers in a segment that side DIR has sent. */
void ct_seq_apply(const struct ct_conn *conn, int dir, struct ct_packet *p);

/* ---- expect.c, ftp.c, tftp.c ---- */
/* Side DIR of CONN has announced that the other side will come to its PORT. */
void ct_expect_add(struct conntrack *ct, const struct ct_conn *conn, int dir, uint16_t port,
                   int64_t now_ms);
struct ct_expectation *ct_expect_find(struct conntrack *ct, const struct ct_tuple *tuple,
                                      int64_t now_ms);
void ct_expect_end(struct conntrack *ct, struct ct_expectation *e);
void ct_expect_expire(struct conntrack *ct, int64_t now_ms);
/* Gives CONN, which E announced, the reply tuple that leads to the announcer. False: it is taken. */
bool ct_expect_translate(struct conntrack *ct, const struct ct_expectation *e, struct ct_conn *conn,
                         int64_t now_ms);
/* Read the payload of a packet of CONN. TRANSLATE: the packet has been translated, and so is an address in its text. */
void ct_ftp(struct conntrack *ct, struct ct_conn *conn, int dir, struct ct_packet *p,
            bool translate, int64_t now_ms);
void ct_tftp(struct conntrack *ct, const struct ct_conn *conn, int dir, const struct ct_packet *p,
             int64_t now_ms);
