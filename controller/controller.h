/* controller.h - weft-controller as a library: every hypervisor's compiler from SB to OpenFlow.
 *
 *     switch database --+                              +--> installer --> the bridge (flows)
 *                       +--> facts --> engine (program) +--> claims, tunnels, progress --> both databases
 *     SB ---------------+                              +--> pinctrl <-> the bridge (packets)
 *
 * It reads two databases, compiles, and writes what is wanted and not there. After each change it works in slices: packets, probes and
 * database traffic are served between them, on the last settled state. Nothing is sent to the switch before both
 * databases have been read once, so the flows of a controller that was restarted stay until the new ones are known.
 *
 * The whole state of a controller is one struct controller; a process may hold several (tests).
 */
#pragma once

#include "controller/install/installer.h"
#include "controller/pinctrl/pinctrl.h"
#include "controller/program.h"
#include "daemon/unixctl.h"
#include "io/loop.h"

struct controller;

struct controller_options {
    struct loop *loop;
    const char *switch_db; /* remote of the switch database: "unix:/var/run/.../db.sock" */
    const char *rundir;    /* where relative sockets and the bridge's management socket are */
    const struct tls_config *tls;
    struct unixctl *unixctl; /* NULL: no control commands */
    bool verify;             /* compare with a second engine after each settle */
};

struct controller *controller_new(const struct controller_options *options, struct diag *diag);
/* Leaves databases and switch as they are. */
void controller_free(struct controller *controller);
/* Takes our rows and tunnels back, then calls DONE (once, from the loop); gives up after a second. */
void controller_cleanup(struct controller *controller, void (*done)(void *aux), void *aux);

/* For tests and control commands. */
struct inc *controller_inc(struct controller *controller);
const struct program *controller_program(const struct controller *controller);
struct installer_stats controller_install_stats(const struct controller *controller);
bool controller_is_idle(
    const struct controller
        *controller); /* both databases are there; settled, published, saved, nothing on its way */
