/* tunnels.c - see tunnels.h. The switch's side of room 1 (docs/architecture.md). A tunnel port is known by its
 * external_ids:ovn-chassis-id = chassis@remote-ip, as the field's tools expect; ports without it are not ours.
 */
#include "controller/chassis/tunnels.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/hmap.h"
#include "base/vec.h"
#include "controller/chassis/bridge.h"

struct want {
    struct hnode node;
    char *id; /* chassis@ip */
    const struct fact_want_tunnel *fact;
    bool is_there;
};

struct wants {
    VEC(struct want *) list;
    struct hmap by_id;
};

static void add_want(const void *fact_, void *wants_)
{
    const struct fact_want_tunnel *fact = fact_;
    struct wants *wants = wants_;
    struct want *want = NEW(struct want);
    want->id = xasprintf("%s@%s", fact->chassis->s, fact->ip->s);
    want->fact = fact;
    vec_push(&wants->list, want);
    hmap_insert(&wants->by_id, &want->node, hash_text(want->id));
}

/* VALUE NULL: it has none. */
static bool option_is(const struct ovs_interface *iface, const char *key, const char *value)
{
    const char *have = ovs_interface_options_value(iface, key);
    return value ? have && !strcmp(have, value) : !have;
}

static const char *type_name(const struct fact_want_tunnel *fact)
{
    return fact->type == TUNNEL_VXLAN ? "vxlan" : "geneve";
}

static bool is_right(const struct ovs_interface *iface, const struct fact_want_tunnel *fact,
                     const struct config *config)
{
    return !strcmp(ovs_interface_type(iface), type_name(fact)) && option_is(iface, "key", "flow") &&
           option_is(iface, "remote_ip", fact->ip->s) &&
           option_is(iface, "csum", fact->csum ? "true" : "false") &&
           option_is(iface, "tos", config->encap_tos) &&
           option_is(iface, "df_default", config->encap_df);
}

struct check {
    const struct config *config;
    struct wants *wants;
    const struct ovs_bridge *bridge;
    struct writer *w;
    bool is_complete;
};

/* Chassis that stand in for one another watch whether the other is alive. */
static void write_bfd(struct writer *w, const struct ovs_interface *iface, bool on)
{
    const char *have = ovs_interface_bfd_value(iface, "enable");
    if (on ? !have || strcmp(have, "true") : have && !strcmp(have, "true"))
        writer_pair(w, "Interface", ovs_interface_uuid(iface), "bfd", "enable",
                    on ? "true" : "false");
}

static void check_port(const struct ovs_port *port, const struct ovs_interface *iface, void *check_)
{
    struct check *c = check_;
    const char *id = ovs_port_external_ids_value(port, "ovn-chassis-id");
    if (!id)
        return;
    static const struct hmap none = HMAP_INIT;
    struct want *want;
    HMAP_FOR_EACH_WITH_HASH (want, node, hash_text(id), c->wants ? &c->wants->by_id : &none) {
        if (!want->is_there && !strcmp(want->id, id) && is_right(iface, want->fact, c->config)) {
            want->is_there = true;
            c->is_complete &= ovs_interface_ofport_present(iface);
            write_bfd(c->w, iface, want->fact->has_bfd);
            return;
        }
    }
    writer_remove_ref(c->w, "Bridge", ovs_bridge_uuid(c->bridge), "ports", ovs_port_uuid(port));
    writer_comment(c->w, "removing tunnel '%s'", ovs_port_name(port));
}

/* A port name that is free: ovn-<first characters of the chassis>-<number>. Interface names have 15 characters. */
static char *free_name(const struct replica *ovs, const char *chassis, unsigned *next)
{
    for (;; ++*next) {
        char *name = xasprintf("ovn-%.6s-%x", chassis, *next);
        bool is_taken = false;
        const struct row *row;
        REPLICA_FOR_EACH(row, pos, ovs, replica_table(ovs, "Port"))
        is_taken |= !strcmp(ovs_port_name(ovs_port_cast(row)), name);
        if (!is_taken) {
            ++*next;
            return name;
        }
        free(name);
    }
}

static void add_port(const struct config *config, const struct ovs_bridge *bridge,
                     const struct want *want, const char *name, struct writer *w)
{
    struct uuid iface = writer_insert(w, "Interface");
    writer_text(w, "Interface", &iface, "name", name);
    writer_text(w, "Interface", &iface, "type", type_name(want->fact));
    writer_pair(w, "Interface", &iface, "options", "key", "flow");
    writer_pair(w, "Interface", &iface, "options", "remote_ip", want->fact->ip->s);
    writer_pair(w, "Interface", &iface, "options", "csum", want->fact->csum ? "true" : "false");
    if (config->encap_tos)
        writer_pair(w, "Interface", &iface, "options", "tos", config->encap_tos);
    if (config->encap_df)
        writer_pair(w, "Interface", &iface, "options", "df_default", config->encap_df);
    if (want->fact->has_bfd)
        writer_pair(w, "Interface", &iface, "bfd", "enable", "true");
    struct uuid port = writer_insert(w, "Port");
    writer_text(w, "Port", &port, "name", name);
    writer_uuid(w, "Port", &port, "interfaces", &iface);
    writer_pair(w, "Port", &port, "external_ids", "ovn-chassis-id", want->id);
    writer_add_ref(w, "Bridge", ovs_bridge_uuid(bridge), "ports", &port);
    writer_comment(w, "adding tunnel '%s' to %s", name, want->id);
}

bool tunnels_write(const struct config *config, const struct program *program,
                   const struct inc *inc, const struct replica *ovs, struct writer *w)
{
    const struct ovs_bridge *bridge = bridge_find(ovs, config->bridge);
    if (!bridge)
        return false;
    struct wants wants = {VEC_INIT, HMAP_INIT};
    inc_for_each(inc, program->want_tunnel, add_want, &wants);
    struct check check = {config, &wants, bridge, w, true};
    bridge_for_each_interface(bridge, ovs, check_port, &check);
    unsigned next = 0;
    for (size_t i = 0; i < wants.list.n; i++) {
        struct want *want = wants.list.data[i];
        if (!want->is_there) {
            check.is_complete = false;
            char *name = free_name(ovs, want->fact->chassis->s, &next);
            add_port(config, bridge, want, name, w);
            free(name);
        }
        free(want->id);
        free(want);
    }
    hmap_fini(&wants.by_id);
    vec_fini(&wants.list);
    return check.is_complete;
}

void tunnels_remove(const struct config *config, const struct replica *ovs, struct writer *w)
{
    const struct ovs_bridge *bridge = bridge_find(ovs, config->bridge);
    struct check check = {config, NULL, bridge, w, false};
    if (bridge)
        bridge_for_each_interface(bridge, ovs, check_port, &check);
}
