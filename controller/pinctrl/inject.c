/* inject.c - packets of the controller's own that enter a logical datapath as if they had come in by one of its ports.
 *
 * Room 11 of docs/architecture.md.
 */
#include <stdlib.h>

#include "controller/pinctrl/pinctrl.h"
#include "lflow/lflow.h"

bool inject(struct pinctrl *p, const struct sb_port_binding *port, bool is_local_only,
            const struct of_buf *packet)
{
    const struct uuid *at = sb_port_binding_datapath(port);
    const struct sb_datapath_binding *datapath =
        at ? sb_index_datapath_uuid(p->options.sb, at) : NULL;
    if (!datapath || !p->conn)
        return false;
    struct match m;
    match_init(&m);
    match_set(&m, FIELD_METADATA, (u128)sb_datapath_binding_tunnel_key(datapath));
    match_set(&m, FIELD_REG14, (u128)sb_port_binding_tunnel_key(port));
    if (is_local_only) /* every hypervisor has its own */
        match_set(&m, FIELD_REG10, 1u << FLAG_LOCAL_ONLY);
    struct of_actions actions = OF_ACTIONS_INIT;
    of_put_resubmit(&actions, PORT_CONTROLLER, OFTABLE_LOG_INGRESS);
    pinctrl_send(p, &m, &actions, packet->data, packet->n);
    of_actions_fini(&actions);
    return true;
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
