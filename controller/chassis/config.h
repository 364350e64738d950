/* config.h - what the switch database says about this hypervisor: Open_vSwitch.external_ids.
 *
 * Any key with the suffix "-<system-id>" overrides the plain one for that chassis.
 */
#pragma once

#include "base/uuid.h"
#include "replica/replica.h"

struct config {
    struct uuid row; /* the Open_vSwitch row */
    char *system_id; /* name of the chassis; NULL: not configured, nothing can be done */
    char *hostname;
    char *remote;      /* ovn-remote, NULL: none */
    char *encap_types; /* comma list, "geneve" */
    char *encap_ip;    /* comma list, NULL: none */
    bool encap_csum;
    char *encap_tos, *encap_df; /* options tos and df_default of tunnels, NULL: the switch's */
    char *bridge;               /* "br-int" */
    char *datapath_type;        /* ovn-bridge-datapath-type, NULL: the switch's default */
    char *bridge_remote;        /* ovn-bridge-remote, NULL: the bridge's management socket */
    char *mappings;             /* ovn-bridge-mappings: "network:bridge,...", NULL: none */
    char *cms_options;          /* ovn-cms-options, NULL: none */
    char *iface_types;          /* of the switch: comma list, perhaps empty */
    bool monitor_all;           /* ovn-monitor-all */
    int64_t probe_ms;           /* ovn-remote-probe-interval, -1: default */
};

/* Replaces CONFIG by what OVS holds. False when there is no Open_vSwitch row (CONFIG is then empty). */
bool config_read(struct config *config, const struct replica *ovs);
void config_clear(struct config *config);
/* Calls FN for each physical network and the bridge that leads to it. Pairs without a colon are left out. */
void config_for_each_mapping(const struct config *config,
                             void (*fn)(const char *network, const char *bridge, void *aux),
                             void *aux);
