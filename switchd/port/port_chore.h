/* port_chore.h - what the kernel is told or asked about a port's device, by a chore (chores.h): it waits while anybody on the machine configures any
 * device (rtnl), and a device that is let go holds up all others for 7 to 130 ms.
 *
 * Chores are run in the order in which they were asked for, those of all ports in one line: a port's MTU is set after its device is there and
 * before it is closed. The port may go meanwhile.
 */
#pragma once

#include "switchd/port/chores.h"
#include "switchd/port/port.h"

/* First in what its owner allocates. */
struct port_chore {
    struct chore chore;
    struct list node;  /* in port->chores */
    struct port *port; /* not for RUN, whose thread has no right to it; NULL: it has gone */
    char name[PORT_NAME_MAX + 1];         /* of the device */
    void (*run)(struct port_chore *job);  /* in the chores' thread: touches nothing but JOB */
    void (*done)(struct port_chore *job); /* then, in the loop's: frees JOB */
};

/* JOB with its own RUN and DONE, of PORT. */
void port_chore_add(struct port *port, struct port_chore *job);
/* The same for a question that comes again and again: in another line, so that neither waits for the other. */
void port_chore_ask(struct port *port, struct port_chore *job);
/* The one that was added last of those that do RUN and are not done; or NULL. */
struct port_chore *port_chore_last(const struct port *port, void (*run)(struct port_chore *job));
/* PORT goes: its chores will find it gone. */
void port_chores_leave(struct port *port);
