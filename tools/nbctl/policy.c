/* policy.c - lr-policy-*: what a router does with packets before or instead of their route. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/vec.h"
#include "tools/nbctl/nbctl.h"

#define POLICY_TABLES "Logical_Router Logical_Router_Policy"
#define ADD_TABLES POLICY_TABLES " Logical_Router_Port BFD"

typedef VEC(char *) text_vec;

static void free_texts(text_vec *v)
{
    for (size_t i = 0; i < v->n; i++)
        free(v->data[i]);
    vec_fini(v);
}

/* "A,B,...", addresses of one version; empty words do not count. */
static int parse_nexthops(struct ctl_call *call, const char *text, text_vec *hops)
{
    char *copy = xstrdup(text), *rest = copy, *word;
    unsigned version = 0;
    int err = 0;
    while (!err && (word = strsep(&rest, ",")) != NULL) {
        struct ip_addr ip;
        if (!*word)
            continue;
        if (ip_addr_parse(word, &ip))
            err = ctl_fail(call, "bad next hop argument: %s", text);
        else if (version && version != ip.version)
            err = ctl_fail(call, "bad next hops argument, not in the same addr family : %s", text);
        else
            vec_push(hops, nb_normal_address(word, 0));
        if (!err)
            version = ip.version;
    }
    free(copy);
    return err;
}

static int check_action(struct ctl_call *call, const char *action)
{
    static const char *const actions[] = {"allow", "drop", "reroute", "jump"};
    for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
        if (!strcmp(action, actions[i]))
            return 0;
    return ctl_fail(call, "%s: action must be one of \"allow\", \"drop\", and \"reroute\"", action);
}

static int check_options(struct ctl_call *call, int from)
{
    for (int i = from; i < call->argc; i++) {
        const char *equals = strchr(call->argv[i], '=');
        if (!equals || !equals[1])
            return ctl_fail(call, "No value specified for the option : %.*s",
                            (int)strcspn(call->argv[i], "="), call->argv[i]);
    }
    return 0;
}

/* --chain, and where "jump" goes. */
static int set_chain(struct ctl_call *call, const struct row **policy)
{
    const char *chain = ctl_option(call, "--chain");
    bool jumps = !strcmp(call->argv[3], "jump");
    if (!chain && !jumps)
        return 0;
    if (!ctl_server_has(call->ctl, row_column(*policy, "chain")))
        return ctl_fail(call, "the server's database has no chains of policies");
    if (chain)
        *policy = view_set_text(call->view, *policy, "chain", chain);
    if (jumps)
        *policy = view_set_text(call->view, *policy, "jump_chain", call->argv[4]);
    return 0;
}

static int set_port(struct ctl_call *call, const struct row **policy, const text_vec *hops)
{
    const char *name = ctl_option(call, "--output-port");
    const struct row *port;
    bool bfd = ctl_has_option(call, "--bfd");
    if (!name)
        return bfd ? ctl_fail(call, "--bfd needs --output-port") : 0;
    int err = nb_find(call, &nb_router_port, name, true, &port);
    if (err)
        return err;
    if (!ctl_server_has(call->ctl, row_column(*policy, "output_port")))
        return ctl_fail(call, "--output-port: the server's database has no such column");
    *policy = view_set(call->view, *policy, row_column(*policy, "output_port"),
                       datum_new_uuid(&port->uuid));
    for (size_t i = 0; bfd && i < hops->n; i++)
        *policy = view_add_ref(call->view, *policy, "bfd_sessions",
                               nb_get_bfd(call, row_text(port, "name"), hops->data[i]));
    return 0;
}

static int add(struct ctl_call *call, const struct row *router, const struct nb_rule *rule,
               text_vec *hops)
{
    const char *action = call->argv[3];
    bool reroute = !strcmp(action, "reroute"), takes_word = reroute || !strcmp(action, "jump");
    if (nb_rule_find(call, router, "policies", rule)) {
        if (ctl_has_option(call, "--may-exist"))
            return 0;
        return ctl_fail(call, "Same routing policy already existed on the logical router %s.",
                        call->argv[0]);
    }
    if (takes_word && call->argc < 5)
        return ctl_fail(call, reroute ? "Nexthop is required when action is reroute."
                                      : "A chain is required when action is jump.");
    int err = reroute ? parse_nexthops(call, call->argv[4], hops) : 0;
    int options = takes_word ? 5 : 4;
    if (!err)
        err = check_options(call, options);
    if (err)
        return err;
    const struct row *policy = nb_rule_insert(call, router, "policies", rule);
    policy = view_set_text(call->view, policy, "action", action);
    policy = view_set_texts(call->view, policy, "nexthops", hops->data, hops->n);
    err = set_chain(call, &policy);
    if (!err)
        err = set_port(call, &policy, hops);
    if (!err)
        nb_set_pairs(call, policy, "options", call->argv + options, call->argc - options);
    return err;
}

static int run_add(struct ctl_call *call)
{
    const struct row *router;
    struct nb_rule rule = {.match = call->argv[2]};
    int err = nb_find(call, &nb_router, call->argv[0], true, &router);
    if (!err)
        err = nb_parse_priority(call, call->argv[1], &rule.priority);
    if (!err)
        err = check_action(call, call->argv[3]);
    text_vec hops = VEC_INIT;
    if (!err)
        err = add(call, router, &rule, &hops);
    free_texts(&hops);
    return err;
}

static int delete_by_uuid(struct ctl_call *call, const struct row *router, const struct uuid *uuid)
{
    const struct row *policy =
        view_find(call->view, view_table(call->view, "Logical_Router_Policy"), uuid);
    if (policy && row_refers_to(router, "policies", uuid))
        nb_delete_from(call, router, "policies", policy);
    else if (!ctl_has_option(call, "--if-exists"))
        return ctl_fail(call, "Logical router policy uuid is not found.");
    return 0;
}

static int run_del(struct ctl_call *call)
{
    const struct row *router;
    struct nb_rule rule = {.priority = -1};
    struct uuid uuid;
    int err = nb_find(call, &nb_router, call->argv[0], true, &router);
    if (!err && call->argc == 2 && uuid_parse(call->argv[1], &uuid))
        return delete_by_uuid(call, router, &uuid);
    if (!err && call->argc > 1)
        err = nb_parse_priority(call, call->argv[1], &rule.priority);
    if (!err && call->argc > 2)
        rule.match = call->argv[2];
    if (!err)
        nb_rule_delete(call, router, "policies", &rule);
    return err;
}

static void put_policy(struct ctl_call *call, const struct row *policy)
{
    struct str *out = &call->out;
    const struct datum *hops = row_value(policy, "nexthops"), *options;
    str_putf(out, "%10lld %50s %15s", (long long)row_integer(policy, "priority", 0),
             row_text(policy, "match"), row_text(policy, "action"));
    if (row_value(policy, "nexthop")->n && !hops->n)
        str_putf(out, " %25s", row_text(policy, "nexthop"));
    for (size_t i = 0; i < hops->n; i++)
        str_putf(out, i ? ", %s" : " %25s", hops->atoms[i].string->s);
    options = row_value(policy, "options");
    for (size_t i = 0; i < options->n; i++)
        str_putf(out, "%s%s=%s", i ? "," : "               ", options->atoms[i].string->s,
                 datum_values(options)[i].string->s);
    if (row_value(policy, "chain")->n)
        str_putf(out, " chain=%s", row_text(policy, "chain"));
    if (row_value(policy, "jump_chain")->n)
        str_putf(out, " jump=%s", row_text(policy, "jump_chain"));
    if (row_value(policy, "bfd_sessions")->n)
        str_put(out, " bfd");
    str_putc(out, '\n');
}

static int run_list(struct ctl_call *call)
{
    const struct row *router;
    int err = nb_find(call, &nb_router, call->argv[0], true, &router);
    if (err)
        return err;
    struct row_list rows = nb_rules(call, router, "policies");
    if (rows.n)
        str_put(&call->out, "Routing Policies\n");
    for (size_t i = 0; i < rows.n; i++)
        put_policy(call, rows.rows[i]);
    row_list_fini(&rows);
    return 0;
}

const struct ctl_command nb_policy_commands[] = {
    {.help = "Policy commands"},
    {"lr-policy-add", 4, CTL_ANY,
     "ROUTER PRIORITY MATCH ACTION [NEXTHOP[,NEXTHOP]...] [KEY=VALUE]...",
     "--may-exist,--bfd,--chain=,--output-port=", ADD_TABLES, NULL, run_add,
     "add a policy to ROUTER: allow, drop, reroute, jump"},
    {"lr-policy-del", 1, 3, "ROUTER [{PRIORITY|UUID} [MATCH]]", "--if-exists", POLICY_TABLES, NULL,
     run_del, "delete policies from ROUTER"},
    {"lr-policy-list", 1, 1, "ROUTER", NULL, POLICY_TABLES, NULL, run_list,
     "print the policies of ROUTER"},
    {0},
};
