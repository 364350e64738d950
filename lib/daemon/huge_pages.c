/* huge_pages.c - see huge_pages.h. Beside the rooms of the architecture, like all of this folder. */
#include "daemon/huge_pages.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/util.h"

#define VARIABLE "GLIBC_TUNABLES"
#define WISH "glibc.malloc.hugetlb=1"

/* Sanitizers bring their own malloc. */
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
static const bool has_glibc_malloc = true;
#else
static const bool has_glibc_malloc = false;
#endif

/* The name by which ps and pgrep know a process is that of the file; of a link, the caller's name of it is meant. */
static void keep_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    prctl(PR_SET_NAME, slash ? slash + 1 : path);
}

void huge_pages_ask(char **argv)
{
    char file[PATH_MAX];
    const char *value = getenv(VARIABLE);
    if (!has_glibc_malloc)
        return;
    if (value && !strcmp(value, WISH)) {
        unsetenv(VARIABLE); /* not for those whom this process starts */
        keep_name(argv[0]);
        return;
    }
    ssize_t n = readlink("/proc/self/exe", file, sizeof file - 1);
    if (value || n < 0 || setenv(VARIABLE, WISH, true))
        return;
    file[n] = '\0';
    execv(file, argv);
    unsetenv(VARIABLE);
}
