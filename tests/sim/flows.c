/* flows.c - see flows.h. */
#include "sim/flows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "openflow/text.h"

static char *flow_text(const struct rule *rule, const struct port_names *names)
{
    struct str s = STR_INIT;
    struct match match;
    cls_rule_match(&rule->cls, &match);
    str_putf(&s, "table=%u, cookie=%#llx, priority=%d ", rule->table_id,
             (unsigned long long)rule->cookie, rule->cls.priority);
    match_put(&s, &match, -1, names);
    str_put(&s, " actions=");
    of_actions_put(&s, rule->actions.data, rule->actions.n, names);
    char *text = xstrdup(str_c(&s));
    str_fini(&s);
    return text;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void flows_read(struct hypervisor *hv, flow_texts *ret)
{
    const struct bridge *br = vswitch_bridge(&hv->switchd.vs, "br-int");
    struct bridge_port_names names;
    bridge_names(br, &names);
    for (unsigned i = 0; i < N_TABLES; i++) {
        const struct cls_rule *cls;
        CLASSIFIER_FOR_EACH(cls, &br->tables.table[i].cls)
        vec_push(ret, flow_text(CONTAINER_OF(cls, struct rule, cls), &names.names));
    }
    if (ret->n)
        qsort(ret->data, ret->n, sizeof *ret->data, compare);
}

void flows_free(flow_texts *flows)
{
    for (size_t i = 0; i < flows->n; i++)
        free(flows->data[i]);
    vec_fini(flows);
}

void flows_put_difference(const flow_texts *before, const flow_texts *after, struct str *out)
{
    for (size_t i = 0, k = 0; i < before->n || k < after->n;) {
        int order = i == before->n  ? 1
                    : k == after->n ? -1
                                    : strcmp(before->data[i], after->data[k]);
        if (order < 0)
            str_putf(out, "\n  - %s", before->data[i]);
        else if (order > 0)
            str_putf(out, "\n  + %s", after->data[k]);
        i += order <= 0;
        k += order >= 0;
    }
}

static void put_counter(const struct counter *counter, void *file)
{
    if (counter->n)
        fprintf(file, "%s: %llu\n", counter->name, (unsigned long long)counter->n);
}

void flows_write(struct hypervisor *hv)
{
    const struct bridge *br = vswitch_bridge(&hv->switchd.vs, "br-int");
    struct bridge_port_names names;
    char *path = xasprintf("%s/flows", hv->dir);
    FILE *file = fopen(path, "w");
    bridge_names(br, &names);
    for (unsigned i = 0; file && i < N_TABLES; i++) {
        const struct cls_rule *cls;
        CLASSIFIER_FOR_EACH(cls, &br->tables.table[i].cls)
        {
            const struct rule *rule = CONTAINER_OF(cls, struct rule, cls);
            char *text = flow_text(rule, &names.names);
            fprintf(file, "n=%llu %s\n", (unsigned long long)rule->n_packets, text);
            free(text);
        }
    }
    if (file) {
        counter_for_each(daemon_counters(hv->switchd_daemon), put_counter, file);
        fclose(file);
    }
    free(path);
}
