/* pinctrl.c - see pinctrl.h. Room 11 of docs/architecture.md: the connection, and which file handles which opcode.
 */
#include "controller/pinctrl/pinctrl.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/log.h"
#include "net/bytes.h"
#include "openflow/switch.h"

LOG_MODULE(pinctrl);

uint32_t pinctrl_reg(const struct pinctrl_event *event, enum field_id id)
{
    return (uint32_t)key_get(&event->pin->metadata.key, id);
}

uint32_t pinctrl_datapath(const struct pinctrl_event *event)
{
    return pinctrl_reg(event, FIELD_METADATA);
}

uint64_t neighbor_hash(const struct neighbor_key *key)
{
    u128 ip = ip_addr_to_u128(&key->ip);
    uint64_t hash = hash_u64((uint64_t)key->datapath << 32 | key->port, (uint64_t)ip);
    return hash_u64((uint64_t)(ip >> 64), hash);
}

bool neighbor_equal(const struct neighbor_key *a, const struct neighbor_key *b)
{
    return a->datapath == b->datapath && a->port == b->port && ip_addr_equal(&a->ip, &b->ip);
}

static const struct {
    uint32_t opcode;
    pinctrl_fn *fn;
    const char *name;
} handlers[] = {
#define OPCODE(ID, HANDLER, NAME) {OPCODE_##ID, HANDLER, NAME},
#include "controller/pinctrl/opcodes.def"
#undef OPCODE
};

const char *pinctrl_handler_name(enum pinctrl_handler handler)
{
    return handlers[handler].name;
}

void pinctrl_packet_in(struct pinctrl *p, const struct of_packet_in *pin)
{
    static struct log_rate rate = LOG_RATE(1, 5);
    enum { HEADER = 8 }; /* opcode and padding */
    p->stats.packet_ins++;
    if (pin->userdata_len < HEADER) {
        p->stats.malformed++;
        log_warn_limited(&rate, "packet-in without opcode");
        return;
    }
    struct pinctrl_event event = {pin, pin->userdata + HEADER, pin->userdata_len - HEADER};
    uint32_t opcode = get_be32(pin->userdata);
    size_t i = 0;
    while (i < N_HANDLERS && handlers[i].opcode != opcode)
        i++;
    if (i == N_HANDLERS) {
        p->stats.unknown_opcodes++;
        log_warn_limited(&rate, "packet-in with unknown opcode %u", opcode);
        return;
    }
    p->stats.handlers[i].packet_ins++;
    if (limit_admit(p, opcode, pin)) {
        uint64_t malformed = p->stats.malformed;
        handlers[i].fn(p, &event);
        p->stats.handlers[i].malformed += p->stats.malformed - malformed;
    } else {
        p->stats.limited++;
        p->stats.handlers[i].limited++;
    }
}

static void on_resume(void *p_)
{
    struct pinctrl *p = p_;
    bool was_paused = p->handled >= PINCTRL_BURST;
    p->handled = 0;
    if (p->conn && was_paused)
        of_conn_pause(p->conn, false);
}

static void on_packet_in(struct pinctrl *p, const struct of_msg *msg)
{
    static struct log_rate rate = LOG_RATE(1, 5);
    struct of_packet_in pin;
    int error = of_packet_in_decode(msg, &pin);
    deferred_schedule(&p->resume);
    if (++p->handled == PINCTRL_BURST)
        of_conn_pause(p->conn, true);
    if (error) {
        p->stats.malformed++;
        log_warn_limited(&rate, "packet-in cannot be read: %s", of_error_name(error));
        return;
    }
    pinctrl_packet_in(p, &pin);
}

static void set_config(struct pinctrl *p)
{
    struct of_config config = {.miss_send_len = 0xffff};
    struct of_buf buf = OF_BUF_INIT;
    of_config_encode(OF_SET_CONFIG, &config, OF15_VERSION, of_conn_next_xid(p->conn), &buf);
    of_conn_send_buf(p->conn, &buf);
    of_buf_fini(&buf);
}

static void on_message(void *p_, struct of_conn *conn UNUSED, const struct of_msg *msg)
{
    static struct log_rate rate = LOG_RATE(6, 5);
    struct pinctrl *p = p_;
    struct of_error_msg error;
    switch (msg->type) {
    case OF_PACKET_IN:
        on_packet_in(p, msg);
        break;
    case OF_FLOW_STATS_REPLY:
        neighbor_counters(p, msg);
        break;
    case OF_ERROR_MSG:
        if (!of_error_decode(msg, &error))
            log_warn_limited(&rate, "OpenFlow error %s", of_error_name(error.error));
        break;
    default:
        log_dbg("ignored message %s", of_type_name(msg->type, msg->version));
        break;
    }
}

static void on_ready(void *p_, struct of_conn *conn)
{
    struct pinctrl *p = p_;
    struct of_buf buf = OF_BUF_INIT;
    p->conn = conn;
    p->handled = 0;
    of_simple_encode(OF_GET_CONFIG_REQUEST, OF15_VERSION, of_conn_next_xid(conn), &buf);
    of_nx_number_encode(OF_NX_SET_PACKET_IN_FORMAT, OF_PIF_NXT2, OF15_VERSION,
                        of_conn_next_xid(conn), &buf);
    of_conn_send_buf(conn, &buf);
    of_buf_fini(&buf);
    set_config(p);
    ra_wake(p);
}

static void on_closed(void *p_, struct of_conn *conn UNUSED, int err UNUSED, const char *reason)
{
    struct pinctrl *p = p_;
    log_info("connection for packets ended: %s", reason);
    p->conn = NULL;
    deferred_cancel(&p->resume);
    put_arp_clear(p);
    put_fdb_clear(p);
    waiting_clear(p);
}

static void port_changed(struct pinctrl *p, const struct sb_port_binding *before,
                         const struct sb_port_binding *after)
{
    ra_port_changed(p, before, after);
    garp_port_changed(p, before, after);
    vport_port_changed(p, before, after);
}

static void port_is_there(const struct sb_port_binding *port, void *p)
{
    port_changed(p, NULL, port);
}

void pinctrl_row_changed(struct pinctrl *p, const struct change *change)
{
    const struct row *row = change->after ? change->after : change->before;
    if (row->table->index == SB_TABLE_PORT_BINDING)
        port_changed(p, change->before ? sb_port_binding_cast(change->before) : NULL,
                     change->after ? sb_port_binding_cast(change->after) : NULL);
    else if (row->table->index == SB_TABLE_MAC_BINDING && change->after)
        pinctrl_neighbor(p, sb_mac_binding_cast(row));
    else if (row->table->index == SB_TABLE_SERVICE_MONITOR)
        svc_row_changed(p, change->before, change->after);
    if (row->table->index == SB_TABLE_MAC_BINDING || row->table->index == SB_TABLE_DATAPATH_BINDING)
        neighbor_start(p);
}

void pinctrl_forget(struct pinctrl *p)
{
    ra_clear(p);
    garp_clear(p);
    vport_clear(p);
    event_clear(p);
    neighbor_clear(p);
    moves_clear(p);
    svc_clear(p);
}

void pinctrl_place_changed(struct pinctrl *p)
{
    ra_wake(p);
    garp_check_all(p);
    neighbor_start(p);
}

struct pinctrl *pinctrl_new(const struct pinctrl_options *options, struct diag *diag)
{
    static const struct of_conn_callbacks callbacks = {on_ready, on_message, NULL, on_closed};
    struct pinctrl *p = NEW(struct pinctrl);
    p->options = *options;
    p->neighbors_max = NEIGHBORS_MAX;
    deferred_init(&p->resume, options->loop, LOOP_LATER, on_resume, p);
    list_init(&p->waiting_order);
    list_init(&p->move_order);
    timer_init(&p->neighbor_timer, options->loop, neighbor_tick, p);
    timer_init(&p->ra_timer, options->loop, ra_run, p);
    timer_init(&p->svc_timer, options->loop, svc_run, p);
    timer_init(&p->garp_timer, options->loop, garp_run, p);
    deferred_init(&p->garp_check, options->loop, LOOP_LATER, garp_check, p);
    timer_init(&p->expiry, options->loop, waiting_expire, p);
    struct reconnect_options reconnect = {.stream = {.rundir = options->rundir,
                                                     .tls = options->tls,
                                                     .default_port = TARGET_PORT_OPENFLOW},
                                          .min_backoff_ms = 100,
                                          .max_backoff_ms = 250};
    struct of_conn_options conn = {
        .versions = 1u << OF15_VERSION, .hello_bitmap = true, .probe_ms = 5000};
    if (of_remote_new(options->loop, options->target, &reconnect, &conn, &callbacks, p, &p->remote,
                      diag)) {
        pinctrl_free(p);
        return NULL;
    }
    sb_index_for_each_port(options->sb, port_is_there, p);
    neighbor_start(p);
    return p;
}

void pinctrl_free(struct pinctrl *p)
{
    if (!p)
        return;
    of_remote_free(p->remote);
    deferred_cancel(&p->resume);
    deferred_cancel(&p->garp_check);
    timer_stop(&p->expiry);
    pinctrl_forget(p);
    hmap_fini(&p->neighbors);
    vec_fini(&p->neighbor_ops);
    hmap_fini(&p->moves);
    hmap_fini(&p->svcs);
    hmap_fini(&p->ras);
    hmap_fini(&p->garps);
    hmap_fini(&p->vports.binds);
    hmap_fini(&p->events.pending);
    put_arp_clear(p);
    put_fdb_clear(p);
    waiting_clear(p);
    limit_clear(&p->limits);
    hmap_fini(&p->limits);
    limit_clear(&p->error_limits);
    hmap_fini(&p->error_limits);
    hmap_fini(&p->put_arps);
    hmap_fini(&p->sent_arps);
    hmap_fini(&p->put_fdbs);
    hmap_fini(&p->waiting);
    free(p);
}

/* What a packet-out holds besides the packet: registers and a few actions. */
enum { PACKET_OUT_ROOM = 8192 };

void pinctrl_send(struct pinctrl *p, const struct match *metadata, const struct of_actions *actions,
                  const void *packet, size_t n)
{
    struct of_packet_out po;
    if (!p->conn)
        return;
    if (n + PACKET_OUT_ROOM > OF_MAX_LEN || actions->n > PACKET_OUT_ROOM / 4) {
        p->stats.packets_dropped++; /* no message holds it */
        return;
    }
    of_packet_out_init(&po);
    for (int i = 0; i < N_REGS; i++) {
        enum field_id id = (enum field_id)(FIELD_REG0 + i);
        u128 value = key_get(&metadata->key, id);
        if (value)
            of_put_set_field(&po.actions, id, value);
    }
    of_put_set_field(&po.actions, FIELD_METADATA, key_get(&metadata->key, FIELD_METADATA));
    of_actions_append(&po.actions, actions->data, actions->n);
    po.packet = packet;
    po.packet_len = n;
    struct of_buf buf = OF_BUF_INIT;
    of_packet_out_encode(&po, OF15_VERSION, of_conn_next_xid(p->conn), &buf);
    of_conn_send_buf(p->conn, &buf);
    of_buf_fini(&buf);
    of_packet_out_fini(&po);
}

void pinctrl_send_nested(struct pinctrl *p, const struct pinctrl_event *event,
                         const struct of_buf *packet)
{
    struct of_actions actions = OF_ACTIONS_INIT;
    if (of_actions_decode(event->args, event->n_args, OF15_VERSION, &actions))
        p->stats.malformed++;
    else
        pinctrl_send(p, &event->pin->metadata, &actions, packet->data, packet->n);
    of_actions_fini(&actions);
}
