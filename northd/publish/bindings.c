/* bindings.c - what each datapath and port should have as its binding in SB, once it has a tunnel key (room 5 of
 * docs/architecture.md). The facts name the NB row; publish/datapaths.c and ports.c make columns of it.
 */
#include "northd/publish/units.h"

static uint64_t key_of(struct inc_ctx *ctx, struct northd_program *p, const void *id)
{
    const struct fact_key *key = inc_read_one(ctx, p->key_by_id, id);
    return key ? key->key : 0;
}

void publish_datapath_binding(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_datapath *dp = inc_read_one(ctx, p->datapath_by_uuid, key);
    const struct feed_row *row =
        inc_read_one(ctx, dp->kind == DATAPATH_SWITCH ? p->in_ls_by_uuid : p->in_lr_by_uuid, key);
    struct fact_datapath_binding f;
    INC_CLEAR(f);
    f.datapath = dp->uuid;
    f.row = row->row;
    f.kind = dp->kind;
    f.key = (uint32_t)key_of(ctx, p, key);
    if (f.key)
        inc_emit(ctx, p->datapath_binding, &f);
}

static void emit_port(struct inc_ctx *ctx, struct northd_program *p, const struct uuid *port,
                      const struct uuid *datapath, const struct row *row, const struct rstr *name,
                      const struct rstr *peer)
{
    struct fact_port_binding f;
    INC_CLEAR(f);
    f.port = *port;
    f.datapath = *datapath;
    f.row = row;
    f.name = name;
    f.peer = peer;
    f.key = key_of(ctx, p, port);
    if (f.key && key_of(ctx, p, datapath))
        inc_emit(ctx, p->port_binding, &f);
}

void publish_lsp_binding(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_lsp *lsp = inc_read_one(ctx, p->lsp_by_uuid, key);
    const struct feed_row *row = inc_read_one(ctx, p->in_lsp_by_uuid, key);
    const struct fact_link *link = inc_read_one(ctx, p->link_by_lsp, key);
    emit_port(ctx, p, key, &lsp->ls, row->row, lsp->name, link ? link->lrp_name : NULL);
}

void publish_lrp_binding(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_lrp *lrp = inc_read_one(ctx, p->lrp_by_uuid, key);
    const struct feed_row *row = inc_read_one(ctx, p->in_lrp_by_uuid, key);
    const struct fact_link *link = inc_read_one(ctx, p->link_by_lrp, key);
    const struct fact_router_peer *pair = inc_read_one(ctx, p->router_peer_by_lrp, key);
    emit_port(ctx, p, key, &lrp->lr, row->row, lrp->name,
              pair   ? pair->peer_name
              : link ? link->lsp_name
                     : NULL);
}
