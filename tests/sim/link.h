/* link.h - what lies between a controller and the central node, or its bridge: connections pass through it late, or not at all. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct cluster;
struct link;

/* Accepts at LISTEN and connects on to TARGET. */
struct link *link_new(struct cluster *c, const char *listen, const char *target);
void link_free(struct link *link);
/* From now on every piece takes 0 to MAX_US more, in order. */
void link_set_delay(struct link *link, int64_t max_us);
/* Cut: connections end and new ones too. */
void link_cut(struct link *link, bool cut);
/* Stalled: nothing moves and nobody is told; afterwards all of it arrives. */
void link_stall(struct link *link, bool stalled);
void link_heal(struct link *link);
