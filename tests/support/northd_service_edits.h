/* northd_service_edits.h - random edits of the services of a network: load balancers and their groups. For northd's oracle;
 * included by one file a test program.
 */
#pragma once

#include "support/northd_pick.h"

enum { N_LBS = 6, N_LB_GROUPS = 2 };

struct service_net {
    const struct uuid *ls, *lr, *lsp; /* of the oracle */
    size_t n_ls, n_lr, n_lsp;
    struct uuid lb[N_LBS], lb_group[N_LB_GROUPS];
};

/* --- Load balancers */

static char *service_backends(struct world *w)
{
    switch (pick(w, 5)) {
    case 0:
        return xstrdup(PICK(w, "", ",", "nonsense", "10.0.0.1:0", "10.0.0.1:80:80", "10.0.0.1"));
    case 1:
        return xasprintf("10.0.0.%u:80", 1 + (unsigned)pick(w, 3));
    case 2:
        return xstrdup("[fd00::1]:80,[fd00::2]:8080,10.0.0.1:80");
    case 3:
        return xstrdup("10.0.1.1,fd00::3,10.0.2.2:99");
    default:
        return xasprintf("10.0.0.%u:80,10.0.1.%u:8080", 1 + (unsigned)pick(w, 3),
                         1 + (unsigned)pick(w, 3));
    }
}

static void service_set_vips(struct world *w, const struct uuid *lb)
{
    struct str s = STR_INIT;
    for (size_t i = pick(w, 4); i-- > 0;) {
        char *backends = service_backends(w);
        str_putf(&s, "%s=%s ",
                 PICK(w, "30.0.0.1:80", "30.0.0.2:53", "30.0.0.3", "10.0.1.77:80",
                      "[fd00:30::1]:80", "fd00:30::2", "10.0.0.254:443", "30.0.0.300:80",
                      "30.0.0.1:65536", "x"),
                 backends);
        free(backends);
    }
    world_set(w, "Load_Balancer", lb, "vips", str_c(&s));
    str_fini(&s);
}

static void service_change_lb(struct world *w, const struct uuid *lb)
{
    switch (pick(w, 5)) {
    case 0:
        world_set(w, "Load_Balancer", lb, "protocol", PICK(w, "", "tcp", "udp", "sctp"));
        break;
    case 1:
        world_set(w, "Load_Balancer", lb, "selection_fields",
                  PICK(w, "", "ip_src", "ip_src,tp_src", "eth_dst,tp_dst"));
        break;
    case 2:
        world_set(w, "Load_Balancer", lb, "options",
                  PICK(w, "", "reject=true", "event=true", "skip_snat=true", "affinity_timeout=60",
                       "affinity_timeout=99999 skip_snat=true", "affinity_timeout=x",
                       "neighbor_responder=all", "neighbor_responder=none",
                       "hairpin_snat_ip=9.9.9.9"));
        break;
    default:
        service_set_vips(w, lb);
    }
}

/* Puts a load balancer or a group on a datapath, or takes it off. */
static void service_place(struct world *w, struct service_net *net, const char *column,
                          const struct uuid *what)
{
    bool on_router = pick(w, 2);
    int dp = on_router ? pick_there(w, net->lr, net->n_lr) : pick_there(w, net->ls, net->n_ls);
    if (dp >= 0)
        world_link(w, on_router ? "Logical_Router" : "Logical_Switch",
                   on_router ? &net->lr[dp] : &net->ls[dp], column, what, pick(w, 3));
}

static void service_edit_lb(struct world *w, struct service_net *net)
{
    struct uuid *lb = &net->lb[pick(w, N_LBS)];
    if (!is_there(lb)) {
        *lb = world_insert(w, "Load_Balancer");
        world_set(w, "Load_Balancer", lb, "name", "lb");
        service_set_vips(w, lb);
        service_place(w, net, "load_balancer", lb);
    } else if (!pick(w, 8)) {
        world_delete(w, "Load_Balancer", lb);
        memset(lb, 0, sizeof *lb);
    } else if (pick(w, 2)) {
        service_place(w, net, "load_balancer", lb);
    } else {
        service_change_lb(w, lb);
    }
}

static void service_edit_lb_group(struct world *w, struct service_net *net)
{
    size_t i = pick(w, N_LB_GROUPS);
    struct uuid *group = &net->lb_group[i];
    int lb = pick_there(w, net->lb, N_LBS);
    if (!is_there(group)) {
        *group = world_insert(w, "Load_Balancer_Group");
        world_set(w, "Load_Balancer_Group", group, "name", i ? "g1" : "g0");
    } else if (pick(w, 2)) {
        service_place(w, net, "load_balancer_group", group);
    } else if (lb >= 0) {
        world_link(w, "Load_Balancer_Group", group, "load_balancer", &net->lb[lb], pick(w, 3));
    }
}

static void service_edit_router(struct world *w, struct service_net *net)
{
    int lr = pick_there(w, net->lr, net->n_lr);
    if (lr >= 0)
        world_set(w, "Logical_Router", &net->lr[lr], "options",
                  PICK(w, "chassis=hv1 lb_force_snat_ip=router_ip",
                       "chassis=hv1 lb_force_snat_ip=20.0.0.1", "lb_force_snat_ip=20.0.0.1",
                       "chassis=hv0 lb_force_snat_ip=nonsense", ""));
}

static UNUSED void service_edit(struct world *w, struct service_net *net)
{
    static void (*const edits[])(struct world *, struct service_net *) = {
        service_edit_lb, service_edit_lb, service_edit_lb_group, service_edit_router};
    edits[pick(w, ARRAY_SIZE(edits))](w, net);
}
