/* rundir.h - where sockets, pid files, databases and logs lie.
 *
 *     run   WEFT_RUNDIR, else OVN_RUNDIR or OVS_RUNDIR, else /var/run/weft
 *     db    WEFT_DBDIR, else OVN_DBDIR or OVS_DBDIR, else /var/lib/weft
 *     log   WEFT_LOGDIR, else OVN_LOGDIR or OVS_LOGDIR, else /var/log/weft
 *
 * Under a peer's name the defaults are its own: /var/run/ovn or /var/run/openvswitch, /var/lib/ovn
 * or /etc/openvswitch, /var/log/ovn or /var/log/openvswitch.
 *
 * SIDE says whose role a program (or the thing it looks for) plays: the OVN_ variables are read for
 * RUNDIR_OVN, the OVS_ ones for RUNDIR_OVS. PEER_NAME: the program was started under the name of
 * the peer ("ovn-northd"), so its defaults are the peer's. Reads the environment, creates nothing.
 */
#pragma once

#include <stdbool.h>

enum rundir_side { RUNDIR_OVN, RUNDIR_OVS };

/* Owned by the caller. */
char *rundir_get(enum rundir_side side, bool peer_name);
char *rundir_db_get(enum rundir_side side, bool peer_name);
char *rundir_log_get(enum rundir_side side, bool peer_name);
/* DIR/PATH unless PATH is absolute. Owned by the caller. */
char *rundir_path(const char *dir, const char *path);
