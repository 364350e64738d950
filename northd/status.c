/* status.c - see status.h (room 5 of docs/architecture.md). Nothing is remembered but which ports to look at: each time what is
 * true is compared with what the row says.
 */
#include "northd/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "northd/ipam/ipam.h"
#include "northd/publish/publisher.h"
#include "northd/topology/keys.h"
#include "rows/nb.h"
#include "rows/sb.h"

enum { UPS_AT_ONCE = 2000 }; /* ports of a transaction that turn up or down */

struct status {
    struct northd_program *p;
    struct inc *inc;
    struct replica *nb, *sb;
    const struct publisher *pub; /* finds bindings by name */
    struct env *env;
    VEC(const struct rstr *) ports; /* to look at */
    int64_t seen_nb_cfg,
        seen_ms; /* the last number seen, and when; 0: another northd answered it */
};

static const struct schema_table *table(struct replica *replica, size_t index)
{
    return &replica_schema(replica)->tables[index];
}

static const struct row *only_row(struct replica *replica, size_t index)
{
    size_t pos = 0;
    return replica_next_row(replica, table(replica, index), &pos);
}

static const struct nb_nb_global *nb_global(const struct status *s)
{
    return nb_nb_global_cast(only_row(s->nb, NB_TABLE_NB_GLOBAL));
}

static const struct sb_sb_global *sb_global(const struct status *s)
{
    return sb_sb_global_cast(only_row(s->sb, SB_TABLE_SB_GLOBAL));
}

/* --- Taking in */

static void look_at(struct status *s, const char *port)
{
    vec_push(&s->ports, program_intern(s->p, port));
}

static void look_at_gateway(struct status *s, const char *router_port)
{
    char *name = xasprintf("cr-%s", router_port);
    look_at(s, name);
    free(name);
}

void status_take_nb(struct status *s, const struct changeset *cs)
{
    for (size_t i = 0; i < cs->n; i++) {
        const struct row *row = cs->changes[i].after;
        if (row && row->table->index == NB_TABLE_LOGICAL_SWITCH_PORT)
            look_at(s, nb_logical_switch_port_name(nb_logical_switch_port_cast(row)));
        else if (row && row->table->index == NB_TABLE_LOGICAL_ROUTER_PORT)
            look_at_gateway(s, nb_logical_router_port_name(nb_logical_router_port_cast(row)));
    }
}

void status_take_sb(struct status *s, const struct changeset *cs)
{
    for (size_t i = 0; i < cs->n; i++) {
        const struct row *row = cs->changes[i].after ? cs->changes[i].after : cs->changes[i].before;
        if (row->table->index == SB_TABLE_PORT_BINDING)
            look_at(s, sb_port_binding_logical_port(sb_port_binding_cast(row)));
    }
}

static void on_given(const void *fact, bool added UNUSED, void *status)
{
    struct status *s = status;
    const struct fact_ipam_given *given = fact;
    const struct row *row =
        replica_row_find(s->nb, table(s->nb, NB_TABLE_LOGICAL_SWITCH_PORT), &given->lsp);
    if (row)
        look_at(s, nb_logical_switch_port_name(nb_logical_switch_port_cast(row)));
}

bool status_take_facts(struct status *s)
{
    bool any = inc_has_changes(s->inc, s->p->ipam.given);
    inc_changes(s->inc, s->p->ipam.given, on_given, s);
    return any;
}

void status_forget(struct status *s)
{
    const struct rstr **name;
    VEC_FOR_EACH (name, &s->ports)
        rstr_unref(*name);
    vec_clear(&s->ports);
}

static void on_gateway(const void *fact, void *status)
{
    look_at(status, ((const struct fact_gateway_port *)fact)->redirect->s);
}

static void on_port(const void *fact, void *status)
{
    const struct row *row = ((const struct feed_row *)fact)->row;
    look_at(status, nb_logical_switch_port_name(nb_logical_switch_port_cast(row)));
}

/* In the engine's order: rows that are written lie as they are looked at then. */
void status_restart(struct status *s)
{
    status_forget(s);
    inc_for_each(s->inc, s->p->in_lsp, on_port, s);
    inc_for_each(s->inc, s->p->gateway.port, on_gateway, s);
}

/* --- Writing */

static void set_integer(struct replica_txn *txn, const struct row *row, int column, int64_t value)
{
    if (row->values[column]->atoms[0].integer != value)
        replica_txn_set(txn, row->table, &row->uuid, &row->table->columns[column],
                        datum_new_integer(value));
}

void status_build_sb(struct status *s, struct replica_txn *txn)
{
    const struct nb_nb_global *nb = nb_global(s);
    const struct sb_sb_global *sb = sb_global(s);
    const struct schema_table *t = table(s->sb, SB_TABLE_SB_GLOBAL);
    const struct datum *options = nb ? nb_nb_global_options(nb) : NULL;
    if (!nb || !datum_map_text(options, "svc_monitor_mac"))
        return; /* NB_Global is completed first */
    if (!sb) {
        struct uuid uuid = replica_txn_insert(txn, t);
        replica_txn_set(txn, t, &uuid, &t->columns[SB_SB_GLOBAL_COL_NB_CFG],
                        datum_new_integer(nb_nb_global_nb_cfg(nb)));
        replica_txn_set(txn, t, &uuid, &t->columns[SB_SB_GLOBAL_COL_OPTIONS], datum_ref(options));
        return;
    }
    set_integer(txn, &sb->row, SB_SB_GLOBAL_COL_NB_CFG, nb_nb_global_nb_cfg(nb));
    if (!datum_equal(sb_sb_global_options(sb), options))
        replica_txn_set(txn, t, &sb->row.uuid, &t->columns[SB_SB_GLOBAL_COL_OPTIONS],
                        datum_ref(options));
    const struct schema_column *ipsec = &t->columns[SB_SB_GLOBAL_COL_IPSEC];
    if (sb_sb_global_ipsec(sb) != nb_nb_global_ipsec(nb))
        replica_txn_set(txn, t, &sb->row.uuid, ipsec, datum_new_boolean(nb_nb_global_ipsec(nb)));
}

/* Six random bytes as a MAC that belongs to no vendor and no group; N octets of it as text. */
static void random_mac(struct status *s, char buf[24], size_t n)
{
    uint8_t r[6];
    env_random(s->env, r, sizeof r);
    r[0] = (uint8_t)((r[0] & 0xfe) | 2);
    for (size_t i = 0; i < n; i++)
        snprintf(buf + i * 3, 24 - i * 3, i + 1 < n ? "%02x:" : "%02x", r[i]);
}

/* Options that NB_Global must have and has not. */
static const struct datum *missing_options(struct status *s, const struct nb_nb_global *nb)
{
    static const char *const keys[] = {"mac_prefix", "max_tunid", "northd_internal_version",
                                       "svc_monitor_mac"};
    union atom k[ARRAY_SIZE(keys)], v[ARRAY_SIZE(keys)];
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        char text[24] = "weft-" WEFT_VERSION;
        if (nb && nb_nb_global_options_value(nb, keys[i]))
            continue;
        if (i == 0 || i == 3)
            random_mac(s, text, i ? 6 : 3);
        else if (i == 1)
            snprintf(text, sizeof text, "%d", KEYS_MAX_DATAPATH);
        k[n].string = rstr_new(keys[i]);
        v[n++].string = rstr_new(text);
    }
    return datum_new_map(ATOM_STRING, ATOM_STRING, k, v, n);
}

static void build_options(struct status *s, struct replica_txn *txn, const struct nb_nb_global *nb)
{
    const struct schema_table *t = table(s->nb, NB_TABLE_NB_GLOBAL);
    const struct datum *options = missing_options(s, nb);
    struct uuid uuid;
    if (nb)
        uuid = nb->row.uuid;
    else
        uuid = replica_txn_insert(txn, t);
    if (nb && options->n)
        replica_txn_mutate(txn, t, &uuid, &t->columns[NB_NB_GLOBAL_COL_OPTIONS], MUTATE_INSERT,
                           options);
    else if (!nb)
        replica_txn_set(txn, t, &uuid, &t->columns[NB_NB_GLOBAL_COL_OPTIONS], options);
    else
        datum_unref(options);
}

/* The lowest number that a chassis has reached, and when the last of those reached it. */
static int64_t chassis_cfg(const struct status *s, int64_t without, int64_t *when)
{
    const struct row *row;
    int64_t low = without;
    bool any = false;
    *when = 0;
    REPLICA_FOR_EACH(row, pos, s->sb, table(s->sb, SB_TABLE_CHASSIS_PRIVATE))
    {
        const struct sb_chassis_private *c = sb_chassis_private_cast(row);
        int64_t cfg = sb_chassis_private_nb_cfg(c), at = sb_chassis_private_nb_cfg_timestamp(c);
        if (!any || cfg < low) {
            low = cfg;
            *when = at;
        } else if (cfg == low) {
            *when = MAX(*when, at);
        }
        any = true;
    }
    return low;
}

/* All that is said of one number is said in one transaction. What hypervisors have reached is said when it is also said of their ports
 * (ALL_PORTS). */
static void build_chain(struct status *s, struct replica_txn *txn, const struct nb_nb_global *nb,
                        bool all_ports)
{
    const struct sb_sb_global *sb = sb_global(s);
    int64_t now = env_wall_ms(s->env), cfg = nb_nb_global_nb_cfg(nb), when;
    if (cfg != s->seen_nb_cfg) {
        s->seen_ms = cfg == nb_nb_global_sb_cfg(nb) ? 0 : now;
        s->seen_nb_cfg = cfg;
    }
    if (!sb)
        return;
    int64_t done = sb_sb_global_nb_cfg(sb);
    if (nb_nb_global_sb_cfg(nb) != done) {
        set_integer(txn, &nb->row, NB_NB_GLOBAL_COL_SB_CFG, done);
        set_integer(txn, &nb->row, NB_NB_GLOBAL_COL_SB_CFG_TIMESTAMP, now);
    }
    if (s->seen_ms && cfg == done)
        set_integer(txn, &nb->row, NB_NB_GLOBAL_COL_NB_CFG_TIMESTAMP, s->seen_ms);
    int64_t reached = chassis_cfg(s, done, &when);
    if (all_ports && nb_nb_global_hv_cfg(nb) != reached) {
        set_integer(txn, &nb->row, NB_NB_GLOBAL_COL_HV_CFG, reached);
        set_integer(txn, &nb->row, NB_NB_GLOBAL_COL_HV_CFG_TIMESTAMP, when);
    }
}

/* --- Ports */

static bool is_up(const struct fact_lsp *lsp, const struct sb_port_binding *pb)
{
    if (lsp->type == LSP_ROUTER)
        return true;
    return sb_port_binding_chassis(pb) &&
           (!sb_port_binding_up_present(pb) || sb_port_binding_up(pb));
}

/* A tag that was chosen is remembered where it was asked for. */
static void check_tag(struct status *s, struct replica_txn *txn, const struct row *row)
{
    struct inc_facts found = inc_look(s->inc, s->p->tag_by_lsp, &row->uuid);
    const struct nb_logical_switch_port *port = nb_logical_switch_port_cast(row);
    if (!found.n)
        return;
    int64_t tag = (int64_t)((const struct fact_tag *)found.v[0])->tag;
    if (!nb_logical_switch_port_tag_present(port) || nb_logical_switch_port_tag(port) != tag)
        replica_txn_set(txn, row->table, &row->uuid,
                        &row->table->columns[NB_LOGICAL_SWITCH_PORT_COL_TAG],
                        datum_new_integer(tag));
}

/* Where a distributed gateway port is, in its row's status; REDIRECT: the name of what is bound in its stead. */
static void check_gateway(struct status *s, struct replica_txn *txn, const struct rstr *redirect)
{
    static const char prefix[] = "cr-", key[] = "hosting-chassis";
    if (strncmp(redirect->s, prefix, sizeof prefix - 1))
        return;
    const struct rstr *name = program_intern(s->p, redirect->s + sizeof prefix - 1);
    struct inc_facts found = inc_look(s->inc, s->p->lrp_by_name, &name);
    rstr_unref(name);
    const struct schema_table *t = table(s->nb, NB_TABLE_LOGICAL_ROUTER_PORT);
    const struct row *row =
        found.n ? replica_row_find(s->nb, t, &((const struct fact_lrp *)found.v[0])->uuid) : NULL;
    if (!row)
        return;
    const struct row *binding = publisher_port_row(s->pub, redirect);
    const struct uuid *at = binding ? sb_port_binding_chassis(sb_port_binding_cast(binding)) : NULL;
    const struct row *chassis =
        at ? replica_row_find(s->sb, table(s->sb, SB_TABLE_CHASSIS), at) : NULL;
    const char *is = chassis ? sb_chassis_name(sb_chassis_cast(chassis)) : NULL;
    const char *was = datum_map_text(row->values[NB_LOGICAL_ROUTER_PORT_COL_STATUS], key);
    if (is == was || (is && was && !strcmp(is, was)))
        return;
    union atom k = {.string = rstr_new(key)}, v = {.string = is ? rstr_new(is) : NULL};
    replica_txn_set(txn, t, &row->uuid, &t->columns[NB_LOGICAL_ROUTER_PORT_COL_STATUS],
                    is ? datum_new_map(ATOM_STRING, ATOM_STRING, &k, &v, 1)
                       : datum_new_map(ATOM_STRING, ATOM_STRING, NULL, NULL, 0));
    if (!is)
        rstr_unref(k.string);
}

/* Whether a port is up is left for later when *LEFT are written already: then false. */
static bool check_port(struct status *s, struct replica_txn *txn, const struct rstr *name,
                       size_t *left)
{
    struct inc_facts found = inc_look(s->inc, s->p->lsp_by_name, &name);
    if (!found.n) {
        check_gateway(s, txn, name);
        return true;
    }
    const struct fact_lsp *lsp = found.v[0];
    const struct schema_table *t = table(s->nb, NB_TABLE_LOGICAL_SWITCH_PORT);
    const struct row *row = replica_row_find(s->nb, t, &lsp->uuid);
    const struct row *binding = publisher_port_row(s->pub, name);
    if (row)
        ipam_build_port(s->p, s->inc, txn, row);
    if (!row || !binding)
        return true; /* its binding will bring it up again */
    check_tag(s, txn, row);
    const struct nb_logical_switch_port *port = nb_logical_switch_port_cast(row);
    bool up = is_up(lsp, sb_port_binding_cast(binding));
    if (nb_logical_switch_port_up_present(port) && nb_logical_switch_port_up(port) == up)
        return true;
    if (!*left)
        return false;
    --*left;
    union atom atom = {.boolean = up};
    replica_txn_set(txn, t, &row->uuid, &t->columns[NB_LOGICAL_SWITCH_PORT_COL_UP],
                    datum_new_set(ATOM_BOOLEAN, &atom, 1));
    return true;
}

static int compare_places(const void *a, const void *b)
{
    uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;
    return (x > y) - (x < y);
}

/* In the order in which their names were interned, which is that of the units: rows that are written lie as they are looked at then, in whatever order
 * they came. */
static void order_ports(struct status *s)
{
    if (s->ports.n > 1)
        qsort(s->ports.data, s->ports.n, sizeof *s->ports.data, compare_places);
}

/* Those left for later keep their places; they are looked at again when this transaction, which is not empty, is done. */
static void check_ports(struct status *s, struct replica_txn *txn)
{
    size_t left = UPS_AT_ONCE, kept = 0;
    order_ports(s);
    for (size_t i = 0; i < s->ports.n; i++) {
        const struct rstr *name = s->ports.data[i];
        if (check_port(s, txn, name, &left))
            rstr_unref(name);
        else
            s->ports.data[kept++] = name;
    }
    s->ports.n = kept;
}

void status_build_nb(struct status *s, struct replica_txn *txn)
{
    const struct nb_nb_global *nb = nb_global(s);
    build_options(s, txn, nb);
    check_ports(s, txn);
    if (nb)
        build_chain(s, txn, nb, !s->ports.n);
}

struct status *status_new(struct northd_program *program, struct inc *inc, struct replica *nb,
                          struct replica *sb, const struct publisher *pub, struct env *env)
{
    struct status *s = NEW(struct status);
    s->p = program;
    s->inc = inc;
    s->nb = nb;
    s->sb = sb;
    s->env = env;
    s->pub = pub;
    s->seen_nb_cfg = -1;
    inc_watch(inc, program->ipam.given);
    return s;
}

void status_free(struct status *s)
{
    if (!s)
        return;
    status_forget(s);
    vec_fini(&s->ports);
    free(s);
}
