/* progress.c - see progress.h. What flows back up from a hypervisor (docs/architecture.md): the last step before
 * "ovn-nbctl --wait=hv" returns. Never reports a number whose flows are not in the switch.
 */
#include "controller/chassis/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/chassis/bridge.h"
#include "controller/chassis/register.h"
#include "rows/sb.h"

void progress_init(struct progress *p)
{
    memset(p, 0, sizeof *p);
    p->last.nb_cfg = -1;
}

void progress_fini(struct progress *p)
{
    vec_fini(&p->marks);
}

static const struct sb_sb_global *global_of(const struct replica *sb)
{
    size_t pos = 0;
    const struct row *row = replica_next_row(sb, replica_table(sb, "SB_Global"), &pos);
    return row ? sb_sb_global_cast(row) : NULL;
}

bool progress_is_new(const struct progress *p, const struct replica *sb)
{
    const struct sb_sb_global *global = global_of(sb);
    return global && sb_sb_global_nb_cfg(global) != p->last.nb_cfg;
}

void progress_note(struct progress *p, const struct replica *sb, uint64_t generation)
{
    if (!progress_is_new(p, sb))
        return;
    p->last = (struct progress_mark){generation, sb_sb_global_nb_cfg(global_of(sb))};
    vec_push(&p->marks, p->last);
}

void progress_confirm(struct progress *p, uint64_t generation, int64_t wall_ms)
{
    size_t n = 0;
    while (n < p->marks.n && p->marks.data[n].generation <= generation)
        n++;
    if (!n)
        return;
    p->has_confirmed = true;
    p->confirmed = p->marks.data[n - 1].nb_cfg;
    p->wall_ms = wall_ms;
    memmove(p->marks.data, p->marks.data + n, (p->marks.n - n) * sizeof *p->marks.data);
    p->marks.n -= n;
}

void progress_write(const struct progress *p, const struct config *config,
                    const struct replica *sb_replica, const struct replica *ovs_replica,
                    struct writer *sb, struct writer *ovs)
{
    if (!p->has_confirmed)
        return;
    const struct row *row = register_private_row(config, sb_replica);
    if (row && writer_is_ready(sb) &&
        sb_chassis_private_nb_cfg(sb_chassis_private_cast(row)) != p->confirmed) {
        writer_integer(sb, "Chassis_Private", &row->uuid, "nb_cfg", p->confirmed);
        writer_integer(sb, "Chassis_Private", &row->uuid, "nb_cfg_timestamp", p->wall_ms);
    }
    const struct ovs_bridge *bridge = bridge_find(ovs_replica, config->bridge);
    if (!bridge || !writer_is_ready(ovs))
        return;
    char text[32];
    snprintf(text, sizeof text, "%" PRId64, p->confirmed);
    const char *have = ovs_bridge_external_ids_value(bridge, "ovn-nb-cfg");
    if (have ? !strcmp(have, text) : !p->confirmed)
        return;
    writer_pair(ovs, "Bridge", ovs_bridge_uuid(bridge), "external_ids", "ovn-nb-cfg", text);
    snprintf(text, sizeof text, "%" PRId64, p->wall_ms);
    writer_pair(ovs, "Bridge", ovs_bridge_uuid(bridge), "external_ids", "ovn-nb-cfg-ts", text);
}
