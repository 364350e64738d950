/* acl.c - acl-*: access control lists of switches and port groups. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "tools/nbctl/nbctl.h"

#define ACL_TABLES "Logical_Switch Port_Group ACL"
#define ACL_ADD_TABLES ACL_TABLES " Sample"

/* The switch or port group that the first argument names; --type says which it is. */
static int find_owner(struct ctl_call *call, const struct row **ret)
{
    const char *id = call->argv[0], *type = ctl_option(call, "--type");
    bool any = !type;
    if (type && strcmp(type, "switch") && strcmp(type, "port-group"))
        return ctl_fail(call, "Invalid value '%s' for option --type", type);
    if (!any)
        return nb_find(call, *type == 's' ? &nb_switch : &nb_port_group, id, true, ret);
    const struct row *group;
    int err = nb_find(call, &nb_port_group, id, false, &group);
    if (!err)
        err = nb_find(call, &nb_switch, id, false, ret);
    if (err)
        return err;
    if (group && *ret)
        return ctl_fail(call,
                        "Same name '%s' exists in both port-groups and logical switches. Specify "
                        "--type=port-group or switch, or use a UUID.",
                        id);
    *ret = group ? group : *ret;
    return *ret ? 0 : ctl_fail(call, "'%s' is not found for port-group or switch.", id);
}

/* ---- acl-add ---- */

static int parse_action(struct ctl_call *call, const char *action)
{
    static const char *const actions[] = {"allow", "allow-related", "allow-stateless", "drop",
                                          "reject"};
    for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
        if (!strcmp(action, actions[i]))
            return 0;
    if (!strcmp(action, "pass") && ctl_option(call, "--tier"))
        return 0; /* leads to the next tier */
    return ctl_fail(call,
                    "%s: action must be one of \"allow\", \"allow-related\", "
                    "\"allow-stateless\", \"drop\", and \"reject\"",
                    action);
}

static int set_log(struct ctl_call *call, const struct row **row)
{
    static const char *const severities[] = {"alert", "warning", "notice", "info", "debug"};
    const char *severity = ctl_option(call, "--severity");
    const char *name = ctl_option(call, "--name"), *meter = ctl_option(call, "--meter");
    bool known = !severity;
    for (size_t i = 0; !known && i < ARRAY_SIZE(severities); i++)
        known = !strcmp(severity, severities[i]);
    if (!known)
        return ctl_fail(call, "bad severity: %s", severity);
    if (severity || name || meter || ctl_has_option(call, "--log"))
        *row = view_set_bool(call->view, *row, "log", true);
    if (severity)
        *row = view_set_text(call->view, *row, "severity", severity);
    if (name)
        *row = view_set_text(call->view, *row, "name", name);
    if (meter)
        *row = view_set_text(call->view, *row, "meter", meter);
    return 0;
}

static int set_label(struct ctl_call *call, const struct row **row)
{
    const char *text = ctl_option(call, "--label");
    int64_t label;
    if (!text)
        return 0;
    if (!nb_parse_integer(text, 0, UINT32_MAX, &label))
        return ctl_fail(call, "%s: label must in range 0...4294967295", text);
    const char *action = row_text(*row, "action");
    if (strcmp(action, "allow") && strcmp(action, "allow-related"))
        return ctl_fail(call, "label can only be set with actions \"allow\" or \"allow-related\"");
    *row = view_set_integer(call->view, *row, "label", label);
    return 0;
}

static int set_tier(struct ctl_call *call, const struct row **row)
{
    enum { MAX_TIER = 3 };
    const char *text = ctl_option(call, "--tier");
    int64_t tier;
    if (!text)
        return 0;
    if (!nb_parse_integer(text, 0, MAX_TIER, &tier))
        return ctl_fail(call, "%s: tier must be in range 0...3", text);
    if (!ctl_server_has(call->ctl, row_column(*row, "tier")))
        return ctl_fail(call, "--tier: the server's database has no tiers of ACLs");
    *row = view_set_integer(call->view, *row, "tier", tier);
    return 0;
}

/* OPTION names the row of table Sample for COLUMN: by uuid, or with @ a row of this transaction. */
static int set_sample(struct ctl_call *call, const char *option, const char *column,
                      const struct row **row)
{
    const char *id = ctl_option(call, option);
    const struct row *sample;
    if (!id)
        return 0;
    if (!ctl_server_has(call->ctl, row_column(*row, column)))
        return ctl_fail(call, "%s: the server's database has no samples of ACLs", option);
    int err = ctl_find_row(call, view_table(call->view, "Sample"), id, false, &sample);
    if (err)
        return err;
    char *assignment = xasprintf("%s=%s", column, id);
    if (*id == '@')
        err = ctl_assign(call, row, assignment);
    else
        *row = view_set(call->view, *row, row_column(*row, column), datum_new_uuid(&sample->uuid));
    free(assignment);
    return err;
}

static int run_acl_add(struct ctl_call *call)
{
    const struct row *owner;
    struct nb_rule rule;
    int err = find_owner(call, &owner);
    if (!err)
        err = nb_rule_parse(call, 1, &rule);
    if (!err)
        err = parse_action(call, call->argv[4]);
    if (err)
        return err;
    bool exists = nb_rule_find(call, owner, "acls", &rule) != NULL;
    const struct row *acl = nb_rule_insert(call, owner, "acls", &rule);
    acl = view_set_text(call->view, acl, "action", call->argv[4]);
    if (ctl_has_option(call, "--apply-after-lb") && *rule.direction == 'f')
        acl = view_set_key(call->view, acl, "options", "apply-after-lb", "true");
    err = set_log(call, &acl);
    if (!err)
        err = set_label(call, &acl);
    if (!err)
        err = set_tier(call, &acl);
    if (!err)
        err = set_sample(call, "--sample-new", "sample_new", &acl);
    if (!err)
        err = set_sample(call, "--sample-est", "sample_est", &acl);
    if (err || !exists)
        return err;
    if (!ctl_has_option(call, "--may-exist"))
        return ctl_fail(call, "Same ACL already existed on the ls %s.", call->argv[0]);
    nb_delete_from(call, owner, "acls", acl);
    return 0;
}

/* ---- acl-del, acl-list ---- */

static int run_acl_del(struct ctl_call *call)
{
    const struct row *owner;
    struct nb_rule rule;
    int err = find_owner(call, &owner);
    if (!err)
        err = nb_rule_parse(call, 1, &rule);
    if (!err)
        nb_rule_delete(call, owner, "acls", &rule);
    return err;
}

/* The value of an optional string, or NULL. */
static const char *optional_text(const struct row *row, const char *column)
{
    return row_value(row, column)->n ? row_text(row, column) : NULL;
}

static void put_acl(struct ctl_call *call, const struct row *acl)
{
    struct str *out = &call->out;
    str_putf(out, "%10s %5lld (%s) %s", row_text(acl, "direction"),
             (long long)row_integer(acl, "priority", 0), row_text(acl, "match"),
             row_text(acl, "action"));
    if (row_bool(acl, "log", false)) {
        const char *name = optional_text(acl, "name"), *meter = optional_text(acl, "meter");
        str_put(out, " log(");
        if (name)
            str_putf(out, "name=%s,", name);
        if (optional_text(acl, "severity"))
            str_putf(out, "severity=%s,", row_text(acl, "severity"));
        if (meter)
            str_putf(out, "meter=\"%s\",", meter);
        (void)str_chomp(out, ",");
        str_putc(out, ')');
    }
    if (row_integer(acl, "label", 0))
        str_putf(out, " label=%lld", (long long)row_integer(acl, "label", 0));
    if (row_integer(acl, "tier", 0))
        str_putf(out, " tier=%lld", (long long)row_integer(acl, "tier", 0));
    const char *after = row_map_text(acl, "options", "apply-after-lb");
    if (after && !strcmp(after, "true"))
        str_put(out, " [after-lb]");
    str_putc(out, '\n');
}

/* Rules that are applied after load balancing come after the others of their direction. */
static bool is_after_lb(const struct row *acl)
{
    const char *after = row_map_text(acl, "options", "apply-after-lb");
    return after && !strcmp(after, "true");
}

static int run_acl_list(struct ctl_call *call)
{
    const struct row *owner;
    int err = find_owner(call, &owner);
    if (err)
        return err;
    struct row_list acls = nb_rules(call, owner, "acls");
    for (int pass = 0; pass < 3; pass++)
        for (size_t i = 0; i < acls.n; i++) {
            bool from = *row_text(acls.rows[i], "direction") == 'f';
            if (pass == (from ? is_after_lb(acls.rows[i]) : 2))
                put_acl(call, acls.rows[i]);
        }
    row_list_fini(&acls);
    return 0;
}

const struct ctl_command nb_acl_commands[] = {
    {.help = "ACL commands"},
    {"acl-add", 5, 6, "SWITCH|PORTGROUP DIRECTION PRIORITY MATCH ACTION",
     "--log,--may-exist,--type=,--name=,--severity=,--meter=,--label=,--apply-after-lb,--tier=,"
     "--sample-new=,--sample-est=",
     ACL_ADD_TABLES, NULL, run_acl_add, "add an ACL: allow, allow-related, drop, reject ..."},
    {"acl-del", 1, 4, "SWITCH|PORTGROUP [DIRECTION [PRIORITY MATCH]]", "--type=", ACL_TABLES, NULL,
     run_acl_del, "delete ACLs"},
    {"acl-list", 1, 1, "SWITCH|PORTGROUP", "--type=", ACL_TABLES, NULL, run_acl_list,
     "print the ACLs of a switch or port group"},
    {0},
};
