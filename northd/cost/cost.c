/* cost.c - supposes a change, looks at what comes and takes it back, which shows what goes; see cost.h (rooms 2 to 5 of
 * docs/architecture.md). What comes is counted in the state that has it, either way.
 */
#include "northd/cost/cost.h"

#include <stdlib.h>
#include <string.h>

struct counting {
    struct northd_program *program;
    struct inc *inc;
    const struct publisher *pub;
    struct replica *sb;
    struct cost_reach *reach;
    struct cost *cost;
    int which; /* COST_MORE, COST_LESS */
    VEC(struct uuid) touched;
    VEC(struct fact_lflow) new_flows; /* of classes */
};

static void touch(struct counting *c, struct cost_chassis at)
{
    for (size_t i = 0; i < at.n; i++) {
        size_t j = 0;
        while (j < c->touched.n && !uuid_equal(&c->touched.data[j], &at.v[i]))
            j++;
        if (j == c->touched.n)
            vec_push(&c->touched, at.v[i]);
    }
}

static void count_flow(struct counting *c, const struct fact_lflow *f, const struct uuid *where)
{
    uint32_t datapath = publisher_datapath_key(c->pub, where);
    struct cost_chassis at = cost_reach_of(c->reach, datapath);
    c->cost->lflows[c->which]++;
    c->cost->flows[c->which] += cost_count_flows(c->reach, c->program, c->sb, f, datapath, at);
    touch(c, at);
}

static void on_lflow(const void *fact, bool added, void *counting)
{
    const struct fact_lflow *f = fact;
    if (added)
        count_flow(counting, f, &f->datapath);
}

/* --- Classes: what is new are the new flows on all members, and the other flows on new members */

static void on_class_flow(const void *fact, bool added, void *counting)
{
    struct counting *c = counting;
    const struct fact_lflow *f = fact;
    const struct fact_class_member *member;
    const struct inc_index *members[] = {c->program->class_member_by_class,
                                         c->program->lb.member_by_class,
                                         c->program->acl.member_by_class};
    if (!added)
        return;
    vec_push(&c->new_flows, *f);
    for (size_t i = 0; i < ARRAY_SIZE(members); i++)
        INC_FOR_EACH(member, inc_look(c->inc, members[i], &f->datapath))
    count_flow(c, f, &member->datapath);
}

static bool is_new(const struct counting *c, const struct fact_lflow *f)
{
    for (size_t i = 0; i < c->new_flows.n; i++)
        if (!memcmp(&c->new_flows.data[i], f, sizeof *f))
            return true;
    return false;
}

static void on_class_member(const void *fact, bool added, void *counting)
{
    struct counting *c = counting;
    const struct fact_class_member *member = fact;
    const struct fact_lflow *f;
    if (!added)
        return;
    INC_FOR_EACH(f, inc_look(c->inc, c->program->class_flow_by_class, &member->id))
    if (!is_new(c, f))
        count_flow(c, f, &member->datapath);
}

struct here { /* how many switches of a load balancer a hypervisor has */
    struct uuid chassis;
    size_t n;
};
typedef VEC(struct here) here_vec;

static void add_here(here_vec *all, const struct uuid *chassis)
{
    for (size_t i = 0; i < all->n; i++)
        if (uuid_equal(&all->data[i].chassis, chassis)) {
            all->data[i].n++;
            return;
        }
    struct here here = {*chassis, 1};
    vec_push(all, here);
}

static void on_balancer(const void *fact, bool added, void *counting)
{
    struct counting *c = counting;
    const struct fact_lb_binding *f = fact;
    here_vec all = VEC_INIT;
    struct inc_facts places = inc_look(c->inc, c->program->lb.place_by_lb, &f->lb);
    const struct fact_class_member *on;
    if (!added || !places.n)
        return;
    const struct fact_lb_place *place = places.v[0];
    INC_FOR_EACH(on, inc_look(c->inc, c->program->lb.member_by_class, &place->at))
    {
        struct cost_chassis at =
            cost_reach_of(c->reach, publisher_datapath_key(c->pub, &on->datapath));
        touch(c, at);
        for (size_t i = 0; i < at.n; i++)
            add_here(&all, &at.v[i]);
    }
    for (size_t i = 0; i < all.n; i++)
        c->cost->flows[c->which] += cost_count_hairpins(f->row, all.data[i].n);
    vec_fini(&all);
}

/* What has come with the last settle. */
static void count(struct counting *c, int which)
{
    c->which = which;
    vec_clear(&c->new_flows);
    inc_changes(c->inc, c->program->lflow, on_lflow, c);
    inc_changes(c->inc, c->program->class_flow, on_class_flow, c);
    inc_changes(c->inc, c->program->class_member, on_class_member, c);
    inc_changes(c->inc, c->program->lb.member, on_class_member, c);
    inc_changes(c->inc, c->program->acl.member, on_class_member, c);
    inc_changes(c->inc, c->program->lb.binding, on_balancer, c);
}

void cost_of(struct northd_program *program, struct inc *inc, struct feed *feed,
             const struct publisher *pub, struct replica *sb, const struct changeset *cs,
             struct cost *ret)
{
    struct counting c = {.program = program,
                         .inc = inc,
                         .pub = pub,
                         .sb = sb,
                         .reach = cost_reach_new(program, pub, sb),
                         .cost = ret};
    *ret = (struct cost){0};
    feed_suppose(feed, cs, true);
    (void)inc_settle(inc, SIZE_MAX);
    count(&c, COST_MORE);
    feed_suppose(feed, cs, false);
    (void)inc_settle(inc, SIZE_MAX);
    count(&c, COST_LESS);
    ret->hypervisors = c.touched.n;
    vec_fini(&c.touched);
    vec_fini(&c.new_flows);
    cost_reach_free(c.reach);
}
