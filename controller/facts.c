/* facts.c - order and references of the controller's facts. */
#include "controller/facts.h"

#include <stddef.h>

/* A fact type is described by where its counted strings are; trees are handled by the one type that has them. */
#define REFS(NAME, TYPE, ...)                                                                      \
    static void NAME##_each(const void *fact, void (*fn)(const struct rstr *))                     \
    {                                                                                              \
        const struct TYPE *f = fact;                                                               \
        struct rstr *const strings[] = {__VA_ARGS__};                                              \
        for (size_t i = 0; i < ARRAY_SIZE(strings); i++) {                                         \
            if (strings[i])                                                                        \
                fn(strings[i]);                                                                    \
        }                                                                                          \
    }                                                                                              \
    static void NAME##_ref(const void *fact)                                                       \
    {                                                                                              \
        NAME##_each(fact, ref_string);                                                             \
    }                                                                                              \
    static void NAME##_unref(const void *fact)                                                     \
    {                                                                                              \
        NAME##_each(fact, rstr_unref);                                                             \
    }

#define TYPE_WITH_STRINGS(NAME, TYPE, COMPARE)                                                     \
    const struct inc_type type_##NAME = {.name = #NAME,                                            \
                                         .size = sizeof(struct TYPE),                              \
                                         .compare = COMPARE,                                       \
                                         .ref = NAME##_ref,                                        \
                                         .unref = NAME##_unref}
#define TYPE_PLAIN(NAME, TYPE)                                                                     \
    const struct inc_type type_##NAME = {.name = #NAME, .size = sizeof(struct TYPE)}

static void ref_string(const struct rstr *s)
{
    rstr_ref(s);
}

static int compare_strings(const struct rstr *a, const struct rstr *b)
{
    if (!a || !b)
        return (a != NULL) - (b != NULL);
    return rstr_compare(a, b);
}

static int compare_u64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* Facts that begin with a uuid which tells them apart. */
static int compare_uuid(const void *a, const void *b)
{
    return uuid_compare(a, b);
}

REFS(self, fact_self, f->name, f->hostname)
TYPE_WITH_STRINGS(self, fact_self, compare_uuid);

static int iface_compare(const void *va, const void *vb)
{
    const struct fact_iface *a = va, *b = vb;
    int c = compare_strings(a->iface_id, b->iface_id);
    if (!c)
        c = compare_u64(a->ofport, b->ofport);
    return c ? c : compare_strings(a->name, b->name);
}
REFS(iface, fact_iface, f->iface_id, f->name)
TYPE_WITH_STRINGS(iface, fact_iface, iface_compare);

static int tunnel_compare(const void *va, const void *vb)
{
    const struct fact_tunnel *a = va, *b = vb;
    int c = compare_strings(a->chassis, b->chassis);
    if (!c)
        c = compare_u64(a->type, b->type);
    if (!c)
        c = compare_strings(a->ip, b->ip);
    if (!c)
        c = compare_u64(a->ofport, b->ofport);
    return c ? c : compare_u64(a->is_down, b->is_down);
}
REFS(tunnel, fact_tunnel, f->chassis, f->ip)
TYPE_WITH_STRINGS(tunnel, fact_tunnel, tunnel_compare);

static int uplink_compare(const void *va, const void *vb)
{
    const struct fact_uplink *a = va, *b = vb;
    int c = compare_strings(a->port, b->port);
    return c ? c : compare_u64(a->ofport, b->ofport);
}
REFS(uplink, fact_uplink, f->port)
TYPE_WITH_STRINGS(uplink, fact_uplink, uplink_compare);

static int mapping_compare(const void *va, const void *vb)
{
    const struct fact_mapping *a = va, *b = vb;
    return compare_strings(a->network, b->network);
}
REFS(mapping, fact_mapping, f->network)
TYPE_WITH_STRINGS(mapping, fact_mapping, mapping_compare);

static int meter_compare(const void *va, const void *vb)
{
    const struct fact_meter *a = va, *b = vb;
    int c = compare_strings(a->name, b->name);
    return c ? c : compare_strings(a->spec, b->spec);
}
REFS(meter, fact_meter, f->name, f->spec)
TYPE_WITH_STRINGS(meter, fact_meter, meter_compare);

/* In the order in which they are asked: the highest priority first. */
static int candidate_compare(const void *va, const void *vb)
{
    const struct fact_candidate *a = va, *b = vb;
    int c = uuid_compare(&a->port, &b->port);
    if (!c)
        c = (b->priority > a->priority) - (b->priority < a->priority);
    return c ? c : compare_strings(a->chassis, b->chassis);
}
REFS(candidate, fact_candidate, f->chassis)
TYPE_WITH_STRINGS(candidate, fact_candidate, candidate_compare);

static int want_uplink_compare(const void *va, const void *vb)
{
    const struct fact_want_uplink *a = va, *b = vb;
    int c = compare_strings(a->port, b->port);
    return c ? c : compare_strings(a->network, b->network);
}
REFS(want_uplink, fact_want_uplink, f->port, f->network)
TYPE_WITH_STRINGS(want_uplink, fact_want_uplink, want_uplink_compare);

static int object_compare(const void *va, const void *vb)
{
    const struct fact_object *a = va, *b = vb;
    int c = compare_u64(a->kind, b->kind);
    if (!c)
        c = compare_u64(a->id, b->id);
    return c ? c : compare_strings(a->spec, b->spec);
}
REFS(object, fact_object, f->spec)
TYPE_WITH_STRINGS(object, fact_object, object_compare);

TYPE_PLAIN(dp_zones, fact_dp_zones);
TYPE_PLAIN(localnet, fact_localnet);
TYPE_PLAIN(global, fact_global);

TYPE_PLAIN(datapath, fact_datapath);

REFS(port, fact_port, f->name, f->peer, f->wanted_on, f->parent, f->network, f->gateway,
     f->redirect)
TYPE_WITH_STRINGS(port, fact_port, compare_uuid);

REFS(chassis, fact_chassis, f->name)
TYPE_WITH_STRINGS(chassis, fact_chassis, compare_uuid);

REFS(encap, fact_encap, f->chassis, f->ip)
TYPE_WITH_STRINGS(encap, fact_encap, compare_uuid);

REFS(group, fact_group, f->name)
TYPE_WITH_STRINGS(group, fact_group, compare_uuid);

REFS(set, fact_set, f->name)
TYPE_WITH_STRINGS(set, fact_set, compare_uuid);

TYPE_PLAIN(root, fact_root);
TYPE_PLAIN(edge, fact_edge);
TYPE_PLAIN(local, fact_local);

static int claim_compare(const void *va, const void *vb)
{
    const struct fact_claim *a = va, *b = vb;
    int c = uuid_compare(&a->port, &b->port);
    return c ? c : compare_strings(a->iface, b->iface);
}
REFS(claim, fact_claim, f->iface)
TYPE_WITH_STRINGS(claim, fact_claim, claim_compare);

static int want_tunnel_compare(const void *va, const void *vb)
{
    const struct fact_want_tunnel *a = va, *b = vb;
    int c = compare_strings(a->chassis, b->chassis);
    if (!c)
        c = compare_u64(a->type, b->type);
    if (!c)
        c = compare_strings(a->ip, b->ip);
    if (!c)
        c = compare_u64(a->csum, b->csum);
    return c ? c : compare_u64(a->has_bfd, b->has_bfd);
}
REFS(want_tunnel, fact_want_tunnel, f->chassis, f->ip)
TYPE_WITH_STRINGS(want_tunnel, fact_want_tunnel, want_tunnel_compare);

TYPE_PLAIN(place, fact_place);
TYPE_PLAIN(home, fact_home);
TYPE_PLAIN(member, fact_member);
TYPE_PLAIN(here, fact_here);

static void lflow_at_ref(const void *fact)
{
    feed_row_type.ref(fact); /* it begins with the row */
}

static void lflow_at_unref(const void *fact)
{
    feed_row_type.unref(fact);
}
static int lflow_at_compare(const void *va, const void *vb)
{
    const struct fact_lflow_at *a = va, *b = vb;
    int c = uuid_compare(&a->lflow.uuid, &b->lflow.uuid);
    return c ? c : uuid_compare(&a->here.datapath, &b->here.datapath);
}
TYPE_WITH_STRINGS(lflow_at, fact_lflow_at, lflow_at_compare);
TYPE_PLAIN(dp_group_at, fact_dp_group_at);

REFS(port_in_group, fact_port_in_group, f->name)
static int port_in_group_compare(const void *va, const void *vb)
{
    const struct fact_port_in_group *a = va, *b = vb;
    int c = uuid_compare(&a->row, &b->row);
    return c ? c : compare_strings(a->name, b->name);
}
TYPE_WITH_STRINGS(port_in_group, fact_port_in_group, port_in_group_compare);

REFS(reject, fact_reject, f->why)
TYPE_WITH_STRINGS(reject, fact_reject, compare_uuid);

static int oflow_compare(const void *va, const void *vb)
{
    const struct fact_oflow *a = va, *b = vb;
    int c = compare_u64(a->key.table, b->key.table);
    if (!c)
        c = compare_u64(b->key.priority, a->key.priority);
    if (!c)
        c = compare_u64(a->key.dp, b->key.dp);
    if (!c)
        c = compare_strings(a->key.match, b->key.match);
    if (!c)
        c = compare_strings(a->actions, b->actions);
    return c ? c : compare_u64(a->cookie, b->cookie);
}
REFS(oflow, fact_oflow, f->key.match, f->actions)
TYPE_WITH_STRINGS(oflow, fact_oflow, oflow_compare);

REFS(want, fact_want, f->key.name)
static int want_compare(const void *va, const void *vb)
{
    const struct fact_want *a = va, *b = vb;
    int c = compare_u64(a->key.kind, b->key.kind);
    if (!c)
        c = compare_strings(a->key.name, b->key.name);
    return c ? c : compare_u64(a->arg, b->arg);
}
TYPE_WITH_STRINGS(want, fact_want, want_compare);

REFS(id, fact_id, f->key.name)
static int id_compare(const void *va, const void *vb)
{
    const struct fact_id *a = va, *b = vb;
    int c = compare_u64(a->key.kind, b->key.kind);
    if (!c)
        c = compare_strings(a->key.name, b->key.name);
    return c ? c : compare_u64(a->id, b->id);
}
TYPE_WITH_STRINGS(id, fact_id, id_compare);

/* ---- keys ---- */

const struct inc_type type_key_u32 = {.name = "number", .size = sizeof(uint32_t)};
const struct inc_type type_key_uuid = {.name = "uuid", .size = sizeof(struct uuid)};

static void name_ref(const void *key)
{
    struct rstr *const *name = key;
    if (*name)
        rstr_ref(*name);
}

static void name_unref(const void *key)
{
    struct rstr *const *name = key;
    rstr_unref(*name);
}

const struct inc_type type_key_name = {
    .name = "name", .size = sizeof(struct rstr *), .ref = name_ref, .unref = name_unref};
static void group_key_ref(const void *key)
{
    rstr_ref(((const struct group_key *)key)->name);
}

static void group_key_unref(const void *key)
{
    rstr_unref(((const struct group_key *)key)->name);
}

const struct inc_type type_key_group = {.name = "group",
                                        .size = sizeof(struct group_key),
                                        .ref = group_key_ref,
                                        .unref = group_key_unref};
const struct inc_type type_key_oflow = {
    .name = "flow", .size = sizeof(struct oflow_key), .ref = name_ref, .unref = name_unref};
const struct inc_type type_key_id = {
    .name = "id", .size = sizeof(struct id_key), .ref = name_ref, .unref = name_unref};
