/* test_prefix_list.c - numbers by network: the longest one counts, what cannot be read does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/prefix_list.h"

static void test_find(void **state UNUSED)
{
    static const struct {
        const char *text, *ip;
        uint32_t number;
    } cases[] = {
        {"300", "10.0.0.1", 300},
        {"0", "10.0.0.1", 0},
        {"", "10.0.0.1", 0},
        {NULL, "10.0.0.1", 0},
        {"10.0.0.0/8:60;10.1.0.0/16:20;300", "10.1.2.3", 20},
        {"10.1.0.0/16:20;10.0.0.0/8:60;300", "10.2.2.3", 60},
        {"10.0.0.0/8:60;300", "192.0.2.1", 300},
        {"10.0.0.0/8:60", "192.0.2.1", 0},
        {"fd00::/16:7;300", "fd00::1", 7},
        {"nonsense", "10.0.0.1", 0},
        {"10.0.0.0/8:x;-3;99999999999", "10.0.0.1", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ip_addr ip;
        assert_int_equal(ip_addr_parse(cases[i].ip, &ip), 0);
        assert_int_equal(prefix_list_find(cases[i].text, &ip), cases[i].number);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_find)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
