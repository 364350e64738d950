/* port.h - where packets enter and leave the switch: one vtable, one file a kind.
 *
 *     af_packet.c  system    an existing network device, through a packet socket with virtio-net headers
 *     packet_ring.c          what it receives with; packet_send.c: what it sends with
 *     device_io.c            both, opened and closed by chores (chores.c, port_chore.c)
 *     af_xdp.c     afxdp     the same, through AF_XDP sockets (xdp_socket.c) and a program (xdp_program.c)
 *     tap.c        internal  a tap device of the switch's own (also type "tap")
 *     dummy.c      dummy     no device: packets come from the control socket, go to a pcap file
 *     geneve.c     geneve    tunnels over the kernel's UDP (tunnel.c has what they share)
 *     vxlan.c      vxlan
 *
 * (Patch ports have no device: the translation walks through them.)
 *
 * A port reads batches of up to PORT_BATCH packets and hands them to its host (port_receive), which may change them; the
 * buffers stay the port's (packet.h: lent). What the host sends meanwhile is queued, and leaves with one system call a
 * port when the whole batch has been through: nothing waits for more to come. Outside of port_receive a packet leaves
 * at once. port_send leaves the packet as it was. A port promises to count everything that it loses. It does not know
 * bridges or OpenFlow numbers: `owner` is the host's.
 *
 * Packets carry offloads as virtio-net headers do (csum_partial, gso_type). A class that cannot pass
 * them on uses port/offload.h to finish checksums and cut segments in software.
 */
#pragma once

#include <pthread.h>

#include "base/diag.h"
#include "base/env.h"
#include "daemon/counter.h"
#include "flow/packet.h"
#include "io/loop.h"
#include "switchd/dp.h"
#include "switchd/forward/watch.h"
#include "switchd/port/busy_poll.h"
#include "switchd/smap.h"
#include "switchd/tlv.h"

enum { PORT_BATCH = 64, PORT_FRAME_MAX = 65536 + 64, PORT_NAME_MAX = 15 };

struct mmsghdr;
struct port;
struct bypass;       /* port/bypass.h */
struct chores;       /* port/chores.h */
struct forwarders;   /* forward/forwarder.h */
struct tunnel_table; /* port/tunnel.h */
struct tunnel_wire;
struct tunnel_senders;
struct packet_send;

/* What a thread reads packets with. */
struct port_io {
    struct packet *batch; /* PORT_BATCH packets */
    uint8_t *buffers;     /* one for each; see port_packet */
    bool receiving;       /* what is sent waits for the end of the batch, */
    int64_t now_ms;       /* which came then */
    void *worker;         /* the host's own of this thread: see port_host.worker_new */
};
/* A forwarder's, whose first member it is (forward/lane.h); NULL in a loop's thread. */
extern _Thread_local struct port_io *port_io_here;

/* What one thread has sent and not flushed. */
struct port_out {
    struct port_host *host;
    uint8_t *kept; /* copies of what is queued; see port_keep */
    size_t n_kept;
    struct tunnel_senders *tunnels; /* port/tunnel_parts.h; NULL: none yet */
    struct packet_send *beside;     /* port/packet_send.h; the same */
    bool is_beside;                 /* it is used now */
    uint64_t n_lost;                /* a forwarder's, to be counted when it is inside again */
};
struct tun_store; /* switchd/tun_store.h */

struct port_host {
    struct loop *loop;
    struct env *env;
    struct counters *counters;
    /* Received packets; md.in_port is not set, md.tunnel is for tunnels. */
    void (*rx)(void *aux, struct port *port, struct packet *packets, size_t n);
    void (*begun)(void *aux, struct port *port); /* one that was opening is open; or NULL */
    /* One could not be opened (port->error), or its device's speed is another; or NULL. */
    void (*changed)(void *aux, struct port *port);
    /* For each forwarder, what the host keeps for it (port_io.worker), and what that counted, which the main thread collects when it takes the whole. NULL: nothing. */
    void *(*worker_new)(void *aux);
    void (*worker_free)(void *aux, void *worker);
    void (*worker_collect)(void *aux, void *worker);
    void *aux;
    bool dummy_override;          /* tests: devices are dummies */
    struct tunnel_wire *wire;     /* tests: in the kernel's place; or NULL */
    struct tunnel_table *tunnels; /* made on first use, as is */
    struct tun_store *tun_opts;   /* of received packets: where their numbers come from */
    struct bypass *bypass;
    struct chores *chores;
    struct chores *questions; /* others, of what nobody waits for */

    struct list watches;           /* forward/watch.h */
    struct forwarders *forwarders; /* threads that share the work; NULL: none */
    unsigned n_wanted;             /* of them */
    struct busy_poll poll;         /* of the loop's thread */
    struct deferred look;

    /* Of the loop's thread. */
    struct port_io io;
    struct list queued; /* ports whose output waits for the end of the batch */
    struct port_out out;
    struct counter *send_failed, *sent_beside, *alone;
};

struct port_stats {
    uint64_t rx_packets, rx_bytes, rx_dropped, rx_errors;
    uint64_t tx_packets, tx_bytes, tx_dropped, tx_errors;
};

struct port_status {
    struct mac mac;
    uint32_t mtu;
    uint32_t ifindex;    /* 0: no device */
    uint32_t speed_mbps; /* 0: unknown */
    bool admin_up, link_up, full_duplex;
    const char *packet_io; /* how packets cross (Interface.status:packet_io); NULL: not told */
};

/* Whose device it is, as Interface.status says. */
struct port_driver {
    char name[32], version[32], firmware[32];
};

struct port_class {
    const char *type;
    bool is_tunnel;
    /* Makes a port and starts reading. DIAG in the words of the Interface's error column. */
    int (*open)(struct port_host *host, const char *name, const struct smap *options,
                struct port **ret, struct diag *diag);
    /* Takes new options; may be NULL. */
    int (*configure)(struct port *port, const struct smap *options, struct diag *diag);
    /* Send and flush may be called by several threads at once: what they queue is OUT's. */
    bool parallel;
    /* Sends or queues; see port_send. */
    int (*send)(struct port *port, struct port_out *out, const struct packet *packet,
                const struct dp_tunnel *tunnel, bool last);
    /* Sends what is queued; NULL: send does not queue. */
    void (*flush)(struct port *port, struct port_out *out);
    void (*refresh)(struct port *port); /* reads the device's state into status; may be NULL */
    void (*close)(struct port *port);   /* frees PORT, after port_fini */
    /* Begin to change the device (device_settings.h); may be NULL. */
    void (*set_mtu)(struct port *port, uint32_t mtu);
    void (*set_mac)(struct port *port, struct mac mac);
};

struct port {
    const struct port_class *class;
    struct port_host *host;
    char *name;
    void *owner;
    const struct tlv_map *tlvs; /* tunnels: set by the owner */
    struct list queue_node;     /* in host.queued while `queued` */
    bool queued;
    /* Forwarders may send by it; set by its class, which then keeps send and flush to PORT's own things, or is parallel. */
    bool any_thread;
    bool has_beside; /* a thread that finds `sending` taken has another way out: port_out.beside */
    bool opening;    /* what it stands on is not there yet, but will be: port_begun */
    char *error;     /* why it will never be: port_failed; NULL: it is, or will be */
    pthread_mutex_t sending; /* see port_lock */
    struct port_stats stats;
    struct port_status status;
    struct port_driver driver;
    struct list chores; /* of it that are not done (port_chore.h) */
};

void port_host_init(struct port_host *host, struct loop *loop, struct env *env,
                    struct counters *counters,
                    void (*rx)(void *aux, struct port *port, struct packet *packets, size_t n),
                    void *aux);
void port_host_fini(struct port_host *host);

/* For classes: PORT is open. */
void port_begun(struct port *port);
/* For classes: PORT could not be opened, WHY in the words of the Interface's error column; its owner closes it, and tries again. */
void port_failed(struct port *port, const char *why);
/* The class of an Interface's type ("" is system), or NULL. */
const struct port_class *port_class_find(const char *type);
/* All classes, ended by NULL. */
extern const struct port_class *const port_classes[];

int port_open(struct port_host *host, const char *type, const char *name,
              const struct smap *options, struct port **ret, struct diag *diag) MUST_CHECK;
void port_close(struct port *port); /* NULL is allowed */
/* Sends PACKET, now or with its batch, and counts; what cannot be sent is counted as dropped, by port and reason. TUNNEL is
 * for tunnel ports, and used before the return. LAST: nobody changes the packet any more, so that a queue may refer to
 * the bytes of a lent one. */
void port_send(struct port *port, const struct packet *packet, const struct dp_tunnel *tunnel,
               bool last);

/* Hands PACKET to the class; what it takes is the caller's to count (port_count_sent), and what it queues in OUT the caller's to flush. False: it is lost, and
 * counted. */
bool port_hand(struct port *port, struct port_out *out, const struct packet *packet,
               const struct dp_tunnel *tunnel, bool last);
struct port_stats port_stats_read(struct port *port);

/* For classes: the common part. */
void port_init(struct port *port, const struct port_class *class, struct port_host *host,
               const char *name);
void port_fini(struct port *port);
void port_io_init(struct port_io *io);
void port_io_fini(struct port_io *io);
/* This thread's. */
static inline struct port_io *port_io(struct port_host *host)
{
    return port_io_here ? port_io_here : &host->io;
}
static inline struct packet *port_batch(struct port_host *host)
{
    return port_io(host)->batch;
}
/* Empties packet I of the batch: a lent buffer with headroom and PORT_FRAME_MAX behind it. */
struct packet *port_packet(struct port_host *host, size_t i);
/* The time for what happens to packets: that of their batch. Milliseconds of the env's monotonic clock. */
static inline int64_t port_host_now_ms(struct port_host *host)
{
    const struct port_io *io = port_io(host);
    return io->receiving ? io->now_ms : env_now_ms(host->env);
}
/* Gives the host the first N packets of the batch, of PORT, counts them and sends what comes out. */
void port_receive(struct port *port, size_t n);
/* The bytes of PACKET with room for HEAD in front of them, which stay until the flush: its own or a copy. NULL: they are too many
 * to copy; what is queued must be flushed before send returns. */
uint8_t *port_keep(struct port_out *out, const struct packet *packet, bool last, size_t head);
/* N bytes that stay until the flush; NULL: there is no more room. */
uint8_t *port_out_room(struct port_out *out, size_t n);
/* Flushes all that is in OUT; there is room again. */
void port_out_flush(struct port_out *out);
void port_out_init(struct port_out *out, struct port_host *host);
void port_out_fini(struct port_out *out);
/* Around send and flush by OUT, where there are forwarders and the class is not parallel. */
void port_lock(struct port *port, struct port_out *out);
void port_unlock(struct port *port, struct port_out *out);
/* Between these, what is sent is queued, as in port_receive. */
void port_host_begin(struct port_host *host);
void port_host_end(struct port_host *host);
/* Sends what all ports of the host have queued. */
void port_host_flush(struct port_host *host);
/* Adds N to WHAT, one of PORT's statistics, which several threads may do at once. */
void port_count(const struct port *port, uint64_t *what, uint64_t n);
/* Counts N packets that are lost on their way out. */
void port_count_lost(struct port *port, struct port_out *out, size_t n);
/* Counts N packets that send took. */
void port_count_sent(struct port *port, size_t n, size_t bytes);
/* Counts N packets that send took and flush could not send. */
void port_count_unsent(struct port *port, struct port_out *out, size_t n, size_t bytes);
/* Sends N messages of packets of so many BYTES; those that the kernel refuses are left out, and counted. */
void port_send_messages(struct port *port, struct port_out *out, int fd, struct mmsghdr *msgs,
                        const uint32_t *bytes, size_t n);

extern const struct port_class port_class_system, port_class_afxdp, port_class_internal,
    port_class_tap, port_class_dummy, port_class_geneve, port_class_vxlan;
