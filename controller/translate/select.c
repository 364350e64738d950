/* select.c - which logical flows concern this hypervisor: those of local datapaths, named directly or through a datapath group.
 *
 * Rooms 5 and 6. Units: logical flows; elements of datapath groups.
 */
#include "controller/program.h"

#include "rows/sb.h"

static void emit_at(struct inc_ctx *ctx, struct program *p, const struct uuid *lflow,
                    const struct uuid *datapath)
{
    struct fact_lflow_at f;
    INC_CLEAR(f);
    f.lflow = *lflow;
    f.datapath = *datapath;
    inc_emit(ctx, p->lflow_at, &f);
}

void select_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct feed_row *f = inc_read_one(ctx, p->in_lflow_by_uuid, key);
    const struct sb_logical_flow *row = sb_logical_flow_cast(f->row);
    const struct uuid *datapath = sb_logical_flow_logical_datapath(row);
    if (datapath && inc_read(ctx, p->local_by_datapath, datapath).n)
        emit_at(ctx, p, &f->uuid, datapath);
    const struct uuid *group = sb_logical_flow_logical_dp_group(row);
    if (group) {
        const struct fact_dp_group_at *at;
        INC_FOR_EACH(at, inc_read(ctx, p->dp_group_at_by_group, group))
        emit_at(ctx, p, &f->uuid, &at->datapath);
    }
}

/* One element of a group: KEY is the group's row and the datapath. */
void select_group_dp_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct feed_ref *element = key;
    if (!inc_read(ctx, p->local_by_datapath, &element->to).n)
        return;
    struct fact_dp_group_at f;
    INC_CLEAR(f);
    f.group = element->row;
    f.datapath = element->to;
    inc_emit(ctx, p->dp_group_at, &f);
}
