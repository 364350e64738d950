/* where.c - on which switches an ACL holds, and what the switches have by that (room 2 of docs/architecture.md). */
#include "northd/acl/acl.h"

static void emit(struct inc_ctx *ctx, struct northd_program *p, const struct fact_acl *acl,
                 const struct uuid *ls)
{
    struct fact_acl_on f;
    INC_CLEAR(f);
    f.acl = acl->uuid;
    f.ls = *ls;
    f.place = acl->place;
    f.action = acl->action;
    f.tier = acl->tier;
    inc_emit(ctx, p->acl.acl_on, &f);
}

void acl_where(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_acl *acl = inc_read_one(ctx, p->acl.acl_by_uuid, key);
    const struct feed_ref *ref;
    INC_FOR_EACH(ref, inc_read(ctx, p->acl.in_ls_acl_by_acl, key))
    emit(ctx, p, acl, &ref->row);
    INC_FOR_EACH(ref, inc_read(ctx, p->acl.in_group_acl_by_acl, key))
    {
        const struct fact_group_switch *on;
        INC_FOR_EACH(on, inc_read(ctx, p->acl.group_switch_by_group, &ref->row))
        emit(ctx, p, acl, &on->ls);
    }
}

static void add(const struct fact_acl_on *f, struct inc_keys *keys, uint64_t what)
{
    struct fact_switch_has has;
    INC_CLEAR(has);
    has.ls = f->ls;
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
