/* connection.c - commands for where the database's server listens, and its TLS settings: for programs
 * whose database has a root table (ctl_program.root) with columns "connections" and "ssl". */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "ctl/ctl_internal.h"
#include "io/target.h"

static const struct row *root(struct ctl_call *call)
{
    struct row_list rows = view_rows(call->view, view_table(call->view, call->ctl->program->root));
    INVARIANT(rows.n > 0);
    const struct row *row = rows.rows[0];
    row_list_fini(&rows);
    return row;
}

static int compare_targets(const void *a, const void *b)
{
    return strcmp(row_text(*(const struct row *const *)a, "target"),
                  row_text(*(const struct row *const *)b, "target"));
}

/* Roles and read-only connections are the southbound database's. */
static bool has_roles(const struct ctl_call *call)
{
    const struct schema_table *table = view_table(call->view, "Connection");
    return schema_column_find(table, "role") && schema_column_find(table, "read_only");
}

static void put_connection(struct ctl_call *call, const struct row *row)
{
    if (has_roles(call))
        str_putf(&call->out, "%s role=\"%s\" ",
                 row_bool(row, "read_only", false) ? "read-only" : "read-write",
                 row_text(row, "role"));
    str_putf(&call->out, "%s\n", row_text(row, "target"));
}

static int run_get_connection(struct ctl_call *call)
{
    struct row_list rows = view_referenced(call->view, root(call), "connections");
    if (rows.n)
        qsort(rows.rows, rows.n, sizeof *rows.rows, compare_targets);
    for (size_t i = 0; i < rows.n; i++)
        put_connection(call, rows.rows[i]);
    row_list_fini(&rows);
    return 0;
}

static int run_del_connection(struct ctl_call *call)
{
    struct row_list rows = view_referenced(call->view, root(call), "connections");
    view_clear(call->view, root(call), "connections");
    for (size_t i = 0; i < rows.n; i++)
        view_delete(call->view, rows.rows[i]);
    row_list_fini(&rows);
    return 0;
}

/* TARGETs, with "read-only", "read-write" and "role=ROLE" between them for those that follow. */
static int run_set_connection(struct ctl_call *call)
{
    const char *probe = ctl_option(call, "--inactivity-probe"), *role = "";
    const char *module = strchr(call->ctl->program->name, '-') + 1; /* "weft-nbctl" */
    int64_t probe_ms = 0;
    bool read_only = false;
    if (probe && (text_to_i64(probe, 10, &probe_ms) || probe_ms < 0))
        return ctl_fail(call, "%s: invalid inactivity probe value", probe);
    int err = run_del_connection(call);
    for (int i = 0; !err && i < call->argc; i++) {
        const char *word = call->argv[i];
        if (has_roles(call) && (!strcmp(word, "read-only") || !strcmp(word, "read-write"))) {
            read_only = !strcmp(word, "read-only");
            continue;
        }
        if (has_roles(call) && text_starts_with(word, "role=")) {
            role = word + strlen("role=");
            continue;
        }
        if (!target_is_active(word) && !target_is_passive(word))
            ctl_warn(call, module, "target type \"%.*s\" is possibly erroneous",
                     (int)strcspn(word, ":"), word);
        const struct row *row = view_insert(call->view, view_table(call->view, "Connection"));
        row = view_set_text(call->view, row, "target", word);
        if (has_roles(call)) {
            row = view_set_text(call->view, row, "role", role);
            row = view_set_bool(call->view, row, "read_only", read_only);
        }
        if (probe)
            row = view_set_integer(call->view, row, "inactivity_probe", probe_ms);
        view_add_ref(call->view, root(call), "connections", row);
    }
    return err;
}

static int run_get_ssl(struct ctl_call *call)
{
    struct row_list rows = view_referenced(call->view, root(call), "ssl");
    if (rows.n)
        str_putf(&call->out,
                 "Private key: %s\nCertificate: %s\nCA Certificate: %s\nBootstrap: %s\n",
                 row_text(rows.rows[0], "private_key"), row_text(rows.rows[0], "certificate"),
                 row_text(rows.rows[0], "ca_cert"),
                 row_bool(rows.rows[0], "bootstrap_ca_cert", false) ? "true" : "false");
    row_list_fini(&rows);
    return 0;
}

static int run_del_ssl(struct ctl_call *call)
{
    struct row_list rows = view_referenced(call->view, root(call), "ssl");
    view_clear(call->view, root(call), "ssl");
    for (size_t i = 0; i < rows.n; i++)
        view_delete(call->view, rows.rows[i]);
    row_list_fini(&rows);
    return 0;
}

static int run_set_ssl(struct ctl_call *call)
{
    static const char *const columns[] = {"private_key", "certificate", "ca_cert", "ssl_protocols",
                                          "ssl_ciphers"};
    int err = run_del_ssl(call);
    const struct row *ssl = view_insert(call->view, view_table(call->view, "SSL"));
    for (int i = 0; i < call->argc; i++)
        ssl = view_set_text(call->view, ssl, columns[i], call->argv[i]);
    ssl = view_set_bool(call->view, ssl, "bootstrap_ca_cert", ctl_has_option(call, "--bootstrap"));
    view_set(call->view, root(call), row_column(root(call), "ssl"), datum_new_uuid(&ssl->uuid));
    return err;
}

static int prepare_root(struct ctl_call *call)
{
    ctl_need(call->ctl, schema_table_find(call->ctl->schema, call->ctl->program->root));
    return 0;
}

const struct ctl_command ctl_connection_commands[] = {
    {.help = "Connection commands"},
    {"get-connection", 0, 0, "", NULL, "Connection", prepare_root, run_get_connection,
     "print where the server listens"},
    {"del-connection", 0, 0, "", NULL, "Connection", prepare_root, run_del_connection,
     "stop listening where set-connection said"},
    {"set-connection", 1, CTL_ANY, "[read-only|read-write] [role=ROLE] TARGET...",
     "--inactivity-probe=", "Connection", prepare_root, run_set_connection,
     "let the server listen on TARGETs (ptcp:6642)"},
    {.help = "SSL commands"},
    {"get-ssl", 0, 0, "", NULL, "SSL", prepare_root, run_get_ssl, "print the SSL configuration"},
    {"del-ssl", 0, 0, "", NULL, "SSL", prepare_root, run_del_ssl, "delete the SSL configuration"},
    {"set-ssl", 3, 5, "PRIVATE-KEY CERTIFICATE CA-CERT [PROTOCOLS [CIPHERS]]", "--bootstrap", "SSL",
     prepare_root, run_set_ssl, "set the SSL configuration"},
    {0},
};
