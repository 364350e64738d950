/* process.h - going into the background, and the parent that restarts a crashed child. */
#pragma once

#include <sys/types.h>

#include "base/diag.h"

struct process {
    int ready_fd; /* to tell the waiting parent, or -1 */
    bool detached;
};

/* Opens those of the standard streams that the caller closed, so that no file of ours takes their
 * numbers. */
void process_fill_streams(void);

/* Forks as asked; returns in the process that shall do the work, more than once over the time when
 * MONITOR restarts it. The processes in front of it do not return: the one that detaches waits for
 * process_ready and exits 0, or with the status of a child that ended before; the monitor exits with
 * its child's status when that ended by itself or was told to. To be called before threads, loops
 * and files are made. */
struct process_options {
    bool detach, monitor;
    const char *name; /* for the log */
    /* In the monitor: the child PID was killed; what it left may be removed. May be NULL. */
    void (*died)(void *aux, pid_t pid);
    void *aux;
};
int process_start(struct process *process, const struct process_options *options,
                  struct diag *diag) MUST_CHECK;
/* The work has begun: the waiting parent returns to the shell; standard streams and, with CHDIR,
 * the current directory are left when detached. */
void process_ready(struct process *process, bool leave_directory);
