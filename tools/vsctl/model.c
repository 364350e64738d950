/* model.c - bridges, ports and interfaces by name, with fake bridges as bridges. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "tools/vsctl/vsctl.h"

const struct row *vs_root(struct ctl_call *call)
{
    struct row_list rows = view_rows(call->view, view_table(call->view, "Open_vSwitch"));
    INVARIANT(rows.n > 0);
    const struct row *root = rows.rows[0];
    row_list_fini(&rows);
    return root;
}

static bool is_fake(const struct row *port)
{
    return row_bool(port, "fake_bridge", false) && row_integer(port, "tag", -1) >= 0;
}

static int compare_bridges(const void *a_, const void *b_)
{
    const struct vs_bridge *a = a_, *b = b_;
    return strcmp(a->name, b->name);
}

void vs_bridges(struct ctl_call *call, vs_bridge_vec *ret)
{
    struct row_list rows = view_referenced(call->view, vs_root(call), "bridges");
    for (size_t i = 0; i < rows.n; i++) {
        const struct row *row = rows.rows[i];
        struct vs_bridge real = {row_text(row, "name"), row, NULL, 0};
        vec_push(ret, real);
        struct row_list ports = view_referenced(call->view, row, "ports");
        for (size_t j = 0; j < ports.n; j++) {
            const struct row *port = ports.rows[j];
            struct vs_bridge fake = {row_text(port, "name"), row, port,
                                     row_integer(port, "tag", 0)};
            if (is_fake(port))
                vec_push(ret, fake);
        }
        row_list_fini(&ports);
    }
    row_list_fini(&rows);
    if (ret->n)
        qsort(ret->data, ret->n, sizeof *ret->data, compare_bridges);
}

bool vs_bridge_get(struct ctl_call *call, const char *name, struct vs_bridge *ret)
{
    vs_bridge_vec all = VEC_INIT;
    bool found = false;
    vs_bridges(call, &all);
    for (size_t i = 0; i < all.n && !found; i++)
        if (!strcmp(all.data[i].name, name)) {
            *ret = all.data[i];
            found = true;
        }
    vec_fini(&all);
    return found;
}

int vs_bridge_find(struct ctl_call *call, const char *name, struct vs_bridge *ret)
{
    return vs_bridge_get(call, name, ret) ? 0 : ctl_fail(call, "no bridge named %s", name);
}

int vs_real_bridge_find(struct ctl_call *call, const char *name, struct vs_bridge *ret)
{
    int err = vs_bridge_find(call, name, ret);
    if (!err && ret->port)
        err = ctl_fail(call, "%s is a fake bridge", name);
    return err;
}

/* Which of the bridges ALL does PORT of bridge row ROW belong to? */
static struct vs_bridge bridge_of_port(const vs_bridge_vec *all, const struct row *row,
                                       const struct row *port)
{
    int64_t tag = row_integer(port, "tag", -1);
    struct vs_bridge found = {0};
    for (size_t i = 0; i < all->n; i++) {
        const struct vs_bridge *b = &all->data[i];
        if (!uuid_equal(&b->row->uuid, &row->uuid))
            continue;
        if (b->port && b->vlan == tag)
            return *b;
        if (!b->port)
            found = *b;
    }
    return found;
}

struct row_list vs_bridge_ports(struct ctl_call *call, const struct vs_bridge *bridge)
{
    vs_bridge_vec all = VEC_INIT;
    vs_bridges(call, &all);
    struct row_list ports = view_referenced(call->view, bridge->row, "ports");
    size_t n = 0;
    for (size_t i = 0; i < ports.n; i++) {
        const struct row *port = ports.rows[i];
        struct vs_bridge owner = bridge_of_port(&all, bridge->row, port);
        if (!strcmp(owner.name, bridge->name) && strcmp(row_text(port, "name"), bridge->name) &&
            !is_fake(port))
            ports.rows[n++] = port;
    }
    ports.n = n;
    vec_fini(&all);
    return ports;
}

/* Looks for a port or (BY_INTERFACE) an interface of that name on all bridges. */
static bool find_place(struct ctl_call *call, const char *name, bool by_interface,
                       struct vs_place *ret)
{
    vs_bridge_vec all = VEC_INIT;
    bool found = false;
    vs_bridges(call, &all);
    for (size_t b = 0; b < all.n && !found; b++) {
        if (all.data[b].port)
            continue;
        const struct row *row = all.data[b].row;
        struct row_list ports = view_referenced(call->view, row, "ports");
        for (size_t i = 0; i < ports.n && !found; i++) {
            const struct row *port = ports.rows[i];
            *ret = (struct vs_place){bridge_of_port(&all, row, port), port, NULL};
            if (!by_interface) {
                found = !strcmp(row_text(port, "name"), name);
                continue;
            }
            struct row_list interfaces = view_referenced(call->view, port, "interfaces");
            for (size_t j = 0; j < interfaces.n && !found; j++) {
                ret->interface = interfaces.rows[j];
                found = !strcmp(row_text(ret->interface, "name"), name);
            }
            row_list_fini(&interfaces);
        }
        row_list_fini(&ports);
    }
    vec_fini(&all);
    return found;
}

bool vs_port_get(struct ctl_call *call, const char *name, struct vs_place *ret)
{
    return find_place(call, name, false, ret);
}

bool vs_interface_get(struct ctl_call *call, const char *name, struct vs_place *ret)
{
    return find_place(call, name, true, ret);
}

int vs_check_free(struct ctl_call *call, const char *name, const char *what)
{
    struct vs_bridge bridge;
    struct vs_place place;
    if (vs_bridge_get(call, name, &bridge))
        return ctl_fail(call, "%s because a bridge named %s already exists", what, name);
    if (vs_port_get(call, name, &place))
        return ctl_fail(call, "%s because a port named %s already exists on bridge %s", what, name,
                        place.bridge.name);
    if (vs_interface_get(call, name, &place))
        return ctl_fail(call, "%s because an interface named %s already exists on bridge %s", what,
                        name, place.bridge.name);
    return 0;
}

void vs_delete_port(struct ctl_call *call, const struct row *bridge, const struct row *port)
{
    view_remove_ref(call->view, bridge, "ports", &port->uuid);
    struct row_list interfaces = view_referenced(call->view, port, "interfaces");
    for (size_t i = 0; i < interfaces.n; i++)
        view_delete(call->view, interfaces.rows[i]);
    row_list_fini(&interfaces);
    view_delete(call->view, port);
}
