/* pipeline.c - docs/pipeline.md, made of stages.def, regs.def and tables.def; see pipeline.h. */
#include "tools/lflow/pipeline.h"

#include "lflow/lflow.h"

static void put_stages(struct str *out, enum datapath_kind datapath, enum pipeline pipeline)
{
    unsigned base = pipeline == PIPELINE_INGRESS ? OFTABLE_LOG_INGRESS : OFTABLE_LOG_EGRESS;
    str_putf(out, "\n## %s, %s\n\n| table_id | stage | OpenFlow table |\n| --- | --- | --- |\n",
             datapath == DATAPATH_SWITCH ? "Switch" : "Router", lflow_pipeline_name(pipeline));
    for (int i = 0; i < N_STAGES; i++) {
        const struct stage_info *s = stage_info((enum stage)i);
        if (s->datapath == datapath && s->pipeline == pipeline)
            str_putf(out, "| %u | %s | %u |\n", s->table, s->name, base + s->table);
    }
}

void pipeline_print(struct str *out)
{
    str_put(
        out,
        "# The logical pipelines\n\n"
        "Made by `weft-lflow pipeline` from lib/lflow/stages.def, regs.def and tables.def; a test "
        "compares. The numbers are\nthose of column table_id of Logical_Flow, the names those of "
        "its external_ids:stage-name.\n");
    put_stages(out, DATAPATH_SWITCH, PIPELINE_INGRESS);
    put_stages(out, DATAPATH_SWITCH, PIPELINE_EGRESS);
    put_stages(out, DATAPATH_ROUTER, PIPELINE_INGRESS);
    put_stages(out, DATAPATH_ROUTER, PIPELINE_EGRESS);
    str_put(out, "\n## Logical registers\n\n| bits | what they hold |\n| --- | --- |\n");
    struct symtab *st = symtab_new();
#define REG(ID, SYM, OFS, WIDTH, WHAT)                                                             \
    if ((WIDTH) == symtab_get(st, SYM_##SYM)->width)                                               \
        str_putf(out, "| %s | %s |\n", symtab_get(st, SYM_##SYM)->name, WHAT);                     \
    else if ((WIDTH) == 1)                                                                         \
        str_putf(out, "| %s[%u] | %s |\n", symtab_get(st, SYM_##SYM)->name, (unsigned)(OFS),       \
                 WHAT);                                                                            \
    else                                                                                           \
        str_putf(out, "| %s[%u..%u] | %s |\n", symtab_get(st, SYM_##SYM)->name, (unsigned)(OFS),   \
                 (unsigned)(OFS) + (WIDTH)-1, WHAT);
#include "lflow/regs.def"
#undef REG
    symtab_free(st);
    str_put(out, "\n## OpenFlow tables\n\n| table | what it does |\n| --- | --- |\n");
#define TABLE(ID, NUMBER, WHAT) str_putf(out, "| %u | %s |\n", NUMBER, WHAT);
#include "lflow/tables.def"
#undef TABLE
}
