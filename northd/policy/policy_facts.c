/* policy_facts.c - declarations of routing policies; see policy_facts.h (room 2 of docs/architecture.md). */
#include "northd/declare.h"
#include "northd/policy/policy.h"

void policy_declare_facts(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    struct policy_facts *f = &p->policy;
    f->in_policy = program_rows(p, "Logical_Router_Policy");
    f->in_policy_by_uuid = BY_UUID(f->in_policy, feed_row, uuid);
    f->in_lr_policy = program_elements(p, "Logical_Router", "policies", &feed_ref_type);
    f->in_lr_policy_by_policy = BY_UUID(f->in_lr_policy, feed_ref, to);
}

void policy_declare_units(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    struct policy_facts *f = &p->policy;
    UNIT("policy: groups", f->in_policy_by_uuid, policy_group,
         READS(f->in_policy, f->in_lr_policy, p->plen, p->network, p->lrp), p->ecmp.want);
}

void policy_declare_flows(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    struct policy_facts *f = &p->policy;
    UNIT("policy: flows", f->in_policy_by_uuid, policy_flows,
         READS(f->in_policy, f->in_lr_policy, p->plen, p->network, p->lrp, p->ecmp.number),
         p->lflow, p->complaint);
}
