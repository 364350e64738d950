/* port.c - what all kinds of ports share; see port.h. */
#include "switchd/port/port.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "switchd/forward/forwarder.h"
#include "switchd/forward/lane.h"
#include "switchd/port/bypass.h"
#include "switchd/port/packet_send.h"
#include "switchd/port/port_chore.h"
#include "switchd/port/tunnel.h"
#include "switchd/tun_store.h"

const struct port_class *const port_classes[] = {
    &port_class_system, &port_class_afxdp,  &port_class_internal, &port_class_tap,
    &port_class_dummy,  &port_class_geneve, &port_class_vxlan,    NULL,
};

const struct port_class *port_class_find(const char *type)
{
    if (!*type)
        type = "system";
    for (size_t i = 0; port_classes[i]; i++) {
        if (!strcmp(port_classes[i]->type, type))
            return port_classes[i];
    }
    return NULL;
}

enum {
    BUFFER_SIZE = PACKET_HEADROOM + PORT_FRAME_MAX,
    KEEP_MAX = 128 << 10, /* copies of queued packets */
    KEEP_PACKET = 4096    /* larger ones are sent at once, which is cheaper than the copy */
};

_Thread_local struct port_io *port_io_here;

void port_io_init(struct port_io *io)
{
    *io = (struct port_io){.batch = xcalloc(PORT_BATCH, sizeof *io->batch),
                           .buffers = xmalloc((size_t)PORT_BATCH * BUFFER_SIZE)};
}

void port_io_fini(struct port_io *io)
{
    free(io->batch);
    free(io->buffers);
}

/* A call that is put off until the next turn keeps the loop from sleeping before it. */
static void look(void *host_)
{
    struct port_host *host = host_;
    if (!host->env->one_thread && busy_poll_gathers(&host->poll, env_now_us(host->env)))
        busy_poll_nap();
    if (busy_poll_goes_on(&host->poll, loop_now_us(host->loop)))
        deferred_schedule(&host->look);
}

static void note_packets(struct port_host *host, size_t n)
{
    host->poll.n_packets += (unsigned)n;
    busy_poll_saw(&host->poll, loop_now_us(host->loop));
    if (host->poll.armed || n > 1)
        deferred_schedule(&host->look);
}

void port_host_init(struct port_host *host, struct loop *loop, struct env *env,
                    struct counters *counters,
                    void (*rx)(void *aux, struct port *port, struct packet *packets, size_t n),
                    void *aux)
{
    *host =
        (struct port_host){.loop = loop, .env = env, .counters = counters, .rx = rx, .aux = aux};
    port_io_init(&host->io);
    port_out_init(&host->out, host);
    list_init(&host->queued);
    list_init(&host->watches);
    host->chores = chores_new(loop);
    host->questions = chores_new(loop);
    busy_poll_init(&host->poll, counters);
    deferred_init(&host->look, loop, LOOP_OUTPUT, look, host);
    host->tun_opts = NEW(struct tun_store);
    tun_store_init(host->tun_opts);
    host->send_failed = counter_get(counters, drop_counter(DROP_SEND));
    host->sent_beside = counter_get(counters, "batch_sent_beside");
    host->alone = counter_get(counters, "batch_alone");
}

void port_begun(struct port *port)
{
    if (port->opening && port->host->begun)
        port->host->begun(port->host->aux, port);
    port->opening = false;
}

void port_failed(struct port *port, const char *why)
{
    port->error = xstrdup(why);
    if (port->host->changed)
        port->host->changed(port->host->aux, port);
}

void port_host_fini(struct port_host *host)
{
    chores_free(host->chores);
    chores_free(host->questions);
    port_io_fini(&host->io);
    port_out_fini(&host->out);
    tunnel_table_free(host->tunnels);
    tun_store_fini(host->tun_opts);
    free(host->tun_opts);
    bypass_free(host->bypass);
    deferred_cancel(&host->look);
}

struct packet *port_packet(struct port_host *host, size_t i)
{
    struct port_io *io = port_io(host);
    uint8_t *base = io->buffers + i * BUFFER_SIZE;
    packet_init_lent(&io->batch[i], base, BUFFER_SIZE, base + PACKET_HEADROOM, 0);
    return &io->batch[i];
}

void port_lock(struct port *port, struct port_out *out)
{
    if (!port->host->forwarders || port->class->parallel)
        return;
    if (!pthread_mutex_trylock(&port->sending))
        return;
    out->is_beside = port->has_beside && out != &port->host->out && packet_send_beside(out, port);
    if (out->is_beside)
        counter_add(port->host->sent_beside, 1);
    else
        pthread_mutex_lock(&port->sending);
}

void port_unlock(struct port *port, struct port_out *out)
{
    if (port->host->forwarders && !port->class->parallel && !out->is_beside)
        pthread_mutex_unlock(&port->sending);
    out->is_beside = false;
}

void port_host_flush(struct port_host *host)
{
    struct port *port, *next;
    LIST_FOR_EACH_SAFE (port, next, queue_node, &host->queued) {
        list_remove(&port->queue_node);
        port->queued = false;
        port_lock(port, &host->out);
        port->class->flush(port, &host->out);
        port_unlock(port, &host->out);
    }
    host->out.n_kept = 0;
}

void port_host_begin(struct port_host *host)
{
    host->io.now_ms = env_now_ms(host->env);
    host->io.receiving = true;
}

void port_host_end(struct port_host *host)
{
    host->io.receiving = false;
    port_host_flush(host);
}

void port_count(const struct port *port, uint64_t *what, uint64_t n)
{
    if (port->host->forwarders)
        (void)__atomic_fetch_add(what, n, __ATOMIC_RELAXED);
    else
        *what += n;
}

void port_receive(struct port *port, size_t n)
{
    struct port_host *host = port->host;
    struct port_io *io = port_io(host);
    uint64_t n_bytes = 0;
    for (size_t i = 0; i < n; i++)
        n_bytes += io->batch[i].size;
    port_count(port, &port->stats.rx_bytes, n_bytes);
    port_count(port, &port->stats.rx_packets, n);
    io->now_ms = env_now_ms(host->env);
    io->receiving = true;
    if (io == &host->io)
        note_packets(host, n);
    host->rx(host->aux, port, io->batch, n);
    if (io == &host->io)
        port_host_end(host);
    else /* a forwarder sends what it has noted: lent bytes where they lie, copies of others */
        io->receiving = false;
    for (size_t i = 0; i < n; i++)
        packet_fini(&io->batch[i]);
}

void port_out_init(struct port_out *out, struct port_host *host)
{
    *out = (struct port_out){.host = host, .kept = xmalloc(KEEP_MAX)};
}

void port_out_fini(struct port_out *out)
{
    free(out->kept);
    tunnel_senders_free(out->tunnels);
    packet_send_beside_free(out->beside);
}

uint8_t *port_out_room(struct port_out *out, size_t n)
{
    if (out->n_kept + n > KEEP_MAX)
        return NULL;
    uint8_t *room = out->kept + out->n_kept;
    out->n_kept += n;
    return room;
}

void port_out_flush(struct port_out *out)
{
    tunnel_senders_flush(out);
    if (out == &out->host->out)
        port_host_flush(out->host);
    out->n_kept = 0;
}

uint8_t *port_keep(struct port_out *out, const struct packet *packet, bool last, size_t head)
{
    if (packet->lent && last && packet->data - packet->base >= (ptrdiff_t)head)
        return packet->data - head;
    bool may = packet->size <= KEEP_PACKET;
    uint8_t *copy = may ? port_out_room(out, head + packet->size) : NULL;
    return copy ? memcpy(copy + head, packet->data, packet->size), copy : NULL;
}

void port_count_lost(struct port *port, struct port_out *out, size_t n)
{
    port_count(port, &port->stats.tx_dropped, n);
    if (out == &port->host->out)
        counter_add(port->host->send_failed, n);
    else
        out->n_lost += n;
}

void port_count_unsent(struct port *port, struct port_out *out, size_t n, size_t bytes)
{
    port_count(port, &port->stats.tx_packets, -(uint64_t)n);
    port_count(port, &port->stats.tx_bytes, -(uint64_t)bytes);
    port_count_lost(port, out, n);
}

void port_send_messages(struct port *port, struct port_out *out, int fd, struct mmsghdr *msgs,
                        const uint32_t *bytes, size_t n)
{
    for (size_t done = 0; done < n;) {
        int sent = sendmmsg(fd, msgs + done, (unsigned)(n - done), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent <= 0) {
            port_count_unsent(port, out, 1, bytes[done]);
            sent = 1;
        }
        done += (size_t)sent;
    }
}

int port_open(struct port_host *host, const char *type, const char *name,
              const struct smap *options, struct port **ret, struct diag *diag)
{
    const struct port_class *class = port_class_find(type);
    if (class && !class->is_tunnel && host->dummy_override)
        class = &port_class_dummy;
    if (!class)
        return diag_set(diag, ERR_UNSUPPORTED, "could not create a port of unknown type %s", type);
    return class->open(host, name, options, ret, diag);
}

void port_close(struct port *port)
{
    if (!port)
        return;
    forwarders_settle(port->host);
    port->class->close(port);
}

bool port_hand(struct port *port, struct port_out *out, const struct packet *packet,
               const struct dp_tunnel *tunnel, bool last)
{
    if (!port->class->send(port, out, packet, tunnel, last))
        return true;
    port_count_lost(port, out, 1);
    return false;
}

void port_count_sent(struct port *port, size_t n, size_t bytes)
{
    port_count(port, &port->stats.tx_packets, n);
    port_count(port, &port->stats.tx_bytes, bytes);
}

void port_send(struct port *port, const struct packet *packet, const struct dp_tunnel *tunnel,
               bool last)
{
    struct port_host *host = port->host;
    if (port_io_here) {
        lane_put(lane_here(), port, packet, tunnel, last);
        return;
    }
    port_lock(port, &host->out);
    if (port_hand(port, &host->out, packet, tunnel, last))
        port_count_sent(port, 1, packet->size);
    port_unlock(port, &host->out);
    if (!port->class->flush)
        return;
    if (!port->queued) {
        port->queued = true;
        list_push_back(&host->queued, &port->queue_node);
    }
    if (!host->io.receiving)
        port_host_flush(host);
}

void port_init(struct port *port, const struct port_class *class, struct port_host *host,
               const char *name)
{
    memset(port, 0, sizeof *port);
    port->class = class;
    port->host = host;
    port->name = xstrdup(name);
    list_init(&port->chores);
    pthread_mutex_init(&port->sending, NULL);
}

struct port_stats port_stats_read(struct port *port)
{
    const struct port_stats *s =
        &port->stats; /* what is received is counted inside (forward/turn.h) */
    return (struct port_stats){.rx_packets = s->rx_packets,
                               .rx_bytes = s->rx_bytes,
                               .rx_dropped = s->rx_dropped,
                               .rx_errors = s->rx_errors,
                               .tx_packets = __atomic_load_n(&s->tx_packets, __ATOMIC_RELAXED),
                               .tx_bytes = __atomic_load_n(&s->tx_bytes, __ATOMIC_RELAXED),
                               .tx_dropped = __atomic_load_n(&s->tx_dropped, __ATOMIC_RELAXED),
                               .tx_errors = s->tx_errors};
}

void port_fini(struct port *port)
{
    if (port->queued)
        list_remove(&port->queue_node);
    port_chores_leave(port);
    pthread_mutex_destroy(&port->sending);
    free(port->error);
    free(port->name);
}
