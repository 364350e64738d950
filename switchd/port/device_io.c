/* device_io.c - see device_io.h. */
#include "switchd/port/device_io.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "switchd/port/chores.h"
#include "switchd/port/ingress.h"

enum { SEND_BUFFER = 16 << 20 };

struct device_opening {
    struct chore chore, undo;
    struct chores *chores;
    struct af_xdp_options options; /* its texts are this object's */
    struct device_opened opened;
    struct diag why;
    void (*fn)(void *aux, const struct device_opened *opened); /* NULL: nobody wants it */
    void *aux;
};

struct device_closing {
    struct chore chore;
    struct device_io io;
    char name[PORT_NAME_MAX + 1]; /* what is given back */
    uint32_t ifindex;             /* 0: nothing is */
};

/* A socket with its ring, which hears nothing before it is bound. */
static int socket_open(struct device_io *io, const struct af_xdp_options *o)
{
    int one = 1, size = SEND_BUFFER;
    struct packet_mreq mreq = {.mr_ifindex = (int)o->ifindex, .mr_type = PACKET_MR_PROMISC};
    io->fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (io->fd < 0 ||
        packet_ring_open(&io->rx, io->fd, o->mtu, o->n_slots ? o->n_slots : PACKET_RING_SLOTS) ||
        setsockopt(io->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one) < 0 ||
        setsockopt(io->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mreq, sizeof mreq) < 0)
        return ERR_IO;
    (void)setsockopt(io->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
    return 0;
}

static void close_all(struct device_io *io)
{
    if (io->xdp)
        af_xdp_close(io->xdp);
    if (io->fast)
        xdp_socket_close(io->fast);
    free(io->fast);
    packet_ring_close(&io->rx);
    if (io->fd >= 0)
        close(io->fd);
    *io = DEVICE_IO_INIT;
}

static void fail(struct device_opened *opened, const char *what)
{
    opened->error = errno;
    opened->failed = what;
    close_all(&opened->io);
}

static void open_run(struct chore *chore)
{
    struct device_opening *opening = CONTAINER_OF(chore, struct device_opening, chore);
    struct af_xdp_options *o = &opening->options;
    struct device_opened *opened = &opening->opened;
    struct port_status status = {0};
    if (netdev_set_up(o->name)) {
        fail(opened, "set up");
        return;
    }
    netdev_read_facts(o->name, &opened->facts);
    (void)netdev_read_status(o->name, &status);
    o->mtu = MAX(o->mtu, status.mtu); /* another chore may have changed it meanwhile */
    if (*o->mode) {
        opened->io.xdp = af_xdp_open(o, &opening->why);
        if (opened->io.xdp)
            return;
        opened->no_xdp = diag_text(&opening->why);
    }
    if (socket_open(&opened->io, o))
        fail(opened, "open");
    else
        opened->is_heard = ingress_close(o->ifindex);
}

static void opening_free(struct device_opening *opening)
{
    diag_fini(&opening->why);
    free((char *)opening->options.name);
    free((char *)opening->options.mode);
    free(opening);
}

static void open_done(struct chore *chore)
{
    struct device_opening *opening = CONTAINER_OF(chore, struct device_opening, chore);
    if (!opening->fn) /* undo has it */
        return;
    opening->fn(opening->aux, &opening->opened);
    opening_free(opening);
}

static void undo_run(struct chore *undo)
{
    close_all(&CONTAINER_OF(undo, struct device_opening, undo)->opened.io);
}

static void undo_done(struct chore *undo)
{
    opening_free(CONTAINER_OF(undo, struct device_opening, undo));
}

struct device_opening *device_io_open(struct chores *chores, const struct af_xdp_options *o,
                                      void (*fn)(void *aux, const struct device_opened *opened),
                                      void *aux)
{
    struct device_opening *opening = NEW(struct device_opening);
    *opening = (struct device_opening){.chore = {.run = open_run, .done = open_done},
                                       .chores = chores,
                                       .options = *o,
                                       .opened = {.io = DEVICE_IO_INIT},
                                       .why = DIAG_INIT,
                                       .fn = fn,
                                       .aux = aux};
    opening->options.name = xstrdup(o->name);
    opening->options.mode = xstrdup(o->mode);
    chores_add(chores, &opening->chore);
    return opening;
}

/* What it opens is closed before the next chore, which may open the same device, where one XDP program is in another's way. */
void device_io_cancel(struct device_opening *opening)
{
    if (!opening)
        return;
    opening->fn = NULL;
    opening->undo = (struct chore){.run = undo_run, .done = undo_done};
    chores_add(opening->chores, &opening->undo);
}

static void close_run(struct chore *chore)
{
    struct device_closing *closing = CONTAINER_OF(chore, struct device_closing, chore);
    close_all(&closing->io);
    if (closing->ifindex && netdev_ifindex(closing->name) == closing->ifindex)
        ingress_open(closing->ifindex);
}

static void close_done(struct chore *chore)
{
    free(CONTAINER_OF(chore, struct device_closing, chore));
}

static void add_closing(struct chores *chores, const struct device_closing *what)
{
    struct device_closing *closing = NEW(struct device_closing);
    *closing = *what;
    closing->chore = (struct chore){.run = close_run, .done = close_done};
    chores_add(chores, &closing->chore);
}

void device_io_close(struct chores *chores, const struct device_io *io)
{
    if (io->xdp || io->fast || io->fd >= 0)
        add_closing(chores, &(struct device_closing){.io = *io});
}

void device_give_back(struct chores *chores, const char *name, uint32_t ifindex)
{
    struct device_closing what = {.io = DEVICE_IO_INIT, .ifindex = ifindex};
    snprintf(what.name, sizeof what.name, "%s", name);
    add_closing(chores, &what);
}
