/* vsctl.h - weft-vsctl: what its files share, and how it sees the database.
 *
 * A bridge is a row of Bridge, or a "fake" one: a port of another bridge (its parent) with
 * fake_bridge set, which stands for the ports of the parent that have its VLAN tag. Every bridge
 * has a local port of its own name, which is not listed among its ports.
 *
 * program.c     options, waiting for the switch daemon, the list of commands
 * model.c       bridges, ports and interfaces by name
 * bridge.c      *-br, br-*      port.c  *-port*, *-bond, *iface*
 * controller.c  controllers, fail mode, managers      ssl.c  ssl, emer-reset
 *
 * Commands, messages and exit codes are ovs-vsctl's.
 */
#pragma once

#include "ctl/ctl.h"

#define VS_TABLES "Open_vSwitch Bridge Port Interface"

int vsctl_main(int argc, char **argv);

extern const struct ctl_command vs_general_commands[], vs_bridge_commands[], vs_port_commands[],
    vs_controller_commands[], vs_ssl_commands[];

struct vs_bridge {
    const char *name;
    const struct row *row;  /* of Bridge; a fake bridge's parent */
    const struct row *port; /* of a fake bridge: the port that makes it; else NULL */
    int64_t vlan;           /* of a fake bridge, else 0 */
};

/* The one row of Open_vSwitch. */
const struct row *vs_root(struct ctl_call *call);

typedef VEC(struct vs_bridge) vs_bridge_vec;
/* All bridges, by name. Finish with vec_fini. */
void vs_bridges(struct ctl_call *call, vs_bridge_vec *ret);
/* False (or, with MUST_EXIST, an error code) when there is none. */
bool vs_bridge_get(struct ctl_call *call, const char *name, struct vs_bridge *ret);
int vs_bridge_find(struct ctl_call *call, const char *name, struct vs_bridge *ret);
/* The same; a fake bridge is an error. */
int vs_real_bridge_find(struct ctl_call *call, const char *name, struct vs_bridge *ret);
/* The ports of BRIDGE without the local one, and for a real one without those of fake bridges. */
struct row_list vs_bridge_ports(struct ctl_call *call, const struct vs_bridge *bridge);

/* A port by name, with the bridge it belongs to. Ports that are bridges do not count unless
 * ANY. */
struct vs_place {
    struct vs_bridge bridge;
    const struct row *port, *interface; /* interface: of vs_interface_get */
};
bool vs_port_get(struct ctl_call *call, const char *name, struct vs_place *ret);
bool vs_interface_get(struct ctl_call *call, const char *name, struct vs_place *ret);
/* Fails when NAME is a bridge, port or interface already: "WHAT because a port named ...". */
int vs_check_free(struct ctl_call *call, const char *name, const char *what);
/* Deletes a port with its interfaces. */
void vs_delete_port(struct ctl_call *call, const struct row *bridge, const struct row *port);
/* After the switch daemon has answered, report what is wrong with this interface. */
void vs_check_later(struct ctl_call *call, const char *interface);
