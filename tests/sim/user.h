/* user.h - somebody who speaks OVSDB to a database of the cluster, one transaction at a time: weft-nbctl's and weft-vsctl's part. */
#pragma once

#include <jansson.h>

#include "base/util.h"

struct cluster;
struct user;

struct user *user_new(struct cluster *c, const char *what, const char *target, const char *db);
void user_free(struct user *user);
void user_disconnect(struct user *user); /* NULL is allowed; the next transaction connects again */
/* OPS: the operations as JSON, separated by commas. The cluster runs until the answer is there. An error fails the simulation.
 * Returns the results. */
json_t *user_transact(struct user *user, const char *format, ...) PRINTF_FORMAT(2, 3);
/* Rows of TABLE. */
size_t user_count(struct user *user, const char *table);
