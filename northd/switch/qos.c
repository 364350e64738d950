/* qos.c - QoS rules of a switch: marking and metering (room 3 of docs/architecture.md; ovn-nb(5) "QoS"). A rule is left out when its
 * match is none; what it asks for is taken apart: values that make no sense do not harm the others.
 */
#include <inttypes.h>

#include "northd/switch/switch.h"
#include "rows/nb.h"

enum { MAX_DSCP = 63 };

/* A value of one of the maps, which the schema bounds to 32 bits; -1: none. */
static int64_t value_of(const struct datum *map, const char *key)
{
    for (size_t i = 0; i < map->n; i++)
        if (!strcmp(map->atoms[i].string->s, key))
            return datum_values(map)[i].integer;
    return -1;
}

static void complain(struct inc_ctx *ctx, struct northd_program *p, const struct nb_qos *row,
                     const char *problem)
{
    program_complain(ctx, p, nb_qos_uuid(row), "QoS rule of priority %" PRId64 ", match \"%s\": %s",
                     nb_qos_priority(row), nb_qos_match(row), problem);
}

static void emit(const struct lflow_out *l, const struct nb_qos *row, enum stage in, enum stage out,
                 const struct expr *match, struct actions *actions)
{
    enum stage stage = strcmp(nb_qos_direction(row), "to-lport") ? in : out;
    lflows_emit(l, stage, (unsigned)nb_qos_priority(row), expr_ref(match), actions);
}

static void mark(const struct lflow_out *l, const struct nb_qos *row, const struct expr *match)
{
    int64_t dscp = value_of(nb_qos_action(row), "dscp"),
            note = value_of(nb_qos_action(row), "mark");
    if (dscp > MAX_DSCP) {
        complain(l->ctx, l->p, row, "a DSCP is at most 63; not marked with one");
        dscp = -1;
    }
    if (dscp < 0 && note < 0)
        return;
    struct actions *actions = lflows_next(l);
    if (dscp >= 0)
        actions = actions_join(actions_of(l->a, action_load(l->a, SYM_IP_DSCP, (u128)dscp), NULL),
                               actions);
    if (note >= 0)
        actions = actions_join(actions_of(l->a, action_load(l->a, SYM_PKT_MARK, (u128)note), NULL),
                               actions);
    emit(l, row, STAGE_SW_IN_QOS_MARK, STAGE_SW_OUT_QOS_MARK, match, actions);
}

static void meter(const struct lflow_out *l, const struct nb_qos *row, const struct expr *match)
{
    int64_t rate = value_of(nb_qos_bandwidth(row), "rate"),
            burst = value_of(nb_qos_bandwidth(row), "burst");
    if (rate < 0)
        return;
    emit(l, row, STAGE_SW_IN_QOS_METER, STAGE_SW_OUT_QOS_METER, match,
         burst < 0 ? lflows_actions(l, "set_meter(%" PRId64 "); next;", rate)
                   : lflows_actions(l, "set_meter(%" PRId64 ", %" PRId64 "); next;", rate, burst));
}

void switch_qos(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct feed_row *in = inc_read_one(ctx, p->in_qos_by_uuid, key);
    const struct nb_qos *row = nb_qos_cast(in->row);
    const struct feed_ref *on;
    struct diag diag = DIAG_INIT;
    struct expr *match;
    if (lflows_judge_match(p->exprs, nb_qos_match(row), &match, &diag)) {
        diag_prefix(&diag, "left out: ");
        complain(ctx, p, row, diag_text(&diag));
        diag_fini(&diag);
        return;
    }
    INC_FOR_EACH(on, inc_read(ctx, p->in_ls_qos_by_qos, key))
    {
        struct lflow_out l = lflows_begin(ctx, p, &on->row, key);
        mark(&l, row, match);
        meter(&l, row, match);
    }
    expr_unref(match);
}
