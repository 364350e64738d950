/* demand.h - which rows of a database the commands of one invocation need.
 *
 * Nobody declares it. The commands run first on an empty copy; what they ask of their view (a row by
 * uuid, by name, what refers to a row, or a whole table) is noted here and becomes the conditions
 * under which the server is asked for rows. Then they run again, and know more to ask for, until a
 * run asks for nothing new: that is the one that counts. Adding a port to a database of 20,000
 * thus fetches one switch, not 20,000 ports.
 *
 * What is demanded only grows, so that the runs come to an end.
 */
#pragma once

#include "replica/replica.h"

struct demand;

struct demand *demand_new(const struct schema *schema);
void demand_free(struct demand *demand); /* NULL is allowed */

void demand_table(struct demand *demand, const struct schema_table *table);
/* The rows whose COLUMN (which may be _uuid) is VALUE, or, a set, includes it. Takes over VALUE. */
void demand_rows(struct demand *demand, const struct schema_column *column,
                 const struct datum *value);
/* Was something demanded that no condition says yet? */
bool demand_is_open(const struct demand *demand);
/* Makes it the conditions of REPLICA. */
void demand_apply(struct demand *demand, struct replica *replica);
