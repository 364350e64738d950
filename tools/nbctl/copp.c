/* copp.c - copp-*: control plane protection, meters for the kinds of packets that controllers get. */
#include <string.h>

#include "base/err.h"
#include "tools/nbctl/nbctl.h"

#define COPP_TABLES "Copp"

static const char *const protocols[] = {
    "arp",         "arp-resolve", "dhcpv4-opts", "dhcpv6-opts", "dns",         "event-elb",
    "icmp4-error", "icmp6-error", "igmp",        "nd-na",       "nd-ns",       "nd-ns-resolve",
    "nd-ra-opts",  "tcp-reset",   "bfd",         "reject",      "svc-monitor",
};

static int check_protocol(struct ctl_call *call, const char *protocol)
{
    struct str all = STR_INIT;
    for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
        if (!strcmp(protocols[i], protocol)) {
            str_fini(&all);
            return 0;
        }
        str_putf(&all, "%s%s", i ? ", " : "", protocols[i]);
    }
    int err = ctl_fail(call, "Invalid control protocol. Allowed values: %s.", str_c(&all));
    str_fini(&all);
    return err;
}

static int run_add(struct ctl_call *call)
{
    const struct row *copp;
    int err = check_protocol(call, call->argv[1]);
    if (!err)
        err = nb_find(call, &nb_copp, call->argv[0], false, &copp);
    if (err)
        return err;
    if (!copp) {
        copp = view_insert(call->view, view_table(call->view, "Copp"));
        copp = view_set_text(call->view, copp, "name", call->argv[0]);
    }
    view_set_key(call->view, copp, "meters", call->argv[1], call->argv[2]);
    return 0;
}

static int run_del(struct ctl_call *call)
{
    const struct row *copp;
    int err = call->argc > 1 ? check_protocol(call, call->argv[1]) : 0;
    if (!err)
        err = nb_find(call, &nb_copp, call->argv[0], false, &copp);
    if (err || !copp)
        return err;
    if (call->argc > 1)
        view_remove_key(call->view, copp, "meters", call->argv[1]);
    else
        view_delete(call->view, copp);
    return 0;
}

static int run_list(struct ctl_call *call)
{
    const struct row *copp;
    int err = nb_find(call, &nb_copp, call->argv[0], false, &copp);
    for (size_t i = 0; !err && copp && i < ARRAY_SIZE(protocols); i++) {
        const char *meter = row_map_text(copp, "meters", protocols[i]);
        if (meter)
            str_putf(&call->out, "%s: %s\n", protocols[i], meter);
    }
    return err;
}

static int use(struct ctl_call *call, const struct nb_kind *kind)
{
    const struct row *copp, *owner;
    int err = nb_find(call, &nb_copp, call->argv[0], true, &copp);
    if (!err)
        err = nb_find(call, kind, call->argv[1], true, &owner);
    if (!err)
        view_set(call->view, owner, row_column(owner, "copp"), datum_new_uuid(&copp->uuid));
    return err;
}

static int run_ls_add(struct ctl_call *call)
{
    return use(call, &nb_switch);
}

static int run_lr_add(struct ctl_call *call)
{
    return use(call, &nb_router);
}

const struct ctl_command nb_copp_commands[] = {
    {.help = "Control plane protection commands"},
    {"copp-add", 3, 3, "NAME PROTOCOL METER", NULL, COPP_TABLES, NULL, run_add,
     "limit PROTOCOL packets sent to controllers by METER"},
    {"copp-del", 1, 2, "NAME [PROTOCOL]", NULL, COPP_TABLES, NULL, run_del,
     "take PROTOCOL out of NAME, or delete it"},
    {"copp-list", 1, 1, "NAME", NULL, COPP_TABLES, NULL, run_list, "print the meters of NAME"},
    {"ls-copp-add", 2, 2, "NAME SWITCH", NULL, COPP_TABLES " Logical_Switch", NULL, run_ls_add,
     "let SWITCH be protected by NAME"},
    {"lr-copp-add", 2, 2, "NAME ROUTER", NULL, COPP_TABLES " Logical_Router", NULL, run_lr_add,
     "let ROUTER be protected by NAME"},
    {0},
};
