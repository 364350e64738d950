/* port_chore.c - see port_chore.h. */
#include "switchd/port/port_chore.h"

#include <stdio.h>

static void job_run(struct chore *chore)
{
    struct port_chore *job = CONTAINER_OF(chore, struct port_chore, chore);
    job->run(job);
}

static void job_done(struct chore *chore)
{
    struct port_chore *job = CONTAINER_OF(chore, struct port_chore, chore);
    list_remove(&job->node);
    job->done(job);
}

static void add(struct port *port, struct chores *chores, struct port_chore *job)
{
    job->chore = (struct chore){.run = job_run, .done = job_done};
    job->port = port;
    snprintf(job->name, sizeof job->name, "%s", port->name);
    list_push_back(&port->chores, &job->node);
    chores_add(chores, &job->chore);
}

void port_chore_add(struct port *port, struct port_chore *job)
{
    add(port, port->host->chores, job);
}

void port_chore_ask(struct port *port, struct port_chore *job)
{
    add(port, port->host->questions, job);
}

struct port_chore *port_chore_last(const struct port *port, void (*run)(struct port_chore *job))
{
    struct port_chore *job, *last = NULL;
    LIST_FOR_EACH (job, node, &port->chores)
        if (job->run == run)
            last = job;
    return last;
}

void port_chores_leave(struct port *port)
{
    while (!list_empty(&port->chores)) {
        struct port_chore *job = LIST_FIRST(struct port_chore, node, &port->chores);
        list_remove(&job->node);
        job->port = NULL;
    }
}
