/* pidfile.c - pid files. See pidfile.h. */
#include "daemon/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

static int lock_failed(const char *path, int fd, struct diag *diag)
{
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int error = errno;
    if (!fcntl(fd, F_GETLK, &l) && l.l_type != F_UNLCK)
        return diag_set(diag, ERR_EXISTS, "%s: already running as pid %ld", path, (long)l.l_pid);
    return diag_set(diag, ERR_IO, "%s: cannot lock: %s", path, strerror(error));
}

/* The file may have been removed between opening and locking it. */
static bool is_at_path(int fd, const char *path)
{
    struct stat a, b;
    return !fstat(fd, &a) && !stat(path, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

int pidfile_create(const char *path, bool overwrite, int *ret_fd, struct diag *diag)
{
    if (overwrite)
        unlink(path);
    for (int tries = 0; tries < 100; tries++) {
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        if (fd < 0)
            return diag_set(diag, ERR_IO, "%s: %s", path, strerror(errno));
        struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        if (fcntl(fd, F_SETLK, &l)) {
            int err = lock_failed(path, fd, diag);
            close(fd);
            return err;
        }
        if (is_at_path(fd, path)) {
            if (ftruncate(fd, 0) || dprintf(fd, "%ld\n", (long)getpid()) < 0) {
                int err = diag_set(diag, ERR_IO, "%s: %s", path, strerror(errno));
                close(fd);
                return err;
            }
            *ret_fd = fd;
            return 0;
        }
        close(fd);
    }
    return diag_set(diag, ERR_CONFLICT, "%s: changes all the time", path);
}

void pidfile_remove(const char *path, int fd)
{
    if (is_at_path(fd, path))
        unlink(path);
    close(fd);
}

int pidfile_read(const char *path, pid_t *ret, struct diag *diag)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 && errno == EACCES)
        fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return diag_set(diag, ERR_NOT_FOUND, "cannot read pidfile \"%s\" (%s)", path,
                        strerror(errno));
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char text[32] = "";
    ssize_t n = read(fd, text, sizeof text - 1);
    int rc = fcntl(fd, F_GETLK, &l);
    close(fd);
    if (!rc && l.l_type != F_UNLCK && l.l_pid > 0) {
        *ret = l.l_pid;
        return 0;
    }
    long pid;
    /* A lock held in another pid name space shows as pid 0 or -1: the text is all there is. */
    if (!rc && l.l_type != F_UNLCK && n > 0 && sscanf(text, "%ld", &pid) == 1 && pid > 0) {
        *ret = (pid_t)pid;
        return 0;
    }
    return diag_set(diag, ERR_NOT_FOUND, "pidfile \"%s\" is stale", path);
}
