/* select.c - which datapaths logical flows are translated for: those that are local, by themselves and in datapath groups.
 *
 * Room 5. Units: local datapaths; elements of datapath groups.
 */
#include "controller/program.h"

void select_here_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct fact_datapath *datapath = inc_read_one(ctx, p->datapath_by_uuid, key);
    if (!datapath)
        return;
    struct fact_here f;
    INC_CLEAR(f);
    f.datapath = datapath->uuid;
    f.key = datapath->key;
    f.is_router = datapath->is_router;
    inc_emit(ctx, p->here, &f);
}

/* One element of a group: KEY is the group's row and the datapath. */
void select_group_dp_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct feed_ref *element = key;
    const struct fact_here *here = inc_read_one(ctx, p->here_by_datapath, &element->to);
    if (!here)
        return;
    struct fact_dp_group_at f;
    INC_CLEAR(f);
    f.group = element->row;
    f.here = *here;
    inc_emit(ctx, p->dp_group_at, &f);
}
