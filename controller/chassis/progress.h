/* progress.h - how far this hypervisor is: nb_cfg, reported when the flows that belong to it are in the switch. */
#pragma once

#include "base/vec.h"
#include "controller/chassis/config.h"
#include "controller/writer.h"

struct progress {
    struct progress_mark {
        uint64_t generation;
        int64_t nb_cfg;
    } last;
    VEC(struct progress_mark) marks; /* waiting for their generation */
    bool has_confirmed;
    int64_t confirmed; /* nb_cfg that is in the switch */
    int64_t wall_ms;   /* since when */
};

void progress_init(struct progress *progress);
void progress_fini(struct progress *progress);
/* SB's nb_cfg is another than the last one that was noted. */
bool progress_is_new(const struct progress *progress, const struct replica *sb);
/* Flows of GENERATION are those of SB as it is now. */
void progress_note(struct progress *progress, const struct replica *sb, uint64_t generation);
void progress_confirm(struct progress *progress, uint64_t generation, int64_t wall_ms);
/* Chassis_Private.nb_cfg, and the bridge's external_ids. */
void progress_write(const struct progress *progress, const struct config *config,
                    const struct replica *sb_replica, const struct replica *ovs_replica,
                    struct writer *sb, struct writer *ovs);
