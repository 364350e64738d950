/* inject.c - packets of the controller's own that enter a logical datapath as if they had come in by one of its ports.
 *
 * Room 11 of docs/architecture.md.
 */
#include <stdlib.h>

#include "controller/pinctrl/pinctrl.h"
#include "lflow/lflow.h"

/* PACKET into TABLE, with PORT in register REG. */
static bool send_at(struct pinctrl *p, const struct sb_port_binding *port, enum field_id reg,
                    uint32_t flags, uint8_t table, const struct of_buf *packet)
{
    const struct uuid *at = sb_port_binding_datapath(port);
    const struct sb_datapath_binding *datapath =
        at ? sb_index_datapath_uuid(p->options.sb, at) : NULL;
    if (!datapath || !p->conn)
        return false;
    struct match m;
    match_init(&m);
    match_set(&m, FIELD_METADATA, (u128)sb_datapath_binding_tunnel_key(datapath));
    match_set(&m, reg, (u128)sb_port_binding_tunnel_key(port));
    match_set(&m, FIELD_REG10, flags);
    struct of_actions actions = OF_ACTIONS_INIT;
    of_put_resubmit(&actions, PORT_CONTROLLER, table);
    pinctrl_send(p, &m, &actions, packet->data, packet->n);
    of_actions_fini(&actions);
    return true;
}

bool inject(struct pinctrl *p, const struct sb_port_binding *port, bool is_local_only,
            const struct of_buf *packet)
{
    uint32_t flags = is_local_only ? 1u << FLAG_LOCAL_ONLY : 0;
    return send_at(p, port, FIELD_REG14, flags, OFTABLE_LOG_INGRESS, packet);
}

bool inject_output(struct pinctrl *p, const struct sb_port_binding *port,
                   const struct of_buf *packet)
{
    return send_at(p, port, FIELD_REG15, 0, OFTABLE_LOCAL_OUTPUT, packet);
}

bool pinctrl_is_ours(const struct pinctrl *p, const struct sb_port_binding *port)
{
    const struct uuid *chassis = port ? sb_port_binding_chassis(port) : NULL;
    return chassis && p->options.sb->has_chassis && uuid_equal(chassis, &p->options.sb->chassis);
}

const struct sb_port_binding *inject_source(struct pinctrl *p, const char *router_port,
                                            const char *peer)
{
    const struct sb_index *sb = p->options.sb;
    const struct sb_port_binding *port = peer ? sb_index_port_named(sb, peer) : NULL;
    const struct uuid *at = port ? sb_port_binding_datapath(port) : NULL;
    if (!at || !sb_index_is_local(sb, at))
        return NULL;
    char *name = xasprintf("cr-%s", router_port);
    const struct sb_port_binding *gateway = sb_index_port_named(sb, name);
    free(name);
    return gateway && !pinctrl_is_ours(p, gateway) ? NULL : port;
}
