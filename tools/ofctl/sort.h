/* sort.h - see sort.c. */
#pragma once

#include "base/vec.h"
#include "openflow/print.h"
#include "openflow/text.h"

struct sorting;

struct sorting *sorting_new(void);
void sorting_free(struct sorting *s); /* NULL is allowed */
/* By NAME (NULL: the priority) where earlier keys are equal. False: there is no such field. */
bool sorting_add_key(struct sorting *s, const char *name, bool descending);
void sorting_add_flow(struct sorting *s, const struct of_flow_stats *flow); /* takes over */
void sorting_print(struct sorting *s, const struct port_names *names, bool stats);
