/* test_lb.c - load balancers on switches and routers, from NB rows to SB rows: what the flows say, what is in Load_Balancer, and
 * that a changed backend costs its VIP.
 */
#include "support/northd_test.h"

struct net {
    struct world w;
    struct uuid ls, other, lr, lb;
};

/* Two switches on a router, and a load balancer that is nowhere yet. */
static int setup(void **state)
{
    struct net *n = begin(state, sizeof *n);
    struct world *w = &n->w;
    n->ls = world_switch(w, "sw0");
    n->other = world_switch(w, "sw1");
    n->lr = world_router(w, "lr0");
    world_port(w, &n->ls, "p1", "0a:00:00:00:00:01 10.0.0.1");
    world_router_port(w, &n->lr, "rp", "0a:00:00:00:ff:01", "10.0.0.254/24,fd00::ff/64");
    world_attach(w, &n->ls, "sw0-lr0", "rp");
    n->lb = world_insert(w, "Load_Balancer");
    world_set(w, "Load_Balancer", &n->lb, "name", "lb0");
    world_set(w, "Load_Balancer", &n->lb, "vips", "30.0.0.1:80=10.0.0.1:8080,10.0.0.2:8080");
    commit(w);
    return 0;
}

static void set_vips(struct net *n, const char *vips)
{
    world_set(&n->w, "Load_Balancer", &n->lb, "vips", vips);
    commit(&n->w);
}

static void set_options(struct net *n, const char *options)
{
    world_set(&n->w, "Load_Balancer", &n->lb, "options", options);
    commit(&n->w);
}

static void on_switch(struct net *n)
{
    world_link(&n->w, "Logical_Switch", &n->ls, "load_balancer", &n->lb, true);
    commit(&n->w);
}

static void on_router(struct net *n)
{
    world_link(&n->w, "Logical_Router", &n->lr, "load_balancer", &n->lb, true);
    commit(&n->w);
}

static void switch_flows(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    assert_int_equal(world_count(w, "30.0.0.1", NULL), 0); /* on no datapath: nowhere in SB */
    assert_int_equal(world_count(w, "ls_in_pre_lb ", " 100 (ip) (reg0[2] = 1; next;)", NULL), 0);
    on_switch(n);
    assert_int_equal(world_count(w, "ls_in_pre_lb ", " 100 (ip) (reg0[2] = 1; next;)", NULL), 1);
    assert_int_equal(world_count(w, "ls_out_pre_lb ", " 100 (ip) (reg0[2] = 1; next;)", NULL), 1);
    assert_int_equal(world_count(w, "ls_in_pre_stateful ", " 120 ",
                                 "ip4.dst == 30.0.0.1 && tcp.dst == 80",
                                 "(reg1 = 30.0.0.1; reg2[0..15] = 80; ct_lb_mark;)", NULL),
                     1);
    assert_int_equal(
        world_count(w, "ls_in_lb ", " 120 (ct.new && ip4.dst == 30.0.0.1 && tcp.dst == 80)",
                    "(reg0[1] = 0; ct_lb_mark(backends=10.0.0.1:8080,10.0.0.2:8080);)", NULL),
        1);
    assert_int_equal(world_count(w, "ls_in_nat_hairpin ", NULL), 2 + 3); /* 2: last words */
    assert_int_equal(world_count(w, "_pre_lb ", "ip && inport == \"sw0-lr0\"", NULL), 1);
    assert_int_equal(world_count(w, "_pre_lb ", "outport == \"sw0-lr0\"", "ct_clear; next;", NULL),
                     1);
    assert_int_equal(world_count(w, "lr_in_dnat ", "30.0.0.1", NULL), 0);
    /* What a localnet port brings has met no router: it is balanced here. */
    struct uuid localnet = world_port(w, &n->ls, "ln", "unknown");
    world_set(w, "Logical_Switch_Port", &localnet, "type", "localnet");
    commit(w);
    assert_int_equal(world_count(w, "_pre_lb ", "\"ln\"", NULL), 0);
    /* ACLs that follow connections let answers pass: what is known of them must not be forgotten. */
    struct uuid acl = world_insert(w, "ACL");
    world_set(w, "ACL", &acl, "direction", "from-lport");
    world_set(w, "ACL", &acl, "priority", "1000");
    world_set(w, "ACL", &acl, "match", "tcp");
    world_set(w, "ACL", &acl, "action", "allow-related");
    world_link(w, "Logical_Switch", &n->ls, "acls", &acl, true);
    commit(w);
    assert_int_equal(world_count(w, "ls_out_pre", "outport == \"sw0-lr0\"", "ct_clear", NULL), 0);
}

static void rows(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    char uuid[UUID_TEXT_LEN + 1], ls[UUID_TEXT_LEN + 1];
    on_router(n);
    assert_int_equal(world_count(w, "load balancer ", NULL), 0); /* hairpins are a switch's */
    on_switch(n);
    assert_int_equal(world_count(w, "load balancer ", uuid_print(&n->lb, uuid),
                                 "\"30.0.0.1:80\"=\"10.0.0.1:8080,10.0.0.2:8080\"",
                                 "hairpin_orig_tuple=\"true\"", uuid_print(&n->ls, ls), NULL),
                     1);
    set_options(n, "hairpin_snat_ip=9.9.9.9");
    assert_int_equal(world_count(w, "load balancer ", "hairpin_snat_ip=\"9.9.9.9\"", NULL), 1);
    world_link(w, "Logical_Switch", &n->ls, "load_balancer", &n->lb, false);
    commit(w);
    assert_int_equal(world_count(w, "load balancer ", NULL), 0);
}

static void forms(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    on_switch(n);
    world_set(w, "Load_Balancer", &n->lb, "protocol", "udp");
    world_set(w, "Load_Balancer", &n->lb, "selection_fields", "ip_src,tp_src");
    set_vips(n, "[fd00:30::1]:53=[fd00::1]:53 30.0.0.2=10.0.0.1,10.0.0.2 30.0.0.3:1=");
    assert_int_equal(world_count(w, "ls_in_lb ", "ip6.dst == fd00:30::1 && udp.dst == 53",
                                 "backends=[fd00::1]:53; hash_fields=\"ip_src,udp_src\");", NULL),
                     1);
    assert_int_equal(
        world_count(w, "ls_in_pre_stateful ", "xxreg1 = fd00:30::1; reg2[0..15] = 53;", NULL), 1);
    assert_int_equal(world_count(w, "ls_in_lb ", " 110 ", "ip4.dst == 30.0.0.2)",
                                 "backends=10.0.0.1,10.0.0.2;", NULL),
                     1);
    assert_int_equal(world_count(w, "ls_in_lb ", "30.0.0.3", "(drop;)", NULL), 1);
}

static void malformed(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    on_switch(n);
    set_vips(n, "30.0.0.300:80=10.0.0.1:80 30.0.0.1:65536=10.0.0.1:80 30.0.0.2:0=10.0.0.1:80 "
                "30.0.0.4:80=10.0.0.1,x,10.0.0.2:80,[fd00::1]:80, [30.0.0.5]:80=10.0.0.1:80");
    assert_int_equal(world_count(w, "ls_in_lb ", "(ct.new", NULL), 1);
    assert_int_equal(
        world_count(w, "ls_in_lb ", "30.0.0.4", "ct_lb_mark(backends=10.0.0.2:80);", NULL), 1);
}

static void no_backends(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    on_switch(n);
    on_router(n);
    set_vips(n, "30.0.0.1:80=");
    set_options(n, "reject=true");
    assert_int_equal(world_count(w, "ls_in_lb ",
                                 "reject { outport <-> inport; next(pipeline=egress, table=5); };",
                                 NULL),
                     1);
    assert_int_equal(world_count(w, "lr_in_dnat ",
                                 "reject { outport <-> inport; next(pipeline=egress, table=3); };",
                                 NULL),
                     1);
    set_options(n, "event=true");
    assert_int_equal(world_count(w, "ls_in_pre_lb ", " 130 ", "trigger_event(", NULL), 1);
    assert_int_equal(world_count(w, "lr_in_dnat ", " 130 ", "vip = \"30.0.0.1:80\"", NULL), 1);
}

static void affinity(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    on_switch(n);
    on_router(n);
    set_options(n, "affinity_timeout=99999");
    assert_int_equal(world_count(w, "ls_in_lb_aff_check ", "chk_lb_aff()", NULL), 1);
    assert_int_equal(world_count(w, "ls_in_lb ", " 150 ", NULL), 2);
    assert_int_equal(
        world_count(w, "ls_in_lb_aff_learn ",
                    "commit_lb_aff(vip = \"30.0.0.1:80\", backend = \"10.0.0.2:8080\", "
                    "proto = tcp, timeout = 65535);",
                    NULL),
        1);
    assert_int_equal(world_count(w, "lr_in_lb_aff_check ",
                                 "reg0 = ip4.dst; reg9[16..31] = tcp.dst; reg9[6] = chk_lb_aff();",
                                 NULL),
                     1);
    assert_int_equal(world_count(w, "lr_in_lb_aff_learn ", " 100 ", NULL), 2);
}

static void router_flows(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    on_router(n);
    assert_int_equal(world_count(w, "lr_in_defrag ", "ip4.dst == 30.0.0.1", "ct_dnat;", NULL), 1);
    assert_int_equal(world_count(w, "lr_in_dnat ", " 120 ",
                                 "(ct_lb_mark(backends=10.0.0.1:8080,10.0.0.2:8080);)", NULL),
                     1);
    assert_int_equal(world_count(w, "lr_out_undnat ", "ct_dnat", NULL), 0);
    world_set(w, "Logical_Router", &n->lr, "options", "chassis=hv1 lb_force_snat_ip=router_ip");
    commit(w);
    assert_int_equal(world_count(w, "lr_out_undnat ", "flags.loopback = 1; ct_dnat;", NULL), 1);
    assert_int_equal(world_count(w, "lr_in_dnat ", " 120 ", "flags.force_snat_for_lb = 1;",
                                 "; force_snat);", NULL),
                     1);
    assert_int_equal(world_count(w, "lr_out_snat ", " 110 ", "outport == \"rp\"", NULL), 2);
    world_set(w, "Logical_Router", &n->lr, "options", "chassis=hv1 lb_force_snat_ip=20.0.0.1");
    commit(w);
    assert_int_equal(world_count(w, "lr_out_snat ", " 100 ", "ct_snat(20.0.0.1);", NULL), 1);
    assert_int_equal(world_count(w, "lr_in_unsnat ", " 110 ", "ip4.dst == 20.0.0.1", NULL), 1);
    set_options(n, "skip_snat=true");
    assert_int_equal(world_count(w, "lr_in_dnat ", " 120 ", "; skip_snat);", NULL), 1);
    assert_int_equal(world_count(w, "lr_in_dnat ", "; force_snat);", NULL), 0);
}

/* With a distributed gateway port: there alone, both ways. */
static void gateway_port(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    struct uuid lrp = world_router_port(w, &n->lr, "out", "0a:00:00:00:ff:02", "172.16.0.254/24");
    on_router(n);
    assert_int_equal(world_count(w, "lr_out_undnat ", "ct_dnat_in_czone", NULL), 0);
    struct uuid gc = world_insert(w, "Gateway_Chassis");
    world_set(w, "Gateway_Chassis", &gc, "name", "gc");
    world_set(w, "Gateway_Chassis", &gc, "chassis_name", "hv1");
    world_link(w, "Logical_Router_Port", &lrp, "gateway_chassis", &gc, true);
    commit(w);
    assert_int_equal(
        world_count(w, "lr_in_dnat ", " 120 ", "is_chassis_resident(\"cr-out\")", NULL), 1);
    assert_int_equal(world_count(w, "lr_out_undnat ", " 120 ",
                                 "ip4.src == 10.0.0.1 && tcp.src == 8080", "outport == \"out\"",
                                 "is_chassis_resident(\"cr-out\")", "(ct_dnat_in_czone;)", NULL),
                     1);
    set_options(n, "skip_snat=true");
    assert_int_equal(
        world_count(w, "lr_out_undnat ", "(flags.skip_snat_for_lb = 1; ct_dnat_in_czone;)", NULL),
        1);
}

static void router_arp(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    on_router(n);
    assert_int_equal(world_count(w, "lr_in_ip_input ", "arp.tpa == 30.0.0.1", NULL), 0);
    set_vips(n, "10.0.0.77:80=10.0.0.1:80 [fd00::77]:80=[fd00::1]:80 30.0.0.1=10.0.0.1");
    assert_int_equal(world_count(w, "lr_in_ip_input ", " 90 ", "arp.tpa == 10.0.0.77", NULL), 1);
    assert_int_equal(world_count(w, "lr_in_ip_input ", " 90 ", "nd.target == fd00::77", NULL), 1);
    set_options(n, "neighbor_responder=all");
    assert_int_equal(world_count(w, "lr_in_ip_input ", " 90 ", "arp.tpa == 30.0.0.1", NULL), 1);
    set_options(n, "neighbor_responder=none");
    assert_int_equal(world_count(w, "lr_in_ip_input ", "arp.tpa == 10.0.0.77", NULL), 0);
}

static void groups(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    struct uuid group = world_insert(w, "Load_Balancer_Group");
    world_set(w, "Load_Balancer_Group", &group, "name", "g");
    world_link(w, "Load_Balancer_Group", &group, "load_balancer", &n->lb, true);
    world_link(w, "Logical_Switch", &n->ls, "load_balancer_group", &group, true);
    world_link(w, "Logical_Router", &n->lr, "load_balancer_group", &group, true);
    commit(w);
    assert_int_equal(world_count(w, "ls_in_lb ", "30.0.0.1", NULL), 1);
    assert_int_equal(world_count(w, "lr_in_dnat ", "30.0.0.1", NULL), 1);
    on_switch(n); /* twice on one switch is once */
    assert_int_equal(world_count(w, "ls_in_lb ", "30.0.0.1", NULL), 1);
    world_link(w, "Load_Balancer_Group", &group, "load_balancer", &n->lb, false);
    commit(w);
    assert_int_equal(world_count(w, "ls_in_lb ", "30.0.0.1", NULL), 1);
    assert_int_equal(world_count(w, "lr_in_dnat ", "30.0.0.1", NULL), 0);
}

static long long emits_of(struct world *w, const char *kind)
{
    struct str s = STR_INIT;
    long long units, runs, emits = -1;
    northd_put_stats(w->northd, &s);
    const char *line = strstr(str_c(&s), kind);
    assert_non_null(line);
    assert_int_equal(sscanf(line + strlen(kind), "%lld %lld %lld", &units, &runs, &emits), 3);
    str_fini(&s);
    return emits;
}

/* What the switches of a group have is made once for all of them, and comes and goes with each. */
static void group_classes(void **state)
{
    enum { N = 12 };
    struct net *n = *state;
    struct world *w = &n->w;
    struct uuid group = world_insert(w, "Load_Balancer_Group"), ls[N];
    world_set(w, "Load_Balancer_Group", &group, "name", "g");
    world_link(w, "Load_Balancer_Group", &group, "load_balancer", &n->lb, true);
    commit(w);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(world_count(w, "30.0.0.1", NULL), 0); /* a class without members */
        for (int i = 0; i < N; i++) {
            char name[8];
            snprintf(name, sizeof name, "n%d.%d", round, i);
            ls[i] = world_switch(w, name);
            world_link(w, "Logical_Switch", &ls[i], "load_balancer_group", &group, true);
        }
        commit(w);
        assert_int_equal(world_count(w, "ls_in_lb ", "30.0.0.1", NULL), N);
        long long before = emits_of(w, "lb: switch flows");
        set_vips(n, round ? "30.0.0.1:80=10.0.0.7:80" : "30.0.0.1:80=10.0.0.8:80");
        assert_int_equal(emits_of(w, "lb: switch flows") - before, 3);
        assert_int_equal(world_count(w, "ls_in_lb ", "(backends=10.0.0.", NULL), N);
        restart(w);
        for (int i = 0; i < N; i++)
            world_link(w, "Logical_Switch", &ls[i], "load_balancer_group", &group, false);
        commit(w);
    }
    assert_int_equal(world_count(w, "30.0.0.1", NULL), 0);
}

/* --- Health checks */

static void add_check(struct net *n, const char *vip)
{
    struct uuid check = world_insert(&n->w, "Load_Balancer_Health_Check");
    world_set(&n->w, "Load_Balancer_Health_Check", &check, "vip", vip);
    world_set(&n->w, "Load_Balancer_Health_Check", &check, "options", "interval=5");
    world_link(&n->w, "Load_Balancer", &n->lb, "health_check", &check, true);
}

static void report(struct net *n, const char *backend, const char *status)
{
    struct uuid row = sb_row(&n->w, SB_TABLE_SERVICE_MONITOR, SB_SERVICE_MONITOR_COL_IP, backend);
    union atom atom = {.string = rstr_new(status)};
    sb_put(&n->w, SB_TABLE_SERVICE_MONITOR, &row, SB_SERVICE_MONITOR_COL_STATUS,
           datum_new_set(ATOM_STRING, &atom, 1));
    commit(&n->w);
}

/* Who does not answer gets nothing new; a port or a mapping that is not there is not checked. */
static void health(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    on_switch(n);
    on_router(n);
    world_port(w, &n->other, "p2", "0a:00:00:00:00:02 10.0.0.2");
    world_set(w, "Load_Balancer", &n->lb, "ip_port_mappings",
              "10.0.0.1=p1:10.0.0.253 10.0.0.2=p2:10.0.0.253:zone 10.0.0.3=p3:10.0.0.253 x=y");
    commit(w);
    assert_int_equal(world_count(w, "monitor ", NULL), 0);
    add_check(n, "30.0.0.1:80");
    commit(w);
    assert_int_equal(world_count(w, "monitor ", NULL), 2);
    assert_int_equal(
        world_count(w, "monitor 10.0.0.1 tcp 8080 of p1 from 10.0.0.253 ", "interval", NULL), 1);
    assert_int_equal(
        world_count(w, "ls_in_arp_rsp ", " 110 (arp.tpa == 10.0.0.253 && arp.op == 1)", NULL), 2);
    assert_int_equal(world_count(w, "ls_in_l2_lkup ", " 110 ", "handle_svc_check(inport);", NULL),
                     2);
    restart(w);
    report(n, "10.0.0.1", "offline");
    assert_int_equal(world_count(w, "ls_in_lb ", "backends=10.0.0.2:8080)", NULL), 1);
    assert_int_equal(world_count(w, "lr_in_dnat ", "backends=10.0.0.2:8080)", NULL), 1);
    restart(w);
    report(n, "10.0.0.2", "error");
    assert_int_equal(world_count(w, "ls_in_lb ", "30.0.0.1", "(drop;)", NULL), 1);
    report(n, "10.0.0.1", "online");
    assert_int_equal(world_count(w, "ls_in_lb ", "backends=10.0.0.1:8080)", NULL), 1);
    world_set(w, "Load_Balancer", &n->lb, "health_check", "");
    commit(w);
    assert_int_equal(world_count(w, "monitor ", NULL), 0);
    assert_int_equal(world_count(w, "ls_in_lb ", "backends=10.0.0.1:8080,10.0.0.2:8080)", NULL), 1);
    assert_int_equal(world_count(w, "handle_svc_check", NULL), 0);
}

int main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(switch_flows), TEST(rows),       TEST(forms),  TEST(malformed),
        TEST(no_backends),  TEST(affinity),   TEST(health), TEST(router_flows),
        TEST(gateway_port), TEST(router_arp), TEST(groups), TEST(group_classes),
    };
    return cmocka_run_group_tests_name("northd lb", tests, NULL, NULL);
}
