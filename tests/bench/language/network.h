/* network.h - a network's logical flows with the names that they speak of, for bench_language: read from a file of lines.
 *
 * Columns are separated by tabs. "port NAME DATAPATH KEY WHERE" is a port or multicast group, WHERE "away" if it is that
 * of a machine on another hypervisor, "group NAME PORTS" a port group ("KEY_NAME": its ports of one
 * datapath), "over ID DATAPATHS" a datapath group, "datapath KEY KIND" switch or router, "lflow PIPELINE TABLE MATCH ACTIONS ID" a logical flow on the
 * datapaths of group ID.
 */
#pragma once

#include "base/hmap.h"
#include "base/vec.h"
#include "encode/translator.h"

struct net_flow {
    enum pipeline pipeline;
    unsigned table;
    const char *match, *actions;
    const struct net_over *over;
};

/* The datapaths of logical flows. */
struct net_over {
    struct hnode node;
    const char *id;
    VEC(uint32_t) datapaths; /* tunnel keys */
};

struct network {
    char *text; /* of the file: all names point into it */
    struct hmap ports, groups, overs;
    VEC(bool) is_router; /* by tunnel key */
    VEC(struct net_flow) flows;
};

/* Aborts when the file cannot be read or understood. */
void network_read(struct network *net, const char *path);
void network_free(struct network *net);
/* The number of a port or multicast group of DATAPATH; HERE: only if it is not away. */
bool network_port(const struct network *net, uint32_t datapath, const char *name, bool here,
                  uint32_t *ret);
/* Calls ADD for the ports that DATAPATH has of the group NAME; false if there is no such group. */
bool network_group(const struct network *net, uint32_t datapath, const char *name,
                   void (*add)(void *aux, const char *port), void *aux);
