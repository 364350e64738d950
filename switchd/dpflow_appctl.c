/* dpflow_appctl.c - control commands about the flows of the datapath, the megaflows, under ovs-vswitchd's names: how they are shown,
 * which flows of OpenFlow they come from, how many there may be. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/uuid.h"
#include "openflow/group.h"
#include "openflow/text.h"
#include "switchd/megaflow.h"
#include "switchd/odp_flow.h"
#include "switchd/switchd.h"

static void reply(struct unixctl_conn *conn, struct str *out)
{
    unixctl_reply(conn, str_c(out));
    str_fini(out);
}

static void refuse(struct unixctl_conn *conn, const char *format, const char *what)
{
    struct str out = STR_INIT;
    str_putf(&out, format, what);
    unixctl_error(conn, str_c(&out));
    str_fini(&out);
}

/* What a datapath's flow is known by: its key and mask, as a number. */
static struct uuid flow_ufid(const struct match *match)
{
    struct uuid id;
    uint64_t high = match_hash(match, 0), low = match_hash(match, high);
    put_be64(id.bytes, high);
    put_be64(id.bytes + 8, low);
    return id;
}

static const char *port_name(void *vs, uint32_t dp_no)
{
    const struct vport *port = vswitch_port(vs, dp_no);
    return port ? port->name : NULL;
}

/* ---- Dumps ---- */

struct dump {
    struct vswitch *vs;
    const struct bridge *br; /* flows that come in there; NULL: all */
    bool dpctl, verbose, names;
    bool filtered;
    struct match filter; /* in_port a datapath's number */
    struct str out;
};

struct dp_names {
    struct port_names names;
    struct vswitch *vs;
};

static uint32_t dp_port_by_name(const struct port_names *names, const char *name)
{
    const struct vswitch *vs = CONTAINER_OF(names, struct dp_names, names)->vs;
    for (uint32_t i = 1; i < vs->dp_ports.n; i++) {
        const struct vport *port = vs->dp_ports.data[i];
        if (port && !strcmp(port->name, name))
            return i;
    }
    return 0;
}

static void put_flow(const struct megaflow *flow, void *dump_)
{
    struct dump *d = dump_;
    struct match match;
    megaflow_match(flow, &match);
    struct uuid id = flow_ufid(&match);
    vswitch_match_options(d->vs, &match);
    const struct vport *port = vswitch_port(d->vs, key_in_port(&match.key));
    if ((d->br && (!port || port->bridge != d->br)) ||
        (d->filtered && !match_overlaps(&match, &d->filter)))
        return;
    struct odp_style style = {.verbose = d->verbose,
                              .in_port = d->names && port ? port->name : NULL,
                              .tlvs = port ? &port->bridge->tlvs : NULL};
    if (d->verbose) {
        char text[UUID_TEXT_LEN + 1];
        str_putf(&d->out, "ufid:%s%s", uuid_print(&id, text), d->dpctl ? ", " : " ");
    }
    odp_flow_put(&d->out, &match, &style);
    str_putf(&d->out, ", packets:%" PRIu64 ", bytes:%" PRIu64 ", used:", flow->n_packets,
             flow->n_bytes);
    int64_t idle_ms = env_now_ms(d->vs->env) - flow->used_ms;
    if (flow->n_packets)
        str_putf(&d->out, "%" PRId64 ".%03" PRId64 "s", idle_ms / 1000, idle_ms % 1000);
    else
        str_put(&d->out, "never");
    str_put(&d->out, d->dpctl && d->verbose ? ", dp:ovs, actions:" : ", actions:");
    dp_actions_put_text(&d->out, &flow->actions, d->names ? port_name : NULL, d->vs);
    str_putc(&d->out, '\n');
}

/* A type of flows of dpctl/dump-flows, whose names are those of places that may have them; only this process has any here. False: there
 * is none of that name. */
static bool read_type(const char *type, bool *some)
{
    static const char *const ours[] = {"all", "ovs", "non-offloaded"};
    static const char *const others[] = {"tc", "dpdk", "offloaded", "partially-offloaded"};
    *some = false;
    for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
        *some |= !strcmp(type, ours[i]);
    bool known = *some;
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        known |= !strcmp(type, others[i]);
    return known;
}

/* "filter=..." into D. False: refused already. */
static bool read_filter(struct unixctl_conn *conn, struct dump *d, const char *text)
{
    struct diag diag = DIAG_INIT;
    struct dp_names names = {{dp_port_by_name, NULL, NULL}, d->vs};
    d->filtered = true;
    if (!of_match_parse(text, &names.names, &d->filter, NULL, &diag))
        return true;
    refuse(conn, "Failed to parse filter (%s)", diag_text(&diag));
    diag_fini(&diag);
    return false;
}

/* "-m", "--names" and the like; false: it is none of them. */
static bool read_option(struct dump *d, const char *arg, int *names)
{
    if (!strcmp(arg, "-m") || !strcmp(arg, "--more"))
        d->verbose = true;
    else if (!strcmp(arg, "--names") || !strcmp(arg, "--no-names"))
        *names = arg[2] == 'n' && arg[3] == 'a';
    else
        return false;
    return true;
}

static void dpctl_dump_flows(struct unixctl_conn *conn, int argc, const char *argv[], void *vs)
{
    struct dump d = {.vs = vs, .dpctl = true, .out = STR_INIT};
    int names = -1;
    bool some = true;
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] == '-') {
            if (!read_option(&d, argv[i], &names)) {
                refuse(conn, "Unrecognized option %s", argv[i]);
                return;
            }
        } else if (!strncmp(argv[i], "type=", 5)) {
            if (!read_type(argv[i] + 5, &some)) {
                refuse(conn, "Failed to parse type (%s) (Invalid argument)", argv[i] + 5);
                return;
            }
        } else if (!strncmp(argv[i], "filter=", 7)) {
            if (!read_filter(conn, &d, argv[i] + 7))
                return;
        } else if (strcmp(argv[i], "netdev@ovs-netdev") != 0 &&
                   strcmp(argv[i], "ovs-netdev") != 0) {
            refuse(conn, "%s: datapath not found (Invalid argument)", argv[i]);
            return;
        }
    }
    d.names = names < 0 ? d.verbose : names;
    if (some)
        megaflows_for_each(d.vs->cache, put_flow, &d);
    if (d.out.n) {
        struct str all = STR_INIT;
        str_putf(&all, "flow-dump from the main thread:\n%s", str_c(&d.out));
        str_fini(&d.out);
        d.out = all;
    }
    reply(conn, &d.out);
}

static void dpif_dump_flows(struct unixctl_conn *conn, int argc, const char *argv[], void *vs)
{
    struct dump d = {.vs = vs, .out = STR_INIT};
    int names = -1;
    for (int i = 1; i < argc - 1; i++) {
        if (!read_option(&d, argv[i], &names)) {
            refuse(conn, "Unrecognized option %s", argv[i]);
            return;
        }
    }
    d.br = vswitch_bridge(vs, argv[argc - 1]);
    if (!d.br) {
        unixctl_error(conn, "no such bridge");
        return;
    }
    d.names = names < 0 ? d.verbose : names;
    megaflows_for_each(d.vs->cache, put_flow, &d);
    reply(conn, &d.out);
}

/* ---- Where a flow comes from ---- */

struct search {
    struct uuid wanted;
    const struct megaflow *found;
};

static void compare(const struct megaflow *flow, void *search_)
{
    struct search *s = search_;
    struct match match;
    megaflow_match(flow, &match);
    struct uuid id = flow_ufid(&match);
    if (uuid_equal(&id, &s->wanted))
        s->found = flow;
}

static void put_rule(struct str *out, const struct bridge *br, const struct rule *rule)
{
    struct bridge_port_names names;
    struct match match;
    struct str text = STR_INIT;
    bridge_names(br, &names);
    cls_rule_match(&rule->cls, &match);
    match_put(&text, &match, rule->cls.priority, &names.names);
    str_putf(out,
             "bridge=%s, cookie=0x%" PRIx64 ", table=%u, n_packets=%" PRIu64 ", n_bytes=%" PRIu64
             ", %s%sactions=",
             br->name, rule->cookie, rule->table_id, rule->n_packets, rule->n_bytes, str_c(&text),
             text.n ? " " : "");
    of_actions_put(out, rule->actions.data, rule->actions.n, &names.names);
    str_putc(out, '\n');
    str_fini(&text);
}

static void put_group(struct str *out, struct bridge *br, uint32_t id)
{
    struct bridge_port_names names;
    struct group *group = bridge_group(br, id);
    bridge_names(br, &names);
    if (!group)
        return;
    str_putf(out, "bridge=%s, ", br->name);
    of_group_put(out, &group->of, OF15_VERSION, &names.names);
    str_putc(out, '\n');
}

/* The flows and groups of OpenFlow that decided about the flow of this name, in the order in which a packet meets them. */
static void detrace(struct unixctl_conn *conn, int argc UNUSED, const char *argv[], void *vs_)
{
    struct vswitch *vs = vs_;
    struct search s = {.found = NULL};
    const char *text = argv[1] + (strncmp(argv[1], "ufid:", 5) ? 0 : 5);
    if (!uuid_parse(text, &s.wanted)) {
        refuse(conn, "%s: not the ufid of a flow", argv[1]);
        return;
    }
    megaflows_push(vs->cache); /* the counters of what is shown */
    megaflows_for_each(vs->cache, compare, &s);
    if (!s.found) {
        refuse(conn, "%s: the datapath has no such flow", argv[1]);
        return;
    }
    struct str out = STR_INIT;
    const struct trail *trail = s.found->origin->trail;
    for (uint32_t i = 0; i < trail->n_effects; i++) {
        const struct effect *e = &trail->effects[i];
        struct bridge *br = NULL;
        if (e->kind == EFFECT_RULE && (br = vswitch_bridge_numbered(vs, e->rule.bridge_no)))
            put_rule(&out, br, rule_creditor(e->rule.rule));
        if (e->kind == EFFECT_GROUP && (br = vswitch_bridge_numbered(vs, e->at.bridge_no)))
            put_group(&out, br, e->at.id);
    }
    reply(conn, &out);
}

/* ---- How many ---- */

static void set_flow_limit(struct unixctl_conn *conn, int argc UNUSED, const char *argv[],
                           void *vs_)
{
    struct vswitch *vs = vs_;
    uint64_t limit;
    struct str out = STR_INIT;
    if (text_to_u64(argv[1], 10, &limit) || limit > UINT32_MAX) {
        refuse(conn, "%s: not a number of flows", argv[1]);
        return;
    }
    vs->cache->limit = (size_t)limit;
    if (vs->cache->n_flows > limit)
        megaflows_flush(vs->cache);
    str_putf(&out, "set flow_limit to %" PRIu64, limit);
    reply(conn, &out);
}

void dpflow_appctl_register(struct unixctl *ctl, struct vswitch *vs)
{
    static const struct unixctl_entry commands[] = {
        {"dpif/dump-flows", "[-m] [--names | --no-names] bridge", 1, 3, dpif_dump_flows},
        {"dpctl/dump-flows", "[-m] [--names | --no-names] [dp] [filter=FLOW] [type=TYPE]", 0, 5,
         dpctl_dump_flows},
        {"ofproto/detrace", "ufid", 1, 1, detrace},
        {"upcall/set-flow-limit", "flow-limit-number", 1, 1, set_flow_limit},
    };
    unixctl_register_all(ctl, commands, ARRAY_SIZE(commands), vs);
}
