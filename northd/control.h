/* control.h - the control commands of weft-northd (docs/architecture.md, drop-in rule): what ovn-northd's users ask its socket, and
 * inc/show.
 */
#pragma once

#include "daemon/unixctl.h"
#include "northd/northd.h"

struct control;
struct ovsdb_server;

/* All borrowed; the servers may be NULL. SB_SERVER's lock NORTHD_LOCK is held whenever NORTHD is not paused. */
struct control *control_new(struct northd *northd, struct replica *nb, struct replica *sb,
                            struct ovsdb_server *nb_server, struct ovsdb_server *sb_server,
                            struct unixctl *ctl);
void control_free(
    struct control *control); /* NULL is allowed; the commands must not be called any more */
