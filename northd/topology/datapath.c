/* datapath.c - Logical_Switch and Logical_Router rows into datapath facts (rooms 1 and 2 of docs/architecture.md). The rows
 * change with each port; the facts change only when what is said of the datapath itself changes, which stops the wave here.
 */
#include "base/err.h"
#include "northd/topology/keys.h"
#include "northd/topology/topology.h"
#include "rows/nb.h"

uint32_t topology_requested_key(struct inc_ctx *ctx, struct northd_program *p,
                                const struct uuid *row, const char *text, uint32_t max)
{
    int64_t n;
    if (!text)
        return 0;
    if (!text_to_i64(text, 10, &n) && n > 0 && n <= max)
        return (uint32_t)n;
    program_complain(ctx, p, row, "requested-tnl-key \"%s\" is not a number from 1 to %u", text,
                     max);
    return 0;
}

static bool is_true(const char *text)
{
    return text && !strcmp(text, "true");
}

static void emit(struct inc_ctx *ctx, struct northd_program *p, const struct uuid *uuid,
                 enum datapath_kind kind, const char *name, uint32_t flags, const char *wish)
{
    struct fact_datapath f;
    INC_CLEAR(f);
    f.uuid = *uuid;
    f.name = program_intern(p, name);
    f.kind = kind;
    f.flags = flags;
    struct fact_want_key want;
    INC_CLEAR(want);
    want.id = *uuid;
    want.name = f.name;
    want.wish = topology_requested_key(ctx, p, uuid, wish, KEYS_MAX_DATAPATH);
    want.kind = kind == DATAPATH_SWITCH ? KEY_SWITCH : KEY_ROUTER;
    inc_emit(ctx, p->want_key, &want);
    inc_emit_take(ctx, p->datapath, &f);
}

void topology_switch(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct feed_row *f = inc_read_one(ctx, p->in_ls_by_uuid, key);
    const struct nb_logical_switch *ls = nb_logical_switch_cast(f->row);
    uint32_t flags = is_true(nb_logical_switch_other_config_value(ls, "vlan-passthru"))
                         ? DATAPATH_VLAN_PASSTHRU
                         : 0;
    emit(ctx, p, &f->uuid, DATAPATH_SWITCH, nb_logical_switch_name(ls), flags,
         nb_logical_switch_other_config_value(ls, "requested-tnl-key"));
}

void topology_router(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct feed_row *f = inc_read_one(ctx, p->in_lr_by_uuid, key);
    const struct nb_logical_router *lr = nb_logical_router_cast(f->row);
    uint32_t flags = 0;
    if (nb_logical_router_enabled_present(lr) && !nb_logical_router_enabled(lr))
        flags |= DATAPATH_DISABLED;
    if (is_true(nb_logical_router_options_value(lr, "learn-from-any-reply")))
        flags |= DATAPATH_LEARN_ANY_REPLY;
    if (is_true(nb_logical_router_options_value(lr, "always_learn_from_arp_request")))
        flags |= DATAPATH_LEARN_REQUESTS;
    if (is_true(nb_logical_router_options_value(lr, "dynamic_neigh_routers")))
        flags |= DATAPATH_NO_STATIC_NEIGHBORS;
    emit(ctx, p, &f->uuid, DATAPATH_ROUTER, nb_logical_router_name(lr), flags,
         nb_logical_router_options_value(lr, "requested-tnl-key"));
}
