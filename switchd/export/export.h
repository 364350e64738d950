/* export.h - what a bridge tells collectors of its traffic: the sets of collectors that sample actions name (Flow_Sample_Collector_Set,
 * ovs-actions(7) "sample"), each an exporter of its own. config_export.c makes them what the database says. A part of struct bridge.
 */
#pragma once

#include "switchd/export/ipfix.h"

enum { EXPORT_SETS_MAX = 4096 };

struct export_set {
    uint32_t id; /* collector_set_id */
    bool wanted; /* by the database, while it is read */
    struct ipfix ipfix;
};
struct exports {
    VEC(struct export_set *) sets;
};

struct export_set *exports_find(const struct exports *exports, uint32_t id); /* or NULL */
struct export_set *exports_add(struct exports *exports, uint32_t id, struct env *env);
/* Ends those that are not wanted. */
void exports_sweep(struct exports *exports);
/* NXST_IPFIX_FLOW: an entry for each set. 0, or the OF_ERROR that there is none. */
struct of_reply;
int exports_stats(const struct exports *exports, struct of_reply *reply);
void exports_tick(struct exports *exports);
void exports_fini(struct exports *exports);
