/* device_settings.c - see device_settings.h. */
#include "switchd/port/device_settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "switchd/port/port_chore.h"

LOG_MODULE(device);

struct job {
    struct port_chore up;
    struct netdev_facts facts;
    uint32_t mtu;
    struct mac mac;
    int error; /* errno */
};

static struct job *job_cast(struct port_chore *up)
{
    return CONTAINER_OF(up, struct job, up);
}

/* ---- questions ---- */

static void ask_run(struct port_chore *up)
{
    netdev_read_facts(up->name, &job_cast(up)->facts);
}

void device_set_facts(struct port *port, const struct netdev_facts *facts)
{
    bool is_new = port->status.speed_mbps != facts->speed_mbps;
    port->status.speed_mbps = facts->speed_mbps;
    port->status.full_duplex = facts->full_duplex;
    port->driver = facts->driver;
    if (is_new && port->host->changed)
        port->host->changed(port->host->aux, port);
}

static void ask_done(struct port_chore *up)
{
    struct job *job = job_cast(up);
    if (up->port)
        device_set_facts(up->port, &job->facts);
    free(job);
}

void device_refresh(struct port *port)
{
    if (!netdev_read_status(port->name, &port->status))
        return;
    struct job *job = NEW(struct job);
    job->up.run = ask_run;
    job->up.done = ask_done;
    port_chore_add(port, &job->up);
}

/* ---- settings ---- */

static void mtu_run(struct port_chore *up)
{
    struct job *job = job_cast(up);
    job->error = netdev_set_mtu(up->name, job->mtu) ? errno : 0;
}

static void mac_run(struct port_chore *up)
{
    struct job *job = job_cast(up);
    job->error = netdev_set_mac(up->name, job->mac) ? errno : 0;
}

static void set_done(struct port_chore *up)
{
    static struct log_rate rate = LOG_RATE(5, 5);
    struct job *job = job_cast(up);
    struct port *port = up->port;
    if (port && job->error)
        log_warn_limited(&rate, "%s: could not set the %s (%s)", up->name,
                         up->run == mtu_run ? "MTU" : "MAC", strerror(job->error));
    if (port)
        port->class->refresh(port);
    free(job);
}

bool device_is_getting_mtu(const struct port *port, uint32_t mtu)
{
    struct port_chore *last = port_chore_last(port, mtu_run);
    return last && job_cast(last)->mtu == mtu;
}

void device_set_mtu(struct port *port, uint32_t mtu)
{
    if (device_is_getting_mtu(port, mtu))
        return;
    struct job *job = NEW(struct job);
    job->mtu = mtu;
    job->up.run = mtu_run;
    job->up.done = set_done;
    port_chore_add(port, &job->up);
}

void device_set_mac(struct port *port, struct mac mac)
{
    struct port_chore *last = port_chore_last(port, mac_run);
    if (last && mac_equal(job_cast(last)->mac, mac))
        return;
    struct job *job = NEW(struct job);
    job->mac = port->status.mac = mac;
    job->up.run = mac_run;
    job->up.done = set_done;
    port_chore_add(port, &job->up);
}
