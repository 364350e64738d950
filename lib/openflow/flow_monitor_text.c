/* flow_monitor_text.c - flow monitors and their updates in ovs-ofctl's words. */
#include <stdlib.h>

#include "base/err.h"
#include "openflow/flow_monitor.h"
#include "openflow/keyvalue.h"
#include "openflow/text.h"

static const struct flag_name {
    const char *name;
    uint16_t flag;
} flag_names[] = {
    {"initial", OF_MONITOR_INITIAL}, {"add", OF_MONITOR_ADD},
    {"delete", OF_MONITOR_REMOVED},  {"modify", OF_MONITOR_MODIFY},
    {"actions", OF_MONITOR_ACTIONS}, {"own", OF_MONITOR_NO_ABBREV},
};

static uint16_t flag_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(flag_names); i++) {
        if (!strcmp(flag_names[i].name, name))
            return flag_names[i].flag;
    }
    return 0;
}

int of_flow_monitor_parse(const char *text, const struct port_names *ports,
                          struct of_flow_monitor *ret, struct diag *diag)
{
    char *copy = xstrdup(text), *rest = copy;
    struct keyvalue kv;
    struct str flow = STR_INIT; /* what is not a flag: a match with filters */
    int more, err = 0;
    of_flow_monitor_init(ret);
    while (!err && (more = keyvalue_next(&rest, &kv)) != 0) {
        if (more < 0)
            err = diag_set(diag, ERR_SYNTAX, "unbalanced parentheses");
        else if (*kv.key == '!' && flag_find(kv.key + 1))
            ret->flags &= (uint16_t)~flag_find(kv.key + 1);
        else if (*kv.key == '!')
            err = diag_set(diag, ERR_SYNTAX, "unknown keyword %s", kv.key);
        else if (!*kv.value && flag_find(kv.key))
            ret->flags |= flag_find(kv.key);
        else
            str_putf(&flow, *kv.value ? "%s=%s," : "%s%s,", kv.key, kv.value);
    }
    struct of_flow_stats_request req;
    if (!err)
        err = of_flow_stats_request_parse(str_c(&flow), ports, NULL, &req, diag);
    if (!err) {
        ret->table_id = req.table_id;
        ret->out_port = req.out_port;
        ret->out_group = req.out_group;
        ret->match = req.match;
    }
    str_fini(&flow);
    free(copy);
    return err;
}

void of_flow_monitor_print(struct str *s, const struct of_flow_monitor *fm,
                           const struct port_names *ports)
{
    static const char *const commands[] = {"add", "modify", "delete"};
    str_putf(s, "\n id=%u flags=", fm->id);
    size_t at = s->n;
    for (size_t i = 0; i < ARRAY_SIZE(flag_names); i++) {
        if (fm->flags & flag_names[i].flag)
            str_putf(s, "%s%s", s->n > at ? "," : "", flag_names[i].name);
    }
    if (s->n == at)
        str_put(s, "0");
    if (fm->command != OF_MONITOR_CREATE)
        str_putf(s, " command=%s", commands[fm->command]);
    if (fm->out_port != PORT_ANY) {
        str_put(s, " out_port=");
        port_put(s, fm->out_port, ports);
    }
    if (fm->out_group != OF_GROUP_ANY)
        str_putf(s, " out_group=%u", fm->out_group);
    if (fm->table_id != OF_TABLE_ALL)
        str_putf(s, " table=%u", fm->table_id);
    at = s->n;
    str_putc(s, ' ');
    match_put(s, &fm->match, -1, ports);
    if (s->n == at + 1)
        str_truncate(s, at);
}

void of_flow_update_print(struct str *s, const struct of_flow_update *u,
                          const struct port_names *ports)
{
    static const char *const events[] = {"INITIAL", "ADDED",  "DELETED", "MODIFIED",
                                         "ABBREV",  "PAUSED", "RESUMED"};
    static const char *const reasons[] = {"idle",         "hard",     "delete",
                                          "group_delete", "eviction", "meter_delete"};
    str_putf(s, " event=%s", events[u->event]);
    if (u->event == OF_UPDATE_ABBREV)
        str_putf(s, " xid=0x%x", u->xid);
    if (u->event >= OF_UPDATE_ABBREV)
        return;
    if (u->event == OF_UPDATE_REMOVED && u->reason < ARRAY_SIZE(reasons))
        str_putf(s, " reason=%s", reasons[u->reason]);
    else if (u->event == OF_UPDATE_REMOVED)
        str_putf(s, " reason=%u", u->reason);
    str_putf(s, " table=%u", u->table_id);
    if (u->idle_timeout)
        str_putf(s, " idle_timeout=%u", u->idle_timeout);
    if (u->hard_timeout)
        str_putf(s, " hard_timeout=%u", u->hard_timeout);
    str_putf(s, u->cookie ? " cookie=0x%llx " : " cookie=0 ", (unsigned long long)u->cookie);
    size_t at = s->n;
    match_put(s, &u->match, -1, ports); /* without the priority: ovs-ofctl */
    if (u->actions.n) {
        if (s->n > at)
            str_putc(s, ' ');
        str_put(s, "actions=");
        of_actions_put(s, u->actions.data, u->actions.n, ports);
    }
}
