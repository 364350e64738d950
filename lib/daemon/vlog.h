/* vlog.h - the words in which Open vSwitch users set log levels: -v and vlog/set.
 *
 *     SPEC = word[:word...]   a word is a level (off emer err warn info dbg), a destination
 *                             (any console syslog file), or a module's name, in any order
 *
 * One level a module holds for the file and the console together; a destination decides only
 * whether the console is written ("console:off", "console:info"). Nothing goes to syslog, so
 * settings for it are accepted and change nothing.
 */
#pragma once

#include "base/diag.h"
#include "base/str.h"

/* NULL or "": everything at debug level. ERR_INVALID with the word that is none. */
int vlog_set(const char *spec, struct diag *diag) MUST_CHECK;
/* The table that vlog/list prints. */
void vlog_put_levels(struct str *out);
