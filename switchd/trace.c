/* trace.c - ofproto/trace: the production translation, with a notebook.
 *
 *     ofproto/trace [--names] BRIDGE FLOW [-generate | PACKET]
 *
 * FLOW is a match as ovs-ofctl writes one (in_port and headers); PACKET is a frame in hexadecimal that
 * takes the place of the headers. Nothing is sent or learned unless -generate makes the packet and
 * sends it.
 */
#include <stdio.h>
#include <string.h>

#include "flow/rewrite.h"
#include "openflow/text.h"
#include "switchd/exec.h"
#include "switchd/switchd.h"
#include "switchd/xlate.h"

static const char *port_name(void *vs, uint32_t dp_no)
{
    const struct vport *port = vswitch_port(vs, dp_no);
    return port ? port->name : NULL;
}

static void put_key(struct str *out, const char *label, const struct flow_key *key,
                    const struct flow_mask *mask, const struct port_names *names)
{
    struct match match;
    memset(&match, 0, sizeof match);
    match.key = *key;
    if (mask) {
        match.mask = *mask;
        flow_key_and(&match.key, mask);
    } else {
        for (unsigned id = 1; id < N_FIELDS; id++) {
            if (key_get(key, id))
                mask_set(&match.mask, id);
        }
    }
    str_put(out, label);
    match_put(out, &match, -1, names);
    str_putc(out, '\n');
}

static void put_result(struct str *out, const struct xlate_in *in, const struct port_names *names,
                       const struct xlate_out *result)
{
    str_putc(out, '\n');
    put_key(out, "Megaflow: ", &in->key, &result->mask, names);
    str_put(out, "Datapath actions: ");
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

static void run(struct bridge *br, bool show_names, struct match *match, struct packet *packet,
                bool send, struct str *out)
{
    struct bridge_port_names names;
    bridge_names(br, &names);
    struct xlate_in in = {.bridge = br,
                          .names = show_names,
                          .key = match->key,
                          .notes = out,
                          .may_learn = send,
                          .now_ms = env_now_ms(br->vs->env)};
    if (packet->size) {
        vswitch_metadata_key(packet, match, &in.key);
        in.packet = packet;
    }
    uint32_t in_port = key_in_port(&in.key);
    in.in_port = bridge_port(br, in_port);
    put_key(out, "Flow: ", &in.key, NULL, show_names ? &names.names : NULL);
    str_putc(out, '\n');
    struct xlate_out result;
    xlate_out_init(&result);
    xlate(&in, &result);
    put_result(out, &in, show_names ? &names.names : NULL, &result);
    if (send && packet->size) {
        effects_apply(br->vs, result.effects.data, result.effects.n, 1, packet->size, in.now_ms,
                      true);
        exec_actions(br->vs, packet, &result.actions);
    }
    xlate_out_fini(&result);
}

static void trace(struct unixctl_conn *conn, int argc, const char *argv[], void *vs_)
{
    struct vswitch *vs = vs_;
    const char *args[3] = {NULL};
    int n = 0;
    bool generate = false, show_names = false;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "-generate") || !strcmp(argv[i], "--generate"))
            generate = true;
        else if (!strcmp(argv[i], "--names") || !strcmp(argv[i], "--no-names"))
            show_names = argv[i][2] == 'n' && argv[i][3] == 'a';
        else if (n < 3)
            args[n++] = argv[i];
    }
    struct bridge *br = args[0] ? vswitch_bridge(vs, args[0]) : NULL;
    if (!br) {
        unixctl_error(conn, "Unknown bridge");
        return;
    }
    struct match match;
    struct diag diag = DIAG_INIT;
    struct bridge_port_names names;
    bridge_names(br, &names);
    if (of_match_parse(args[1] ? args[1] : "", &names.names, &match, NULL, &diag)) {
        unixctl_error(conn, diag_text(&diag));
        diag_fini(&diag);
        return;
    }
    struct packet packet;
    packet_init(&packet);
    if (args[2] && !read_hex(args[2], &packet)) {
        unixctl_error(conn, "Bad packet syntax: hexadecimal digits are expected");
        packet_fini(&packet);
        return;
    }
    if (generate && !args[2])
        packet_compose(&packet, &match.key, 64);
    struct str out = STR_INIT;
    run(br, show_names, &match, &packet, generate, &out);
    unixctl_reply(conn, str_c(&out));
    str_fini(&out);
    packet_fini(&packet);
}

void trace_register(struct unixctl *ctl, struct vswitch *vs)
{
    unixctl_register(ctl, "ofproto/trace",
                     "[--names | --no-names] [-generate] bridge flow [packet]", 1, 6, trace, vs);
}
