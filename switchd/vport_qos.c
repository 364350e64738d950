/* vport_qos.c - queues of a port and what it may receive: see qos/qos.h. */
#include <stdlib.h>

#include "base/log.h"
#include "switchd/port/port_chore.h"
#include "switchd/vswitch.h"

LOG_MODULE(qos);

/* Whether the port's queues are the kernel's business. */
static bool has_queues(const struct vport *port)
{
    return port->dev && port->dev->class == &port_class_system && port->dev->status.ifindex;
}

/* ---- what the kernel takes its time for ---- */

struct installing {
    struct port_chore up;
    struct qos_job job;
    struct diag why;
    int err;
};

static void install_run(struct port_chore *up)
{
    struct installing *in = CONTAINER_OF(up, struct installing, up);
    in->err = qos_job_run(&in->job, &in->why);
}

static void install_done(struct port_chore *up)
{
    struct installing *in = CONTAINER_OF(up, struct installing, up);
    if (up->port) {
        struct vport *port = up->port->owner;
        if (in->err)
            log_warn("%s: QoS: %s", port->name, diag_text(&in->why));
        if (!port_chore_last(up->port, install_run)) /* else there is a newer one */
            port->qos.failed = in->err != 0;
        up->port->class->refresh(up->port); /* the device has a queue discipline now, or none */
    }
    qos_job_fini(&in->job);
    diag_fini(&in->why);
    free(in);
}

static void install(struct port *dev, const struct qos_job *job)
{
    struct installing *in = NEW(struct installing);
    *in = (struct installing){
        .up = {.run = install_run, .done = install_done}, .job = *job, .why = DIAG_INIT};
    port_chore_add(dev, &in->up);
}

struct sent {
    uint32_t minor;
    struct tc_class_stats stats;
};

struct counting {
    struct port_chore up;
    uint32_t ifindex;
    VEC(struct sent) sent;
};

static void take_class(void *counting_, uint32_t minor, const struct tc_class_stats *stats)
{
    struct counting *c = counting_;
    vec_push(&c->sent, ((struct sent){minor, *stats}));
}

static void count_run(struct port_chore *up)
{
    struct counting *c = CONTAINER_OF(up, struct counting, up);
    (void)!tc_read_classes(c->ifindex, take_class, c);
}

static void count_done(struct port_chore *up)
{
    struct counting *c = CONTAINER_OF(up, struct counting, up);
    struct vport *port = up->port ? up->port->owner : NULL;
    const struct sent *s;
    VEC_FOR_EACH (s, &c->sent)
        if (port)
            qos_set_sent(&port->qos, s->minor, &s->stats);
    vec_fini(&c->sent);
    free(c);
}

void vport_count_queues(struct vport *port)
{
    if (!qos_has_counters(&port->qos) || port_chore_last(port->dev, count_run))
        return;
    struct counting *c = NEW(struct counting);
    c->up.run = count_run;
    c->up.done = count_done;
    c->ifindex = port->qos.ifindex;
    port_chore_ask(port->dev, &c->up);
}

/* ---- what the rows say ---- */

void vport_set_qos(struct vport *port, struct qos_config *config)
{
    const struct port_status *s = port->dev ? &port->dev->status : NULL;
    struct qos_job job;
    if (!has_queues(port)) {
        if (config->type && !port->qos.failed)
            log_warn("%s: QoS needs a device of the kernel's", port->name);
        port->qos.failed = config->type != NULL;
        qos_config_fini(config);
        return;
    }
    if (!qos_apply(&port->qos, s->ifindex, s->mtu, s->speed_mbps, config,
                   env_now_ms(port->bridge->vs->env), &job))
        return;
    install(port->dev, &job);
    vswitch_invalidate(port->bridge->vs); /* translations mark packets as its queues say */
}

void vport_end_qos(struct vport *port)
{
    if (port->dev && qos_is_ours(&port->qos) && port->qos.ifindex)
        install(port->dev,
                &(struct qos_job){.qos = {.ifindex = port->qos.ifindex}, .clears = true});
    qos_fini(&port->qos);
}

void vport_set_policing(struct vport *port, uint64_t kbps, uint64_t burst_kb, uint64_t kpps,
                        uint64_t burst_kpkts)
{
    struct policer *p = &port->policer;
    /* As Open vSwitch has it: a burst that is not said is 8,000 kilobits, or as many packets as a fifth of a second has. */
    uint64_t burst_bits = (burst_kb ? burst_kb : 8000) * 1000;
    uint64_t burst_packets = burst_kpkts ? burst_kpkts * 1000 : MAX(kpps * 200, UINT64_C(16));
    if (p->bits_per_s == kbps * 1000 && p->burst_bits == burst_bits &&
        p->packets_per_s == kpps * 1000 && p->burst_packets == burst_packets)
        return;
    *p = (struct policer){.bits_per_s = kbps * 1000,
                          .burst_bits = burst_bits,
                          .packets_per_s = kpps * 1000,
                          .burst_packets = burst_packets,
                          .bits = (double)burst_bits,
                          .packets = (double)burst_packets,
                          .filled_us = env_now_us(port->bridge->vs->env)};
}

static bool admits(struct policer *p, size_t size, int64_t now_us)
{
    double seconds = (double)(now_us - p->filled_us) / 1e6, bits = (double)size * 8;
    p->filled_us = now_us;
    p->bits = MIN(p->bits + seconds * (double)p->bits_per_s, (double)p->burst_bits);
    p->packets = MIN(p->packets + seconds * (double)p->packets_per_s, (double)p->burst_packets);
    if ((p->bits_per_s && p->bits < bits) || (p->packets_per_s && p->packets < 1))
        return false;
    p->bits -= bits;
    p->packets -= 1;
    return true;
}

bool vport_police(struct vport *port, size_t size)
{
    struct policer *p = &port->policer;
    spin_take(&p->spin);
    bool result = admits(p, size, MAX(env_now_us(port->bridge->vs->env), p->filled_us));
    spin_give(&p->spin);
    return result;
}
