/* port_refresh.c - see port_refresh.h. */
#include "switchd/port_refresh.h"

#include "switchd/ofserver.h"
#include "switchd/slice.h"
#include "switchd/vswitch.h"

static void refresh(struct vport *port)
{
    struct bridge *br = port->bridge;
    if (!port->dev || !port->dev->class->refresh || port->dev->error)
        return;
    port->dev->class->refresh(port->dev);
    vport_count_queues(port);
    const struct port_status *now = &port->dev->status;
    struct port_status *was = &port->reported;
    if (now->admin_up == was->admin_up && now->link_up == was->link_up &&
        mac_equal(now->mac, was->mac))
        return;
    port->link_resets += now->link_up != was->link_up;
    *was = *now;
    vswitch_invalidate(br->vs);
    ofserver_port_status(port, OF_PORT_MODIFY);
}

static void go_on(void *vs_)
{
    struct vswitch *vs = vs_;
    struct port_refresh *r = &vs->refresh;
    struct slice slice = slice_begin(vs->env);
    bool over = false;
    while (!over && !list_empty(&r->due)) {
        struct vport *port = LIST_FIRST(struct vport, refresh_node, &r->due);
        list_remove(&port->refresh_node);
        list_push_back(&r->done, &port->refresh_node);
        refresh(port);
        over = slice_is_over(&slice);
    }
    if (!list_empty(&r->due))
        deferred_schedule(&r->call);
}

void port_refresh_init(struct vswitch *vs)
{
    list_init(&vs->refresh.due);
    list_init(&vs->refresh.done);
    deferred_init(&vs->refresh.call, vs->loop, LOOP_LATER, go_on, vs);
}

void port_refresh_fini(struct vswitch *vs)
{
    deferred_cancel(&vs->refresh.call);
}

void port_refresh_add(struct vport *port)
{
    list_push_back(&port->bridge->vs->refresh.done, &port->refresh_node);
}

void port_refresh_round(struct vswitch *vs)
{
    if (!list_empty(&vs->refresh.due))
        return;
    list_splice_back(&vs->refresh.due, &vs->refresh.done);
    go_on(vs);
}

bool port_refresh_device(struct vswitch *vs, const char *name)
{
    struct bridge *br;
    bool found = !name;
    if (!name)
        port_refresh_round(vs);
    LIST_FOR_EACH (br, node, &vs->bridges) {
        struct vport *port = name ? bridge_port_named(br, name) : NULL;
        if (port)
            refresh(port);
        found |= port != NULL;
    }
    return found;
}

void port_refresh_all(struct vswitch *vs)
{
    struct bridge *br;
    LIST_FOR_EACH (br, node, &vs->bridges) {
        struct vport *port;
        HMAP_FOR_EACH (port, by_no, &br->ports)
            refresh(port);
    }
}
