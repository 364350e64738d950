/* way.c - see way.h. What is no address is not asked here, and each port has a link-local network of IPv6. */
#include "validate/way.h"

#include <string.h>

#include "base/str.h"
#include "base/vec.h"
#include "validate/internal.h"

struct network {
    const struct row *port;
    struct ip_prefix prefix;
};

typedef VEC(struct network) network_vec;

static network_vec networks_of(struct validate *v, const struct row *router,
                               const struct validate_list_world *world)
{
    const struct schema_table *ports = schema_table_find(v->schema, "Logical_Router_Port");
    const struct datum *members = validate_value(router, "ports");
    network_vec all = VEC_INIT;
    for (size_t i = 0; ports && members && i < members->n; i++) {
        const struct row *port = world->find(world->aux, ports, &members->atoms[i].uuid);
        const struct datum *value = port ? validate_value(port, "networks") : NULL;
        struct ip_prefix prefix;
        for (size_t j = 0; value && j < value->n; j++)
            if (!ip_prefix_parse(value->atoms[j].string->s, &prefix))
                vec_push(&all, ((struct network){port, prefix}));
        if (port && !ip_prefix_parse("fe80::/64", &prefix))
            vec_push(&all, ((struct network){port, prefix}));
    }
    return all;
}

static bool leads_somewhere(const network_vec *networks, const struct ip_addr *hop,
                            const char *port)
{
    const struct network *n;
    VEC_FOR_EACH (n, networks)
        if (*port ? !strcmp(validate_text(n->port, "name"), port) &&
                        n->prefix.addr.version == hop->version
                  : ip_prefix_contains(&n->prefix, hop))
            return true;
    return false;
}

static void tell(const struct row *router, const struct row *route,
                 const struct validate_list_world *world)
{
    const char *port = validate_text(route, "output_port");
    char uuid[UUID_TEXT_LEN + 1];
    struct str s = STR_INIT;
    str_putf(&s, "table %s, row %s: route %s via %s of router \"%s\" leads nowhere: ",
             route->table->name, uuid_print(&route->uuid, uuid), validate_text(route, "ip_prefix"),
             validate_text(route, "nexthop"), validate_text(router, "name"));
    if (*port)
        str_putf(&s, "the router has no port \"%s\" with a network of that version", port);
    else
        str_put(&s, "the next hop is in the network of no port of the router");
    world->report(world->aux, str_c(&s));
    str_fini(&s);
}

void way_routes(struct validate *v, const struct row *router, const struct row *const *rows,
                const bool *is_new, size_t n, const struct validate_list_world *world)
{
    network_vec networks = networks_of(v, router, world);
    for (size_t i = 0; i < n; i++) {
        struct ip_addr hop;
        if (is_new[i] && !ip_addr_parse(validate_text(rows[i], "nexthop"), &hop) &&
            !leads_somewhere(&networks, &hop, validate_text(rows[i], "output_port")))
            tell(router, rows[i], world);
    }
    vec_fini(&networks);
}
