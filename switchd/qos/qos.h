/* qos.h - queues of a port: rows QoS and Queue become the kernel's classes on the port's device (ovs-vswitchd.conf.db(5)).
 *
 * Queue N is class 1:(N+1) of the device, below a class of the whole port's rate; packets are put into it by their priority, which
 * set_queue and enqueue give. Types: linux-htb and linux-hfsc with queues; linux-sfq, linux-codel, linux-fq_codel and linux-netem
 * without; linux-noop leaves the device as somebody else set it up. Only ports with a device of the kernel have queues.
 */
#pragma once

#include "base/diag.h"
#include "base/vec.h"
#include "switchd/qos/tc.h"
#include "switchd/smap.h"

struct qos_queue {
    uint32_t id;
    int dscp; /* that its packets get; -1: none */
    struct smap config;
    int64_t created_ms;
    struct tc_class_stats sent; /* as of the last answer */
};

struct qos_config {
    char *type; /* NULL: none */
    struct smap config;
    VEC(struct qos_queue) queues; /* in order of id */
};

struct qos {
    struct qos_config config; /* as applied */
    bool failed;              /* the kernel refused it */
    uint32_t ifindex;
};

struct qos_stats {
    uint64_t packets, bytes, errors;
    int64_t created_ms;
};

/* What is to be done to a device, as the kernel may take its time: by anybody's thread. */
struct qos_job {
    struct qos qos; /* to install; a copy */
    uint32_t mtu;
    bool clears; /* first */
};

void qos_config_fini(struct qos_config *config);
bool qos_config_equal(const struct qos_config *a, const struct qos_config *b);

/* The port's queues are those of CONFIG, which is taken over, from now on. False: they were before. True: JOB is to be run and freed. SPEED_MBPS 0: unknown. */
bool qos_apply(struct qos *qos, uint32_t ifindex, uint32_t mtu, uint32_t speed_mbps,
               struct qos_config *config, int64_t now_ms, struct qos_job *job);
int qos_job_run(const struct qos_job *job, struct diag *diag) MUST_CHECK;
void qos_job_fini(struct qos_job *job);
void qos_fini(struct qos *qos);
/* Whether the device's root discipline is one that we have set, and whether there are classes that count. */
bool qos_is_ours(const struct qos *qos);
bool qos_has_counters(const struct qos *qos);
/* Takes over what class 1:MINOR of the device has sent. */
void qos_set_sent(struct qos *qos, uint32_t minor, const struct tc_class_stats *sent);

const struct qos_queue *qos_queue(const struct qos *qos, uint32_t id); /* or NULL */
bool qos_has_queue(const struct qos *qos, uint32_t id);
/* What a queue had sent when it was asked last (vport_qos.c: each second). False: there is no such queue. */
bool qos_queue_stats(const struct qos *qos, uint32_t id, struct qos_stats *ret);
/* The DSCP that queue ID marks packets with; -1: none. */
int qos_dscp(const struct qos *qos, uint32_t id);
/* Bits a second: the port's max-rate; a queue's min-rate or max-rate as they are in force. */
uint64_t qos_max_rate(const struct qos *qos);
uint64_t qos_queue_rate(const struct qos *qos, const struct qos_queue *queue, bool max);
/* The packet priority that puts packets into queue ID. */
static inline uint32_t qos_priority(uint32_t id)
{
    return 1u << 16 | (id + 1);
}
/* The types that ports with a device can have, ended by NULL. */
extern const char *const qos_types[];
