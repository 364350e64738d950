/* bridge.c - see bridge.h. */
#include "openflow/bridge.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"
#include "io/rundir.h"
#include "io/target.h"

static bool exists(const char *path)
{
    struct stat st;
    return !stat(path, &st);
}

char *of_bridge_target(const char *name, const char *service)
{
    if (target_is_active(name))
        return xstrdup(name);
    if (strchr(name, '/'))
        return exists(name) ? xasprintf("unix:%s", name) : NULL;
    char *rundir = rundir_get(RUNDIR_OVS, false);
    char *socket = xasprintf("%s/%s.%s", rundir, name, service ? service : "mgmt"), *target = NULL;
    if (exists(socket))
        target = xasprintf("unix:%s", socket);
    free(socket);
    free(rundir);
    return target;
}
