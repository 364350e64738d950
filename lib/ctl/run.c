/* run.c - the run of an invocation: connect, run the commands, commit, wait, print.
 *
 * Everything happens on one loop. The commands are run again from the first when the data they ran
 * on turns out to be old (ERR_AGAIN from the commit) or when one of them waits; their output is kept
 * back until the transaction has succeeded.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "ctl/ctl_internal.h"
#include "io/stream.h"
#include "io/tls.h"

/* ---- preparation ---- */

static void need_names(struct ctl *ctl, const char *names)
{
    char *copy = xstrdup(names ? names : ""), *rest = copy, *word;
    while ((word = strsep(&rest, " ")) != NULL)
        if (*word)
            ctl_need(ctl, schema_table_find(ctl->schema, word));
    free(copy);
}

static int prepare_calls(struct ctl *ctl, struct diag *diag)
{
    need_names(ctl, ctl->program->tables);
    for (size_t i = 0; i < ctl->calls.n; i++) {
        struct ctl_call *call = ctl->calls.data[i];
        need_names(ctl, call->command->tables);
        int err = call->command->prepare ? call->command->prepare(call) : 0;
        if (err)
            return diag_set(diag, err, "%s", diag_text(&call->diag));
    }
    return 0;
}

static char *default_remote(const struct ctl *ctl)
{
    const char *variable = ctl->program->db_variable ? getenv(ctl->program->db_variable) : NULL;
    if (variable && *variable)
        return xstrdup(variable);
    char *rundir = rundir_get(ctl->program->side, ctl->is_peer);
    char *remote = xasprintf("unix:%s/%s", rundir, ctl->program->socket);
    free(rundir);
    return remote;
}

static int load_tls(struct ctl *ctl, struct diag *diag)
{
    static const enum tls_text files[] = {TLS_KEY, TLS_CERTIFICATE, TLS_CA, TLS_BOOTSTRAP_CA};
    bool any = false;
    for (size_t i = 0; i < ARRAY_SIZE(files); i++)
        any |= ctl->tls_texts[files[i]] != NULL;
    if (!any)
        return 0;
    const char *learnt = ctl->tls_texts[TLS_BOOTSTRAP_CA];
    ctl->learns = learnt && access(learnt, F_OK);
    ctl->tls = tls_config_new();
    return tls_config_set(ctl->tls, ctl->tls_texts, diag);
}

/* The same remotes in another order. Owned by the caller. */
static char *shuffled(struct env *env, const char *remotes)
{
    char *copy = xstrdup(remotes), *rest = copy, *word;
    struct str out = STR_INIT;
    VEC(char *) words = VEC_INIT;
    while ((word = strsep(&rest, ",")) != NULL)
        vec_push(&words, word);
    for (; words.n; words.n--) {
        size_t i = env_random_u64(env) % words.n;
        str_putf(&out, "%s%s", out.n ? "," : "", words.data[i]);
        words.data[i] = words.data[words.n - 1];
    }
    vec_fini(&words);
    free(copy);
    return str_steal(&out);
}

static int connect_replica(struct ctl *ctl, struct diag *diag)
{
    int err = load_tls(ctl, diag);
    if (err)
        return err;
    if (!ctl->db)
        ctl->db = default_remote(ctl);
    char *remotes = ctl->shuffle ? shuffled(ctl->env, ctl->db) : xstrdup(ctl->db);
    ctl->source = ovsdb_client_source_new(ctl->loop, remotes);
    free(remotes);
    char *rundir = rundir_get(ctl->program->side, ctl->is_peer);
    struct stream_options stream = {.rundir = rundir, .tls = ctl->tls};
    ovsdb_client_source_set_stream(ctl->source, &stream);
    free(rundir);
    ovsdb_client_source_set_leader_only(ctl->source, ctl->leader_only);
    const char **tables = xcalloc(ctl->schema->n_tables + 1, sizeof *tables);
    size_t n = 0;
    for (size_t i = 0; i < ctl->schema->n_tables; i++)
        if (ctl->needed[i])
            tables[n++] = ctl->schema->tables[i].name;
    struct replica_options options = {.env = ctl->env, .schema = ctl->schema, .tables = tables};
    ctl->replica = replica_new(&options, ctl->source);
    ctl->view = view_new(ctl->replica, ctl->env);
    ctl->demand = demand_new(ctl->schema);
    view_set_demand(ctl->view, ctl->demand);
    free(tables);
    return 0;
}

/* ---- the timeout ---- */

/* Dies as by the alarm that the field's tools use: status 142 to a shell. */
static void on_timeout(void *ctl)
{
    (void)ctl;
    ctl_warn_now("fatal_signal", "terminating with signal %d (Alarm clock)", SIGALRM);
    signal(SIGALRM, SIG_DFL);
    raise(SIGALRM);
}

/* ---- waiting ---- */

/* A connection that has brought the CA ends: the next one uses it. */
static unsigned n_attempts(const struct ctl *ctl)
{
    unsigned n = 1;
    for (const char *p = ctl->db; *p; p++)
        n += *p == ',';
    return ctl->learns ? 2 * n : n;
}

/* Every remote was tried in vain, and nothing works. */
static int check_alive(const struct ctl *ctl, struct diag *diag)
{
    if (ctl->retry || replica_is_ready(ctl->replica) ||
        ovsdb_client_source_failures(ctl->source) < n_attempts(ctl))
        return 0;
    return diag_set(diag, ERR_IO, "%s: database connection failed (%s)", ctl->db,
                    ovsdb_client_source_error(ctl->source));
}

static int wait_ready(struct ctl *ctl, struct diag *diag)
{
    while (!replica_is_ready(ctl->replica)) {
        int err = check_alive(ctl, diag);
        if (err)
            return err;
        loop_run_once(ctl->loop, -1);
    }
    return 0;
}

static int wait_change(struct ctl *ctl, uint64_t seqno, struct diag *diag)
{
    while (replica_seqno(ctl->replica) == seqno || !replica_is_ready(ctl->replica)) {
        int err = check_alive(ctl, diag);
        if (err)
            return err;
        loop_run_once(ctl->loop, -1);
    }
    return 0;
}

/* ---- one attempt ---- */

static void reset_calls(struct ctl *ctl)
{
    view_reset(ctl->view);
    ctl->status = 0;
    for (size_t i = 0; i < ctl->symbols.all.n; i++)
        ctl->symbols.all.data[i]->referenced = false;
    for (size_t i = 0; i < ctl->calls.n; i++) {
        struct ctl_call *call = ctl->calls.data[i];
        call->view = ctl->view;
        call->created = (struct uuid){{0}};
        str_clear(&call->out);
        str_clear(&call->warnings);
        table_text_free(call->table);
        call->table = NULL;
        diag_fini(&call->diag);
        call->diag = (struct diag)DIAG_INIT;
    }
}

static int check_symbols(struct ctl *ctl, struct diag *diag)
{
    for (size_t i = 0; i < ctl->symbols.all.n; i++) {
        const struct ctl_symbol *s = ctl->symbols.all.data[i];
        if (!s->created)
            return diag_set(diag, ERR_INVALID,
                            "row id \"%s\" is referenced but never created (e.g. with \"-- --id=%s "
                            "create ...\")",
                            s->name, s->name);
    }
    return 0;
}

static int run_calls(struct ctl *ctl, struct diag *diag)
{
    reset_calls(ctl);
    int err = ctl->program->before ? ctl->program->before(ctl, diag) : 0;
    for (size_t i = 0; !err && i < ctl->calls.n; i++) {
        struct ctl_call *call = ctl->calls.data[i];
        err = call->command->run(call);
        if (view_is_waiting(ctl->view))
            err = 0; /* the others may know what they need, too */
        else if (err && err != ERR_AGAIN)
            (void)diag_set(diag, err, "%s", diag_text(&call->diag));
    }
    if (!err && !view_is_waiting(ctl->view))
        err = check_symbols(ctl, diag);
    return err;
}

/* Runs the commands until they ask for no more rows than are here. */
static int run_on_demand(struct ctl *ctl, struct diag *diag)
{
    for (;;) {
        int err = run_calls(ctl, diag);
        if (!demand_is_open(ctl->demand)) {
            for (size_t i = 0; i < ctl->calls.n; i++)
                fputs(str_c(&ctl->calls.data[i]->warnings), stderr);
            return err;
        }
        view_reset(ctl->view); /* it refers to rows that may go */
        demand_apply(ctl->demand, ctl->replica);
        while (!replica_is_ready(ctl->replica) || !ovsdb_client_source_is_settled(ctl->source)) {
            err = check_alive(ctl, diag);
            if (err)
                return err;
            loop_run_once(ctl->loop, -1);
        }
    }
}

static void on_committed(void *ctl_, int err, const char *error)
{
    struct ctl *ctl = ctl_;
    ctl->committing = false;
    ctl->commit_err = err;
    free(ctl->commit_error);
    ctl->commit_error = error ? xstrdup(error) : NULL;
}

int ctl_commit_txn(struct ctl *ctl, struct replica_txn *txn, struct diag *diag)
{
    ctl->committing = true;
    replica_txn_commit(txn, on_committed, ctl);
    while (ctl->committing)
        loop_run_once(ctl->loop, -1);
    if (ctl->commit_err && ctl->commit_err != ERR_AGAIN) {
        const char *json = ovsdb_client_source_transaction_error(ctl->source);
        return diag_set(diag, ctl->commit_err, "transaction error: %s",
                        *json ? json : ctl->commit_error);
    }
    return ctl->commit_err;
}

static int commit(struct ctl *ctl, struct diag *diag)
{
    int err = ctl->wants_cost ? ctl_ask_cost(ctl, diag) : 0;
    if (err)
        return err;
    struct replica_txn *txn = view_make_txn(ctl->view);
    if (ctl->program->amend)
        ctl->program->amend(ctl, txn, view_is_changed(ctl->view));
    if (ctl->dry_run || replica_txn_is_empty(txn)) {
        replica_txn_free(txn);
        return 0;
    }
    ctl_log_change(ctl);
    char *comment = xasprintf("%s: %s", ctl->name, ctl->command_line);
    replica_txn_comment(txn, comment);
    free(comment);
    return ctl_commit_txn(ctl, txn, diag);
}

static int run_and_commit(struct ctl *ctl, struct diag *diag)
{
    (void)run_calls(ctl, diag); /* on nothing: what the first request is to ask for */
    diag_fini(diag);
    *diag = (struct diag)DIAG_INIT;
    demand_apply(ctl->demand, ctl->replica);
    for (;;) {
        int err = wait_ready(ctl, diag);
        if (err)
            return err;
        err = run_on_demand(ctl, diag);
        uint64_t seqno = replica_seqno(ctl->replica);
        bool waits = err == ERR_AGAIN;
        if (!err)
            err = commit(ctl, diag);
        if (err != ERR_AGAIN)
            return err;
        /* After a lost connection there is nothing to wait for but the next one; a failed verify
         * means that a change is on its way, if it is not here already. */
        bool stale = replica_is_ready(ctl->replica) && replica_seqno(ctl->replica) == seqno;
        if (waits || stale)
            err = wait_change(ctl, seqno, diag);
        if (err && err != ERR_AGAIN)
            return err;
    }
}

static int wait_done(struct ctl *ctl, struct diag *diag)
{
    while (ctl->program->is_done && !ctl->dry_run && !ctl->program->is_done(ctl)) {
        int err = check_alive(ctl, diag);
        if (err)
            return err;
        loop_run_once(ctl->loop, -1);
    }
    return 0;
}

/* ---- output ---- */

static void print_oneline(const char *text)
{
    size_t n = strlen(text);
    if (n && text[n - 1] == '\n')
        n--;
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '\n')
            fputs("\\n", stdout);
        else if (text[i] == '\\')
            fputs("\\\\", stdout);
        else
            putchar(text[i]);
    }
    putchar('\n');
}

static void print_calls(struct ctl *ctl)
{
    for (size_t i = 0; i < ctl->calls.n; i++) {
        struct ctl_call *call = ctl->calls.data[i];
        char uuid[UUID_TEXT_LEN + 1];
        if (!uuid_is_zero(&call->created))
            str_putf(&call->out, "%s\n", uuid_print(&call->created, uuid));
        if (call->table) {
            table_text_print(call->table, &ctl->style, &call->out);
            fputs(str_c(&call->out), stdout);
        } else if (ctl->oneline) {
            print_oneline(str_c(&call->out));
        } else {
            fputs(str_c(&call->out), stdout);
        }
    }
    fputs(str_c(&ctl->cost), stdout);
    fflush(stdout);
}

/* ---- a whole program ---- */

static void print_version(const struct ctl *ctl)
{
    printf("%s %s\nDB Schema %s\n", ctl->name, WEFT_VERSION, ctl->schema->version);
}

static void print_asked(const struct ctl *ctl)
{
    struct str out = STR_INIT;
    switch (ctl->done_status) {
    case OPT_HELP:
        ctl_put_help(ctl->program, ctl->name, &out);
        break;
    case OPT_OPTIONS:
        ctl_put_options_help(ctl->program, &out);
        break;
    case OPT_COMMANDS:
        ctl_put_commands(ctl->program, &out);
        break;
    case OPT_TABLES:
        for (size_t i = 0; i < ctl->schema->n_tables; i++)
            str_putf(&out, "%s\n", ctl->schema->tables[i].name);
        break;
    default:
        print_version(ctl);
        break;
    }
    fputs(str_c(&out), stdout);
    str_fini(&out);
}

static int run(struct ctl *ctl, struct diag *diag)
{
    int err = prepare_calls(ctl, diag);
    if (err)
        return err;
    ctl->loop = loop_new(ctl->env);
    timer_init(&ctl->timer, ctl->loop, on_timeout, ctl);
    if (ctl->timeout_s)
        timer_start_ms(&ctl->timer, (int64_t)ctl->timeout_s * 1000);
    err = connect_replica(ctl, diag);
    if (!err)
        err = run_and_commit(ctl, diag);
    if (err)
        return err;
    print_calls(ctl);
    return wait_done(ctl, diag);
}

static int run_here_or_there(struct ctl *ctl, int argc, char **argv, struct diag *diag)
{
    const char *socket = ctl_server_socket(ctl);
    return socket ? ctl_ask(ctl, socket, argc, argv, diag) : run(ctl, diag);
}

static void ctl_fini(struct ctl *ctl)
{
    view_free(ctl->view);
    demand_free(ctl->demand);
    replica_free(ctl->replica);
    if (ctl->loop) {
        timer_stop(&ctl->timer);
        loop_free(ctl->loop);
    }
    tls_config_free(ctl->tls);
    for (size_t i = 0; i < ctl->calls.n; i++)
        ctl_call_free(ctl->calls.data[i]);
    vec_fini(&ctl->calls);
    ctl_symbols_clear(&ctl->symbols);
    schema_free(ctl->schema);
    free(ctl->needed);
    free(ctl->db);
    free(ctl->command_line);
    free(ctl->commit_error);
    str_fini(&ctl->cost);
}

int ctl_main(int argc, char **argv, const struct ctl_program *program, void *aux)
{
    if (ctl_wants_to_serve(argc, argv, program))
        return ctl_serve(argc, argv, program);
    const char *slash = strrchr(argv[0], '/');
    struct ctl ctl = {
        .program = program,
        .aux = aux,
        .name = slash ? slash + 1 : argv[0],
        .leader_only = true,
        .shuffle = program->may_follow,
        .style = {.format = TABLE_LIST, .headings = true},
        .schema = program->schema_new(),
        .env = env_real(),
    };
    ctl.is_peer = !strcmp(ctl.name, program->peer_name);
    ctl.symbols.env = ctl.env;
    ctl.needed = xcalloc(ctl.schema->n_tables, sizeof *ctl.needed);
    struct str line = STR_INIT;
    ctl_put_command_line(argc, argv, &line);
    ctl.command_line = str_steal(&line);
    ctl_log_begin();

    struct diag diag = DIAG_INIT;
    const char *timeout = getenv("OVS_CTL_TIMEOUT");
    int64_t seconds;
    if (timeout && !text_to_i64(timeout, 10, &seconds) && seconds > 0 && seconds < INT_MAX / 1000)
        ctl.timeout_s = (int)seconds;
    int err = ctl_parse(&ctl, argc, argv, &diag);
    if (!err && ctl.done_status)
        print_asked(&ctl);
    else if (!err)
        err = run_here_or_there(&ctl, argc, argv, &diag);
    if (err)
        fprintf(stderr, "%s: %s\n", ctl.name, diag_text(&diag));
    int status = err ? EXIT_FAILURE : ctl.status;
    diag_fini(&diag);
    ctl_fini(&ctl);
    return status;
}
