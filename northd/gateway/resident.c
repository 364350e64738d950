/* resident.c - which routers are gateway routers, and which ports of the others are distributed gateway ports (rooms 1 and 2 of
 * docs/architecture.md). A port of a gateway router is on its chassis anyway: gateway_chassis there has no meaning.
 */
#include "northd/gateway/gateway.h"

#include <string.h>

#include "rows/nb.h"

void gateway_router(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct feed_row *row = inc_read_one(ctx, p->in_lr_by_uuid, key);
    const char *chassis =
        nb_logical_router_options_value(nb_logical_router_cast(row->row), "chassis");
    if (!chassis || !*chassis)
        return;
    struct fact_gateway_router f;
    INC_CLEAR(f);
    f.lr = row->uuid;
    f.chassis = program_intern(p, chassis);
    inc_emit_take(ctx, p->gateway.router, &f);
}

struct uuid gateway_ha_uuid(const struct rstr *name)
{
    return fact_derive_uuid("HA_Chassis_Group", name->s, strlen(name->s));
}

static const struct row *ha_row(struct inc_ctx *ctx, struct northd_program *p,
                                const struct nb_logical_router_port *lrp)
{
    const struct uuid *group = nb_logical_router_port_ha_chassis_group(lrp);
    const struct feed_row *f =
        group ? inc_read_one(ctx, p->gateway.in_ha_group_by_uuid, group) : NULL;
    return f ? f->row : NULL;
}

const struct rstr *gateway_ha_name(struct inc_ctx *ctx, struct northd_program *p,
                                   const struct row *row, const struct rstr *lrp_name)
{
    const struct nb_logical_router_port *lrp = nb_logical_router_port_cast(row);
    const struct row *group = ha_row(ctx, p, lrp);
    if (group)
        return program_intern(p, nb_ha_chassis_group_name(nb_ha_chassis_group_cast(group)));
    return nb_logical_router_port_gateway_chassis(lrp)->n ? rstr_ref(lrp_name) : NULL;
}

static bool is_taken(struct inc_ctx *ctx, struct northd_program *p, const struct rstr *name)
{
    return inc_read_one(ctx, p->lsp_by_name, &name) || inc_read_one(ctx, p->lrp_by_name, &name);
}

static void want(struct inc_ctx *ctx, struct northd_program *p,
                 const struct fact_gateway_port *port, const struct rstr *ha_name,
                 const struct row *group)
{
    struct fact_want_key key;
    INC_CLEAR(key);
    key.scope = port->lr;
    key.id = port->redirect_id;
    key.name = port->redirect;
    key.kind = KEY_REDIRECT;
    inc_emit(ctx, p->want_key, &key);
    struct fact_ha_want ha;
    INC_CLEAR(ha);
    ha.name = ha_name;
    ha.source = group ? group->uuid : port->lrp;
    ha.is_port = !group;
    ha.lr = port->lr;
    inc_emit(ctx, p->gateway.ha_want, &ha);
}

void gateway_port(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_lrp *lrp = inc_read_one(ctx, p->lrp_by_uuid, key);
    const struct feed_row *row = inc_read_one(ctx, p->in_lrp_by_uuid, key);
    if (inc_read_one(ctx, p->gateway.router_by_lr, &lrp->lr))
        return;
    const struct rstr *ha_name = gateway_ha_name(ctx, p, row->row, lrp->name);
    if (!ha_name)
        return;
    struct fact_gateway_port f;
    INC_CLEAR(f);
    char *redirect = xasprintf("cr-%s", lrp->name->s);
    f.redirect = program_intern(p, redirect);
    free(redirect);
    if (!is_taken(ctx, p, f.redirect)) {
        f.lr = lrp->lr;
        f.lrp = lrp->uuid;
        f.lrp_name = lrp->name;
        f.redirect_id = fact_derive_uuid("chassisredirect", &lrp->uuid, sizeof lrp->uuid);
        f.mac = lrp->mac;
        inc_emit(ctx, p->gateway.port, &f);
        want(ctx, p, &f, ha_name, ha_row(ctx, p, nb_logical_router_port_cast(row->row)));
    }
    rstr_unref(f.redirect);
    rstr_unref(ha_name);
}

void gateway_reside(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_link *link = inc_read_one(ctx, p->link_by_lrp, key);
    const struct feed_row *row = inc_read_one(ctx, p->in_lrp_by_uuid, key);
    const char *reside = nb_logical_router_port_options_value(nb_logical_router_port_cast(row->row),
                                                              "reside-on-redirect-chassis");
    if (!reside || strcmp(reside, "true") || !inc_read_one(ctx, p->localnet_by_ls, &link->ls))
        return;
    const struct fact_gateway_port *port = inc_read_one(ctx, p->gateway.port_by_lr, &link->lr);
    if (!port)
        return;
    struct fact_gateway_reside f;
    INC_CLEAR(f);
    f.lrp = link->lrp;
    f.redirect = port->redirect;
    inc_emit(ctx, p->gateway.reside, &f);
}

const struct rstr *gateway_resident(struct inc_ctx *ctx, struct northd_program *p,
                                    const struct uuid *lrp, bool or_stands_in)
{
    const struct fact_gateway_port *port = inc_read_one(ctx, p->gateway.port_by_lrp, lrp);
    if (port)
        return port->redirect;
    const struct fact_gateway_reside *reside =
        or_stands_in ? inc_read_one(ctx, p->gateway.reside_by_lrp, lrp) : NULL;
    return reside ? reside->redirect : NULL;
}

struct expr *gateway_only_at(struct expr_pool *e, struct expr *match, const struct rstr *name)
{
    return name ? expr_and(e, match, expr_resident(e, name->s, false)) : match;
}
