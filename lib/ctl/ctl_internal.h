/* ctl_internal.h - the state of one invocation, shared by the files of lib/ctl. */
#pragma once

#include "ctl/ctl.h"
#include "io/loop.h"
#include "io/tls.h"
#include "ovsdb/client/source.h"

enum {
    OPT_DB = 1,
    OPT_TIMEOUT,
    OPT_DRY_RUN,
    OPT_ONELINE,
    OPT_FORMAT,
    OPT_DATA,
    OPT_NO_HEADINGS,
    OPT_PRETTY,
    OPT_BARE,
    OPT_MAX_COLUMN_WIDTH,
    OPT_LEADER_ONLY,
    OPT_NO_LEADER_ONLY,
    OPT_RETRY,
    OPT_NO_SYSLOG,
    OPT_VERBOSE,
    OPT_HELP,
    OPT_OPTIONS,
    OPT_COMMANDS,
    OPT_TABLES,
    OPT_VERSION,
    OPT_PRIVATE_KEY,
    OPT_CERTIFICATE,
    OPT_CA_CERT,
    OPT_DETACH,
    OPT_UNIXCTL,
    OPT_BOOTSTRAP_CA,
    OPT_SSL_PROTOCOLS,
    OPT_SSL_CIPHERS,
    OPT_SSL_CIPHERSUITES,
    OPT_SHUFFLE,
    OPT_NO_SHUFFLE,
    OPT_LOG_FILE,
    OPT_SYSLOG_METHOD,
    OPT_SYSLOG_TARGET,
    OPT_OF_DAEMON,
    OPT_PROGRAM = 1000
};

struct ctl {
    const struct ctl_program *program;
    void *aux;
    const char *name; /* base name of argv[0] */
    bool is_peer;     /* started under the peer's name */
    char *command_line;

    /* options */
    char *db;
    int timeout_s;
    bool wants_cost;
    bool dry_run, oneline, retry, leader_only, data_given, format_given, shuffle, learns;
    struct table_style style;
    const char *tls_texts[TLS_N], *unixctl;
    int done_status; /* OPT_ of --help and the like: print that, nothing else; 0: run */

    struct schema *schema;
    bool *needed; /* by table index */
    VEC(struct ctl_call *) calls;
    struct ctl_symbols symbols;

    /* the run */
    struct env *env;
    struct loop *loop;
    struct tls_config *tls;
    struct replica_source *source;
    struct replica *replica;
    struct demand *demand;
    struct view *view;
    struct timer timer;
    int status;
    bool committing;
    int commit_err;
    char *commit_error;
    struct str cost; /* what was asked for with ctl_want_cost */
};

extern const struct ctl_option ctl_common_options[], ctl_leader_options[], ctl_log_options[],
    ctl_daemon_options[];
/* command_line.c: the tables of the program's options, one by one; NULL: no more. */
const struct ctl_option *ctl_option_table(const struct ctl_program *program, int i);

/* log_options.c: levels as they are without options. One of ctl_log_options and ctl_daemon_options; ERR_NOT_FOUND: another. Before a
 * change is made: tells log file and syslog. */
void ctl_log_begin(void);
int ctl_set_log_option(struct ctl *ctl, int id, const char *arg, struct diag *diag) MUST_CHECK;
void ctl_log_change(const struct ctl *ctl);

/* daemon_mode.c: does the command line ask for a daemon? The whole of one; returns the exit status. */
bool ctl_wants_to_serve(int argc, char **argv, const struct ctl_program *program);
int ctl_serve(int argc, char **argv, const struct ctl_program *program);
/* daemon_mode.c: the control socket of a daemon that this call is to use, NULL: none. Lets it run the command line, and prints what it
 * answers; ERR_INVALID with its error in DIAG. */
const char *ctl_server_socket(const struct ctl *ctl);
int ctl_ask(struct ctl *ctl, const char *socket, int argc, char **argv,
            struct diag *diag) MUST_CHECK;

/* run.c: sends TXN, waits for the answer, which is in ctl->commit_err, and returns that. */
int ctl_commit_txn(struct ctl *ctl, struct replica_txn *txn, struct diag *diag) MUST_CHECK;
/* cost.c: asks what TXN would cost and puts it into ctl->cost. ERR_UNSUPPORTED: the server cannot tell. */
int ctl_ask_cost(struct ctl *ctl, struct diag *diag) MUST_CHECK;

/* command_line.c: fills the options and the calls. ERR_INVALID with the sentence in DIAG. */
int ctl_parse(struct ctl *ctl, int argc, char **argv, struct diag *diag) MUST_CHECK;
/* Frees a call; NULL is allowed. */
void ctl_call_free(struct ctl_call *call);
void ctl_put_command_line(int argc, char **argv, struct str *out);
