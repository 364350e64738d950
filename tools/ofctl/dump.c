/* dump.c - commands that ask once and print the answer; that may be an error, and they have done what they are for. */
#include "tools/ofctl/ofctl.h"

#include <stdio.h>
#include <stdlib.h>

#include "openflow/group.h"
#include "openflow/meter.h"
#include "openflow/queue.h"

static void print_reply(struct client *c, const struct of_msg *reply, void *aux UNUSED)
{
    struct str s = STR_INIT;
    of_print(&s, reply, 2, client_print_names(c), NULL);
    fputs(str_c(&s), stdout);
    str_fini(&s);
}

static void transact(struct ofctl *o, struct of_buf *request)
{
    client_ask(&o->client, request, print_reply, NULL);
    of_buf_fini(request);
}

static void needs(struct ofctl *o, uint8_t version, const char *what)
{
    if (o->client.version < version)
        ofctl_fatal("%s needs OpenFlow 1.%d or later ('-O OpenFlow1%d')", what, version - 1,
                    version - 1);
}

/* A multipart request that has no body. */
static void dump_plain(struct ofctl *o, enum of_type type, uint8_t since, const char *what)
{
    struct of_buf b = OF_BUF_INIT;
    ofctl_connect(o);
    needs(o, since, what);
    of_multipart_request_encode(type, o->client.version, client_next_xid(&o->client), &b);
    transact(o, &b);
}

void ofctl_show(struct ofctl *o)
{
    struct of_buf b = OF_BUF_INIT;
    ofctl_connect(o);
    uint8_t version = o->client.version;
    of_simple_encode(OF_FEATURES_REQUEST, version, client_next_xid(&o->client), &b);
    transact(o, &b);
    if (version > OF10_VERSION) {
        of_port_desc_request_encode(PORT_ANY, version, client_next_xid(&o->client), &b);
        transact(o, &b);
    }
    client_next_xid(&o->client); /* ovs-ofctl's second HELLO */
    of_simple_encode(OF_GET_CONFIG_REQUEST, version, client_next_xid(&o->client), &b);
    transact(o, &b);
}

void ofctl_dump_desc(struct ofctl *o)
{
    dump_plain(o, OF_DESC_REQUEST, OF10_VERSION, "dump-desc");
}

void ofctl_dump_tables(struct ofctl *o)
{
    dump_plain(o, OF_TABLE_STATS_REQUEST, OF10_VERSION, "dump-tables");
}

void ofctl_dump_table_features(struct ofctl *o)
{
    dump_plain(o, OF_TABLE_FEATURES_REQUEST, OF13_VERSION, "dump-table-features");
}

void ofctl_dump_table_desc(struct ofctl *o)
{
    dump_plain(o, OF_TABLE_DESC_REQUEST, OF14_VERSION, "dump-table-desc");
}

/* Argument I as a port; PORT_ANY without it. */
static uint32_t port_arg(struct ofctl *o, int i)
{
    uint32_t port = PORT_ANY;
    const char *text = ofctl_arg(o, i);
    if (text && port_parse(text, &o->client.port_names, &port))
        ofctl_fatal("%s: unknown port `%s'", o->argv[0], text);
    return port;
}

void ofctl_dump_ports(struct ofctl *o)
{
    struct of_buf b = OF_BUF_INIT;
    ofctl_connect(o);
    uint32_t port = port_arg(o, 1);
    of_port_stats_request_encode(port, o->client.version, client_next_xid(&o->client), &b);
    transact(o, &b);
}

void ofctl_dump_ports_desc(struct ofctl *o)
{
    struct of_buf b = OF_BUF_INIT;
    ofctl_connect(o);
    uint32_t port = port_arg(o, 1);
    of_port_desc_request_encode(port, o->client.version, client_next_xid(&o->client), &b);
    transact(o, &b);
}

static uint64_t number_arg(struct ofctl *o, int i, const char *prefix, uint64_t none)
{
    const char *text = ofctl_arg(o, i);
    uint64_t x;
    if (!text || !strcmp(text, "all"))
        return none;
    if (text_starts_with(text, prefix))
        text += strlen(prefix);
    if (!strcmp(text, "all"))
        return none;
    if (text_to_u64(text, 0, &x) || x > UINT32_MAX)
        ofctl_fatal("%s: invalid number", text);
    return x;
}

static void dump_group(struct ofctl *o, enum of_type type)
{
    struct of_buf b = OF_BUF_INIT;
    ofctl_connect(o);
    if (type == OF_GROUP_STATS_REQUEST)
        o->client.xid = 6; /* ovs-ofctl asks for names before */
    uint32_t group = (uint32_t)number_arg(o, 1, "group_id=", OF_GROUP_ALL);
    of_group_request_encode(type, group, o->client.version, client_next_xid(&o->client), &b);
    transact(o, &b);
}

void ofctl_dump_groups(struct ofctl *o)
{
    dump_group(o, OF_GROUP_DESC_REQUEST);
}

void ofctl_dump_group_stats(struct ofctl *o)
{
    dump_group(o, OF_GROUP_STATS_REQUEST);
}

void ofctl_dump_group_features(struct ofctl *o)
{
    dump_plain(o, OF_GROUP_FEATURES_REQUEST, OF10_VERSION, "dump-group-features");
}

void ofctl_dump_ipfix_bridge(struct ofctl *o)
{
    dump_plain(o, OF_IPFIX_BRIDGE_REQUEST, OF10_VERSION, "dump-ipfix-bridge");
}

void ofctl_dump_ipfix_flow(struct ofctl *o)
{
    dump_plain(o, OF_IPFIX_FLOW_REQUEST, OF10_VERSION, "dump-ipfix-flow");
}

static void dump_meter(struct ofctl *o, enum of_type type, const char *what)
{
    struct of_buf b = OF_BUF_INIT;
    ofctl_connect(o);
    needs(o, OF13_VERSION, what);
    uint32_t meter = (uint32_t)number_arg(o, 1, "meter=", OF_METER_ALL);
    of_meter_request_encode(type, meter, o->client.version, client_next_xid(&o->client), &b);
    transact(o, &b);
}

void ofctl_dump_meters(struct ofctl *o)
{
    dump_meter(o, OF_METER_CONFIG_REQUEST, "dump-meters");
}

void ofctl_meter_stats(struct ofctl *o)
{
    dump_meter(o, OF_METER_STATS_REQUEST, "meter-stats");
}

void ofctl_meter_features(struct ofctl *o)
{
    dump_plain(o, OF_METER_FEATURES_REQUEST, OF13_VERSION, "meter-features");
}

void ofctl_queue_stats(struct ofctl *o)
{
    struct of_buf b = OF_BUF_INIT;
    ofctl_connect(o);
    struct of_queue_request req = {port_arg(o, 1), (uint32_t)number_arg(o, 2, "", UINT32_MAX)};
    of_queue_stats_request_encode(&req, o->client.version, client_next_xid(&o->client), &b);
    transact(o, &b);
}

void ofctl_queue_get_config(struct ofctl *o)
{
    struct of_buf b = OF_BUF_INIT;
    ofctl_connect(o);
    struct of_queue_request req = {port_arg(o, 1), (uint32_t)number_arg(o, 2, "", UINT32_MAX)};
    if (req.port == PORT_ANY && o->client.version < OF14_VERSION)
        ofctl_fatal("queue-get-config: name a port (versions before 1.4 ask for one)");
    of_queue_config_request_encode(&req, o->client.version, client_next_xid(&o->client), &b);
    transact(o, &b);
}

void ofctl_dump_tlv_map(struct ofctl *o)
{
    struct of_buf b = OF_BUF_INIT;
    ofctl_connect(o);
    of_simple_encode(OF_NX_TLV_TABLE_REQUEST, o->client.version, client_next_xid(&o->client), &b);
    transact(o, &b);
}

static void print_frags(struct client *c UNUSED, const struct of_msg *reply, void *aux UNUSED)
{
    static const char *const names[] = {"normal", "drop", "reassemble", "nx-match"};
    struct of_config config;
    if (!of_config_decode(reply, &config))
        puts(names[config.flags & 3]);
}

void ofctl_get_frags(struct ofctl *o)
{
    struct of_buf b = OF_BUF_INIT;
    ofctl_connect(o);
    of_simple_encode(OF_GET_CONFIG_REQUEST, o->client.version, client_next_xid(&o->client), &b);
    client_transact(&o->client, &b, print_frags, NULL);
    of_buf_fini(&b);
}

void ofctl_probe(struct ofctl *o)
{
    struct of_buf b = OF_BUF_INIT;
    ofctl_connect(o);
    client_transact_noreply(&o->client, &b);
    of_buf_fini(&b);
}
