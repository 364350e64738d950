/* model_impl.h - what model.c (switches, ports) and model_router.c share. */
#pragma once

#include "sim/model.h"

enum { ROUTER_PORT = -1 }; /* of a switch: the port to the router that it is linked to */

struct model {
    const struct net *net;
    struct talk talk;
    deliveries *out;
};

static inline bool is_ip4(const struct flow_key *key)
{
    return key->eth_type == swap16(0x0800);
}

static inline bool is_ip(const struct flow_key *key)
{
    return is_ip4(key) || key->eth_type == swap16(0x86dd);
}

/* Addresses of both families go by the IPv4 one; 0: of nobody. */
be32 model_src(const struct flow_key *key);
be32 model_dst(const struct flow_key *key);
void model_set_src(struct flow_key *key, be32 ip);
void model_set_dst(struct flow_key *key, be32 ip);
bool model_is_solicitation(const struct flow_key *key);

/* The address's destination or source becomes TO, and that is remembered. */
void model_translate(struct model *m, struct flow_key *key, int sw, int router, bool is_dst,
                     be32 to, be16 to_port);
/* Takes back, in an answer, what was translated there. True: something. */
bool model_restore(const struct model *m, struct flow_key *key, int sw, int router, bool is_dst);

int model_port_with(const struct net *net, unsigned sw, be32 ip);
void model_switch(struct model *m, unsigned sw, int from, const struct flow_key *key);
void model_router(struct model *m, unsigned router, const struct flow_key *key);
void model_from_outside(struct model *m, const struct flow_key *key);
