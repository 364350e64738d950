/* northd_acl_edits.h - random edits of the tables that the firewall half of northd compiles: ACL, Port_Group, Address_Set, Meter, QoS and
 * what else of the rows of switches and their ports concerns it. Rows are picked from NB as it is, so nothing need be remembered.
 * Included by northd_random.c.
 */
#pragma once

#include "support/northd_pick.h"

/* A row of NB, or NULL. */
static const struct row *any_nb(struct world *w, const char *table)
{
    const struct schema_table *t = replica_table(w->nb_client, table);
    size_t n = replica_n_rows(w->nb_client, t), k = n ? pick(w, n) : 0;
    const struct row *row;
    REPLICA_FOR_EACH(row, pos, w->nb_client, t)
    if (!k--)
        return row;
    return NULL;
}

/* A match, which now and then is none. Few things are named, so that they meet. */
static const char *random_match(struct world *w)
{
    return PICK(w, "ip4", "tcp.dst == 80", "tcp.dst==80", "ip4.src == $as0 && outport == @pg0",
                "ip4.src == {10.0.0.1, 10.0.0.2} || udp", "inport == \"p1\" && ip6", "1",
                "outport == {\"p1\", \"p2\"} && !(ip4.dst == 10.0.0.0/24)", "ip4.src == $pg1_ip4",
                "ip.bogus == 1", "", "tcp.dst == ", "ip4 && (tcp", "ip4.src == 10.0.0.1/32",
                "0 <= tcp.dst <= 1000", "eth.src == 0a:00:00:00:00:01", "ct.new && icmp",
                "is_chassis_resident(\"p1\")", "tcp || udp || ip4 && icmp4.type == 8");
}

static void add_acl(struct world *w)
{
    const char *table = PICK(w, "Logical_Switch", "Logical_Switch", "Port_Group");
    const struct row *owner = any_nb(w, table);
    if (!owner)
        return;
    struct uuid acl = world_insert(w, "ACL");
    world_set(w, "ACL", &acl, "direction", PICK(w, "from-lport", "to-lport"));
    world_set(w, "ACL", &acl, "priority", PICK(w, "0", "100", "200", "32767"));
    world_set(w, "ACL", &acl, "match", random_match(w));
    world_set(w, "ACL", &acl, "action",
              PICK(w, "allow", "allow-related", "allow-stateless", "drop", "reject", "pass"));
    world_link(w, table, &owner->uuid, "acls", &acl, true);
}

static void change_acl(struct world *w, const struct uuid *acl)
{
    static const struct {
        const char *column, *values[6];
    } changes[] = {
        {"action", {"allow", "allow-related", "allow-stateless", "drop", "reject", "pass"}},
        {"direction", {"from-lport", "to-lport", "from-lport", "to-lport", "from-lport"}},
        {"priority", {"1", "100", "200", "300", "32767", "0"}},
        {"log", {"true", "false", "true", "true", "false", "true"}},
        {"name", {"", "a", "b \"c\"", "", "d", "a"}},
        {"severity", {"", "alert", "warning", "info", "debug", "notice"}},
        {"meter", {"", "m0", "m1", "m2", "none", "m0"}},
        {"label", {"0", "1", "4294967295", "0", "77", "1"}},
        {"tier", {"0", "1", "2", "3", "0", "0"}},
        {"options",
         {"", "apply-after-lb=true", "log-related=true", "apply-after-lb=true log-related=true",
          "x=y", ""}},
    };
    size_t i = pick(w, ARRAY_SIZE(changes) + 2);
    if (i >= ARRAY_SIZE(changes)) {
        world_set(w, "ACL", acl, "match", random_match(w));
        return;
    }
    const char *value = changes[i].values[pick(w, 6)];
    world_set(w, "ACL", acl, changes[i].column, value ? value : "to-lport");
}

static void unlink_any(struct world *w, const char *table, const char *column)
{
    const struct row *owner = any_nb(w, table);
    if (!owner)
        return;
    const struct datum *d = row_get(owner, world_column(w, table, column));
    if (d->n)
        world_link(w, table, &owner->uuid, column, &d->atoms[pick(w, d->n)].uuid, false);
}

static void edit_acl(struct world *w)
{
    const struct row *acl = any_nb(w, "ACL");
    switch (acl ? pick(w, 6) : 0) {
    case 0:
    case 1:
        add_acl(w);
        break;
    case 2:
        unlink_any(w, PICK(w, "Logical_Switch", "Port_Group"), "acls");
        break;
    case 3: {
        /* Shared: an ACL of several owners. */
        const char *table = PICK(w, "Logical_Switch", "Port_Group");
        const struct row *owner = any_nb(w, table);
        if (owner)
            world_link(w, table, &owner->uuid, "acls", &acl->uuid, true);
        break;
    }
    default:
        change_acl(w, &acl->uuid);
    }
}

static void edit_group(struct world *w)
{
    const struct row *pg = any_nb(w, "Port_Group"), *port = any_nb(w, "Logical_Switch_Port");
    if (!pg || !pick(w, 8)) {
        struct uuid uuid = world_insert(w, "Port_Group");
        world_set(w, "Port_Group", &uuid, "name", PICK(w, "pg0", "pg1", "pg2", "as0"));
    } else if (!pick(w, 9)) {
        world_delete(w, "Port_Group", &pg->uuid);
    } else if (!pick(w, 12)) {
        world_set(w, "Port_Group", &pg->uuid, "name", PICK(w, "pg0", "pg1", "pg2", "pg3"));
    } else if (port && pick(w, 3)) {
        world_link(w, "Port_Group", &pg->uuid, "ports", &port->uuid, true);
    } else {
        unlink_any(w, "Port_Group", "ports");
    }
}

static void edit_set(struct world *w)
{
    const struct row *as = any_nb(w, "Address_Set");
    if (!as || !pick(w, 8)) {
        struct uuid uuid = world_insert(w, "Address_Set");
        world_set(w, "Address_Set", &uuid, "name",
                  PICK(w, "as0", "as1", "pg0_ip4", "pg1_ip6", "svc_monitor_mac"));
    } else if (!pick(w, 9)) {
        world_delete(w, "Address_Set", &as->uuid);
    } else if (!pick(w, 9)) {
        world_set(w, "Address_Set", &as->uuid, "name", PICK(w, "as0", "as1", "as2", "pg1_ip4"));
    } else {
        const struct schema_column *c = world_column(w, "Address_Set", "addresses");
        char *text = xasprintf("10.0.0.%d", (int)pick(w, 20));
        replica_txn_mutate(world_txn(w), c->table, &as->uuid, c,
                           pick(w, 3) ? MUTATE_INSERT : MUTATE_DELETE, world_datum(c, text));
        free(text);
    }
}

static void edit_options(struct world *w)
{
    const struct row *global = any_nb(w, "NB_Global");
    const struct schema_column *c = world_column(w, "NB_Global", "options");
    if (!global)
        return;
    const char *text =
        PICK(w, "default_acl_drop=true", "use_ct_inv_match=false", "default_acl_drop=false", "x=y",
             "ignore_lsp_down=false", "ignore_lsp_down=true", "mac_binding_removal_limit=1");
    const struct datum *d = world_datum(c, text);
    replica_txn_mutate(world_txn(w), c->table, &global->uuid, c,
                       pick(w, 2) ? MUTATE_INSERT : MUTATE_DELETE, d);
}

static void edit_qos(struct world *w)
{
    const struct row *qos = any_nb(w, "QoS"), *ls = any_nb(w, "Logical_Switch");
    if (ls && (!qos || !pick(w, 4))) {
        struct uuid uuid = world_insert(w, "QoS");
        world_set(w, "QoS", &uuid, "direction", PICK(w, "from-lport", "to-lport"));
        world_link(w, "Logical_Switch", &ls->uuid, "qos_rules", &uuid, true);
        world_set(w, "QoS", &uuid, "match", random_match(w));
    } else if (qos && ls && !pick(w, 5)) {
        world_link(w, "Logical_Switch", &ls->uuid, "qos_rules", &qos->uuid, true);
    } else if (qos && pick(w, 3)) {
        world_set(w, "QoS", &qos->uuid, "match", random_match(w));
        world_set(w, "QoS", &qos->uuid, "priority", PICK(w, "1", "2"));
        world_set(w, "QoS", &qos->uuid, "action",
                  PICK(w, "", "dscp=1", "dscp=70", "mark=5 dscp=2"));
        world_set(w, "QoS", &qos->uuid, "bandwidth",
                  PICK(w, "", "rate=10", "burst=5", "rate=10 burst=7"));
    } else {
        unlink_any(w, "Logical_Switch", "qos_rules");
    }
}

/* What ports say that is this half's. */
static void edit_secured(struct world *w)
{
    const struct row *lsp = any_nb(w, "Logical_Switch_Port");
    if (!lsp)
        return;
    switch (pick(w, 5)) {
    case 3:
        world_set(w, "Logical_Switch_Port", &lsp->uuid, "parent_name", PICK(w, "", "p1", "p2"));
        break;
    case 4:
        world_set(w, "Logical_Switch_Port", &lsp->uuid, "tag_request", PICK(w, "", "0", "0", "2"));
        break;
    case 0:
        world_set(w, "Logical_Switch_Port", &lsp->uuid, "port_security",
                  PICK(w, "", "0a:00:00:00:00:01", "0a:00:00:00:00:01 10.0.0.1", "nonsense"));
        break;
    case 1:
        world_set(w, "Logical_Switch_Port", &lsp->uuid, "type", PICK(w, "vtep", "l2gateway", ""));
        break;
    default:
        world_set(w, "Logical_Switch_Port", &lsp->uuid, "options",
                  PICK(w, "", "localnet_learn_fdb=true", "qdisc_queue_id=5",
                       "enable_router_port_acl=true router-port=rp1", "qdisc_queue_id=x"));
    }
}

static void edit_meter(struct world *w)
{
    const struct row *meter = any_nb(w, "Meter"), *band = any_nb(w, "Meter_Band");
    if (!meter || !pick(w, 5)) {
        struct uuid m = world_insert(w, "Meter"), b = world_insert(w, "Meter_Band");
        world_set(w, "Meter_Band", &b, "action", "drop");
        world_set(w, "Meter_Band", &b, "rate", PICK(w, "1", "4294967295"));
        world_set(w, "Meter", &m, "name", PICK(w, "m0", "m1", "m2"));
        world_set(w, "Meter", &m, "unit", "kbps");
        char text[UUID_TEXT_LEN + 1];
        world_set(w, "Meter", &m, "bands", uuid_print(&b, text));
    } else if (!pick(w, 5)) {
        world_delete(w, "Meter", &meter->uuid);
    } else if (band && pick(w, 2)) {
        world_set(w, "Meter_Band", &band->uuid, "rate", PICK(w, "5", "6"));
        world_set(w, "Meter_Band", &band->uuid, "burst_size", PICK(w, "0", "7"));
    } else {
        world_set(w, "Meter", &meter->uuid, "fair", PICK(w, "", "true", "false"));
        world_set(w, "Meter", &meter->uuid, "unit", PICK(w, "kbps", "pktps"));
        if (band)
            world_link(w, "Meter", &meter->uuid, "bands", &band->uuid, true);
    }
}

static UNUSED void acl_edit(struct world *w)
{
    static void (*const edits[])(struct world *) = {edit_acl,   edit_acl,     edit_acl,
                                                    edit_group, edit_set,     edit_options,
                                                    edit_qos,   edit_secured, edit_meter};
    edits[pick(w, ARRAY_SIZE(edits))](w);
}
