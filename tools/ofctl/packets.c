/* packets.c - commands about packets without a switch: made from a flow, read from standard input or capture files, and the OpenFlow
 * conversations in these.
 */
#include "tools/ofctl/ofctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "flow/compose.h"
#include "flow/flow_text.h"
#include "openflow/keyvalue.h"
#include "tools/ofctl/hex.h"
#include "tools/ofctl/pcap.h"
#include "tools/ofctl/streams.h"

enum { PAYLOAD = 64, STDIN_MAX = 65536 };

/* ---- One packet ---- */

/* As in packets of each protocol that people send. */
static bool has_payload(const struct flow_key *key)
{
    if (key->nw_frag & FRAG_LATER)
        return false;
    if (key_has_prereq(key, PREREQ_TCP))
        return !(swap16(key->tcp_flags) & (TCP_SYN | TCP_FIN | TCP_RST));
    if (key_has_prereq(key, PREREQ_ICMPV6))
        return key->icmp_type == ICMP6_ECHO_REQUEST || key->icmp_type == ICMP6_ECHO_REPLY;
    return key_has_prereq(key, PREREQ_UDP) || key_has_prereq(key, PREREQ_ICMP);
}

/* "tcp" and the like. */
static void set_keyword(struct match *m, const char *text, const char *word)
{
    struct match types;
    struct diag diag = DIAG_INIT;
    if (of_match_parse(word, NULL, &types, NULL, &diag))
        ofctl_fatal("%s: unknown field %s", text, word);
    match_set(m, FIELD_ETH_TYPE, key_get(&types.key, FIELD_ETH_TYPE));
    if (match_has(&types, FIELD_IP_PROTO))
        match_set(m, FIELD_IP_PROTO, key_get(&types.key, FIELD_IP_PROTO));
}

/* The one flow that TEXT is: whole values, each behind its protocol. What is not said is zero. */
static void parse_exact_flow(const char *text, struct match *ret)
{
    char *copy = xstrdup(text), *p = copy;
    struct keyvalue kv;
    int more;
    match_init(ret);
    while ((more = keyvalue_next(&p, &kv)) > 0) {
        const struct field *f = field_find(kv.key);
        u128 value, mask;
        if (!f) {
            set_keyword(ret, text, kv.key);
            continue;
        }
        if (field_parse(f, kv.value, NULL, &value, &mask))
            ofctl_fatal("%s: bad value for %s (%s)", text, kv.key, kv.value);
        if (mask != u128_ones(f->n_bits))
            ofctl_fatal("%s: bad value for %s (%s: wildcards not allowed here)", text, kv.key,
                        kv.value);
        if (!key_has_prereq(&ret->key, f->prereq))
            ofctl_fatal("%s: prerequisites not met for setting %s", text, kv.key);
        match_set(ret, f->id, value);
        if (f->id == FIELD_DL_VLAN || f->id == FIELD_DL_VLAN_PCP)
            ret->key.vlan_tci |= swap16(VLAN_CFI);
    }
    if (more < 0)
        ofctl_fatal("%s: unbalanced parentheses", text);
    free(copy);
}

static bool same_headers(const struct flow_key *a, const struct flow_key *b)
{
    return !memcmp((const char *)a + offsetof(struct flow_key, eth_dst),
                   (const char *)b + offsetof(struct flow_key, eth_dst),
                   sizeof *a - offsetof(struct flow_key, eth_dst));
}

/* Tells of a flow that no packet can have, or not whole. */
static bool compare_extracted(struct packet *packet, const struct flow_key *wanted)
{
    struct flow_key key = *wanted, got;
    flow_extract(packet, &got);
    if (same_headers(&key, &got))
        return true;
    struct str s = STR_INIT;
    key.in_port = got.in_port = swap32(PORT_ANY);
    str_put(&s, "specified and extracted flows differ:\nspecified: ");
    flow_put(&s, &key, NULL);
    str_put(&s, "\nextracted: ");
    flow_put(&s, &got, NULL);
    fputs(str_c(&s), stderr);
    str_fini(&s);
    return false;
}

/* The checksum of what IP carries, else IPv4's. */
static void spoil_checksum(struct packet *packet)
{
    struct flow_key key;
    flow_extract(packet, &key);
    uint8_t *l4 = packet_l4(packet), *sum = NULL;
    if (l4)
        sum = l4 + (packet->l4_proto == IP_PROTO_TCP    ? 16
                    : packet->l4_proto == IP_PROTO_UDP  ? 6
                    : packet->l4_proto == IP_PROTO_SCTP ? 8
                                                        : 2);
    else if (key_has_prereq(&key, PREREQ_IPV4))
        sum = (uint8_t *)packet_l3(packet) + 10;
    if (sum)
        put_be16(sum, (uint16_t)~get_be16(sum));
}

void ofctl_compose_packet(struct ofctl *o)
{
    struct match match;
    struct packet packet;
    struct of_buf payload = OF_BUF_INIT;
    const char *hex = ofctl_arg(o, 1);
    parse_exact_flow(o->argv[0], &match);
    if (hex && !hex_read(hex, &payload))
        ofctl_fatal("%s: trailing garbage in packet data", hex);
    of_buf_put8(&payload, 0); /* so that there are bytes, though none of them count */
    packet_init(&packet);
    packet_compose_payload(&packet, &match.key, hex ? payload.data : NULL,
                           hex                       ? payload.n - 1
                           : has_payload(&match.key) ? PAYLOAD
                                                     : 0);
    bool same = compare_extracted(&packet, &match.key);
    if (o->bad_checksum)
        spoil_checksum(&packet);
    if (o->bare) {
        for (size_t i = 0; i < packet.size; i++)
            printf("%02x", packet.data[i]);
        putchar('\n');
    } else {
        hex_dump(packet.data, packet.size, false);
    }
    packet_fini(&packet);
    of_buf_fini(&payload);
    if (!same) {
        fflush(stdout);
        exit(1);
    }
}

void ofctl_parse_packet(struct ofctl *o UNUSED)
{
    uint8_t *data = xmalloc(STDIN_MAX);
    size_t n = fread(data, 1, STDIN_MAX, stdin);
    struct str s = STR_INIT;
    of_packet_print(&s, data, n);
    fputs(str_c(&s), stdout);
    str_fini(&s);
    free(data);
}

/* ---- Capture files ---- */

/* Calls FN with each frame of file NAME. */
static void each_frame(const char *name, void (*fn)(void *aux, const struct pcap_frame *frame),
                       void *aux)
{
    struct pcap_reader r;
    struct diag diag = DIAG_INIT;
    if (pcap_reader_open(&r, name, &diag))
        ofctl_fatal("%s", diag_text(&diag));
    struct pcap_frame frame = {.data = xmalloc(PCAP_FRAME_MAX)};
    int more;
    while ((more = pcap_reader_next(&r, &frame, &diag)) == 1)
        fn(aux, &frame);
    if (more)
        ofctl_fatal("%s: %s", name, diag_text(&diag));
    free(frame.data);
    pcap_reader_close(&r);
}

static void print_flow(void *aux UNUSED, const struct pcap_frame *frame)
{
    struct packet view;
    struct flow_key key;
    struct str s = STR_INIT;
    packet_init_view(&view, frame->data, frame->n);
    view.md.in_port = PORT_ANY;
    flow_extract(&view, &key);
    flow_put(&s, &key, NULL);
    puts(str_c(&s));
    str_fini(&s);
}

void ofctl_parse_pcap(struct ofctl *o)
{
    for (int i = 0; i < o->argc; i++)
        each_frame(o->argv[i], print_flow, NULL);
}

struct conversation {
    const struct ofctl *o;
    struct streams *streams;
    uint16_t *ports; /* of TCP, where OpenFlow is spoken */
    size_t n_ports;
    int64_t wall_us; /* of the packet at hand */
    bool any;        /* something has been printed */
};

static void print_endpoint(be32 ip, be16 port)
{
    struct str s = STR_INIT;
    ip4_put(&s, ip);
    printf("%s.%u", str_c(&s), swap16(port));
    str_fini(&s);
}

static size_t print_said(void *c_, const struct stream_id *id, const uint8_t *data, size_t n)
{
    struct conversation *c = c_;
    size_t len = n < OF_HEADER_LEN ? SIZE_MAX : get_be16(data + 2);
    if (len >= OF_HEADER_LEN && len > n)
        return 0;
    if (c->any)
        putchar('\n');
    c->any = true;
    if (c->o->timestamp) {
        time_t sec = c->wall_us / 1000000;
        struct tm tm;
        char when[32];
        localtime_r(&sec, &tm);
        strftime(when, sizeof when, "%H:%M:%S", &tm);
        printf("%s.%03d ", when, (int)(c->wall_us / 1000 % 1000));
    }
    print_endpoint(id->src, id->src_port);
    fputs(" > ", stdout);
    print_endpoint(id->dst, id->dst_port);
    puts(":");
    if (len < OF_HEADER_LEN) {
        printf("a message of %zu bytes: this is not OpenFlow\n", len);
        return SIZE_MAX;
    }
    ofctl_print_message(data, len, 1 + c->o->verbosity);
    return len;
}

static void follow_frame(void *c_, const struct pcap_frame *frame)
{
    struct conversation *c = c_;
    struct packet view;
    struct flow_key key;
    bool wanted = false;
    packet_init_view(&view, frame->data, frame->n);
    flow_extract(&view, &key);
    for (size_t i = 0; i < c->n_ports; i++)
        wanted |= key.tp_src == swap16(c->ports[i]) || key.tp_dst == swap16(c->ports[i]);
    if (!wanted || !key_has_prereq(&key, PREREQ_TCP) || !key_has_prereq(&key, PREREQ_IPV4))
        return;
    c->wall_us = frame->wall_us;
    streams_add(c->streams, &view, &key);
}

void ofctl_ofp_parse_pcap(struct ofctl *o)
{
    static const uint16_t defaults[] = {6633, 6653};
    struct conversation c = {.o = o};
    c.n_ports = o->argc > 1 ? (size_t)o->argc - 1 : ARRAY_SIZE(defaults);
    c.ports = xcalloc(c.n_ports, sizeof *c.ports);
    for (size_t i = 0; i < c.n_ports; i++) {
        uint64_t port = o->argc > 1 ? 0 : defaults[i];
        if (o->argc > 1 && (text_to_u64(o->argv[i + 1], 10, &port) || port > UINT16_MAX))
            ofctl_fatal("%s: a TCP port is a number up to 65535", o->argv[i + 1]);
        c.ports[i] = (uint16_t)port;
    }
    c.streams = streams_new(print_said, &c);
    each_frame(o->argv[0], follow_frame, &c);
    streams_free(c.streams);
    free(c.ports);
}
