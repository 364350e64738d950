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
    struct port_watch *first; /* of several queues of one thing; NULL: it is the first */
    unsigned index, n_others;
    struct loop_fd *lfd;     /* in the loop, or */
    struct forwarder *owner; /* with one of the forwarders */
};

/* FIRST: of the same port, freed together; forwarders next to that one's get the others. NULL: it is the first, which the least busy gets. FN(aux) is called while FD can be read, by whichever thread waits for it, inside. There it reads one batch at most and gives it to
 * port_receive; in the loop's own thread it may go on. */
struct port_watch *port_watch_new(struct port_host *host, int fd,
                                  void (*fn)(void *aux, unsigned events), void *aux,
                                  struct port_watch *first);
void port_watch_free(struct port_watch *watch); /* NULL is allowed; does not close */
