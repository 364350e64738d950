/* neighbors.c - neighbors: who is known behind router ports, how it is known, for how long yet, and which chassis was told by what.
 *
 * Ages are those of MAC_Binding.timestamp, which the controllers move on while a neighbour is heard; the threshold is the one that
 * northd publishes with the datapath.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/env.h"
#include "net/prefix_list.h"
#include "rows/sb.h"
#include "tools/sbctl/sbctl.h"

struct neighbor {
    const struct row *row;
    const char *port, *ip;
    bool is_static;
};

static int compare(const void *a_, const void *b_)
{
    const struct neighbor *a = a_, *b = b_;
    struct ip_addr x, y;
    int c = strcmp(a->port, b->port);
    if (c)
        return c;
    if (ip_addr_parse(a->ip, &x) || ip_addr_parse(b->ip, &y))
        return strcmp(a->ip, b->ip);
    c = ip_addr_compare(&x, &y);
    return c ? c : a->is_static - b->is_static;
}

static void collect(struct ctl_call *call, const char *table, struct neighbor *to)
{
    struct row_list rows = view_rows(call->view, view_table(call->view, table));
    for (size_t i = 0; i < rows.n; i++)
        to[i] = (struct neighbor){.row = rows.rows[i],
                                  .port = row_text(rows.rows[i], "logical_port"),
                                  .ip = row_text(rows.rows[i], "ip"),
                                  .is_static = !strcmp(table, "Static_MAC_Binding")};
    row_list_fini(&rows);
}

/* Seconds after which the neighbour is forgotten, 0: never. */
static uint32_t threshold(struct ctl_call *call, const struct neighbor *n)
{
    struct row_list rows = view_referenced(call->view, n->row, "datapath");
    struct ip_addr ip;
    uint32_t ret = 0;
    if (rows.n && !ip_addr_parse(n->ip, &ip))
        ret = prefix_list_find(
            sb_datapath_binding_external_ids_value(sb_datapath_binding_cast(rows.rows[0]),
                                                   "mac_binding_age_threshold"),
            &ip);
    row_list_fini(&rows);
    return ret;
}

static void put_source(const struct neighbor *n, struct str *to)
{
    if (n->is_static)
        return;
    const struct sb_mac_binding *row = sb_mac_binding_cast(n->row);
    const char *chassis = sb_mac_binding_learned_from_value(row, "chassis"),
               *message = sb_mac_binding_learned_from_value(row, "message");
    if (chassis && message)
        str_putf(to, "%s, %s", chassis, message);
}

/* What will become of it. */
static const char *state(const struct neighbor *n, int64_t age, int64_t limit)
{
    if (n->is_static)
        return row_bool(n->row, "override_dynamic_mac", false) ? "static, overrides" : "static";
    if (!limit)
        return "learned";
    return age > limit ? "expired" : age > limit / 4 * 3 ? "stale" : "fresh";
}

static void print(struct ctl_call *call, const struct neighbor *n, struct table_text *table,
                  int64_t now_ms)
{
    int64_t stamp = n->is_static ? 0 : row_integer(n->row, "timestamp", 0);
    int64_t age = stamp ? (now_ms - stamp) / 1000 : 0,
            limit = n->is_static ? 0 : threshold(call, n);
    char text[2][24] = {"", ""};
    if (stamp)
        snprintf(text[0], sizeof text[0], "%lld", (long long)(age < 0 ? 0 : age));
    if (limit)
        snprintf(text[1], sizeof text[1], "%lld", (long long)limit);
    table_text_add_text(table, n->port);
    table_text_add_text(table, n->ip);
    table_text_add_text(table, row_text(n->row, "mac"));
    table_text_add_text(table, state(n, age, limit));
    table_text_add_text(table, text[0]);
    table_text_add_text(table, text[1]);
    struct str source = STR_INIT;
    put_source(n, &source);
    table_text_add_text(table, str_c(&source));
    str_fini(&source);
}

static size_t n_rows(struct ctl_call *call, const char *table)
{
    struct row_list rows = view_rows(call->view, view_table(call->view, table));
    size_t n = rows.n;
    row_list_fini(&rows);
    return n;
}

static bool has_port(struct ctl_call *call, const char *name)
{
    struct row_list rows = view_rows(call->view, view_table(call->view, "Port_Binding"));
    size_t i = 0;
    while (i < rows.n && strcmp(row_text(rows.rows[i], "logical_port"), name))
        i++;
    bool ret = i < rows.n;
    row_list_fini(&rows);
    return ret;
}

static int run_neighbors(struct ctl_call *call)
{
    static const char *const headings[] = {"port", "address", "mac",      "state",
                                           "age",  "limit",   "taught by"};
    if (call->argc && !has_port(call, call->argv[0]))
        return ctl_fail(call, "no port named %s", call->argv[0]);
    size_t n_learned = n_rows(call, "MAC_Binding");
    size_t n = n_learned + n_rows(call, "Static_MAC_Binding");
    struct neighbor *all = xcalloc(n + 1, sizeof *all);
    collect(call, "MAC_Binding", all);
    collect(call, "Static_MAC_Binding", all + n_learned);
    qsort(all, n, sizeof *all, compare);
    struct table_text *table = table_text_new();
    for (size_t i = 0; i < ARRAY_SIZE(headings); i++)
        table_text_add_heading(table, headings[i]);
    for (size_t i = 0; i < n; i++)
        if (!call->argc || !strcmp(all[i].port, call->argv[0]))
            print(call, &all[i], table, env_wall_ms(env_real()));
    struct table_style style = *ctl_table_style(call->ctl);
    if (style.format == TABLE_LIST)
        style.format = TABLE_TABLE;
    table_text_print(table, &style, &call->out);
    table_text_free(table);
    free(all);
    return 0;
}

const struct ctl_command sb_neighbor_commands[] = {
    {.help = "Neighbour commands"},
    {"neighbors", 0, 1, "[PORT]", NULL,
     "MAC_Binding Static_MAC_Binding Datapath_Binding Port_Binding", NULL, run_neighbors,
     "print who is known behind router ports (or PORT), its state, age and who taught it"},
    {0},
};
