/* monitor.c - prints what a switch sends unasked: packets, port changes, flows that ended. */
#include "tools/ofctl/ofctl.h"

#include <stdio.h>
#include <stdlib.h>

#include "openflow/packet_io.h"

static void take_config(struct client *c UNUSED, const struct of_msg *reply, void *aux)
{
    (void)!of_config_decode(reply, aux);
}

void ofctl_monitor(struct ofctl *o)
{
    struct of_config config = {0, 0};
    struct of_buf b = OF_BUF_INIT;
    struct of_msg msg;
    uint64_t miss = UINT16_MAX;
    const char *arg = ofctl_arg(o, 1);
    if (arg && (text_to_u64(arg, 0, &miss) || miss > UINT16_MAX))
        ofctl_fatal("%s: unsupported \"monitor\" argument", arg);
    ofctl_connect(o);
    uint8_t version = o->client.version;
    of_simple_encode(OF_GET_CONFIG_REQUEST, version, client_next_xid(&o->client), &b);
    client_transact(&o->client, &b, take_config, &config);
    config.miss_send_len = (uint16_t)miss;
    of_config_encode(OF_SET_CONFIG, &config, version, client_next_xid(&o->client), &b);
    client_transact_noreply(&o->client, &b);
    of_nx_number_encode(OF_NX_SET_PACKET_IN_FORMAT, OF_PIF_NXT2, version,
                        client_next_xid(&o->client), &b);
    client_transact_noreply(&o->client, &b);
    of_buf_fini(&b);
    for (;;) {
        uint8_t *data = client_receive(&o->client, &msg);
        struct str s = STR_INIT;
        of_print(&s, &msg, 2, client_print_names(&o->client), NULL);
        fputs(str_c(&s), stdout);
        fflush(stdout);
        str_fini(&s);
        free(data);
    }
}
