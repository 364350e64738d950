/* config_ports.c - see config.h: what rows of Port and Interface make of a bridge's ports, and which of them have to be looked at.
 *
 * A hypervisor's bridge has a thousand tunnels, and machines are plugged in one by one. So what the rows led to is remembered, and looked at are
 * the interfaces whose rows have changed, whose ports have come or gone with the bridge's row, and those that are not in force or do not
 * show yet. All of them is the case where each port of the bridge is said to have changed. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/hmap.h"
#include "base/log.h"
#include "rows/ovs.h"
#include "switchd/config.h"

LOG_MODULE(ports);

/* An Interface that the bridge leads to by a Port. */
struct member {
    struct hnode by_port, by_iface, by_name; /* uuid, uuid, name */
    struct list due, unshown;       /* in the lists of that name, or alone; UNSHOWN also in ROUND */
    const struct row *port, *iface; /* at the last look; references */
    bool is_gone;                   /* while its port is read */
    bool is_in_round, wants_statistics; /* at the next look */
};

struct config_ports {
    struct list node; /* in config->ports */
    struct bridge *br;
    const struct row *row;                  /* of Bridge, at the last look; a reference */
    struct hmap by_port, by_iface, by_name; /* all members */
    struct list due, unshown;               /* to be applied; whose row may differ from the port */
    struct list round;                      /* the others, as far as they have to be looked at */
};

static const char *name_of(const struct member *m)
{
    return ovs_interface_name(ovs_interface_cast(m->iface));
}

static struct config_ports *ports_find(const struct config *config, const struct bridge *br)
{
    struct config_ports *ports;
    LIST_FOR_EACH (ports, node, &config->ports)
        if (ports->br == br)
            return ports;
    return NULL;
}

static struct config_ports *ports_get(struct config *config, struct bridge *br)
{
    struct config_ports *ports = ports_find(config, br);
    if (ports)
        return ports;
    ports = NEW(struct config_ports);
    ports->br = br;
    list_init(&ports->due);
    list_init(&ports->unshown);
    list_init(&ports->round);
    list_push_back(&config->ports, &ports->node);
    return ports;
}

/* ---- which interfaces there are ---- */

static void set_row(const struct row **at, const struct row *row)
{
    const struct row *was = *at;
    *at = row ? row_ref(row) : NULL;
    row_unref(was);
}

/* Puts ELEM last in LIST. */
static void list_enter(struct list *list, struct list *elem)
{
    list_remove(elem);
    list_push_back(list, elem);
}

static void list_leave(struct list *elem)
{
    list_remove(elem);
    list_init(elem);
}

static struct member *member_new(struct config_ports *ports, const struct row *port,
                                 const struct row *iface)
{
    struct member *m = NEW(struct member);
    m->port = row_ref(port);
    m->iface = row_ref(iface);
    list_init(&m->due);
    list_init(&m->unshown);
    hmap_insert(&ports->by_port, &m->by_port, uuid_hash(&port->uuid));
    hmap_insert(&ports->by_iface, &m->by_iface, uuid_hash(&iface->uuid));
    hmap_insert(&ports->by_name, &m->by_name, hash_text(name_of(m)));
    return m;
}

/* It is in no map any more. */
static void member_free(struct member *m)
{
    list_remove(&m->due);
    list_remove(&m->unshown);
    row_unref(m->port);
    row_unref(m->iface);
    free(m);
}

static void member_forget(struct config_ports *ports, struct member *m)
{
    hmap_remove(&ports->by_port, &m->by_port);
    hmap_remove(&ports->by_iface, &m->by_iface);
    hmap_remove(&ports->by_name, &m->by_name);
}

/* One pass over a bridge. */
struct pass {
    struct config *config;
    struct config_ports *ports;
    const struct row *port; /* that is read */
    struct list gone;       /* members by due */
};

static void is_due(struct config_ports *ports, struct member *m)
{
    list_enter(&ports->due, &m->due);
    list_enter(&ports->unshown, &m->unshown);
    m->is_in_round = false;
}

static void read_interface(void *pass_, const struct row *iface)
{
    struct pass *pass = pass_;
    const char *name = ovs_interface_name(ovs_interface_cast(iface));
    struct member *m, *found = NULL;
    HMAP_FOR_EACH_WITH_HASH (m, by_iface, uuid_hash(&iface->uuid), &pass->ports->by_iface)
        if (uuid_equal(&m->iface->uuid, &iface->uuid) &&
            uuid_equal(&m->port->uuid, &pass->port->uuid) && !strcmp(name_of(m), name))
            found = m;
    if (!found)
        found = member_new(pass->ports, pass->port, iface);
    set_row(&found->port, pass->port);
    set_row(&found->iface, iface);
    found->is_gone = false;
    is_due(pass->ports, found);
}

/* What the Port of that UUID leads to from now on: nothing unless the bridge HAS it. */
static void read_port(struct pass *pass, const struct uuid *uuid, bool has)
{
    struct config_ports *ports = pass->ports;
    struct member *m;
    VEC(struct member *) old = VEC_INIT;
    HMAP_FOR_EACH_WITH_HASH (m, by_port, uuid_hash(uuid), &ports->by_port)
        if (uuid_equal(&m->port->uuid, uuid))
            vec_push(&old, m);
    for (size_t i = 0; i < old.n; i++)
        old.data[i]->is_gone = true;
    pass->port = has ? config_ref(pass->config, OVS_TABLE_PORT, uuid) : NULL;
    if (pass->port)
        config_each(pass->config, ovs_port_interfaces(ovs_port_cast(pass->port)),
                    OVS_TABLE_INTERFACE, read_interface, pass);
    for (size_t i = 0; i < old.n; i++) {
        if (!old.data[i]->is_gone)
            continue;
        member_forget(ports, old.data[i]);
        list_enter(&pass->gone, &old.data[i]->due);
    }
    vec_fini(&old);
}

/* Ports that only one of the two rows has, or all that any has. */
static void compare_sets(struct pass *pass, const struct datum *old, const struct datum *new)
{
    uint32_t n_old = old ? old->n : 0, i = 0, j = 0;
    while (i < n_old || j < new->n) {
        int order = i == n_old    ? 1
                    : j == new->n ? -1
                                  : uuid_compare(&old->atoms[i].uuid, &new->atoms[j].uuid);
        const struct uuid *uuid = order < 0 ? &old->atoms[i].uuid : &new->atoms[j].uuid;
        if (order || pass->config->is_all_changed)
            read_port(pass, uuid, order >= 0);
        i += order <= 0;
        j += order >= 0;
    }
}

/* ROW of Port or Interface, as far as this bridge leads to it. */
static void read_changed(struct pass *pass, const struct uuid *uuid)
{
    const struct config_ports *ports = pass->ports;
    const struct member *m;
    VEC(struct uuid) found = VEC_INIT;
    HMAP_FOR_EACH_WITH_HASH (m, by_port, uuid_hash(uuid), &ports->by_port)
        if (uuid_equal(&m->port->uuid, uuid) && !found.n)
            vec_push(&found, *uuid);
    HMAP_FOR_EACH_WITH_HASH (m, by_iface, uuid_hash(uuid), &ports->by_iface)
        if (uuid_equal(&m->iface->uuid, uuid))
            vec_push(&found, m->port->uuid);
    for (size_t i = 0; i < found.n; i++)
        read_port(pass, &found.data[i], true);
    vec_fini(&found);
}

static void read_rows(struct pass *pass, const struct row *row)
{
    struct config_ports *ports = pass->ports;
    const struct datum *old = ports->row ? ovs_bridge_ports(ovs_bridge_cast(ports->row)) : NULL;
    const struct datum *new = ovs_bridge_ports(ovs_bridge_cast(row));
    VEC(struct uuid) again = VEC_INIT; /* not in force yet: their rows, too, may have changed */
    const struct member *m;
    LIST_FOR_EACH (m, due, &ports->due)
        vec_push(&again, m->port->uuid);
    if (old != new || pass->config->is_all_changed)
        compare_sets(pass, old, new);
    for (size_t i = 0; !pass->config->is_all_changed && i < pass->config->changed.n; i++)
        read_changed(pass, &pass->config->changed.data[i]);
    for (size_t i = 0; !pass->config->is_all_changed && i < again.n; i++)
        read_changed(pass, &again.data[i]);
    vec_fini(&again);
    set_row(&ports->row, row);
}

/* ---- which ports stay ---- */

static bool is_local(const struct bridge *br, const char *interface)
{
    return !strcmp(interface, br->name);
}

static const char *interface_type(const struct bridge *br, const struct ovs_interface *iface)
{
    return is_local(br, ovs_interface_name(iface)) ? "internal" : ovs_interface_type(iface);
}

static bool is_wanted(const struct config_ports *ports, const struct vport *port)
{
    const struct member *m;
    HMAP_FOR_EACH_WITH_HASH (m, by_name, hash_text(port->name), &ports->by_name)
        if (!strcmp(name_of(m), port->name) &&
            !strcmp(interface_type(ports->br, ovs_interface_cast(m->iface)), port->type))
            return true;
    return false;
}

bool config_port_is_gone(const struct vport *port)
{
    return port->dev && port->dev->class == &port_class_system && !port->dev->status.ifindex;
}

static void remove_unless_kept(const struct config_ports *ports, const struct member *m)
{
    struct vport *port = bridge_port_named(ports->br, name_of(m));
    if (port && (config_port_is_gone(port) || !is_wanted(ports, port)))
        bridge_remove_port(ports->br, port);
}

static void remove_unwanted(struct pass *pass)
{
    struct member *m, *next;
    LIST_FOR_EACH_SAFE (m, next, due, &pass->gone) {
        remove_unless_kept(pass->ports, m);
        member_free(m);
    }
    LIST_FOR_EACH (m, due, &pass->ports->due)
        remove_unless_kept(pass->ports, m);
}

/* ---- what they are to be ---- */

static void vlan_from_row(struct vport *port, const struct ovs_port *row)
{
    struct vlan_config c = {.mode = VLAN_TRUNK};
    const char *mode = ovs_port_vlan_mode(row);
    const struct datum *trunks = ovs_port_trunks(row);
    c.tag = (uint16_t)ovs_port_tag(row);
    if (mode && !strcmp(mode, "access"))
        c.mode = VLAN_ACCESS;
    else if (mode && !strcmp(mode, "native-tagged"))
        c.mode = VLAN_NATIVE_TAGGED;
    else if (mode && !strcmp(mode, "native-untagged"))
        c.mode = VLAN_NATIVE_UNTAGGED;
    else if (!mode && ovs_port_tag_present(row) && !trunks->n)
        c.mode = VLAN_ACCESS;
    if (trunks->n && c.mode != VLAN_ACCESS) {
        c.trunks = xcalloc(64, sizeof *c.trunks);
        for (uint32_t i = 0; i < trunks->n; i++) {
            unsigned vid = (unsigned)trunks->atoms[i].integer & 0xfff;
            c.trunks[vid / 64] |= UINT64_C(1) << (vid % 64);
        }
    }
    const char *priority = ovs_port_other_config_value(row, "priority-tags");
    if (priority && !strcmp(priority, "always"))
        c.priority_tags = PRIORITY_ALWAYS;
    else if (priority && (!strcmp(priority, "if-nonzero") || !strcmp(priority, "true")))
        c.priority_tags = PRIORITY_IF_NONZERO;
    const struct vlan_config *was = &port->vlan;
    bool same = was->mode == c.mode && was->tag == c.tag && was->priority_tags == c.priority_tags &&
                !was->trunks == !c.trunks &&
                (!c.trunks || !memcmp(was->trunks, c.trunks, 64 * sizeof *c.trunks));
    free(port->vlan.trunks);
    port->vlan = c;
    if (!same)
        vswitch_invalidate(port->bridge->vs);
}

/* What an Interface asks of its device. */
static void device_from_row(struct vport *port, const struct ovs_interface *iface,
                            const char *hwaddr)
{
    struct port *dev = port->dev;
    if (!dev)
        return;
    if (ovs_interface_mtu_request_present(iface) && dev->class->set_mtu &&
        dev->status.mtu != (uint32_t)ovs_interface_mtu_request(iface))
        dev->class->set_mtu(dev, (uint32_t)ovs_interface_mtu_request(iface));
    const char *text = ovs_interface_mac(iface);
    struct mac mac;
    if (!text)
        text = hwaddr;
    if (text && dev->class == &port_class_internal && !mac_parse(text, &mac) &&
        !mac_equal(mac, dev->status.mac))
        dev->class->set_mac(dev, mac);
}

/* A port that is in force needs no further look while its two rows are the same versions, unless other rows have a say (queues; of the bridge the
 * address), or its device, which may have another address or MTU by now. */
static void note_applied(struct vport *port, const struct member *m, bool is_ok)
{
    bool is_plain = is_ok && !ovs_port_qos(ovs_port_cast(m->port)) &&
                    !ovs_interface_mtu_request_present(ovs_interface_cast(m->iface)) && port->dev &&
                    port->dev->class != &port_class_internal;
    set_row(&port->applied[0], is_plain ? m->port : NULL);
    set_row(&port->applied[1], is_plain ? m->iface : NULL);
}

static bool is_applied(const struct vport *port, const struct member *m)
{
    return port && port->applied[0] == m->port && port->applied[1] == m->iface;
}

/* Adds the port, or gives it other options. NULL in PORT: that has failed. */
static int open_port(struct bridge *br, const struct ovs_interface *iface, struct vport **port,
                     struct diag *diag)
{
    struct smap options = SMAP_INIT;
    int err = 0;
    config_read_smap(&options, ovs_interface_options(iface));
    if (!*port) {
        int64_t request = ovs_interface_ofport_request_present(iface)
                              ? ovs_interface_ofport_request(iface)
                              : ovs_interface_ofport(iface);
        struct vport_options o = {.name = ovs_interface_name(iface),
                                  .type = interface_type(br, iface),
                                  .request = request > 0 ? (uint32_t)request : 0,
                                  .options = &options};
        err = bridge_add_port(br, &o, port, diag);
    } else if (!smap_equal(&options, &(*port)->options)) {
        err = vport_configure(*port, &options, diag);
    }
    smap_fini(&options);
    return err;
}

static void set_port(struct pass *pass, struct vport *port, const struct member *m)
{
    const struct ovs_interface *iface = ovs_interface_cast(m->iface);
    const struct ovs_bridge *row = ovs_bridge_cast(pass->ports->row);
    struct smap bfd = SMAP_INIT;
    config_read_smap(&bfd, ovs_interface_bfd(iface));
    vport_set_bfd(port, &bfd);
    smap_fini(&bfd);
    config_apply_qos(pass->config, port, m->port, m->iface);
    vlan_from_row(port, ovs_port_cast(m->port));
    device_from_row(
        port, iface,
        is_local(port->bridge, port->name) ? ovs_bridge_other_config_value(row, "hwaddr") : NULL);
}

/* A port that was being opened and could not be: it goes, and the next pass tries again. */
static bool remove_failed(struct pass *pass, const struct member *m)
{
    struct vport *port = bridge_port_named(pass->ports->br, name_of(m));
    if (!port || !port->dev || !port->dev->error)
        return false;
    config_error_add(pass->config, name_of(m), port->dev->error);
    bridge_remove_port(pass->ports->br, port);
    return true;
}

/* True when its port is in force; else it is tried again in the next pass. */
static bool apply_interface(struct pass *pass, const struct member *m)
{
    struct bridge *br = pass->ports->br;
    const char *name = name_of(m);
    struct vport *port = bridge_port_named(br, name);
    struct diag diag = DIAG_INIT;
    pass->config->n_applied++;
    if (remove_failed(pass, m))
        return false;
    if (is_applied(port, m))
        return true;
    int err = open_port(br, ovs_interface_cast(m->iface), &port, &diag);
    if (err) {
        config_error_add(pass->config, name, diag_text(&diag));
        log_dbg("bridge %s: interface %s: %s", br->name, name, diag_text(&diag));
    }
    diag_fini(&diag);
    if (port) {
        set_port(pass, port, m);
        note_applied(port, m, !err);
    }
    return !err;
}

void config_apply_ports(struct config *config, struct bridge *br, const struct row *row)
{
    struct pass pass = {.config = config, .ports = ports_get(config, br)};
    list_init(&pass.gone);
    read_rows(&pass, row);
    remove_unwanted(&pass);
    /* Ports that had a number before first, so that new ones do not take it. */
    for (int round = 0; round < 2; round++) {
        struct member *m, *next;
        LIST_FOR_EACH_SAFE (m, next, due, &pass.ports->due) {
            const struct ovs_interface *iface = ovs_interface_cast(m->iface);
            bool numbered =
                ovs_interface_ofport(iface) > 0 || ovs_interface_ofport_request_present(iface);
            if (numbered == !round && apply_interface(&pass, m))
                list_leave(&m->due);
        }
    }
}

/* ---- what they show ---- */

void config_ports_device_changed(struct config *config, const char *name)
{
    struct config_ports *ports;
    LIST_FOR_EACH (ports, node, &config->ports) {
        struct member *m;
        HMAP_FOR_EACH_WITH_HASH (m, by_name, hash_text(name), &ports->by_name)
            if (!strcmp(name_of(m), name))
                config_note_row(config, &m->port->uuid);
    }
}

static void begin_round(struct config_ports *ports, bool has_statistics)
{
    struct member *m;
    HMAP_FOR_EACH (m, by_port, &ports->by_port) {
        m->wants_statistics |= has_statistics;
        if (m->is_in_round || !list_empty(&m->unshown))
            continue;
        m->is_in_round = true;
        list_push_back(&ports->round, &m->unshown);
    }
}

bool config_show_ports(struct config *config, const struct bridge *br, struct show_round *round,
                       bool (*fn)(void *aux, const struct row *row, bool statistics), void *aux)
{
    struct config_ports *ports = ports_find(config, br);
    struct member *m, *next;
    if (!ports)
        return false;
    if (round->begins)
        begin_round(ports, round->has_statistics);
    LIST_FOR_EACH_SAFE (m, next, unshown, &ports->unshown) {
        const struct row *row = config_ref(config, OVS_TABLE_INTERFACE, &m->iface->uuid);
        if (row && fn(aux, row, m->wants_statistics))
            list_leave(&m->unshown);
        m->wants_statistics = false;
    }
    while (!list_empty(&ports->round) && !round->is_over) {
        m = LIST_FIRST(struct member, unshown, &ports->round);
        const struct row *row = config_ref(config, OVS_TABLE_INTERFACE, &m->iface->uuid);
        list_leave(&m->unshown);
        if (row) /* the next round sees whether what is written has arrived */
            (void)fn(aux, row, m->wants_statistics);
        m->is_in_round = m->wants_statistics = false;
        round->is_over = slice_is_over(&round->slice);
    }
    return !list_empty(&ports->round);
}

/* ---- life ---- */

static void ports_free(struct config_ports *ports)
{
    struct member *m;
    HMAP_FOR_EACH_SAFE (m, by_port, &ports->by_port) {
        member_forget(ports, m);
        member_free(m);
    }
    hmap_fini(&ports->by_port);
    hmap_fini(&ports->by_iface);
    hmap_fini(&ports->by_name);
    row_unref(ports->row);
    list_remove(&ports->node);
    free(ports);
}

void config_ports_forget(struct config *config, const struct bridge *br)
{
    struct config_ports *ports = ports_find(config, br);
    if (ports)
        ports_free(ports);
}

void config_ports_fini(struct config *config)
{
    struct config_ports *ports, *next;
    LIST_FOR_EACH_SAFE (ports, next, node, &config->ports) {
        struct vport *port;
        HMAP_FOR_EACH (port, by_no, &ports->br->ports) {
            set_row(&port->applied[0], NULL);
            set_row(&port->applied[1], NULL);
        }
        ports_free(ports);
    }
}
