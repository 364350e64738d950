/* bridge.h - the integration bridge: finding it, and making it when it is not there. */
#pragma once

#include "controller/chassis/config.h"
#include "controller/writer.h"
#include "rows/ovs.h"

/* The bridge of that name, or NULL. */
const struct ovs_bridge *bridge_find(const struct replica *ovs, const char *name);
/* Writes the bridge (fail_mode secure, its internal port) if it is missing, and its datapath type if it differs. */
void bridge_run(const struct config *config, const struct replica *ovs, struct writer *writer);

/* Calls FN for each interface of the bridge, with the port that holds it. */
void bridge_for_each_interface(const struct ovs_bridge *bridge, const struct replica *ovs,
                               void (*fn)(const struct ovs_port *port,
                                          const struct ovs_interface *iface, void *aux),
                               void *aux);
