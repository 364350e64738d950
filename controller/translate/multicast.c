/* multicast.c - multicast groups: one copy for each member here, one for each other hypervisor that has members.
 *
 * Room 8, tables 39 and 40. The receiver of a tunnelled copy makes the copies for its own interfaces (table 40). Patch ports are served
 * only where the packet entered the datapath (table 39): every hypervisor has them, and one copy is wanted. A group has
 * any number of members; nothing is capped. Units are groups.
 */
#include "controller/translate/oflow.h"

#include "lflow/lflow.h"

enum { PRIO_GROUP = 100 };

void multicast_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct fact_group *group = inc_read_one(ctx, p->group_by_uuid, key);
    const struct fact_datapath *datapath = inc_read_one(ctx, p->datapath_by_uuid, &group->datapath);
    if (!datapath || !inc_read(ctx, p->local_by_datapath, &group->datapath).n)
        return;
    struct inc_facts members = inc_read(ctx, p->member_by_group, &group->uuid);
    const struct fact_member *m;
    struct oflow here = OFLOW_INIT, remote = OFLOW_INIT;
    struct oflow *const both[] = {&here, &remote};
    for (size_t i = 0; i < ARRAY_SIZE(both); i++) {
        oflow_begin(both[i]);
        oflow_match_dp(both[i], datapath->key);
        oflow_match_reg(both[i], REG_OUTPORT, group->key);
    }
    bool has_here = false, has_remote = false;
    INC_FOR_EACH(m, members)
    {
        if (m->how == PLACE_TUNNEL)
            continue;
        struct oflow *to = m->how == PLACE_HERE ? &here : &remote;
        oflow_load(to, REG_OUTPORT, m->number);
        oflow_resubmit(to, OFTABLE_CHECK_LOOPBACK);
        *(m->how == PLACE_HERE ? &has_here : &has_remote) = true;
    }
    if (has_remote)
        oflow_load(&remote, REG_OUTPORT, group->key);
    bool is_first = true;
    INC_FOR_EACH(m, members)
    {
        if (m->how != PLACE_TUNNEL)
            continue;
        if (is_first) /* all tunnels carry the same keys */
            oflow_to_tunnel(&remote, datapath->key, group->key, m->number);
        else
            of_put_output(&remote.actions, m->number);
        is_first = false;
        has_remote = true;
    }
    uint32_t cookie = uuid_prefix32(&group->uuid);
    if (has_here) {
        oflow_load(&here, REG_OUTPORT, group->key);
        oflow_emit(ctx, p, &here, OFTABLE_LOCAL_OUTPUT, PRIO_GROUP, cookie);
    }
    if (has_remote) {
        oflow_resubmit(&remote, OFTABLE_LOCAL_OUTPUT);
        oflow_emit(ctx, p, &remote, OFTABLE_REMOTE_OUTPUT, PRIO_GROUP, cookie);
    }
    oflow_fini(&here);
    oflow_fini(&remote);
}
