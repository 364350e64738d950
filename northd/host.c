/* host.c - see host.h. Turns options into stores, servers, replicas and a northd, and lets the loop drive it. */
#include "northd/host.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/log.h"
#include "base/vec.h"
#include "daemon/memory_ahead.h"
#include "localdb/local_source.h"
#include "northd/control.h"
#include "northd/cost/cost.h"
#include "northd/judge.h"
#include "northd/northd.h"
#include "ovsdb/client/source.h"
#include "ovsdb/server/server.h"
#include "rows/nb.h"
#include "rows/sb.h"

LOG_MODULE(northd_host);

enum { SLICE = 2000, HEALTH_MS = 2000 };

/* One of the two databases: hosted here, or at a server elsewhere. */
struct db {
    const char *what, *file_name, *socket_name,
        *columns; /* columns: whose Connection rows are served too */
    struct schema *schema;
    char *path, *remote;
    VEC(char *) listen;
    struct store *store;
    struct ovsdb_server *server;
    struct replica_source *source; /* remote only; the replica's */
    unsigned failures;             /* of its connection, those said already */
    struct replica *replica;
};

struct host {
    struct db nb, sb;
    bool verify, paused, is_remote;
    struct loop *loop;
    struct northd *northd;
    struct deferred work;
    struct timer retry, health;
    struct control *control;
    struct judge *judge;        /* of NB hosted here */
    struct memory_ahead *ahead; /* until it has come to rest for the first time */
};

enum {
    OPT_NB = 1000,
    OPT_SB,
    OPT_NB_FILE,
    OPT_SB_FILE,
    OPT_NB_REMOTE,
    OPT_SB_REMOTE,
    OPT_VERIFY,
    OPT_DRY_RUN,
    OPT_THREADS
};

static const struct option_spec options[] = {
    OPTION_HEADING("Databases hosted here (the default)"),
    {OPT_NB_FILE, 0, "nb-file", "FILE",
     "northbound database (default: nb.db in the database directory)"},
    {OPT_SB_FILE, 0, "sb-file", "FILE",
     "southbound database (default: sb.db in the database directory)"},
    {OPT_NB_REMOTE, 0, "nb-remote", "REMOTE",
     "serve the northbound database at REMOTE too (may be repeated)"},
    {OPT_SB_REMOTE, 0, "sb-remote", "REMOTE",
     "serve the southbound database at REMOTE too (may be repeated)"},
    OPTION_HEADING("Databases elsewhere"),
    {OPT_NB, 0, "ovnnb-db", "REMOTE", "connect to the northbound database at REMOTE"},
    {OPT_SB, 0, "ovnsb-db", "REMOTE", "connect to the southbound database at REMOTE"},
    {OPT_NB, 0, "nb", "REMOTE", "the same as --ovnnb-db"},
    {OPT_SB, 0, "sb", "REMOTE", "the same as --ovnsb-db"},
    OPTION_HEADING("Compiler"),
    {OPT_VERIFY, 0, "verify", NULL,
     "compute everything anew after each change, compare, and abort on a difference"},
    {OPT_DRY_RUN, 0, "dry-run", NULL, "start paused: compute, but write nothing until \"resume\""},
    {OPT_THREADS, 0, "n-threads", "N", NULL},
    OPTION_END,
};

static void replace(char **slot, const char *text)
{
    free(*slot);
    *slot = xstrdup(text);
}

/* Takes remotes, separated by commas, to connect to. */
static int set_remote(char **slot, const char *arg, struct diag *diag)
{
    for (const char *p = arg; p; p = strchr(p, ',')) {
        p += *p == ',';
        if (!target_is_active(p))
            return diag_set(diag, ERR_SYNTAX,
                            "%s: \"%s\" is not of the form unix:PATH, tcp:IP:PORT or ssl:IP:PORT",
                            arg, p);
    }
    replace(slot, arg);
    return 0;
}

static int set_option(void *host_, int id, const char *arg, struct diag *diag)
{
    struct host *host = host_;
    switch (id) {
    case OPT_NB:
        return set_remote(&host->nb.remote, arg, diag);
    case OPT_SB:
        return set_remote(&host->sb.remote, arg, diag);
    case OPT_NB_FILE:
        replace(&host->nb.path, arg);
        break;
    case OPT_SB_FILE:
        replace(&host->sb.path, arg);
        break;
    case OPT_NB_REMOTE:
        vec_push(&host->nb.listen, xstrdup(arg));
        break;
    case OPT_SB_REMOTE:
        vec_push(&host->sb.listen, xstrdup(arg));
        break;
    case OPT_VERIFY:
        host->verify = true;
        break;
    case OPT_DRY_RUN:
        host->paused = true;
        break;
    default: /* --n-threads: the answer does not depend on it */
        break;
    }
    return 0;
}

/* --- What would a transaction cost */

static bool consider(void *host_, struct store *store, const struct changeset *changes,
                     struct str *out)
{
    struct host *host = host_;
    struct cost cost;
    if (!host->northd || store_is_dirty(store) || !northd_cost(host->northd, changes, &cost))
        return false;
    str_putf(out,
             "{\"logical_flows\":{\"added\":%" PRIu64 ",\"removed\":%" PRIu64 "},"
             "\"openflow_flows\":{\"added\":%" PRIu64 ",\"removed\":%" PRIu64 "},"
             "\"hypervisors\":%zu}",
             cost.lflows[COST_MORE], cost.lflows[COST_LESS], cost.flows[COST_MORE],
             cost.flows[COST_LESS], cost.hypervisors);
    return true;
}

static bool is_busy(void *host_)
{
    struct host *host = host_;
    return host->northd && northd_is_busy(host->northd);
}

/* --- Databases */

static int serve(struct host *host, struct db *db, struct daemon *daemon, struct diag *diag)
{
    struct ovsdb_server_options so = {
        .stream = {.rundir = daemon_rundir(daemon), .tls = daemon_tls(daemon)},
        .resume = true,
        .disk_changed = daemon_log_disk,
        .tls_changed = daemon_log_tls,
        .is_busy = is_busy,
        .consider = db == &host->nb ? consider : NULL,
        .aux = host};
    db->server = ovsdb_server_new(daemon_loop(daemon), &so);
    int err = ovsdb_server_add_db(db->server, db->store, diag);
    if (err)
        return err;
    if (!daemon_tls(daemon))
        ovsdb_server_follow_ssl_table(db->server, store_schema(db->store)->name);
    char *own = xasprintf("punix:%s", db->socket_name);
    err = ovsdb_server_add_remote(db->server, own, diag);
    free(own);
    for (size_t i = 0; !err && i < db->listen.n; i++)
        err = ovsdb_server_add_remote(db->server, db->listen.data[i], diag);
    if (!err)
        err = ovsdb_server_add_remote(db->server, db->columns, diag);
    return err;
}

static int open_here(struct host *host, struct db *db, struct daemon *daemon,
                     const char *schema_text, const char *const *derived, struct diag *diag)
{
    struct replica_options ro = {.env = daemon_env(daemon)};
    if (!db->path)
        db->path = rundir_path(daemon_dbdir(daemon), db->file_name);
    struct store_options so = {.env = daemon_env(daemon),
                               .path = db->path,
                               .schema_text = schema_text,
                               .create = true,
                               .derived_tables = derived};
    int err = store_open(&so, &db->store, diag);
    if (!err)
        err = serve(host, db, daemon, diag);
    if (err)
        return err;
    ro.schema = store_schema(db->store);
    db->replica = replica_new(&ro, local_source_new(db->store));
    return 0;
}

static void connect_to(struct db *db, struct daemon *daemon)
{
    struct stream_options so = {.default_port = TARGET_PORT_OVSDB,
                                .rundir = daemon_rundir(daemon),
                                .tls = daemon_tls(daemon)};
    struct replica_options ro = {.env = daemon_env(daemon), .schema = db->schema};
    if (!db->remote)
        db->remote = xasprintf("unix:%s/%s", daemon_rundir(daemon), db->socket_name);
    db->source = ovsdb_client_source_new(daemon_loop(daemon), db->remote);
    ovsdb_client_source_set_stream(db->source, &so);
    db->replica = replica_new(&ro, db->source);
}

/* Written behind, and made again when lost: see docs/architecture.md. */
static const char *const sb_derived[] = {"Logical_Flow", "Logical_DP_Group", "Multicast_Group",
                                         "Load_Balancer", NULL};

static int open_databases(struct host *host, struct daemon *daemon, struct diag *diag)
{
    host->is_remote = host->nb.remote || host->sb.remote || daemon_has_peer_name(daemon);
    if (host->is_remote) {
        host->nb.schema = nb_schema_new();
        host->sb.schema = sb_schema_new();
        connect_to(&host->nb, daemon);
        connect_to(&host->sb, daemon);
        /* One lock decides who is active: that of SB. Both databases may be on one server, whose locks are one name space. */
        replica_set_lock(host->sb.replica, NORTHD_LOCK);
        return 0;
    }
    int err = open_here(host, &host->nb, daemon, nb_schema_text, NULL, diag);
    if (!err)
        err = open_here(host, &host->sb, daemon, sb_schema_text, sb_derived, diag);
    return err;
}

static void db_close(struct db *db)
{
    replica_free(db->replica);
    if (db->server)
        ovsdb_server_free(db->server);
    if (db->store)
        store_close(db->store);
    schema_free(db->schema);
    free(db->path);
    free(db->remote);
    for (size_t i = 0; i < db->listen.n; i++)
        free(db->listen.data[i]);
    vec_fini(&db->listen);
}

/* --- Driving the northd */

static void on_wakeup(void *host_)
{
    struct host *host = host_;
    deferred_schedule(&host->work);
}

static void on_work(void *host_)
{
    struct host *host = host_;
    if (northd_run(host->northd)) {
        deferred_schedule(&host->work);
        return;
    }
    if (host->ahead && northd_is_idle(host->northd)) {
        memory_ahead_stop(host->ahead);
        host->ahead = NULL;
    }
    int64_t next = northd_next_ms(host->northd);
    if (next == INT64_MAX)
        timer_stop(&host->retry);
    else
        timer_set_us(&host->retry, next * 1000);
}

/* Says why a database elsewhere cannot be reached. */
static void log_failures(struct db *db)
{
    static struct log_rate rate = LOG_RATE(12, 4);
    unsigned n = ovsdb_client_source_failures(db->source);
    if (n != db->failures && !replica_is_connected(db->replica))
        log_warn_limited(&rate, "%s database at %s: %s", db->what,
                         ovsdb_client_source_remote(db->source),
                         ovsdb_client_source_error(db->source));
    db->failures = n;
}

static void on_health(void *host_)
{
    struct host *host = host_;
    log_failures(&host->nb);
    log_failures(&host->sb);
    timer_start_ms(&host->health, HEALTH_MS);
}

/* Memory that a start takes at least, by the size of NB's file: 47 to 62 times that. 0: not known. */
static size_t memory_needed(const struct host *host, struct daemon *daemon)
{
    enum { AT_LEAST = 32, MOST = 64 << 20 };
    struct stat st;
    if (host->nb.remote)
        return 0;
    char *path = host->nb.path ? xstrdup(host->nb.path)
                               : rundir_path(daemon_dbdir(daemon), host->nb.file_name);
    size_t size = stat(path, &st) || st.st_size < 0 ? 0 : (size_t)MIN(st.st_size, (off_t)MOST);
    free(path);
    return size * AT_LEAST;
}

static int start(void *host_, struct daemon *daemon, bool *ready UNUSED, struct diag *diag)
{
    struct host *host = host_;
    host->loop = daemon_loop(daemon);
    host->ahead = memory_ahead_start(memory_needed(host, daemon));
    deferred_init(&host->work, host->loop, LOOP_LATER, on_work, host);
    timer_init(&host->retry, host->loop, on_wakeup, host);
    timer_init(&host->health, host->loop, on_health, host);
    int err = open_databases(host, daemon, diag);
    if (err)
        return err;
    if (host->nb.store)
        host->judge = judge_new(host->nb.store);
    struct northd_options no = {.env = daemon_env(daemon),
                                .nb = host->nb.replica,
                                .sb = host->sb.replica,
                                .verify = host->verify,
                                .paused = host->paused,
                                .budget = SLICE,
                                .wakeup = on_wakeup,
                                .aux = host};
    host->northd = northd_new(&no);
    host->control = control_new(host->northd, host->nb.replica, host->sb.replica, host->nb.server,
                                host->sb.server, daemon_unixctl(daemon));
    if (host->is_remote) {
        log_info("compiling from %s to %s", host->nb.remote, host->sb.remote);
        timer_start_ms(&host->health, HEALTH_MS);
    } else
        log_info("compiling from %s to %s", host->nb.path, host->sb.path);
    deferred_schedule(&host->work);
    return 0;
}

static void stop(void *host_)
{
    struct host *host = host_;
    if (host->loop) {
        deferred_cancel(&host->work);
        timer_stop(&host->retry);
        timer_stop(&host->health);
    }
    memory_ahead_stop(host->ahead);
    host->ahead = NULL;
    control_free(host->control);
    northd_free(host->northd);
    host->northd = NULL;
    judge_free(host->judge);
    db_close(&host->nb);
    db_close(&host->sb);
    host->control = NULL;
    host->judge = NULL;
    memset(&host->nb, 0, sizeof host->nb);
    memset(&host->sb, 0, sizeof host->sb);
}

const struct daemon_spec host_spec = {
    .name = "weft-northd",
    .peer_name = "ovn-northd",
    .side = RUNDIR_OVN,
    .usage = "",
    .summary = "compiles a cloud's networks: serves the northbound and southbound databases and "
               "keeps the second what the first asks for",
    .options = options,
    .set_option = set_option,
    .start = start,
    .stop = stop,
};

struct host *host_new(void)
{
    struct host *host = NEW(struct host);
    host->nb.what = "northbound";
    host->nb.file_name = "nb.db";
    host->nb.socket_name = "ovnnb_db.sock";
    host->nb.columns = "db:OVN_Northbound,NB_Global,connections";
    host->sb.what = "southbound";
    host->sb.file_name = "sb.db";
    host->sb.socket_name = "ovnsb_db.sock";
    host->sb.columns = "db:OVN_Southbound,SB_Global,connections";
    return host;
}

struct northd *host_northd(struct host *host)
{
    return host->northd;
}

void host_free(struct host *host)
{
    free(host);
}
