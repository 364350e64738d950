/* openflow_text.c - fuzz harness: any text as a flow. parse(print(x)) is x. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "openflow/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 4096)
        return 0;
    char *text = xstrndup((const char *)data, size);
    struct of_flow_mod fm, again;
    struct diag diag = DIAG_INIT;
    if (!of_flow_mod_parse(text, OF_FLOW_ADD, NULL, NULL, &fm, &diag)) {
        struct str s = STR_INIT;
        of_flow_mod_print(&s, &fm, NULL);
        if (of_flow_mod_parse(str_c(&s), OF_FLOW_ADD, NULL, NULL, &again, &diag))
            bug("\"%s\" prints as \"%s\": %s", text, str_c(&s), diag_text(&diag));
        if (!of_actions_equal(&fm.actions, &again.actions) || fm.priority != again.priority ||
            fm.table_id != again.table_id || fm.cookie != again.cookie ||
            !match_equal(&fm.match, &again.match))
            bug("\"%s\" prints as \"%s\", which is another flow", text, str_c(&s));
        of_flow_mod_fini(&again);
        str_fini(&s);
    }
    of_flow_mod_fini(&fm);
    diag_fini(&diag);
    free(text);
    return 0;
}
