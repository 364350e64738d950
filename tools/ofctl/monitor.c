/* monitor.c - prints what a switch sends unasked: packets, port changes, flows that ended, changes of watched flows. */
#include "tools/ofctl/ofctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/env.h"
#include "openflow/flow_monitor.h"
#include "openflow/packet_io.h"

static void take_config(struct client *c UNUSED, const struct of_msg *reply, void *aux)
{
    (void)!of_config_decode(reply, aux);
}

enum { INVALID_TTL_TO_CONTROLLER = 4 };

/* "watch:SPEC". */
static void watch(struct ofctl *o, const char *spec)
{
    struct of_flow_monitor fm;
    struct of_buf b = OF_BUF_INIT;
    struct diag diag = DIAG_INIT;
    if (of_flow_monitor_parse(spec, &o->client.port_names, &fm, &diag))
        ofctl_fatal("%s", diag_text(&diag));
    of_flow_monitor_encode(&fm, o->client.version, client_next_xid(&o->client), &b);
    client_send(&o->client, &b);
    of_buf_fini(&b);
}

static void put_time(struct str *s, int64_t wall_ms)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm;
    char text[32];
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", gmtime_r(&seconds, &tm));
    str_putf(s, "%s.%03d: ", text, (int)(wall_ms % 1000));
}

/* What comes, until the other end closes. */
static void print_all(struct ofctl *o, const struct port_names *names)
{
    for (;;) {
        struct of_msg msg;
        uint8_t *data = client_receive(&o->client, &msg);
        struct str s = STR_INIT;
        if (o->timestamp)
            put_time(&s, env_wall_ms(loop_env(o->client.loop)));
        of_print(&s, &msg, 2 + o->verbosity, names, NULL);
        fputs(str_c(&s), stderr); /* where scripts look for it */
        str_fini(&s);
        free(data);
    }
}

void ofctl_monitor(struct ofctl *o)
{
    struct of_config config = {0, 0};
    struct of_buf b = OF_BUF_INIT;
    int64_t miss = -1;
    const char *arg, *spec = NULL;
    bool invalid_ttl = false;
    uint64_t n;
    for (int i = 1; (arg = ofctl_arg(o, i)) != NULL; i++) {
        if (!strncmp(arg, "watch:", 6))
            spec = arg + 6;
        else if (!strcmp(arg, "invalid_ttl"))
            invalid_ttl = true;
        else if (!text_to_u64(arg, 0, &n) && n <= UINT16_MAX)
            miss = (int64_t)n;
        else
            ofctl_fatal("%s: unsupported \"monitor\" argument", arg);
    }
    ofctl_connect(o);
    uint8_t version = o->client.version;
    if (miss >= 0 || invalid_ttl) {
        of_simple_encode(OF_GET_CONFIG_REQUEST, version, client_next_xid(&o->client), &b);
        client_transact(&o->client, &b, take_config, &config);
        if (miss >= 0)
            config.miss_send_len = (uint16_t)miss;
        config.flags |= invalid_ttl ? INVALID_TTL_TO_CONTROLLER : 0;
        of_config_encode(OF_SET_CONFIG, &config, version, client_next_xid(&o->client), &b);
        client_transact_noreply(&o->client, &b);
    }
    if (spec)
        watch(o, spec);
    of_nx_number_encode(OF_NX_SET_PACKET_IN_FORMAT, OF_PIF_NXT2, version,
                        client_next_xid(&o->client), &b);
    client_send(&o->client, &b);
    of_buf_fini(&b);
    print_all(o, client_print_names(&o->client));
}

void ofctl_snoop(struct ofctl *o)
{
    o->client.service = "snoop";
    ofctl_connect(o);
    print_all(o, NULL);
}
