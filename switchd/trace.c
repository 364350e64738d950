/* trace.c - ofproto/trace: the production translation, with a notebook.
 *
 *     ofproto/trace [--names] [--ct-next FLAGS]... {BRIDGE FLOW | [DATAPATH] ODP-FLOW} [-generate | PACKET]
 *
 * FLOW is a match as ovs-ofctl writes one (in_port and headers), ODP-FLOW one of odp_flow.h; PACKET is a frame in hexadecimal that
 * takes the place of the headers. Nothing is sent or learned unless -generate makes the packet and
 * sends it. Where a ct action forks, the other branch follows in a section of its own, with the state that the next
 * --ct-next gives to it, else trk,new.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/flow_text.h"
#include "flow/rewrite.h"
#include "openflow/packet_io.h"
#include "openflow/text.h"
#include "switchd/exec.h"
#include "switchd/odp_flow.h"
#include "switchd/switchd.h"
#include "switchd/trace_nat.h"
#include "switchd/tun_store.h"
#include "switchd/xlate.h"

enum { MAX_ARGS = 4 };

/* As ovs-vswitchd writes the flow of a packet: with its port always, and after a recirculation with its type. */
static void put_flow(struct str *s, const struct vswitch *vs, const struct flow_key *key,
                     const struct port_names *names)
{
    struct match m;
    flow_shown(&m, key, tun_store_get(vs->host.tun_opts, key->tunnel.more));
    match_set(&m, FIELD_IN_PORT_OXM, key_get(key, FIELD_IN_PORT_OXM));
    if (key->recirc_id)
        match_set(&m, FIELD_PACKET_TYPE, 0);
    match_put(s, &m, -1, names);
}

static const char *port_name(void *vs, uint32_t dp_no)
{
    const struct vport *port = vswitch_port(vs, dp_no);
    return port ? port->name : NULL;
}

/* FINAL is not seen with the recirculation id, which the flow began with. */
static void put_final(struct str *out, const struct vswitch *vs, const struct flow_key *key,
                      struct flow_key final, const struct port_names *names)
{
    final.recirc_id = key->recirc_id;
    final.actset_output = key->actset_output;
    final.skb_priority = key->skb_priority;
    str_put(out, "\nFinal flow: ");
    if (flow_key_equal(&final, key))
        str_put(out, "unchanged");
    else
        put_flow(out, vs, &final, names);
    str_putc(out, '\n');
}

static void put_result(struct str *out, const struct xlate_in *in, const struct port_names *names,
                       const struct xlate_out *result)
{
    struct match match = {.key = in->key, .mask = result->mask};
    match.mask.bits.packet_type = UINT32_MAX; /* frames of Ethernet are all that comes in */
    flow_key_and(&match.key, &match.mask);
    vswitch_match_options(in->bridge->vs, &match);
    str_put(out, "Megaflow: ");
    match_put(out, &match, -1, names);
    str_put(out, "\nDatapath actions: ");
    dp_actions_put_text(out, &result->actions, in->names ? port_name : NULL, in->bridge->vs);
    str_putc(out, '\n');
    if (!result->delivered)
        str_putf(out, "Drop reason: %s (%s)\n", drop_text(result->drop),
                 drop_counter(result->drop));
    if (!result->cacheable)
        str_put(out, "This flow is handled by the userspace slow path: it is not cached.\n");
}

static bool read_hex(const char *text, struct packet *packet)
{
    uint8_t bytes[9000];
    size_t n = 0;
    for (; *text; text += 2) {
        unsigned x;
        if (n == sizeof bytes || !text[1] || sscanf(text, "%2x", &x) != 1)
            return false;
        bytes[n++] = (uint8_t)x;
    }
    packet_init_copy(packet, bytes, n);
    return n > 0;
}

enum { MAX_BRANCHES = 64 };

/* A branch that a ct action forked off, or the way on behind a pop_pbb or pop_vlan. */
struct branch {
    struct recirc_state *state; /* one reference */
    struct ct_action ct;        /* the last one */
    enum dp_type popped;        /* the last one, DP_POP_VLAN unless it is DP_POP_PBB */
    struct flow_key key;        /* with the headers as they are then */
    struct packet *packet;      /* as it is then; NULL: none was given */
};

/* One command. */
struct tracing {
    bool packet_out; /* the packet does not come in, it is sent through these actions */
    struct of_actions actions;
    struct bridge *br;
    bool names;
    const struct packet *packet; /* in the present section */
    struct flow_key key;         /* with in_port as a datapath number in the branches' md */
    VEC(uint32_t) ct_next;       /* bits of ct_state, in the order of the command line */
    size_t n_ct_used;
    VEC(struct branch) branches;
    struct str *out;
};

/* A tag in front of another hides what is behind it from who reads the packet again. */
static void push_tag(struct flow_key *key, const struct dp_action *a)
{
    if (key->vlan_tci & swap16(VLAN_CFI)) {
        size_t from = offsetof(struct flow_key, mpls_lse);
        memset((char *)key + from, 0, sizeof *key - from);
        key_set(key, FIELD_ETH_TYPE, ETH_TYPE_VLAN);
    }
    key_set(key, FIELD_VLAN_TCI, a->tci | VLAN_CFI);
}

static void set_field(struct flow_key *key, struct packet *packet, const struct dp_action *a)
{
    u128 value = (u128)a->value_hi << 64 | a->value_lo;
    key_set(key, a->field, value);
    if (packet)
        packet_set_field(packet, a->field, value);
}

/* KEY and AT: the packet as it comes there, which is changed; AT NULL: none was given. */
static void add_branches(struct tracing *t, const struct dp_action *actions, size_t n,
                         const struct flow_key *key, struct packet *at)
{
    struct branch b = {.popped = DP_POP_VLAN, .key = *key};
    struct packet *copy;
    for (size_t i = 0; i < n; i++) {
        const struct dp_action *a = &actions[i];
        switch ((enum dp_type)a->type) {
        case DP_CLONE:
            copy = at ? packet_clone(at) : NULL;
            add_branches(t, a + 1, a->n, &b.key, copy);
            packet_free(copy);
            i += a->n;
            break;
        case DP_CT:
            b.ct = *a->ct;
            break;
        case DP_SET:
            set_field(&b.key, at, a);
            break;
        case DP_PUSH_VLAN:
            push_tag(&b.key, a);
            if (at)
                packet_push_vlan(at, a->eth_type, a->tci);
            break;
        case DP_POP_VLAN:
            b.popped = DP_POP_VLAN;
            key_set(&b.key, FIELD_VLAN_TCI, 0);
            if (at)
                packet_pop_vlan(at);
            break;
        case DP_POP_PBB:
            b.popped = DP_POP_PBB;
            if (at)
                packet_pop_pbb(at);
            break;
        case DP_RECIRC:
            if (t->branches.n >= MAX_BRANCHES)
                break;
            b.state = recirc_ref(a->recirc);
            b.packet = at ? packet_clone(at) : NULL;
            vec_push(&t->branches, b);
            break;
        default:
            break;
        }
    }
}

static void put_ct_state(struct str *out, uint32_t state)
{
    static const char *const names[] = {"new", "est", "rel", "rpl", "inv", "trk", "snat", "dnat"};
    const char *sep = "";
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        if (state >> i & 1) {
            str_putf(out, "%s%s", sep, names[i]);
            sep = "|";
        }
    }
}

/* And KEY becomes what the tracker makes of it. */
static void put_branch_title(struct tracing *t, const struct branch *b, uint32_t state, bool given,
                             struct flow_key *key)
{
    static const char line[] =
        "===============================================================================";
    str_putf(t->out, "\n%s\nrecirc(0x%x) - resume conntrack with %sct_state=", line, b->state->id,
             given ? "" : "default ");
    if (given)
        put_ct_state(t->out, state);
    else
        str_put(t->out, "trk|new");
    str_put(t->out, given ? "\n" : " (use --ct-next to customize)\n");
    trace_nat(t->out, &b->ct, key, b->packet);
    str_putf(t->out, "%s\n\n", line);
}

/* What a packet with KEY (whose in_port is an OpenFlow number) does, from the beginning or behind a ct. */
static void trace_once(struct tracing *t, struct bridge *br, const struct flow_key *key,
                       struct recirc_state *state, struct xlate_out *result, bool may_learn)
{
    struct bridge_port_names names;
    struct flow_key final;
    bridge_names(br, &names);
    struct xlate_in in = {.bridge = br,
                          .names = t->names,
                          .key = *key,
                          .packet = t->packet,
                          .recirc = state,
                          .in_port = bridge_port(br, key_in_port(key)),
                          .notes = t->out,
                          .final = &final,
                          .may_learn = may_learn,
                          .now_ms = env_now_ms(br->vs->env)};
    if (t->packet_out && !state) {
        in.actions = t->actions.n ? (const void *)t->actions.data : "";
        in.n_actions = t->actions.n;
        in.reason = OF_REASON_PACKET_OUT;
    }
    str_put(t->out, "Flow: ");
    put_flow(t->out, br->vs, key, t->names ? &names.names : NULL);
    str_put(t->out, "\n\n");
    xlate_out_init(result);
    xlate(&in, result);
    put_final(t->out, br->vs, key, final, t->names ? &names.names : NULL);
    put_result(t->out, &in, t->names ? &names.names : NULL, result);
    struct packet *at = t->packet ? packet_clone(t->packet) : NULL;
    add_branches(t, result->actions.list.data, result->actions.list.n, key, at);
    packet_free(at);
}

/* What lies behind the header that was taken off, as far as the packet itself was given. */
static void trace_popped(struct tracing *t, struct bridge *br, const struct branch *b)
{
    struct flow_key key = b->key;
    struct xlate_out result;
    bool pbb = b->popped == DP_POP_PBB;
    str_putf(t->out, "\nrecirc(0x%x) - resume behind %s\n\n", b->state->id,
             pbb ? "pop_pbb" : "pop_vlan");
    size_t from = pbb ? offsetof(struct flow_key, eth_dst) : offsetof(struct flow_key, vlan_tci);
    memset((char *)&key + from, 0, sizeof key - from);
    if (b->packet) {
        struct flow_key read;
        flow_extract(b->packet, &read);
        memcpy((char *)&key + from, (char *)&read + from, sizeof key - from);
    }
    key_set(&key, FIELD_RECIRC_ID, b->state->id);
    key.in_port = b->state->key.in_port;
    trace_once(t, br, &key, b->state, &result, false);
    xlate_out_fini(&result);
}

static void trace_branch(struct tracing *t, const struct branch *b)
{
    struct bridge *br = vswitch_bridge_numbered(t->br->vs, b->state->bridge_no);
    if (br && b->state->levels_len) {
        trace_popped(t, br, b);
        return;
    }
    bool given = t->n_ct_used < t->ct_next.n;
    uint32_t state = given ? t->ct_next.data[t->n_ct_used++] : CT_TRK | CT_NEW;
    struct flow_key key = b->key;
    struct xlate_out result;
    if (!br)
        return;
    put_branch_title(t, b, state, given, &key);
    key_set(&key, FIELD_RECIRC_ID, b->state->id);
    key_set(&key, FIELD_CT_STATE, state);
    key_set(&key, FIELD_CT_ZONE, b->ct.zone);
    key.in_port = b->state->key.in_port;
    trace_once(t, br, &key, b->state, &result, false);
    xlate_out_fini(&result);
}

static void run(struct tracing *t, struct match *match, struct packet *packet, bool send)
{
    struct bridge *br = t->br;
    struct xlate_out result;
    t->key = match->key;
    t->key.tunnel.more = tun_store_put(br->vs->host.tun_opts, &match->tun);
    if (packet->size) {
        vswitch_metadata_key(br->vs, packet, match, &t->key);
        t->packet = packet;
    }
    trace_once(t, br, &t->key, NULL, &result, send);
    for (size_t i = 0; i < t->branches.n; i++) {
        struct branch b = t->branches.data[i]; /* the array may move */
        t->packet = b.packet;
        trace_branch(t, &b);
        recirc_unref(b.state);
        packet_free(b.packet);
    }
    if (send && packet->size) {
        const struct vport *port = bridge_port(br, key_in_port(&t->key));
        packet->md.in_port = port ? port->dp_no : 0;
        effects_apply(br->vs, result.effects.data, result.effects.n, 1, packet->size,
                      env_now_ms(br->vs->env), true);
        exec_actions(br->vs, packet, &result.actions);
    }
    xlate_out_fini(&result);
}

/* "trk,est" or "trk|est" or with blanks. False: *BAD is the word that is none. */
static bool read_ct_state(const char *text, uint32_t *ret, char *bad, size_t bad_size)
{
    static const char *const names[] = {"new", "est", "rel", "rpl", "inv", "trk", "snat", "dnat"};
    *ret = 0;
    for (const char *p = text; *p;) {
        size_t n = strcspn(p, ", |");
        unsigned i = 0;
        while (i < ARRAY_SIZE(names) && (strlen(names[i]) != n || memcmp(names[i], p, n) != 0))
            i++;
        if (n && i == ARRAY_SIZE(names)) {
            snprintf(bad, bad_size, "%.*s", (int)n, p);
            return false;
        }
        *ret |= n ? 1u << i : 0;
        p += n + (p[n] != '\0');
    }
    return true;
}

/* Options into T and *GENERATE; up to MAX_ARGS other arguments into ARGS. False: refused already. */
static bool read_arguments(struct unixctl_conn *conn, int argc, const char *argv[],
                           struct tracing *t, bool *generate, const char *args[MAX_ARGS])
{
    int n = 0;
    for (int i = 1; i < argc; i++) {
        uint32_t state;
        char bad[64], text[128];
        if (!strcmp(argv[i], "-generate") || !strcmp(argv[i], "--generate")) {
            *generate = true;
        } else if (!strcmp(argv[i], "-consistent")) {
            continue; /* what a packet-out cannot have is refused always */
        } else if (!strcmp(argv[i], "--names") || !strcmp(argv[i], "--no-names")) {
            t->names = argv[i][2] == 'n' && argv[i][3] == 'a';
        } else if (!strncmp(argv[i], "--ct-next", 9) && (!argv[i][9] || argv[i][9] == '=')) {
            const char *flags = argv[i][9] ? argv[i] + 10 : i + 1 < argc ? argv[++i] : NULL;
            if (!flags) {
                unixctl_error(conn, "Missing argument for option --ct-next");
                return false;
            }
            if (!read_ct_state(flags, &state, bad, sizeof bad)) {
                snprintf(text, sizeof text, "%s: unknown connection tracking state flag", bad);
                unixctl_error(conn, text);
                return false;
            }
            vec_push(&t->ct_next, state);
        } else if (n < MAX_ARGS) {
            args[n++] = argv[i];
        }
    }
    return true;
}

/* The last of ARGS, which is taken off them. False: refused already. */
static bool read_actions(struct unixctl_conn *conn, struct tracing *t, const char *args[MAX_ARGS],
                         const struct match *match, const struct port_names *names)
{
    const char **last = &args[args[3] ? 3 : 2];
    struct diag diag = DIAG_INIT;
    if (!*last) {
        unixctl_error(conn, "actions are missing");
        return false;
    }
    int err = of_actions_parse(*last, match, names, &t->actions, &diag);
    *last = NULL;
    if (err)
        unixctl_error(conn, diag_text(&diag));
    else if ((err = of_actions_check(&t->actions, match, 0, N_TABLES_OPEN)) != 0)
        unixctl_error(conn, of_error_name(err));
    diag_fini(&diag);
    return !err;
}

/* "[DATAPATH] FLOW" of a datapath in the place of "BRIDGE FLOW": TEXT becomes the flow as a match, ARGS[0] its bridge's name. False:
 * refused already. */
static bool read_odp_flow(struct unixctl_conn *conn, const struct vswitch *vs,
                          const char *args[MAX_ARGS], struct str *text)
{
    bool named = args[0] && args[1] && !odp_flow_is(args[0]) && odp_flow_is(args[1]);
    if (named) {
        memmove(args, args + 1, (MAX_ARGS - 1) * sizeof *args);
        args[MAX_ARGS - 1] = NULL;
    }
    if (!args[0] || !odp_flow_is(args[0]))
        return true;
    struct diag diag = DIAG_INIT;
    struct str match = STR_INIT;
    char *in_port;
    uint64_t number = 0;
    const struct vport *port = NULL;
    if (odp_flow_to_match(args[0], &match, &in_port, &diag)) {
        unixctl_error(conn, diag_text(&diag));
        diag_fini(&diag);
        str_fini(&match);
        return false;
    }
    for (uint32_t i = 0; in_port && i < vs->dp_ports.n; i++) {
        const struct vport *p = vs->dp_ports.data[i];
        if (p && (!strcmp(p->name, in_port) ||
                  (!text_to_u64(in_port, 0, &number) && number == p->dp_no)))
            port = p;
    }
    if (port)
        str_putf(text, "in_port=%u%s", port_to_16(port->ofport), str_c(&match));
    else
        unixctl_error(conn, in_port ? "no such port in the datapath" : "in_port(...) is missing");
    str_fini(&match);
    free(in_port);
    if (!port)
        return false;
    memmove(args + 1, args, (MAX_ARGS - 1) * sizeof *args);
    args[0] = port->bridge->name;
    args[1] = str_c(text);
    return true;
}

static void trace_arguments(struct unixctl_conn *conn, struct vswitch *vs, struct tracing *t,
                            const char *args[MAX_ARGS], bool generate)
{
    struct bridge *br = t->br = args[0] ? vswitch_bridge(vs, args[0]) : NULL;
    if (!br || !args[1]) {
        char text[256];
        snprintf(text, sizeof text,
                 br ? "syntax error at %.99s (or the bridge name was omitted)"
                    : "%.99s: unknown bridge",
                 args[0] ? args[0] : "");
        unixctl_error(conn, text);
        return;
    }
    struct match match;
    struct diag diag = DIAG_INIT;
    struct bridge_port_names names;
    bridge_names(br, &names);
    if (of_match_parse(args[1], &names.names, &match, NULL, &diag)) {
        unixctl_error(conn, diag_text(&diag));
        diag_fini(&diag);
        return;
    }
    if (t->packet_out && !read_actions(conn, t, args, &match, &names.names))
        return;
    struct packet packet;
    packet_init(&packet);
    if (args[2] && !read_hex(args[2], &packet)) {
        unixctl_error(conn, "Bad packet syntax: hexadecimal digits are expected");
        packet_fini(&packet);
        return;
    }
    if (args[2] && packet.size < ETH_HEADER_LEN) {
        unixctl_error(conn, "Packet data too short for Ethernet");
        packet_fini(&packet);
        return;
    }
    if (generate && !args[2])
        packet_compose(&packet, &match.key, 64);
    struct str out = STR_INIT;
    t->out = &out;
    run(t, &match, &packet, generate);
    unixctl_reply(conn, str_c(&out));
    str_fini(&out);
    packet_fini(&packet);
}

static void trace(struct unixctl_conn *conn, int argc, const char *argv[], void *vs)
{
    struct tracing t;
    const char *args[MAX_ARGS] = {NULL};
    bool generate = false;
    memset(&t, 0, sizeof t);
    t.packet_out = !strcmp(argv[0], "ofproto/trace-packet-out");
    struct str flow = STR_INIT;
    if (read_arguments(conn, argc, argv, &t, &generate, args) &&
        read_odp_flow(conn, vs, args, &flow))
        trace_arguments(conn, vs, &t, args, generate);
    str_fini(&flow);
    vec_fini(&t.ct_next);
    vec_fini(&t.branches);
    of_actions_fini(&t.actions);
}

void trace_register(struct unixctl *ctl, struct vswitch *vs)
{
    unixctl_register(ctl, "ofproto/trace",
                     "[--names | --no-names] [--ct-next STATE]... [-generate] {bridge flow | [dp] "
                     "odp_flow} [packet]",
                     1, 64, trace, vs);
    unixctl_register(ctl, "ofproto/trace-packet-out",
                     "[-consistent] [--names | --no-names] [--ct-next STATE]... [-generate] bridge "
                     "flow [packet] actions",
                     3, 64, trace, vs);
}
