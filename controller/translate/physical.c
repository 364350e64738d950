/* physical.c - flows that tie the logical pipeline to the switch's ports: where packets come in, how they leave.
 *
 * Room 8, tables 0 and 39 to 41, 64 and 65 of lib/lflow/tables.def. Units: places of ports; tunnels; one unit for what does not depend on
 * anything. Multicast groups are multicast.c's.
 */
#include "controller/translate/oflow.h"

#include "lflow/lflow.h"

enum {
    PRIO_DEFAULT = 0,
    PRIO_PORT = 100,
    PRIO_TAGGED = 150,
    PRIO_LOCAL_ONLY = 150,
    PRIO_KEEP = 160
};

static uint32_t cookie_of(const struct fact_place *at)
{
    return uuid_prefix32(&at->port);
}

/* --- Out of the physical world: table 0 */

static void enter(struct inc_ctx *ctx, struct program *p, const struct fact_place *at,
                  struct oflow *flow, unsigned priority)
{
    if (at->flags & (PLACE_NESTED | PLACE_LOCALPORT)) {
        bool is_nested = at->flags & PLACE_NESTED;
        struct subfield flag =
            subfield_make(REG_FLAGS, is_nested ? FLAG_NESTED_CONTAINER : FLAG_LOCALPORT, 1);
        of_put_load(&flow->actions, &flag, 1);
    }
    oflow_load_zones(flow, &at->zones);
    oflow_load(flow, FIELD_METADATA, at->dp_key);
    oflow_load(flow, REG_INPORT, at->key);
    oflow_resubmit(flow, OFTABLE_LOG_INGRESS);
    oflow_emit(ctx, p, flow, OFTABLE_PHY_TO_LOG, priority, cookie_of(at));
}

static void match_tag(struct oflow *flow, uint16_t tag)
{
    match_set(&flow->match, FIELD_VLAN_VID, tag | 0x1000u); /* a tag is there */
}

/* From an interface: the packet begins at the ingress pipeline of its datapath. */
static void from_interface(struct inc_ctx *ctx, struct program *p, const struct fact_place *at,
                           struct oflow *flow)
{
    oflow_begin(flow);
    match_set(&flow->match, FIELD_IN_PORT_OXM, at->ofport);
    if (at->tag < PORT_TAG_NONE) {
        match_tag(flow, at->tag);
        of_put_pop_vlan(&flow->actions);
        enter(ctx, p, at, flow, PRIO_TAGGED);
        return;
    }
    if (!(at->flags & PLACE_UPLINK) || at->tag == PORT_TAG_PASSTHRU) {
        enter(ctx, p, at, flow, PRIO_PORT);
        return;
    }
    /* An untagged physical network: without a tag, or with one that says a priority only. */
    match_set_masked(&flow->match, FIELD_VLAN_TCI, 0, 0x1000);
    enter(ctx, p, at, flow, PRIO_PORT);
    oflow_begin(flow);
    match_set(&flow->match, FIELD_IN_PORT_OXM, at->ofport);
    match_tag(flow, 0);
    of_put_pop_vlan(&flow->actions);
    enter(ctx, p, at, flow, PRIO_PORT);
}

/* --- Within: tables 39 to 41, 64 */

static void begin_out(struct oflow *flow, const struct fact_place *at)
{
    oflow_begin(flow);
    oflow_match_dp(flow, at->dp_key);
    oflow_match_reg(flow, REG_OUTPORT, at->key);
}

/* Where IN_PORT is what the packet came from, the switch does not send to it again: it is taken for another one meanwhile. */
static void forget_in_port(struct inc_ctx *ctx, struct program *p, struct oflow *flow,
                           uint32_t cookie)
{
    struct subfield in_port = subfield_whole(FIELD_IN_PORT);
    of_put_stack_push(&flow->actions, &in_port);
    of_put_load(&flow->actions, &in_port, 0);
    oflow_resubmit(flow, OFTABLE_LOG_TO_PHY);
    of_put_stack_pop(&flow->actions, &in_port);
    oflow_emit(ctx, p, flow, OFTABLE_SAVE_INPORT, PRIO_PORT, cookie);
}

static void match_flag(struct oflow *flow, enum flag_bit bit)
{
    match_set_masked(&flow->match, REG_FLAGS, 1u << bit, 1u << bit);
}

/* With loopback allowed a packet may leave where it came in. Nested ports, and their parent, share one interface: what one of them sends to
 * another leaves where it came in, too. */
static void loopback(struct inc_ctx *ctx, struct program *p, const struct fact_place *at,
                     struct oflow *flow)
{
    bool is_nested = at->flags & PLACE_NESTED;
    begin_out(flow, at);
    if (!is_nested)
        match_flag(flow, FLAG_LOOPBACK);
    forget_in_port(ctx, p, flow, cookie_of(at));
    if (is_nested && at->peer_dp_key) {
        oflow_begin(flow);
        oflow_match_dp(flow, at->peer_dp_key);
        oflow_match_reg(flow, REG_OUTPORT, at->peer_key);
        match_flag(flow, FLAG_NESTED_CONTAINER);
        forget_in_port(ctx, p, flow, 0); /* the parent's, made once for all its children */
    }
}

static void local_output(struct inc_ctx *ctx, struct program *p, const struct fact_place *at,
                         struct oflow *flow)
{
    begin_out(flow, at);
    oflow_load_zones(flow, &at->zones);
    oflow_resubmit(flow, OFTABLE_CHECK_LOOPBACK);
    oflow_emit(ctx, p, flow, OFTABLE_LOCAL_OUTPUT, PRIO_PORT, cookie_of(at));

    /* What would leave where it came in is dropped, unless the pipeline asked for that. */
    begin_out(flow, at);
    oflow_match_reg(flow, REG_INPORT, at->key);
    match_set_masked(&flow->match, REG_FLAGS, 0, 1u << FLAG_LOOPBACK);
    oflow_emit(ctx, p, flow, OFTABLE_CHECK_LOOPBACK, PRIO_PORT, cookie_of(at));

    loopback(ctx, p, at, flow);
}

/* What a localport says is for its own hypervisor; so is what is marked. */
static void keep_local(struct inc_ctx *ctx, struct program *p, const struct fact_place *at,
                       struct oflow *flow)
{
    static const unsigned flags[] = {FLAG_LOCAL_ONLY, FLAG_LOCALPORT};
    for (size_t i = 0; at->flags & PLACE_LOCALNET && i < ARRAY_SIZE(flags); i++) {
        begin_out(flow, at);
        match_set_masked(&flow->match, REG_FLAGS, 1u << flags[i], 1u << flags[i]);
        oflow_emit(ctx, p, flow, OFTABLE_CHECK_LOOPBACK, PRIO_KEEP, cookie_of(at));
    }
    if (at->flags & PLACE_LOCALPORT) {
        oflow_begin(flow);
        oflow_match_dp(flow, at->dp_key);
        oflow_match_reg(flow, REG_INPORT, at->key);
        oflow_resubmit(flow, OFTABLE_LOCAL_OUTPUT);
        oflow_emit(ctx, p, flow, OFTABLE_REMOTE_OUTPUT, PRIO_LOCAL_ONLY, cookie_of(at));
    }
}

static void redirect(struct inc_ctx *ctx, struct program *p, const struct fact_place *at,
                     struct oflow *flow)
{
    begin_out(flow, at);
    oflow_load_zones(flow, &at->zones);
    oflow_load(flow, REG_OUTPORT, at->peer_key);
    oflow_resubmit(flow, OFTABLE_LOCAL_OUTPUT);
    oflow_emit(ctx, p, flow, OFTABLE_LOCAL_OUTPUT, PRIO_PORT, cookie_of(at));
}

/* --- Into the physical world: table 65 */

static void to_interface(struct inc_ctx *ctx, struct program *p, const struct fact_place *at,
                         struct oflow *flow)
{
    bool is_tagged = at->tag < PORT_TAG_NONE;
    begin_out(flow, at);
    if (is_tagged) {
        of_put_push_vlan(&flow->actions, 0x8100);
        oflow_load(flow, FIELD_VLAN_VID, at->tag | 0x1000u);
    }
    of_put_output(&flow->actions, at->ofport);
    if (is_tagged) /* other receivers of the packet see it as it was */
        of_put_pop_vlan(&flow->actions);
    oflow_emit(ctx, p, flow, OFTABLE_LOG_TO_PHY, PRIO_PORT, cookie_of(at));
}

void oflow_load_zones(struct oflow *flow, const struct zones *zones)
{
    if (zones->port)
        oflow_load(flow, REG_PORT_ZONE, zones->port);
    if (zones->dnat)
        oflow_load(flow, REG_DNAT_ZONE, zones->dnat);
    if (zones->snat)
        oflow_load(flow, REG_SNAT_ZONE, zones->snat);
}

/* Into the peer's datapath, as if the packet had just come in there: registers, flags and connection state do not cross. */
static void to_peer(struct inc_ctx *ctx, struct program *p, const struct fact_place *at,
                    struct oflow *flow)
{
    begin_out(flow, at);
    size_t clone = of_begin_clone(&flow->actions);
    of_put_ct_clear(&flow->actions);
    oflow_clear_logical(flow);
    oflow_load(flow, REG_FLAGS, 0);
    oflow_load(flow, REG_DNAT_ZONE, at->peer_zones.dnat);
    oflow_load(flow, REG_SNAT_ZONE, at->peer_zones.snat);
    oflow_load(flow, REG_PORT_ZONE, at->peer_zones.port);
    oflow_load(flow, FIELD_METADATA, at->peer_dp_key);
    oflow_load(flow, REG_INPORT, at->peer_key);
    oflow_load(flow, REG_OUTPORT, 0);
    /* A router may send a packet back to the interface that it came in by. */
    struct subfield in_port = subfield_whole(FIELD_IN_PORT);
    of_put_load(&flow->actions, &in_port, 0);
    oflow_resubmit(flow, OFTABLE_LOG_INGRESS);
    of_end_nested(&flow->actions, clone);
    oflow_emit(ctx, p, flow, OFTABLE_LOG_TO_PHY, PRIO_PORT, cookie_of(at));
}

/* --- Tunnels: tables 0 and 39 */

/* A VXLAN network identifier: 12 bits each for datapath and outport, of which the highest says that it is a multicast group. */
enum { VXLAN_KEY_BITS = 12, VXLAN_GROUP = 0x800, GROUP_KEY = 0x8000 };

void oflow_tunnel_keys(struct oflow *flow, uint32_t dp_key, uint32_t out_key, unsigned type,
                       unsigned option)
{
    if (type == TUNNEL_VXLAN) {
        uint32_t out = (out_key & (VXLAN_GROUP - 1)) | (out_key & GROUP_KEY ? VXLAN_GROUP : 0);
        struct subfield vni = subfield_make(FIELD_TUN_ID, 0, 24);
        of_put_load(&flow->actions, &vni, (dp_key & 0xfff) | out << VXLAN_KEY_BITS);
        return;
    }
    enum field_id field = (enum field_id)(FIELD_TUN_METADATA0 + option);
    struct subfield option_low = subfield_make(field, 0, 16),
                    option_high = subfield_make(field, 16, 15),
                    inport = subfield_make(REG_INPORT, 0, 15);
    oflow_load(flow, FIELD_TUN_ID, dp_key);
    of_put_load(&flow->actions, &option_low, out_key);
    of_put_move(&flow->actions, &inport, &option_high);
}

static void remote_output(struct inc_ctx *ctx, struct program *p, const struct fact_place *at,
                          struct oflow *flow)
{
    begin_out(flow, at);
    oflow_tunnel_keys(flow, at->dp_key, at->key, at->tunnel_type, at->tunnel_option);
    of_put_output(&flow->actions, at->ofport);
    oflow_emit(ctx, p, flow, OFTABLE_REMOTE_OUTPUT, PRIO_PORT, cookie_of(at));
}

void physical_port_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct fact_place *at = inc_read_one(ctx, p->place_by_port, key);
    struct oflow flow = OFLOW_INIT;
    switch ((enum place)at->how) {
    case PLACE_TUNNEL:
        remote_output(ctx, p, at, &flow);
        break;
    case PLACE_REDIRECT:
        redirect(ctx, p, at, &flow);
        break;
    case PLACE_HERE:
        local_output(ctx, p, at, &flow);
        keep_local(ctx, p, at, &flow);
        if (!(at->flags & PLACE_OUT_ONLY))
            from_interface(ctx, p, at, &flow);
        to_interface(ctx, p, at, &flow);
        break;
    case PLACE_PATCH:
        local_output(ctx, p, at, &flow);
        to_peer(ctx, p, at, &flow);
        break;
    }
    oflow_fini(&flow);
}

static void move(struct oflow *flow, struct subfield from, struct subfield to)
{
    of_put_move(&flow->actions, &from, &to);
}

/* VXLAN: no inport is known. */
static void from_vxlan(struct inc_ctx *ctx, struct program *p, const struct fact_tunnel *tunnel,
                       struct oflow *flow)
{
    for (unsigned is_group = 0; is_group < 2; is_group++) {
        unsigned n_bits = is_group ? VXLAN_KEY_BITS - 1 : VXLAN_KEY_BITS;
        oflow_begin(flow);
        match_set(&flow->match, FIELD_IN_PORT_OXM, tunnel->ofport);
        if (is_group) {
            struct subfield group = subfield_make(REG_OUTPORT, 15, 1);
            match_set_masked(&flow->match, FIELD_TUN_ID, 1u << 23, 1u << 23);
            of_put_load(&flow->actions, &group, 1);
        }
        move(flow, subfield_make(FIELD_TUN_ID, VXLAN_KEY_BITS, n_bits),
             subfield_make(REG_OUTPORT, 0, n_bits));
        move(flow, subfield_make(FIELD_TUN_ID, 0, VXLAN_KEY_BITS),
             subfield_make(FIELD_METADATA, 0, VXLAN_KEY_BITS));
        oflow_resubmit(flow, OFTABLE_LOCAL_OUTPUT);
        oflow_emit(ctx, p, flow, OFTABLE_PHY_TO_LOG, PRIO_PORT + is_group, 0);
    }
}

/* From a tunnel: the ingress pipeline has run on the sender; datapath and ports are in the tunnel's metadata. */
void physical_tunnel_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct fact_tunnel *tunnel = key;
    struct oflow flow = OFLOW_INIT;
    if (tunnel->type == TUNNEL_VXLAN) {
        from_vxlan(ctx, p, tunnel, &flow);
        oflow_fini(&flow);
        return;
    }
    enum field_id field = (enum field_id)(FIELD_TUN_METADATA0 + tunnel->option);
    oflow_begin(&flow);
    match_set(&flow.match, FIELD_IN_PORT_OXM, tunnel->ofport);
    move(&flow, subfield_make(FIELD_TUN_ID, 0, 24), subfield_make(FIELD_METADATA, 0, 24));
    move(&flow, subfield_make(field, 16, 15), subfield_make(REG_INPORT, 0, 15));
    move(&flow, subfield_make(field, 0, 16), subfield_make(REG_OUTPORT, 0, 16));
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
