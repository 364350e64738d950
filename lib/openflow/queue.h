/* queue.h - queues of ports: their statistics and what they guarantee. */
#pragma once

#include "openflow/flow_mod.h"

#define OF_QUEUE_ALL 0xffffffffu
#define OF_QUEUE_RATE_UNKNOWN 0xffff

/* QUEUE_STATS, QUEUE_GET_CONFIG (1.0 to 1.3) and QUEUE_DESC (1.4 and later) ask for the same. */
struct of_queue_request {
    uint32_t port;  /* PORT_ANY: all */
    uint32_t queue; /* OF_QUEUE_ALL */
};
void of_queue_stats_request_encode(const struct of_queue_request *req, uint8_t version,
                                   uint32_t xid, struct of_buf *out);
int of_queue_stats_request_decode(const struct of_msg *msg,
                                  struct of_queue_request *ret) MUST_CHECK;
/* As QUEUE_GET_CONFIG, which cannot name a queue, or QUEUE_DESC. */
void of_queue_config_request_encode(const struct of_queue_request *req, uint8_t version,
                                    uint32_t xid, struct of_buf *out);
int of_queue_config_request_decode(const struct of_msg *msg,
                                   struct of_queue_request *ret) MUST_CHECK;

struct of_queue_stats {
    uint32_t port, queue;
    uint64_t tx_bytes, tx_packets, tx_errors;
    uint32_t duration_sec, duration_nsec; /* UINT32_MAX: unknown */
};
void of_queue_stats_put(struct of_reply *reply, const struct of_queue_stats *qs);
/* Walks a reply: *OFS starts at 0. 1, 0 at the end, negative -OF_ERROR. */
int of_queue_stats_next(const struct of_msg *msg, size_t *ofs,
                        struct of_queue_stats *ret) MUST_CHECK;

struct of_queue_config {
    uint32_t port, queue;
    uint16_t min_rate,
        max_rate; /* tenths of a per cent of the port's rate, OF_QUEUE_RATE_UNKNOWN */
};
/* Begins the reply of QUEUE_GET_CONFIG for PORT; of_end ends it. */
size_t of_queue_config_begin(uint32_t port, const struct of_msg *request, struct of_buf *out);
void of_queue_config_put(struct of_buf *out, uint8_t version, const struct of_queue_config *qc);
/* Walks a reply of either kind; *PORT is that of a QUEUE_GET_CONFIG. */
int of_queue_config_next(const struct of_msg *msg, size_t *ofs,
                         struct of_queue_config *ret) MUST_CHECK;
