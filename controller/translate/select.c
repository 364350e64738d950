/* select.c - which datapaths logical flows are translated for: those that are local, by themselves and in datapath groups; and what is known of the
 * ports of port groups, once for all flows that match on a group.
 *
 * Room 5. Units: local datapaths; elements of datapath groups; elements of port groups.
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

/* What machines send enters the pipeline where they are, and what they get leaves it there. */
static bool is_away(struct inc_ctx *ctx, struct program *p, const struct fact_port *port)
{
    return port->type == PORT_VIF && !inc_read(ctx, p->home_by_port, &port->uuid).n;
}

/* One element of a group: KEY is the group's row and the name of a port. */
void select_group_port_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct feed_text *element = key;
    struct rstr *name = program_name(p, element->text->s);
    const struct fact_port *port = inc_read_one(ctx, p->port_by_name, &name);
    if (!port) {
        rstr_unref(name);
        return;
    }
    struct fact_port_in_group f;
    INC_CLEAR(f);
    f.row = element->row;
    f.datapath = port->datapath;
    f.name = name;
    f.key = port->key;
    f.is_away = is_away(ctx, p, port);
    inc_emit_take(ctx, p->port_in_group, &f);
}
