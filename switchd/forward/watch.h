/* watch.h - the descriptors that packets come in by, and which thread waits for each: the loop's own, or a forwarder (forwarder.h). */
#pragma once

#include "base/hmap.h"
#include "base/list.h"

struct forwarder;
struct loop_fd;
struct port_host;

struct port_watch {
    struct hnode node; /* in the forwarders' watches, while one of them has it */
    struct list all;   /* in port_host.watches */
    struct port_host *host;
    uint64_t id;
    int fd;
    void (*fn)(void *aux, unsigned events);
    void *aux;
    struct loop_fd *lfd;     /* in the loop, or */
    struct forwarder *owner; /* with one of the forwarders */
};

/* FN(aux) is called while FD can be read, by whichever thread waits for it, in its turn. There it reads one batch at most and gives it to
 * port_receive; in the loop's own thread it may go on. */
struct port_watch *port_watch_new(struct port_host *host, int fd,
                                  void (*fn)(void *aux, unsigned events), void *aux);
void port_watch_free(struct port_watch *watch); /* NULL is allowed; does not close */
