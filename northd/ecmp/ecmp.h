/* ecmp.h - choosing among several next hops (room 3 of docs/architecture.md). The facts are in ecmp_facts.h. */
#pragma once

#include "northd/lflows.h"

void ecmp_declare_facts(struct northd_program *p);
void ecmp_declare_units(struct northd_program *p); /* after all that want numbers */

/* number.c: each router and space */
void ecmp_number(struct inc_ctx *ctx, const void *key, void *aux);

/* number.c, for run functions that emit ecmp.want, or read ecmp.number (0: there is none). */
void ecmp_want(struct inc_ctx *ctx, struct northd_program *p, const struct uuid *lr,
               enum ecmp_space space, const struct uuid *id);
unsigned ecmp_number_of(struct inc_ctx *ctx, struct northd_program *p, const struct uuid *lr,
                        const struct uuid *id);
/* HEAD; group = NUMBER; member = select(1, ..., N); - goes on to the next stage. Takes over HEAD. */
struct actions *ecmp_select(const struct lflow_out *l, struct actions *head, unsigned number,
                            size_t n);
struct expr *ecmp_chosen(const struct lflow_out *l, unsigned number, size_t member);
