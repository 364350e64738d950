/* signature.h - the exact-match cache in front of the megaflows: the hash of a whole key, and what the packets that have it met.
 *
 * A signature answers a packet that has come in; its course says what the same packet met on its later passes (behind a ct action): megaflows,
 * and connections of the tracker. Each is verified when it is used, so a course is never wrong, only of no use; since it is
 * known beforehand, all of it is fetched for a batch of packets before the first one goes its way (signatures_prefetch*).
 *
 * A signature or course that refers to a megaflow keeps its memory (megaflow.n_signatures), not the megaflow. Each thread that carries packets has signatures of
 * its own (worker.h); only that number is shared.
 */
#pragma once

#include "conntrack/conntrack.h"
#include "flow/key.h"

struct megaflow;

enum { SIGNATURE_WAYS = 4, SIGNATURE_BUCKETS = 65536, COURSE_PART = 4, COURSE_PARTS = 2 };

struct signature_bucket { /* one cache line */
    struct megaflow *flow[SIGNATURE_WAYS];
    uint32_t sig[SIGNATURE_WAYS];
    uint32_t next;    /* to be replaced */
    uint32_t courses; /* bit PART * SIGNATURE_WAYS + way: that part of its course is in use */
    uint32_t pad[2];
};

struct course_part { /* one cache line */
    struct megaflow *flow[COURSE_PART];
    struct ct_hint conn[COURSE_PART];
};

struct signatures {
    void *memory; /* of both */
    struct signature_bucket *buckets;
    struct course_part *courses[COURSE_PARTS]; /* of each way of each bucket */
    size_t *n_dead; /* megaflows of which only the memory is left, whoever refers to them */
    uint32_t dead_cursor;
    struct {                             /* of the packet that is on its way */
        struct signature_bucket *bucket; /* NULL: it has no course */
        unsigned way, n_flows, n_conns;  /* met so far */
    } walk;
};

void signatures_init(struct signatures *s, size_t *n_dead);
void signatures_fini(struct signatures *s);
/* The megaflow for KEY, whose hash is HASH, or NULL. BEGIN: the packet has come in, and its course begins here. */
struct megaflow *signatures_find(struct signatures *s, const struct flow_key *key, uint64_t hash,
                                 bool begin);
/* FLOW answers keys with HASH from now on. */
void signatures_put(struct signatures *s, uint64_t hash, struct megaflow *flow, bool begin);
/* Where the packet on its way finds, and leaves, the megaflow of its next pass, and the connection of its next ct action. NULL: nowhere. */
struct megaflow **signatures_next_flow(struct signatures *s);
struct ct_hint *signatures_next_conn(struct signatures *s);
/* Leaves FLOW at AT, which signatures_next_flow returned. */
void signatures_leave_flow(struct signatures *s, struct megaflow **at, struct megaflow *flow);
/* Drops what the next N_BUCKETS remember of dead megaflows. */
void signatures_forget_dead(struct signatures *s, unsigned n_buckets);

/* The packet has gone its way. */
static inline void signatures_end(struct signatures *s)
{
    s->walk.bucket = NULL;
}

/* Three steps, some time apart, that fetch what a packet whose key has HASH will meet. */
static inline void signatures_prefetch(const struct signatures *s, uint64_t hash)
{
    __builtin_prefetch(&s->buckets[hash % SIGNATURE_BUCKETS]);
}
/* True: the third step is of use. */
bool signatures_prefetch_flow(const struct signatures *s, uint64_t hash);
void signatures_prefetch_course(const struct signatures *s, uint64_t hash);
