/* local.h - what the files of controller/local ask one another. */
#pragma once

#include "controller/program.h"

/* The tunnel that leads to CHASSIS: to its end point ENCAP (NULL or zero: any) when there is one. NULL: none. */
const struct fact_tunnel *local_tunnel(struct inc_ctx *ctx, struct program *p, struct rstr *chassis,
                                       const struct uuid *encap);
/* The chassis that should hold a port with candidates: the first in order of priority that is this one (SELF, may be NULL) or not known to be
 * dead. NULL: there is none. */
struct rstr *local_holder(struct inc_ctx *ctx, struct program *p, const struct uuid *port,
                          const struct fact_self *self);
/* This chassis is one of the port's candidates. */
bool local_is_candidate(struct inc_ctx *ctx, struct program *p, const struct uuid *port,
                        const struct fact_self *self);
/* The number of NAME, which is wanted from now on; 0: not given yet. */
/* A zone: false until it is known. *RET 0: none is left. */
bool local_zone(struct inc_ctx *ctx, struct program *p, const char *name, uint32_t arg,
                uint32_t *ret);
uint32_t local_id(struct inc_ctx *ctx, struct program *p, enum id_kind kind, const char *name,
                  uint32_t arg);
