/* openflow_messages.c - fuzz harness: any bytes as one OpenFlow message. It is printed; what is accepted as a flow encodes in every
 * version to a message that decodes again. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "openflow/bundle.h"
#include "openflow/packet_io.h"
#include "openflow/print.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void redo_flow(const struct of_msg *msg)
{
    static const uint8_t versions[] = {OF10_VERSION, OF13_VERSION, OF14_VERSION, OF15_VERSION};
    struct of_flow_mod fm, again;
    if (!of_flow_mod_decode(msg, true, &fm)) {
        (void)!of_actions_check(&fm.actions, &fm.match, fm.table_id, 254);
        for (size_t i = 0; i < sizeof versions; i++) {
            struct of_buf w = OF_BUF_INIT;
            struct of_msg copy;
            of_flow_mod_encode(&fm, versions[i], 1, &w);
            int err = of_msg_parse(w.data, w.n, &copy);
            if (!err) {
                err = of_flow_mod_decode(&copy, true, &again);
                of_flow_mod_fini(&again);
            }
            /* A flow of 64 kB in one version may be longer in another; in 1.0 the switch may choose the table. */
            bool chosen = fm.command == OF_FLOW_ADD && fm.table_id == OF_TABLE_ALL;
            if (err && w.n <= OF_MAX_LEN && !chosen)
                bug("version %u does not read back: %s", versions[i], of_error_name(err));
            of_buf_fini(&w);
        }
    }
    of_flow_mod_fini(&fm);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < OF_HEADER_LEN || size > OF_MAX_LEN)
        return 0;
    uint8_t *bytes = xmemdup(data, size);
    put_be16(bytes + 2, (uint16_t)size); /* the connection takes care of the length */
    struct of_msg msg;
    int err = of_msg_parse(bytes, size, &msg);
    struct of_buf w = OF_BUF_INIT;
    if (err) {
        of_error_encode(err, &msg, &w);
    } else {
        struct str s = STR_INIT;
        struct of_bundle_add add;
        of_print(&s, &msg, 2, NULL, NULL);
        str_fini(&s);
        if (msg.type == OF_BUNDLE_ADD_MESSAGE && !of_bundle_add_decode(&msg, &add))
            msg = add.msg;
        if (msg.type == OF_FLOW_MOD)
            redo_flow(&msg);
    }
    of_buf_fini(&w);
    free(bytes);
    return 0;
}
