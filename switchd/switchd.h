/* switchd.h - weft-switchd: an OpenFlow switch in user space with its Open_vSwitch database.
 *
 * The program around the rooms: it opens the database (a file that it hosts and serves at
 * RUNDIR/db.sock, or a server elsewhere), makes it real (config.h) and moves packets (vswitch.h). It
 * has the role of ovs-vswitchd, and with a file of its own that of ovsdb-server as well; both
 * programs' command lines and control commands are taken as far as the features exist.
 *
 *     main.c -> switchd.c (options, database)  config.c status.c (rows <-> bridges)
 *     ofserver.c ofstats.c ofbundle.c ofpacket.c (OpenFlow)   bridge.c group.c table.c (its state)
 *     vswitch.c megaflow.c (the way of a packet)   xlate*.c (its meaning)   exec.c port/ (its end)
 *     appctl.c fdb_appctl.c ct_appctl.c ipf_appctl.c port_appctl.c trace.c (the operator's view)
 */
#pragma once

#include "daemon/daemon.h"
#include "switchd/config.h"
#include "switchd/test_clock.h"
#include "switchd/vswitch.h"

struct linkwatch;
struct tunnel_wire;
struct replica_source;
struct ovsdb_server;
struct store;

struct switchd {
    struct daemon *daemon;
    /* options */
    char *db_file, *db_remote;
    VEC(char *) remotes; /* where the hosted database is served besides db.sock */
    bool dummy;          /* for tests: commands that move the clock */
    bool dummy_override;
    struct test_clock clock;  /* with dummy */
    struct tunnel_wire *wire; /* simulations: see port/tunnel.h. NULL: the kernel's UDP */
    /* the database: hosted, or elsewhere */
    struct store *store;
    struct ovsdb_server *server;
    struct schema *schema;         /* of a database elsewhere */
    struct replica_source *source; /* of a database elsewhere; the replica's */
    unsigned failures;             /* of its connection, those said already */
    struct timer health;
    struct replica *replica;
    bool configured; /* config is running */
    struct vswitch vs;
    bool switching; /* vs is initialised */
    struct config config;
    struct linkwatch *links;
    bool links_changed; /* a port is concerned, or one that could not be made */
};

int switchd_main(int argc, char **argv);
extern const struct daemon_spec switchd_spec; /* its aux is a struct switchd, zero at first */

/* Control commands; CTL may be NULL. */
void appctl_register(struct unixctl *ctl, struct vswitch *vs);
void ct_appctl_register(struct unixctl *ctl, struct vswitch *vs);
void ipf_appctl_register(struct unixctl *ctl, struct vswitch *vs);
void fdb_appctl_register(struct unixctl *ctl, struct vswitch *vs);
void dpflow_appctl_register(struct unixctl *ctl, struct vswitch *vs);
void dpctl_appctl_register(struct unixctl *ctl, struct vswitch *vs);
void tunnel_appctl_register(struct unixctl *ctl, struct vswitch *vs);
void port_appctl_register(struct unixctl *ctl, struct vswitch *vs);
void underlay_appctl_register(struct unixctl *ctl, struct vswitch *vs);
void trace_register(struct unixctl *ctl, struct vswitch *vs);
