/* test_text_random.c - flows that nobody wrote as text, recorded FLOW_MODs altered at random that are still accepted: what they print as
 * reads back as the same match and as actions that print the same, and parse(print(y)) is y for what was read. (What text does not
 * say, such as the max_len of an output to a port, need not come back from the wire's value.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/env.h"
#include "openflow/bundle.h"
#include "openflow/text.h"

enum { ROUNDS = 40 };

struct counts {
    size_t tried, accepted, kinds;
    bool seen[N_OF_ACTIONS];
};

static void note_kinds(struct counts *n, const void *actions, size_t len)
{
    const struct of_action *a;
    OF_ACTION_FOR_EACH(a, actions, len)
    {
        n->kinds += !n->seen[a->type];
        n->seen[a->type] = true;
    }
}

static void check_flow(const struct of_flow_mod *fm, struct counts *n)
{
    struct of_flow_mod again, third;
    struct diag diag = DIAG_INIT;
    struct str first = STR_INIT, second = STR_INIT;
    of_flow_mod_print(&first, fm, NULL);
    if (of_flow_mod_parse(str_c(&first), OF_FLOW_ADD, NULL, NULL, &again, &diag))
        fail_msg("%s: %s", str_c(&first), diag_text(&diag));
    of_flow_mod_print(&second, &again, NULL);
    assert_string_equal(str_c(&first), str_c(&second));
    if (!match_equal(&fm->match, &again.match))
        fail_msg("%s: another match", str_c(&first));
    assert_int_equal(of_flow_mod_parse(str_c(&second), OF_FLOW_ADD, NULL, NULL, &third, NULL), 0);
    if (!of_actions_equal(&third.actions, &again.actions))
        fail_msg("%s: other actions", str_c(&first));
    of_flow_mod_fini(&third);
    note_kinds(n, fm->actions.data, fm->actions.n);
    n->accepted++;
    of_flow_mod_fini(&again);
    str_fini(&first);
    str_fini(&second);
    diag_fini(&diag);
}

static void try_message(const uint8_t *bytes, size_t len, struct counts *n)
{
    struct of_msg msg;
    struct of_bundle_add add;
    struct of_flow_mod fm;
    n->tried++;
    if (of_msg_parse(bytes, len, &msg))
        return;
    if (msg.type == OF_BUNDLE_ADD_MESSAGE && !of_bundle_add_decode(&msg, &add))
        msg = add.msg;
    if (msg.type != OF_FLOW_MOD)
        return;
    if (!of_flow_mod_decode(&msg, true, &fm) && fm.command == OF_FLOW_ADD &&
        !of_actions_check(&fm.actions, &fm.match, fm.table_id, 254))
        check_flow(&fm, n);
    of_flow_mod_fini(&fm);
}

static void alter(struct env *env, uint8_t *bytes, size_t len)
{
    for (uint64_t k = env_random_u64(env) % 3; k; k--) {
        uint64_t r = env_random_u64(env);
        size_t at = 8 + (r >> 8) % (len - 8);
        bytes[at] = r % 3 ? (uint8_t)(bytes[at] ^ 1u << (r >> 40) % 8) : (uint8_t)(r >> 48);
    }
}

static void try_file(const char *name, struct counts *n)
{
    char *path = xasprintf("%s/openflow/%s", TEST_DATA, name), *line = NULL;
    FILE *f = fopen(path, "r");
    size_t cap = 0;
    struct env_seeded env;
    env_seeded_init(&env, 7);
    assert_non_null(f);
    while (getline(&line, &cap, f) > 0) {
        char *hex = strstr(line, " c2s ");
        size_t len = hex && hex - line <= 4 ? strspn(hex + 5, "0123456789abcdef") / 2 : 0;
        if (len <= 8)
            continue;
        uint8_t *bytes = xmalloc(len);
        for (unsigned round = 0; round < ROUNDS; round++) {
            for (size_t i = 0; i < len; i++) {
                char pair[3] = {hex[5 + 2 * i], hex[6 + 2 * i], '\0'};
                bytes[i] = (uint8_t)strtoul(pair, NULL, 16);
            }
            if (round)
                alter(&env.env, bytes, len);
            try_message(bytes, len, n);
        }
        free(bytes);
    }
    free(line);
    fclose(f);
    free(path);
}

static void test_altered_flows(void **state)
{
    (void)state;
    struct counts n = {0};
    try_file("ovn-controller-23.03-mods.txt", &n);
    try_file("ovn-controller-26.03-mods.txt", &n);
    try_file("ovs-ofctl-3.1.txt", &n);
    printf("%zu messages, %zu flows, %zu kinds of actions\n", n.tried, n.accepted, n.kinds);
    assert_true(n.accepted > 10000);
    assert_true(n.kinds > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_altered_flows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
