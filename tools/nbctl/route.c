/* route.c - lr-route-*: static routes of a logical router.
 *
 * Prefixes are written to the database with their host bits cleared, and compared as values, so that
 * 10.1.2.3/16 and 10.1.0.0/16 are the same route. Routes of different tables have nothing to do
 * with each other.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "net/addr.h"
#include "tools/nbctl/nbctl.h"

#define ROUTE_TABLES "Logical_Router Logical_Router_Port Logical_Router_Static_Route BFD"

/* ---- values ---- */

static const char *policy_of(const struct row *route)
{
    const char *policy = row_text(route, "policy");
    return *policy ? policy : "dst-ip";
}

static bool same_prefix(const struct row *route, const char *normal)
{
    struct ip_prefix prefix;
    char *text = nb_normal_prefix(row_text(route, "ip_prefix"), &prefix);
    bool same = text && !strcmp(text, normal);
    free(text);
    return same;
}

static int parse_policy(struct ctl_call *call, const char **ret)
{
    *ret = ctl_option(call, "--policy");
    if (*ret && strcmp(*ret, "src-ip") && strcmp(*ret, "dst-ip"))
        return ctl_fail(call, "bad policy: %s", *ret);
    return 0;
}

static int bad_nexthop(struct ctl_call *call, unsigned version, const char *text)
{
    return ctl_fail(call, "bad IPv%u nexthop argument: %s", version, text);
}

/* ---- lr-route-add ---- */

struct route_request {
    const struct row *router;
    const char *policy, *table, *port; /* policy and port may be NULL */
    char *prefix, *nexthop;
    unsigned version;
    bool ecmp, symmetric;
};

static int parse_request(struct ctl_call *call, struct route_request *r)
{
    struct ip_prefix prefix;
    int err = nb_find(call, &nb_router, call->argv[0], true, &r->router);
    if (!err)
        err = parse_policy(call, &r->policy);
    if (err)
        return err;
    r->prefix = nb_normal_prefix(call->argv[1], &prefix);
    if (!r->prefix)
        return ctl_fail(call, "bad prefix argument: %s", call->argv[1]);
    r->version = prefix.addr.version;
    r->nexthop = !strcmp(call->argv[2], "discard") ? xstrdup("discard")
                                                   : nb_normal_address(call->argv[2], r->version);
    if (!r->nexthop)
        return bad_nexthop(call, r->version, call->argv[2]);
    r->table = ctl_option(call, "--route-table");
    r->table = r->table ? r->table : "";
    r->symmetric = ctl_has_option(call, "--ecmp-symmetric-reply");
    r->ecmp = ctl_has_option(call, "--ecmp") || r->symmetric;
    if (call->argc == 4) {
        const struct row *port;
        err = nb_find(call, &nb_router_port, call->argv[3], true, &port);
        r->port = call->argv[3];
    }
    return err;
}

/* The existing route that the new one stands beside or replaces, or NULL. */
static int find_existing(struct ctl_call *call, const struct route_request *r,
                         const struct row **ret)
{
    struct row_list routes = view_referenced(call->view, r->router, "static_routes");
    const char *policy = r->policy ? r->policy : "dst-ip";
    int err = 0;
    *ret = NULL;
    for (size_t i = 0; !err && i < routes.n; i++) {
        const struct row *route = routes.rows[i];
        if (strcmp(row_text(route, "route_table"), r->table) || strcmp(policy_of(route), policy) ||
            !same_prefix(route, r->prefix))
            continue;
        bool same_hop = !strcmp(row_text(route, "nexthop"), r->nexthop) &&
                        !strcmp(row_text(route, "output_port"), r->port ? r->port : "");
        if (!r->ecmp)
            *ret = route;
        else if (same_hop && ctl_has_option(call, "--may-exist"))
            *ret = route;
        else if (same_hop)
            err = ctl_fail(call, "duplicate nexthop for the same ECMP route");
    }
    row_list_fini(&routes);
    if (!err && *ret && !r->ecmp && !ctl_has_option(call, "--may-exist"))
        err = ctl_fail(call,
                       "duplicate prefix: %s (policy: %s). Use option --ecmp to allow this for "
                       "ECMP routing.",
                       r->prefix, policy);
    return err;
}

const struct row *nb_get_bfd(struct ctl_call *call, const char *port, const char *dst)
{
    struct row_list rows = view_any_rows(call->view, view_table(call->view, "BFD"));
    const struct row *found = NULL;
    for (size_t i = 0; i < rows.n && !found; i++)
        if (!strcmp(row_text(rows.rows[i], "dst_ip"), dst) &&
            (!port || !strcmp(row_text(rows.rows[i], "logical_port"), port)))
            found = rows.rows[i];
    row_list_fini(&rows);
    if (found || !port)
        return found;
    found = view_insert(call->view, view_table(call->view, "BFD"));
    found = view_set_text(call->view, found, "dst_ip", dst);
    return view_set_text(call->view, found, "logical_port", port);
}

static int put_route(struct ctl_call *call, const struct route_request *r, const struct row *route)
{
    bool bfd = ctl_has_option(call, "--bfd");
    const struct row *session = bfd ? nb_get_bfd(call, r->port, r->nexthop) : NULL;
    if (bfd && !session)
        return ctl_fail(call, "insert entry in the BFD table failed");
    if (!route)
        route = nb_insert_into(call, r->router, "static_routes");
    route = view_set_text(call->view, route, "ip_prefix", r->prefix);
    route = view_set_text(call->view, route, "nexthop", r->nexthop);
    route = r->port ? view_set_text(call->view, route, "output_port", r->port)
                    : view_clear(call->view, route, "output_port");
    if (r->policy)
        route = view_set_text(call->view, route, "policy", r->policy);
    if (*r->table)
        route = view_set_text(call->view, route, "route_table", r->table);
    if (r->symmetric)
        route = view_set_key(call->view, route, "options", "ecmp_symmetric_reply", "true");
    if (ctl_has_option(call, "--override-connected"))
        route = view_set_key(call->view, route, "options", "override-connected", "true");
    if (bfd)
        view_set(call->view, route, row_column(route, "bfd"), datum_new_uuid(&session->uuid));
    return 0;
}

static int run_lr_route_add(struct ctl_call *call)
{
    struct route_request r = {0};
    const struct row *existing;
    int err = parse_request(call, &r);
    if (!err)
        err = find_existing(call, &r, &existing);
    if (!err)
        err = put_route(call, &r, existing);
    free(r.prefix);
    free(r.nexthop);
    return err;
}

/* ---- lr-route-del ---- */

static int parse_removal(struct ctl_call *call, struct route_request *r)
{
    struct ip_prefix prefix;
    int err = nb_find(call, &nb_router, call->argv[0], true, &r->router);
    if (!err)
        err = parse_policy(call, &r->policy);
    r->table = ctl_option(call, "--route-table");
    if (err || call->argc < 2)
        return err;
    r->prefix = nb_normal_prefix(call->argv[1], &prefix);
    if (!r->prefix)
        return ctl_fail(call, "bad prefix argument: %s", call->argv[1]);
    if (call->argc >= 3) {
        r->nexthop = !strcmp(call->argv[2], "discard")
                         ? xstrdup("discard")
                         : nb_normal_address(call->argv[2], prefix.addr.version);
        if (!r->nexthop)
            return bad_nexthop(call, prefix.addr.version, call->argv[2]);
    }
    r->port = call->argc == 4 ? call->argv[3] : NULL;
    return 0;
}

static bool is_meant(const struct route_request *r, const struct row *route)
{
    if (r->policy && strcmp(r->policy, policy_of(route)))
        return false;
    const char *table = r->table ? r->table : r->prefix ? "" : NULL; /* NULL: of every table */
    if (table && strcmp(table, row_text(route, "route_table")))
        return false;
    if (r->prefix && !same_prefix(route, r->prefix))
        return false;
    if (r->nexthop && strcmp(r->nexthop, row_text(route, "nexthop")))
        return false;
    return !r->port || !strcmp(r->port, row_text(route, "output_port"));
}

static int run_lr_route_del(struct ctl_call *call)
{
    struct route_request r = {0};
    size_t n = 0;
    int err = parse_removal(call, &r);
    if (!err) {
        struct row_list routes = view_referenced(call->view, r.router, "static_routes");
        for (size_t i = 0; i < routes.n; i++) {
            if (!is_meant(&r, routes.rows[i]))
                continue;
            nb_delete_from(call, r.router, "static_routes", routes.rows[i]);
            n++;
        }
        row_list_fini(&routes);
    }
    if (!err && !n && (r.prefix || r.policy) && !ctl_has_option(call, "--if-exists"))
        err = ctl_fail(call,
                       "no matching route: policy '%s', prefix '%s', nexthop '%s', output_port "
                       "'%s'.",
                       r.policy ? r.policy : "any", r.prefix ? r.prefix : "any",
                       r.nexthop ? r.nexthop : "any", r.port ? r.port : "any");
    free(r.prefix);
    free(r.nexthop);
    return err;
}

/* ---- lr-route-list ---- */

struct listed {
    const struct row *row;
    struct ip_prefix prefix;
    char *text;
};

/* By version and table, then longer prefixes first, routes by destination before those by source,
 * then by address. */
static int compare_listed(const void *a_, const void *b_)
{
    const struct listed *a = a_, *b = b_;
    int c = (int)a->prefix.addr.version - (int)b->prefix.addr.version;
    if (!c)
        c = strcmp(row_text(a->row, "route_table"), row_text(b->row, "route_table"));
    if (!c)
        c = (int)b->prefix.len - (int)a->prefix.len;
    if (!c)
        c = strcmp(policy_of(a->row), policy_of(b->row));
    if (!c)
        c = ip_addr_compare(&a->prefix.addr, &b->prefix.addr);
    return c ? c : strcmp(row_text(a->row, "nexthop"), row_text(b->row, "nexthop"));
}

static bool is_same_route(const struct listed *a, const struct listed *b)
{
    return !strcmp(a->text, b->text) && !strcmp(policy_of(a->row), policy_of(b->row)) &&
           !strcmp(row_text(a->row, "route_table"), row_text(b->row, "route_table"));
}

static void put_listed(struct ctl_call *call, const struct listed *route, bool ecmp)
{
    str_putf(&call->out, "%25s %25s %s", route->text, row_text(route->row, "nexthop"),
             policy_of(route->row));
    if (*row_text(route->row, "output_port"))
        str_putf(&call->out, " %s", row_text(route->row, "output_port"));
    if (row_map_text(route->row, "external_ids", "ic-learned-route"))
        str_put(&call->out, " (learned)");
    if (ecmp)
        str_put(&call->out, " ecmp");
    const char *symmetric = row_map_text(route->row, "options", "ecmp_symmetric_reply");
    if (symmetric && !strcmp(symmetric, "true"))
        str_put(&call->out, " ecmp-symmetric-reply");
    if (row_value(route->row, "bfd")->n)
        str_put(&call->out, " bfd");
    str_putc(&call->out, '\n');
}

static void put_all(struct ctl_call *call, const struct listed *routes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct listed *r = &routes[i];
        bool new_version = !i || r->prefix.addr.version != r[-1].prefix.addr.version;
        const char *table = row_text(r->row, "route_table");
        if (new_version)
            str_putf(&call->out, "%sIPv%u Routes\n", i ? "\n" : "", r->prefix.addr.version);
        if (new_version || strcmp(table, row_text(r[-1].row, "route_table")))
            str_putf(&call->out, "%sRoute Table %s:\n", new_version ? "" : "\n",
                     *table ? table : "<main>");
        bool ecmp = (i && is_same_route(r, r - 1)) || (i + 1 < n && is_same_route(r, r + 1));
        put_listed(call, r, ecmp);
    }
}

static int run_lr_route_list(struct ctl_call *call)
{
    const struct row *router;
    const char *table = ctl_option(call, "--route-table");
    int err = nb_find(call, &nb_router, call->argv[0], true, &router);
    if (err)
        return err;
    struct row_list rows = view_referenced(call->view, router, "static_routes");
    struct listed *routes = xcalloc(rows.n + 1, sizeof *routes);
    size_t n = 0;
    for (size_t i = 0; i < rows.n; i++) {
        if (table && strcmp(table, row_text(rows.rows[i], "route_table")))
            continue;
        routes[n].text = nb_normal_prefix(row_text(rows.rows[i], "ip_prefix"), &routes[n].prefix);
        routes[n].row = rows.rows[i];
        if (routes[n].text)
            n++;
        else /* not a prefix: nothing that could be listed in order */
            ctl_warn(call, "nbctl", "bad prefix in static route: %s",
                     row_text(rows.rows[i], "ip_prefix"));
    }
    qsort(routes, n, sizeof *routes, compare_listed);
    put_all(call, routes, n);
    for (size_t i = 0; i < n; i++)
        free(routes[i].text);
    free(routes);
    row_list_fini(&rows);
    return 0;
}

const struct ctl_command nb_route_commands[] = {
    {.help = "Route commands"},
    {"lr-route-add", 3, 4, "ROUTER PREFIX NEXTHOP [PORT]",
     "--may-exist,--policy=,--ecmp,--ecmp-symmetric-reply,--route-table=,--bfd,"
     "--override-connected",
     ROUTE_TABLES, NULL, run_lr_route_add, "add a route to ROUTER (NEXTHOP may be discard)"},
    {"lr-route-del", 1, 4, "ROUTER [PREFIX [NEXTHOP [PORT]]]",
     "--if-exists,--policy=,--route-table=", ROUTE_TABLES, NULL, run_lr_route_del,
     "delete routes from ROUTER"},
    {"lr-route-list", 1, 1, "ROUTER", "--route-table=", ROUTE_TABLES, NULL, run_lr_route_list,
     "print the routes of ROUTER"},
    {0},
};
