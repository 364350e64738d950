/* test_chassis.c - what a hypervisor writes back: configuration, registration, tunnels, claims, progress. The databases are
 * replicas over sources that the test plays: it pushes rows and looks at the operations that come out. */
#include "unit/controller/chassis_world.h"

static void test_config(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    assert_string_equal(w.config.system_id, "hv1");
    assert_string_equal(w.config.bridge, "br-int");
    assert_string_equal(w.config.encap_types, "geneve");
    assert_true(w.config.encap_csum);
    assert_null(w.config.remote);
    assert_true(w.config.probe_ms == -1);
    put_root(&w, PAIRS("system-id", "hv1", "ovn-remote", "tcp:1.2.3.4:6642", "ovn-remote-hv1",
                       "unix:/x", "ovn-bridge-hv2", "br-other", "ovn-encap-csum", "false",
                       "ovn-remote-probe-interval", "junk"));
    assert_string_equal(w.config.remote, "unix:/x");
    assert_string_equal(w.config.bridge, "br-int");
    assert_false(w.config.encap_csum);
    assert_true(w.config.probe_ms == -1);
    put_root(&w, PAIRS("ovn-remote-probe-interval", "5000"));
    assert_null(w.config.system_id);
    assert_int_equal(w.config.probe_ms, 5000);
    world_fini(&w);
}

static void test_bridge_is_made_once(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    bridge_run(&w.config, w.ovs.replica, &w.ovs.writer);
    commit(&w.ovs);
    assert_int_equal(count(&w.ovs, OP_INSERT, "Bridge"), 1);
    assert_int_equal(count(&w.ovs, OP_INSERT, "Port"), 1);
    assert_int_equal(count(&w.ovs, OP_INSERT, "Interface"), 1);
    assert_string_equal(value_of(&w.ovs, "Bridge", "fail_mode", &w.text), "secure");
    assert_int_equal(count(&w.ovs, OP_MUTATE, "Open_vSwitch"), 1);
    put_bridge(&w, false);
    bridge_run(&w.config, w.ovs.replica, &w.ovs.writer);
    commit(&w.ovs);
    assert_null(w.ovs.ops);
    world_fini(&w);
}

static void test_registration(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    register_run(&w.registration, &w.config, w.sb.replica, &w.sb.writer);
    commit(&w.sb);
    assert_int_equal(count(&w.sb, OP_INSERT, "Chassis"), 1);
    assert_int_equal(count(&w.sb, OP_INSERT, "Encap"), 1);
    assert_int_equal(count(&w.sb, OP_INSERT, "Chassis_Private"), 1);
    assert_string_equal(value_of(&w.sb, "Chassis", "name", &w.text), "hv1");
    put_chassis(&w, CHASSIS, ENCAP, "hv1", "10.0.0.1");
    put_private(&w, 0);
    register_run(&w.registration, &w.config, w.sb.replica, &w.sb.writer);
    commit(&w.sb);
    assert_null(w.sb.ops); /* all as it should be */
    put_root(&w, PAIRS("system-id", "hv1", "ovn-encap-ip", "10.0.0.1", "hostname", "host",
                       "ovn-bridge-mappings", "net:br-ex", "ovn-cms-options", "gw"));
    register_run(&w.registration, &w.config, w.sb.replica, &w.sb.writer);
    commit(&w.sb);
    assert_int_equal(count(&w.sb, OP_MUTATE, "Chassis"), 1); /* for whoever chooses chassis */
    put_root(&w, PAIRS("system-id", "hv1", "ovn-encap-ip", "10.0.0.2", "hostname", "host"));
    register_run(&w.registration, &w.config, w.sb.replica, &w.sb.writer);
    commit(&w.sb);
    assert_int_equal(count(&w.sb, OP_INSERT, "Chassis"), 0);
    assert_int_equal(count(&w.sb, OP_INSERT, "Encap"), 1);
    assert_int_equal(count(&w.sb, OP_UPDATE, "Chassis"), 1);
    put_chassis(&w, CHASSIS, ENCAP, "hv1", "10.0.0.2");
    register_run(&w.registration, &w.config, w.sb.replica, &w.sb.writer);
    commit(&w.sb);
    assert_null(w.sb.ops);
    put_chassis(&w, CHASSIS, ENCAP, "hv1",
                "10.0.0.66"); /* somebody else calls himself hv1: not fought over */
    register_run(&w.registration, &w.config, w.sb.replica, &w.sb.writer);
    commit(&w.sb);
    assert_null(w.sb.ops);
    put_chassis(&w, CHASSIS, ENCAP, "hv1", "10.0.0.2");
    register_run(&w.registration, &w.config, w.sb.replica, &w.sb.writer);
    put_root(&w, PAIRS("system-id", "hv7", "ovn-encap-ip", "10.0.0.2", "hostname", "host"));
    register_run(&w.registration, &w.config, w.sb.replica, &w.sb.writer); /* another name */
    commit(&w.sb);
    assert_int_equal(count(&w.sb, OP_INSERT, "Chassis"), 0);
    assert_string_equal(value_of(&w.sb, "Chassis", "name", &w.text), "hv7");
    assert_string_equal(value_of(&w.sb, "Encap", "chassis_name", &w.text), "hv7");
    put_root(&w, PAIRS("system-id", "hv1", "ovn-encap-ip", "10.0.0.9", "hostname", "host"));
    put_chassis(&w, OTHER, OTHER_ENCAP, "hv2", "10.0.0.9"); /* its address is ours */
    register_run(&w.registration, &w.config, w.sb.replica, &w.sb.writer);
    commit(&w.sb);
    assert_null(w.sb.ops);
    put_root(&w, PAIRS("system-id", "hv2", "ovn-encap-ip", "10.0.0.5", "hostname", "elsewhere"));
    register_run(&w.registration, &w.config, w.sb.replica, &w.sb.writer); /* a name that is taken */
    commit(&w.sb);
    assert_null(w.sb.ops);
    assert_true(w.registration.is_refused);
    put_root(&w, PAIRS("system-id", "hv2", "ovn-encap-ip", "10.0.0.5", "hostname", "host"));
    register_run(&w.registration, &w.config, w.sb.replica, &w.sb.writer); /* or it has moved */
    commit(&w.sb);
    assert_false(w.registration.is_refused);
    assert_int_equal(count(&w.sb, OP_INSERT, "Encap"), 1);
    put_root(&w, PAIRS("system-id", "hv1")); /* without an address nothing is said */
    register_run(&w.registration, &w.config, w.sb.replica, &w.sb.writer);
    commit(&w.sb);
    assert_null(w.sb.ops);
    assert_true(register_remove(&w.config, w.sb.replica, &w.sb.writer));
    commit(&w.sb);
    assert_int_equal(count(&w.sb, OP_DELETE, "Chassis"), 1);
    assert_int_equal(count(&w.sb, OP_DELETE, "Chassis_Private"), 1);
    world_fini(&w);
}

static void settle(struct world *w)
{
    hypervisor_update(&w->hypervisor, &w->config, w->ovs.replica, w->sb.replica, 0);
    while (!inc_settle(w->inc, SIZE_MAX) || ids_run(&w->ids))
        ;
    assert_true(inc_verify(w->inc, NULL));
}

/* OFPORT 0: none yet. */
static void put_tunnel(struct world *w, int64_t ofport)
{
    struct row *row = new_row(&w->ovs, "Interface", TUN_IFACE);
    set_text(row, "name", "ovn-hv2-0");
    set_text(row, "type", "geneve");
    if (ofport)
        set(row, "ofport", datum_new_integer(ofport));
    set_pairs(row, "options", PAIRS("key", "flow", "remote_ip", "10.0.0.9", "csum", "true"));
    push(&w->ovs, row);
}

static void test_tunnels(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    put_bridge(&w, false);
    put_chassis(&w, CHASSIS, ENCAP, "hv1", "10.0.0.1");
    put_chassis(&w, OTHER, OTHER_ENCAP, "hv2", "10.0.0.9");
    settle(&w);
    assert_false(tunnels_write(&w.config, &w.program, w.inc, w.ovs.replica, &w.ovs.writer));
    commit(&w.ovs);
    assert_int_equal(count(&w.ovs, OP_INSERT, "Port"), 1); /* to the other one, not to ourselves */
    assert_string_equal(value_of(&w.ovs, "Port", "name", &w.text), "ovn-hv2-0");
    assert_string_equal(value_of(&w.ovs, "Interface", "type", &w.text), "geneve");

    put_bridge(&w, true);
    struct row *row = new_row(&w.ovs, "Port", TUN_PORT);
    set_text(row, "name", "ovn-hv2-0");
    set_ref(row, "interfaces", TUN_IFACE);
    set_pairs(row, "external_ids", PAIRS("ovn-chassis-id", "hv2@10.0.0.9"));
    push(&w.ovs, row);
    put_tunnel(&w, 0); /* the switch has not opened it yet */
    settle(&w);
    assert_false(tunnels_write(&w.config, &w.program, w.inc, w.ovs.replica, &w.ovs.writer));
    commit(&w.ovs);
    assert_null(w.ovs.ops);
    put_tunnel(&w, 7);
    settle(&w);
    assert_int_equal(inc_count(w.inc, w.program.tunnel), 1);
    assert_true(tunnels_write(&w.config, &w.program, w.inc, w.ovs.replica, &w.ovs.writer));
    commit(&w.ovs);
    assert_null(w.ovs.ops);

    put_root(
        &w, PAIRS("system-id", "hv1", "ovn-encap-tos", "inherit", "ovn-encap-df_default", "false"));
    settle(&w);
    assert_false(tunnels_write(&w.config, &w.program, w.inc, w.ovs.replica, &w.ovs.writer));
    commit(&w.ovs);
    assert_int_equal(count(&w.ovs, OP_INSERT, "Port"), 1); /* made anew, with these */

    put_chassis(&w, OTHER, OTHER_ENCAP, "hv2", "10.0.0.8"); /* it has moved */
    settle(&w);
    assert_false(tunnels_write(&w.config, &w.program, w.inc, w.ovs.replica, &w.ovs.writer));
    commit(&w.ovs);
    assert_int_equal(count(&w.ovs, OP_MUTATE, "Bridge"), 1); /* the old one out, the new one in */
    assert_int_equal(count(&w.ovs, OP_INSERT, "Port"), 1);
    assert_string_equal(value_of(&w.ovs, "Port", "name", &w.text), "ovn-hv2-1");
    tunnels_remove(&w.config, w.ovs.replica, &w.ovs.writer);
    commit(&w.ovs);
    assert_int_equal(count(&w.ovs, OP_MUTATE, "Bridge"), 1);
    world_fini(&w);
}

enum { MANY = 1000 }; /* uuids of a port's rows are MANY + 2 * its number, and the next */

static void put_numbered(struct world *w, unsigned i, int64_t ofport, const char *id)
{
    char name[16];
    snprintf(name, sizeof name, "n%u", i);
    struct row *row = new_row(&w->ovs, "Interface", MANY + 2 * i + 1);
    set_text(row, "name", name);
    set(row, "ofport", datum_new_integer(ofport));
    set_pairs(row, "external_ids", PAIRS("iface-id", id));
    push(&w->ovs, row);
}

static void put_numbered_port(struct world *w, unsigned i, const char *uplink)
{
    struct row *row = new_row(&w->ovs, "Port", MANY + 2 * i);
    set_ref(row, "interfaces", MANY + 2 * i + 1);
    if (uplink)
        set_pairs(row, "external_ids", PAIRS("ovn-localnet-port", uplink));
    push(&w->ovs, row);
}

/* A bridge with the ports numbered from 0 to N. */
static void put_big_bridge(struct world *w, unsigned n)
{
    union atom *ports = xcalloc(n, sizeof *ports);
    struct row *row = new_row(&w->ovs, "Bridge", BR);
    set_text(row, "name", "br-int");
    for (unsigned i = 0; i < n; i++)
        ports[i].uuid = uuid_of(MANY + 2 * i);
    set(row, "ports", datum_new_set(ATOM_UUID, ports, n));
    push(&w->ovs, row);
    free(ports);
}

/* Interfaces that were looked at while, on a bridge of N ports, one came, got a number, changed its name, and went. */
static uint64_t seen_for_one_more(unsigned n)
{
    struct world w;
    struct hypervisor *h = &w.hypervisor;
    world_init(&w);
    for (unsigned i = 0; i < n; i++) {
        put_numbered(&w, i, i + 1, "other");
        put_numbered_port(&w, i, NULL);
    }
    put_big_bridge(&w, n);
    settle(&w);
    assert_int_equal(inc_count(w.inc, w.program.iface), n);
    h->n_seen = 0;
    h->are_uplinks_moved = false;
    put_numbered(&w, n, 0, "mine"); /* the switch has not opened it yet */
    put_numbered_port(&w, n, NULL);
    put_big_bridge(&w, n + 1);
    settle(&w);
    assert_int_equal(inc_count(w.inc, w.program.iface), n);
    put_numbered(&w, n, n + 1, "mine");
    settle(&w);
    assert_int_equal(inc_count(w.inc, w.program.iface), n + 1);
    char name[16];
    snprintf(name, sizeof name, "n%u", n);
    assert_non_null(hypervisor_interface(h, w.ovs.replica, name));
    assert_null(hypervisor_interface(h, w.ovs.replica, "n"));
    put_numbered(&w, n, n + 1, "yours");
    settle(&w);
    assert_false(h->are_uplinks_moved);
    put_numbered_port(&w, n, "physical"); /* it is an uplink now, too */
    settle(&w);
    assert_true(h->are_uplinks_moved);
    put_big_bridge(&w, n);
    settle(&w);
    assert_int_equal(inc_count(w.inc, w.program.iface), n);
    assert_null(hypervisor_interface(h, w.ovs.replica, name));
    uint64_t seen = h->n_seen;
    put_root(&w, PAIRS("system-id", "hv1", "ovn-bridge-mappings", "net:br-ex"));
    settle(&w);
    assert_int_equal(h->n_seen, seen + n); /* more than ports has changed: all are looked at */
    world_fini(&w);
    return seen;
}

static void test_one_more_port(void **state UNUSED)
{
    uint64_t seen = seen_for_one_more(3);
    assert_true(seen <= 6);
    assert_int_equal(seen_for_one_more(200), seen);
}

static void put_port(struct world *w, unsigned chassis, bool up)
{
    struct row *row = new_row(&w->sb, "Port_Binding", PORT);
    set_text(row, "logical_port", "lp");
    set_ref(row, "datapath", DATAPATH);
    set(row, "tunnel_key", datum_new_integer(1));
    if (chassis)
        set_ref(row, "chassis", chassis);
    set(row, "up", datum_new_boolean(up));
    push(&w->sb, row);
}

static void write_bindings(struct world *w, struct binding *b, uint64_t generation,
                           uint64_t confirmed)
{
    struct uuid chassis = uuid_of(CHASSIS);
    settle(w);
    binding_take_claims(b, w->inc, &w->program);
    struct binding_state state = {.sb = w->sb.replica,
                                  .name = "hv1",
                                  .ovs = w->ovs.replica,
                                  .hypervisor = &w->hypervisor,
                                  .chassis = &chassis,
                                  .generation = generation,
                                  .confirmed = confirmed,
                                  .ids = &w->ids,
                                  .now_ms = env_now_ms(&w->env.env),
                                  .wall_ms = 12345};
    binding_write(b, &state, &w->sb.writer, &w->ovs.writer);
    commit(&w->sb);
    commit(&w->ovs);
}

static void test_claims(void **state UNUSED)
{
    struct world w;
    struct binding b;
    world_init(&w);
    binding_init(&b);
    w.env.now_us = 1000000000;
    put_bridge(&w, false);
    put_chassis(&w, CHASSIS, ENCAP, "hv1", "10.0.0.1");
    put_chassis(&w, OTHER, OTHER_ENCAP, "hv2", "10.0.0.9");
    put_port(&w, 0, false);
    put_vif(&w, -1, PAIRS("iface-id", "lp")); /* not plugged in yet */
    write_bindings(&w, &b, 1, 1);
    assert_null(w.sb.ops);
    put_vif(&w, 5, PAIRS("iface-id", "lp"));
    write_bindings(&w, &b, 2, 1);
    assert_int_equal(count(&w.sb, OP_UPDATE, "Port_Binding"), 1);
    assert_string_not_equal(value_of(&w.sb, "Port_Binding", "chassis", &w.text), "");

    put_port(&w, CHASSIS, false); /* bound, but the flows that know it are not in the switch */
    struct uuid port = uuid_of(PORT);
    binding_row_changed(&b, &port);
    write_bindings(&w, &b, 3, 2);
    assert_null(w.sb.ops);
    write_bindings(&w, &b, 3, 3);
    assert_string_equal(value_of(&w.sb, "Port_Binding", "up", &w.text), "true");
    assert_int_equal(count(&w.ovs, OP_MUTATE, "Interface"), 1); /* ovn-installed */
    put_port(&w, CHASSIS, true);
    put_vif(&w, 5, PAIRS("iface-id", "lp", "ovn-installed", "true"));
    binding_row_changed(&b, &port);
    write_bindings(&w, &b, 4, 4);
    assert_null(w.sb.ops);
    assert_null(w.ovs.ops);
    assert_true(list_empty(&b.todo));

    put_port(&w, OTHER, true); /* taken away: not fought over, however long that lasts */
    binding_row_changed(&b, &port);
    write_bindings(&w, &b, 5, 5);
    assert_null(w.sb.ops);
    w.env.now_us += 60000000;
    binding_row_changed(&b, &port);
    write_bindings(&w, &b, 5, 5);
    assert_null(w.sb.ops);
    put_vif(&w, -1, PAIRS("iface-id", "lp")); /* plugged in again: taken back */
    settle(&w);
    binding_take_claims(&b, w.inc, &w.program);
    put_vif(&w, 6, PAIRS("iface-id", "lp", "ovn-installed", "true"));
    write_bindings(&w, &b, 5, 5);
    assert_int_equal(count(&w.sb, OP_UPDATE, "Port_Binding"), 1);

    put_port(&w, CHASSIS, true);
    put_vif(&w, 5, PAIRS("iface-id", "another", "ovn-installed", "true")); /* released */
    binding_row_changed(&b, &port);
    write_bindings(&w, &b, 6, 6);
    assert_int_equal(count(&w.ovs, OP_MUTATE, "Interface"), 1); /* not installed any more */
    assert_string_equal(value_of(&w.sb, "Port_Binding", "up", &w.text), "false");
    assert_string_equal(value_of(&w.sb, "Port_Binding", "chassis", &w.text), "[]");
    put_vif(&w, 5, PAIRS("iface-id", "another"));
    put_port(&w, OTHER, true); /* what others have is left alone */
    binding_row_changed(&b, &port);
    write_bindings(&w, &b, 7, 7);
    assert_null(w.sb.ops);
    assert_null(w.ovs.ops);
    binding_fini(&b);
    world_fini(&w);
}

/* What was taken from the controller before this one stays where it is, too. */
static void test_lost_before(void **state UNUSED)
{
    struct world w;
    struct binding b;
    struct uuid port = uuid_of(PORT);
    world_init(&w);
    binding_init(&b);
    w.env.now_us = 1000000000;
    put_bridge(&w, false);
    put_chassis(&w, CHASSIS, ENCAP, "hv1", "10.0.0.1");
    put_chassis(&w, OTHER, OTHER_ENCAP, "hv2", "10.0.0.9");
    put_port(&w, OTHER, true);
    put_vif(&w, 5, PAIRS("iface-id", "lp", "ovn-installed", "true"));
    write_bindings(&w, &b, 1, 1);
    assert_null(w.sb.ops);
    put_port(&w, 0, false); /* the other one has let it go */
    binding_row_changed(&b, &port);
    write_bindings(&w, &b, 2, 2);
    assert_int_equal(count(&w.sb, OP_UPDATE, "Port_Binding"), 1);
    binding_fini(&b);
    world_fini(&w);
}

static void put_saved_zones(struct world *w, const char *const *pairs)
{
    struct row *row = new_row(&w->ovs, "Bridge", BR);
    union atom ports[] = {{.uuid = uuid_of(BR_PORT)}, {.uuid = uuid_of(VIF_PORT)}};
    set_text(row, "name", "br-int");
    set(row, "ports", datum_new_set(ATOM_UUID, ports, 2));
    set_pairs(row, "external_ids", pairs);
    push(&w->ovs, row);
    keep_note(&w->ids, bridge_find(w->ovs.replica, "br-int"));
}

static void put_plugged_port(struct world *w)
{
    struct row *row = new_row(&w->sb, "Datapath_Binding", DATAPATH);
    set(row, "tunnel_key", datum_new_integer(3));
    push(&w->sb, row);
    put_bridge(w, false);
    put_chassis(w, CHASSIS, ENCAP, "hv1", "10.0.0.1");
    put_vif(w, 5, PAIRS("iface-id", "lp"));
    put_port(w, CHASSIS, false);
}

/* A zone is used when the switch's database has its number: a controller killed before that has tracked nothing in it. */
static void test_zone_is_saved_first(void **state UNUSED)
{
    struct world w;
    struct binding b;
    world_init(&w);
    binding_init(&b);
    w.ids.must_save = true;
    put_plugged_port(&w);
    write_bindings(&w, &b, 1, 1);
    uint32_t zone = ids_find(&w.ids, ID_ZONE, "lp");
    assert_int_not_equal(zone, 0);
    assert_true(ids_is_waiting(&w.ids, "lp"));
    assert_false(ids_is_waiting(&w.ids, "other"));
    keep_write(&w.ids, bridge_find(w.ovs.replica, "br-int"), &w.ovs.writer);
    commit(&w.ovs);
    assert_true(count(&w.ovs, OP_MUTATE, "Bridge"));
    write_bindings(&w, &b, 2, 2); /* sent, but a kill now would leave it unsaved */
    assert_int_equal(inc_count(w.inc, w.program.id), 0);
    assert_int_equal(inc_count(w.inc, w.program.place), 0);
    assert_null(w.sb.ops); /* nor is the port up */

    char number[16], dnat[64], snat[64], uuid[UUID_TEXT_LEN + 1];
    struct uuid datapath = uuid_of(DATAPATH);
    snprintf(number, sizeof number, "%u", zone);
    snprintf(dnat, sizeof dnat, "ct-zone-%s_dnat", uuid_print(&datapath, uuid));
    snprintf(snat, sizeof snat, "ct-zone-%s_snat", uuid);
    put_saved_zones(&w, PAIRS("ct-zone-lp", "999", dnat, "1000", snat, "1001")); /* another's */
    assert_true(ids_is_waiting(&w.ids, "lp"));
    char others[2][16];
    for (int i = 0; i < 2; i++)
        snprintf(others[i], sizeof others[i], "%u",
                 ids_find(&w.ids, ID_ZONE, (i ? snat : dnat) + strlen("ct-zone-")));
    put_saved_zones(
        &w, PAIRS("ct-zone-lp", number, dnat, others[0], snat, others[1], "ct-zone-old", "77"));
    assert_false(ids_is_waiting(&w.ids, NULL));
    write_bindings(&w, &b, 3, 2);
    assert_int_equal(inc_count(w.inc, w.program.place), 1);
    assert_null(w.sb.ops); /* the flows of generation 3 are the first that have it */
    write_bindings(&w, &b, 3, 3);
    assert_string_equal(value_of(&w.sb, "Port_Binding", "up", &w.text), "true");
    keep_write(&w.ids, bridge_find(w.ovs.replica, "br-int"), &w.ovs.writer);
    commit(&w.ovs);
    assert_null(w.ovs.ops);
    const struct row *bridge = &bridge_find(w.ovs.replica, "br-int")->row;

    struct world next; /* killed; the next one finds it and need not wait */
    world_init(&next);
    next.ids.must_save = true;
    keep_restore(&next.ids, ovs_bridge_cast(bridge));
    put_plugged_port(&next);
    settle(&next);
    assert_int_equal(ids_find(&next.ids, ID_ZONE, "lp"), zone);
    assert_int_equal(inc_count(next.inc, next.program.place), 1);
    assert_int_equal(next.ids.flush.n, 0);
    put_saved_zones(&next, PAIRS("ct-zone-old", "77"));
    ids_forget_restored(&next.ids); /* nobody wants it: it goes from the database too */
    keep_write(&next.ids, bridge_find(next.ovs.replica, "br-int"), &next.ovs.writer);
    commit(&next.ovs);
    assert_int_equal(count(&next.ovs, OP_MUTATE, "Bridge"), 1);
    world_fini(&next);
    binding_fini(&b);
    world_fini(&w);
}

static void put_nb_cfg(struct world *w, int64_t nb_cfg)
{
    struct row *row = new_row(&w->sb, "SB_Global", GLOBAL);
    set(row, "nb_cfg", datum_new_integer(nb_cfg));
    push(&w->sb, row);
}

static void test_progress(void **state UNUSED)
{
    struct world w;
    struct progress p;
    world_init(&w);
    progress_init(&p);
    put_bridge(&w, false);
    put_chassis(&w, CHASSIS, ENCAP, "hv1", "10.0.0.1");
    put_private(&w, 0);
    put_nb_cfg(&w, 5);
    progress_note(&p, w.sb.replica, 1);
    progress_write(&p, &w.config, w.sb.replica, w.ovs.replica, &w.sb.writer, &w.ovs.writer);
    commit(&w.sb);
    assert_null(w.sb.ops); /* not before the switch has it */
    put_nb_cfg(&w, 6);
    progress_note(&p, w.sb.replica, 2);
    progress_note(&p, w.sb.replica, 3); /* the same number again */
    progress_confirm(&p, 1, 1000);
    progress_write(&p, &w.config, w.sb.replica, w.ovs.replica, &w.sb.writer, &w.ovs.writer);
    commit(&w.sb);
    commit(&w.ovs);
    assert_string_equal(value_of(&w.sb, "Chassis_Private", "nb_cfg", &w.text), "5");
    assert_string_equal(value_of(&w.sb, "Chassis_Private", "nb_cfg_timestamp", &w.text), "1000");
    assert_int_equal(count(&w.ovs, OP_MUTATE, "Bridge"), 1);
    put_private(&w, 5);
    progress_confirm(&p, 3, 2000);
    progress_write(&p, &w.config, w.sb.replica, w.ovs.replica, &w.sb.writer, &w.ovs.writer);
    commit(&w.sb);
    assert_string_equal(value_of(&w.sb, "Chassis_Private", "nb_cfg", &w.text), "6");
    put_private(&w, 6);
    progress_write(&p, &w.config, w.sb.replica, w.ovs.replica, &w.sb.writer, &w.ovs.writer);
    commit(&w.sb);
    assert_null(w.sb.ops);
    progress_fini(&p);
    world_fini(&w);
}

/* A transaction that the server refuses is tried again later, not at once. */
static void test_refused_transaction(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    register_run(&w.registration, &w.config, w.sb.replica, &w.sb.writer);
    writer_commit(&w.sb.writer);
    assert_non_null(w.sb.ops);
    assert_false(writer_is_ready(&w.sb.writer));
    w.sb.done(w.sb.done_aux, -1, "constraint violation");
    assert_false(writer_is_ready(&w.sb.writer));
    w.env.now_us += 1100000;
    loop_run_once(w.loop, 0);
    assert_true(writer_is_ready(&w.sb.writer));
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_config),        cmocka_unit_test(test_bridge_is_made_once),
        cmocka_unit_test(test_registration),  cmocka_unit_test(test_tunnels),
        cmocka_unit_test(test_one_more_port), cmocka_unit_test(test_claims),
        cmocka_unit_test(test_lost_before),   cmocka_unit_test(test_zone_is_saved_first),
        cmocka_unit_test(test_progress),      cmocka_unit_test(test_refused_transaction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
