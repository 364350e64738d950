/* target.h - the text forms that say where to connect or to listen, as Open vSwitch writes them.
 *
 *     unix:PATH            tcp:IP:PORT            ssl:IP:PORT          to connect
 *     punix:PATH           ptcp:[PORT][:IP]       pssl:[PORT][:IP]     to listen
 *
 * IPv6 addresses stand in brackets: tcp:[::1]:6640. The port may be left out where the protocol has
 * a default. A relative PATH is relative to the run directory. Host names are not looked up, save
 * "localhost". Parses text only; opens nothing.
 */
#pragma once

#include <sys/socket.h>

#include "base/diag.h"

enum { TARGET_PORT_OPENFLOW = 6653, TARGET_PORT_OVSDB = 6640 };

enum target_kind { TARGET_UNIX, TARGET_TCP, TARGET_SSL };

struct target {
    enum target_kind kind;
    bool passive;
    char *path;                   /* unix: absolute, owned */
    struct sockaddr_storage addr; /* tcp, ssl; port 0 in a passive one: the kernel chooses */
    socklen_t addr_len;
};

/* True for a text that begins like a target ("tcp:", "punix:" ...), right or wrong. */
bool target_is_active(const char *text);
bool target_is_passive(const char *text);
/* RUNDIR is put before relative paths (NULL: they stay). DEFAULT_PORT 0: a port is required.
 * ERR_SYNTAX with what is wrong. Finish with target_fini. */
int target_parse(const char *text, uint16_t default_port, const char *rundir, struct target *ret,
                 struct diag *diag) MUST_CHECK;
void target_fini(struct target *target);
/* "10.0.0.1:6640", "[::1]:6640". Owned by the caller. */
char *target_print_addr(const struct sockaddr_storage *addr);
