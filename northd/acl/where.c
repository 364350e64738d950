/* where.c - on which switches an ACL holds, and what the switches have by that (room 2 of docs/architecture.md).
 *
 * An ACL that one group alone has is a fact of the group (acl_at), and its flows are those of classes of the group's switches (northd/classes.h):
 * one class for all that differ in nothing that ACLs look at. One that is on switches in several ways is a fact of each
 * (acl_on), so that no switch has its flows twice.
 */
#include "northd/acl/acl.h"
#include "northd/classes.h"

static void emit(struct inc_ctx *ctx, const struct inc_coll *coll, const struct fact_acl *acl,
                 const struct uuid *at)
{
    struct fact_acl_on f;
    INC_CLEAR(f);
    f.acl = acl->uuid;
    f.at = *at;
    f.place = acl->place;
    f.action = acl->action;
    f.tier = acl->tier;
    inc_emit(ctx, coll, &f);
}

void acl_where(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_acl *acl = inc_read_one(ctx, p->acl.acl_by_uuid, key);
    struct inc_facts switches = inc_read(ctx, p->acl.in_ls_acl_by_acl, key),
                     groups = inc_read(ctx, p->acl.in_group_acl_by_acl, key);
    const struct feed_ref *ref;
    if (groups.n == 1 && !switches.n) {
        ref = groups.v[0];
        emit(ctx, p->acl.acl_at, acl, &ref->row);
        return;
    }
    INC_FOR_EACH(ref, switches)
    emit(ctx, p->acl.acl_on, acl, &ref->row);
    INC_FOR_EACH(ref, groups)
    {
        const struct fact_group_switch *on;
        INC_FOR_EACH(on, inc_read(ctx, p->acl.group_switch_by_group, &ref->row))
        emit(ctx, p->acl.acl_on, acl, &on->ls);
    }
}

/* F's key for WHAT: of the switch, or the group, that the ACL is at. */
static void add(const struct fact_acl_on *f, struct inc_keys *keys, uint64_t what)
{
    struct fact_switch_has has;
    INC_CLEAR(has);
    has.ls = f->at;
    has.what = what;
    inc_key_add(keys, &has);
}

void acl_has_key(const void *fact, struct inc_keys *keys, void *aux UNUSED)
{
    const struct fact_acl_on *f = fact;
    add(f, keys, SWITCH_HAS_ACL);
    if (f->action == ACL_ALLOW_RELATED)
        add(f, keys, SWITCH_HAS_STATEFUL_ACL);
    if (f->place != ACL_OUT)
        add(f, keys, f->place == ACL_IN ? SWITCH_HAS_BEFORE_LB : SWITCH_HAS_AFTER_LB);
    if (f->tier || f->action == ACL_PASS)
        add(f, keys, SWITCH_HAS_TIER + f->place * (ACL_MAX_TIER + 1) + f->tier);
}

/* The key is the fact: it is there while there is an ACL that gives the switch this. */
void acl_has(struct inc_ctx *ctx, const void *key, void *aux)
{
    inc_emit(ctx, ((struct northd_program *)aux)->switch_has, key);
}

void acl_group_has(struct inc_ctx *ctx, const void *key, void *aux)
{
    inc_emit(ctx, ((struct northd_program *)aux)->acl.group_has, key);
}

void acl_switch_of_group(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_group_switch *on = key;
    const struct fact_switch_has *group;
    INC_FOR_EACH(group, inc_read(ctx, p->acl.group_has_by_group, &on->group))
    {
        struct fact_switch_has has = *group;
        has.ls = on->ls;
        inc_emit(ctx, p->switch_has, &has);
    }
}

void acl_class(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_group_switch *on = key;
    const struct fact_switch_has *has;
    struct fact_group_class class;
    struct fact_class_member member;
    if (!inc_read(ctx, p->acl.group_has_by_group, &on->group).n)
        return; /* no ACLs */
    INC_CLEAR(class);
    INC_CLEAR(member);
    INC_FOR_EACH(has, inc_read(ctx, p->switch_has_by_ls, &on->ls))
    class.traits |= UINT64_C(1) << has->what & acl_traits;
    class.group = on->group;
    class.id = fact_derive_uuid("group class", &class, sizeof class);
    member.id = class.id;
    member.datapath = on->ls;
    member.family = CLASS_GROUP;
    inc_emit(ctx, p->acl.group_class, &class);
    inc_emit(ctx, p->acl.member, &member);
}
