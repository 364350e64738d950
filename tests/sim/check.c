/* check.c - see check.h. */
#include "sim/check.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "sim/edge.h"
#include "sim/flows.h"

enum {
    QUIET_US = 120 * SECOND_US,
    POLL_US = 100000,
    TAKE_OVER_US = 10 * SECOND_US,
    MAX_ABSENCE_US = 5 * SECOND_US
};

static const char *const counted[] = {"Datapath_Binding", "Port_Binding",    "Logical_Flow",
                                      "Logical_DP_Group", "Multicast_Group", "Address_Set",
                                      "Port_Group",       "MAC_Binding",     "FDB",
                                      "Chassis",          "Encap",           "DNS"};
_Static_assert(ARRAY_SIZE(counted) <= 16, "amounts has room");

/* --- Quiet */

static json_t *rows_of(struct user *user, const char *table, const char *columns)
{
    json_t *results = user_transact(
        user, "{\"op\":\"select\",\"table\":\"%s\",\"where\":[],\"columns\":[%s]}", table, columns);
    json_t *rows = json_incref(json_object_get(json_array_get(results, 0), "rows"));
    json_decref(results);
    return rows;
}

/* The hypervisor whose chassis has that uuid: -1 for none. */
static int hypervisor_of(const json_t *chassis, const char *uuid)
{
    size_t i;
    json_t *row;
    json_array_foreach(chassis, i, row)
    {
        const char *u = json_string_value(json_array_get(json_object_get(row, "_uuid"), 1));
        if (!strcmp(u, uuid))
            return (int)strtol(json_string_value(json_object_get(row, "name")) + 2, NULL, 10);
    }
    return -1;
}

static const json_t *row_named(const json_t *rows, const char *column, const char *name)
{
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row)
    {
        const char *text = json_string_value(json_object_get(row, column));
        if (text && !strcmp(text, name))
            return row;
    }
    return NULL;
}

struct view { /* of both databases at one time */
    json_t *chassis, *bindings, *lsps;
};

/* What is not yet as it should be with PORT; NULL: nothing. Freed by the caller. Of two interfaces that claim it, one has it. */
static char *what_is_missing(struct net *net, unsigned port, const struct view *view)
{
    const struct net_port *p = &net->ports[port];
    char *name = xasprintf("p%u", port), *what = NULL;
    const json_t *binding = row_named(view->bindings, "logical_port", name);
    const json_t *lsp = row_named(view->lsps, "name", name);
    if (!p->is_there) {
        if (binding)
            what = xasprintf("%s still has a binding", name);
    } else if (!binding || !lsp) {
        what = xasprintf("%s has no binding", name);
    } else {
        const json_t *at = json_object_get(binding, "chassis");
        const char *uuid = json_string_value(json_array_get(at, 1));
        int hv = uuid ? hypervisor_of(view->chassis, uuid) : -1;
        bool up = json_is_true(json_object_get(lsp, "up"));
        if (hv != NOWHERE && hv == p->rival)
            net_swap_rivals(net, port);
        if (hv != p->hv)
            what = xasprintf("%s is bound at %d, its interface is at %d", name, hv, p->hv);
        else if (up != (p->hv != NOWHERE))
            what = xasprintf("%s is %s", name, up ? "up" : "not up");
    }
    free(name);
    return what;
}

/* The first gateway of each edge has it: all are alive. */
static char *what_edge_is_missing(const struct net *net, unsigned router, const struct view *view)
{
    const struct net_router *r = &net->routers[router];
    char *name = xasprintf("cr-r%u-out", router), *what = NULL;
    const json_t *binding = row_named(view->bindings, "logical_port", name);
    if (!r->has_edge) {
        if (binding)
            what = xasprintf("%s still has a binding", name);
    } else if (!binding) {
        what = xasprintf("%s has no binding", name);
    } else {
        const char *uuid =
            json_string_value(json_array_get(json_object_get(binding, "chassis"), 1));
        int hv = uuid ? hypervisor_of(view->chassis, uuid) : -1;
        if (hv != net_gateway(net, router))
            what = xasprintf("%s is at %d, should be at %d", name, hv, net_gateway(net, router));
    }
    free(name);
    return what;
}

static struct view view_of(struct cluster *c)
{
    return (struct view){rows_of(c->sbctl, "Chassis", "\"_uuid\",\"name\""),
                         rows_of(c->sbctl, "Port_Binding", "\"logical_port\",\"chassis\""),
                         rows_of(c->nbctl, "Logical_Switch_Port", "\"name\",\"up\"")};
}

static void view_free(struct view *view)
{
    json_decref(view->chassis);
    json_decref(view->bindings);
    json_decref(view->lsps);
}

static char *what_edges_are_missing(struct net *net)
{
    struct view view = view_of(net->cluster);
    char *what = NULL;
    for (unsigned i = 0; i < MAX_ROUTERS && !what; i++)
        what = what_edge_is_missing(net, i, &view);
    view_free(&view);
    return what;
}

static char *what_ports_are_missing(struct net *net)
{
    struct view view = view_of(net->cluster);
    char *what = NULL;
    for (unsigned i = 0; i < MAX_PORTS && !what; i++)
        what = what_is_missing(net, i, &view);
    view_free(&view);
    return what;
}

static const char *pair(const json_t *row, const char *column, const char *key)
{
    size_t i;
    json_t *p;
    json_array_foreach(json_array_get(json_object_get(row, column), 1), i, p)
    {
        if (!strcmp(json_string_value(json_array_get(p, 0)), key))
            return json_string_value(json_array_get(p, 1));
    }
    return "";
}

/* Which tunnel does not yet know that the other end lives. */
static char *what_tunnel_is_down(struct net *net)
{
    struct cluster *c = net->cluster;
    char *what = NULL;
    for (size_t k = 0; k < c->hvs.n && !what; k++) {
        struct hypervisor *hv = c->hvs.data[k];
        size_t i;
        json_t *row, *rows = rows_of(hv->vsctl, "Interface", "\"name\",\"bfd\",\"bfd_status\"");
        json_array_foreach(rows, i, row)
        {
            if (!what && !strcmp(pair(row, "bfd", "enable"), "true") &&
                strcmp(pair(row, "bfd_status", "state"), "up"))
                what = xasprintf("%s of %s is down",
                                 json_string_value(json_object_get(row, "name")), hv->name);
        }
        json_decref(rows);
    }
    return what;
}

static json_int_t nb_number(struct net *net, const char *column)
{
    char *columns = xasprintf("\"%s\"", column);
    json_t *rows = rows_of(net->cluster->nbctl, "NB_Global", columns);
    json_int_t n = json_integer_value(json_object_get(json_array_get(rows, 0), column));
    json_decref(rows);
    free(columns);
    return n;
}

/* Waits until all hypervisors have carried out what is in NB now. */
static void sync_all(struct net *net, int64_t end)
{
    json_int_t wanted = nb_number(net, "nb_cfg") + 1;
    json_decref(user_transact(net->cluster->nbctl,
                              "{\"op\":\"update\",\"table\":\"NB_Global\",\"where\":[],\"row\":"
                              "{\"nb_cfg\":%lld}}",
                              (long long)wanted));
    while (nb_number(net, "hv_cfg") != wanted) {
        if (net->cluster->time.now_us > end)
            cluster_fail(net->cluster, "hv_cfg is %lld, nb_cfg %lld: some hypervisor is not done",
                         (long long)nb_number(net, "hv_cfg"), (long long)wanted);
        cluster_run(net->cluster, POLL_US);
    }
}

static char *who_is_busy(struct net *net)
{
    struct cluster *c = net->cluster;
    const struct northd *northd = central_northd(&c->central);
    if (!northd)
        return xstrdup("no northd is active");
    if (!northd_is_idle(northd))
        return xstrdup("northd is busy");
    for (size_t i = 0; i < c->hvs.n; i++)
        if (!controller_is_idle(c->hvs.data[i]->controller))
            return xasprintf("the controller of hv%zu is busy", i);
    return NULL;
}

static void wait_until_none(struct net *net, int64_t end, char *(*what_is)(struct net *net))
{
    char *what;
    while ((what = what_is(net)) != NULL) {
        if (net->cluster->time.now_us > end)
            cluster_fail(net->cluster, "does not come to rest: %s", what);
        free(what);
        cluster_run(net->cluster, POLL_US);
    }
}

void check_quiet(struct net *net)
{
    int64_t end = net->cluster->time.now_us + QUIET_US;
    cluster_run(net->cluster, POLL_US);
    wait_until_none(net, end, what_tunnel_is_down);
    wait_until_none(net, end, what_ports_are_missing);
    wait_until_none(net, end, what_edges_are_missing);
    sync_all(net, end);
    wait_until_none(net, end, who_is_busy);
    wait_until_none(net, end,
                    what_ports_are_missing); /* who was late may have claimed one of two */
    wait_until_none(net, end, who_is_busy);
}

void check_gateways(struct net *net)
{
    wait_until_none(net, net->cluster->time.now_us + QUIET_US, what_edges_are_missing);
}

/* --- Incremental against fresh */

/* What the switch has is what the controller wants it to have. */
static void check_installed(struct hypervisor *hv)
{
    struct installer_stats stats = controller_install_stats(hv->controller);
    const struct bridge *br = vswitch_bridge(&hv->switchd.vs, "br-int");
    if (!stats.is_connected || stats.desired != stats.installed || stats.rejected ||
        stats.desired != br->tables.n_rules)
        cluster_fail(hv->cluster,
                     "%s: of %zu flows %zu are installed, %zu were rejected, the switch has %zu",
                     hv->name, stats.desired, stats.installed, stats.rejected, br->tables.n_rules);
}

void check_incremental(struct net *net)
{
    struct cluster *c = net->cluster;
    struct northd *northd = central_northd(&c->central);
    struct str report = STR_INIT;
    if (!northd_verify(northd, &report))
        cluster_fail(c, "northd's incremental state is not that of a fresh one:\n%s",
                     str_c(&report));
    uint64_t n = northd_n_transactions(northd);
    northd_recompute(northd);
    cluster_run(c, POLL_US);
    if (northd_n_transactions(northd) != n)
        cluster_fail(c, "a recompute of northd wrote something");
    for (size_t i = 0; i < c->hvs.n; i++)
        check_installed(c->hvs.data[i]);
    for (size_t i = 0; i < c->hvs.n; i++)
        if (!inc_verify(controller_inc(c->hvs.data[i]->controller), &report))
            cluster_fail(
                c, "hv%zu: the controller's incremental state is not that of a fresh one:\n%s", i,
                str_c(&report));
    str_fini(&report);
}

/* BEFORE: the flows that the controller before this one left. */
static void check_unchanged(struct hypervisor *hv, const flow_texts *before)
{
    struct installer_stats stats = controller_install_stats(hv->controller);
    if (!stats.adds && !stats.deletes)
        return;
    flow_texts after = VEC_INIT;
    struct str difference = STR_INIT;
    flows_read(hv, &after);
    flows_put_difference(before, &after, &difference);
    cluster_fail(hv->cluster, "a fresh controller of %s sent %llu flows and took back %llu:%s",
                 hv->name, (unsigned long long)stats.adds, (unsigned long long)stats.deletes,
                 str_c(&difference));
}

void check_fresh_controllers(struct net *net)
{
    struct cluster *c = net->cluster;
    flow_texts *before = xcalloc(c->hvs.n, sizeof *before);
    for (size_t i = 0; i < c->hvs.n; i++) {
        flows_read(c->hvs.data[i], &before[i]);
        hypervisor_kill_controller(c->hvs.data[i]);
        hypervisor_start_controller(c->hvs.data[i]);
    }
    check_quiet(net);
    for (size_t i = 0; i < c->hvs.n; i++) {
        check_unchanged(c->hvs.data[i], &before[i]);
        flows_free(&before[i]);
    }
    free(before);
}

/* --- Take-over */

static bool has_northd(void *c_)
{
    const struct cluster *c = c_;
    return central_northd(&c->central) != NULL;
}

/* Flows sent so far to all switches, and taken back. */
static uint64_t n_sent(struct cluster *c)
{
    uint64_t n = 0;
    for (size_t i = 0; i < c->hvs.n; i++) {
        struct installer_stats stats = controller_install_stats(c->hvs.data[i]->controller);
        n += stats.adds + stats.deletes;
    }
    return n;
}

void check_take_over(struct net *net)
{
    struct cluster *c = net->cluster;
    uint64_t sent = n_sent(c);
    central_kill_active(&c->central);
    uint64_t written = central_n_written(&c->central);
    if (!c->central.is_split)
        central_serve(&c->central);
    cluster_wait(c, TAKE_OVER_US, has_northd, c, "a northd takes over");
    cluster_run(c, SECOND_US);
    if (c->central.is_split && central_n_written(&c->central) != written)
        cluster_fail(c, "the northd that took over wrote %llu transactions",
                     (unsigned long long)(central_n_written(&c->central) - written));
    central_heal(&c->central);
    check_quiet(net);
    if (n_sent(c) != sent)
        cluster_fail(c, "after a take-over %llu flows were sent or taken back",
                     (unsigned long long)(n_sent(c) - sent));
}

/* --- Restart of a switch */

void check_switch_restart(struct net *net)
{
    struct cluster *c = net->cluster;
    struct hypervisor *hv = c->hvs.data[cluster_pick(c, c->hvs.n)];
    size_t before = vswitch_bridge(&hv->switchd.vs, "br-int")->tables.n_rules;
    hypervisor_kill_switchd(hv);
    cluster_run(c, (int64_t)cluster_pick(c, MAX_ABSENCE_US));
    hypervisor_start_switchd(hv);
    cluster_run(c, SECOND_US);
    const struct bridge *br = vswitch_bridge(&hv->switchd.vs, "br-int");
    if (!br || br->tables.n_rules != before)
        cluster_fail(c, "a second after its start the switch of %s has %zu flows, it had %zu",
                     hv->name, br ? br->tables.n_rules : 0, before);
    check_quiet(net);
}

/* --- Amounts */

struct amounts check_count(struct net *net)
{
    struct cluster *c = net->cluster;
    struct amounts a = {.flows = 0};
    for (size_t i = 0; i < ARRAY_SIZE(counted); i++)
        a.sb_rows[i] = user_count(c->sbctl, counted[i]);
    for (size_t i = 0; i < c->hvs.n; i++) {
        const struct bridge *br;
        LIST_FOR_EACH (br, node, &c->hvs.data[i]->switchd.vs.bridges) {
            a.flows += br->tables.n_rules;
            a.groups += br->groups.n;
            a.meters += br->meters.n;
            a.ports += br->ports.n;
        }
    }
    return a;
}

static void check_equal(struct net *net, const char *what, size_t now, size_t before)
{
    if (now != before)
        cluster_fail(net->cluster, "%s: %zu where there were %zu", what, now, before);
}

void check_equal_amounts(struct net *net, const struct amounts *before)
{
    struct amounts now = check_count(net);
    for (size_t i = 0; i < ARRAY_SIZE(counted); i++)
        check_equal(net, counted[i], now.sb_rows[i], before->sb_rows[i]);
    check_equal(net, "flows in the switches", now.flows, before->flows);
    check_equal(net, "groups in the switches", now.groups, before->groups);
    check_equal(net, "meters in the switches", now.meters, before->meters);
    check_equal(net, "ports of the switches", now.ports, before->ports);
}
