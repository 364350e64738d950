/* pinctrl.h - answers to packets that the switch sends up (rows 11 and 12 of docs/architecture.md).
 *
 * The controller's second connection to the bridge. A packet-in carries an opcode in its userdata; opcodes.def lists them, and one
 * file an opcode says what it means. Answers need only what the packet brings along and sb_index, so they go out at once, whatever
 * the engine is doing. Opcodes are those of OVN. At most PINCTRL_BURST messages are handled in a turn of the loop, and no port
 * gets more than its share of each opcode (limit.c).
 */
#pragma once

#include "base/hmap.h"
#include "base/list.h"
#include "base/vec.h"
#include "controller/sb_index.h"
#include "controller/writer.h"
#include "encode/encode.h"
#include "net/addr.h"
#include "openflow/connection.h"
#include "openflow/packet_io.h"

enum {
    PINCTRL_BURST = 50,
    PUT_ARP_MAX = 1024,     /* learned neighbours that wait for a transaction */
    PUT_ARP_AGE_MS = 1000,  /* older ones are dropped */
    WAITING_MAX = 1000,     /* destinations with packets that wait for an answer */
    WAITING_PACKETS = 4,    /* kept for one destination: the latest */
    WAITING_AGE_MS = 10000, /* a destination is given up */
    LIMIT_RATE = 1000,      /* packet-ins a second from one logical port with one opcode */
    LIMIT_BURST = 2048,
    LIMIT_MAX = 4096, /* such limits that are kept */
    ICMP_RATE = 1,    /* ICMP errors a second from one datapath to one host */
    ICMP_BURST = 6,
    ARP_INTERVAL_MS = 1000, /* between two requests for one destination */
    NEIGHBORS_MAX = 16384,  /* learned on one router port */
};

struct pinctrl_options {
    struct loop *loop;
    const char *target, *rundir;
    const struct tls_config *tls;
    const struct sb_index *sb;
    struct action_pool *actions; /* for periodic router advertisements; NULL: there are none */
    void (*wake)(void *aux);     /* there is something to write */
    void *aux;
};

/* The rows of opcodes.def. */
enum pinctrl_handler {
#define OPCODE(ID, HANDLER, NAME) HANDLER_##ID,
#include "controller/pinctrl/opcodes.def"
#undef OPCODE
    N_HANDLERS
};

struct pinctrl_stats {
    uint64_t packet_ins, malformed, unknown_opcodes, limited;
    uint64_t answered, unanswered; /* requests that were resumed */
    uint64_t unanswerable;         /* packets to which no error may be sent */
    uint64_t errors_limited;       /* their sender has had too many */
    uint64_t ras_sent, garps_sent, events, events_dropped, vports_bound;
    uint64_t arp_sent, arp_limited, packets_waiting, packets_released, packets_dropped;
    uint64_t neighbors_refreshed, neighbors_probed, neighbors_aged; /* neighbor.c */
    uint64_t checks_sent, checks_failed;
    uint64_t neighbors_moved, neighbors_duplicate, neighbors_over_limit;
    uint64_t learned, put_arp_full, put_arp_unknown_port, put_arp_old;
    struct {
        uint64_t packet_ins, limited, malformed;
    } handlers[N_HANDLERS];
};

struct vport_state {
    struct hmap binds; /* virtual ports to be bound or released, by uuid */
};
struct event_state {
    struct hmap pending;
    int64_t seq;
};

struct neighbor_op { /* a row of MAC_Binding: young again, or gone */
    struct uuid row;
    bool is_gone;
};

struct pinctrl {
    struct pinctrl_options options;
    struct of_remote *remote;
    struct of_conn *conn; /* NULL: not connected */
    struct deferred resume;
    unsigned handled; /* in this turn */
    struct hmap put_arps, put_fdbs, limits, error_limits;
    struct hmap sent_arps; /* put_arps whose transaction is on its way */
    struct hmap waiting;
    struct list waiting_order; /* the oldest first */
    struct timer expiry;
    struct hmap ras, garps;
    VEC(struct uuid) resident_nats; /* ports with addresses that go with other ports */
    struct timer ra_timer, garp_timer;
    struct deferred garp_check;
    struct vport_state vports;
    struct event_state events;
    size_t neighbors_max;  /* NEIGHBORS_MAX; tests have less */
    struct hmap neighbors; /* rows of MAC_Binding that age */
    VEC(struct neighbor_op) neighbor_ops;
    struct timer neighbor_timer;
    bool is_counting; /* counters have been asked for */
    struct hmap svcs; /* rows of Service_Monitor */
    struct timer svc_timer;
    struct hmap moves;
    struct list move_order; /* the oldest first */
    struct pinctrl_stats stats;
};

struct pinctrl *pinctrl_new(const struct pinctrl_options *options,
                            struct diag *diag); /* NULL: a bad target */
void pinctrl_free(struct pinctrl *pinctrl);
/* Writes learned neighbours to MAC_Binding, and learned Ethernet addresses to FDB. */
void pinctrl_write(struct pinctrl *pinctrl, struct writer *writer);
/* A row of SB has come, changed or gone; sb_index knows it already. */
void pinctrl_row_changed(struct pinctrl *pinctrl, const struct change *change);
void pinctrl_forget(struct pinctrl *pinctrl); /* all rows are gone */
/* A row of MAC_Binding has come or changed: sends the packets that wait for it. */
void pinctrl_neighbor(struct pinctrl *pinctrl, const struct sb_mac_binding *row);
/* Our chassis row, the set of local datapaths, or all of SB has changed in sb_index. */
void pinctrl_place_changed(struct pinctrl *pinctrl);
/* Handles a packet-in; without a connection the answer is lost. */
void pinctrl_packet_in(struct pinctrl *pinctrl, const struct of_packet_in *pin);
/* neighbor_show.c: appends a table of who is known behind PORT (NULL: all router ports), and what waits for an answer. False: no
 * port has that name. */
bool neighbor_show(struct pinctrl *pinctrl, const char *port, struct str *out);
const char *pinctrl_handler_name(enum pinctrl_handler handler);

/* ---- Between the files of this folder ---- */

/* A packet-in, with its userdata behind the opcode. */
struct pinctrl_event {
    const struct of_packet_in *pin;
    const uint8_t *args;
    size_t n_args;
};
typedef void pinctrl_fn(struct pinctrl *pinctrl, const struct pinctrl_event *event);
#define OPCODE(ID, HANDLER, NAME) pinctrl_fn HANDLER;
#include "controller/pinctrl/opcodes.def"
#undef OPCODE

uint32_t pinctrl_reg(const struct pinctrl_event *event, enum field_id id);
uint32_t pinctrl_datapath(const struct pinctrl_event *event); /* its key */

/* A port's neighbour: what is asked for, waited for and learned. */
struct neighbor_key {
    uint32_t datapath, port; /* keys */
    struct ip_addr ip;
};
uint64_t neighbor_hash(const struct neighbor_key *key);
bool neighbor_equal(const struct neighbor_key *a, const struct neighbor_key *b);

/* inject.c: PACKET enters the datapath of PORT as if it had come in there. False: it cannot now. */
bool inject(struct pinctrl *pinctrl, const struct sb_port_binding *port, bool is_local_only,
            const struct of_buf *packet);
/* The switch port behind a router port, or NULL: what is said there is not this hypervisor's business. */
const struct sb_port_binding *inject_source(struct pinctrl *pinctrl, const char *router_port,
                                            const char *peer);
/* PACKET leaves by PORT, through its datapath's egress pipeline. */
bool inject_output(struct pinctrl *pinctrl, const struct sb_port_binding *port,
                   const struct of_buf *packet);
bool pinctrl_is_ours(const struct pinctrl *pinctrl,
                     const struct sb_port_binding *port); /* NULL: it is not */
/* ra.c */
void ra_port_changed(struct pinctrl *pinctrl, const struct sb_port_binding *before,
                     const struct sb_port_binding *after);
void ra_wake(struct pinctrl *pinctrl); /* what could not be sent is tried */
void ra_run(void *pinctrl);
void ra_clear(struct pinctrl *pinctrl);
/* garp.c */
void garp_port_changed(struct pinctrl *pinctrl, const struct sb_port_binding *before,
                       const struct sb_port_binding *after);
void garp_check_all(struct pinctrl *pinctrl); /* later in this turn */
void garp_check(void *pinctrl);
void garp_run(void *pinctrl);
void garp_clear(struct pinctrl *pinctrl);
/* neighbor.c */
void neighbor_start(struct pinctrl *pinctrl); /* there may be something that ages */
void neighbor_tick(void *pinctrl);
void neighbor_counters(struct pinctrl *pinctrl, const struct of_msg *reply);
void neighbor_write(struct pinctrl *pinctrl, struct writer *writer);
void neighbor_clear(struct pinctrl *pinctrl);
/* Seconds after which the neighbour is forgotten, 0: never. */
uint32_t neighbor_threshold(const struct pinctrl *pinctrl, const struct sb_mac_binding *row,
                            const struct ip_addr *ip);
/* moves.c: KEY was known by BEFORE */
void moves_note(struct pinctrl *pinctrl, const struct neighbor_key *key, const char *port,
                struct mac before, struct mac after);
void moves_clear(struct pinctrl *pinctrl);
/* svc.c */
void svc_row_changed(struct pinctrl *pinctrl, const struct row *before, const struct row *after);
void svc_run(void *pinctrl);
void svc_write(struct pinctrl *pinctrl, struct writer *writer);
void svc_clear(struct pinctrl *pinctrl);
/* bind_vport.c */
void vport_port_changed(struct pinctrl *pinctrl, const struct sb_port_binding *before,
                        const struct sb_port_binding *after);
void vport_write(struct pinctrl *pinctrl, struct writer *writer);
void vport_clear(struct pinctrl *pinctrl);
/* event.c */
void event_write(struct pinctrl *pinctrl, struct writer *writer);
void event_clear(struct pinctrl *pinctrl);
/* limit.c: false: the port has sent too much */
bool limit_admit(struct pinctrl *pinctrl, uint32_t opcode, const struct of_packet_in *pin);
/* false: TO has had too many ICMP errors from the datapath of PIN */
bool limit_admit_error(struct pinctrl *pinctrl, const struct of_packet_in *pin,
                       const struct ip_addr *to);
void limit_clear(struct hmap *limits);
/* put_arp.c */
void put_arp_clear(struct pinctrl *pinctrl);
/* put_fdb.c */
void put_fdb_write(struct pinctrl *pinctrl, struct writer *writer);
void put_fdb_clear(struct pinctrl *pinctrl);
/* waiting.c: keeps a copy of the packet until its next hop is known. True: it is time to ask for it (again). */
bool waiting_add(struct pinctrl *pinctrl, const struct pinctrl_event *event,
                 const struct ip_addr *next_hop);
void waiting_release(struct pinctrl *pinctrl, const struct neighbor_key *key, struct mac mac);
void waiting_expire(void *pinctrl);
void waiting_clear(struct pinctrl *pinctrl);
/* N: packets that wait. */
void waiting_for_each(const struct pinctrl *pinctrl,
                      void (*fn)(const struct neighbor_key *key, int64_t age_ms, unsigned n,
                                 void *aux),
                      void *aux);
/* Sends a packet through the pipeline with the registers of METADATA; ACTIONS follow them. */
void pinctrl_send(struct pinctrl *pinctrl, const struct match *metadata,
                  const struct of_actions *actions, const void *packet, size_t n);
/* The same with the actions that came along in EVENT. They are malformed when PACKET is not sent. */
void pinctrl_send_nested(struct pinctrl *pinctrl, const struct pinctrl_event *event,
                         const struct of_buf *packet);

/* resume.c: a request whose packet the switch keeps until it is answered. */
struct request {
    const struct pinctrl_event *event;
    struct subfield bit; /* takes the answer; n_bits 0: not known */
    const uint8_t *args; /* behind it */
    size_t n_args;
};
/* False: the request makes no sense; it has been refused. */
bool request_begin(struct pinctrl *pinctrl, const struct pinctrl_event *event, struct request *ret);
/* Each of these ends it: with 1 and another packet; with 0 because there is no answer; or because it makes no sense. */
void request_answer(struct pinctrl *pinctrl, const struct request *request,
                    const struct of_buf *packet);
void request_decline(struct pinctrl *pinctrl, const struct request *request);
void request_refuse(struct pinctrl *pinctrl, const struct request *request);
