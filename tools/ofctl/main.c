/* main.c - weft-ofctl: asks and instructs an OpenFlow switch from the command line; the role of ovs-ofctl.
 *
 * Options, the table of commands and the help text. What a command does is in flows.c, dump.c, mods.c, monitor.c.
 */
#include "tools/ofctl/ofctl.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "daemon/options.h"
#include "tools/ofctl/sort.h"

struct command {
    const char *name, *args, *help;
    int min, max; /* number of arguments */
    void (*run)(struct ofctl *o);
};

static const struct command commands[] = {
    {"show", "SWITCH", "features, ports and configuration of the switch", 1, 1, ofctl_show},
    {"dump-desc", "SWITCH", "who made the switch and what it calls itself", 1, 1, ofctl_dump_desc},
    {"dump-tables", "SWITCH", "flows, lookups and hits of tables", 1, 1, ofctl_dump_tables},
    {"dump-table-features", "SWITCH", "what each table can match and do", 1, 1,
     ofctl_dump_table_features},
    {"dump-table-desc", "SWITCH", "eviction and vacancy settings of tables (OpenFlow 1.4 on)", 1, 1,
     ofctl_dump_table_desc},
    {"mod-table", "SWITCH TABLE SETTING",
     "evict, noevict, vacancy:DOWN,UP, novacancy or name:NAME of a flow table", 3, 3,
     ofctl_mod_table},
    {"mod-port", "SWITCH IFACE ACT", "switch a port, or what it does, on or off", 3, 3,
     ofctl_mod_port},
    {"get-frags", "SWITCH", "how IP fragments are treated", 1, 1, ofctl_get_frags},
    {"set-frags", "SWITCH FRAG_MODE", "choose how IP fragments are treated", 2, 2, ofctl_set_frags},
    {"dump-ports", "SWITCH [PORT]", "packets, bytes and errors of ports", 1, 2, ofctl_dump_ports},
    {"dump-ports-desc", "SWITCH [PORT]", "ports: number, name, address, state", 1, 2,
     ofctl_dump_ports_desc},
    {"dump-flows", "SWITCH [FLOW]", "the flows, or those that FLOW covers, with counters", 1, 2,
     ofctl_dump_flows},
    {"dump-aggregate", "SWITCH [FLOW]", "packets, bytes and number of flows, summed up", 1, 2,
     ofctl_dump_aggregate},
    {"queue-get-config", "SWITCH [PORT [QUEUE]]", "what queues are made for", 1, 3,
     ofctl_queue_get_config},
    {"queue-stats", "SWITCH [PORT [QUEUE]]", "packets and bytes of queues", 1, 3,
     ofctl_queue_stats},
    {"add-flow", "SWITCH FLOW", "put one flow in", 2, 2, ofctl_add_flow},
    {"add-flows", "SWITCH FILE", "put in every flow of a file, a line each", 2, 2, ofctl_add_flows},
    {"mod-flows", "SWITCH FLOW", "give the flows that FLOW covers other actions", 2, 2,
     ofctl_mod_flows},
    {"del-flows", "SWITCH [FLOW]", "take out the flows that FLOW covers; without FLOW all", 1, 2,
     ofctl_del_flows},
    {"replace-flows", "SWITCH FILE", "make the flows those of a file, by sending the difference", 2,
     2, ofctl_replace_flows},
    {"diff-flows", "SOURCE1 SOURCE2", "show in which flows two switches or files differ", 2, 2,
     ofctl_diff_flows},
    {"bundle", "SWITCH FILE", "change flows and groups and send packets, all at once or not at all",
     2, 2, ofctl_bundle},
    {"packet-out", "SWITCH \"in_port=PORT packet=HEX actions=ACTIONS\"",
     "send a packet through actions", 2, 2, ofctl_packet_out},
    {"monitor", "SWITCH [MISSLEN] [invalid_ttl] [watch:[SPEC]]",
     "write what the switch reports as it comes, and changes of flows", 1, 4, ofctl_monitor},
    {"snoop", "SWITCH", "write what the switch and its controllers say to one another", 1, 1,
     ofctl_snoop},
    {"probe", "TARGET", "see whether a switch answers", 1, 1, ofctl_probe},
    {"add-group", "SWITCH GROUP", "put one group in", 2, 2, ofctl_add_group},
    {"add-groups", "SWITCH FILE", "put in every group of a file", 2, 2, ofctl_add_groups},
    {"mod-group", "SWITCH GROUP", "give a group other buckets", 2, 2, ofctl_mod_group},
    {"del-groups", "SWITCH [GROUP]", "take out a group, or all", 1, 2, ofctl_del_groups},
    {"insert-buckets", "SWITCH GROUP", "put more buckets into a group", 2, 2, ofctl_insert_buckets},
    {"remove-buckets", "SWITCH GROUP", "take buckets out of a group", 2, 2, ofctl_remove_buckets},
    {"dump-group-features", "SWITCH", "what groups the switch can have", 1, 1,
     ofctl_dump_group_features},
    {"dump-groups", "SWITCH [GROUP]", "groups with their buckets", 1, 2, ofctl_dump_groups},
    {"dump-group-stats", "SWITCH [GROUP]", "packets and bytes of groups", 1, 2,
     ofctl_dump_group_stats},
    {"add-meter", "SWITCH METER", "put one meter in", 2, 2, ofctl_add_meter},
    {"mod-meter", "SWITCH METER", "give a meter other bands", 2, 2, ofctl_mod_meter},
    {"del-meters", "SWITCH [METER]", "take out a meter, or all", 1, 2, ofctl_del_meters},
    {"dump-meters", "SWITCH [METER]", "meters with their bands", 1, 2, ofctl_dump_meters},
    {"meter-stats", "SWITCH [METER]", "packets and bytes of meters", 1, 2, ofctl_meter_stats},
    {"meter-features", "SWITCH", "what meters the switch can have", 1, 1, ofctl_meter_features},
    {"dump-ipfix-bridge", "SWITCH", "packets of the bridge that IPFIX collectors were told of", 1,
     1, ofctl_dump_ipfix_bridge},
    {"dump-ipfix-flow", "SWITCH", "the same of sample actions, for each set of collectors", 1, 1,
     ofctl_dump_ipfix_flow},
    {"add-tlv-map", "SWITCH MAP", "put tunnel options into tun_metadata fields", 2, 2,
     ofctl_add_tlv_map},
    {"del-tlv-map", "SWITCH [MAP]", "undo such mappings", 1, 2, ofctl_del_tlv_map},
    {"dump-tlv-map", "SWITCH", "which tunnel options are in which tun_metadata", 1, 1,
     ofctl_dump_tlv_map},
    {"ct-flush-zone", "SWITCH ZONE", "forget the tracked connections of a zone", 2, 2,
     ofctl_ct_flush_zone},
    {"ct-flush", "SWITCH [zone=N] [TUPLE [REPLY-TUPLE]]", "forget tracked connections", 1, 4,
     ofctl_ct_flush},
    {"parse-flow", "FLOW", "print the message that adds FLOW, and in which formats it goes", 1, 1,
     ofctl_parse_flow},
    {"parse-flows", "FILE", "the same of each flow of FILE", 1, 1, ofctl_parse_flows},
    {"parse-group", "GROUP", "print the message that adds GROUP", 1, 1, ofctl_parse_group},
    {"parse-actions", "VERSION", "print actions that are read in hexadecimal, a list a line", 1, 1,
     ofctl_parse_actions},
    {"parse-instructions", "VERSION", "the same of instructions", 1, 1, ofctl_parse_instructions},
    {"parse-nx-match", "", "print matches that are read as named fields with hexadecimal values", 0,
     0, ofctl_parse_nxm},
    {"parse-oxm", "VERSION", "the same as OpenFlow 1.2 and later have them", 1, 1, ofctl_parse_oxm},
    {"parse-ofp10-match", "", "print OpenFlow 1.0 matches that are read in hexadecimal", 0, 0,
     ofctl_parse_ofp10_match},
    {"parse-key-value", "TEXT...", "print how each TEXT is cut into keys and values", 1, INT_MAX,
     ofctl_parse_key_value},
    {"print-error", "ERROR", "print the numbers of an error in each OpenFlow version", 1, 1,
     ofctl_print_error},
    {"encode-error-reply", "ERROR HEX", "print the message that refuses message HEX with ERROR", 2,
     2, ofctl_encode_error_reply},
    {"encode-hello", "BITMAP", "print the greeting that offers the versions of BITMAP", 1, 1,
     ofctl_encode_hello},
    {"ofp-print", "HEX [LEVEL]", "print an OpenFlow message that is given in hexadecimal", 1, 2,
     ofctl_ofp_print},
    {"ofp-parse", "FILE", "print the OpenFlow messages that a file holds", 1, 1, ofctl_ofp_parse},
    {"ofp-parse-pcap", "PCAP [PORT...]",
     "print the OpenFlow messages of the TCP connections in a capture file", 1, INT_MAX,
     ofctl_ofp_parse_pcap},
    {"compose-packet", "FLOW [PAYLOAD]", "print a packet that FLOW matches, in hexadecimal", 1, 2,
     ofctl_compose_packet},
    {"parse-packet", "", "print the fields of a packet on standard input", 0, 0,
     ofctl_parse_packet},
    {"parse-pcap", "PCAP...", "print the fields of each packet of a capture file", 1, INT_MAX,
     ofctl_parse_pcap},
    {"ping", "TARGET [N]", "ask a switch for ten echoes of N bytes", 1, 2, ofctl_ping},
    {"benchmark", "TARGET N COUNT", "ask for COUNT echoes of N bytes, and tell how long it took", 3,
     3, ofctl_benchmark},
    /* Other words for the same. */
    {"parse-nxm", NULL, NULL, 0, 0, ofctl_parse_nxm},
    {"del-meter", NULL, NULL, 1, 2, ofctl_del_meters},
    {"dump-meter", NULL, NULL, 1, 2, ofctl_dump_meters},
};

enum {
    OPT_STRICT = 1,
    OPT_BUNDLE,
    OPT_VERSIONS,
    OPT_NAMES,
    OPT_NO_NAMES,
    OPT_STATS,
    OPT_NO_STATS,
    OPT_READD,
    OPT_MAY_CREATE,
    OPT_SORT,
    OPT_RSORT,
    OPT_FLOW_FORMAT,
    OPT_TIMESTAMP,
    OPT_TIMEOUT,
    OPT_MORE,
    OPT_BARE,
    OPT_BAD_CHECKSUM,
    OPT_PRIVATE_KEY,
    OPT_CERTIFICATE,
    OPT_CA_CERT,
    OPT_VERBOSE,
    OPT_HELP,
    OPT_VERSION
};

static const struct option_spec option_table[] = {
    {OPT_STRICT, 0, "strict", NULL, "a flow must have this very match and priority"},
    {OPT_READD, 0, "readd", NULL, "send also the flows that are there already"},
    {OPT_MAY_CREATE, 0, "may-create", NULL, "mod-group puts the group in when there is none"},
    {OPT_SORT, 0, "sort", "[FIELD]", "dump-flows in the order of FIELD, without it of priorities"},
    {OPT_RSORT, 0, "rsort", "[FIELD]", "the same the other way round"},
    {OPT_BUNDLE, 0, "bundle", NULL, "make all changes of a command at once or not at all"},
    {OPT_VERSIONS, 'O', "protocols", "VERSIONS",
     "allowed OpenFlow versions, e.g. OpenFlow13,OpenFlow15"},
    {OPT_NAMES, 0, "names", NULL, "write ports by name"},
    {OPT_NO_NAMES, 0, "no-names", NULL, "write ports by number"},
    {OPT_STATS, 0, "stats", NULL, "write counters in dump-flows (the default)"},
    {OPT_NO_STATS, 0, "no-stats", NULL, "leave the counters out of dump-flows"},
    {OPT_FLOW_FORMAT, 'F', "flow-format", "FORMAT",
     "allowed formats of flows: any, OpenFlow10, NXM, OXM"},
    {OPT_TIMESTAMP, 0, "timestamp", NULL, "write when a message came"},
    {OPT_TIMEOUT, 't', "timeout", "SECS", "end with an error when it takes longer"},
    {OPT_MORE, 'm', "more", NULL, "print messages with more of their contents (also twice)"},
    {OPT_BARE, 0, "bare", NULL, "compose-packet prints the digits alone"},
    {OPT_BAD_CHECKSUM, 0, "bad-csum", NULL, "compose-packet makes a checksum wrong"},
    {OPT_PRIVATE_KEY, 'p', "private-key", "FILE", "PEM file with the private key, for ssl:"},
    {OPT_CERTIFICATE, 'c', "certificate", "FILE", "PEM file with its certificate"},
    {OPT_CA_CERT, 'C', "ca-cert", "FILE",
     "PEM file with the CA that the switch must be signed by; none: whoever"},
    {OPT_VERBOSE, 'v', "verbose", "[SPEC]", NULL},
    {OPT_HELP, 'h', "help", NULL, "this text"},
    {OPT_VERSION, 'V', "version", NULL, "say which version this is"},
    OPTION_END,
};

static void print_help(void)
{
    struct str s = STR_INIT;
    printf("weft-ofctl: looks at an OpenFlow switch and changes its flows\nusage: weft-ofctl "
           "[OPTIONS] COMMAND "
           "[ARG...]\n\n"
           "Commands:\n");
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        char *left = xasprintf("%s %s", commands[i].name, commands[i].args ? commands[i].args : "");
        if (commands[i].help)
            printf(strlen(left) < 30 ? "  %-30s %s\n"
                                     : "  %s\n                                 %s\n",
                   left, commands[i].help);
        free(left);
    }
    options_put_help(option_table, &s);
    printf("\nOptions:\n%s", str_c(&s));
    printf("\nSWITCH is the name of a bridge, unix:SOCKET, tcp:IP[:PORT] or ssl:IP[:PORT].\n");
    str_fini(&s);
}

static int set_option(void *aux, int id, const char *arg, struct diag *diag)
{
    struct ofctl *o = aux;
    int64_t seconds;
    switch (id) {
    case OPT_STRICT:
        o->strict = true;
        break;
    case OPT_BUNDLE:
        o->bundle = true;
        break;
    case OPT_VERSIONS:
        return of_versions_parse(arg, &o->versions, diag);
    case OPT_NAMES:
        o->names = 1;
        break;
    case OPT_NO_NAMES:
        o->names = 0;
        break;
    case OPT_STATS:
        o->no_stats = false;
        break;
    case OPT_NO_STATS:
        o->no_stats = true;
        break;
    case OPT_READD:
        o->readd = true;
        break;
    case OPT_MAY_CREATE:
        o->may_create = true;
        break;
    case OPT_SORT:
    case OPT_RSORT:
        if (!o->sorting)
            o->sorting = sorting_new();
        if (!sorting_add_key(o->sorting, arg, id == OPT_RSORT))
            return diag_set(diag, ERR_SYNTAX, "%s: unknown field name", arg);
        break;
    case OPT_FLOW_FORMAT:
        return ofctl_formats_parse(arg, o, diag);
    case OPT_MORE:
        o->verbosity++;
        break;
    case OPT_BARE:
        o->bare = true;
        break;
    case OPT_BAD_CHECKSUM:
        o->bad_checksum = true;
        break;
    case OPT_TIMESTAMP:
        o->timestamp = true;
        break;
    case OPT_TIMEOUT:
        if (text_to_i64(arg, 10, &seconds) || seconds < 0)
            return diag_set(diag, ERR_SYNTAX, "value %s on -t or --timeout is invalid", arg);
        alarm((unsigned)seconds);
        break;
    case OPT_PRIVATE_KEY:
        o->client.tls_texts[TLS_KEY] = arg;
        break;
    case OPT_CERTIFICATE:
        o->client.tls_texts[TLS_CERTIFICATE] = arg;
        break;
    case OPT_CA_CERT:
        o->client.tls_texts[TLS_CA] = arg;
        break;
    case OPT_HELP:
        print_help();
        exit(0);
    case OPT_VERSION:
        printf("weft-ofctl %s\nOpenFlow versions 0x1:0x6\n", WEFT_VERSION);
        exit(0);
    }
    return 0;
}

void ofctl_connect(struct ofctl *o)
{
    /* A bundle needs 1.3 at least. */
    if (o->bundle && o->versions == 1u << OF10_VERSION)
        o->versions = 1u << OF14_VERSION;
    client_connect(&o->client, o->argv[0], ofctl_allowed_versions(o));
    o->client.no_names = o->names == 0;
    o->client.show_names = o->names == 1 || (o->names < 0 && isatty(STDOUT_FILENO));
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        if (!strcmp(commands[i].name, name))
            return &commands[i];
    return NULL;
}

int main(int argc, char **argv)
{
    static const struct option_spec *const tables[] = {option_table, NULL};
    struct ofctl o = {.versions = 1u << OF10_VERSION, .usable_formats = UINT_MAX, .names = -1};
    struct options options = {.tables = tables, .set = set_option, .aux = &o};
    struct diag diag = DIAG_INIT;
    int first;
    log_set_level(NULL, LOG_WARN);
    if (options_parse(&options, argc, argv, &first, &diag))
        ofctl_fatal("%s", diag_text(&diag));
    if (first >= argc)
        ofctl_fatal("missing command name; use --help for help");
    const struct command *command = find_command(argv[first]);
    if (!command)
        ofctl_fatal("unknown command '%s'; use --help for help", argv[first]);
    o.argc = argc - first - 1;
    o.argv = argv + first + 1;
    if (o.argc < command->min)
        ofctl_fatal("'%s' command requires at least %d arguments", command->name, command->min);
    if (o.argc > command->max)
        ofctl_fatal("'%s' command takes at most %d arguments", command->name, command->max);
    (void)ofctl_allowed_versions(&o);
    command->run(&o);
    sorting_free(o.sorting);
    if (o.client.conn)
        client_close(&o.client);
    return 0;
}
