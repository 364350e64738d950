/* ofctl.h - the commands of weft-ofctl: one function each, in the file of its kind. */
#pragma once

#include "tools/ofctl/client.h"

struct ofctl {
    struct client client;
    uint32_t versions; /* of -O */
    bool strict, bundle, no_stats, readd;
    int names; /* -1: as standard output is a terminal or not */
    int argc;  /* arguments of the command, without its name */
    char **argv;
};

void ofctl_connect(struct ofctl *o); /* to argv[0] */
/* Argument I, or NULL. */
static inline const char *ofctl_arg(const struct ofctl *o, int i)
{
    return i < o->argc ? o->argv[i] : NULL;
}

/* dump.c */
void cmd_show(struct ofctl *o);
void cmd_dump_desc(struct ofctl *o);
void cmd_dump_tables(struct ofctl *o);
void cmd_dump_table_features(struct ofctl *o);
void cmd_dump_table_desc(struct ofctl *o);
void cmd_dump_ports(struct ofctl *o);
void cmd_dump_ports_desc(struct ofctl *o);
void cmd_dump_groups(struct ofctl *o);
void cmd_dump_group_stats(struct ofctl *o);
void cmd_dump_group_features(struct ofctl *o);
void cmd_dump_meters(struct ofctl *o);
void cmd_meter_stats(struct ofctl *o);
void cmd_meter_features(struct ofctl *o);
void cmd_queue_stats(struct ofctl *o);
void cmd_dump_tlv_map(struct ofctl *o);
void cmd_get_frags(struct ofctl *o);
void cmd_probe(struct ofctl *o);
/* flows.c */
void cmd_dump_flows(struct ofctl *o);
void cmd_dump_aggregate(struct ofctl *o);
void cmd_add_flow(struct ofctl *o);
void cmd_add_flows(struct ofctl *o);
void cmd_mod_flows(struct ofctl *o);
void cmd_del_flows(struct ofctl *o);
void cmd_replace_flows(struct ofctl *o);
void cmd_diff_flows(struct ofctl *o);
void cmd_parse_flow(struct ofctl *o);
void cmd_parse_flows(struct ofctl *o);
/* mods.c */
void cmd_add_group(struct ofctl *o);
void cmd_mod_group(struct ofctl *o);
void cmd_del_groups(struct ofctl *o);
void cmd_add_groups(struct ofctl *o);
void cmd_insert_buckets(struct ofctl *o);
void cmd_remove_buckets(struct ofctl *o);
void cmd_add_meter(struct ofctl *o);
void cmd_mod_meter(struct ofctl *o);
void cmd_del_meters(struct ofctl *o);
void cmd_mod_port(struct ofctl *o);
void cmd_packet_out(struct ofctl *o);
void cmd_set_frags(struct ofctl *o);
void cmd_add_tlv_map(struct ofctl *o);
void cmd_del_tlv_map(struct ofctl *o);
void cmd_ct_flush_zone(struct ofctl *o);
/* monitor.c */
void cmd_monitor(struct ofctl *o);
