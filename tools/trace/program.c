/* program.c - weft-trace: options, a copy of the southbound database, the trace, its output. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "io/loop.h"
#include "io/rundir.h"
#include "io/stream.h"
#include "io/tls.h"
#include "ovsdb/client/source.h"
#include "rows/sb.h"
#include "tools/trace/trace.h"

enum {
    OPT_DB = 256,
    OPT_DETAILED,
    OPT_SUMMARY,
    OPT_MINIMAL,
    OPT_ALL,
    OPT_CT,
    OPT_LB_DST,
    OPT_SELECT,
    OPT_PLAIN,
    OPT_FRIENDLY,
    OPT_LEADER,
    OPT_NO_LEADER,
    OPT_OVS,
};

struct program {
    const char *name;
    char *db;
    bool is_peer, leader_only;
    const char *private_key, *certificate, *ca_cert;
    const char *ovs; /* a switch; NULL: none */
    bool forms[3];   /* by enum node_form */
    struct trace trace;
    bool plain_names;

    struct schema *schema;
    struct loop *loop;
    struct tls_config *tls;
    struct replica_source *source;
    struct replica *replica;
};

static const char usage_text[] =
    "usage: %s [OPTION]... [DATAPATH] MICROFLOW\n"
    "What becomes of a packet in a logical network, flow by flow. Without DATAPATH it begins at "
    "that\n"
    "of the ingress port.\n\n"
    "Output:\n"
    "  --detailed              table by table (default)\n"
    "  --summary               nested actions only\n"
    "  --minimal               what can be seen from outside: changes and outputs\n"
    "  --all                   all three\n"
    "  --ovs[=SWITCH]          the OpenFlow flows that each flow has become in SWITCH (default: "
    "br-int)\n"
    "  --no-friendly-names     datapaths by their names, not by those of clouds (name2)\n"
    "Assumptions:\n"
    "  --ct=FLAGS              what connection tracking says, in order: new, est, rel, rpl, inv, "
    "dnat, snat\n"
    "                          (default: est)\n"
    "  --lb-dst=IP[:PORT]      the backend that load balancers choose (default: the first)\n"
    "  --select-id=N           the member that select chooses, if it is one of them (default: "
    "any)\n"
    "Database:\n"
    "  --db=DATABASE           the southbound database (default: OVN_SB_DB, else ovnsb_db.sock in "
    "the run directory)\n"
    "  --leader-only           accept only the leader of a cluster (default)\n"
    "  --no-leader-only        accept any server of a cluster\n"
    "  -p, --private-key=FILE  file with private key, for ssl:\n"
    "  -c, --certificate=FILE  file with certificate for private key\n"
    "  -C, --ca-cert=FILE      file with the CA certificate of the server\n"
    "  -h, --help              this text\n"
    "  -V, --version           say which version this is\n";

static int fail(const struct program *p, const char *text)
{
    fprintf(stderr, "%s: %s\n", p->name, text);
    return EXIT_FAILURE;
}

/* ---- options ---- */

static int set_lb_dst(struct program *p, const char *text)
{
    bool bracket = *text == '[';
    const char *end = bracket ? strchr(text, ']') : strrchr(text, ':');
    int64_t port = 0;
    p->trace.has_backend = true;
    if (!ip_addr_parse(text, &p->trace.backend))
        return 0;
    char *ip = end ? xstrndup(text + bracket, (size_t)(end - text) - bracket) : xstrdup("");
    bool ok = !ip_addr_parse(ip, &p->trace.backend);
    free(ip);
    end += ok && bracket;
    ok = ok && (!*end || (*end == ':' && !text_to_i64(end + 1, 10, &port) && port > 0 &&
                          port <= UINT16_MAX));
    p->trace.backend_port = (uint16_t)port;
    return ok ? 0 : ERR_SYNTAX;
}

/* 0, or the status to end with. */
static int set_option(struct program *p, int option, const char *arg, bool *done)
{
    uint32_t state;
    switch (option) {
    case OPT_DB:
        free(p->db);
        p->db = xstrdup(arg);
        break;
    case OPT_DETAILED:
    case OPT_SUMMARY:
    case OPT_MINIMAL:
        p->forms[option - OPT_DETAILED] = true;
        break;
    case OPT_ALL:
        p->forms[FORM_DETAILED] = p->forms[FORM_SUMMARY] = p->forms[FORM_MINIMAL] = true;
        break;
    case OPT_CT:
        if (!ct_parse(arg, &state))
            return fail(p, "--ct: expected flags new, est, rel, rpl, inv, trk, dnat, snat");
        vec_push(&p->trace.ct_states, state);
        break;
    case OPT_LB_DST:
        return set_lb_dst(p, arg) ? fail(p, "--lb-dst: expected IP, IP:PORT or [IP]:PORT") : 0;
    case OPT_SELECT: {
        uint64_t id;
        if (text_to_u64(arg, 10, &id) || !id || id > UINT32_MAX)
            return fail(p, "--select-id: expected a number from 1");
        p->trace.select_id = (uint32_t)id;
        break;
    }
    case OPT_PLAIN:
    case OPT_FRIENDLY:
        p->plain_names = option == OPT_PLAIN;
        break;
    case OPT_LEADER:
    case OPT_NO_LEADER:
        p->leader_only = option == OPT_LEADER;
        break;
    case OPT_OVS:
        p->ovs = arg ? arg : "br-int";
        break;
    case 'p':
        p->private_key = arg;
        break;
    case 'c':
        p->certificate = arg;
        break;
    case 'C':
        p->ca_cert = arg;
        break;
    case 'h':
        printf(usage_text, p->name);
        *done = true;
        break;
    case 'V':
        printf("%s %s\n", p->name, WEFT_VERSION);
        *done = true;
        break;
    default:
        return EXIT_FAILURE; /* getopt has said why */
    }
    return 0;
}

static int parse_options(struct program *p, int argc, char **argv, bool *done)
{
    static const struct option options[] = {
        {"db", required_argument, NULL, OPT_DB},
        {"detailed", no_argument, NULL, OPT_DETAILED},
        {"summary", no_argument, NULL, OPT_SUMMARY},
        {"minimal", no_argument, NULL, OPT_MINIMAL},
        {"all", no_argument, NULL, OPT_ALL},
        {"ct", required_argument, NULL, OPT_CT},
        {"lb-dst", required_argument, NULL, OPT_LB_DST},
        {"select-id", required_argument, NULL, OPT_SELECT},
        {"no-friendly-names", no_argument, NULL, OPT_PLAIN},
        {"friendly-names", no_argument, NULL, OPT_FRIENDLY},
        {"leader-only", no_argument, NULL, OPT_LEADER},
        {"no-leader-only", no_argument, NULL, OPT_NO_LEADER},
        {"ovs", optional_argument, NULL, OPT_OVS},
        {"private-key", required_argument, NULL, 'p'},
        {"certificate", required_argument, NULL, 'c'},
        {"ca-cert", required_argument, NULL, 'C'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    int option, status = 0;
    while (!status && !*done && (option = getopt_long(argc, argv, "p:c:C:hV", options, NULL)) != -1)
        status = set_option(p, option, optarg, done);
    if (!p->forms[FORM_SUMMARY] && !p->forms[FORM_MINIMAL])
        p->forms[FORM_DETAILED] = true;
    return status;
}

/* ---- the database ---- */

static int connect_to(struct program *p, struct diag *diag)
{
    static const char *const tables[] = {"Datapath_Binding", "Port_Binding",  "Logical_Flow",
                                         "Logical_DP_Group", "Address_Set",   "Port_Group",
                                         "MAC_Binding",      "FDB",           "Static_MAC_Binding",
                                         "Multicast_Group",  "Load_Balancer", NULL};
    char *rundir = rundir_get(RUNDIR_OVN, p->is_peer);
    const char *variable = getenv("OVN_SB_DB");
    if (!p->db)
        p->db =
            variable && *variable ? xstrdup(variable) : xasprintf("unix:%s/ovnsb_db.sock", rundir);
    int err = 0;
    if (p->private_key || p->certificate || p->ca_cert)
        err = tls_config_load(p->private_key, p->certificate, p->ca_cert, &p->tls, diag);
    if (!err) {
        const struct stream_options stream = {.rundir = rundir, .tls = p->tls};
        const struct replica_options options = {
            .env = env_real(), .schema = p->schema, .tables = tables};
        p->source = ovsdb_client_source_new(p->loop, p->db);
        ovsdb_client_source_set_stream(p->source, &stream);
        ovsdb_client_source_set_leader_only(p->source, p->leader_only);
        p->replica = replica_new(&options, p->source);
    }
    free(rundir);
    while (!err && !replica_is_ready(p->replica)) {
        if (ovsdb_client_source_failures(p->source))
            err = diag_set(diag, ERR_IO, "%s: database connection failed (%s)", p->db,
                           ovsdb_client_source_error(p->source));
        else
            loop_run_once(p->loop, -1);
    }
    return err;
}

/* A switch that does not answer is no reason not to trace. */
static void fetch_switch_flows(struct program *p)
{
    struct diag diag = DIAG_INIT;
    if (p->ovs && flow_list_fetch(p->ovs, p->tls, true, &p->trace.switch_flows, &diag))
        fprintf(stderr, "%s: no flows of the switch: %s\n", p->name, diag_text(&diag));
    diag_fini(&diag);
}

/* ---- the trace ---- */

static void print(const struct program *p, const struct world *world, const struct uflow *uflow,
                  const struct node *root)
{
    struct str out = STR_INIT;
    uflow_print(world, uflow, &out);
    bool first = true;
    for (int form = 0; form < 3; form++) {
        if (!p->forms[form])
            continue;
        str_put(&out, first ? "" : "\n");
        node_print(root, (enum node_form)form, &out);
        first = false;
    }
    fputs(str_c(&out), stdout);
    str_fini(&out);
}

/* The datapath that was asked for, or the one of the ingress port. */
static const struct row *start_of(struct world *world, const char *id, const struct uflow *uflow)
{
    if (id)
        return world_datapath(world, id);
    const char *inport = world_name(world, (uint32_t)uflow_field(world, uflow, SYM_INPORT));
    const struct row *port = world_port(world, inport);
    return port ? world_datapath_of(world, port) : NULL;
}

static int trace_packet(struct program *p, struct world *world, const char *datapath,
                        const char *text, struct diag *diag)
{
    struct uflow uflow;
    int err = uflow_parse(world, text, &uflow, diag);
    if (err) {
        diag_prefix(diag, "error parsing flow: ");
        return err;
    }
    const char *inport = world_name(world, (uint32_t)uflow_field(world, &uflow, SYM_INPORT));
    if (!*inport)
        return diag_set(diag, ERR_INVALID, "microflow does not specify ingress port");
    const struct row *dp = start_of(world, datapath, &uflow);
    if (!dp && datapath)
        return diag_set(diag, ERR_NOT_FOUND, "unknown datapath \"%s\"", datapath);
    const struct row *port = world_port(world, inport);
    if (!port)
        return diag_set(diag, ERR_NOT_FOUND, "unknown ingress port \"%s\"", inport);
    if (world_datapath_of(world, port) != dp)
        return diag_set(diag, ERR_INVALID, "ingress port \"%s\" is not in that datapath", inport);
    struct node *root = node_add(NULL, NODE_PIPELINE, NULL);
    struct uflow packet = uflow;
    p->trace.world = world;
    fetch_switch_flows(p);
    run_pipeline(&p->trace, dp, PIPELINE_INGRESS, 0, &packet, root);
    print(p, world, &uflow, root);
    node_free(root);
    return 0;
}

static int run(struct program *p, int n, char **words, struct diag *diag)
{
    struct world world;
    p->schema = sb_schema_new();
    p->loop = loop_new(env_real());
    int err = connect_to(p, diag);
    if (err)
        return err;
    world_init(&world, p->replica);
    world.plain_names = p->plain_names;
    err = trace_packet(p, &world, n > 1 ? words[0] : NULL, words[n - 1], diag);
    world_fini(&world);
    return err;
}

int trace_main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/');
    struct program p = {.name = slash ? slash + 1 : argv[0], .leader_only = true};
    struct diag diag = DIAG_INIT;
    bool done = false;
    p.is_peer = !strcmp(p.name, "ovn-trace");
    (void)log_set_level(NULL, LOG_WARN);
    int status = parse_options(&p, argc, argv, &done);
    if (!status && !done && (argc - optind < 1 || argc - optind > 2))
        status = fail(&p, "one or two non-option arguments are required (use --help for help)");
    else if (!status && !done && run(&p, argc - optind, argv + optind, &diag))
        status = fail(&p, diag_text(&diag));
    diag_fini(&diag);
    vec_fini(&p.trace.ct_states);
    flow_list_free(p.trace.switch_flows);
    replica_free(p.replica);
    if (p.loop)
        loop_free(p.loop);
    tls_config_free(p.tls);
    schema_free(p.schema);
    free(p.db);
    return status;
}
