/* lflow.c - lflow-list and count-flows: logical flows by datapath and pipeline, in the order in
 * which packets meet them.
 *
 * A flow of a datapath group is listed under each datapath of the group.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "tools/sbctl/lflow.h"

#define FLOW_TABLES "Logical_Flow Logical_DP_Group Datapath_Binding"
#define LIST_OPTIONS "--uuid,--ovs=?,--stats,--vflows"

struct flow {
    const struct row *row, *datapath;
    const char *datapath_name; /* "" when it has none */
    int64_t table, priority;
    bool egress;
};
typedef VEC(struct flow) flow_vec;

static int compare_flows(const void *a_, const void *b_)
{
    const struct flow *a = a_, *b = b_;
    int c = strcmp(a->datapath_name, b->datapath_name);
    if (!c)
        c = uuid_compare(&a->datapath->uuid, &b->datapath->uuid);
    if (!c)
        c = (int)a->egress - (int)b->egress;
    if (!c)
        c = (a->table > b->table) - (a->table < b->table);
    if (!c)
        c = (a->priority < b->priority) - (a->priority > b->priority);
    if (!c)
        c = strcmp(row_text(a->row, "match"), row_text(b->row, "match"));
    return c ? c : strcmp(row_text(a->row, "actions"), row_text(b->row, "actions"));
}

static void push_flow(flow_vec *v, const struct row *row, const struct row *datapath)
{
    const char *name = row_map_text(datapath, "external_ids", "name");
    struct flow flow = {row,
                        datapath,
                        name ? name : "",
                        row_integer(row, "table_id", 0),
                        row_integer(row, "priority", 0),
                        !strcmp(row_text(row, "pipeline"), "egress")};
    vec_push(v, flow);
}

/* The datapaths of COLUMN of ROW, or the one wanted among them. */
static void push_datapaths(struct ctl_call *call, flow_vec *v, const struct row *flow,
                           const struct row *holder, const char *column, const struct row *wanted)
{
    struct row_list datapaths = view_referenced(call->view, holder, column);
    for (size_t i = 0; i < datapaths.n; i++)
        if (!wanted || datapaths.rows[i] == wanted)
            push_flow(v, flow, datapaths.rows[i]);
    row_list_fini(&datapaths);
}

/* Is "0x" and the beginning of ROW's uuid, or its uuid, or the beginning of it, among WORDS? */
static bool is_named(const struct row *row, char **words, int n)
{
    char uuid[UUID_TEXT_LEN + 1];
    uuid_print(&row->uuid, uuid);
    for (int i = 0; i < n; i++) {
        const char *word = text_starts_with(words[i], "0x") ? words[i] + 2 : words[i];
        if (!strncasecmp(uuid, word, strlen(word)))
            return true;
    }
    return !n;
}

static int check_uuids(struct ctl_call *call, char **words, int n)
{
    for (int i = 0; i < n; i++) {
        enum { COOKIE_DIGITS = 8 };
        bool is_cookie = text_starts_with(words[i], "0x");
        const char *word = is_cookie ? words[i] + 2 : words[i];
        if (!*word || strlen(word) > (is_cookie ? COOKIE_DIGITS : UUID_TEXT_LEN) ||
            word[strspn(word, "0123456789abcdefABCDEF-")])
            return ctl_fail(call, "%s is not a UUID or the beginning of a UUID", words[i]);
    }
    return 0;
}

/* All flows that the arguments [DATAPATH] [UUID]... ask for, in order. *DATAPATH: the one, or NULL. */
static int collect(struct ctl_call *call, flow_vec *ret, const struct row **datapath)
{
    const struct row *wanted = NULL;
    char **words = call->argv;
    int n = call->argc, err = 0;
    if (n) {
        err =
            ctl_find_row(call, view_table(call->view, "Datapath_Binding"), words[0], true, &wanted);
        words += wanted != NULL;
        n -= wanted != NULL;
    }
    if (!err)
        err = check_uuids(call, words, n);
    *datapath = wanted;
    if (err)
        return err;
    struct row_list flows = view_rows(call->view, view_table(call->view, "Logical_Flow"));
    for (size_t i = 0; i < flows.n; i++) {
        if (!is_named(flows.rows[i], words, n))
            continue;
        push_datapaths(call, ret, flows.rows[i], flows.rows[i], "logical_datapath", wanted);
        struct row_list groups = view_referenced(call->view, flows.rows[i], "logical_dp_group");
        for (size_t g = 0; g < groups.n; g++)
            push_datapaths(call, ret, flows.rows[i], groups.rows[g], "datapaths", wanted);
        row_list_fini(&groups);
    }
    row_list_fini(&flows);
    if (ret->n)
        qsort(ret->data, ret->n, sizeof *ret->data, compare_flows);
    return 0;
}

static bool begins_pipeline(const flow_vec *flows, size_t i)
{
    return !i || flows->data[i].datapath != flows->data[i - 1].datapath ||
           flows->data[i].egress != flows->data[i - 1].egress;
}

/* Datapath "NAME" aka "NAME2" (UUID)SEPARATOR Pipeline: ingress */
static void put_datapath(struct ctl_call *call, const struct flow *flow, const char *blanks)
{
    char uuid[UUID_TEXT_LEN + 1];
    const char *alias = row_map_text(flow->datapath, "external_ids", "name2");
    if (*flow->datapath_name)
        str_putf(&call->out, "\"%s\" ", flow->datapath_name);
    if (*flow->datapath_name && alias)
        str_putf(&call->out, "aka \"%s\" ", alias);
    str_putf(&call->out, "(%s)%sPipeline: %s", uuid_print(&flow->datapath->uuid, uuid), blanks,
             flow->egress ? "egress" : "ingress");
}

static const char *stage_name(const struct flow *flow)
{
    const char *name = row_map_text(flow->row, "external_ids", "stage-name");
    return name ? name : "";
}

void listing_put_uuid(struct listing *l, const struct row *row)
{
    str_put(&l->call->out, "  ");
    if (l->show_uuid)
        str_putf(&l->call->out, "uuid=0x%08x, ", uuid_prefix32(&row->uuid));
}

void listing_put_flows(struct listing *l, const struct row *row)
{
    if (l->switch_flows)
        flow_list_put(l->switch_flows, uuid_prefix32(&row->uuid), "    ", &l->call->out);
}

static void put_flow(struct listing *l, const struct flow *f)
{
    listing_put_uuid(l, f->row);
    str_putf(&l->call->out, "table=%-2lld(%-19s), priority=%-5lld, match=(%s), action=(%s)\n",
             (long long)f->table, stage_name(f), (long long)f->priority, row_text(f->row, "match"),
             row_text(f->row, "actions"));
    listing_put_flows(l, f->row);
}

/* --ovs[=SWITCH] */
static void fetch_switch_flows(struct listing *l)
{
    struct ctl_call *call = l->call;
    struct diag diag = DIAG_INIT;
    const char *target = ctl_option(call, "--ovs");
    if (ctl_has_option(call, "--ovs") &&
        flow_list_fetch(target && *target ? target : "br-int", ctl_tls(call->ctl),
                        ctl_has_option(call, "--stats"), &l->switch_flows, &diag))
        ctl_warn(call, "sbctl", "no flows of the switch: %s", diag_text(&diag));
    diag_fini(&diag);
}

static int prepare_lflow_list(struct ctl_call *call)
{
    if (ctl_has_option(call, "--vflows"))
        listing_need_vflows(call);
    return 0;
}

static int run_lflow_list(struct ctl_call *call)
{
    flow_vec flows = VEC_INIT;
    struct listing l = {.call = call, .show_uuid = ctl_has_option(call, "--uuid")};
    int err = collect(call, &flows, &l.wanted);
    if (!err)
        fetch_switch_flows(&l);
    for (size_t i = 0; i < flows.n; i++) {
        const struct flow *f = &flows.data[i];
        if (begins_pipeline(&flows, i)) {
            str_put(&call->out, "Datapath: ");
            put_datapath(call, f, "  ");
            str_putc(&call->out, '\n');
        }
        put_flow(&l, f);
    }
    if (!err && ctl_has_option(call, "--vflows"))
        listing_put_vflows(&l);
    flow_list_free(l.switch_flows);
    vec_fini(&flows);
    return err;
}

static void put_total(struct ctl_call *call, const struct flow *flow, size_t n)
{
    str_put(&call->out, "Total number of logical flows in the datapath ");
    put_datapath(call, flow, " ");
    str_putf(&call->out, " = %zu\n\n", n);
}

static int run_count_flows(struct ctl_call *call)
{
    flow_vec flows = VEC_INIT;
    const struct row *datapath;
    int err = collect(call, &flows, &datapath);
    size_t in_pipeline = 0, in_table = 0;
    for (size_t i = 0; i < flows.n; i++) {
        const struct flow *f = &flows.data[i];
        if (begins_pipeline(&flows, i)) {
            str_put(&call->out, "Datapath: ");
            put_datapath(call, f, "  ");
            str_putc(&call->out, '\n');
            in_pipeline = in_table = 0;
        }
        in_pipeline++;
        in_table++;
        bool last = i + 1 == flows.n || begins_pipeline(&flows, i + 1);
        if (last || flows.data[i + 1].table != f->table) {
            str_putf(&call->out, "  table=%-2lld(%-19s) lflows=%zu\n", (long long)f->table,
                     stage_name(f), in_table);
            in_table = 0;
        }
        if (last)
            put_total(call, f, in_pipeline);
    }
    if (!err)
        str_putf(&call->out, "Total number of logical flows = %zu\n", flows.n);
    vec_fini(&flows);
    return err;
}

const struct ctl_command sb_lflow_commands[] = {
    {.help = "Logical flow commands"},
    {"lflow-list", 0, CTL_ANY, "[DATAPATH] [LFLOW]...", LIST_OPTIONS, FLOW_TABLES,
     prepare_lflow_list, run_lflow_list,
     "print the logical flows (of DATAPATH, or those whose uuids begin so)"},
    {"dump-flows", 0, CTL_ANY, "[DATAPATH] [LFLOW]...", LIST_OPTIONS, FLOW_TABLES,
     prepare_lflow_list, run_lflow_list, "the same"},
    {"count-flows", 0, 1, "[DATAPATH]", NULL, FLOW_TABLES, NULL, run_count_flows,
     "count the logical flows by table"},
    {0},
};
