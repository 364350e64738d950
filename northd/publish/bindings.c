/* bindings.c - what each datapath and port should have as its binding in SB, once it has a tunnel key (room 5 of
 * docs/architecture.md). The facts name the NB row; publish/datapaths.c and ports.c make columns of it.
 */
#include <stdlib.h>
#include <string.h>

#include "northd/gateway/gateway.h"
#include "northd/port/port.h"
#include "northd/publish/units.h"
#include "rows/nb.h"

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

/* Emits a binding that has the members that are not given here; it needs a key, and one of its datapath. */
static void emit_port(struct inc_ctx *ctx, struct northd_program *p, struct fact_port_binding *f,
                      const struct uuid *port, const struct uuid *datapath, const struct row *row)
{
    f->port = *port;
    f->datapath = *datapath;
    f->row = row;
    f->key = key_of(ctx, p, port);
    if (f->key && key_of(ctx, p, datapath))
        inc_emit(ctx, p->port_binding, f);
}

static void emit_option(struct inc_ctx *ctx, struct northd_program *p, const struct rstr *port,
                        const char *key, const char *value)
{
    struct fact_port_option f;
    INC_CLEAR(f);
    f.port = rstr_ref(port);
    f.key = program_intern(p, key);
    f.value = program_intern(p, value);
    inc_emit_take(ctx, p->port_option, &f);
}

/* The type l3gateway if router LR is on one chassis, for its ports and those of switches that they are attached to; a new
 * reference, or NULL. */
static const struct rstr *gateway_type(struct inc_ctx *ctx, struct northd_program *p,
                                       const struct uuid *lr, const struct rstr *port)
{
    const struct fact_gateway_router *gw = inc_read_one(ctx, p->gateway.router_by_lr, lr);
    if (!gw)
        return NULL;
    emit_option(ctx, p, port, "l3gateway-chassis", gw->chassis->s);
    return program_intern(p, "l3gateway");
}

void publish_lsp_binding(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_lsp *lsp = inc_read_one(ctx, p->lsp_by_uuid, key);
    const struct feed_row *row = inc_read_one(ctx, p->in_lsp_by_uuid, key);
    const struct fact_link *link = inc_read_one(ctx, p->link_by_lsp, key);
    struct fact_port_binding f;
    const struct fact_tag *tag = inc_read_one(ctx, p->tag_by_lsp, key);
    INC_CLEAR(f);
    f.name = lsp->name;
    f.tag = tag ? tag->tag : 0;
    if (link) {
        f.peer = link->lrp_name;
        f.type = gateway_type(ctx, p, &link->lr, lsp->name);
    }
    const struct row *group = lsp->type == LSP_EXTERNAL ? port_ha_group(ctx, p, row->row) : NULL;
    if (group) {
        const struct rstr *name =
            program_intern(p, nb_ha_chassis_group_name(nb_ha_chassis_group_cast(group)));
        f.ha_group = gateway_ha_uuid(name);
        rstr_unref(name);
    }
    emit_port(ctx, p, &f, key, &lsp->ls, row->row);
    rstr_unref(f.type);
}

/* The chassis with this name or, without one, host name. */
static const struct fact_chassis *find_chassis(struct inc_ctx *ctx, struct northd_program *p,
                                               const char *text)
{
    const struct rstr *name = program_intern(p, text);
    const struct fact_chassis *found = inc_read_one(ctx, p->chassis_by_name, &name);
    struct inc_facts hosts = inc_read(ctx, p->chassis_by_hostname, &name);
    rstr_unref(name);
    return found || !*text || !hosts.n ? found : hosts.v[0];
}

void publish_requested_chassis(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_lsp *lsp = inc_read_one(ctx, p->lsp_by_uuid, key);
    const struct feed_row *row = inc_read_one(ctx, p->in_lsp_by_uuid, key);
    const char *wanted = nb_logical_switch_port_options_value(nb_logical_switch_port_cast(row->row),
                                                              "requested-chassis");
    char *list = wanted ? xstrdup(wanted) : NULL, *rest = list, *name;
    struct fact_port_chassis f;
    INC_CLEAR(f);
    f.port = lsp->name;
    for (; (name = strsep(&rest, ",")) != NULL; f.additional = 1) {
        const struct fact_chassis *chassis = find_chassis(ctx, p, name);
        if (!chassis)
            continue;
        f.chassis = chassis->uuid;
        inc_emit(ctx, p->port_chassis, &f);
    }
    free(list);
}

void publish_lrp_binding(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_lrp *lrp = inc_read_one(ctx, p->lrp_by_uuid, key);
    const struct feed_row *row = inc_read_one(ctx, p->in_lrp_by_uuid, key);
    const struct fact_link *link = inc_read_one(ctx, p->link_by_lrp, key);
    const struct fact_router_peer *pair = inc_read_one(ctx, p->router_peer_by_lrp, key);
    const struct fact_gateway_port *gateway = inc_read_one(ctx, p->gateway.port_by_lrp, key);
    struct fact_port_binding f;
    INC_CLEAR(f);
    f.name = lrp->name;
    f.peer = pair ? pair->peer_name : link ? link->lsp_name : NULL;
    f.type = gateway_type(ctx, p, &lrp->lr, lrp->name);
    if (gateway)
        emit_option(ctx, p, lrp->name, "chassis-redirect-port", gateway->redirect->s);
    emit_port(ctx, p, &f, key, &lrp->lr, row->row);
    rstr_unref(f.type);
}

void publish_redirect_binding(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_gateway_port *port = inc_read_one(ctx, p->gateway.port_by_lrp, key);
    const struct feed_row *row = inc_read_one(ctx, p->in_lrp_by_uuid, key);
    const char *how = nb_logical_router_port_options_value(nb_logical_router_port_cast(row->row),
                                                           "redirect-type");
    const struct rstr *ha = gateway_ha_name(ctx, p, row->row, port->lrp_name);
    struct fact_port_binding f;
    INC_CLEAR(f);
    f.name = port->redirect;
    f.type = program_intern(p, "chassisredirect");
    if (ha)
        f.ha_group = gateway_ha_uuid(ha);
    emit_option(ctx, p, port->redirect, "distributed-port", port->lrp_name->s);
    if (how)
        emit_option(ctx, p, port->redirect, "redirect-type", how);
    emit_port(ctx, p, &f, &port->redirect_id, &port->lr, row->row);
    rstr_unref(f.type);
    rstr_unref(ha);
}
