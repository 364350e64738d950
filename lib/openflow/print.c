/* print.c - messages as ovs-ofctl shows them. Dumps of tables, groups and meters are in print_stats.c. */
#include "openflow/print.h"

#include "openflow/bundle.h"
#include "openflow/group.h"
#include "openflow/meter.h"
#include "openflow/packet_io.h"
#include "openflow/print_impl.h"
#include "openflow/switch.h"

#include "flow/packet.h"

void print_bits(struct str *s, uint32_t bits, const char *const *names, size_t n, char separator)
{
    bool first = true;
    if (!bits)
        str_putc(s, '0');
    for (size_t i = 0; i < 32; i++) {
        if (!(bits >> i & 1))
            continue;
        if (!first)
            str_putc(s, separator);
        first = false;
        if (i < n && names[i])
            str_put(s, names[i]);
        else
            str_putf(s, "0x%x", 1u << i);
    }
}

/* ---- Ports and features ---- */

static void put_features_line(struct str *s, const char *label, uint32_t bits)
{
    static const char *const names[] = {"10MB-HD",  "10MB-FD",  "100MB-HD",   "100MB-FD",
                                        "1GB-HD",   "1GB-FD",   "10GB-FD",    "40GB-FD",
                                        "100GB-FD", "1TB-FD",   "OTHER",      "COPPER",
                                        "FIBER",    "AUTO_NEG", "AUTO_PAUSE", "AUTO_PAUSE_ASYM"};
    if (!bits)
        return;
    str_putf(s, "     %-11s ", label);
    print_bits(s, bits, names, ARRAY_SIZE(names), ' ');
    str_putc(s, '\n');
}

static const char *const config_names[] = {"PORT_DOWN", "NO_STP", "NO_RECV",     "NO_RECV_STP",
                                           "NO_FLOOD",  "NO_FWD", "NO_PACKET_IN"};
static const char *const state_names[] = {"LINK_DOWN", "BLOCKED", "LIVE"};

/* What 1.0 does not say follows from the features. */
static uint32_t speed_of(uint32_t features)
{
    static const uint32_t kbps[] = {10000,   10000,    100000,   100000,    1000000,
                                    1000000, 10000000, 40000000, 100000000, 1000000000};
    for (size_t i = ARRAY_SIZE(kbps); i-- > 0;)
        if (features >> i & 1)
            return kbps[i];
    return 0;
}

static void put_port(struct str *s, const struct of_port *port, uint8_t version)
{
    bool v10 = version == OF10_VERSION;
    str_putc(s, ' ');
    port_put(s, port->number, NULL);
    str_putf(s, "(%s): addr:", port->name);
    mac_put(s, port->mac);
    str_put(s, "\n     config:     ");
    print_bits(s, port->config, config_names, ARRAY_SIZE(config_names), ' ');
    str_put(s, "\n     state:      ");
    print_bits(s, port->state, state_names, ARRAY_SIZE(state_names), ' ');
    str_putc(s, '\n');
    put_features_line(s, "current:", port->current);
    put_features_line(s, "advertised:", port->advertised);
    put_features_line(s, "supported:", port->supported);
    put_features_line(s, "peer:", port->peer);
    str_putf(s, "     speed: %u Mbps now, %u Mbps max\n",
             (v10 ? speed_of(port->current) : port->current_speed) / 1000,
             (v10 ? speed_of(port->supported) : port->max_speed) / 1000);
}

/* In order of port numbers, whatever the order in the message: each time the next higher one. */
static void put_ports(struct str *s, const uint8_t *data, size_t n, uint8_t version)
{
    int64_t last = -1;
    for (;;) {
        struct of_port port, best = {.number = 0};
        size_t ofs = 0;
        bool found = false;
        while (of_port_next(data, n, version, &ofs, &port) > 0) {
            if (port.number > last && (!found || port.number < best.number)) {
                best = port;
                found = true;
            }
        }
        if (!found)
            return;
        put_port(s, &best, version);
        last = best.number;
    }
}

static void put_capabilities(struct str *s, uint32_t caps, uint8_t version)
{
    static const char *const names[] = {
        "FLOW_STATS",   "TABLE_STATS", "PORT_STATS",     "GROUP_STATS",
        NULL,           "IP_REASM",    "QUEUE_STATS",    NULL,
        "PORT_BLOCKED", "BUNDLES",     "FLOW_MONITORING"};
    static const char *const names_10[] = {"FLOW_STATS", "TABLE_STATS", "PORT_STATS",  "STP", NULL,
                                           "IP_REASM",   "QUEUE_STATS", "ARP_MATCH_IP"};
    str_put(s, "capabilities: ");
    if (version == OF10_VERSION)
        print_bits(s, caps, names_10, ARRAY_SIZE(names_10), ' ');
    else
        print_bits(s, caps, names, ARRAY_SIZE(names), ' ');
    str_putc(s, '\n');
}

static int put_features(struct str *s, const struct of_msg *msg)
{
    static const char *const actions[] = {
        "output",     "set_vlan_vid", "set_vlan_pcp", "strip_vlan", "mod_dl_src", "mod_dl_dst",
        "mod_nw_src", "mod_nw_dst",   "mod_nw_tos",   "mod_tp_src", "mod_tp_dst", "enqueue"};
    struct of_features f;
    int err = of_features_decode(msg, &f);
    if (err)
        return err;
    str_putf(s, " dpid:%016llx\nn_tables:%u, n_buffers:%u", (unsigned long long)f.datapath_id,
             f.n_tables, f.n_buffers);
    if (f.auxiliary_id)
        str_putf(s, ", auxiliary_id:%u", f.auxiliary_id);
    str_putc(s, '\n');
    put_capabilities(s, f.capabilities, msg->version);
    if (msg->version != OF10_VERSION)
        return 0;
    /* Output and enqueue lead, as ever. */
    str_put(s, "actions:");
    static const uint8_t order[] = {0, 11, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    for (size_t i = 0; i < sizeof order; i++)
        if (f.actions >> order[i] & 1)
            str_putf(s, " %s", actions[order[i]]);
    str_putc(s, '\n');
    put_ports(s, f.ports, f.ports_len, msg->version);
    return 0;
}

static int put_config(struct str *s, const struct of_msg *msg)
{
    static const char *const frags[] = {"normal", "drop", "reassemble", "nx-match"};
    struct of_config c;
    int err = of_config_decode(msg, &c);
    if (!err)
        str_putf(s, " frags=%s miss_send_len=%u\n", frags[c.flags & 3], c.miss_send_len);
    return err;
}

static int put_port_status(struct str *s, const struct of_msg *msg)
{
    static const char *const reasons[] = {"ADD", "DEL", "MOD"};
    struct of_port_status ps;
    int err = of_port_status_decode(msg, &ps);
    if (err)
        return err;
    str_putf(s, " %s:", reasons[ps.reason]);
    put_port(s, &ps.port, msg->version);
    return 0;
}

static int put_port_mod(struct str *s, const struct of_msg *msg, const struct port_names *ports)
{
    struct of_port_mod pm;
    int err = of_port_mod_decode(msg, &pm);
    if (err)
        return err;
    str_put(s, " port: ");
    port_put(s, pm.number, ports);
    str_put(s, ": addr:");
    mac_put(s, pm.mac);
    str_put(s, "\n     config: ");
    print_bits(s, pm.config, config_names, ARRAY_SIZE(config_names), ' ');
    str_put(s, "\n     mask:   ");
    print_bits(s, pm.mask, config_names, ARRAY_SIZE(config_names), ' ');
    str_put(s, "\n     advertise: UNCHANGED\n");
    return 0;
}

/* ---- Modifications ---- */

static int put_flow_mod(struct str *s, const struct of_msg *msg, const struct port_names *ports)
{
    static const char *const commands[] = {"ADD", "MOD", "MOD_STRICT", "DEL", "DEL_STRICT"};
    static const char *const flags[] = {"send_flow_rem", "check_overlap", "reset_counts",
                                        "no_packet_counts", "no_byte_counts"};
    struct of_flow_mod fm;
    int err = of_flow_mod_decode(msg, true, &fm);
    if (err) {
        of_flow_mod_fini(&fm);
        return err;
    }
    str_putf(s, " %s ", commands[fm.command]);
    if (fm.table_id)
        str_putf(s, "table:%u ", fm.table_id);
    size_t at = s->n;
    match_put(s, &fm.match, fm.priority, ports);
    if (s->n > at)
        str_putc(s, ' ');
    if (fm.command != OF_FLOW_ADD && fm.cookie_mask)
        str_putf(s, "cookie:0x%llx/0x%llx ", (unsigned long long)fm.cookie_match,
                 (unsigned long long)fm.cookie_mask);
    else if (fm.cookie && fm.cookie != UINT64_MAX)
        str_putf(s, "cookie:0x%llx ", (unsigned long long)fm.cookie);
    if (fm.idle_timeout)
        str_putf(s, "idle:%u ", fm.idle_timeout);
    if (fm.hard_timeout)
        str_putf(s, "hard:%u ", fm.hard_timeout);
    if (fm.importance)
        str_putf(s, "importance:%u ", fm.importance);
    if (fm.out_port != PORT_ANY) {
        str_put(s, "out_port:");
        port_put(s, fm.out_port, ports);
        str_putc(s, ' ');
    }
    /* In 1.0 an add resets counts by itself, which is not worth a word. */
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
        if (fm.flags & 1u << i &&
            !(msg->version == OF10_VERSION && fm.flags & OF_FLOW_RESET_COUNTS && i == 2))
            str_putf(s, "%s ", flags[i]);
    str_put(s, "actions=");
    of_actions_put(s, fm.actions.data, fm.actions.n, ports);
    str_putc(s, '\n');
    of_flow_mod_fini(&fm);
    return 0;
}

static const char *group_command(enum of_group_command command)
{
    switch (command) {
    case OF_GROUP_ADD:
        return "ADD";
    case OF_GROUP_MODIFY:
        return "MOD";
    case OF_GROUP_DELETE:
        return "DEL";
    case OF_GROUP_INSERT_BUCKET:
        return "INSERT_BUCKET";
    case OF_GROUP_REMOVE_BUCKET:
        return "REMOVE_BUCKET";
    default:
        return "ADD_OR_MOD";
    }
}

static int put_group_mod(struct str *s, const struct of_msg *msg, const struct port_names *ports)
{
    struct of_group_mod gm;
    int err = of_group_mod_decode(msg, &gm);
    if (!err) {
        str_putf(s, "\n %s ", group_command(gm.command));
        if (gm.command == OF_GROUP_INSERT_BUCKET || gm.command == OF_GROUP_REMOVE_BUCKET)
            of_group_put_buckets(s, &gm, msg->version, ports);
        else
            of_group_put(s, &gm.group, msg->version, ports);
        str_putc(s, '\n');
    }
    of_group_mod_fini(&gm);
    return err;
}

static int put_meter_mod(struct str *s, const struct of_msg *msg)
{
    static const char *const commands[] = {"ADD", "MOD", "DEL"};
    struct of_meter_mod mm;
    int err = of_meter_mod_decode(msg, &mm);
    if (err)
        return err;
    str_putf(s, " %s ", commands[mm.command]);
    of_meter_put(s, &mm.meter);
    of_meter_mod_fini(&mm);
    return 0;
}

static int put_bundle_control(struct str *s, const struct of_msg *msg)
{
    static const char *const types[] = {"OPEN_REQUEST",    "OPEN_REPLY",     "CLOSE_REQUEST",
                                        "CLOSE_REPLY",     "COMMIT_REQUEST", "COMMIT_REPLY",
                                        "DISCARD_REQUEST", "DISCARD_REPLY"};
    static const char *const flags[] = {"atomic", "ordered"};
    struct of_bundle_control bc;
    int err = of_bundle_control_decode(msg, &bc);
    if (err)
        return err;
    str_putf(s, "\n bundle_id=%#x type=%s flags=", bc.id, types[bc.type]);
    print_bits(s, bc.flags, flags, ARRAY_SIZE(flags), ' ');
    str_putc(s, '\n');
    return 0;
}

/* ---- Packets ---- */

static const char *reason_name(uint8_t reason)
{
    static const char *const names[] = {"no_match",   "action", "invalid_ttl",
                                        "action_set", "group",  "packet_out"};
    return reason < ARRAY_SIZE(names) ? names[reason] : "?";
}

static void put_checksum(struct str *s, struct packet *packet)
{
    static const struct {
        uint8_t proto, ofs, len;
        const char *name;
    } sums[] = {
        {IP_PROTO_TCP, 16, 2, "tcp"},     {IP_PROTO_UDP, 6, 2, "udp"},
        {IP_PROTO_SCTP, 8, 4, "sctp"},    {IP_PROTO_ICMP, 2, 2, "icmp"},
        {IP_PROTO_ICMPV6, 2, 2, "icmp6"},
    };
    struct flow_key key;
    flow_extract(packet, &key);
    const uint8_t *l4 = packet_l4(packet);
    for (size_t i = 0; l4 && i < ARRAY_SIZE(sums); i++)
        if (sums[i].proto == packet->l4_proto)
            str_putf(s, " %s_csum:%llx", sums[i].name,
                     (unsigned long long)get_be_n(l4 + sums[i].ofs, sums[i].len));
}

void of_packet_print(struct str *s, const void *data, size_t n)
{
    struct packet packet;
    packet_init_view(&packet, data, n);
    packet_put_text(s, &packet);
    put_checksum(s, &packet);
    str_putc(s, '\n');
}

static void put_packet(struct str *s, const void *data, size_t n, int verbosity)
{
    if (verbosity > 0)
        of_packet_print(s, data, n);
    if (verbosity > 2)
        of_hex_dump_put(s, data, n, false);
}

static int put_packet_in(struct str *s, const struct of_msg *msg, int verbosity,
                         const struct port_names *ports)
{
    struct of_packet_in pin;
    int err =
        msg->type == OF_NX_RESUME ? of_resume_decode(msg, &pin) : of_packet_in_decode(msg, &pin);
    if (err)
        return err;
    if (pin.table_id)
        str_putf(s, " table_id=%u", pin.table_id);
    if (pin.cookie != UINT64_MAX)
        str_putf(s, " cookie=0x%llx", (unsigned long long)pin.cookie);
    str_putf(s, " total_len=%u ", pin.total_len);
    enum { CT_STATE_BITS = 0xff };
    if (mask_get(&pin.metadata.mask, FIELD_CT_STATE) == CT_STATE_BITS)
        match_set(&pin.metadata, FIELD_CT_STATE, key_get(&pin.metadata.key, FIELD_CT_STATE));
    match_put(s, &pin.metadata, -1, ports);
    str_putf(s, " (via %s) data_len=%zu", reason_name(pin.reason), pin.packet_len);
    if (pin.buffer_id == OF_BUFFER_NONE)
        str_put(s, " (unbuffered)\n");
    else
        str_putf(s, " buffer=0x%08x\n", pin.buffer_id);
    for (size_t i = 0; i < pin.userdata_len; i++)
        str_putf(s, "%s%02x", i ? "." : " userdata=", pin.userdata[i]);
    if (pin.userdata_len)
        str_putc(s, '\n');
    put_packet(s, pin.packet, pin.packet_len, verbosity);
    return 0;
}

static int put_packet_out(struct str *s, const struct of_msg *msg, int verbosity,
                          const struct port_names *ports)
{
    struct of_packet_out po;
    int err = of_packet_out_decode(msg, &po);
    if (!err) {
        str_putc(s, ' ');
        match_put(s, &po.metadata, -1, ports);
        str_put(s, " actions=");
        of_actions_put(s, po.actions.data, po.actions.n, ports);
        if (po.buffer_id == OF_BUFFER_NONE) {
            str_putf(s, " data_len=%zu\n", po.packet_len);
            put_packet(s, po.packet, po.packet_len, verbosity);
        } else {
            str_putf(s, " buffer=0x%08x\n", po.buffer_id);
        }
    }
    of_packet_out_fini(&po);
    return err;
}

static int put_flow_removed(struct str *s, const struct of_msg *msg, const struct port_names *ports)
{
    static const char *const reasons[] = {"idle",         "hard",         "delete",
                                          "group_delete", "meter_delete", "eviction"};
    struct of_flow_removed fr;
    int err = of_flow_removed_decode(msg, &fr);
    if (err)
        return err;
    str_putc(s, ' ');
    match_put(s, &fr.match, fr.priority, ports);
    str_putf(s, " reason=%s", fr.reason < ARRAY_SIZE(reasons) ? reasons[fr.reason] : "?");
    if (fr.table_id)
        str_putf(s, " table_id=%u", fr.table_id);
    if (fr.cookie)
        str_putf(s, " cookie:0x%llx", (unsigned long long)fr.cookie);
    str_put(s, " duration");
    of_duration_put(s, fr.duration_sec, fr.duration_nsec);
    str_putf(s, " idle%u", fr.idle_timeout);
    if (fr.hard_timeout)
        str_putf(s, " hard%u", fr.hard_timeout);
    str_putf(s, " pkts%llu bytes%llu\n", (unsigned long long)fr.packets,
             (unsigned long long)fr.bytes);
    return 0;
}

/* ---- Any message ---- */

static int put_error(struct str *s, const struct of_msg *msg, const struct port_names *ports,
                     const struct table_names *tables)
{
    struct of_error_msg e;
    int err = of_error_decode(msg, &e);
    if (err)
        return err;
    str_putf(s, " %s\n", of_error_name(e.error));
    struct of_msg inner;
    if (e.len >= OF_HEADER_LEN && !of_msg_parse(e.data, e.len, &inner))
        of_print(s, &inner, 1, ports, tables);
    else if (e.len >= OF_HEADER_LEN && inner.type != OF_UNKNOWN)
        str_putf(s, "%s (***truncated to %zu bytes from %u***)\n",
                 of_type_name(inner.type, inner.version), e.len, get_be16(e.data + 2));
    return 0;
}

static int put_hello(struct str *s, const struct of_msg *msg)
{
    uint32_t versions;
    int err = of_hello_decode(msg, &versions);
    if (err)
        return err;
    str_put(s, "\n version bitmap: ");
    bool first = true;
    for (unsigned i = 1; i < 32; i++) {
        if (versions >> i & 1) {
            str_putf(s, "%s0x%02x", first ? "" : ", ", i);
            first = false;
        }
    }
    str_putc(s, '\n');
    return 0;
}

static void put_header(struct str *s, const struct of_msg *msg)
{
    const char *name = of_type_name(msg->type, msg->version);
    static const char *const nx[][2] = {
        {"OFPST_FLOW ", "NXST_FLOW "},
        {"OFPST_AGGREGATE ", "NXST_AGGREGATE "},
        {"OFPT_FLOW_MOD", "NXT_FLOW_MOD"},
        {"OFPT_FLOW_REMOVED", "NXT_FLOW_REMOVED"},
    };
    bool done = false;
    for (size_t i = 0; msg->nx && i < ARRAY_SIZE(nx) && !done; i++) {
        if (text_starts_with(name, nx[i][0])) {
            str_putf(s, "%s%s", nx[i][1], name + strlen(nx[i][0]));
            done = true;
        }
    }
    if (!done && msg->nx && msg->type == OF_PACKET_IN)
        str_put(s, msg->subtype == 17 ? "NXT_PACKET_IN" : "NXT_PACKET_IN2");
    else if (!done)
        str_put(s, name);
    if (msg->version != OF10_VERSION)
        str_putf(s, " (OF1.%u)", msg->version - 1);
    str_putf(s, " (xid=0x%x):", msg->xid);
}

static int put_body(struct str *s, const struct of_msg *msg, int verbosity,
                    const struct port_names *ports, const struct table_names *tables)
{
    switch (msg->type) {
    case OF_HELLO:
        return put_hello(s, msg);
    case OF_ERROR_MSG:
        return put_error(s, msg, ports, tables);
    case OF_FEATURES_REPLY:
        return put_features(s, msg);
    case OF_GET_CONFIG_REPLY:
    case OF_SET_CONFIG:
        return put_config(s, msg);
    case OF_PORT_STATUS:
        return put_port_status(s, msg);
    case OF_PORT_MOD:
        return put_port_mod(s, msg, ports);
    case OF_FLOW_MOD:
        return put_flow_mod(s, msg, ports);
    case OF_GROUP_MOD:
        return put_group_mod(s, msg, ports);
    case OF_METER_MOD:
        return put_meter_mod(s, msg);
    case OF_BUNDLE_CONTROL:
        return put_bundle_control(s, msg);
    case OF_PACKET_IN:
    case OF_NX_RESUME:
        return put_packet_in(s, msg, verbosity, ports);
    case OF_PACKET_OUT:
        return put_packet_out(s, msg, verbosity, ports);
    case OF_FLOW_REMOVED:
        return put_flow_removed(s, msg, ports);
    case OF_PORT_DESC_REPLY:
        str_putc(s, '\n');
        put_ports(s, msg->body, msg->body_len, msg->version);
        return 0;
    case OF_ECHO_REQUEST:
    case OF_ECHO_REPLY:
        str_putf(s, " %zu bytes of payload\n", msg->body_len);
        if (verbosity > 1)
            of_hex_dump_put(s, msg->body, msg->body_len, true);
        return 0;
    default:
        return print_stats(s, msg, ports, tables, verbosity);
    }
}

void of_print(struct str *s, const struct of_msg *msg, int verbosity,
              const struct port_names *ports, const struct table_names *tables)
{
    put_header(s, msg);
    size_t at = s->n;
    int err = put_body(s, msg, verbosity, ports, tables);
    if (err) {
        str_truncate(s, at);
        str_putf(s, " ***decode error: %s***\n", of_error_name(err));
        of_hex_dump_put(s, msg->data, msg->len, true);
    } else if (s->n == at) {
        str_putc(s, '\n');
    }
}
