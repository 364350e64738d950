/* daemon.h - the skeleton of every daemon: a main that a program fills in.
 *
 *     int main(int argc, char **argv)
 *     {
 *         struct dbd dbd = {0};
 *         return daemon_main(argc, argv, &dbd_spec, &dbd);
 *     }
 *
 * daemon_main parses the command line (the program's options and the common ones), detaches,
 * monitors, writes and locks the pid file, opens the log and the control socket, calls start, tells
 * the waiting parent that the daemon is ready, runs the loop until SIGTERM, SIGINT or the exit
 * command, and calls stop. Exit status 0 after a graceful exit, 1 after an error that it has
 * reported.
 *
 * Common options: --detach --monitor --no-chdir --pidfile[=FILE] --overwrite-pidfile
 * --log-file[=FILE] -v, --verbose[=SPEC] --unixctl=PATH -h, --help -V, --version, and
 * -p, --private-key -c, --certificate -C, --ca-cert --ssl-protocols --ssl-ciphers
 * --ssl-ciphersuites.
 *
 * The state of the skeleton is struct daemon, on daemon_main's stack: no globals. A program is also
 * a library without it, so that tests hold several; what it needs of the skeleton (loop, control
 * socket) it gets in start.
 */
#pragma once

#include "daemon/counter.h"
#include "daemon/options.h"
#include "daemon/unixctl.h"
#include "io/loop.h"
#include "io/rundir.h"
#include "io/tls.h"

struct daemon;

struct daemon_spec {
    const char *name;      /* "weft-dbd" */
    const char *peer_name; /* the program whose role it has: "ovsdb-server"; NULL: none */
    enum rundir_side side; /* whose directories, see io/rundir.h */
    const char *usage;     /* positional arguments for --help: "[DATABASE...]" */
    const char *summary;   /* one sentence */
    const struct option_spec *options; /* of the program; may be NULL */
    bool is_datapath;   /* with --user it may still open packet sockets and configure interfaces */
    bool has_databases; /* reads "db:DB,TABLE,COLUMN" in TLS options */
    /* An option of the program was given. Called before start, while output still goes to the
     * terminal. */
    int (*set_option)(void *aux, int id, const char *arg, struct diag *diag);
    /* The positional arguments. May be NULL when there are none. */
    int (*set_args)(void *aux, int n, char **args, struct diag *diag);
    /* Opens files and sockets, registers control commands. 0: the daemon is ready; a program that
     * is ready only later sets *ready to false and calls daemon_ready. Runs in the final process,
     * before the parent of --detach returns; relative file names are still those of the caller. */
    int (*start)(void *aux, struct daemon *daemon, bool *ready, struct diag *diag);
    /* Frees everything; also after a start that failed or never came (--help). */
    void (*stop)(void *aux);
};

int daemon_main(int argc, char **argv, const struct daemon_spec *spec, void *aux);

/* A daemon inside a process that has others too, for simulations: in a loop of its own, which the caller turns, with
 * ENV's time, without signals, pid file and control socket, and all its directories are DIR. An error: NULL, and what
 * was there is freed. */
struct daemon *daemon_embed(struct env *env, const char *dir, int argc, char **argv,
                            const struct daemon_spec *spec, void *aux, struct diag *diag);
void daemon_embed_free(struct daemon *daemon); /* ends it, at whatever it is */

struct loop *daemon_loop(struct daemon *daemon);
struct env *daemon_env(struct daemon *daemon);
struct unixctl *daemon_unixctl(struct daemon *daemon);
struct counters *daemon_counters(struct daemon *daemon);
const char *daemon_rundir(struct daemon *daemon);
const char *daemon_dbdir(struct daemon *daemon);
const char *daemon_logdir(struct daemon *daemon);
const char *daemon_program(struct daemon *daemon); /* base name of argv[0], as in file names */
bool daemon_has_peer_name(struct daemon *daemon);  /* started as spec->peer_name */
/* What the TLS options say, by enum tls_text; texts are NULL where there is none. "db:DB,TABLE,COLUMN"
 * names a column of a database: only a program that says so in its spec gets such texts, and reads
 * them (ovsdb_server_follow_tls). */
const char *const *daemon_tls_texts(struct daemon *daemon);
/* As these texts say; NULL without key and certificate, or when a database has to be read. */
const struct tls_config *daemon_tls(struct daemon *daemon);
/* Says that the database FILE cannot be written (WHY) or can again (NULL). AUX is not used: the
 * function fits where a library reports it. */
void daemon_log_disk(void *aux, const char *file, const char *why);
/* Likewise: keys and certificates named by a database cannot be used (WHY), or are from now on. */
void daemon_log_tls(void *aux, const char *why);
void daemon_ready(struct daemon *daemon);
void daemon_exit(struct daemon *daemon, int status); /* at the end of the turn */
