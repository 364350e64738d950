/* internal.h - what the files of lib/openflow share and nobody else needs. */
#pragma once

#include "openflow/flow_mod.h"

/* Like of_begin; with NX in the experimenter form of SUBTYPE. */
size_t of_begin_as(struct of_buf *buf, uint8_t version, enum of_type type, bool nx,
                   uint32_t subtype, uint32_t xid);

/* Statistics of OpenFlow 1.5 (struct ofp_stats, OXS fields), with padding to 8. IDLE: with the idle time. */
void of_stats_put15(struct of_buf *out, const struct of_flow_stats *fs, bool idle);
/* Reads them: what is missing is unknown (UINT64_MAX, -1). FLOWS may be NULL. */
int of_stats_get15(const uint8_t *p, size_t n, size_t *used, struct of_flow_stats *fs,
                   uint32_t *flows);
