/* oflow.h - emitting OpenFlow flows as facts, and the registers of the logical pipeline.
 *
 * Room 8. A unit fills a match and an action list and hands them over; equal content is interned to equal pointers.
 */
#pragma once

#include "controller/program.h"
#include "flow/key.h"
#include "openflow/actions.h"

/* Registers that physical flows work with (tables and numbers: lib/lflow/tables.def and the symbol table). */
#define REG_FLAGS FIELD_REG10
#define REG_DNAT_ZONE FIELD_REG11
#define REG_SNAT_ZONE FIELD_REG12
#define REG_PORT_ZONE FIELD_REG13
#define REG_INPORT FIELD_REG14
#define REG_OUTPORT FIELD_REG15

/* A flow in the making. oflow_begin clears it for the next one; oflow_fini frees its memory. */
struct oflow {
    struct match match;
    struct of_actions actions;
};
#define OFLOW_INIT                                                                                 \
    {                                                                                              \
        .actions = OF_ACTIONS_INIT                                                                 \
    }

void oflow_begin(struct oflow *flow);
void oflow_emit(struct inc_ctx *ctx, struct program *p, struct oflow *flow, unsigned table,
                unsigned priority, uint32_t cookie);
void oflow_fini(struct oflow *flow);
/* The actions of FLOW as a fact has them, a new reference. */
struct rstr *oflow_actions(struct program *p, const struct oflow *flow);

/* match: this datapath; and this register */
void oflow_match_dp(struct oflow *flow, uint32_t dp_key);
void oflow_match_reg(struct oflow *flow, enum field_id reg, uint32_t value);
/* actions */
void oflow_resubmit(struct oflow *flow, unsigned table);
void oflow_load(struct oflow *flow, enum field_id field, u128 value);
/* What a tunnel of TYPE (enum tunnel_type) carries: the datapath, the outport and, Geneve only, the inport (from its register) in tunnel
 * option OPTION. */
void oflow_tunnel_keys(struct oflow *flow, uint32_t dp_key, uint32_t out_key, unsigned type,
                       unsigned option);
/* The connection tracking zones; those that are 0 are left as they are. */
void oflow_load_zones(struct oflow *flow, const struct zones *zones);
/* The logical registers reg0..reg9 as they are when a pipeline begins: zero. */
void oflow_clear_logical(struct oflow *flow);
