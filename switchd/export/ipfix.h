/* ipfix.h - flow records by IPFIX (RFC 7011, elements of RFC 7012) over UDP, of sampled packets.
 *
 *     DP_SAMPLE (exec.c) -> ipfix_sample -> [cache of flows] -> records -> collectors
 *
 * Without a cache each sample is a record of its own. With one, samples of a flow (equal in all that a record says of it) add up, and
 * the flow is sent when it is as old as the cache keeps flows, or when it must make room for another. A collector learns a template
 * before the first record that needs it, and again every 10 minutes, in each observation domain, whose records have numbers of their own.
 */
#pragma once

#include "base/env.h"
#include "base/hmap.h"
#include "base/list.h"
#include "flow/key.h"
#include "switchd/export/collectors.h"

enum { IPFIX_PORT = 4739, IPFIX_CACHE_MAX = 1000000, IPFIX_DOMAINS_MAX = 4096 };

struct ipfix_config {
    uint32_t cache_timeout_s; /* either 0: no cache */
    uint32_t cache_max;       /* flows, at most IPFIX_CACHE_MAX */
    bool tunnels;             /* records say through which tunnel a packet came */
    char virtual_obs_id[255]; /* "": none */
};

struct ipfix {
    struct env *env;
    struct collectors collectors;
    struct ipfix_config config;
    struct hmap flows;   /* the cache */
    struct list oldest;  /* its flows, by their first packet */
    struct hmap domains; /* by observation domain */
    uint64_t n_samples, n_records, n_messages;
    uint64_t n_ip4, n_ip6;
};

struct ipfix_sample {
    uint32_t domain, point;
    uint8_t direction;          /* 0: ingress, 1: egress */
    uint32_t in_port, out_port; /* the kernel's numbers of interfaces; 0: it has none */
    bool has_out_port;          /* the flow says where it leaves */
    struct flow_key key;
    size_t size;    /* of the frame */
    size_t ip_size; /* of the network packet in it */
};

void ipfix_init(struct ipfix *ipfix, struct env *env);
void ipfix_fini(struct ipfix *ipfix); /* what the cache holds is sent */
/* When it changes, what the cache holds is sent first. */
void ipfix_configure(struct ipfix *ipfix, const struct ipfix_config *config);
void ipfix_sample(struct ipfix *ipfix, const struct ipfix_sample *s);
/* Sends flows that are old enough. Each second. */
void ipfix_tick(struct ipfix *ipfix);
