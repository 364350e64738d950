/* bridge.c - see bridge.h: bridges, ports, flow mods. Groups and meters: group.c. */
#include "switchd/bridge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/log.h"
#include "schema/row.h"
#include "switchd/bfd/bfd.h"
#include "switchd/flow_walk.h"
#include "switchd/inband/inband.h"
#include "switchd/ofserver.h"
#include "switchd/port/tunnel.h"
#include "switchd/tlv_use.h"
#include "switchd/vswitch.h"

LOG_MODULE(bridge);

enum { OFPORT_MAX = 0xfeff, FAIL_OPEN_PRIORITY = 0xf0f0f0, FAIL_OPEN_AFTER_MS = 15000 };

static void mac_changed(void *br_, struct mac mac, uint16_t vlan)
{
    struct bridge *br = br_;
    vswitch_mac_changed(br->vs, br, mac, vlan);
}

struct bridge *bridge_new(struct vswitch *vs, const char *name)
{
    struct bridge *br = NEW(struct bridge);
    br->vs = vs;
    br->name = xstrdup(name);
    br->number = ++vs->next_bridge;
    br->next_ofport = 1;
    tables_init(&br->tables);
    mac_table_init(&br->macs);
    br->macs.changed = mac_changed;
    br->macs.aux = br;
    list_push_back(&vs->bridges, &br->node);
    return br;
}

static void groups_free(struct bridge *br)
{
    struct group *g;
    HMAP_FOR_EACH_SAFE (g, node, &br->groups)
        group_free(br, g);
    hmap_fini(&br->groups);
    vec_fini(&br->drafts);
    bridge_meters_remove(br, OF_METER_ALL);
    hmap_fini(&br->meters);
}

void bridge_free(struct bridge *br)
{
    inband_free(br->inband);
    br->inband = NULL;
    ofserver_free(br->of);
    br->of = NULL;
    struct vport *port;
    HMAP_FOR_EACH_SAFE (port, by_no, &br->ports)
        bridge_remove_port(br, port);
    hmap_fini(&br->ports);
    hmap_fini(&br->names);
    vswitch_invalidate(br->vs);
    tables_fini(&br->tables);
    learned_fini(&br->learned);
    mac_table_fini(&br->macs);
    groups_free(br);
    smap_fini(&br->numbers);
    mirrors_clear(&br->mirrors);
    exports_fini(&br->exports);
    list_remove(&br->node);
    free(br->name);
    free(br);
}

/* ---- ports ---- */

struct vport *bridge_port(const struct bridge *br, uint32_t ofport)
{
    struct vport *port;
    HMAP_FOR_EACH_WITH_HASH (port, by_no, hash_u64(ofport, 0), &br->ports) {
        if (port->ofport == ofport)
            return port;
    }
    return NULL;
}

struct vport *bridge_port_named(const struct bridge *br, const char *name)
{
    struct vport *port;
    HMAP_FOR_EACH_WITH_HASH (port, by_name, hash_text(name), &br->names) {
        if (!strcmp(port->name, name))
            return port;
    }
    return NULL;
}

static int compare_ofport(const void *a_, const void *b_)
{
    const struct vport *const *a = a_, *const *b = b_;
    return (*a)->ofport < (*b)->ofport ? -1 : (*a)->ofport > (*b)->ofport;
}

void bridge_ports_sorted(const struct bridge *br, vport_vec *ret)
{
    struct vport *port;
    HMAP_FOR_EACH (port, by_no, &br->ports)
        vec_push(ret, port);
    if (ret->n)
        qsort(ret->data, ret->n, sizeof ret->data[0], compare_ofport);
}

/* The number asked for if it is free, else the one that the name had before, else the one that has not
 * been used for longest. */
static uint32_t choose_ofport(struct bridge *br, const char *name, uint32_t request)
{
    if (!strcmp(name, br->name))
        return PORT_LOCAL;
    int64_t before = smap_get_int(&br->numbers, name, 0);
    if (request && request <= OFPORT_MAX && !bridge_port(br, request))
        return request;
    if (before > 0 && before <= OFPORT_MAX && !bridge_port(br, (uint32_t)before))
        return (uint32_t)before;
    for (unsigned i = 0; i < OFPORT_MAX; i++) {
        uint32_t number = br->next_ofport;
        br->next_ofport = number >= OFPORT_MAX ? 1 : (uint16_t)(number + 1);
        if (!bridge_port(br, number))
            return number;
    }
    return 0;
}

static void vport_free(struct vport *port)
{
    list_remove(&port->refresh_node);
    row_unref(port->applied[0]);
    row_unref(port->applied[1]);
    bfd_free(port->bfd);
    vport_end_qos(port);
    port_close(port->dev);
    smap_fini(&port->options);
    smap_fini(&port->bfd_config);
    free(port->vlan.trunks);
    free(port->name);
    free(port->type);
    free(port->peer);
    free(port);
}

static void read_tunnel(struct vport *port)
{
    if (port->is_tunnel)
        port->tunnel = *tunnel_port_options(port->dev);
}

/* Opens what PORT stands on: a device, a tunnel, or nothing for a patch port. */
static int vport_open(struct vport *port, const struct smap *options, struct diag *diag)
{
    if (!strcmp(port->type, "patch")) {
        const char *peer = smap_get(options, "peer");
        if (!peer || !strcmp(peer, port->name))
            return diag_set(diag, ERR_INVALID, "%s: patch type requires valid 'peer' argument",
                            port->name);
        port->peer = xstrdup(peer);
        return 0;
    }
    const struct port_class *class = port_class_find(port->type);
    if (!class)
        return diag_set(diag, ERR_UNSUPPORTED, "could not create port of unknown type %s",
                        port->type);
    port->is_tunnel = class->is_tunnel;
    int err = port_open(&port->bridge->vs->host, port->type, port->name, options, &port->dev, diag);
    if (!err) {
        port->dev->owner = port;
        port->dev->tlvs = &port->bridge->tlvs;
        read_tunnel(port);
    }
    return err;
}

void vport_begun(struct vport *port)
{
    if (port->dev)
        port->reported = port->dev->status;
    ofserver_port_status(port, OF_PORT_ADD);
}

int bridge_add_port(struct bridge *br, const struct vport_options *options, struct vport **ret,
                    struct diag *diag)
{
    struct vport *port = NEW(struct vport);
    port->bridge = br;
    port_refresh_add(port);
    port->name = xstrdup(options->name);
    port->type = xstrdup(options->type);
    port->created_ms = env_now_ms(br->vs->env);
    smap_copy(&port->options, options->options);
    int err = vport_open(port, options->options, diag);
    uint32_t number = err ? 0 : choose_ofport(br, options->name, options->request);
    if (!err && !number)
        err = diag_set(diag, ERR_NO_SPACE, "the bridge has no free port number");
    if (err) {
        vport_free(port);
        return err;
    }
    port->ofport = number;
    char text[12];
    snprintf(text, sizeof text, "%u", number);
    smap_set(&br->numbers, port->name, text);
    hmap_insert(&br->ports, &port->by_no, hash_u64(number, 0));
    hmap_insert(&br->names, &port->by_name, hash_text(port->name));
    vswitch_attach(br->vs, port);
    vswitch_invalidate(br->vs);
    if (!port->dev || !port->dev->opening)
        vport_begun(port);
    log_info("bridge %s: added interface %s on port %u", br->name, port->name,
             port_to_16(port->ofport));
    *ret = port;
    return 0;
}

void bridge_remove_port(struct bridge *br, struct vport *port)
{
    ofserver_port_status(port, OF_PORT_DELETE);
    log_info("bridge %s: deleted interface %s on port %u", br->name, port->name,
             port_to_16(port->ofport));
    hmap_remove(&br->ports, &port->by_no);
    hmap_remove(&br->names, &port->by_name);
    /* First, so that what the caches still credit does not teach the port's addresses again. */
    vswitch_invalidate(br->vs);
    vswitch_detach(br->vs, port);
    mac_table_forget_port(&br->macs, port->ofport);
    vport_free(port);
}

static int configure_patch(struct vport *port, const struct smap *options, struct diag *diag)
{
    const char *peer = smap_get(options, "peer");
    if (!peer)
        return diag_set(diag, ERR_INVALID, "%s: patch type requires valid 'peer' argument",
                        port->name);
    free(port->peer);
    port->peer = xstrdup(peer);
    return 0;
}

static int configure_device(struct vport *port, const struct smap *options, struct diag *diag)
{
    int err =
        port->dev->class->configure ? port->dev->class->configure(port->dev, options, diag) : 0;
    read_tunnel(port);
    return err;
}

int vport_configure(struct vport *port, const struct smap *options, struct diag *diag)
{
    int err =
        port->dev ? configure_device(port, options, diag) : configure_patch(port, options, diag);
    if (err) /* tried again, and told again, in the next pass */
        return err;
    vswitch_invalidate(port->bridge->vs);
    smap_copy(&port->options, options);
    return 0;
}

struct vport *vport_peer(const struct vport *port)
{
    struct bridge *br;
    LIST_FOR_EACH (br, node, &port->bridge->vs->bridges) {
        struct vport *peer = port->peer ? bridge_port_named(br, port->peer) : NULL;
        if (peer && peer->peer && !strcmp(peer->peer, port->name))
            return peer;
    }
    return NULL;
}

bool vport_is_up(const struct vport *port)
{
    return !(port->config & OF_PC_PORT_DOWN);
}

bool vport_is_live(const struct vport *port)
{
    return vport_is_up(port) && (!port->dev || port->dev->status.link_up) &&
           (!port->bfd || port->bfd->forwarding);
}

struct port_stats vport_stats(const struct vport *port)
{
    return port->dev ? port_stats_read(port->dev) : port->patch;
}

static uint32_t port_features(const struct port_status *s)
{
    switch (s->speed_mbps) {
    case 10:
        return s->full_duplex ? OF_PF_10MB_FD : OF_PF_10MB_HD;
    case 100:
        return s->full_duplex ? OF_PF_100MB_FD : OF_PF_100MB_HD;
    case 1000:
        return s->full_duplex ? OF_PF_1GB_FD : OF_PF_1GB_HD;
    case 10000:
        return OF_PF_10GB_FD;
    case 40000:
        return OF_PF_40GB_FD;
    case 100000:
        return OF_PF_100GB_FD;
    default:
        return s->speed_mbps ? OF_PF_OTHER : 0;
    }
}

void vport_describe(const struct vport *port, struct of_port *ret)
{
    memset(ret, 0, sizeof *ret);
    ret->number = port->ofport;
    strncpy(ret->name, port->name, OF_PORT_NAME_LEN - 1);
    ret->config = port->config;
    uint32_t live = !port->bfd || port->bfd->forwarding ? OF_PS_LIVE : 0;
    if (!port->dev) {
        ret->state = vport_peer(port) ? live : OF_PS_LINK_DOWN;
        return;
    }
    const struct port_status *s = &port->dev->status;
    ret->mac = s->mac;
    if (!s->admin_up)
        ret->config |= OF_PC_PORT_DOWN;
    ret->state = s->link_up ? live : OF_PS_LINK_DOWN;
    ret->current = port_features(s);
    ret->current_speed = s->speed_mbps * 1000;
}

/* ---- names ---- */

static uint32_t name_to_port(const struct port_names *names, const char *name)
{
    const struct bridge_port_names *n = CONTAINER_OF(names, struct bridge_port_names, names);
    const struct vport *port = bridge_port_named(n->br, name);
    return port ? port->ofport : 0;
}

static const char *port_to_name(const struct port_names *names, uint32_t number)
{
    const struct bridge_port_names *n = CONTAINER_OF(names, struct bridge_port_names, names);
    const struct vport *port = bridge_port(n->br, number);
    return port ? port->name : NULL;
}

void bridge_names(const struct bridge *br, struct bridge_port_names *ret)
{
    ret->names = (struct port_names){name_to_port, port_to_name, NULL};
    ret->br = br;
}

/* ---- flows ---- */

/* What names things of this bridge, and kinds that this switch does not have. */
static int check_references(const struct bridge *br, const void *actions, size_t n)
{
    const struct of_action *a;
    OF_ACTION_FOR_EACH(a, actions, n)
    {
        const struct of_id *id = (const void *)a;
        if (a->type == OF_GROUP && !bridge_has_group(br, id->id))
            return OF_ERR_ACTION_BAD_OUT_GROUP;
        struct meter *meter = a->type == OF_METER ? bridge_meter(br, id->id) : NULL;
        if (meter)
            meter->in_flows = true;
        else if (a->type == OF_METER)
            return OF_ERR_METER_MOD_INVALID;
        if (a->type == OF_CLONE || a->type == OF_WRITE_ACTIONS) {
            size_t nested_n;
            const void *nested = of_action_nested(a, &nested_n);
            int err = check_references(br, nested, nested_n);
            if (err)
                return err;
        }
    }
    return 0;
}

static int check_flow_mod(const struct bridge *br, struct of_flow_mod *fm)
{
    bool deletes = fm->command == OF_FLOW_DELETE || fm->command == OF_FLOW_DELETE_STRICT;
    if (fm->command == OF_FLOW_ADD &&
        (match_has(&fm->match, FIELD_RECIRC_ID) || match_has(&fm->match, FIELD_DP_HASH)))
        return OF_ERR_PERM; /* the switch's own numbers */
    uint64_t options = tlv_in_match(&fm->match);
    if (!deletes)
        options |= tlv_in_actions(fm->actions.data, fm->actions.n);
    int err = tlv_check(br, options);
    if (!err)
        err = tlv_fit_match(br, &fm->match);
    if (!err && !deletes && options)
        err = tlv_check_lengths(br, fm->actions.data, fm->actions.n);
    return deletes || err ? err : check_references(br, fm->actions.data, fm->actions.n);
}

int bridge_flow_mod(struct bridge *br, struct of_flow_mod *fm, struct journal *journal)
{
    tables_settle(&br->tables);
    int err = check_flow_mod(br, fm);
    return err ? err : tables_flow_mod(&br->tables, fm, env_now_ms(br->vs->env), journal);
}

int bridge_flow_walk(struct bridge *br, struct of_flow_mod *fm, struct flow_walk *ret)
{
    int err = check_flow_mod(br, fm);
    if (!err)
        err = tables_check_flow_mod(fm);
    if (!err)
        flow_walk_begin(ret, fm);
    return err;
}

static void add_normal_flow(struct bridge *br)
{
    struct of_flow_mod fm;
    of_flow_mod_init(&fm, OF_FLOW_ADD);
    fm.priority = 0;
    of_put_output(&fm.actions, PORT_NORMAL);
    struct journal journal = JOURNAL_INIT;
    if (bridge_flow_mod(br, &fm, &journal))
        log_warn("bridge %s: could not add the flow for NORMAL", br->name);
    bridge_commit(br, &journal);
    of_flow_mod_fini(&fm);
}

/* The hidden flow of a standalone bridge whose controllers are silent: comes and goes. */
static void apply_fail_open(struct bridge *br, bool wanted)
{
    if (wanted == (br->fail_open != NULL))
        return;
    log_info("bridge %s: %s", br->name,
             wanted ? "no controller answers, acting as a learning switch"
                    : "a controller is back");
    if (wanted) {
        struct match match;
        match_init(&match);
        struct of_actions actions = OF_ACTIONS_INIT;
        of_put_output(&actions, PORT_NORMAL);
        br->fail_open = tables_add_hidden(&br->tables, 0, &match, FAIL_OPEN_PRIORITY, &actions,
                                          env_now_ms(br->vs->env));
        of_actions_fini(&actions);
    } else {
        struct journal journal = JOURNAL_INIT;
        tables_settle(&br->tables);
        tables_remove(&br->tables, br->fail_open, OF_REMOVED_DELETE, &journal);
        br->fail_open = NULL;
        journal_commit(&journal, &br->tables);
    }
    vswitch_invalidate(br->vs);
}

void bridge_apply_fail_mode(struct bridge *br)
{
    bool has = br->of && ofserver_has_controllers(br->of);
    bool changed = has != br->had_controllers || (!has && br->secure != br->was_secure);
    if (!br->fail_mode_applied || changed) {
        if (br->fail_mode_applied) {
            struct journal journal = JOURNAL_INIT;
            tables_flush(&br->tables, false, &journal);
            bridge_commit(br, &journal);
        }
        br->fail_mode_applied = true;
        br->had_controllers = has;
        br->was_secure = br->secure;
        if (!has && !br->secure)
            add_normal_flow(br);
    }
    int64_t now_ms = env_now_ms(br->vs->env);
    if (!has || ofserver_is_controlled(br->of))
        br->uncontrolled_ms = 0;
    else if (!br->uncontrolled_ms)
        br->uncontrolled_ms = now_ms;
    apply_fail_open(br, !br->secure && br->uncontrolled_ms &&
                            now_ms - br->uncontrolled_ms >= FAIL_OPEN_AFTER_MS);
}

void bridge_tell(struct bridge *br, const struct journal *journal)
{
    const struct table_change *c;
    if (br->of)
        ofmonitor_report(br->of, journal);
    VEC_FOR_EACH (c, &journal->changes) {
        learned_count(&br->learned, c);
        if (c->kind == CHANGE_REMOVE && br->of && c->old->flags & OF_FLOW_SEND_FLOW_REM)
            ofserver_flow_removed(br->of, c->old, c->match, c->reason);
    }
}

void bridge_told(struct bridge *br)
{
    struct journal more = JOURNAL_INIT;
    if (br->of)
        ofserver_tables_changed(br->of);
    learned_forget(&br->learned, &br->tables, &more);
    bridge_commit(br, &more);
}

void bridge_commit(struct bridge *br, struct journal *journal)
{
    if (!journal->changes.n) {
        vec_fini(&journal->changes);
        return;
    }
    vswitch_flows_changed(br->vs, br, journal);
    bridge_tell(br, journal);
    journal_commit(journal, &br->tables);
    bridge_told(br);
}
