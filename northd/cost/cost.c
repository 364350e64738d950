/* cost.c - supposes a change, looks at what comes and takes it back, which shows what goes; see cost.h (rooms 2 to 5 of
 * docs/architecture.md). What comes is counted in the state that has it, either way.
 */
#include "northd/cost/cost.h"

#include <stdlib.h>

struct counting {
    struct northd_program *program;
    struct inc *inc;
    const struct publisher *pub;
    struct replica *sb;
    struct cost_reach *reach;
    struct cost *cost;
    int which; /* COST_MORE, COST_LESS */
    VEC(struct uuid) touched;
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

static void on_lflow(const void *fact, bool added, void *counting)
{
    struct counting *c = counting;
    const struct fact_lflow *f = fact;
    if (!added)
        return;
    uint32_t datapath = publisher_datapath_key(c->pub, &f->datapath);
    struct cost_chassis at = cost_reach_of(c->reach, datapath);
    c->cost->lflows[c->which]++;
    c->cost->flows[c->which] += cost_count_flows(c->reach, c->program, c->sb, f, datapath, at);
    touch(c, at);
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
    const struct fact_lb_on *on;
    if (!added)
        return;
    INC_FOR_EACH(on, inc_look(c->inc, c->program->lb.on_by_lb, &f->lb))
    {
        if (on->kind != DATAPATH_SWITCH)
            continue;
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
    inc_changes(c->inc, c->program->lflow, on_lflow, c);
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
    cost_reach_free(c.reach);
}
