/* balancer_use.c - ls-lb-*, lr-lb-*: which switches and routers use a load balancer. */
#include "base/err.h"
#include "tools/nbctl/nbctl.h"

#define LS_TABLES "Logical_Switch Load_Balancer"
#define LR_TABLES "Logical_Router Load_Balancer"

/* What the first argument names, and the load balancer of the second, if it is there. */
static int find_both(struct ctl_call *call, const struct nb_kind *kind, const struct row **owner,
                     const struct row **lb)
{
    *lb = NULL;
    int err = nb_find(call, kind, call->argv[0], true, owner);
    if (!err && call->argc > 1)
        err = nb_find(call, &nb_load_balancer, call->argv[1], true, lb);
    return err;
}

static int add(struct ctl_call *call, const struct nb_kind *kind)
{
    const struct row *owner, *lb;
    char uuid[UUID_TEXT_LEN + 1];
    int err = find_both(call, kind, &owner, &lb);
    if (err)
        return err;
    if (!row_refers_to(owner, "load_balancer", &lb->uuid))
        view_add_ref(call->view, owner, "load_balancer", lb);
    else if (!ctl_has_option(call, "--may-exist"))
        return ctl_fail(call, "%s : a load balancer with this UUID already exists",
                        uuid_print(&lb->uuid, uuid));
    return 0;
}

static int del(struct ctl_call *call, const struct nb_kind *kind)
{
    const struct row *owner, *lb;
    int err = find_both(call, kind, &owner, &lb);
    if (err)
        return err;
    if (!lb)
        view_clear(call->view, owner, "load_balancer");
    else if (row_refers_to(owner, "load_balancer", &lb->uuid))
        view_remove_ref(call->view, owner, "load_balancer", &lb->uuid);
    else if (!ctl_has_option(call, "--if-exists"))
        return ctl_fail(call, "load balancer %s is not part of any logical %s.", call->argv[1],
                        kind->word);
    return 0;
}

static int list(struct ctl_call *call, const struct nb_kind *kind)
{
    const struct row *owner, *lb;
    int err = find_both(call, kind, &owner, &lb);
    if (err)
        return err;
    struct row_list rows = view_referenced(call->view, owner, "load_balancer");
    nb_put_balancers(call, &rows);
    row_list_fini(&rows);
    return 0;
}

static int run_ls_add(struct ctl_call *call)
{
    return add(call, &nb_switch);
}

static int run_ls_del(struct ctl_call *call)
{
    return del(call, &nb_switch);
}

static int run_ls_list(struct ctl_call *call)
{
    return list(call, &nb_switch);
}

static int run_lr_add(struct ctl_call *call)
{
    return add(call, &nb_router);
}

static int run_lr_del(struct ctl_call *call)
{
    return del(call, &nb_router);
}

static int run_lr_list(struct ctl_call *call)
{
    return list(call, &nb_router);
}

const struct ctl_command nb_balancer_use_commands[] = {
    {"ls-lb-add", 2, 2, "SWITCH LB", "--may-exist", LS_TABLES, NULL, run_ls_add,
     "let SWITCH use LB"},
    {"ls-lb-del", 1, 2, "SWITCH [LB]", "--if-exists", LS_TABLES, NULL, run_ls_del,
     "let SWITCH not use LB (or any) any more"},
    {"ls-lb-list", 1, 1, "SWITCH", NULL, LS_TABLES, NULL, run_ls_list,
     "print the load balancers of SWITCH"},
    {"lr-lb-add", 2, 2, "ROUTER LB", "--may-exist", LR_TABLES, NULL, run_lr_add,
     "let ROUTER use LB"},
    {"lr-lb-del", 1, 2, "ROUTER [LB]", "--if-exists", LR_TABLES, NULL, run_lr_del,
     "let ROUTER not use LB (or any) any more"},
    {"lr-lb-list", 1, 1, "ROUTER", NULL, LR_TABLES, NULL, run_lr_list,
     "print the load balancers of ROUTER"},
    {0},
};
