/* vflows.c - lflow-list --vflows: the rows besides logical flows that flows of a switch are made of (ports, neighbours, multicast groups, chassis,
 * load balancers), each with its flows if --ovs asks for them.
 *
 * One datapath wanted: its rows, and its name is left out of them.
 */
#include <stdlib.h>
#include <string.h>

#include "tools/sbctl/lflow.h"

typedef void put_row_fn(struct listing *l, const struct row *row);

/* The datapaths that ROW is of, by itself and through its groups: appends 'datapath="NAME", ' for each unless one is wanted. Is the wanted
 * one, if any, among them? */
static bool put_datapaths(struct listing *l, const struct row *row, const char *const *columns)
{
    bool found = !l->wanted;
    for (; *columns; columns++) {
        bool is_group = strstr(*columns, "group");
        struct row_list rows = view_referenced(l->call->view, row, *columns);
        for (size_t i = 0; i < rows.n; i++) {
            const char *name = is_group ? NULL : row_map_text(rows.rows[i], "external_ids", "name");
            if (is_group)
                found |= put_datapaths(l, rows.rows[i], (const char *const[]){"datapaths", NULL});
            else if (l->wanted)
                found |= rows.rows[i] == l->wanted;
            else
                str_putf(&l->call->out, "datapath=\"%s\", ", name ? name : "");
        }
        row_list_fini(&rows);
    }
    return found;
}

static void put_port(struct listing *l, const struct row *row)
{
    str_putf(&l->call->out, "logical_port=%s, tunnel_key=%-5lld\n", row_text(row, "logical_port"),
             (long long)row_integer(row, "tunnel_key", 0));
}

static void put_neighbor(struct listing *l, const struct row *row)
{
    str_putf(&l->call->out, "logical_port=%s, ip=%s, mac=%s\n", row_text(row, "logical_port"),
             row_text(row, "ip"), row_text(row, "mac"));
}

static void put_group(struct listing *l, const struct row *row)
{
    struct row_list ports = view_referenced(l->call->view, row, "ports");
    str_putf(&l->call->out, "name=%s, tunnel_key=%-5lld, ports=(", row_text(row, "name"),
             (long long)row_integer(row, "tunnel_key", 0));
    for (size_t i = 0; i < ports.n; i++)
        str_putf(&l->call->out, "%s%s", i ? ", " : "", row_text(ports.rows[i], "logical_port"));
    str_put(&l->call->out, ")\n");
    row_list_fini(&ports);
}

static void put_chassis(struct listing *l, const struct row *row)
{
    str_putf(&l->call->out, "name=%s\n", row_text(row, "name"));
}

static void put_lb(struct listing *l, const struct row *row)
{
    const struct datum *vips = row_value(row, "vips");
    str_put(&l->call->out, "\n  vips:\n");
    for (size_t i = 0; i < vips->n; i++)
        str_putf(&l->call->out, "    %s = %s\n", vips->atoms[i].string->s,
                 datum_values(vips)[i].string->s);
    str_putc(&l->call->out, '\n');
}

/* What stands before the datapaths of a load balancer. */
static void put_lb_name(struct listing *l, const struct row *row)
{
    str_putf(&l->call->out, "name=\"%s\", protocol=\"%s\", ", row_text(row, "name"),
             row_text(row, "protocol"));
}

static const struct section {
    const char *table, *heading;
    const char *datapaths[3]; /* columns */
    put_row_fn *put_name, *put;
} sections[] = {
    {"Port_Binding", "Port Bindings", {"datapath"}, NULL, put_port},
    {"MAC_Binding", "MAC Bindings", {"datapath"}, NULL, put_neighbor},
    {"Multicast_Group", "MC Groups", {"datapath"}, NULL, put_group},
    {"Chassis", "Chassis", {NULL}, NULL, put_chassis},
    {"Load_Balancer", "Load Balancers", {"datapaths", "datapath_group"}, put_lb_name, put_lb},
};

static void put_section(struct listing *l, const struct section *s)
{
    struct str *out = &l->call->out;
    struct row_list rows = view_rows(l->call->view, view_table(l->call->view, s->table));
    bool has_heading = false;
    for (size_t i = 0; i < rows.n; i++) {
        size_t at = out->n;
        if (!has_heading)
            str_putf(out, "\n%s:\n", s->heading);
        listing_put_uuid(l, rows.rows[i]);
        if (s->put_name)
            s->put_name(l, rows.rows[i]);
        if (s->datapaths[0] && !put_datapaths(l, rows.rows[i], s->datapaths)) {
            str_truncate(out, at); /* of another datapath */
            continue;
        }
        has_heading = true;
        s->put(l, rows.rows[i]);
        listing_put_flows(l, rows.rows[i]);
    }
    row_list_fini(&rows);
}

void listing_put_vflows(struct listing *l)
{
    for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
        put_section(l, &sections[i]);
}

void listing_need_vflows(struct ctl_call *call)
{
    for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
        ctl_need(call->ctl, schema_table_find(ctl_schema(call->ctl), sections[i].table));
}
