/* vlog.h - the words in which Open vSwitch users set log levels: -v and vlog/set.
 *
 *     SPEC = word[:word...]   a word is a level (off emer err warn info dbg), a destination
 *                             (any console syslog file), or a module's name, in any order
 *
 * Each module has a level for each destination. Without one, or with "any", console and file are
 * meant: syslog gets only what is asked for by its name.
 */
#pragma once

#include "base/diag.h"
#include "base/str.h"

/* NULL or "": everything at debug level. ERR_INVALID with the word that is none. */
int vlog_set(const char *spec, struct diag *diag) MUST_CHECK;
/* The table that vlog/list prints. */
void vlog_put_levels(struct str *out);

/* Opens the way to syslog: METHOD is libc (/dev/log), unix:FILE, udp:IP:PORT or null. Fails only when
 * METHOD is none of them or its address is bad; a daemon of syslog may come later or never. */
int vlog_open_syslog(const char *method, const char *program, struct diag *diag) MUST_CHECK;
