/* tunnel_appctl.c - control commands that show the tunnel ports, under ovs-vswitchd's names. */
#include <stdlib.h>

#include "switchd/port/tunnel_parts.h"
#include "switchd/switchd.h"

/* Where tunnels listen: "vxlan_sys_4789 (4789) ref_cnt=2". With -v the ports that do, too. */
static void ports_show(struct unixctl_conn *conn, int argc, const char *argv[], void *vs_)
{
    const struct vswitch *vs = vs_;
    struct str out = STR_INIT;
    struct tunnel_endpoint *e;
    const struct tunnel_port *port;
    bool verbose = argc > 1 && !strcmp(argv[1], "-v");
    if (argc > 1 && !verbose) {
        str_putf(&out, "Unrecognized option %s", argv[1]);
        unixctl_error(conn, str_c(&out));
        str_fini(&out);
        return;
    }
    str_put(&out, "Listening ports:\n");
    if (vs->host.tunnels) {
        LIST_FOR_EACH (e, node, &vs->host.tunnels->endpoints) {
            size_t n = 0;
            LIST_FOR_EACH (port, node, &e->ports)
                n++;
            str_putf(&out, "%s_sys_%u (%u) ref_cnt=%zu\n",
                     e->kind == &tunnel_geneve ? "genev" : "vxlan", e->udp_port, e->udp_port, n);
            if (!verbose)
                continue;
            LIST_FOR_EACH (port, node, &e->ports)
                str_putf(&out, "    %s\n", port->up.name);
        }
    }
    unixctl_reply(conn, str_c(&out));
    str_fini(&out);
}

static void put_address(struct str *s, const struct ip_addr *ip, bool flow)
{
    if (flow)
        str_put(s, "flow");
    else if (ip->version)
        ip_addr_put(s, ip);
    else
        str_put(s, "::");
}

static void put_key(struct str *s, const char *name, bool flow, uint32_t key)
{
    if (flow)
        str_putf(s, ", %s=flow", name);
    else
        str_putf(s, key ? ", %s=0x%x" : ", %s=%u", name, key);
}

static void put_tunnel(struct str *s, const struct vport *port)
{
    const struct tunnel_options *c = &port->tunnel;
    str_putf(s, "port %u: %s (%s: ", port->dp_no, port->name, port->type);
    put_address(s, &c->src, c->src_flow);
    str_put(s, "->");
    put_address(s, &c->dst, c->dst_flow);
    put_key(s, "key", c->in_any, c->in_key);
    str_putf(s, ", legacy_l2, dp port=%u", port->dp_no);
    if (c->out_flow != c->in_any || c->out_key != c->in_key)
        put_key(s, "out_key", c->out_flow, c->out_key);
    if (c->ttl_inherit)
        str_put(s, ", ttl=inherit");
    else
        str_putf(s, ", ttl=%u", c->ttl);
    if (c->tos_inherit)
        str_put(s, ", tos=inherit");
    else if (c->tos)
        str_putf(s, ", tos=0x%x", c->tos);
    if (!c->df)
        str_put(s, ", df_default=false");
    str_put(s, c->csum ? ", csum=true)\n" : ")\n");
}

static void list_tunnels(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED,
                         void *vs_)
{
    const struct vswitch *vs = vs_;
    struct str out = STR_INIT;
    for (uint32_t i = 1; i < vs->dp_ports.n; i++) {
        const struct vport *port = vs->dp_ports.data[i];
        if (port && port->is_tunnel)
            put_tunnel(&out, port);
    }
    unixctl_reply(conn, str_c(&out));
    str_fini(&out);
}

void tunnel_appctl_register(struct unixctl *ctl, struct vswitch *vs)
{
    static const struct unixctl_entry commands[] = {
        {"tnl/ports/show", "[-v]", 0, 1, ports_show},
        {"ofproto/list-tunnels", "", 0, 0, list_tunnels},
    };
    unixctl_register_all(ctl, commands, ARRAY_SIZE(commands), vs);
}
