/* host.h - weft-northd as a daemon: options, files or remote servers, sockets, control commands (docs/architecture.md).
 *
 * Under its weft name it opens DBDIR/nb.db and sb.db (made when they are not there), serves them at RUNDIR/ovnnb_db.sock and
 * ovnsb_db.sock and at what --nb-remote and --sb-remote say, and compiles one into the other within the process. With
 * --nb and --sb (--ovnnb-db, --ovnsb-db), or under the name ovn-northd, it opens no file and works between two servers.
 */
#pragma once

#include "daemon/daemon.h"

struct host;
struct northd;

struct host *host_new(void);
void host_free(struct host *host);
struct northd *host_northd(struct host *host); /* while it runs; else NULL */
extern const struct daemon_spec host_spec;     /* its aux is a struct host */
