/* print_request.c - texts of what asks and instructs, as far as a line says it: requests of statistics, Nicira's messages that carry a
 * number, NXT_CT_FLUSH, and messages inside of bundles.
 */
#include "net/headers.h"
#include "openflow/bundle.h"
#include "openflow/group.h"
#include "openflow/meter.h"
#include "openflow/port.h"
#include "openflow/print_impl.h"
#include "openflow/queue.h"
#include "openflow/switch.h"

void of_hex_dump_put(struct str *s, const void *data, size_t n, bool text)
{
    enum { LINE = 16 };
    const uint8_t *p = data;
    for (size_t line = 0; line < n; line += LINE) {
        size_t end = MIN(line + LINE, n);
        str_putf(s, "%08zx ", line);
        for (size_t i = line; i < end; i++)
            str_putf(s, "%c%02x", i % LINE == LINE / 2 ? '-' : ' ', p[i]);
        if (text) {
            str_putf(s, "%*s|", (int)(3 * (line + LINE - end) + 1), "");
            for (size_t i = line; i < line + LINE; i++)
                str_putc(s, i >= end ? ' ' : p[i] >= ' ' && p[i] <= '~' ? (char)p[i] : '.');
            str_putc(s, '|');
        }
        str_putc(s, '\n');
    }
}

static const char *const bundle_flags[] = {"atomic", "ordered"};

static int put_bundle_add(struct str *s, const struct of_msg *msg, int verbosity,
                          const struct port_names *ports, const struct table_names *tables)
{
    struct of_bundle_add ba;
    int err = of_bundle_add_decode(msg, &ba);
    if (err)
        return err;
    str_putf(s, "\n bundle_id=%#x flags=", ba.id);
    print_bits(s, ba.flags, bundle_flags, ARRAY_SIZE(bundle_flags), ' ');
    str_putc(s, '\n');
    of_print(s, &ba.msg, verbosity, ports, tables);
    return 0;
}

static const char *number_name(const char *const *names, size_t n, uint32_t number)
{
    return number < n && names[number] ? names[number] : "?";
}

static int put_number(struct str *s, const struct of_msg *msg)
{
    static const char *const packet_in_formats[] = {"standard", "nxt_packet_in", "nxt_packet_in2"};
    static const char *const flow_formats[] = {"openflow10", NULL, "nxm"};
    uint32_t number;
    int err = of_nx_number_decode(msg, &number);
    if (err)
        return err;
    switch (msg->type) {
    case OF_NX_SET_PACKET_IN_FORMAT:
        str_putf(s, " format=%s\n", number_name(packet_in_formats, 3, number));
        break;
    case OF_NX_SET_FLOW_FORMAT:
        str_putf(s, " format=%s\n", number_name(flow_formats, 3, number));
        break;
    case OF_NX_FLOW_MOD_TABLE_ID:
        str_put(s, number ? " enable\n" : " disable\n");
        break;
    case OF_NX_CT_FLUSH_ZONE:
        str_putf(s, " zone_id=%u\n", number);
        break;
    default:
        str_putf(s, " id=%u\n", number);
    }
    return 0;
}

static int put_port_request(struct str *s, const struct of_msg *msg, const struct port_names *ports)
{
    uint32_t port;
    bool desc = msg->type == OF_PORT_DESC_REQUEST;
    int err =
        desc ? of_port_desc_request_decode(msg, &port) : of_port_stats_request_decode(msg, &port);
    if (err)
        return err;
    str_put(s, desc ? " port=" : " port_no=");
    port_put(s, port, ports);
    str_putc(s, '\n');
    return 0;
}

static int put_queue_request(struct str *s, const struct of_msg *msg,
                             const struct port_names *ports)
{
    struct of_queue_request req;
    bool stats = msg->type == OF_QUEUE_STATS_REQUEST;
    int err = stats ? of_queue_stats_request_decode(msg, &req)
                    : of_queue_config_request_decode(msg, &req);
    if (err)
        return err;
    str_put(s, " port=");
    port_put(s, req.port, ports);
    if (stats && req.queue == OF_QUEUE_ALL)
        str_put(s, " queue=ALL");
    else if (stats || req.queue != OF_QUEUE_ALL)
        str_putf(s, " queue=%u", req.queue);
    str_putc(s, '\n');
    return 0;
}

static int put_group_request(struct str *s, const struct of_msg *msg)
{
    uint32_t group;
    int err = of_group_request_decode(msg, &group);
    if (err)
        return err;
    if (group == OF_GROUP_ALL)
        str_put(s, " group_id=ALL\n");
    else
        str_putf(s, " group_id=%u\n", group);
    return 0;
}

static int put_meter_request(struct str *s, const struct of_msg *msg)
{
    uint32_t meter;
    int err = of_meter_request_decode(msg, &meter);
    if (err)
        return err;
    str_put(s, " meter=");
    of_meter_put_id(s, meter);
    str_putc(s, '\n');
    return 0;
}

static void put_tuple(struct str *s, const struct of_ct_tuple *t)
{
    const struct ip_addr *ips[] = {&t->src, &t->dst};
    const uint16_t ports[] = {t->src_port, t->dst_port};
    static const char *const names[] = {"src", "dst"};
    bool icmp = t->proto == IP_PROTO_ICMP || t->proto == IP_PROTO_ICMPV6;
    str_put(s, " '");
    size_t at = s->n;
    for (size_t i = 0; i < 2; i++) {
        if (ips[i]->version) {
            str_putf(s, "ct_%s_%s=", ips[i]->version == 6 ? "ipv6" : "nw", names[i]);
            ip_addr_put(s, ips[i]);
            str_putc(s, ',');
        }
    }
    if (icmp)
        str_putf(s, "icmp_id=%u,icmp_type=%u,icmp_code=%u,", t->icmp_id, t->icmp_type,
                 t->icmp_code);
    for (size_t i = 0; i < 2 && !icmp; i++)
        if (ports[i])
            str_putf(s, "ct_tp_%s=%u,", names[i], ports[i]);
    if (t->proto)
        str_putf(s, "ct_nw_proto=%u,", t->proto);
    if (s->n > at)
        str_truncate(s, s->n - 1);
    str_putc(s, '\'');
}

static int put_ct_flush(struct str *s, const struct of_msg *msg)
{
    struct of_ct_flush cf;
    int err = of_ct_flush_decode(msg, &cf);
    if (err)
        return err;
    if (cf.has_zone)
        str_putf(s, " zone=%u", cf.zone);
    if (!of_ct_tuple_is_any(&cf.orig) || cf.orig.proto)
        put_tuple(s, &cf.orig);
    if (!of_ct_tuple_is_any(&cf.reply))
        put_tuple(s, &cf.reply);
    str_putc(s, '\n');
    return 0;
}

int print_request(struct str *s, const struct of_msg *msg, int verbosity,
                  const struct port_names *ports, const struct table_names *tables)
{
    switch (msg->type) {
    case OF_BUNDLE_ADD_MESSAGE:
        return put_bundle_add(s, msg, verbosity, ports, tables);
    case OF_NX_SET_PACKET_IN_FORMAT:
    case OF_NX_SET_FLOW_FORMAT:
    case OF_NX_FLOW_MOD_TABLE_ID:
    case OF_NX_SET_CONTROLLER_ID:
    case OF_NX_CT_FLUSH_ZONE:
        return put_number(s, msg);
    case OF_PORT_DESC_REQUEST:
    case OF_PORT_STATS_REQUEST:
        return put_port_request(s, msg, ports);
    case OF_QUEUE_STATS_REQUEST:
    case OF_QUEUE_GET_CONFIG_REQUEST:
    case OF_QUEUE_DESC_REQUEST:
        return put_queue_request(s, msg, ports);
    case OF_GROUP_STATS_REQUEST:
    case OF_GROUP_DESC_REQUEST:
        return put_group_request(s, msg);
    case OF_METER_STATS_REQUEST:
    case OF_METER_CONFIG_REQUEST:
        return put_meter_request(s, msg);
    case OF_NX_CT_FLUSH:
        return put_ct_flush(s, msg);
    default:
        return 0;
    }
}
