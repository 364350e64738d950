/* port_appctl.c - control commands about ports, under ovs-vswitchd's names: BFD, queues. */
#include <string.h>

#include "switchd/bfd/bfd.h"
#include "switchd/switchd.h"

static void bfd_show(struct unixctl_conn *conn, int argc, const char *argv[], void *vs_)
{
    struct vswitch *vs = vs_;
    struct str out = STR_INIT;
    bool found = false;
    for (uint32_t i = 0; i < vs->dp_ports.n; i++) {
        const struct vport *port = vs->dp_ports.data[i];
        if (!port || !port->bfd || (argc > 1 && strcmp(port->name, argv[1]) != 0))
            continue;
        found = true;
        bfd_put_text(port->bfd, argc > 1 ? NULL : port->name, &out);
    }
    if (argc > 1 && !found)
        unixctl_error(conn, "no such bfd object");
    else
        unixctl_reply(conn, str_c(&out));
    str_fini(&out);
}

static void bfd_set_forwarding(struct unixctl_conn *conn, int argc, const char *argv[], void *vs_)
{
    struct vswitch *vs = vs_;
    const char *text = argv[argc - 1];
    int forwarding = !strcmp(text, "normal") ? -1 : !strcmp(text, "true") ? 1 : 0;
    bool found = false;
    if (forwarding == 0 && strcmp(text, "false") != 0) {
        unixctl_error(conn, "unknown fault string");
        return;
    }
    for (uint32_t i = 0; i < vs->dp_ports.n; i++) {
        struct vport *port = vs->dp_ports.data[i];
        if (!port || !port->bfd || (argc > 2 && strcmp(port->name, argv[1]) != 0))
            continue;
        found = true;
        bfd_force(port->bfd, forwarding);
    }
    if (argc > 2 && !found)
        unixctl_error(conn, "no such BFD object");
    else
        unixctl_reply(conn, "OK");
}

static void put_queue(struct str *out, const struct qos *qos, const struct qos_queue *q)
{
    struct qos_stats s = {0};
    const char *const keys[] = {"burst", "priority"};
    if (q->id)
        str_putf(out, "\nQueue %u:\n", q->id);
    else
        str_put(out, "\nDefault:\n");
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        const char *text = smap_get(&q->config, keys[i]);
        if (text)
            str_putf(out, "  %s: %s\n", keys[i], text);
    }
    (void)!qos_queue_stats(qos, q->id, &s);
    str_putf(out,
             "  min-rate: %llu\n  max-rate: %llu\n  tx_packets: %llu\n  tx_bytes: %llu\n"
             "  tx_errors: %llu\n",
             (unsigned long long)qos_queue_rate(qos, q, false),
             (unsigned long long)qos_queue_rate(qos, q, true), (unsigned long long)s.packets,
             (unsigned long long)s.bytes, (unsigned long long)s.errors);
}

static const struct vport *port_named(const struct vswitch *vs, const char *name)
{
    for (uint32_t i = 0; i < vs->dp_ports.n; i++) {
        const struct vport *port = vs->dp_ports.data[i];
        if (port && !strcmp(port->name, name))
            return port;
    }
    return NULL;
}

static void qos_show(struct unixctl_conn *conn, int argc, const char *argv[], void *vs)
{
    (void)argc;
    const struct vport *port = port_named(vs, argv[1]);
    if (!port) {
        unixctl_error(conn, "no such iface");
        return;
    }
    const struct qos *qos = &port->qos;
    struct str out = STR_INIT;
    if (!qos->config.type) {
        str_putf(&out, "QoS not configured on %s\n", port->name);
    } else {
        str_putf(&out, "QoS: %s %s\n", port->name, qos->config.type);
        for (size_t i = 0; i < qos->config.config.entries.n; i++)
            str_putf(&out, "%s: %s\n", qos->config.config.entries.data[i].key,
                     qos->config.config.entries.data[i].value);
        const struct qos_queue *q;
        VEC_FOR_EACH (q, &qos->config.queues)
            put_queue(&out, qos, q);
    }
    unixctl_reply(conn, str_c(&out));
    str_fini(&out);
}

static void qos_show_types(struct unixctl_conn *conn, int argc, const char *argv[], void *vs)
{
    (void)argc;
    const struct vport *port = port_named(vs, argv[1]);
    if (!port) {
        unixctl_error(conn, "no such iface");
        return;
    }
    struct str out = STR_INIT;
    bool any = port->dev && port->dev->class == &port_class_system;
    for (size_t i = 0; any && qos_types[i]; i++)
        str_putf(&out, "QoS type: %s\n", qos_types[i]);
    if (!any)
        str_putf(&out, "No QoS types supported for interface: %s\n", port->name);
    unixctl_reply(conn, str_c(&out));
    str_fini(&out);
}

void port_appctl_register(struct unixctl *ctl, struct vswitch *vs)
{
    unixctl_register(ctl, "bfd/show", "[interface]", 0, 1, bfd_show, vs);
    unixctl_register(ctl, "qos/show", "interface", 1, 1, qos_show, vs);
    unixctl_register(ctl, "qos/show-types", "interface", 1, 1, qos_show_types, vs);
    unixctl_register(ctl, "bfd/set-forwarding", "[interface] normal|false|true", 1, 2,
                     bfd_set_forwarding, vs);
}
