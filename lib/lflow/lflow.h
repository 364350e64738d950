/* lflow.h - the logical flow, and the shape of the logical pipelines.
 *
 * Room 4 of docs/architecture.md: what northd makes of intent and the controller makes OpenFlow of.
 * stages.def lists the stages, regs.def what the logical registers hold, tables.def the switch's
 * tables. docs/pipeline.md is made from them.
 */
#pragma once

#include "action/action.h"
#include "base/uuid.h"
#include "expr/expr.h"

enum datapath_kind { DATAPATH_SWITCH, DATAPATH_ROUTER };

enum stage {
#define STAGE(DP, PIPELINE, TABLE, ID, NAME) STAGE_##ID,
#include "lflow/stages.def"
#undef STAGE
    N_STAGES
};

enum { MAX_INGRESS_TABLES = 29, MAX_EGRESS_TABLES = 22 };

struct stage_info {
    enum datapath_kind datapath;
    enum pipeline pipeline;
    unsigned table;   /* within the pipeline: column table_id */
    const char *name; /* external_ids:stage-name */
};

const struct stage_info *stage_info(enum stage stage);
/* The stage after, of the same pipeline; aborts for the last one. */
enum stage stage_next(enum stage stage);
/* The stage with a number; false if there is none. */
bool stage_find(enum datapath_kind datapath, enum pipeline pipeline, unsigned table,
                enum stage *ret);
bool stage_find_name(const char *name, enum stage *ret);
const char *lflow_pipeline_name(enum pipeline pipeline); /* "ingress", "egress": column pipeline */

/* next; from STAGE goes to the following table. This names another stage of the same pipeline:
 * next(table); */
struct action *lflow_next_stage(struct action_pool *p, enum stage stage);

enum oftable {
#define TABLE(ID, NUMBER, WHAT) OFTABLE_##ID = NUMBER,
#include "lflow/tables.def"
#undef TABLE
};

enum logical_reg {
#define REG(ID, SYM, OFS, WIDTH, WHAT) LREG_##ID,
#include "lflow/regs.def"
#undef REG
    N_LOGICAL_REGS
};

/* Where a thing is kept; LREG_... of a pool's symbols, as an operand. */
struct sym_bits lflow_reg(struct action_pool *p, enum logical_reg reg);
/* lreg == VALUE as a match; lreg = VALUE as an action. */
struct expr *lflow_reg_eq(struct expr_pool *p, enum logical_reg reg, u128 value);
struct action *lflow_reg_load(struct action_pool *p, enum logical_reg reg, u128 value);

/* Bits of the flags register (reg10), which both halves of the product and OVN's agree on. */
enum flag_bit {
    FLAG_LOOPBACK = 0,
    FLAG_FROM_RAMP = 1,
    FLAG_FORCE_SNAT_FOR_DNAT = 2,
    FLAG_FORCE_SNAT_FOR_LB = 3,
    FLAG_LOCAL_ONLY = 4,
    FLAG_NESTED_CONTAINER = 5,
    FLAG_MAC_FOUND = 6,
    FLAG_HAIRPIN = 7,
    FLAG_FDB_FOUND = 8,
    FLAG_SKIP_SNAT = 9,
    FLAG_LOCALPORT = 10,
    FLAG_USE_SNAT_ZONE = 11,
    FLAG_PORT_SEC_DROP = 12,
    FLAG_ECMP = 13,
    FLAG_LB_AFFINITY = 14,
    FLAG_LOCALNET = 15,
    FLAG_TUNNEL_RX = 16,
};

/* A logical flow, owning one reference of its match and actions. Two flows with equal stage,
 * priority, match and actions are the same flow on several datapaths. */
struct lflow {
    struct uuid datapath; /* Datapath_Binding, or a group's */
    enum stage stage;
    uint16_t priority;
    struct expr *match;
    struct actions *actions;
    struct uuid hint; /* NB row it comes from; zero when none */
};

/* By content, ignoring datapath and hint. Flows must be of the same pools. */
bool lflow_same(const struct lflow *a, const struct lflow *b);
uint64_t lflow_hash(const struct lflow *f);
void lflow_fini(struct lflow *f);
