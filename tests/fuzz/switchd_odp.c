/* switchd_odp.c - fuzz harness: any text as a flow of a datapath, as ofproto/trace and netdev-dummy/receive take it. What it means as a match
 * is written as such a flow again (without what its packets cannot have, as ports of later fragments), which is written the same. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "openflow/text.h"
#include "switchd/odp_flow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The match that TEXT means, without its port; false: it means none. */
static bool read_flow(const char *text, struct match *ret)
{
    struct str words = STR_INIT;
    struct diag diag = DIAG_INIT;
    char *in_port = NULL;
    bool ok = !odp_flow_to_match(text, &words, &in_port, &diag);
    if (!ok)
        INVARIANT(!in_port && *diag_text(&diag));
    ok = ok && !of_match_parse(str_c(&words), NULL, ret, NULL, &diag);
    free(in_port);
    str_fini(&words);
    diag_fini(&diag);
    return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 4096)
        return 0;
    char *text = xstrndup((const char *)data, size);
    struct match match, again;
    if (odp_flow_is(text) && read_flow(text, &match)) {
        struct str first = STR_INIT, second = STR_INIT;
        odp_flow_put(&first, &match, &(struct odp_style){.in_port = "1"});
        if (!read_flow(str_c(&first), &again))
            bug("\"%s\" is written as \"%s\", which is none", text, str_c(&first));
        odp_flow_put(&second, &again, &(struct odp_style){.in_port = "1"});
        if (strcmp(str_c(&first), str_c(&second)) != 0)
            bug("\"%s\" is written as \"%s\", and that as \"%s\"", text, str_c(&first),
                str_c(&second));
        str_truncate(&second, 0);
        odp_flow_put(&second, &match, &(struct odp_style){.verbose = true});
        str_fini(&first);
        str_fini(&second);
    }
    free(text);
    return 0;
}
