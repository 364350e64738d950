/* mods.c - commands that change groups, meters, ports, tunnel options, or send packets. */
#include "tools/ofctl/ofctl.h"

#include <stdio.h>
#include <stdlib.h>

#include "openflow/bundle.h"
#include "openflow/group.h"
#include "openflow/keyvalue.h"
#include "openflow/meter.h"
#include "openflow/packet_io.h"

/* ---- Groups ---- */

static void put_group_mod(struct ofctl *o, const char *text, enum of_group_command command,
                          const char *place, struct of_buf *b)
{
    struct of_group_mod gm;
    struct diag diag = DIAG_INIT;
    if (of_group_mod_parse(text, command, &o->client.port_names, &gm, &diag))
        ofctl_fatal("%s%s", place, diag_text(&diag));
    uint8_t version = o->client.version;
    uint32_t xid = client_next_xid(&o->client);
    if (o->bundle) {
        size_t start =
            of_bundle_add_begin(0, OF_BUNDLE_ATOMIC | OF_BUNDLE_ORDERED, version, xid, b);
        of_group_mod_encode(&gm, version, xid, b);
        of_bundle_add_end(b, start);
    } else {
        of_group_mod_encode(&gm, version, xid, b);
    }
    of_group_mod_fini(&gm);
}

static void group_mod(struct ofctl *o, enum of_group_command command)
{
    struct of_buf b = OF_BUF_INIT;
    ofctl_connect(o);
    o->client.xid = 6;
    if (o->bundle)
        ofctl_bundle_control(o, OF_BUNDLE_OPEN_REQUEST);
    put_group_mod(o, ofctl_arg(o, 1) ? o->argv[1] : "", command, "", &b);
    client_transact_noreply(&o->client, &b);
    if (o->bundle)
        ofctl_bundle_control(o, OF_BUNDLE_COMMIT_REQUEST);
    of_buf_fini(&b);
}

void ofctl_add_group(struct ofctl *o)
{
    group_mod(o, OF_GROUP_ADD);
}

void ofctl_mod_group(struct ofctl *o)
{
    group_mod(o, o->may_create ? OF_GROUP_ADD_OR_MODIFY : OF_GROUP_MODIFY);
}

void ofctl_del_groups(struct ofctl *o)
{
    group_mod(o, OF_GROUP_DELETE);
}

void ofctl_insert_buckets(struct ofctl *o)
{
    group_mod(o, OF_GROUP_INSERT_BUCKET);
}

void ofctl_remove_buckets(struct ofctl *o)
{
    group_mod(o, OF_GROUP_REMOVE_BUCKET);
}

void ofctl_put_group(struct ofctl *o, const char *line, const char *place, struct of_buf *b)
{
    static const struct {
        const char *word;
        enum of_group_command command;
    } words[] = {
        {"add", OF_GROUP_ADD},
        {"modify", OF_GROUP_MODIFY},
        {"mod", OF_GROUP_MODIFY},
        {"add_or_mod", OF_GROUP_ADD_OR_MODIFY},
        {"delete", OF_GROUP_DELETE},
        {"insert_bucket", OF_GROUP_INSERT_BUCKET},
        {"insert_buckets", OF_GROUP_INSERT_BUCKET},
        {"remove_bucket", OF_GROUP_REMOVE_BUCKET},
        {"remove_buckets", OF_GROUP_REMOVE_BUCKET},
    };
    enum of_group_command command = OF_GROUP_ADD;
    size_t n = strcspn(line, " \t");
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (strlen(words[i].word) == n && !memcmp(line, words[i].word, n)) {
            command = words[i].command;
            line += n;
            break;
        }
    }
    put_group_mod(o, line + strspn(line, " \t"), command, place, b);
}

void ofctl_add_groups(struct ofctl *o)
{
    struct of_buf b = OF_BUF_INIT;
    ofctl_connect(o);
    if (o->bundle)
        ofctl_bundle_control(o, OF_BUNDLE_OPEN_REQUEST);
    ofctl_each_line(o, o->argv[1], ofctl_put_group, &b);
    client_transact_noreply(&o->client, &b);
    if (o->bundle)
        ofctl_bundle_control(o, OF_BUNDLE_COMMIT_REQUEST);
    of_buf_fini(&b);
}

/* ---- Meters ---- */

/* 1.0 has no meters. */
static void connect_13(struct ofctl *o)
{
    if (o->versions == 1u << OF10_VERSION)
        o->versions = 1u << OF13_VERSION | 1u << OF14_VERSION | 1u << OF15_VERSION;
    ofctl_connect(o);
}

static void meter_mod(struct ofctl *o, enum of_meter_command command)
{
    struct of_meter_mod mm;
    struct diag diag = DIAG_INIT;
    struct of_buf b = OF_BUF_INIT;
    connect_13(o);
    if (of_meter_mod_parse(ofctl_arg(o, 1) ? o->argv[1] : "", command, &mm, &diag))
        ofctl_fatal("%s", diag_text(&diag));
    of_meter_mod_encode(&mm, o->client.version, client_next_xid(&o->client), &b);
    client_transact_noreply(&o->client, &b);
    of_meter_mod_fini(&mm);
    of_buf_fini(&b);
}

void ofctl_add_meter(struct ofctl *o)
{
    meter_mod(o, OF_METER_ADD);
}

void ofctl_mod_meter(struct ofctl *o)
{
    meter_mod(o, OF_METER_MODIFY);
}

void ofctl_del_meters(struct ofctl *o)
{
    meter_mod(o, OF_METER_DELETE);
}

/* ---- Ports ---- */

static void set_port_action(struct of_port_mod *pm, const char *word)
{
    static const struct {
        const char *name;
        uint32_t bit;
        bool on; /* the word without "no-" sets the bit */
    } actions[] = {
        {"down", OF_PC_PORT_DOWN, true},
        {"up", OF_PC_PORT_DOWN, false},
        {"stp", OF_PC_NO_STP, false},
        {"no-stp", OF_PC_NO_STP, true},
        {"receive", OF_PC_NO_RECV, false},
        {"no-receive", OF_PC_NO_RECV, true},
        {"receive-stp", OF_PC_NO_RECV_STP, false},
        {"no-receive-stp", OF_PC_NO_RECV_STP, true},
        {"flood", OF_PC_NO_FLOOD, false},
        {"no-flood", OF_PC_NO_FLOOD, true},
        {"forward", OF_PC_NO_FWD, false},
        {"no-forward", OF_PC_NO_FWD, true},
        {"packet-in", OF_PC_NO_PACKET_IN, false},
        {"no-packet-in", OF_PC_NO_PACKET_IN, true},
    };
    for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
        if (!strcmp(word, actions[i].name)) {
            pm->mask = actions[i].bit;
            pm->config = actions[i].on ? actions[i].bit : 0;
            return;
        }
    }
    ofctl_fatal("unknown mod-port command '%s'", word);
}

void ofctl_mod_port(struct ofctl *o)
{
    struct of_port_mod pm;
    struct of_buf b = OF_BUF_INIT;
    memset(&pm, 0, sizeof pm);
    ofctl_connect(o);
    set_port_action(&pm, o->argv[2]);
    const struct port_names *names = &o->client.port_names;
    if (port_parse(o->argv[1], names, &pm.number))
        ofctl_fatal("%s: couldn't find port `%s'", o->argv[0], o->argv[1]);
    (void)names->by_number(names, pm.number);
    size_t i = 0;
    while (i < o->client.ports.n && o->client.ports.data[i].number != pm.number)
        i++;
    if (i == o->client.ports.n)
        ofctl_fatal("%s: couldn't find port `%s'", o->argv[0], o->argv[1]);
    pm.mac = o->client.ports.data[i].mac;
    o->client.xid = 4;
    of_port_mod_encode(&pm, o->client.version, client_next_xid(&o->client), &b);
    client_transact_noreply(&o->client, &b);
    of_buf_fini(&b);
}

/* ---- Packets ---- */

static size_t parse_hex(const char *text, uint8_t **ret)
{
    size_t n = strlen(text);
    if (n % 2 || strspn(text, "0123456789abcdefABCDEF") != n)
        ofctl_fatal("packet-out: trailing garbage in packet data");
    *ret = xmalloc(n / 2 + 1);
    for (size_t i = 0; i < n / 2; i++) {
        char pair[3] = {text[2 * i], text[2 * i + 1], '\0'};
        (*ret)[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return n / 2;
}

static void parse_packet_out(struct ofctl *o, char *text, struct of_packet_out *po,
                             uint8_t **packet)
{
    struct keyvalue kv;
    struct diag diag = DIAG_INIT;
    uint32_t port = PORT_CONTROLLER;
    char *actions = strstr(text, "actions=");
    if (!actions)
        ofctl_fatal("packet-out: must specify actions");
    *actions = '\0';
    while (keyvalue_next(&text, &kv) > 0) {
        if (!strcmp(kv.key, "in_port")) {
            if (port_parse(kv.value, &o->client.port_names, &port))
                ofctl_fatal("%s is not a valid OpenFlow port", kv.value);
        } else if (!strcmp(kv.key, "packet")) {
            free(*packet);
            po->packet_len = parse_hex(kv.value, packet);
            po->packet = *packet;
        } else {
            const struct field *f = field_find(kv.key);
            u128 value, mask;
            if (!f || field_parse(f, kv.value, NULL, &value, &mask))
                ofctl_fatal("packet-out: unknown field or bad value: %s", kv.key);
            match_set_masked(&po->metadata, f->id, value, mask);
        }
    }
    if (!po->packet)
        ofctl_fatal("Missing packet data");
    match_set(&po->metadata, FIELD_IN_PORT_OXM, port);
    if (of_actions_parse(actions + strlen("actions="), NULL, &o->client.port_names, &po->actions,
                         &diag))
        ofctl_fatal("%s", diag_text(&diag));
}

void ofctl_put_packet_out(struct ofctl *o, const char *line, const char *place UNUSED,
                          struct of_buf *b)
{
    struct of_packet_out po;
    uint8_t *packet = NULL;
    char *copy = xstrdup(line);
    of_packet_out_init(&po);
    parse_packet_out(o, copy, &po, &packet);
    uint32_t xid = client_next_xid(&o->client);
    size_t start =
        of_bundle_add_begin(0, OF_BUNDLE_ATOMIC | OF_BUNDLE_ORDERED, o->client.version, xid, b);
    of_packet_out_encode(&po, o->client.version, xid, b);
    of_bundle_add_end(b, start);
    of_packet_out_fini(&po);
    free(packet);
    free(copy);
}

void ofctl_packet_out(struct ofctl *o)
{
    struct of_packet_out po;
    struct of_buf b = OF_BUF_INIT;
    uint8_t *packet = NULL;
    ofctl_connect(o);
    of_packet_out_init(&po);
    parse_packet_out(o, o->argv[1], &po, &packet);
    o->client.xid = 6;
    of_packet_out_encode(&po, o->client.version, client_next_xid(&o->client), &b);
    client_transact_noreply(&o->client, &b);
    of_packet_out_fini(&po);
    of_buf_fini(&b);
    free(packet);
}

/* ---- Configuration ---- */

static void take_config(struct client *c UNUSED, const struct of_msg *reply, void *aux)
{
    (void)!of_config_decode(reply, aux);
}

void ofctl_set_frags(struct ofctl *o)
{
    static const char *const names[] = {"normal", "drop", "reassemble", "nx-match"};
    struct of_config config = {0, 0};
    struct of_buf b = OF_BUF_INIT;
    uint16_t mode = 0;
    while (mode < ARRAY_SIZE(names) && strcmp(names[mode], o->argv[1]))
        mode++;
    if (mode == ARRAY_SIZE(names))
        ofctl_fatal("%s: unknown fragment handling mode", o->argv[1]);
    ofctl_connect(o);
    of_simple_encode(OF_GET_CONFIG_REQUEST, o->client.version, client_next_xid(&o->client), &b);
    client_transact(&o->client, &b, take_config, &config);
    config.flags = (uint16_t)((config.flags & ~3u) | mode);
    of_config_encode(OF_SET_CONFIG, &config, o->client.version, client_next_xid(&o->client), &b);
    client_transact_noreply(&o->client, &b);
    of_simple_encode(OF_GET_CONFIG_REQUEST, o->client.version, client_next_xid(&o->client), &b);
    client_transact(&o->client, &b, take_config, &config);
    of_buf_fini(&b);
    if ((config.flags & 3) != mode)
        ofctl_fatal("%s: setting fragment handling mode failed (this switch probably doesn't "
                    "support mode \"%s\")",
                    o->argv[0], o->argv[1]);
}

/* "{class=0x102,type=0x80,len=4}->tun_metadata0,..." */
static void parse_tlv_maps(const char *text, struct of_tlv_mod *m)
{
    while (*text) {
        unsigned opt_class, type, len, index;
        int used = 0;
        if (sscanf(text, " {class=%i,type=%i,len=%i}->tun_metadata%u%n", (int *)&opt_class,
                   (int *)&type, (int *)&len, &index, &used) != 4 ||
            opt_class > UINT16_MAX || type > UINT8_MAX || len > UINT8_MAX || index > UINT16_MAX)
            ofctl_fatal("%s: invalid tlv map", text);
        m->maps = xrealloc(m->maps, (m->n + 1) * sizeof *m->maps);
        m->maps[m->n++] =
            (struct of_tlv_map){(uint16_t)opt_class, (uint8_t)type, (uint8_t)len, (uint16_t)index};
        text += used;
        text += strspn(text, ", ");
    }
}

static void tlv_mod(struct ofctl *o, enum of_tlv_command command)
{
    struct of_tlv_mod m = {.command = command};
    struct of_buf b = OF_BUF_INIT;
    ofctl_connect(o);
    if (ofctl_arg(o, 1))
        parse_tlv_maps(o->argv[1], &m);
    of_tlv_mod_encode(&m, o->client.version, client_next_xid(&o->client), &b);
    client_transact_noreply(&o->client, &b);
    of_tlv_mod_fini(&m);
    of_buf_fini(&b);
}

void ofctl_add_tlv_map(struct ofctl *o)
{
    tlv_mod(o, OF_TLV_ADD);
}

void ofctl_del_tlv_map(struct ofctl *o)
{
    tlv_mod(o, ofctl_arg(o, 1) ? OF_TLV_DELETE : OF_TLV_CLEAR);
}

void ofctl_ct_flush_zone(struct ofctl *o)
{
    struct of_buf b = OF_BUF_INIT;
    uint64_t zone;
    if (text_to_u64(o->argv[1], 0, &zone) || zone > UINT16_MAX)
        ofctl_fatal("invalid zone_id \"%s\"", o->argv[1]);
    ofctl_connect(o);
    of_nx_number_encode(OF_NX_CT_FLUSH_ZONE, (uint32_t)zone, o->client.version,
                        client_next_xid(&o->client), &b);
    client_transact_noreply(&o->client, &b);
    of_buf_fini(&b);
}

/* Tuples are those of dpctl/flush-conntrack: "ct_nw_src=10.0.0.1,ct_nw_proto=6". */
void ofctl_ct_flush(struct ofctl *o)
{
    struct of_ct_flush flush;
    struct of_buf b = OF_BUF_INIT;
    struct diag diag = DIAG_INIT;
    const char *zone_text = ofctl_arg(o, 1);
    int first = 1;
    uint64_t zone;
    memset(&flush, 0, sizeof flush);
    if (zone_text && !strncmp(zone_text, "zone=", 5)) {
        if (text_to_u64(zone_text + 5, 0, &zone) || zone > UINT16_MAX)
            ofctl_fatal("failed to parse zone %s", zone_text + 5);
        flush.has_zone = true;
        flush.zone = (uint16_t)zone;
        first = 2;
    }
    for (int i = 0; i < 2 && ofctl_arg(o, first + i); i++) {
        if (of_ct_tuple_parse(ofctl_arg(o, first + i), i ? &flush.reply : &flush.orig, &diag))
            ofctl_fatal("%s", diag_text(&diag));
    }
    ofctl_connect(o);
    of_ct_flush_encode(&flush, o->client.version, client_next_xid(&o->client), &b);
    client_transact_noreply(&o->client, &b);
    of_buf_fini(&b);
}
