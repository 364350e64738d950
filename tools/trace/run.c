/* run.c - from a datapath's first table to where the packet ends: tables, flows, outputs. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "tools/trace/trace.h"

bool run_too_deep(struct trace *trace, struct node *parent)
{
    if (trace->depth < MAX_DEPTH)
        return false;
    if (!trace->too_deep)
        node_add(parent, NODE_COMMENT, xstrdup("/* the packet goes round and round: given up */"));
    trace->too_deep = true;
    return true;
}

/* ---- which flow ---- */

static bool is_of(const struct row *flow, const struct row *datapath, struct world *world)
{
    const union atom key = {.uuid = datapath->uuid};
    const struct schema_column *dp = schema_column_find(flow->table, "logical_datapath");
    const struct schema_column *group = schema_column_find(flow->table, "logical_dp_group");
    if (datum_find(row_get(flow, dp), &key) >= 0)
        return true;
    const struct datum *groups = row_get(flow, group);
    const struct row *g =
        groups->n ? replica_row_find(world->replica, world_table(world, "Logical_DP_Group"),
                                     &groups->atoms[0].uuid)
                  : NULL;
    return g && datum_find(row_get(g, schema_column_find(g->table, "datapaths")), &key) >= 0;
}

/* The whole condition: the match, and what the actions take for granted. NULL: malformed. */
static struct expr *condition_of(struct world *world, const struct row *flow,
                                 const struct action_context *context, struct actions **actions)
{
    struct expr *match, *prereq;
    if (expr_parse(world->exprs, world_row_text(flow, "match"), NULL, &match, NULL))
        return NULL;
    if (actions_parse(world->actions, world_row_text(flow, "actions"), context, actions, &prereq,
                      NULL)) {
        expr_unref(match);
        return NULL;
    }
    return expr_and(world->exprs, match, prereq);
}

static bool is_hit(struct at *at, const struct row *flow, struct actions **actions)
{
    struct world *world = at->trace->world;
    const struct action_context context = {at->pipeline, at->table, 0, 0};
    struct expr *condition = condition_of(world, flow, &context, actions);
    if (!condition)
        return false;
    bool hit = uflow_matches(world, at->packet, condition);
    expr_unref(condition);
    if (!hit)
        actions_unref(*actions);
    return hit;
}

/* Of flows with one priority any may apply: here the same each time. */
static bool is_before(const struct row *a, const struct row *b)
{
    int64_t x = world_row_number(a, "priority"), y = world_row_number(b, "priority");
    return x != y ? x > y : strcmp(world_row_text(a, "match"), world_row_text(b, "match")) < 0;
}

/* The flow that applies, with its actions; NULL: none. */
static const struct row *find_flow(struct at *at, struct actions **actions)
{
    struct world *world = at->trace->world;
    const char *pipeline = lflow_pipeline_name(at->pipeline);
    const struct row *flow, *best = NULL;
    *actions = NULL;
    world->datapath = at->datapath;
    REPLICA_FOR_EACH(flow, pos, world->replica, world_table(world, "Logical_Flow"))
    {
        struct actions *found;
        if (world_row_number(flow, "table_id") != at->table ||
            strcmp(world_row_text(flow, "pipeline"), pipeline) ||
            (best && !is_before(flow, best)) || !is_of(flow, at->datapath, world) ||
            !is_hit(at, flow, &found))
            continue;
        actions_unref(*actions);
        *actions = found;
        best = flow;
    }
    return best;
}

/* " 0. stage (source): match, priority P, uuid U", and the NB row that the flow comes from. */
static char *describe(const struct at *at, const struct row *flow)
{
    struct str s = STR_INIT;
    char uuid[UUID_TEXT_LEN + 1];
    const char *stage = world_row_option(flow, "external_ids", "stage-name");
    const char *source = world_row_option(flow, "external_ids", "source");
    const char *hint = world_row_option(flow, "external_ids", "stage-hint");
    str_putf(&s, "%2u. %s", at->table, stage ? stage : "");
    if (source)
        str_putf(&s, " (%s)", source);
    str_putf(&s, ": %s, priority %lld, uuid %.8s", world_row_text(flow, "match"),
             (long long)world_row_number(flow, "priority"), uuid_print(&flow->uuid, uuid));
    if (hint)
        str_putf(&s, ", NB row %s", hint);
    return str_steal(&s);
}

/* --ovs: a line for each flow of the switch that FLOW has become. */
static void tell_switch_flows(const struct at *at, const struct row *flow, struct node *parent)
{
    struct str lines = STR_INIT;
    if (!at->trace->switch_flows)
        return;
    flow_list_put(at->trace->switch_flows, uuid_prefix32(&flow->uuid), "", &lines);
    if (!lines.n)
        str_put(&lines, "*** no OpenFlow flows\n");
    for (const char *line = str_c(&lines); *line; line += strcspn(line, "\n") + 1)
        node_add(parent, NODE_FLOWS, xstrndup(line, strcspn(line, "\n")));
    str_fini(&lines);
}

/* What does nothing to every packet is not worth a line. */
static bool is_silent(const struct row *flow, const struct actions *actions)
{
    return !strcmp(world_row_text(flow, "match"), "1") && actions->n == 1 &&
           actions->action[0]->op == ACTION_NEXT && !actions->action[0]->n;
}

/* Silent tables do not count: a packet that goes round until its TTL is over is followed to the end. */
void run_table(struct at *at, unsigned table)
{
    struct at here = *at;
    const struct row *flow;
    struct actions *actions;
    if (run_too_deep(at->trace, at->parent))
        return;
    at->trace->depth++;
    here.table = table;
    while ((flow = find_flow(&here, &actions)) != NULL && is_silent(flow, actions)) {
        actions_unref(actions);
        here.table++;
    }
    if (!flow) {
        struct node *node = node_add(at->parent, NODE_TABLE,
                                     xasprintf("%2u. no match (implicit drop)", here.table));
        node_add(node, NODE_ACTION, xstrdup("drop;"));
        return;
    }
    here.parent = node_add(at->parent, NODE_TABLE, describe(&here, flow));
    tell_switch_flows(at, flow, here.parent);
    if (!actions->n)
        node_add(here.parent, NODE_ACTION, xstrdup("drop;"));
    act_all(&here, actions);
    actions_unref(actions);
}

/* ---- pipelines ---- */

static bool goes_back(const struct world *world, const struct uflow *packet)
{
    return uflow_field(world, packet, SYM_INPORT) == uflow_field(world, packet, SYM_OUTPORT) &&
           !uflow_field(world, packet, SYM_FLAGS_LOOPBACK);
}

static void tell_goes_back(struct node *parent)
{
    node_add(parent, NODE_END,
             xstrdup("/* omitting output because inport == outport && !flags.loopback */"));
}

void run_pipeline(struct trace *trace, const struct row *datapath, enum pipeline pipeline,
                  unsigned table, struct uflow *packet, struct node *parent)
{
    struct world *world = trace->world;
    char *dp = world_datapath_name(world, datapath);
    const char *inport = world_name(world, (uint32_t)uflow_field(world, packet, SYM_INPORT));
    const char *outport = world_name(world, (uint32_t)uflow_field(world, packet, SYM_OUTPORT));
    char *title =
        pipeline == PIPELINE_INGRESS ? xasprintf("ingress(dp=\"%s\", inport=\"%s\")", dp, inport)
        : *inport
            ? xasprintf("egress(dp=\"%s\", inport=\"%s\", outport=\"%s\")", dp, inport, outport)
            : xasprintf("egress(dp=\"%s\", outport=\"%s\")", dp, outport);
    free(dp);
    struct node *node = node_add(parent, NODE_PIPELINE, title);
    if (pipeline == PIPELINE_EGRESS && goes_back(world, packet)) {
        tell_goes_back(node);
        return;
    }
    struct at at = {trace, datapath, pipeline, 0, packet, node, false};
    run_table(&at, table);
}

/* ---- output ---- */

/* A copy of the packet goes through the egress pipeline to port NAME. */
static void to_egress(struct at *at, const char *name, bool is_member, struct node *parent)
{
    struct world *world = at->trace->world;
    struct uflow copy = *at->packet;
    const struct row *port = world_port(world, name);
    u128 inport = uflow_field(world, &copy, SYM_INPORT);
    u128 flags = uflow_field(world, &copy, SYM_FLAGS);
    const char *real = port && !strcmp(world_row_text(port, "type"), "chassisredirect")
                           ? world_row_option(port, "options", "distributed-port")
                           : NULL;
    if (real)
        node_add(parent, NODE_ACTION,
                 xasprintf("/* Replacing type \"chassisredirect\" outport \"%s\" with distributed "
                           "port \"%s\". */",
                           name, real));
    uflow_forget_registers(world, &copy);
    uflow_set_field(world, &copy, SYM_INPORT, inport);
    uflow_set_field(world, &copy, SYM_FLAGS, flags);
    uflow_set_field(world, &copy, SYM_OUTPORT, world_number(world, real ? real : name));
    if (!is_member && goes_back(world, &copy))
        tell_goes_back(parent);
    else
        run_pipeline(at->trace, at->datapath, PIPELINE_EGRESS, 0, &copy, parent);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void to_group(struct at *at, const struct row *group, const char *name)
{
    struct world *world = at->trace->world;
    const struct datum *ports = row_get(group, schema_column_find(group->table, "ports"));
    const char **names = xcalloc(ports->n + 1, sizeof *names);
    size_t n = 0;
    for (size_t i = 0; i < ports->n; i++) {
        const struct row *port = replica_row_find(
            world->replica, world_table(world, "Port_Binding"), &ports->atoms[i].uuid);
        if (port)
            names[n++] = world_row_text(port, "logical_port");
    }
    qsort(names, n, sizeof *names, compare_texts);
    char *dp = world_datapath_name(world, at->datapath);
    struct node *node = node_add(at->parent, NODE_MULTICAST,
                                 xasprintf("multicast(dp=\"%s\", mcgroup=\"%s\")", dp, name));
    free(dp);
    for (size_t i = 0; i < n; i++)
        to_egress(at, names[i], true, node);
    free(names);
}

/* Out of the datapath: into the peer's, or this is the end. */
static void end_at_port(struct at *at, const char *name)
{
    struct world *world = at->trace->world;
    const struct row *port = world_port(world, name);
    const char *type = port ? world_row_text(port, "type") : "";
    node_add(at->parent, NODE_END, xasprintf("/* output to \"%s\", type \"%s\" */", name, type));
    const char *peer_name = port ? world_row_option(port, "options", "peer") : NULL;
    bool has_peer = peer_name && (!strcmp(type, "patch") || !strcmp(type, "l3gateway"));
    const struct row *peer = has_peer ? world_port(world, peer_name) : NULL;
    const struct row *datapath = peer ? world_datapath_of(world, peer) : NULL;
    if (!datapath) {
        node_add(at->parent, NODE_OUTPUT, xasprintf("output(\"%s\")", name));
        return;
    }
    struct uflow copy = *at->packet;
    uflow_forget_registers(world, &copy);
    uflow_set_field(world, &copy, SYM_INPORT, world_number(world, peer_name));
    run_pipeline(at->trace, datapath, PIPELINE_INGRESS, 0, &copy, at->parent);
}

void run_output(struct at *at)
{
    struct world *world = at->trace->world;
    const char *name = world_name(world, (uint32_t)uflow_field(world, at->packet, SYM_OUTPORT));
    if (run_too_deep(at->trace, at->parent))
        return;
    at->trace->depth++;
    if (!*name) {
        node_add(at->parent, NODE_COMMENT, xstrdup("/* no outport: dropped */"));
        return;
    }
    if (at->pipeline == PIPELINE_EGRESS) {
        end_at_port(at, name);
        return;
    }
    const struct row *group = world_group(world, at->datapath, name);
    if (group)
        to_group(at, group, name);
    else if (world_port(world, name))
        to_egress(at, name, false, at->parent);
    else
        node_add(at->parent, NODE_COMMENT,
                 xasprintf("/* unknown port or multicast group \"%s\" */", name));
}
