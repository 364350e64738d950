/* ofctl.h - the commands of weft-ofctl: one function each, in the file of its kind. */
#pragma once

#include "tools/ofctl/client.h"

struct ofctl {
    struct client client;
    uint32_t versions;        /* of -O */
    const char *formats;      /* of -F; or NULL */
    unsigned allowed_formats; /* what it says */
    unsigned usable_formats;  /* can say all flows so far (formats.c) */
    bool with_tables;         /* one of them names its table */
    bool strict, bundle, no_stats, readd, may_create, timestamp, bare, bad_checksum;
    int verbosity;           /* times -m was given */
    struct sorting *sorting; /* of --sort and --rsort; or NULL */
    int names;               /* -1: as standard output is a terminal or not */
    int argc;                /* arguments of the command, without its name */
    char **argv;
};

void ofctl_connect(struct ofctl *o); /* to argv[0] */
/* Argument I, or NULL. */
static inline const char *ofctl_arg(const struct ofctl *o, int i)
{
    return i < o->argc ? o->argv[i] : NULL;
}

/* dump.c */
void ofctl_show(struct ofctl *o);
void ofctl_dump_desc(struct ofctl *o);
void ofctl_dump_tables(struct ofctl *o);
void ofctl_dump_table_features(struct ofctl *o);
void ofctl_dump_table_desc(struct ofctl *o);
void ofctl_dump_ports(struct ofctl *o);
void ofctl_dump_ports_desc(struct ofctl *o);
void ofctl_dump_groups(struct ofctl *o);
void ofctl_dump_group_stats(struct ofctl *o);
void ofctl_dump_group_features(struct ofctl *o);
void ofctl_dump_ipfix_bridge(struct ofctl *o);
void ofctl_dump_ipfix_flow(struct ofctl *o);
void ofctl_dump_meters(struct ofctl *o);
void ofctl_meter_stats(struct ofctl *o);
void ofctl_meter_features(struct ofctl *o);
void ofctl_queue_stats(struct ofctl *o);
void ofctl_queue_get_config(struct ofctl *o);
void ofctl_dump_tlv_map(struct ofctl *o);
void ofctl_get_frags(struct ofctl *o);
void ofctl_probe(struct ofctl *o);
/* flows.c */
void ofctl_dump_flows(struct ofctl *o);
void ofctl_dump_aggregate(struct ofctl *o);
void ofctl_add_flow(struct ofctl *o);
void ofctl_add_flows(struct ofctl *o);
void ofctl_mod_flows(struct ofctl *o);
void ofctl_del_flows(struct ofctl *o);
void ofctl_replace_flows(struct ofctl *o);
void ofctl_diff_flows(struct ofctl *o);
void ofctl_parse_flow(struct ofctl *o);
void ofctl_parse_flows(struct ofctl *o);
/* mods.c */
void ofctl_add_group(struct ofctl *o);
void ofctl_mod_group(struct ofctl *o);
void ofctl_del_groups(struct ofctl *o);
void ofctl_add_groups(struct ofctl *o);
void ofctl_insert_buckets(struct ofctl *o);
void ofctl_remove_buckets(struct ofctl *o);
void ofctl_add_meter(struct ofctl *o);
void ofctl_mod_meter(struct ofctl *o);
void ofctl_del_meters(struct ofctl *o);
void ofctl_mod_port(struct ofctl *o);
void ofctl_packet_out(struct ofctl *o);
void ofctl_set_frags(struct ofctl *o);
void ofctl_add_tlv_map(struct ofctl *o);
void ofctl_del_tlv_map(struct ofctl *o);
void ofctl_ct_flush_zone(struct ofctl *o);
void ofctl_ct_flush(struct ofctl *o);
/* bundle.c */
void ofctl_bundle(struct ofctl *o);
void ofctl_bundle_control(struct ofctl *o, uint16_t type);
/* Calls FN with each line of FILE ("-": standard input) that is not empty, comments cut off, and with where it stands: "FILE:1: ". */
typedef void ofctl_line_fn(struct ofctl *o, const char *line, const char *place, struct of_buf *b);
void ofctl_each_line(struct ofctl *o, const char *file, ofctl_line_fn *fn, struct of_buf *b);
/* One message of a bundle each, appended to B; mistakes in LINE end the program. put_group: without a bundle if there is none. */
ofctl_line_fn ofctl_put_flow, ofctl_put_group, ofctl_put_packet_out;
/* formats.c: takes TEXT ("nxm,oxm") as what -F allows. 0, or ERR_SYNTAX with DIAG. */
int ofctl_formats_parse(const char *text, struct ofctl *o, struct diag *diag) MUST_CHECK;
/* Versions that -O and -F leave; ends the program when there are none. */
uint32_t ofctl_allowed_versions(const struct ofctl *o);
/* Counts FM among the flows that are to be sent. Ends the program when its actions do not suit its match, or when no format that is allowed
 * can say it: better than to send half of it. PLACE ("FILE:1: ") comes before what is wrong. */
struct of_flow_mod;
void ofctl_check_flow(struct ofctl *o, struct of_flow_mod *fm, const char *place);
/* The format that all of them go in: 1.0's own message; with their tables. */
bool ofctl_goes_plain(const struct ofctl *o);
bool ofctl_goes_with_tables(const struct ofctl *o);
/* Prints it; returns its version. */
uint8_t ofctl_print_formats(const struct ofctl *o);
/* text.c */
void ofctl_ping(struct ofctl *o);
void ofctl_benchmark(struct ofctl *o);
void ofctl_ofp_print(struct ofctl *o);
void ofctl_ofp_parse(struct ofctl *o);
/* The message of N bytes at DATA as text on standard output, or what is wrong with it and its bytes. */
void ofctl_print_message(const uint8_t *data, size_t n, int verbosity);
/* codec.c */
void ofctl_parse_nxm(struct ofctl *o);
void ofctl_parse_oxm(struct ofctl *o);
void ofctl_parse_ofp10_match(struct ofctl *o);
void ofctl_parse_actions(struct ofctl *o);
void ofctl_parse_instructions(struct ofctl *o);
void ofctl_parse_group(struct ofctl *o);
void ofctl_parse_key_value(struct ofctl *o);
void ofctl_encode_hello(struct ofctl *o);
void ofctl_print_error(struct ofctl *o);
void ofctl_encode_error_reply(struct ofctl *o);
/* packets.c */
void ofctl_compose_packet(struct ofctl *o);
void ofctl_parse_packet(struct ofctl *o);
void ofctl_parse_pcap(struct ofctl *o);
void ofctl_ofp_parse_pcap(struct ofctl *o);
/* tables.c */
void ofctl_mod_table(struct ofctl *o);
/* monitor.c */
void ofctl_monitor(struct ofctl *o);
void ofctl_snoop(struct ofctl *o);
