/* flows.c - how many OpenFlow flows a logical flow is on a hypervisor: as many as the normal form of its match has there; see cost.h (room
 * 7 of docs/architecture.md). Names of machines' ports count where the machine is, address sets and port groups with the elements
 * that the southbound database has.
 */
#include "northd/cost/cost.h"

#include <stdlib.h>
#include <string.h>

#include "expr/norm.h"
#include "net/addr.h"
#include "rows/nb.h"
#include "rows/sb.h"

struct place { /* aux of the callbacks */
    struct cost_reach *reach;
    struct replica *sb;
    uint32_t datapath;
    const struct uuid *chassis;
    bool differs; /* it mattered which chassis this is */
};

static const struct row *find_named(struct replica *sb, size_t table, int column, const char *name)
{
    const struct row *row;
    REPLICA_FOR_EACH(row, pos, sb, &replica_schema(sb)->tables[table])
    if (!strcmp(row->values[column]->atoms[0].string->s, name))
        return row;
    return NULL;
}

static bool elements_of_set(void *place_, const char *name,
                            void (*add)(void *add_aux, u128 value, u128 mask), void *add_aux)
{
    struct place *place = place_;
    const struct row *row =
        find_named(place->sb, SB_TABLE_ADDRESS_SET, SB_ADDRESS_SET_COL_NAME, name);
    const struct datum *all = row ? row->values[SB_ADDRESS_SET_COL_ADDRESSES] : NULL;
    for (size_t i = 0; all && i < all->n; i++) {
        u128 value, mask;
        if (!addr_parse_masked(all->atoms[i].string->s, &value, &mask))
            add(add_aux, value, mask);
    }
    return row;
}

static bool ports_of_group(void *place_, const char *name,
                           void (*add)(void *add_aux, const char *port), void *add_aux)
{
    struct place *place = place_;
    char *full = xasprintf("%u_%s", place->datapath, name);
    const struct row *row =
        find_named(place->sb, SB_TABLE_PORT_GROUP, SB_PORT_GROUP_COL_NAME, full);
    free(full);
    const struct datum *all = row ? row->values[SB_PORT_GROUP_COL_PORTS] : NULL;
    for (size_t i = 0; all && i < all->n; i++)
        add(add_aux, all->atoms[i].string->s);
    return row;
}

static bool is_resident(void *place_, const char *name)
{
    struct place *place = place_;
    place->differs = true;
    return cost_is_bound(place->reach, name, place->chassis);
}

static bool number_of_port(void *place_, const struct symbol *sym UNUSED, const char *name,
                           uint32_t *ret)
{
    struct place *place = place_;
    const struct row *row = cost_port_row(place->reach, name);
    if (!row) {
        enum group group = group_find(name);
        *ret = group < N_GROUPS ? group_key(group) : 0;
        return group < N_GROUPS;
    }
    const struct sb_port_binding *port = sb_port_binding_cast(row);
    *ret = (uint32_t)sb_port_binding_tunnel_key(port);
    if (*sb_port_binding_type(port))
        return true;
    place->differs = true;
    return cost_is_bound(place->reach, name, place->chassis);
}

static uint64_t count_at(const struct expr *match, struct place *place)
{
    const struct expr_world world = {
        .aux = place, .set = elements_of_set, .group = ports_of_group, .resident = is_resident};
    const struct norm_ports ports = {place, number_of_port};
    struct norm norm;
    if (norm_from_expr(match, &world, &ports, NORM_MERGE, 0, &norm, NULL))
        return 0; /* refused there too */
    uint64_t n = norm.n;
    norm_fini(&norm);
    return n;
}

/* F's match and what its actions ask of the packet. A new reference. */
static struct expr *whole_match(struct northd_program *program, const struct fact_lflow *f)
{
    const struct stage_info *stage = stage_info((enum stage)f->stage);
    const struct action_context context = {.pipeline = stage->pipeline, .table = stage->table};
    char *text = actions_to_text(f->actions);
    struct actions *actions;
    struct expr *prereq = NULL, *match = expr_ref((struct expr *)(uintptr_t)f->match);
    if (!actions_parse(program->actions, text, &context, &actions, &prereq, NULL)) {
        actions_unref(actions);
        match = expr_and(program->exprs, match, prereq);
    }
    free(text);
    return match;
}

uint64_t cost_count_flows(struct cost_reach *reach, struct northd_program *program,
                          struct replica *sb, const struct fact_lflow *f, uint32_t datapath,
                          struct cost_chassis at)
{
    struct expr *match = whole_match(program, f);
    uint64_t n = 0;
    for (size_t i = 0; i < at.n; i++) {
        struct place place = {reach, sb, datapath, &at.v[i], false};
        uint64_t here = count_at(match, &place);
        if (!i && !place.differs) {
            n = here * at.n;
            break;
        }
        n += here;
    }
    expr_unref(match);
    return n;
}

/* One for each backend, and one that gives the packet its new source: of the VIP, or with hairpin_snat_ip of each switch. */
uint64_t cost_count_hairpins(const struct row *row, size_t n_switches)
{
    const struct nb_load_balancer *lb = nb_load_balancer_cast(row);
    const struct datum *vips = nb_load_balancer_vips(lb);
    const char *snat = nb_load_balancer_options_value(lb, "hairpin_snat_ip");
    uint64_t n = 0;
    for (size_t i = 0; n_switches && i < vips->n; i++) {
        struct ip_addr vip, backend;
        uint16_t port;
        if (ip_endpoint_parse(vips->atoms[i].string->s, &vip, &port))
            continue;
        char *copy = xstrdup(datum_values(vips)[i].string->s), *save = NULL;
        for (char *word = strtok_r(copy, ",", &save); word; word = strtok_r(NULL, ",", &save))
            n += !ip_endpoint_parse(word, &backend, &port) && backend.version == vip.version;
        free(copy);
        n += snat && strchr(snat, vip.version == 4 ? '.' : ':') ? n_switches : 1;
    }
    return n;
}
