/* qos.c - qos-*: marking and policing of a switch's traffic. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "tools/nbctl/nbctl.h"

#define QOS_TABLES "Logical_Switch QoS"

enum { MAX_DSCP = 63 };

/* What the words KEY=VALUE say; -1: nothing. */
struct qos_values {
    int64_t dscp, mark, rate, burst;
};

static int parse_value(struct ctl_call *call, const char *word, struct qos_values *v)
{
    const struct {
        const char *name;
        int64_t min, max, *ret;
    } known[] = {{"dscp", 0, MAX_DSCP, &v->dscp},
                 {"mark", 0, UINT32_MAX, &v->mark},
                 {"rate", 1, UINT32_MAX, &v->rate},
                 {"burst", 1, UINT32_MAX, &v->burst}};
    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        size_t n = strlen(known[i].name);
        if (strncmp(word, known[i].name, n) || word[n] != '=')
            continue;
        if (nb_parse_integer(word + n + 1, known[i].min, known[i].max, known[i].ret))
            return 0;
        return ctl_fail(call, "%s: %s must be in the range %lld...%lld", word + n + 1,
                        known[i].name, (long long)known[i].min, (long long)known[i].max);
    }
    return ctl_fail(
        call, "%s: supported arguments are \"dscp=\", \"mark=\", \"rate=\", and \"burst=\"", word);
}

/* COLUMN is a map of numbers. */
static const struct row *set_number(struct ctl_call *call, const struct row *row,
                                    const char *column, const char *key, int64_t value)
{
    if (value < 0)
        return row;
    union atom k = {.string = rstr_new(key)}, v = {.integer = value};
    return view_add(call->view, row, row_column(row, column),
                    datum_new_map(ATOM_STRING, ATOM_INTEGER, &k, &v, 1));
}

static int run_qos_add(struct ctl_call *call)
{
    const struct row *ls;
    struct nb_rule rule;
    struct qos_values v = {-1, -1, -1, -1};
    int err = nb_find(call, &nb_switch, call->argv[0], true, &ls);
    if (!err)
        err = nb_rule_parse(call, 1, &rule);
    for (int i = 4; !err && i < call->argc; i++)
        err = parse_value(call, call->argv[i], &v);
    if (err)
        return err;
    if (v.rate < 0 && v.dscp < 0 && v.mark < 0)
        return ctl_fail(call, "Either \"rate\" and/or \"dscp\" must be specified");
    if (nb_rule_find(call, ls, "qos_rules", &rule)) {
        if (ctl_has_option(call, "--may-exist"))
            return 0;
        return ctl_fail(call, "Same qos already existed on the ls %s.", call->argv[0]);
    }
    const struct row *qos = nb_rule_insert(call, ls, "qos_rules", &rule);
    qos = set_number(call, qos, "action", "dscp", v.dscp);
    qos = set_number(call, qos, "action", "mark", v.mark);
    qos = set_number(call, qos, "bandwidth", "rate", v.rate);
    (void)set_number(call, qos, "bandwidth", "burst", v.burst);
    return 0;
}

static int delete_by_uuid(struct ctl_call *call, const struct row *ls, const struct uuid *uuid)
{
    if (call->argc > 2)
        return ctl_fail(call, "uuid must be the only argument");
    const struct row *qos = view_find(call->view, view_table(call->view, "QoS"), uuid);
    if (!qos || !row_refers_to(ls, "qos_rules", uuid))
        return ctl_fail(call, "uuid is not found");
    nb_delete_from(call, ls, "qos_rules", qos);
    return 0;
}

static int run_qos_del(struct ctl_call *call)
{
    const struct row *ls;
    struct nb_rule rule;
    struct uuid uuid;
    int err = nb_find(call, &nb_switch, call->argv[0], true, &ls);
    if (err)
        return err;
    if (call->argc > 1 && uuid_parse(call->argv[1], &uuid))
        return delete_by_uuid(call, ls, &uuid);
    err = nb_rule_parse(call, 1, &rule);
    if (!err)
        nb_rule_delete(call, ls, "qos_rules", &rule);
    return err;
}

/* " KEY=VALUE" of a map of numbers, when it is there. */
static void put_number(struct str *out, const struct row *row, const char *column, const char *key)
{
    const struct datum *map = row_value(row, column);
    for (size_t i = 0; i < map->n; i++)
        if (!strcmp(map->atoms[i].string->s, key))
            str_putf(out, " %s=%lld", key, (long long)datum_values(map)[i].integer);
}

static int run_qos_list(struct ctl_call *call)
{
    const struct row *ls;
    int err = nb_find(call, &nb_switch, call->argv[0], true, &ls);
    if (err)
        return err;
    struct row_list rows = nb_rules(call, ls, "qos_rules");
    for (size_t i = 0; i < rows.n; i++) {
        const struct row *qos = rows.rows[i];
        str_putf(&call->out, "%10s %5lld (%s)", row_text(qos, "direction"),
                 (long long)row_integer(qos, "priority", 0), row_text(qos, "match"));
        put_number(&call->out, qos, "bandwidth", "rate");
        put_number(&call->out, qos, "bandwidth", "burst");
        put_number(&call->out, qos, "action", "dscp");
        put_number(&call->out, qos, "action", "mark");
        str_putc(&call->out, '\n');
    }
    row_list_fini(&rows);
    return 0;
}

const struct ctl_command nb_qos_commands[] = {
    {.help = "QoS commands"},
    {"qos-add", 5, 8,
     "SWITCH DIRECTION PRIORITY MATCH [rate=RATE [burst=BURST]] [dscp=DSCP] [mark=MARK]",
     "--may-exist", QOS_TABLES, NULL, run_qos_add, "add a rule that marks or limits traffic"},
    {"qos-del", 1, 4, "SWITCH [{DIRECTION|UUID} [PRIORITY MATCH]]", NULL, QOS_TABLES, NULL,
     run_qos_del, "delete QoS rules"},
    {"qos-list", 1, 1, "SWITCH", NULL, QOS_TABLES, NULL, run_qos_list,
     "print the QoS rules of SWITCH"},
    {0},
};
