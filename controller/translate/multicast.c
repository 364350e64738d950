/* multicast.c - multicast groups: one copy for each member here, one for each other hypervisor that has members.
 *
 * Room 8, tables 39, 40 and 89. The receiver of a tunnelled copy makes the copies for its own interfaces (table 40). Patch ports and localports are
 * served only where the packet entered the datapath (table 39): every hypervisor has them, and one copy is wanted. A group has
 * any number of members; nothing is capped: what does not fit one flow's message is in further flows of table 89, numbered in reg6, which
 * the first one visits in turn. Units are groups.
 */
#include "controller/translate/oflow.h"

#include "lflow/lflow.h"

enum { PRIO_GROUP = 100, MAX_BYTES = 24000 };
#define REG_CHUNK FIELD_REG6

/* The list of a group's copies, in flows that each fit a message. */
struct copies {
    struct inc_ctx *ctx;
    struct program *p;
    const struct fact_datapath *datapath;
    const struct fact_group *group;
    unsigned table;
    struct oflow flow; /* the one that is being filled */
    uint32_t
        first; /* number of the first chunk: those of one group are numbered over both its lists */
    uint32_t n_chunks; /* full, in table 89 */
    bool has_any;
};

static void begin(struct copies *c)
{
    oflow_begin(&c->flow);
    oflow_match_dp(&c->flow, c->datapath->key);
    oflow_match_reg(&c->flow, REG_OUTPORT, c->group->key);
}

static void emit(struct copies *c, unsigned table)
{
    oflow_emit(c->ctx, c->p, &c->flow, table, PRIO_GROUP, uuid_prefix32(&c->group->uuid));
}

/* Room for one more copy. */
static void more(struct copies *c)
{
    c->has_any = true;
    if (c->flow.actions.n < MAX_BYTES)
        return;
    oflow_match_reg(&c->flow, REG_CHUNK, c->first + c->n_chunks++);
    emit(c, OFTABLE_MULTICAST_MORE);
    begin(c);
}

/* The last flow is the one that is found first: it visits the others and goes on to table NEXT (0: nowhere). */
static void finish(struct copies *c, unsigned next)
{
    for (uint32_t i = 0; i < c->n_chunks; i++) {
        oflow_load(&c->flow, REG_OUTPORT, c->group->key);
        oflow_load(&c->flow, REG_CHUNK, c->first + i);
        oflow_resubmit(&c->flow, OFTABLE_MULTICAST_MORE);
    }
    if (c->has_any) {
        oflow_load(&c->flow, REG_OUTPORT, c->group->key);
        if (next)
            oflow_resubmit(&c->flow, next);
        emit(c, c->table);
    }
    oflow_fini(&c->flow);
}

static void copy_to_port(struct copies *c, const struct fact_member *m)
{
    more(c);
    if (m->zone)
        oflow_load(&c->flow, REG_PORT_ZONE, m->zone);
    oflow_load(&c->flow, REG_OUTPORT, m->number);
    oflow_resubmit(&c->flow, OFTABLE_CHECK_LOOPBACK);
}

static bool is_for_entry(const struct fact_member *m)
{
    return m->how == PLACE_PATCH || m->is_localport;
}

static void copy_to_tunnels(struct copies *c, struct inc_facts members, unsigned type)
{
    const struct fact_member *m;
    bool has_keys = false;
    INC_FOR_EACH(m, members)
    {
        if (m->how != PLACE_TUNNEL || m->tunnel_type != type)
            continue;
        uint32_t chunk = c->n_chunks;
        more(c);
        if (!has_keys || c->n_chunks != chunk) { /* all tunnels of a type carry the same */
            oflow_load(&c->flow, REG_OUTPORT, c->group->key);
            oflow_tunnel_keys(&c->flow, c->datapath->key, c->group->key, type, m->tunnel_option);
        }
        has_keys = true;
        of_put_output(&c->flow.actions, m->number);
    }
}

void multicast_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct fact_group *group = inc_read_one(ctx, p->group_by_uuid, key);
    const struct fact_datapath *datapath = inc_read_one(ctx, p->datapath_by_uuid, &group->datapath);
    if (!datapath || !inc_read(ctx, p->local_by_datapath, &group->datapath).n)
        return;
    struct inc_facts members = inc_read(ctx, p->member_by_group, &group->uuid);
    const struct fact_member *m;
    struct copies here = {.ctx = ctx,
                          .p = p,
                          .datapath = datapath,
                          .group = group,
                          .table = OFTABLE_LOCAL_OUTPUT,
                          .flow = OFLOW_INIT};
    struct copies remote = here;
    remote.table = OFTABLE_REMOTE_OUTPUT;
    remote.first = 1u << 31;
    begin(&here);
    begin(&remote);
    INC_FOR_EACH(m, members)
    {
        if (m->how != PLACE_TUNNEL)
            copy_to_port(is_for_entry(m) ? &remote : &here, m);
    }
    copy_to_tunnels(&remote, members, TUNNEL_GENEVE);
    copy_to_tunnels(&remote, members, TUNNEL_VXLAN);
    finish(&here, 0);
    finish(&remote, OFTABLE_LOCAL_OUTPUT);
}
