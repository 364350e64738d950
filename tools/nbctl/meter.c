/* meter.c - meter-*: rate limits that ACL logs and control plane protection refer to by name. */
#include <string.h>

#include "base/err.h"
#include "tools/nbctl/nbctl.h"

#define METER_TABLES "Meter Meter_Band"

static const struct row *find_meter(struct ctl_call *call, const char *name)
{
    struct row_list rows = view_by_name(call->view, view_table(call->view, "Meter"), name);
    const struct row *meter = rows.n ? rows.rows[0] : NULL;
    row_list_fini(&rows);
    return meter;
}

static int run_meter_add(struct ctl_call *call)
{
    const char *name = call->argv[0], *unit = call->argv[3];
    int64_t rate, burst = 0;
    if (find_meter(call, name)) {
        if (ctl_has_option(call, "--may-exist"))
            return 0;
        return ctl_fail(call, "meter with name \"%s\" already exists", name);
    }
    if (text_starts_with(name, "__"))
        return ctl_fail(call, "meter names that begin with \"__\" are reserved");
    if (strcmp(call->argv[1], "drop"))
        return ctl_fail(call, "action must be \"drop\"");
    if (!nb_parse_integer(call->argv[2], 1, UINT32_MAX, &rate))
        return ctl_fail(call, "rate must be in the range 1...4294967295");
    if (strcmp(unit, "kbps") && strcmp(unit, "pktps"))
        return ctl_fail(call, "unit must be \"kbps\" or \"pktps\"");
    if (call->argc > 4 && !nb_parse_integer(call->argv[4], 0, UINT32_MAX, &burst))
        return ctl_fail(call, "burst must be in the range 0...4294967295");
    const struct row *meter = view_insert(call->view, view_table(call->view, "Meter"));
    meter = view_set_text(call->view, meter, "name", name);
    meter = view_set_text(call->view, meter, "unit", unit);
    if (ctl_has_option(call, "--fair"))
        meter = view_set_bool(call->view, meter, "fair", true);
    const struct row *band = nb_insert_into(call, meter, "bands");
    band = view_set_text(call->view, band, "action", "drop");
    band = view_set_integer(call->view, band, "rate", rate);
    view_set_integer(call->view, band, "burst_size", burst);
    return 0;
}

static int run_meter_del(struct ctl_call *call)
{
    if (call->argc) {
        const struct row *meter = find_meter(call, call->argv[0]);
        if (meter)
            nb_delete_with(call, meter, "bands");
        return 0;
    }
    struct row_list rows = view_any_rows(call->view, view_table(call->view, "Meter"));
    for (size_t i = 0; i < rows.n; i++)
        nb_delete_with(call, rows.rows[i], "bands");
    row_list_fini(&rows);
    return 0;
}

static void put_meter(struct ctl_call *call, const struct row *meter)
{
    const char *unit = row_text(meter, "unit");
    str_putf(&call->out, "%s:%s bands:\n", row_text(meter, "name"),
             row_bool(meter, "fair", false) ? " (fair)" : "");
    struct row_list bands = view_referenced(call->view, meter, "bands");
    for (size_t i = 0; i < bands.n; i++) {
        const struct row *band = bands.rows[i];
        int64_t burst = row_integer(band, "burst_size", 0);
        str_putf(&call->out, "  %s: %lld %s", row_text(band, "action"),
                 (long long)row_integer(band, "rate", 0), unit);
        if (burst)
            str_putf(&call->out, ", %lld %s burst", (long long)burst,
                     strcmp(unit, "kbps") ? "packet" : "kb");
        str_putc(&call->out, '\n');
    }
    row_list_fini(&bands);
}

static int run_meter_list(struct ctl_call *call)
{
    struct row_list rows = view_rows(call->view, view_table(call->view, "Meter"));
    for (size_t i = 0; i < rows.n; i++)
        put_meter(call, rows.rows[i]);
    row_list_fini(&rows);
    return 0;
}

const struct ctl_command nb_meter_commands[] = {
    {.help = "Meter commands"},
    {"meter-add", 4, 5, "NAME ACTION RATE UNIT [BURST]", "--fair,--may-exist", METER_TABLES, NULL,
     run_meter_add, "add a meter: drop above RATE (kbps or pktps)"},
    {"meter-del", 0, 1, "[NAME]", NULL, METER_TABLES, NULL, run_meter_del, "delete a meter or all"},
    {"meter-list", 0, 0, "", NULL, METER_TABLES, NULL, run_meter_list, "print all meters"},
    {0},
};
