/* port_appctl.c - control commands about ports, under ovs-vswitchd's names: BFD. */
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

void port_appctl_register(struct unixctl *ctl, struct vswitch *vs)
{
    unixctl_register(ctl, "bfd/show", "[interface]", 0, 1, bfd_show, vs);
    unixctl_register(ctl, "bfd/set-forwarding", "[interface] normal|false|true", 1, 2,
                     bfd_set_forwarding, vs);
}
