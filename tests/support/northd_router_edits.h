/* northd_router_edits.h - random edits of what routers are made of beside ports and routes: gateways, and chassis in SB. For
 * northd's oracle; included by one file a test program.
 */
#pragma once

#include "support/northd_pick.h"

enum { N_HA_GROUPS = 2, N_SB_CHASSIS = 3 };

struct router_net {
    const struct uuid *lr, *lrp; /* of the oracle */
    size_t n_lr, n_lrp;
    struct uuid ha_group[N_HA_GROUPS], chassis[N_SB_CHASSIS];
};

static const char *const router_chassis[] = {"hv0", "hv1", "hv2", "nobody"};

static void router_add_chassis(struct world *w, struct uuid *chassis, const char *name)
{
    const struct schema_table *t = world_sb_table(w, SB_TABLE_CHASSIS);
    const struct schema_table *e = world_sb_table(w, SB_TABLE_ENCAP);
    w->sb_txn = replica_txn_new(w->sb_client);
    struct uuid encap = replica_txn_insert(w->sb_txn, e);
    replica_txn_set(w->sb_txn, e, &encap, &e->columns[SB_ENCAP_COL_TYPE],
                    datum_new_string("geneve"));
    replica_txn_set(w->sb_txn, e, &encap, &e->columns[SB_ENCAP_COL_IP], datum_new_string(name));
    *chassis = replica_txn_insert(w->sb_txn, t);
    replica_txn_set(w->sb_txn, t, chassis, &t->columns[SB_CHASSIS_COL_NAME],
                    datum_new_string(name));
    replica_txn_set(w->sb_txn, t, chassis, &t->columns[SB_CHASSIS_COL_ENCAPS],
                    datum_new_uuid(&encap));
}

static void router_edit_chassis(struct world *w, struct router_net *net)
{
    size_t i = pick(w, N_SB_CHASSIS);
    struct uuid *chassis = &net->chassis[i];
    if (w->sb_txn)
        return; /* one a commit */
    if (!is_there(chassis)) {
        router_add_chassis(w, chassis, router_chassis[i]);
    } else {
        w->sb_txn = replica_txn_new(w->sb_client);
        replica_txn_delete(w->sb_txn, world_sb_table(w, SB_TABLE_CHASSIS), chassis);
        memset(chassis, 0, sizeof *chassis);
    }
}

static const char *router_pick_chassis(struct world *w)
{
    return pick_text(w, router_chassis, ARRAY_SIZE(router_chassis));
}

/* A row of Gateway_Chassis or HA_Chassis in a set of OWNER. */
static void router_add_member(struct world *w, const char *table, const char *owner_table,
                              const struct uuid *owner, const char *column)
{
    struct uuid row = world_insert(w, table);
    world_set(w, table, &row, "chassis_name", router_pick_chassis(w));
    world_set(w, table, &row, "priority", PICK(w, "0", "10", "20", "32767"));
    if (!strcmp(table, "Gateway_Chassis")) {
        char *name = xasprintf("gc%d", (int)pick(w, 1000000));
        world_set(w, table, &row, "name", name);
        free(name);
    }
    world_link(w, owner_table, owner, column, &row, true);
}

static void router_edit_ha_group(struct world *w, struct router_net *net)
{
    size_t i = pick(w, N_HA_GROUPS);
    struct uuid *group = &net->ha_group[i];
    if (!is_there(group)) {
        *group = world_insert(w, "HA_Chassis_Group");
        world_set(w, "HA_Chassis_Group", group, "name", i ? "rp1" : "group");
    }
    if (pick(w, 3))
        router_add_member(w, "HA_Chassis", "HA_Chassis_Group", group, "ha_chassis");
    else
        world_set(w, "HA_Chassis_Group", group, "ha_chassis", "");
}

static void router_edit_gateway_port(struct world *w, struct router_net *net,
                                     const struct uuid *lrp)
{
    char text[UUID_TEXT_LEN + 1];
    const struct uuid *group = &net->ha_group[pick(w, N_HA_GROUPS)];
    switch (pick(w, 4)) {
    case 0:
        world_set(w, "Logical_Router_Port", lrp, "gateway_chassis", "");
        world_set(w, "Logical_Router_Port", lrp, "ha_chassis_group", "");
        break;
    case 1:
        if (is_there(group))
            world_set(w, "Logical_Router_Port", lrp, "ha_chassis_group", uuid_print(group, text));
        break;
    case 2:
        world_set(w, "Logical_Router_Port", lrp, "options",
                  PICK(w, "redirect-type=bridged", "redirect-type=overlay",
                       "reside-on-redirect-chassis=true"));
        break;
    default:
        router_add_member(w, "Gateway_Chassis", "Logical_Router_Port", lrp, "gateway_chassis");
    }
}

static UNUSED void router_edit(struct world *w, struct router_net *net)
{
    int lr = pick_there(w, net->lr, net->n_lr), lrp = pick_there(w, net->lrp, net->n_lrp);
    switch (pick(w, 4)) {
    case 0:
        router_edit_chassis(w, net);
        break;
    case 1:
        router_edit_ha_group(w, net);
        break;
    case 2:
        if (lr >= 0)
            world_set(w, "Logical_Router", &net->lr[lr], "options",
                      PICK(w, "", "chassis=hv1", "chassis=hv0", "chassis="));
        break;
    default:
        if (lrp >= 0)
            router_edit_gateway_port(w, net, &net->lrp[lrp]);
    }
}
