/* session.c - the connection of one switch, and what it is told first; see session.h. */
#include "tools/testcontroller/session.h"

#include <stdlib.h>

#include "base/log.h"
#include "flow/packet.h"
#include "openflow/switch.h"
#include "openflow/text.h"

LOG_MODULE(testcontroller);

static void send_buf(struct session *s, struct of_buf *buf)
{
    of_conn_send_buf(s->conn, buf);
    of_buf_fini(buf);
}

void session_flow(struct session *s, struct of_flow_mod *fm)
{
    struct of_buf b = OF_BUF_INIT;
    s->n_flows += fm->command == OF_FLOW_ADD;
    of_flow_mod_encode(fm, of_conn_version(s->conn), of_conn_next_xid(s->conn), &b);
    send_buf(s, &b);
    of_flow_mod_fini(fm);
}

static void packet_out(struct session *s, uint32_t buffer_id, const void *data, size_t n,
                       uint32_t in_port, const struct of_actions *actions)
{
    struct of_packet_out po;
    struct of_buf b = OF_BUF_INIT;
    of_packet_out_init(&po);
    po.buffer_id = buffer_id;
    match_set(&po.metadata, FIELD_IN_PORT, in_port);
    of_actions_copy(&po.actions, actions);
    if (buffer_id == OF_BUFFER_NONE) {
        po.packet = data;
        po.packet_len = n;
    }
    of_packet_out_encode(&po, of_conn_version(s->conn), of_conn_next_xid(s->conn), &b);
    send_buf(s, &b);
    of_packet_out_fini(&po);
}

void session_packet_out(struct session *s, const struct packet_in *in,
                        const struct of_actions *actions)
{
    packet_out(s, in->pin->buffer_id, in->pin->packet, in->pin->packet_len, key_in_port(&in->key),
               actions);
}

void session_packet(struct session *s, const struct packet *packet, uint32_t in_port,
                    const struct of_actions *actions)
{
    packet_out(s, OF_BUFFER_NONE, packet->data, packet->size, in_port, actions);
}

void session_output(const struct session *s, struct of_actions *actions, uint32_t port)
{
    if (s->config->queue >= 0)
        of_put_set_queue(actions, (uint32_t)s->config->queue);
    of_put_output(actions, port);
}

/* --- Set-up */

static void delete_flows(struct session *s)
{
    struct of_flow_mod fm;
    of_flow_mod_init(&fm, OF_FLOW_DELETE);
    fm.table_id = OF_TABLE_ALL;
    fm.out_port = PORT_ANY;
    fm.out_group = OF_GROUP_ANY;
    session_flow(s, &fm);
}

/* From 1.3 on a packet that no flow matches is dropped unless a flow says otherwise. */
static void send_misses_here(struct session *s)
{
    struct of_flow_mod fm;
    if (of_conn_version(s->conn) < OF13_VERSION)
        return;
    of_flow_mod_init(&fm, OF_FLOW_ADD);
    fm.priority = 0;
    of_put_controller(&fm.actions, UINT16_MAX, 0, OF_REASON_NO_MATCH, NULL, 0, false,
                      OF_METER_NONE);
    session_flow(s, &fm);
}

static void send_given_flows(struct session *s)
{
    char *const *text;
    VEC_FOR_EACH (text, &s->config->flows) {
        struct of_flow_mod fm;
        struct diag diag = DIAG_INIT;
        if (of_flow_mod_parse(*text, OF_FLOW_ADD, NULL, NULL, &fm, &diag))
            log_warn("%s: %s", *text, diag_text(&diag)); /* main.c has checked them */
        session_flow(s, &fm);
        diag_fini(&diag);
    }
}

static void ask(struct session *s)
{
    struct of_buf b = OF_BUF_INIT;
    uint8_t version = of_conn_version(s->conn);
    of_simple_encode(OF_FEATURES_REQUEST, version, of_conn_next_xid(s->conn), &b);
    struct of_config config = {.miss_send_len = UINT16_MAX};
    of_config_encode(OF_SET_CONFIG, &config, version, of_conn_next_xid(s->conn), &b);
    if (version > OF10_VERSION)
        of_port_desc_request_encode(PORT_ANY, version, of_conn_next_xid(s->conn), &b);
    send_buf(s, &b);
}

void session_init(struct session *s, const struct testcontroller_config *config,
                  struct of_conn *conn)
{
    *s = (struct session){.config = config, .conn = conn, .macs = HMAP_INIT};
    log_info("%s: connected, OpenFlow version %u", of_conn_name(conn), of_conn_version(conn));
    if (config->mute)
        return;
    ask(s);
    if (!config->no_flows) {
        delete_flows(s);
        send_misses_here(s);
    }
    send_given_flows(s);
    dnat_setup(s);
    arp_setup(s);
}

void session_fini(struct session *s)
{
    learning_forget(s);
}

/* --- Messages */

static void take_ports(struct session *s, const uint8_t *data, size_t n, uint8_t version)
{
    struct of_port port;
    size_t ofs = 0;
    while (of_port_next(data, n, version, &ofs, &port) > 0)
        if (port.number == PORT_LOCAL)
            s->local_mac = port.mac;
    arp_announce(s, PORT_FLOOD);
}

static void take_port_status(struct session *s, const struct of_msg *msg)
{
    struct of_port_status status;
    if (of_port_status_decode(msg, &status))
        return;
    if (status.port.number == PORT_LOCAL)
        s->local_mac = status.port.mac;
    else if (status.reason == OF_PORT_ADD)
        arp_announce(s, status.port.number);
}

static void take_packet(struct session *s, const struct of_msg *msg)
{
    struct of_packet_in pin;
    struct packet packet;
    if (of_packet_in_decode(msg, &pin))
        return;
    s->n_packet_ins++;
    struct packet_in in = {.pin = &pin};
    packet_init_view(&packet, pin.packet, pin.packet_len);
    flow_extract(&packet, &in.key);
    packet_fini(&packet);
    memcpy(&in.key, &pin.metadata.key, offsetof(struct flow_key, eth_dst));
    if (!dnat_packet(s, &in) && !arp_packet(s, &in) && !demand_packet(s, &in))
        learning_packet(s, &in);
}

void session_message(struct session *s, const struct of_msg *msg)
{
    struct of_features f;
    if (s->config->mute)
        return;
    switch (msg->type) {
    case OF_FEATURES_REPLY:
        if (of_features_decode(msg, &f))
            return;
        s->datapath_id = f.datapath_id;
        log_info("%s: datapath id %016llx", of_conn_name(s->conn),
                 (unsigned long long)f.datapath_id);
        if (msg->version == OF10_VERSION)
            take_ports(s, f.ports, f.ports_len, msg->version);
        return;
    case OF_PORT_DESC_REPLY:
        take_ports(s, msg->body, msg->body_len, msg->version);
        return;
    case OF_PACKET_IN:
        take_packet(s, msg);
        return;
    case OF_PORT_STATUS:
        take_port_status(s, msg);
        return;
    case OF_ERROR_MSG:
        log_warn("%s: the switch answers with an error, type and code %08x", of_conn_name(s->conn),
                 msg->body_len >= 4 ? get_be32(msg->body) : 0);
        return;
    default:
        return; /* what happens at the switch is not followed */
    }
}
