/* replica_internal.h - what txn.c needs of replica.c. Not for users of the module. */
#pragma once

#include "replica/replica.h"

struct env *replica_env(const struct replica *replica);
/* The lock that transactions assert, or NULL. */
const char *replica_lock_name(const struct replica *replica);
/* Hands OPS over to the source. */
void replica_submit(struct replica *replica, struct ops *ops,
                    void (*done)(void *aux, int err, const char *error), void *aux);
