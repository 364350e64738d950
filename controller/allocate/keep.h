/* keep.h - numbers that outlive the controller: zones and meters in external_ids of the integration bridge. */
#pragma once

#include "controller/allocate/ids.h"
#include "controller/writer.h"
#include "rows/ovs.h"

/* Takes back what an earlier controller (ours or OVN's) has written: ct-zone-NAME, weft-meter-NAME. */
void keep_restore(struct ids *ids, const struct ovs_bridge *bridge);
/* Numbers that the database has now may be used (ids_saved). */
void keep_note(struct ids *ids, const struct ovs_bridge *bridge);
/* Writes numbers that are not known to be saved, and removes those that are gone. The writer must be ready. */
void keep_write(struct ids *ids, const struct ovs_bridge *bridge, struct writer *writer);
