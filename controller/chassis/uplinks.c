/* uplinks.c - see uplinks.h. The switch's side of room 1 (docs/architecture.md). A pair is known by external_ids:ovn-localnet-port (or
 * ovn-l2gateway-port) = the logical port, on both of its ports, as the field's tools expect; other patch ports are not ours.
 */
#include "controller/chassis/uplinks.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/vec.h"
#include "controller/chassis/bridge.h"

LOG_MODULE(uplinks);

struct want {
    const struct fact_want_uplink *fact;
    const struct ovs_bridge *bridge; /* of the physical network */
    bool is_there[2];                /* on the integration bridge, on the other */
};

struct wants {
    const struct config *config;
    const struct replica *ovs;
    VEC(struct want) list;
};

struct search {
    const char *network;
    char *bridge;
};

static void match_mapping(const char *network, const char *bridge, void *search_)
{
    struct search *s = search_;
    if (!s->bridge && !strcmp(network, s->network))
        s->bridge = xstrdup(bridge);
}

static void add_want(const void *fact_, void *wants_)
{
    static struct log_rate rate = LOG_RATE(12, 5);
    const struct fact_want_uplink *fact = fact_;
    struct wants *wants = wants_;
    struct search search = {fact->network->s, NULL};
    config_for_each_mapping(wants->config, match_mapping, &search);
    const struct ovs_bridge *bridge = search.bridge ? bridge_find(wants->ovs, search.bridge) : NULL;
    if (bridge)
        vec_push(&wants->list, ((struct want){.fact = fact, .bridge = bridge}));
    else
        log_warn_limited(&rate, "port %s: bridge %s of network %s is not there", fact->port->s,
                         search.bridge ? search.bridge : "", fact->network->s);
    free(search.bridge);
}

static const char *mark_of(const struct fact_want_uplink *fact)
{
    return fact->is_l2gateway ? "ovn-l2gateway-port" : "ovn-localnet-port";
}

/* Names of the two ends: [0] on the integration bridge. */
static char *end_name(const struct config *config, const struct fact_want_uplink *fact, int end)
{
    return end ? xasprintf("patch-%s-to-%s", fact->port->s, config->bridge)
               : xasprintf("patch-%s-to-%s", config->bridge, fact->port->s);
}

static bool is_end(const struct config *config, const struct want *want, int end,
                   const struct ovs_port *port, const struct ovs_interface *iface)
{
    const char *mark = ovs_port_external_ids_value(port, mark_of(want->fact));
    const char *peer = ovs_interface_options_value(iface, "peer");
    char *name = end_name(config, want->fact, end), *other = end_name(config, want->fact, !end);
    bool ok = mark && !strcmp(mark, want->fact->port->s) && !strcmp(ovs_port_name(port), name) &&
              !strcmp(ovs_interface_type(iface), "patch") && peer && !strcmp(peer, other);
    free(name);
    free(other);
    return ok;
}

struct check {
    struct wants *wants;
    const struct ovs_bridge *bridge;
    int end;
    struct writer *w;
};

static void check_port(const struct ovs_port *port, const struct ovs_interface *iface, void *check_)
{
    struct check *c = check_;
    if (!ovs_port_external_ids_value(port, "ovn-localnet-port") &&
        !ovs_port_external_ids_value(port, "ovn-l2gateway-port"))
        return;
    for (size_t i = 0; i < c->wants->list.n; i++) {
        struct want *want = &c->wants->list.data[i];
        if ((!c->end || want->bridge == c->bridge) &&
            is_end(c->wants->config, want, c->end, port, iface)) {
            want->is_there[c->end] = true;
            return;
        }
    }
    writer_remove_ref(c->w, "Bridge", ovs_bridge_uuid(c->bridge), "ports", ovs_port_uuid(port));
    writer_comment(c->w, "removing patch port '%s'", ovs_port_name(port));
}

static void add_end(struct writer *w, const struct ovs_bridge *bridge, const struct want *want,
                    const char *name, const char *peer)
{
    struct uuid iface = writer_insert(w, "Interface");
    writer_text(w, "Interface", &iface, "name", name);
    writer_text(w, "Interface", &iface, "type", "patch");
    writer_pair(w, "Interface", &iface, "options", "peer", peer);
    struct uuid port = writer_insert(w, "Port");
    writer_text(w, "Port", &port, "name", name);
    writer_uuid(w, "Port", &port, "interfaces", &iface);
    writer_pair(w, "Port", &port, "external_ids", mark_of(want->fact), want->fact->port->s);
    writer_add_ref(w, "Bridge", ovs_bridge_uuid(bridge), "ports", &port);
    writer_comment(w, "adding patch port '%s'", name);
}

void uplinks_write(const struct config *config, const struct program *program,
                   const struct inc *inc, const struct replica *ovs, struct writer *w)
{
    const struct ovs_bridge *integration = bridge_find(ovs, config->bridge);
    if (!integration)
        return;
    struct wants wants = {.config = config, .ovs = ovs};
    inc_for_each(inc, program->want_uplink, add_want, &wants);
    const struct row *row;
    REPLICA_FOR_EACH(row, pos, ovs, replica_table(ovs, "Bridge"))
    {
        struct check check = {&wants, ovs_bridge_cast(row), ovs_bridge_cast(row) != integration, w};
        bridge_for_each_interface(check.bridge, ovs, check_port, &check);
    }
    for (size_t i = 0; i < wants.list.n; i++) {
        const struct want *want = &wants.list.data[i];
        char *names[] = {end_name(config, want->fact, 0), end_name(config, want->fact, 1)};
        for (int end = 0; end < 2; end++)
            if (!want->is_there[end])
                add_end(w, end ? want->bridge : integration, want, names[end], names[!end]);
        free(names[0]);
        free(names[1]);
    }
    vec_fini(&wants.list);
}
