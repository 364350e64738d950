/* mirror.c - mirror-*: copies of a port's traffic through a tunnel. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "tools/nbctl/nbctl.h"

#define MIRROR_TABLES "Mirror"
#define ATTACH_TABLES MIRROR_TABLES " Logical_Switch_Port"

static int run_add(struct ctl_call *call)
{
    char **argv = call->argv;
    const struct row *mirror;
    const char *filter;
    int64_t index;
    int err = nb_find(call, &nb_mirror, argv[0], false, &mirror);
    if (err)
        return err;
    if (mirror)
        return ctl_fail(call, "Mirror with %s name already exists.", argv[0]);
    if (strcmp(argv[1], "gre") && strcmp(argv[1], "erspan"))
        return ctl_fail(call, "%s: type must be \"gre\" or \"erspan\"", argv[1]);
    if (text_to_i64(argv[2], 10, &index))
        return ctl_fail(call, "Invalid Index");
    err = nb_parse_direction(call, "selection", argv[3], &filter);
    if (err)
        return err;
    char *sink = nb_normal_address(argv[4], 0);
    if (!sink)
        return ctl_fail(call, "Invalid sink ip: %s", argv[4]);
    mirror = view_insert(call->view, view_table(call->view, "Mirror"));
    mirror = view_set_text(call->view, mirror, "name", argv[0]);
    mirror = view_set_text(call->view, mirror, "type", argv[1]);
    mirror = view_set_integer(call->view, mirror, "index", index);
    mirror = view_set_text(call->view, mirror, "filter", filter);
    view_set_text(call->view, mirror, "sink", argv[4]);
    free(sink);
    return 0;
}

static int run_del(struct ctl_call *call)
{
    struct row_list rows = call->argc ? nb_find_all(call, &nb_mirror, call->argv[0])
                                      : view_any_rows(call->view, view_table(call->view, "Mirror"));
    for (size_t i = 0; i < rows.n; i++)
        view_delete(call->view, rows.rows[i]);
    row_list_fini(&rows);
    return 0;
}

static int run_list(struct ctl_call *call)
{
    struct row_list rows = view_rows(call->view, view_table(call->view, "Mirror"));
    for (size_t i = 0; i < rows.n; i++) {
        const struct row *m = rows.rows[i];
        str_putf(
            &call->out,
            "%s:\n  Type     :  %s\n  Sink     :  %s\n  Filter   :  %s\n  Index/Key:  %lld\n\n",
            row_text(m, "name"), row_text(m, "type"), row_text(m, "sink"), row_text(m, "filter"),
            (long long)row_integer(m, "index", 0));
    }
    row_list_fini(&rows);
    return 0;
}

static int find_both(struct ctl_call *call, const struct row **port, const struct row **mirror)
{
    int err = nb_find(call, &nb_port, call->argv[0], true, port);
    return err ? err : nb_find(call, &nb_mirror, call->argv[1], true, mirror);
}

static int run_attach(struct ctl_call *call)
{
    const struct row *port, *mirror;
    int err = find_both(call, &port, &mirror);
    if (err)
        return err;
    if (!row_refers_to(port, "mirror_rules", &mirror->uuid))
        view_add_ref(call->view, port, "mirror_rules", mirror);
    else if (!ctl_has_option(call, "--may-exist"))
        return ctl_fail(call, "mirror %s is already attached to the logical port %s.",
                        call->argv[1], call->argv[0]);
    return 0;
}

static int run_detach(struct ctl_call *call)
{
    const struct row *port, *mirror;
    int err = find_both(call, &port, &mirror);
    if (!err && row_refers_to(port, "mirror_rules", &mirror->uuid))
        view_remove_ref(call->view, port, "mirror_rules", &mirror->uuid);
    return err;
}

const struct ctl_command nb_mirror_commands[] = {
    {.help = "Mirror commands"},
    {"mirror-add", 5, 5, "NAME TYPE INDEX FILTER IP", NULL, MIRROR_TABLES, NULL, run_add,
     "a new mirror: gre or erspan, its key, to-lport or from-lport, where to"},
    {"mirror-del", 0, 1, "[NAME]", NULL, MIRROR_TABLES, NULL, run_del, "delete a mirror or all"},
    {"mirror-list", 0, 0, "", NULL, MIRROR_TABLES, NULL, run_list, "print all mirrors"},
    {"lsp-attach-mirror", 2, 2, "PORT MIRROR", "--may-exist", ATTACH_TABLES, NULL, run_attach,
     "mirror the traffic of PORT"},
    {"lsp-detach-mirror", 2, 2, "PORT MIRROR", NULL, ATTACH_TABLES, NULL, run_detach,
     "mirror the traffic of PORT no more"},
    {0},
};
