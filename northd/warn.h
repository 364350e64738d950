/* warn.h - NB values that come to nothing, said in the log (room 1 of docs/architecture.md): compile units have no log, they leave out what
 * they cannot use. Only what a user would miss in silence is looked for.
 */
#pragma once

#include "northd/program.h"
#include "replica/replica.h"

/* Every change set of NB is shown to it. Warns, at most 5 times a minute, of static routes whose next hop is no plain address; and once for a
 * table and change set, of new rows in tables that nothing is compiled from (a NAT that does not translate must not go unsaid) and
 * of options that are set and that nothing reads. */
void warn_take_nb(const struct changeset *cs);
/* After a settle: warns of what compile units have left out since the last time. Call warn_watch before the first assertion. */
void warn_watch(struct inc *inc, const struct northd_program *program);
void warn_take_facts(struct inc *inc, const struct northd_program *program);
