/* ports.c - Port_Binding rows: one for each switch and router port, known by its name (room 5 of docs/architecture.md). Columns
 * that controllers write (chassis, up, encap, virtual_parent) are theirs; up is set to false once, at insertion. MAC_Binding
 * rows that name a port go when it goes or changes its datapath.
 */
#include "northd/publish/internal.h"

#include <stdlib.h>
#include <string.h>

struct pub_port *ports_find(const struct publisher *pub, const struct rstr *name)
{
    struct pub_port *port;
    HMAP_FOR_EACH_WITH_HASH (port, by_name, hash_pointer(name, 0), &pub->ports)
        if (port->name == name)
            return port;
    return NULL;
}

static struct pub_port *get(struct publisher *pub, const struct rstr *name)
{
    struct pub_port *port = ports_find(pub, name);
    if (port)
        return port;
    port = NEW(struct pub_port);
    port->name = rstr_ref(name);
    list_init(&port->dirty);
    hmap_insert(&pub->ports, &port->by_name, hash_pointer(name, 0));
    return port;
}

static struct pub_port *get_text(struct publisher *pub, const char *text)
{
    const struct rstr *name = program_intern(pub->p, text);
    struct pub_port *port = get(pub, name);
    rstr_unref(name);
    return port;
}

static const char *name_of(const struct row *row)
{
    return sb_port_binding_logical_port(sb_port_binding_cast(row));
}

static uint64_t key_hash(const struct uuid *datapath, int64_t key)
{
    return hash_u64((uint64_t)key, uuid_hash(datapath));
}

static bool has_key(const struct row *row, const struct uuid *datapath, int64_t key)
{
    const struct sb_port_binding *binding = sb_port_binding_cast(row);
    return sb_port_binding_tunnel_key(binding) == key &&
           uuid_equal(sb_port_binding_datapath(binding), datapath);
}

/* What the row is known to be; NULL: there is none any more. */
static void set_row(struct publisher *pub, struct pub_port *port, const struct row *row)
{
    const struct row *old = port->row ? row_ref(port->row) : NULL;
    if (old)
        hmap_remove(&pub->ports_by_key, &port->by_key);
    publisher_hold(&port->row, row);
    if (row) {
        const struct sb_port_binding *binding = sb_port_binding_cast(row);
        const struct uuid *datapath = sb_port_binding_datapath(binding);
        int64_t key = sb_port_binding_tunnel_key(binding);
        hmap_insert(&pub->ports_by_key, &port->by_key, key_hash(datapath, key));
        if (old && !has_key(old, datapath, key))
            stations_check_all(pub);
    }
    row_unref(old);
}

bool ports_have_key(const struct publisher *pub, const struct pub_datapath *dp, int64_t key)
{
    struct pub_port *port;
    HMAP_FOR_EACH_WITH_HASH (port, by_key, key_hash(&dp->sb, key), &pub->ports_by_key)
        if (port->has_want && uuid_equal(&port->want.datapath, &dp->nb) &&
            has_key(port->row, &dp->sb, key))
            return true;
    return false;
}

void ports_take_row(struct publisher *pub, const struct row *before, const struct row *after)
{
    struct pub_port *port;
    if (before && (!after || strcmp(name_of(before), name_of(after)))) {
        port = get_text(pub, name_of(before));
        if (port->row && uuid_equal(&port->row->uuid, &before->uuid)) {
            set_row(pub, port, NULL);
            memset(&port->sb, 0, sizeof port->sb);
        }
        publisher_mark(&pub->dirty_ports, &port->dirty);
    }
    if (!after)
        return;
    port = get_text(pub, name_of(after));
    if (port->row && !uuid_equal(&port->row->uuid, &after->uuid)) {
        publisher_surplus(pub, after);
        return;
    }
    /* While our own transaction is out, this is its effect; what it has just inserted is as it was built. */
    bool landed = pub->in_flight && !before && uuid_equal(&port->sb, &after->uuid);
    port->check_nats |= !landed && (!pub->in_flight || !before);
    set_row(pub, port, after);
    port->sb = after->uuid;
    if (!landed)
        publisher_mark(&pub->dirty_ports, &port->dirty);
}

void ports_take_neighbor(struct publisher *pub, const struct row *before, const struct row *after)
{
    struct pub_port *port;
    if (before) {
        port = get_text(pub, sb_mac_binding_logical_port(sb_mac_binding_cast(before)));
        for (size_t i = port->neighbors.n; i-- > 0;)
            if (uuid_equal(&port->neighbors.data[i], &before->uuid))
                vec_remove_swap(&port->neighbors, i);
        publisher_mark(&pub->dirty_ports, &port->dirty);
    }
    if (after) {
        port = get_text(pub, sb_mac_binding_logical_port(sb_mac_binding_cast(after)));
        vec_push(&port->neighbors, after->uuid);
        publisher_mark(&pub->dirty_ports, &port->dirty);
    }
}

static void drop_want(struct pub_port *port)
{
    row_unref(port->want.row);
    rstr_unref(port->want.name);
    rstr_unref(port->want.peer);
    rstr_unref(port->want.type);
    port->has_want = false;
}

void ports_take_fact(const void *fact_, bool added, void *pub_)
{
    struct publisher *pub = pub_;
    const struct fact_port_binding *fact = fact_;
    struct pub_port *port = get(pub, fact->name);
    if (port->has_want && (added || !memcmp(&port->want, fact, sizeof *fact)))
        drop_want(port);
    if (added) {
        port->want = *fact;
        row_ref(fact->row);
        rstr_ref(fact->name);
        if (fact->peer)
            rstr_ref(fact->peer);
        if (fact->type)
            rstr_ref(fact->type);
        port->has_want = true;
    }
    publisher_mark(&pub->dirty_ports, &port->dirty);
}

void ports_take_extra(const void *fact, bool added UNUSED, void *pub_)
{
    struct publisher *pub = pub_;
    const struct rstr *name = *(const struct rstr *const *)fact;
    publisher_mark(&pub->dirty_ports, &get(pub, name)->dirty);
}

/* One more or less of many is an element; all of them are looked at when the row is new or somebody else's. */
void ports_take_nat(const void *fact_, bool added, void *pub_)
{
    struct publisher *pub = pub_;
    const struct fact_port_nat *fact = fact_;
    struct pub_port *port = get(pub, fact->port);
    struct text_change change = {rstr_ref(fact->address), added};
    vec_push(&port->nats, change);
    publisher_mark(&pub->dirty_ports, &port->dirty);
}

static void drop_nats(struct pub_port *port)
{
    struct text_change *c;
    VEC_FOR_EACH (c, &port->nats)
        rstr_unref(c->text);
    vec_clear(&port->nats);
}

/* --- Columns */

/* What the rooms say about the port's options, beside what is there already. */
static void put_extra_options(struct publisher *pub, const struct pub_port *port,
                              struct pairs *options)
{
    const struct fact_port_option *f;
    INC_FOR_EACH(f, inc_look(pub->inc, pub->p->port_option_by_port, &port->name))
    if (!pairs_have(options, f->key->s))
        pairs_put(options, f->key->s, f->value->s);
}

static const struct datum *nat_addresses(struct publisher *pub, const struct pub_port *port)
{
    struct inc_facts facts = inc_look(pub->inc, pub->p->port_nat_by_port, &port->name);
    union atom *atoms = xcalloc(facts.n + 1, sizeof *atoms);
    for (size_t i = 0; i < facts.n; i++)
        atoms[i].string = rstr_new(((const struct fact_port_nat *)facts.v[i])->address->s);
    const struct datum *d = datum_new_set(ATOM_STRING, atoms, facts.n);
    free(atoms);
    return d;
}

static void put_nats(struct publisher *pub, struct pub_port *port, const struct row *row)
{
    enum { T = SB_TABLE_PORT_BINDING, C = SB_PORT_BINDING_COL_NAT_ADDRESSES };
    struct text_change *c;
    if (!row || port->check_nats)
        publisher_put(pub, T, &port->sb, row, C, nat_addresses(pub, port));
    else
        VEC_FOR_EACH (c, &port->nats) {
            union atom atom = {.string = rstr_new(c->text->s)};
            bool is_there = datum_find(row->values[C], &atom) >= 0;
            const struct datum *one = datum_new_set(ATOM_STRING, &atom, 1);
            if (is_there == c->added)
                datum_unref(one);
            else
                publisher_mutate(pub, T, &port->sb, C, c->added ? MUTATE_INSERT : MUTATE_DELETE,
                                 one);
        }
    drop_nats(port);
    port->check_nats = false;
}

static const struct datum *requested(struct publisher *pub, const struct pub_port *port,
                                     bool additional)
{
    struct inc_facts facts = inc_look(pub->inc, pub->p->port_chassis_by_port, &port->name);
    union atom *atoms = xcalloc(facts.n + 1, sizeof *atoms);
    const struct fact_port_chassis *f;
    size_t n = 0;
    INC_FOR_EACH(f, facts)
    if (f->additional == additional)
        atoms[n++].uuid = f->chassis;
    const struct datum *d = datum_new_set(ATOM_UUID, atoms, n);
    free(atoms);
    return d;
}

static const struct datum *router_port_mac(const struct nb_logical_router_port *lrp)
{
    struct str text = STR_INIT;
    const struct datum *networks = nb_logical_router_port_networks(lrp);
    str_put(&text, nb_logical_router_port_mac(lrp));
    for (size_t i = 0; i < networks->n; i++)
        str_putf(&text, " %s", networks->atoms[i].string->s);
    union atom atom = {.string = rstr_new(str_c(&text))};
    str_fini(&text);
    return datum_new_set(ATOM_STRING, &atom, 1);
}

static void put(struct publisher *pub, struct pub_port *port, const struct row *row, int column,
                const struct datum *value)
{
    publisher_put(pub, SB_TABLE_PORT_BINDING, &port->sb, row, column, value);
}

static void put_lrp(struct publisher *pub, struct pub_port *port, const struct row *row)
{
    const struct nb_logical_router_port *lrp = nb_logical_router_port_cast(port->want.row);
    struct pairs options = {0};
    if (port->want.peer)
        pairs_put(&options, "peer", port->want.peer->s);
    put_extra_options(pub, port, &options);
    put(pub, port, row, SB_PORT_BINDING_COL_TYPE,
        datum_new_string(port->want.type ? port->want.type->s : "patch"));
    put(pub, port, row, SB_PORT_BINDING_COL_OPTIONS, pairs_take(&options));
    put(pub, port, row, SB_PORT_BINDING_COL_MAC, router_port_mac(lrp));
    put(pub, port, row, SB_PORT_BINDING_COL_EXTERNAL_IDS,
        datum_ref(nb_logical_router_port_external_ids(lrp)));
}

static const struct datum *lsp_options(struct publisher *pub, const struct pub_port *port,
                                       const struct nb_logical_switch_port *lsp)
{
    struct pairs options = {0};
    if (strcmp(nb_logical_switch_port_type(lsp), "router"))
        pairs_put_all(&options, nb_logical_switch_port_options(lsp));
    else if (port->want.peer)
        pairs_put(&options, "peer", port->want.peer->s);
    put_extra_options(pub, port, &options);
    return pairs_take(&options);
}

/* The addresses, with what was given in the place of "dynamic". */
static const struct datum *lsp_mac(const struct nb_logical_switch_port *lsp)
{
    const struct datum *addresses = nb_logical_switch_port_addresses(lsp);
    const char *given = nb_logical_switch_port_dynamic_addresses(lsp);
    if (!given || addresses->n > MAX_PAIRS)
        return datum_ref(addresses);
    union atom atoms[MAX_PAIRS];
    for (size_t i = 0; i < addresses->n; i++) {
        const struct rstr *text = addresses->atoms[i].string;
        atoms[i].string = strstr(text->s, "dynamic") ? rstr_new(given) : rstr_ref(text);
    }
    return datum_new_set(ATOM_STRING, atoms, addresses->n);
}

static const struct datum *lsp_external_ids(const struct nb_logical_switch_port *lsp)
{
    const struct datum *ids = nb_logical_switch_port_external_ids(lsp);
    const char *name = datum_map_text(ids, "neutron:port_name");
    struct pairs pairs = {0};
    if (!name || !*name || datum_map_text(ids, "name"))
        return datum_ref(ids);
    pairs_put_all(&pairs, ids);
    pairs_put(&pairs, "name", name);
    return pairs_take(&pairs);
}

static void put_lsp(struct publisher *pub, struct pub_port *port, const struct row *row)
{
    const struct nb_logical_switch_port *lsp = nb_logical_switch_port_cast(port->want.row);
    const struct row *nb = port->want.row;
    const char *type = nb_logical_switch_port_type(lsp);
    put(pub, port, row, SB_PORT_BINDING_COL_TYPE,
        datum_new_string(port->want.type          ? port->want.type->s
                         : strcmp(type, "router") ? type
                                                  : "patch"));
    put(pub, port, row, SB_PORT_BINDING_COL_OPTIONS, lsp_options(pub, port, lsp));
    put_nats(pub, port, row);
    put(pub, port, row, SB_PORT_BINDING_COL_REQUESTED_CHASSIS, requested(pub, port, false));
    put(pub, port, row, SB_PORT_BINDING_COL_REQUESTED_ADDITIONAL_CHASSIS,
        requested(pub, port, true));
    put(pub, port, row, SB_PORT_BINDING_COL_MAC, lsp_mac(lsp));
    put(pub, port, row, SB_PORT_BINDING_COL_PORT_SECURITY,
        datum_ref(nb_logical_switch_port_port_security(lsp)));
    put(pub, port, row, SB_PORT_BINDING_COL_EXTERNAL_IDS, lsp_external_ids(lsp));
    put(pub, port, row, SB_PORT_BINDING_COL_PARENT_PORT,
        datum_ref(nb->values[NB_LOGICAL_SWITCH_PORT_COL_PARENT_NAME]));
    put(pub, port, row, SB_PORT_BINDING_COL_TAG,
        port->want.tag ? datum_new_integer((int64_t)port->want.tag)
                       : datum_ref(nb->values[NB_LOGICAL_SWITCH_PORT_COL_TAG]));
}

static void write_columns(struct publisher *pub, struct pub_port *port, const struct row *row,
                          const struct pub_datapath *dp)
{
    put(pub, port, row, SB_PORT_BINDING_COL_LOGICAL_PORT, datum_new_string(port->name->s));
    put(pub, port, row, SB_PORT_BINDING_COL_DATAPATH, datum_new_uuid(&dp->sb));
    put(pub, port, row, SB_PORT_BINDING_COL_TUNNEL_KEY, datum_new_integer((int64_t)port->want.key));
    if (!row) {
        union atom no = {.boolean = false};
        put(pub, port, row, SB_PORT_BINDING_COL_UP, datum_new_set(ATOM_BOOLEAN, &no, 1));
    }
    put(pub, port, row, SB_PORT_BINDING_COL_HA_CHASSIS_GROUP,
        uuid_is_zero(&port->want.ha_group) ? datum_new_empty(ATOM_UUID, DATUM_SET)
                                           : datum_new_uuid(&port->want.ha_group));
    if (port->want.row->table->index == NB_TABLE_LOGICAL_ROUTER_PORT)
        put_lrp(pub, port, row);
    else
        put_lsp(pub, port, row);
}

/* --- Building */

static void delete_neighbors(struct publisher *pub, struct pub_port *port)
{
    struct uuid *uuid;
    VEC_FOR_EACH (uuid, &port->neighbors)
        publisher_delete(pub, SB_TABLE_MAC_BINDING, uuid);
}

/* Neighbours learned through another datapath than the port's: it has moved, or its router was made anew. */
static void check_neighbors(struct publisher *pub, struct pub_port *port,
                            const struct pub_datapath *dp)
{
    struct uuid *uuid;
    VEC_FOR_EACH (uuid, &port->neighbors) {
        const struct row *row =
            replica_row_find(pub->sb, publisher_table(pub, SB_TABLE_MAC_BINDING), uuid);
        if (row && !uuid_equal(sb_mac_binding_datapath(sb_mac_binding_cast(row)), &dp->sb))
            publisher_delete(pub, SB_TABLE_MAC_BINDING, uuid);
    }
}

static void forget(struct publisher *pub, struct pub_port *port)
{
    hmap_remove(&pub->ports, &port->by_name);
    list_remove(&port->dirty);
    set_row(pub, port, NULL);
    if (port->has_want)
        drop_want(port);
    rstr_unref(port->name);
    drop_nats(port);
    vec_fini(&port->nats);
    vec_fini(&port->neighbors);
    free(port);
}

/* With the addresses that were learned there: the port's key may be another's soon. */
static void delete_row(struct publisher *pub, const struct row *row)
{
    const struct sb_port_binding *binding = sb_port_binding_cast(row);
    const struct pub_datapath *dp = datapaths_find_sb(pub, sb_port_binding_datapath(binding));
    publisher_delete(pub, SB_TABLE_PORT_BINDING, &row->uuid);
    if (dp && dp->has_want && dp->row)
        datapaths_delete_learned(pub, dp->row, sb_port_binding_tunnel_key(binding));
}

static void build_wanted(struct publisher *pub, struct pub_port *port)
{
    const struct row *row = port->row;
    const struct pub_datapath *dp = datapaths_find(pub, &port->want.datapath);
    if (!dp || !dp->in_sb)
        return;
    if (row && !uuid_equal(sb_port_binding_datapath(sb_port_binding_cast(row)), &dp->sb)) {
        /* A port on another datapath is another port to controllers. */
        delete_row(pub, row);
        memset(&port->sb, 0, sizeof port->sb);
        row = NULL;
    }
    check_neighbors(pub, port, dp);
    if (uuid_is_zero(&port->sb))
        port->sb = publisher_insert(pub, SB_TABLE_PORT_BINDING, &port->want.port);
    write_columns(pub, port, row, dp);
}

void ports_build(struct publisher *pub)
{
    struct pub_port *port, *next;
    LIST_FOR_EACH_SAFE (port, next, dirty, &pub->dirty_ports) {
        list_remove(&port->dirty);
        if (port->has_want) {
            build_wanted(pub, port);
            continue;
        }
        delete_neighbors(pub, port);
        if (port->row)
            delete_row(pub, port->row);
        else if (!port->neighbors.n)
            forget(pub, port);
    }
}

void ports_clear(struct publisher *pub)
{
    struct pub_port *port;
    HMAP_FOR_EACH_SAFE (port, by_name, &pub->ports)
        forget(pub, port);
}

uint32_t publisher_port_key(const struct publisher *pub, const struct uuid *datapath,
                            const struct rstr *name)
{
    const struct pub_port *port = ports_find(pub, name);
    const struct pub_datapath *dp = datapaths_find(pub, datapath);
    if (!port || !port->row || !dp || !dp->in_sb)
        return 0;
    const struct sb_port_binding *row = sb_port_binding_cast(port->row);
    return uuid_equal(sb_port_binding_datapath(row), &dp->sb)
               ? (uint32_t)sb_port_binding_tunnel_key(row)
               : 0;
}

const struct row *publisher_port_row(const struct publisher *pub, const struct rstr *name)
{
    const struct pub_port *port = ports_find(pub, name);
    return port ? port->row : NULL;
}
