/* central.h - the central node: weft-northd that hosts both databases, or, in other runs, weft-dbd that serves them and two
 * weft-northds, of which one is active and one stands by, each behind links of its own.
 *
 * SB can be put aside and later be put back as it was then, as an operator would after a disaster.
 */
#pragma once

#include "dbd/dbd.h"
#include "northd/host.h"
#include "northd/northd.h"
#include "sim/link.h"
#include "sim/user.h"

struct cluster;

struct central_northd {
    struct host *host;
    struct daemon *daemon; /* NULL: killed */
    struct link *nb, *sb;  /* of a split central node */
};

struct central {
    struct cluster *cluster;
    char *dir;
    bool is_split, has_backup;
    struct dbd *dbd;
    struct daemon *dbd_daemon; /* NULL: killed, or not split */
    struct central_northd northds[2];
};

/* Makes the files and starts everything. */
void central_start(struct central *central, struct cluster *c, bool is_split);
void central_stop(struct central *central); /* kills everything and frees it */
void central_heal(struct central *central); /* starts what was killed; links are whole */
/* Starts the server of the databases if it was killed: nobody can ask for anything otherwise. */
void central_serve(struct central *central);
/* A kill, a start, a link cut, stalled, slow, SB put aside or put back: chance. */
void central_fault(struct central *central);
/* Kills the northd that is active, so that the other takes over, or the only one. */
void central_kill_active(struct central *central);
/* The one that is active; NULL: none. */
struct northd *central_northd(const struct central *central);
/* Transactions that those that live have written. */
uint64_t central_n_written(const struct central *central);
