/* pidfile.h - a file with the process id, locked as long as the process lives.
 *
 * The lock (fcntl, so it is gone with the process however that ends) is what says "already
 * running", not the file's existence.
 */
#pragma once

#include <sys/types.h>

#include "base/diag.h"

/* Creates PATH, or takes over one that nobody locks, and locks it. ERR_EXISTS: another process has
 * it, unless OVERWRITE. *ret_fd stays open to hold the lock. */
int pidfile_create(const char *path, bool overwrite, int *ret_fd, struct diag *diag) MUST_CHECK;
/* Removes the file and closes the descriptor. */
void pidfile_remove(const char *path, int fd);
/* The process that holds the lock of PATH. ERR_NOT_FOUND when there is no file, or a stale one. */
int pidfile_read(const char *path, pid_t *ret, struct diag *diag) MUST_CHECK;
