/* ssl.c - the TLS settings in the database, and emer-reset. */
#include <string.h>

#include "base/err.h"
#include "tools/vsctl/vsctl.h"

#define SSL_TABLES "Open_vSwitch SSL"
#define RESET_TABLES                                                                               \
    VS_TABLES " Controller Manager SSL Mirror NetFlow sFlow IPFIX Flow_Sample_Collector_Set"

static int run_get_ssl(struct ctl_call *call)
{
    struct row_list rows = view_referenced(call->view, vs_root(call), "ssl");
    if (rows.n) {
        const struct row *ssl = rows.rows[0];
        str_putf(
            &call->out, "Private key: %s\nCertificate: %s\nCA Certificate: %s\nBootstrap: %s\n",
            row_text(ssl, "private_key"), row_text(ssl, "certificate"), row_text(ssl, "ca_cert"),
            row_bool(ssl, "bootstrap_ca_cert", false) ? "true" : "false");
    }
    row_list_fini(&rows);
    return 0;
}

static int run_del_ssl(struct ctl_call *call)
{
    struct row_list rows = view_referenced(call->view, vs_root(call), "ssl");
    view_clear(call->view, vs_root(call), "ssl");
    for (size_t i = 0; i < rows.n; i++)
        view_delete(call->view, rows.rows[i]);
    row_list_fini(&rows);
    return 0;
}

static int run_set_ssl(struct ctl_call *call)
{
    int err = run_del_ssl(call);
    const struct row *ssl = view_insert(call->view, view_table(call->view, "SSL"));
    ssl = view_set_text(call->view, ssl, "private_key", call->argv[0]);
    ssl = view_set_text(call->view, ssl, "certificate", call->argv[1]);
    ssl = view_set_text(call->view, ssl, "ca_cert", call->argv[2]);
    ssl = view_set_bool(call->view, ssl, "bootstrap_ca_cert", ctl_has_option(call, "--bootstrap"));
    view_set(call->view, vs_root(call), row_column(vs_root(call), "ssl"),
             datum_new_uuid(&ssl->uuid));
    return err;
}

/* ---- emer-reset ---- */

static void clear_columns(struct ctl_call *call, const struct row *row, const char *const *columns)
{
    for (; *columns; columns++)
        row = view_clear(call->view, row, *columns);
}

static void keep_hwaddr(struct ctl_call *call, const struct row *row)
{
    const char *hwaddr = row_map_text(row, "other_config", "hwaddr");
    const struct row *cleared = view_clear(call->view, row, "other_config");
    if (hwaddr)
        view_set_key(call->view, cleared, "other_config", "hwaddr", hwaddr);
}

static void delete_all(struct ctl_call *call, const char *table)
{
    struct row_list rows = view_rows(call->view, view_table(call->view, table));
    for (size_t i = 0; i < rows.n; i++)
        view_delete(call->view, rows.rows[i]);
    row_list_fini(&rows);
}

static void reset_rows(struct ctl_call *call, const char *table, const char *const *columns,
                       bool has_config)
{
    struct row_list rows = view_rows(call->view, view_table(call->view, table));
    for (size_t i = 0; i < rows.n; i++) {
        if (has_config)
            keep_hwaddr(call, rows.rows[i]);
        clear_columns(call, rows.rows[i], columns);
    }
    row_list_fini(&rows);
}

static int run_emer_reset(struct ctl_call *call)
{
    static const char *const root[] = {"manager_options", "ssl", NULL};
    static const char *const bridge[] = {"controller", "fail_mode", "mirrors",   "netflow",
                                         "sflow",      "ipfix",     "protocols", NULL};
    static const char *const port[] = {NULL};
    static const char *const interface[] = {"ingress_policing_rate", "ingress_policing_burst",
                                            NULL};
    static const char *const doomed[] = {
        "Controller", "Manager", "SSL",   "Mirror",
        "NetFlow",    "sFlow",   "IPFIX", "Flow_Sample_Collector_Set"};
    clear_columns(call, vs_root(call), root);
    reset_rows(call, "Bridge", bridge, true);
    reset_rows(call, "Port", port, true);
    reset_rows(call, "Interface", interface, false);
    for (size_t i = 0; i < ARRAY_SIZE(doomed); i++)
        delete_all(call, doomed[i]);
    return 0;
}

const struct ctl_command vs_ssl_commands[] = {
    {.help = "SSL commands"},
    {"get-ssl", 0, 0, "", NULL, SSL_TABLES, NULL, run_get_ssl, "print the SSL configuration"},
    {"del-ssl", 0, 0, "", NULL, SSL_TABLES, NULL, run_del_ssl, "delete the SSL configuration"},
    {"set-ssl", 3, 3, "PRIVATE-KEY CERTIFICATE CA-CERT", "--bootstrap", SSL_TABLES, NULL,
     run_set_ssl, "set the SSL configuration"},
    {.help = "Switch commands"},
    {"emer-reset", 0, 0, "", NULL, RESET_TABLES, NULL, run_emer_reset,
     "remove controllers, managers, mirrors and the like: a known good state"},
    {0},
};
