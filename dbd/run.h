/* run.h - the command for whose time the server runs. */
#pragma once

#include "daemon/daemon.h"

struct run;

/* Starts COMMAND in a shell, with this process's files and folder; when it has ended so does DAEMON,
 * with 0 if the command did and else with 1. ERR_IO. */
int run_start(struct daemon *daemon, const char *command, struct run **ret,
              struct diag *diag) MUST_CHECK;
/* A command that still runs is left alone. NULL is allowed. */
void run_free(struct run *run);
