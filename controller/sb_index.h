/* sb_index.h - rows of SB by what packets carry: keys of datapaths and ports, names, addresses.
 *
 * Kept up with each change set, so that a packet-in finds its port at once, also while the engine is busy.
 */
#pragma once

#include "base/hmap.h"
#include "controller/dns_index.h"
#include "replica/replica.h"
#include "rows/sb.h"

struct sb_index {
    struct hmap datapaths;    /* by tunnel key */
    struct hmap uuids;        /* Datapath_Binding by uuid */
    struct hmap ports;        /* by datapath's uuid and tunnel key */
    struct hmap names;        /* Port_Binding by logical_port */
    struct hmap mac_bindings; /* by logical_port and ip */
    struct hmap fdbs;         /* by datapath key and mac */
    struct dns_index dns;
    struct hmap n_neighbors; /* of each port, by name */
    struct hmap port_uuids;  /* Port_Binding by uuid */
    struct hmap localnets;   /* ports of type localnet, by datapath */
    struct hmap locals;      /* datapaths that have something here */
    bool has_chassis;
    struct uuid chassis; /* our row, if HAS_CHASSIS */
};

void sb_index_init(struct sb_index *index);
void sb_index_fini(struct sb_index *index);
void sb_index_clear(struct sb_index *index); /* another database follows */
void sb_index_change(struct sb_index *index, const struct change *change);

/* NULL: there is none. */
const struct sb_datapath_binding *sb_index_datapath(const struct sb_index *index, uint32_t key);
const struct sb_datapath_binding *sb_index_datapath_uuid(const struct sb_index *index,
                                                         const struct uuid *uuid);
const struct sb_port_binding *sb_index_port(const struct sb_index *index, uint32_t datapath_key,
                                            uint32_t port_key);
const struct sb_port_binding *sb_index_port_named(const struct sb_index *index, const char *name);
const struct sb_port_binding *sb_index_port_uuid(const struct sb_index *index,
                                                 const struct uuid *uuid);
void sb_index_for_each_port(const struct sb_index *index,
                            void (*fn)(const struct sb_port_binding *port, void *aux), void *aux);
void sb_index_for_each_neighbor(const struct sb_index *index,
                                void (*fn)(const struct sb_mac_binding *row, void *aux), void *aux);
/* Learned neighbours of a port. */
size_t sb_index_n_neighbors(const struct sb_index *index, const char *port);
bool sb_index_has_localnet(const struct sb_index *index, const struct uuid *datapath);
/* Datapaths that are local, as the settled engine has it; kept apart from the rows. */
void sb_index_set_local(struct sb_index *index, const struct uuid *datapath, bool is_local);
bool sb_index_is_local(const struct sb_index *index, const struct uuid *datapath);
/* Keys of the port with this name and of its datapath. */
bool sb_index_keys(const struct sb_index *index, const char *name, uint32_t *datapath_key,
                   uint32_t *port_key);
const struct sb_fdb *sb_index_fdb(const struct sb_index *index, uint32_t datapath_key,
                                  const char *mac);
const struct sb_mac_binding *sb_index_mac_binding(const struct sb_index *index, const char *port,
                                                  const char *ip);
