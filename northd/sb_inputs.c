/* sb_inputs.c - see sb_inputs.h (room 2 of docs/architecture.md). A row's facts depend on that row alone, so that what a row stood
 * for is known again when it goes.
 */
#include "northd/sb_inputs.h"

#include <string.h>

#include "rows/sb.h"

static void tell(struct inc *inc, const struct inc_coll *coll, const void *fact, bool is_there)
{
    if (is_there)
        inc_assert(inc, coll, fact);
    else
        inc_retract(inc, coll, fact);
}

static void tell_chassis(struct northd_program *p, struct inc *inc, const struct row *row,
                         bool is_there)
{
    struct fact_chassis f;
    INC_CLEAR(f);
    f.name = program_intern(p, sb_chassis_name(sb_chassis_cast(row)));
    f.hostname = program_intern(p, sb_chassis_hostname(sb_chassis_cast(row)));
    f.uuid = row->uuid;
    tell(inc, p->chassis, &f, is_there);
    rstr_unref(f.name);
    rstr_unref(f.hostname);
}

static void tell_bound(struct northd_program *p, struct inc *inc, const struct row *row,
                       bool is_there)
{
    const struct sb_port_binding *port = sb_port_binding_cast(row);
    struct fact_bound f;
    INC_CLEAR(f);
    if (!sb_port_binding_chassis(port))
        return;
    f.port = program_intern(p, sb_port_binding_logical_port(port));
    f.chassis = *sb_port_binding_chassis(port);
    tell(inc, p->bound, &f, is_there);
    rstr_unref(f.port);
}

/* Who has a virtual port that a chassis has claimed. */
static void tell_parent(struct northd_program *p, struct inc *inc, const struct row *row,
                        bool is_there)
{
    const struct sb_port_binding *port = sb_port_binding_cast(row);
    struct fact_virtual_parent f;
    INC_CLEAR(f);
    if (!sb_port_binding_chassis(port) || !sb_port_binding_virtual_parent(port))
        return;
    f.port = program_intern(p, sb_port_binding_logical_port(port));
    f.parent = program_intern(p, sb_port_binding_virtual_parent(port));
    tell(inc, p->port.parent, &f, is_there);
    rstr_unref(f.port);
    rstr_unref(f.parent);
}

/* A backend that does not answer its checks. */
static void tell_monitor(struct northd_program *p, struct inc *inc, const struct row *row,
                         bool is_there)
{
    const char *status = sb_service_monitor_status(sb_service_monitor_cast(row));
    struct fact_lb_offline f = {row->uuid};
    if (status && strcmp(status, "online"))
        tell(inc, p->lb.health.offline, &f, is_there);
}

static void tell_row(struct northd_program *p, struct inc *inc, const struct row *row,
                     bool is_there)
{
    if (row && row->table->index == SB_TABLE_CHASSIS)
        tell_chassis(p, inc, row, is_there);
    else if (row && row->table->index == SB_TABLE_PORT_BINDING) {
        tell_bound(p, inc, row, is_there);
        tell_parent(p, inc, row, is_there);
    } else if (row && row->table->index == SB_TABLE_SERVICE_MONITOR)
        tell_monitor(p, inc, row, is_there);
}

void sb_inputs_start(struct northd_program *p, struct inc *inc, const struct replica *sb)
{
    static const size_t tables[] = {SB_TABLE_CHASSIS, SB_TABLE_PORT_BINDING,
                                    SB_TABLE_SERVICE_MONITOR};
    const struct row *row;
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
        REPLICA_FOR_EACH(row, pos, sb, &replica_schema(sb)->tables[tables[i]])
    tell_row(p, inc, row, true);
}

void sb_inputs_take(struct northd_program *p, struct inc *inc, const struct changeset *cs)
{
    for (size_t i = 0; i < cs->n; i++) {
        tell_row(p, inc, cs->changes[i].before, false);
        tell_row(p, inc, cs->changes[i].after, true);
    }
}
