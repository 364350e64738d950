/* binding.c - see binding.h. What flows back up from a hypervisor (docs/architecture.md). It promises that a contested port is
 * not taken back more often than twice a second. It never touches ports that are bound elsewhere and not claimed here.
 */
#include "controller/chassis/binding.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "rows/ovs.h"
#include "rows/sb.h"

LOG_MODULE(binding);

enum { CONTEST_MS = 500 };

struct binding_port {
    struct hnode node;
    struct uuid uuid;
    bool is_claimed, has_held; /* wanted here; and it was here since */
    bool is_from_before;       /* wanted since this controller began */
    struct rstr *iface;        /* NULL: it has none; of a released port the one it had */
    uint64_t generation; /* of flows in which the port is known to be bound here; 0: not yet */
    int64_t claimed_ms;  /* when chassis was written last */
    struct list todo;    /* in binding->todo, or alone */
    bool is_told;
};

void binding_init(struct binding *b)
{
    memset(b, 0, sizeof *b);
    list_init(&b->todo);
}

static void port_free(struct binding *b, struct binding_port *port)
{
    list_remove(&port->todo);
    hmap_remove(&b->ports, &port->node);
    rstr_unref(port->iface);
    free(port);
}

void binding_fini(struct binding *b)
{
    struct binding_port *port;
    HMAP_FOR_EACH_SAFE (port, node, &b->ports)
        port_free(b, port);
    hmap_fini(&b->ports);
}

static struct binding_port *port_get(struct binding *b, const struct uuid *uuid)
{
    uint64_t hash = uuid_hash(uuid);
    struct binding_port *port;
    HMAP_FOR_EACH_WITH_HASH (port, node, hash, &b->ports)
        if (uuid_equal(&port->uuid, uuid))
            return port;
    port = NEW(struct binding_port);
    port->uuid = *uuid;
    port->claimed_ms = INT64_MIN / 2;
    list_init(&port->todo);
    hmap_insert(&b->ports, &port->node, hash);
    return port;
}

static void mark(struct binding *b, struct binding_port *port)
{
    if (list_empty(&port->todo))
        list_push_back(&b->todo, &port->todo);
}

static void on_claim(const void *fact, bool added, void *b_)
{
    const struct fact_claim *claim = fact;
    struct binding *b = b_;
    struct binding_port *port = port_get(b, &claim->port);
    /* When a claim has changed, the new fact follows the old one. */
    rstr_unref(port->iface);
    port->iface = claim->iface ? rstr_ref(claim->iface) : NULL;
    port->is_claimed = added;
    port->has_held = false;
    port->is_from_before = !b->has_begun;
    port->generation = 0;
    mark(b, port);
}

void binding_take_claims(struct binding *b, struct inc *inc, const struct program *program)
{
    bool any = inc_has_changes(inc, program->claim);
    inc_changes(inc, program->claim, on_claim, b);
    b->has_begun |= any;
}

void binding_row_changed(struct binding *b, const struct uuid *uuid)
{
    mark(b, port_get(b, uuid));
}

void binding_check_all(struct binding *b)
{
    struct binding_port *port;
    HMAP_FOR_EACH (port, node, &b->ports)
        mark(b, port);
}

static const struct ovs_interface *find_interface(const struct binding_state *s,
                                                  const struct binding_port *port)
{
    return port->iface ? hypervisor_interface(s->hypervisor, s->ovs, port->iface->s) : NULL;
}

/* Marks the interface so that whoever plugged it in knows that packets flow. True when it is done. */
static bool write_installed(const struct binding_state *s, const struct binding_port *port,
                            struct writer *ovs)
{
    const struct ovs_interface *iface = find_interface(s, port);
    if (!iface || ovs_interface_external_ids_value(iface, "ovn-installed"))
        return true;
    if (!writer_is_ready(ovs))
        return false;
    char ts[32];
    snprintf(ts, sizeof ts, "%" PRId64, s->wall_ms);
    writer_pair(ovs, "Interface", ovs_interface_uuid(iface), "external_ids", "ovn-installed",
                "true");
    writer_pair(ovs, "Interface", ovs_interface_uuid(iface), "external_ids", "ovn-installed-ts",
                ts);
    return false; /* until it is seen */
}

/* Takes the marks off again: whoever plugs in, here or after a new claim, waits for new ones. True when it is done. */
static bool clear_installed(const struct binding_state *s, const struct binding_port *port,
                            struct writer *ovs)
{
    const struct ovs_interface *iface = find_interface(s, port);
    if (!iface || !ovs_interface_external_ids_value(iface, "ovn-installed"))
        return true;
    if (!writer_is_ready(ovs))
        return false;
    const struct uuid *uuid = ovs_interface_uuid(iface);
    writer_pair(ovs, "Interface", uuid, "external_ids", "ovn-installed", NULL);
    writer_pair(ovs, "Interface", uuid, "external_ids", "ovn-installed-ts", NULL);
    return false; /* until it is seen */
}

static bool is_requested(const struct binding_state *s, const struct sb_port_binding *row)
{
    const char *wanted = sb_port_binding_options_value(row, "requested-chassis");
    return *sb_port_binding_type(row) || (wanted && !strcmp(wanted, s->name));
}

/* The controller before this one had the port: it has marked the interface, which has not been plugged in since. */
static bool was_held(const struct binding_state *s, const struct binding_port *port)
{
    const struct ovs_interface *iface = port->is_from_before ? find_interface(s, port) : NULL;
    return iface && ovs_interface_external_ids_value(iface, "ovn-installed");
}

/* Who plugged a port in last has it: what another chassis took from us is not taken back, or two chassis would take it from each other for
 * ever, or whenever one of them is started again. */
static bool is_lost(const struct binding_state *s, struct binding_port *port,
                    const struct sb_port_binding *row)
{
    if (is_requested(s, row) || (!port->has_held && !was_held(s, port)))
        return false;
    if (!port->is_told)
        log_warn("logical port '%s' was claimed by another chassis: it stays there until its "
                 "interface here is plugged in again",
                 sb_port_binding_logical_port(row));
    port->is_told = true;
    return true;
}

/* True when nothing is left to do for the port. */
static bool write_claimed(struct binding *b, const struct binding_state *s,
                          struct binding_port *port, const struct sb_port_binding *row,
                          struct writer *sb, struct writer *ovs)
{
    const struct uuid *at = sb_port_binding_chassis(row);
    if (!at || !uuid_equal(at, s->chassis)) {
        if (at && is_lost(s, port, row))
            return true;
        if (at && s->now_ms - port->claimed_ms < CONTEST_MS) {
            b->has_late = true;
            return false;
        }
        writer_uuid(sb, "Port_Binding", &port->uuid, "chassis", s->chassis);
        writer_comment(sb, "claiming logical port '%s'", sb_port_binding_logical_port(row));
        port->claimed_ms = s->now_ms;
        port->generation = 0;
        return false;
    }
    port->has_held = true;
    port->is_told = false;
    if (!port->generation && ids_is_waiting(s->ids, sb_port_binding_logical_port(row)))
        return false;
    if (!port->generation) /* the present flows are the first that count on it */
        port->generation = s->generation;
    if (s->confirmed < port->generation)
        return false;
    bool is_done = write_installed(s, port, ovs);
    if (!sb_port_binding_up(row)) {
        writer_boolean(sb, "Port_Binding", &port->uuid, "up", true);
        return false;
    }
    return is_done;
}

static bool write_released(const struct binding_state *s, const struct sb_port_binding *row,
                           struct writer *sb)
{
    const struct uuid *at = sb_port_binding_chassis(row);
    if (!at || !uuid_equal(at, s->chassis))
        return true;
    const char *type = sb_port_binding_type(row);
    if (!strcmp(type, "virtual") ||
        !strcmp(type, "localport")) /* not claimed by the rules of claim.c */
        return true;
    writer_uuid(sb, "Port_Binding", sb_port_binding_uuid(row), "chassis", NULL);
    if (sb_port_binding_up_present(row))
        writer_boolean(sb, "Port_Binding", sb_port_binding_uuid(row), "up", false);
    writer_comment(sb, "releasing logical port '%s'", sb_port_binding_logical_port(row));
    return false;
}

void binding_write(struct binding *b, const struct binding_state *s, struct writer *sb,
                   struct writer *ovs)
{
    b->has_late = false;
    if (list_empty(&b->todo) || !s->chassis || !writer_is_ready(sb))
        return;
    struct binding_port *port, *next;
    const struct schema_table *table = replica_table(s->sb, "Port_Binding");
    LIST_FOR_EACH_SAFE (port, next, todo, &b->todo) {
        const struct row *row = replica_row_find(s->sb, table, &port->uuid);
        bool is_done = port->is_claimed || clear_installed(s, port, ovs);
        if (row)
            is_done &= port->is_claimed
                           ? write_claimed(b, s, port, sb_port_binding_cast(row), sb, ovs)
                           : write_released(s, sb_port_binding_cast(row), sb);
        if (!is_done)
            continue;
        list_remove(&port->todo);
        list_init(&port->todo);
        if (!port->is_claimed)
            port_free(b, port);
    }
}
