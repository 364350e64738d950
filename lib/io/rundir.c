/* rundir.c - directories from the environment. See rundir.h; promises nothing beyond it. */
#include "io/rundir.h"

#include <stdlib.h>

#include "base/util.h"

struct place {
    const char *weft_var, *vars[2];
    const char *weft_default, *peer_defaults[2];
};

static char *place_get(const struct place *place, enum rundir_side side, bool peer_name)
{
    const char *dir = getenv(place->weft_var);
    if (!dir || !*dir)
        dir = getenv(place->vars[side]);
    if (!dir || !*dir)
        dir = peer_name ? place->peer_defaults[side] : place->weft_default;
    return xstrdup(dir);
}

char *rundir_get(enum rundir_side side, bool peer_name)
{
    static const struct place place = {
        "WEFT_RUNDIR",
        {"OVN_RUNDIR", "OVS_RUNDIR"},
        "/var/run/weft",
        {"/var/run/ovn", "/var/run/openvswitch"},
    };
    return place_get(&place, side, peer_name);
}

char *rundir_db_get(enum rundir_side side, bool peer_name)
{
    static const struct place place = {
        "WEFT_DBDIR",
        {"OVN_DBDIR", "OVS_DBDIR"},
        "/var/lib/weft",
        {"/var/lib/ovn", "/etc/openvswitch"},
    };
    return place_get(&place, side, peer_name);
}

char *rundir_log_get(enum rundir_side side, bool peer_name)
{
    static const struct place place = {
        "WEFT_LOGDIR",
        {"OVN_LOGDIR", "OVS_LOGDIR"},
        "/var/log/weft",
        {"/var/log/ovn", "/var/log/openvswitch"},
    };
    return place_get(&place, side, peer_name);
}

char *rundir_path(const char *dir, const char *path)
{
    if (path[0] == '/' || !dir)
        return xstrdup(path);
    return xasprintf("%s/%s", dir, path);
}
