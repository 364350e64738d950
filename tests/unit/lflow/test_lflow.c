/* test_lflow.c - stages within what old controllers accept, registers within their fields. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lflow/lflow.h"

static void stages_fit_old_controllers(void **state UNUSED)
{
    for (int i = 0; i < N_STAGES; i++) {
        const struct stage_info *s = stage_info((enum stage)i);
        enum stage found;
        assert_true(s->table < (unsigned)(s->pipeline == PIPELINE_INGRESS ? MAX_INGRESS_TABLES
                                                                          : MAX_EGRESS_TABLES));
        assert_true(stage_find(s->datapath, s->pipeline, s->table, &found));
        assert_int_equal(found, i);
        assert_true(stage_find_name(s->name, &found));
        assert_int_equal(found, i);
    }
    enum stage none;
    assert_false(stage_find(DATAPATH_ROUTER, PIPELINE_EGRESS, 7, &none));
    assert_false(stage_find_name("ls_in_nowhere", &none));
    assert_int_equal(stage_next(STAGE_SW_IN_ARP_RSP), STAGE_SW_IN_DHCP_OPTIONS);
}

static void flows_compare_by_content(void **state UNUSED)
{
    struct symtab *st = symtab_new();
    struct expr_pool *e = expr_pool_new(st);
    struct action_pool *a = action_pool_new(e);
    struct lflow x = {.stage = STAGE_RTR_IN_ARP_RESOLVE,
                      .priority = 100,
                      .match = lflow_reg_eq(e, LREG_ROUTER_NEXT_HOP_IP4, 0x0a000001),
                      .actions = actions_of(a, action_next(a), NULL)};
    struct lflow y = {.stage = STAGE_RTR_IN_ARP_RESOLVE,
                      .priority = 100,
                      .match = lflow_reg_eq(e, LREG_ROUTER_NEXT_HOP_IP4, 0x0a000001),
                      .actions = actions_of(a, action_next(a), NULL)};
    assert_true(lflow_same(&x, &y));
    assert_true(lflow_hash(&x) == lflow_hash(&y));
    y.priority = 99;
    assert_false(lflow_same(&x, &y));
    lflow_fini(&x);
    lflow_fini(&y);
    for (int r = 0; r < N_LOGICAL_REGS; r++) {
        struct sym_bits bits = lflow_reg(a, (enum logical_reg)r);
        struct actions *as = actions_of(a, lflow_reg_load(a, (enum logical_reg)r, 1), NULL);
        assert_true(bits.ofs + bits.width <= bits.sym->width);
        actions_unref(as);
    }
    struct actions *to = actions_of(a, lflow_next_stage(a, STAGE_SW_IN_L2_LKUP), NULL);
    char *text = actions_to_text(to);
    assert_string_equal(text, "next(25);");
    free(text);
    actions_unref(to);
    action_pool_free(a);
    expr_pool_free(e);
    symtab_free(st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(stages_fit_old_controllers),
                                       cmocka_unit_test(flows_compare_by_content)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
