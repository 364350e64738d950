/* physical.c - flows that tie the logical pipeline to the switch's ports: where packets come in, how they leave.
 *
 * Room 8, tables 0 and 39 to 41, 64 and 65 of lib/lflow/tables.def. Units: places of ports; tunnels; one unit for what does not depend on
 * anything. Multicast groups are multicast.c's.
 */
#include "controller/translate/oflow.h"

#include "lflow/lflow.h"

enum { PRIO_DEFAULT = 0, PRIO_PORT = 100, PRIO_LOCAL_ONLY = 150 };

/* From an interface: the packet begins at the ingress pipeline of its datapath. */
static void from_interface(struct inc_ctx *ctx, struct program *p, const struct fact_place *at,
                           struct oflow *flow)
{
    oflow_begin(flow);
    match_set(&flow->match, FIELD_IN_PORT_OXM, at->ofport);
    oflow_load(flow, FIELD_METADATA, at->dp_key);
    oflow_load(flow, REG_INPORT, at->key);
    oflow_resubmit(flow, OFTABLE_LOG_INGRESS);
    oflow_emit(ctx, p, flow, OFTABLE_PHY_TO_LOG, PRIO_PORT, uuid_prefix32(&at->port));
}

static void local_output(struct inc_ctx *ctx, struct program *p, const struct fact_place *at,
                         struct oflow *flow)
{
    oflow_begin(flow);
    oflow_match_dp(flow, at->dp_key);
    oflow_match_reg(flow, REG_OUTPORT, at->key);
    oflow_resubmit(flow, OFTABLE_CHECK_LOOPBACK);
    oflow_emit(ctx, p, flow, OFTABLE_LOCAL_OUTPUT, PRIO_PORT, uuid_prefix32(&at->port));

    /* What would leave where it came in is dropped, unless the pipeline asked for that. */
    oflow_begin(flow);
    oflow_match_dp(flow, at->dp_key);
    oflow_match_reg(flow, REG_INPORT, at->key);
    oflow_match_reg(flow, REG_OUTPORT, at->key);
    match_set_masked(&flow->match, REG_FLAGS, 0, 1u << FLAG_LOOPBACK);
    oflow_emit(ctx, p, flow, OFTABLE_CHECK_LOOPBACK, PRIO_PORT, uuid_prefix32(&at->port));

    /* With loopback allowed, the switch must not refuse to send to the port it came from. */
    oflow_begin(flow);
    oflow_match_dp(flow, at->dp_key);
    oflow_match_reg(flow, REG_OUTPORT, at->key);
    match_set_masked(&flow->match, REG_FLAGS, 1u << FLAG_LOOPBACK, 1u << FLAG_LOOPBACK);
    struct subfield in_port = subfield_whole(FIELD_IN_PORT);
    of_put_stack_push(&flow->actions, &in_port);
    of_put_load(&flow->actions, &in_port, 0);
    oflow_resubmit(flow, OFTABLE_LOG_TO_PHY);
    of_put_stack_pop(&flow->actions, &in_port);
    oflow_emit(ctx, p, flow, OFTABLE_SAVE_INPORT, PRIO_PORT, uuid_prefix32(&at->port));
}

static void to_interface(struct inc_ctx *ctx, struct program *p, const struct fact_place *at,
                         struct oflow *flow)
{
    oflow_begin(flow);
    oflow_match_dp(flow, at->dp_key);
    oflow_match_reg(flow, REG_OUTPORT, at->key);
    of_put_output(&flow->actions, at->ofport);
    oflow_emit(ctx, p, flow, OFTABLE_LOG_TO_PHY, PRIO_PORT, uuid_prefix32(&at->port));
}

/* Into the peer's datapath, as if the packet had just come in there: registers, flags and connection state do not cross. */
static void to_peer(struct inc_ctx *ctx, struct program *p, const struct fact_place *at,
                    struct oflow *flow)
{
    oflow_begin(flow);
    oflow_match_dp(flow, at->dp_key);
    oflow_match_reg(flow, REG_OUTPORT, at->key);
    size_t clone = of_begin_clone(&flow->actions);
    of_put_ct_clear(&flow->actions);
    oflow_clear_logical(flow);
    oflow_load(flow, REG_FLAGS, 0);
    oflow_load(flow, REG_DNAT_ZONE, 0);
    oflow_load(flow, REG_SNAT_ZONE, 0);
    oflow_load(flow, REG_PORT_ZONE, 0);
    oflow_load(flow, FIELD_METADATA, at->peer_dp_key);
    oflow_load(flow, REG_INPORT, at->peer_key);
    oflow_load(flow, REG_OUTPORT, 0);
    /* A router may send a packet back to the interface that it came in by. */
    struct subfield in_port = subfield_whole(FIELD_IN_PORT);
    of_put_load(&flow->actions, &in_port, 0);
    oflow_resubmit(flow, OFTABLE_LOG_INGRESS);
    of_end_nested(&flow->actions, clone);
    oflow_emit(ctx, p, flow, OFTABLE_LOG_TO_PHY, PRIO_PORT, uuid_prefix32(&at->port));
}

void oflow_to_tunnel(struct oflow *flow, uint32_t dp_key, uint32_t out_key, uint32_t ofport)
{
    oflow_load(flow, FIELD_TUN_ID, dp_key);
    struct subfield option_low = subfield_make(FIELD_TUN_METADATA0, 0, 16);
    struct subfield option_high = subfield_make(FIELD_TUN_METADATA0, 16, 15);
    struct subfield inport = subfield_make(REG_INPORT, 0, 15);
    of_put_load(&flow->actions, &option_low, out_key);
    of_put_move(&flow->actions, &inport, &option_high);
    of_put_output(&flow->actions, ofport);
}

static void remote_output(struct inc_ctx *ctx, struct program *p, const struct fact_place *at,
                          struct oflow *flow)
{
    oflow_begin(flow);
    oflow_match_dp(flow, at->dp_key);
    oflow_match_reg(flow, REG_OUTPORT, at->key);
    oflow_to_tunnel(flow, at->dp_key, at->key, at->ofport);
    oflow_emit(ctx, p, flow, OFTABLE_REMOTE_OUTPUT, PRIO_PORT, uuid_prefix32(&at->port));
}

void physical_port_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct fact_place *at = inc_read_one(ctx, p->place_by_port, key);
    struct oflow flow = OFLOW_INIT;
    if (at->how == PLACE_TUNNEL) {
        remote_output(ctx, p, at, &flow);
    } else {
        local_output(ctx, p, at, &flow);
        if (at->how == PLACE_HERE) {
            from_interface(ctx, p, at, &flow);
            to_interface(ctx, p, at, &flow);
        } else {
            to_peer(ctx, p, at, &flow);
        }
    }
    oflow_fini(&flow);
}

/* From a tunnel: the ingress pipeline has run on the sender; datapath and ports are in the tunnel's metadata. */
void physical_tunnel_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct fact_tunnel *tunnel = key;
    struct oflow flow = OFLOW_INIT;
    oflow_begin(&flow);
    match_set(&flow.match, FIELD_IN_PORT_OXM, tunnel->ofport);
    const struct subfield from[] = {subfield_make(FIELD_TUN_ID, 0, 24),
                                    subfield_make(FIELD_TUN_METADATA0, 16, 15),
                                    subfield_make(FIELD_TUN_METADATA0, 0, 16)};
    const struct subfield to[] = {subfield_make(FIELD_METADATA, 0, 24),
                                  subfield_make(REG_INPORT, 0, 15),
                                  subfield_make(REG_OUTPORT, 0, 16)};
    for (size_t i = 0; i < ARRAY_SIZE(from); i++)
        of_put_move(&flow.actions, &from[i], &to[i]);
    oflow_resubmit(&flow, OFTABLE_LOCAL_OUTPUT);
    oflow_emit(ctx, p, &flow, OFTABLE_PHY_TO_LOG, PRIO_PORT, 0);
    oflow_fini(&flow);
}

/* What is always there. */
void physical_fixed_run(struct inc_ctx *ctx, const void *key UNUSED, void *aux)
{
    struct program *p = aux;
    struct oflow flow = OFLOW_INIT;

    oflow_begin(&flow);
    match_set_masked(&flow.match, REG_FLAGS, 1u << FLAG_LOCAL_ONLY, 1u << FLAG_LOCAL_ONLY);
    oflow_resubmit(&flow, OFTABLE_LOCAL_OUTPUT);
    oflow_emit(ctx, p, &flow, OFTABLE_REMOTE_OUTPUT, PRIO_LOCAL_ONLY, 0);

    oflow_begin(&flow);
    oflow_resubmit(&flow, OFTABLE_LOCAL_OUTPUT);
    oflow_emit(ctx, p, &flow, OFTABLE_REMOTE_OUTPUT, PRIO_DEFAULT, 0);

    oflow_begin(&flow);
    oflow_clear_logical(&flow);
    oflow_resubmit(&flow, OFTABLE_LOG_EGRESS);
    oflow_emit(ctx, p, &flow, OFTABLE_CHECK_LOOPBACK, PRIO_DEFAULT, 0);

    oflow_begin(&flow);
    oflow_resubmit(&flow, OFTABLE_LOG_TO_PHY);
    oflow_emit(ctx, p, &flow, OFTABLE_SAVE_INPORT, PRIO_DEFAULT, 0);
    oflow_fini(&flow);
}
