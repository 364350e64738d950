/* switchd.c - options, database and life of weft-switchd; see switchd.h. */
#include "switchd/switchd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/log.h"
#include "localdb/local_source.h"
#include "ovsdb/client/source.h"
#include "ovsdb/server/server.h"
#include "rows/ovs.h"
#include "store/store.h"
#include "switchd/heap.h"
#include "switchd/port/linkwatch.h"

LOG_MODULE(switchd);

enum { HEALTH_MS = 2000 };
enum option_id { OPT_DB = 1, OPT_REMOTE, OPT_ENABLE_DUMMY, OPT_IGNORED };

static const struct option_spec option_table[] = {
    OPTION_HEADING("Options"),
    {OPT_DB, 0, "db", "FILE",
     "host the database in FILE (made if it is not there) and serve it at\n"
     "RUNDIR/db.sock; the default is DBDIR/conf.db unless DATABASE is given"},
    {OPT_REMOTE, 0, "remote", "REMOTE",
     "serve the hosted database there too (punix:, ptcp:, pssl:, db:)"},
    {OPT_ENABLE_DUMMY, 0, "enable-dummy", "[override]",
     "for tests: commands that move the clock; with override, ports of types system, "
     "internal and tap are dummies"},
    {OPT_IGNORED, 0, "mlockall", NULL, NULL},
    {OPT_IGNORED, 0, "no-mlockall", NULL, NULL},
    {OPT_IGNORED, 0, "disable-system", NULL, NULL},
    {OPT_IGNORED, 0, "disable-system-route", NULL, NULL},
    OPTION_END,
};

static int set_option(void *sw_, int id, const char *arg, struct diag *diag)
{
    struct switchd *sw = sw_;
    switch (id) {
    case OPT_DB:
        free(sw->db_file);
        sw->db_file = xstrdup(arg);
        break;
    case OPT_REMOTE:
        vec_push(&sw->remotes, xstrdup(arg));
        break;
    case OPT_ENABLE_DUMMY:
        if (arg && strcmp(arg, "override") && strcmp(arg, "system"))
            return diag_set(diag, ERR_INVALID, "--enable-dummy: unknown value \"%s\"", arg);
        sw->dummy = true;
        sw->dummy_override = arg != NULL;
        break;
    default:
        break;
    }
    return 0;
}

static int set_args(void *sw_, int n, char **args, struct diag *diag)
{
    struct switchd *sw = sw_;
    if (n > 1)
        return diag_set(diag, ERR_INVALID,
                        "at most one non-option argument accepted; use --help for "
                        "usage");
    if (n == 1)
        sw->db_remote = xstrdup(args[0]);
    return 0;
}

/* ---- the database ---- */

/* Packets do not wait for the disk. */
static bool is_busy(void *sw UNUSED)
{
    return true;
}

static int host_database(struct switchd *sw, struct diag *diag)
{
    struct daemon *daemon = sw->daemon;
    struct store_options options = {.env = daemon_env(daemon),
                                    .path = sw->db_file,
                                    .schema_text = ovs_schema_text,
                                    .create = true};
    int err = store_open(&options, &sw->store, diag);
    if (err)
        return err;
    sw->schema = ovs_schema_new();
    bool same = !strcmp(store_schema(sw->store)->text, sw->schema->text);
    schema_free(sw->schema);
    sw->schema = NULL;
    if (!same)
        return diag_set(
            diag, ERR_UNSUPPORTED, "%s: its schema (%s %s) is not this program's; convert it first",
            sw->db_file, store_schema(sw->store)->name, store_schema(sw->store)->version);
    struct ovsdb_server_options server = {
        .stream = {.rundir = daemon_rundir(daemon), .tls = daemon_tls(daemon)},
        .resume = true,
        .is_busy = is_busy,
        .disk_changed = daemon_log_disk,
        .tls_changed = daemon_log_tls};
    sw->server = ovsdb_server_new(daemon_loop(daemon), &server);
    err = ovsdb_server_add_db(sw->server, sw->store, diag);
    if (!err && !daemon_tls(daemon))
        ovsdb_server_follow_ssl_table(sw->server, store_schema(sw->store)->name);
    char *socket = xasprintf("punix:%s/db.sock", daemon_rundir(daemon));
    if (!err)
        err = ovsdb_server_add_remote(sw->server, socket, diag);
    if (!err)
        err = ovsdb_server_add_remote(sw->server, "db:Open_vSwitch,Open_vSwitch,manager_options",
                                      diag);
    free(socket);
    for (size_t i = 0; i < sw->remotes.n && !err; i++)
        err = ovsdb_server_add_remote(sw->server, sw->remotes.data[i], diag);
    if (err)
        return err;
    struct replica_options replica = {.env = daemon_env(daemon), .schema = store_schema(sw->store)};
    sw->replica = replica_new(&replica, local_source_new(sw->store));
    log_info("%s: serving database %s %s", sw->db_file, store_schema(sw->store)->name,
             store_schema(sw->store)->version);
    return 0;
}

/* Says why a database elsewhere cannot be reached. */
static void on_health(void *sw_)
{
    static struct log_rate rate = LOG_RATE(12, 4);
    struct switchd *sw = sw_;
    unsigned n = ovsdb_client_source_failures(sw->source);
    if (n != sw->failures && !replica_is_connected(sw->replica))
        log_warn_limited(&rate, "database at %s: %s", ovsdb_client_source_remote(sw->source),
                         ovsdb_client_source_error(sw->source));
    sw->failures = n;
    timer_start_ms(&sw->health, HEALTH_MS);
}

static int use_database(struct switchd *sw, struct diag *diag)
{
    struct daemon *daemon = sw->daemon;
    for (const char *p = sw->db_remote; p; p = strchr(p, ',')) {
        p += *p == ',';
        if (!target_is_active(p))
            return diag_set(diag, ERR_SYNTAX,
                            "database \"%s\" is not of the form unix:PATH, tcp:IP:PORT or "
                            "ssl:IP:PORT",
                            p);
    }
    sw->schema = ovs_schema_new();
    sw->source = ovsdb_client_source_new(daemon_loop(daemon), sw->db_remote);
    struct stream_options stream = {.rundir = daemon_rundir(daemon), .tls = daemon_tls(daemon)};
    ovsdb_client_source_set_stream(sw->source, &stream);
    struct replica_options replica = {.env = daemon_env(daemon), .schema = sw->schema};
    sw->replica = replica_new(&replica, sw->source);
    replica_set_lock(sw->replica, "ovs_vswitchd");
    timer_init(&sw->health, daemon_loop(daemon), on_health, sw);
    timer_start_ms(&sw->health, HEALTH_MS);
    return 0;
}

/* Where the database is when nothing was said. */
static void default_database(struct switchd *sw)
{
    if (sw->db_file || sw->db_remote)
        return;
    if (daemon_has_peer_name(sw->daemon)) {
        sw->db_remote = xasprintf("unix:%s/db.sock", daemon_rundir(sw->daemon));
        return;
    }
    const char *dir = daemon_dbdir(sw->daemon);
    if (mkdir(dir, 0755) < 0 && errno != EEXIST)
        log_dbg("%s: %s", dir, strerror(errno));
    sw->db_file = xasprintf("%s/conf.db", dir);
}

/* ---- start and stop ---- */

static void on_tick(void *sw_)
{
    struct switchd *sw = sw_;
    config_tick(&sw->config);
}

static void on_port(void *sw_, const char *name)
{
    struct switchd *sw = sw_;
    config_device_changed(&sw->config, name);
}

static void on_link_changed(void *sw_, const char *name)
{
    struct switchd *sw = sw_;
    bool is_ours = port_refresh_device(&sw->vs, name);
    if (is_ours && name)
        config_device_changed(&sw->config, name);
    else
        sw->links_changed |= is_ours || sw->config.errors.n;
}

/* Devices that are nobody's port come and go by the hundred where containers do. */
static void on_links_settled(void *sw_)
{
    struct switchd *sw = sw_;
    if (!sw->links_changed)
        return;
    sw->links_changed = false;
    sw->config.links_changed = sw->config.errors.n > 0;
    config_tick(&sw->config);
}

static void put_memory(void *sw_, struct str *out)
{
    const struct switchd *sw = sw_;
    size_t rules = 0, ports = 0;
    const struct bridge *br;
    LIST_FOR_EACH (br, node, &sw->vs.bridges) {
        rules += br->tables.n_rules;
        ports += br->ports.n;
    }
    str_putf(out, "ports:%zu rules:%zu ", ports, rules);
    if (sw->server)
        ovsdb_server_put_memory(sw->server, out);
}

static int start(void *sw_, struct daemon *daemon, bool *ready, struct diag *diag)
{
    (void)ready;
    struct switchd *sw = sw_;
    sw->daemon = daemon;
    default_database(sw);
    if (sw->db_file && sw->db_remote)
        return diag_set(diag, ERR_INVALID, "--db=FILE and a remote database exclude each other");
    vswitch_init(&sw->vs, daemon_loop(daemon), daemon_counters(daemon), daemon_rundir(daemon));
    if (daemon_tls(daemon))
        sw->vs.tls = daemon_tls(daemon);
    sw->vs.host.dummy_override = sw->dummy_override;
    sw->vs.host.wire = sw->wire;
    sw->switching = true;
    int err = sw->db_file ? host_database(sw, diag) : use_database(sw, diag);
    if (err)
        return err;
    config_init(&sw->config, &sw->vs, sw->replica,
                sw->store ? store_schema(sw->store) : sw->schema);
    sw->configured = true;
    sw->vs.on_tick = on_tick;
    sw->vs.on_port = on_port;
    sw->vs.tick_aux = sw;
    if (!sw->dummy_override) /* nothing is the kernel's then */
        sw->links =
            linkwatch_new(daemon_loop(daemon),
                          &(struct linkwatch_callbacks){on_link_changed, on_links_settled}, sw);
    appctl_register(daemon_unixctl(daemon), &sw->vs);
    ct_appctl_register(daemon_unixctl(daemon), &sw->vs);
    ipf_appctl_register(daemon_unixctl(daemon), &sw->vs);
    port_appctl_register(daemon_unixctl(daemon), &sw->vs);
    underlay_appctl_register(daemon_unixctl(daemon), &sw->vs);
    if (sw->dummy)
        test_clock_init(&sw->clock, &sw->vs, daemon_unixctl(daemon));
    trace_register(daemon_unixctl(daemon), &sw->vs);
    unixctl_add_memory(daemon_unixctl(daemon), put_memory, sw);
    return 0;
}

static void stop(void *sw_)
{
    struct switchd *sw = sw_;
    linkwatch_free(sw->links);
    if (sw->replica && sw->source)
        timer_stop(&sw->health);
    if (sw->configured)
        config_fini(&sw->config);
    if (sw->switching)
        vswitch_fini(&sw->vs);
    if (sw->replica)
        replica_free(sw->replica);
    if (sw->server)
        ovsdb_server_free(sw->server);
    if (sw->store)
        store_close(sw->store);
    schema_free(sw->schema);
    for (size_t i = 0; i < sw->remotes.n; i++)
        free(sw->remotes.data[i]);
    vec_fini(&sw->remotes);
    free(sw->db_file);
    free(sw->db_remote);
}

const struct daemon_spec switchd_spec = {
    .name = "weft-switchd",
    .peer_name = "ovs-vswitchd",
    .side = RUNDIR_OVS,
    .usage = "[DATABASE]",
    .summary = "An OpenFlow switch. DATABASE is the OVSDB server that configures it (unix:, tcp:, "
               "ssl:); without it the switch hosts its database itself.",
    .options = option_table,
    .is_datapath = true,
    .set_option = set_option,
    .set_args = set_args,
    .start = start,
    .stop = stop,
};

int switchd_main(int argc, char **argv)
{
    struct switchd sw;
    memset(&sw, 0, sizeof sw);
    heap_init();
    return daemon_main(argc, argv, &switchd_spec, &sw);
}
