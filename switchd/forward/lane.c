/* lane.c - see lane.h. */
#include "switchd/forward/lane.h"

#include <stdlib.h>

void lane_init(struct port_lane *lane)
{
    *lane = (struct port_lane){.batch = xcalloc(PORT_BATCH, sizeof *lane->batch),
                               .buffers = port_buffers_new()};
}

void lane_fini(struct port_lane *lane)
{
    free(lane->batch);
    free(lane->buffers);
    vec_fini(&lane->out);
}

static void exchange(struct port_lane *lane, struct port_host *host)
{
    struct packet *batch = host->batch;
    uint8_t *buffers = host->buffers;
    host->batch = lane->batch;
    host->buffers = lane->buffers;
    lane->batch = batch;
    lane->buffers = buffers;
}

void lane_enter(struct port_lane *lane, struct port_host *host)
{
    exchange(lane, host);
    host->lane = lane;
}

void lane_leave(struct port_lane *lane, struct port_host *host)
{
    exchange(lane, host);
    host->lane = NULL;
}

void lane_put(struct port_lane *lane, struct port *port, const struct packet *packet, bool last)
{
    struct outgoing *o = vec_push_zero(&lane->out);
    o->port = port;
    o->order = (uint32_t)lane->out.n;
    if (last && packet->lent)
        o->packet = *packet;
    else
        packet_clone_into(&o->packet, packet);
}

static int by_port(const void *a_, const void *b_)
{
    const struct outgoing *a = a_, *b = b_;
    if (a->port != b->port)
        return a->port < b->port ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

static bool is_of_one_port(const struct port_lane *lane)
{
    for (size_t i = 1; i < lane->out.n; i++) {
        if (lane->out.data[i].port != lane->out.data[0].port)
            return false;
    }
    return true;
}

/* Sends all that is for the port of number I; the number behind it. A copy may be referred to until the flush, as it is kept until then. */
static size_t send_to_one(struct port_lane *lane, size_t i)
{
    struct port *port = lane->out.data[i].port;
    pthread_mutex_lock(&port->sending);
    port->by_lane = true;
    for (; i < lane->out.n && lane->out.data[i].port == port; i++) {
        struct packet view = lane->out.data[i].packet;
        view.lent = true;
        port_hand(port, &view, NULL, true);
    }
    if (port->class->flush)
        port->class->flush(port);
    port->by_lane = false;
    lane->n_unsent += port->n_unsent;
    port->n_unsent = 0;
    pthread_mutex_unlock(&port->sending);
    return i;
}

void lane_send(struct port_lane *lane)
{
    if (!is_of_one_port(lane))
        qsort(lane->out.data, lane->out.n, sizeof lane->out.data[0], by_port);
    for (size_t i = 0; i < lane->out.n;)
        i = send_to_one(lane, i);
    struct outgoing *o;
    VEC_FOR_EACH (o, &lane->out)
        packet_fini(&o->packet);
    vec_clear(&lane->out);
}

void lane_finish(struct port_lane *lane, struct port_host *host)
{
    for (size_t i = 0; i < lane->n_batch; i++)
        packet_fini(&lane->batch[i]);
    lane->n_batch = 0;
    counter_add(host->send_failed, lane->n_unsent);
    lane->n_unsent = 0;
}
