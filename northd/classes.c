/* classes.c - see classes.h. Rooms 2 to 4 of docs/architecture.md. */
#include "northd/classes.h"

#include "northd/declare.h"

static const uint64_t common_traits = UINT64_C(1) << SWITCH_HAS_PORT_SECURITY |
                                      UINT64_C(1) << SWITCH_HAS_VTEP |
                                      UINT64_C(1) << TRAIT_VLAN_PASSTHRU;

static struct uuid class_of(enum class_family family, uint64_t traits)
{
    const uint64_t data[] = {family, traits};
    return fact_derive_uuid("class", data, sizeof data);
}

static void join(struct inc_ctx *ctx, struct northd_program *p, enum class_family family,
                 uint64_t traits, const struct uuid *datapath)
{
    struct fact_class_member f;
    INC_CLEAR(f);
    f.id = class_of(family, traits);
    f.datapath = *datapath;
    f.family = family;
    f.traits = traits;
    inc_emit(ctx, p->class_member, &f);
}

void classes_switch(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_datapath *ls = inc_read_one(ctx, p->datapath_by_uuid, key);
    const struct fact_switch_has *has;
    uint64_t traits = 0;
    INC_FOR_EACH(has, inc_read(ctx, p->switch_has_by_ls, key))
    traits |= UINT64_C(1) << has->what;
    if (ls->flags & DATAPATH_VLAN_PASSTHRU)
        traits |= UINT64_C(1) << TRAIT_VLAN_PASSTHRU;
    join(ctx, p, CLASS_COMMON, traits & common_traits, key);
    join(ctx, p, CLASS_ACL, traits & ~common_traits, key);
    if (has_trait(traits, SWITCH_HAS_LB))
        join(ctx, p, CLASS_LB, 0, key);
}

struct lflow_out classes_begin_at(struct inc_ctx *ctx, struct northd_program *p,
                                  const struct uuid *id, const struct uuid *row)
{
    struct lflow_out l = lflows_begin(ctx, p, id, row);
    l.coll = p->class_flow;
    return l;
}

struct lflow_out classes_begin(struct inc_ctx *ctx, struct northd_program *p,
                               enum class_family family, const uint64_t *traits)
{
    struct uuid id = class_of(family, *traits);
    return classes_begin_at(ctx, p, &id, NULL);
}

static void add_key(const void *fact, struct inc_keys *keys, enum class_family family)
{
    const struct fact_class_member *f = fact;
    if (f->family == family)
        inc_key_add(keys, &f->traits);
}

static void common_key(const void *fact, struct inc_keys *keys, void *aux UNUSED)
{
    add_key(fact, keys, CLASS_COMMON);
}

static void acl_key(const void *fact, struct inc_keys *keys, void *aux UNUSED)
{
    add_key(fact, keys, CLASS_ACL);
}

static void lb_key(const void *fact, struct inc_keys *keys, void *aux UNUSED)
{
    add_key(fact, keys, CLASS_LB);
}

void classes_declare(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    static const struct inc_type traits = {.name = "traits", .size = sizeof(uint64_t)};
    p->class_member = inc_derived(g, "class_member", &northd_type_class_member);
    p->class_flow = inc_derived(g, "class_flow", &northd_type_lflow);
    p->class_flow_by_class = inc_index_host(g, p->class_flow, "class", &feed_uuid_type,
                                            offsetof(struct fact_lflow, datapath));
    p->class_member_by_class = inc_index_host(g, p->class_member, "class", &feed_uuid_type,
                                              offsetof(struct fact_class_member, id));
    p->class_each[CLASS_COMMON] = inc_index_fn(g, p->class_member, "common", &traits, common_key);
    p->class_each[CLASS_ACL] = inc_index_fn(g, p->class_member, "acl", &traits, acl_key);
    p->class_each[CLASS_LB] = inc_index_fn(g, p->class_member, "lb", &traits, lb_key);
}
