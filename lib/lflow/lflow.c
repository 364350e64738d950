/* lflow.c - the tables of stages and registers, and the logical flow; see lflow.h. */
#include "lflow/lflow.h"

#include <string.h>

#include "base/hash.h"

static const struct stage_info stages[] = {
#define STAGE(DP, PIPELINE, TABLE, ID, NAME)                                                       \
    [STAGE_##ID] = {DATAPATH_##DP, PIPELINE_##PIPELINE, TABLE, NAME},
#include "lflow/stages.def"
#undef STAGE
};

static const struct {
    enum symbol_id sym;
    unsigned ofs, width;
} regs[] = {
#define REG(ID, SYM, OFS, WIDTH, WHAT) [LREG_##ID] = {SYM_##SYM, OFS, WIDTH},
#include "lflow/regs.def"
#undef REG
};

const struct stage_info *stage_info(enum stage stage)
{
    INVARIANT(stage < N_STAGES);
    return &stages[stage];
}

bool stage_find(enum datapath_kind datapath, enum pipeline pipeline, unsigned table,
                enum stage *ret)
{
    for (size_t i = 0; i < N_STAGES; i++)
        if (stages[i].datapath == datapath && stages[i].pipeline == pipeline &&
            stages[i].table == table) {
            *ret = (enum stage)i;
            return true;
        }
    return false;
}

bool stage_find_name(const char *name, enum stage *ret)
{
    for (size_t i = 0; i < N_STAGES; i++)
        if (!strcmp(stages[i].name, name)) {
            *ret = (enum stage)i;
            return true;
        }
    return false;
}

enum stage stage_next(enum stage stage)
{
    enum stage next;
    const struct stage_info *s = stage_info(stage);
    INVARIANT(stage_find(s->datapath, s->pipeline, s->table + 1, &next));
    return next;
}

const char *lflow_pipeline_name(enum pipeline pipeline)
{
    return pipeline == PIPELINE_INGRESS ? "ingress" : "egress";
}

struct action *lflow_next_stage(struct action_pool *p, enum stage stage)
{
    return action_next_table(p, stage_info(stage)->table);
}

struct sym_bits lflow_reg(struct action_pool *p, enum logical_reg reg)
{
    INVARIANT(reg < N_LOGICAL_REGS);
    return action_bits(p, regs[reg].sym, regs[reg].ofs, regs[reg].width);
}

struct expr *lflow_reg_eq(struct expr_pool *p, enum logical_reg reg, u128 value)
{
    INVARIANT(reg < N_LOGICAL_REGS);
    return expr_eq_bits(p, regs[reg].sym, regs[reg].ofs, regs[reg].width, value);
}

struct action *lflow_reg_load(struct action_pool *p, enum logical_reg reg, u128 value)
{
    INVARIANT(reg < N_LOGICAL_REGS);
    return action_load_bits(p, regs[reg].sym, regs[reg].ofs, regs[reg].width, value);
}

bool lflow_same(const struct lflow *a, const struct lflow *b)
{
    return a->stage == b->stage && a->priority == b->priority && a->match == b->match &&
           a->actions == b->actions;
}

uint64_t lflow_hash(const struct lflow *f)
{
    uint64_t h = hash_u64((uint64_t)f->stage << 16 | f->priority, 0);
    return hash_pointer(f->actions, hash_pointer(f->match, h));
}

void lflow_fini(struct lflow *f)
{
    expr_unref(f->match);
    actions_unref(f->actions);
    *f = (struct lflow){.priority = 0};
}
