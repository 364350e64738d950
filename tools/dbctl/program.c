/* program.c - the command line of weft-dbctl, as itself, as ovsdb-tool and as ovsdb-client. */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "ctl/ctl.h"
#include "daemon/options.h"
#include "io/rundir.h"
#include "tools/dbctl/dbctl.h"

#define F DBCTL_FILE
#define S DBCTL_SERVER

static const struct dbctl_command commands[] = {
    {"create", F, 2, 2, "FILE SCHEMA", dbctl_create, "create database FILE with the given SCHEMA"},
    {"db-name", F, 1, 1, "FILE", dbctl_db_property, "print the name of the schema of FILE"},
    {"db-version", F, 1, 1, "FILE", dbctl_db_property, "print the version of the schema of FILE"},
    {"db-cksum", F, 1, 1, "FILE", dbctl_db_property, "print the checksum of the schema of FILE"},
    {"db-is-standalone", F, 1, 1, "FILE", dbctl_is_standalone, "exit with 0 if FILE is a database"},
    {"db-is-clustered", F, 1, 1, "FILE", dbctl_is_clustered, "exit with 2: no FILE is"},
    {"schema-name", F, 1, 1, "SCHEMA", dbctl_schema_property, "print the name of SCHEMA"},
    {"schema-version", F, 1, 1, "SCHEMA", dbctl_schema_property, "print the version of SCHEMA"},
    {"schema-cksum", F, 1, 1, "SCHEMA", dbctl_schema_property, "print the checksum of SCHEMA"},
    {"compact", F, 1, 1, "FILE", dbctl_compact, "give unused space in FILE back"},
    {"check", F, 1, 1, "FILE", dbctl_check, "verify all that FILE holds"},
    {"log", F, 1, 2, "FILE [N]", dbctl_log,
     "print the last N transactions: when, who, what for; also of a file in use"},
    {"import", F, 2, 2, "FROM FILE", dbctl_import, "create FILE from FROM, a file of ovsdb-server"},
    {"export", F, 2, 2, "FILE TO", dbctl_export,
     "write the contents of FILE as a file of ovsdb-server"},
    {"compare-versions", F, 3, 3, "A OP B", dbctl_compare_versions,
     "exit with 0 if versions A and B relate so (< <= == >= > !=), else with 2"},
    {"needs-conversion", F | S, 1, 2, "FILE|[SERVER] SCHEMA", dbctl_needs_conversion,
     "print yes if the schema in use is not SCHEMA"},
    {"convert", F | S, 1, 2, "FILE|[SERVER] SCHEMA", dbctl_convert,
     "convert the database to SCHEMA"},
    {"backup", F | S, 0, 2, "FILE COPY|[SERVER] [DATABASE]", dbctl_backup,
     "copy FILE, also one in use; or print the contents of a server as a file of ovsdb-server"},
    {"query", F | S, 1, 2, "FILE|[SERVER] TRANSACTION", dbctl_transact,
     "execute TRANSACTION, print the result, change nothing"},
    {"transact", F | S, 1, 2, "FILE|[SERVER] TRANSACTION", dbctl_transact,
     "execute TRANSACTION: [\"DATABASE\", {\"op\": ...}, ...]"},
    {"dump", F | S, 0, INT_MAX, "FILE|[SERVER] [DATABASE] [TABLE [COLUMN]...]", dbctl_dump,
     "print the contents of tables"},
    {"list-dbs", S, 0, 0, "[SERVER]", dbctl_list_dbs, "print the names of the databases"},
    {"get-schema", S, 0, 1, "[SERVER] [DATABASE]", dbctl_get_schema, "print the schema as JSON"},
    {"get-schema-version", S, 0, 1, "[SERVER] [DATABASE]", dbctl_get_schema,
     "print the version of the schema"},
    {"get-schema-cksum", S, 0, 1, "[SERVER] [DATABASE]", dbctl_get_schema,
     "print the checksum of the schema"},
    {"list-tables", S, 0, 1, "[SERVER] [DATABASE]", dbctl_list_tables, "print the names of tables"},
    {"list-columns", S, 0, 2, "[SERVER] [DATABASE] [TABLE]", dbctl_list_columns,
     "print the columns of tables with their types"},
    {"monitor", S, 1, 3, "[SERVER] [DATABASE] TABLE|ALL [COLUMN,...]", dbctl_monitor,
     "print rows, and then every change"},
    {"restore", S, 0, 1, "[SERVER] [DATABASE]", dbctl_restore,
     "make the contents those of the backup on standard input"},
    {"wait", S, 2, 2, "[SERVER] DATABASE added|connected|removed", dbctl_wait,
     "wait until DATABASE is in that state"},
    {NULL, 0, 0, 0, NULL, NULL, NULL},
};

enum {
    OPT_TIMEOUT = 1,
    OPT_FORMAT,
    OPT_DATA,
    OPT_NO_HEADINGS,
    OPT_BARE,
    OPT_PRETTY,
    OPT_VERBOSE,
    OPT_HELP,
    OPT_COMMANDS,
    OPT_OPTIONS,
    OPT_VERSION,
    OPT_PRIVATE_KEY,
    OPT_CERTIFICATE,
    OPT_CA_CERT,
    OPT_MORE,
    OPT_IGNORED
};

static const struct option_spec option_table[] = {
    {OPT_TIMEOUT, 't', "timeout", "SECS", "end with an error when it takes longer"},
    {OPT_FORMAT, 'f', "format", "FORMAT", "of tables: table, list, html, csv or json"},
    {OPT_DATA, 'd', "data", "FORMAT", "of values: string, bare or json"},
    {OPT_NO_HEADINGS, 0, "no-headings", NULL, "leave the line of column names out"},
    {OPT_BARE, 0, "bare", NULL, "same as \"--format=list --data=bare --no-headings\""},
    {OPT_PRETTY, 0, "pretty", NULL, "pretty-print JSON tables"},
    {OPT_PRIVATE_KEY, 'p', "private-key", "FILE", "file with private key, for ssl:"},
    {OPT_CERTIFICATE, 'c', "certificate", "FILE", "certificate that belongs to the private key"},
    {OPT_CA_CERT, 'C', "ca-cert", "FILE", "file with the CA certificate of the server"},
    {OPT_IGNORED, 0, "no-leader-only", NULL, NULL},
    {OPT_IGNORED, 0, "leader-only", NULL, NULL},
    {OPT_MORE, 'm', "more", NULL, "log: the rows too; twice: their former values"},
    {OPT_COMMANDS, 0, "commands", NULL, NULL},
    {OPT_OPTIONS, 0, "options", NULL, NULL},
    {OPT_VERBOSE, 'v', "verbose", "[LEVEL]", "log more"},
    {OPT_HELP, 'h', "help", NULL, "this text"},
    {OPT_VERSION, 'V', "version", NULL, "say which version this is"},
    OPTION_END,
};

struct parsed {
    struct dbctl *dbctl;
    int asked; /* OPT_HELP and its like */
    bool data_given;
};

static int set_option(void *parsed_, int id, const char *arg, struct diag *diag)
{
    struct parsed *parsed = parsed_;
    struct dbctl *dbctl = parsed->dbctl;
    enum log_level level = LOG_DBG;
    switch (id) {
    case OPT_TIMEOUT:
        if (text_to_i64(arg, 10, &dbctl->timeout_s) || dbctl->timeout_s < 0 ||
            dbctl->timeout_s > INT_MAX / 1000)
            return diag_set(diag, ERR_INVALID, "value %s on -t or --timeout is invalid", arg);
        return 0;
    case OPT_FORMAT:
        if (!table_format_parse(arg, &dbctl->style.format))
            return diag_set(diag, ERR_INVALID, "unknown output format \"%s\"", arg);
        return 0;
    case OPT_DATA:
        parsed->data_given = true;
        if (!value_style_parse(arg, &dbctl->style.style))
            return diag_set(diag, ERR_INVALID, "unknown data format \"%s\"", arg);
        return 0;
    case OPT_NO_HEADINGS:
        dbctl->style.headings = false;
        return 0;
    case OPT_BARE:
        dbctl->style = (struct table_style){.format = TABLE_LIST, .style = VALUE_BARE};
        return 0;
    case OPT_PRETTY:
        dbctl->style.pretty = true;
        return 0;
    case OPT_VERBOSE:
        if (arg)
            (void)log_level_parse(arg, &level);
        (void)log_set_level(NULL, level);
        return 0;
    case OPT_PRIVATE_KEY:
        dbctl->private_key = arg;
        return 0;
    case OPT_CERTIFICATE:
        dbctl->certificate = arg;
        return 0;
    case OPT_CA_CERT:
        dbctl->ca_cert = arg;
        return 0;
    case OPT_MORE:
        dbctl->more++;
        return 0;
    case OPT_IGNORED:
        return 0;
    default:
        parsed->asked = parsed->asked ? parsed->asked : id;
        return 0;
    }
}

static void put_help(const struct dbctl *dbctl, struct str *out)
{
    str_putf(out, "%s: database files and OVSDB servers\nusage: %s [OPTIONS] COMMAND [ARG...]\n",
             dbctl->name, dbctl->name);
    static const struct {
        unsigned sides;
        const char *heading;
    } parts[] = {{F, "Commands on files"},
                 {S, "Commands on servers"},
                 {F | S, "Commands on a file or a server"}};
    for (size_t p = 0; p < ARRAY_SIZE(parts); p++) {
        if (!(dbctl->sides & parts[p].sides))
            continue;
        str_putf(out, "\n%s:\n", parts[p].heading);
        for (const struct dbctl_command *c = commands; c->name; c++)
            if (c->sides == parts[p].sides)
                str_putf(out, "  %s %s\n      %s\n", c->name, c->args, c->help);
    }
    char *rundir = rundir_get(RUNDIR_OVS, dbctl->sides == S);
    str_putf(out,
             "\nSERVER is unix:FILE, tcp:IP:PORT or ssl:IP:PORT; the default is "
             "unix:%s/db.sock.\n\nOptions:\n",
             rundir);
    free(rundir);
    options_put_help(option_table, out);
}

static void put_commands(const struct dbctl *dbctl, struct str *out)
{
    for (const struct dbctl_command *c = commands; c->name; c++)
        if (c->sides & dbctl->sides)
            str_putf(out, "%s\t%s\t\n", c->name, c->args);
}

static void put_options(struct str *out)
{
    for (const struct option_spec *o = option_table; o->id; o++)
        if (o->help)
            str_putf(out, "--%s%s\n", o->name, o->arg && *o->arg != '[' ? "=" : "");
}

static void print_asked(const struct dbctl *dbctl, int asked)
{
    struct str out = STR_INIT;
    if (asked == OPT_HELP)
        put_help(dbctl, &out);
    else if (asked == OPT_COMMANDS)
        put_commands(dbctl, &out);
    else if (asked == OPT_OPTIONS)
        put_options(&out);
    else
        str_putf(&out, "%s %s\n", dbctl->name, WEFT_VERSION);
    fputs(str_c(&out), stdout);
    str_fini(&out);
}

/* Which side the arguments speak of, and where the server is. */
static void pick_side(struct dbctl *dbctl)
{
    unsigned sides = dbctl->command->sides & dbctl->sides;
    bool is_remote = dbctl->argc && target_is_active(dbctl->argv[0]);
    if (sides == (F | S)) {
        /* "transact TRANSACTION" alone speaks to the default server. */
        bool alone = dbctl->argc == 0 || (dbctl->argc == 1 && *dbctl->argv[0] == '[');
        sides = is_remote || alone ? S : F;
    }
    if (sides == F)
        return;
    if (is_remote) {
        dbctl->remote = xstrdup(dbctl->argv[0]);
        dbctl->argv++;
        dbctl->argc--;
    } else {
        char *rundir = rundir_get(RUNDIR_OVS, dbctl->sides == S);
        dbctl->remote = xasprintf("unix:%s/db.sock", rundir);
        free(rundir);
    }
}

static int find_command(struct dbctl *dbctl, int argc, char **argv, struct diag *diag)
{
    if (!argc)
        return diag_set(diag, ERR_INVALID, "missing command name; use --help for help");
    for (const struct dbctl_command *c = commands; c->name; c++)
        if (!strcmp(c->name, argv[0]) && (c->sides & dbctl->sides))
            dbctl->command = c;
    if (!dbctl->command)
        return diag_set(diag, ERR_INVALID, "unknown command '%s'; use --help for help", argv[0]);
    dbctl->argc = argc - 1;
    dbctl->argv = argv + 1;
    pick_side(dbctl);
    /* Commands of both sides count a file among their arguments. */
    int min = dbctl->command->min, max = dbctl->command->max;
    if (dbctl->command->sides == (F | S) && max != INT_MAX && dbctl->remote)
        max--;
    if (dbctl->command->sides == (F | S) && !dbctl->remote)
        min++;
    if (dbctl->argc < min)
        return diag_set(diag, ERR_INVALID, "'%s' command requires at least %d arguments", argv[0],
                        min);
    if (dbctl->argc > max)
        return diag_set(diag, ERR_INVALID, "'%s' command takes at most %d arguments", argv[0], max);
    return 0;
}

static void on_timeout(void *dbctl)
{
    fputs(str_c(&((struct dbctl *)dbctl)->out), stdout);
    fflush(stdout);
    ctl_warn_now("fatal_signal", "terminating with signal %d (Alarm clock)", SIGALRM);
    signal(SIGALRM, SIG_DFL);
    raise(SIGALRM);
}

static int run(struct dbctl *dbctl, struct diag *diag)
{
    dbctl->loop = loop_new(env_real());
    timer_init(&dbctl->timer, dbctl->loop, on_timeout, dbctl);
    if (dbctl->timeout_s)
        timer_start_ms(&dbctl->timer, dbctl->timeout_s * 1000);
    int err = 0;
    if (dbctl->private_key || dbctl->certificate || dbctl->ca_cert)
        err = tls_config_load(dbctl->private_key, dbctl->certificate, dbctl->ca_cert, &dbctl->tls,
                              diag);
    if (!err)
        err = dbctl->command->run(dbctl, diag);
    timer_stop(&dbctl->timer);
    loop_free(dbctl->loop);
    tls_config_free(dbctl->tls);
    fputs(str_c(&dbctl->out), stdout);
    fflush(stdout);
    return err;
}

int dbctl_main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/');
    struct dbctl dbctl = {.name = slash ? slash + 1 : argv[0],
                          .sides = F | S,
                          .style = {.format = TABLE_TABLE, .headings = true}};
    if (!strcmp(dbctl.name, "ovsdb-tool"))
        dbctl.sides = F;
    else if (!strcmp(dbctl.name, "ovsdb-client"))
        dbctl.sides = S;
    (void)log_set_level(NULL, LOG_WARN);

    struct parsed parsed = {.dbctl = &dbctl};
    const struct option_spec *const tables[] = {option_table, NULL};
    struct options options = {tables, set_option, &parsed, true};
    struct diag diag = DIAG_INIT;
    int first, err = options_parse(&options, argc, argv, &first, &diag);
    if (dbctl.style.format == TABLE_JSON && !parsed.data_given)
        dbctl.style.style = VALUE_JSON;
    if (!err && parsed.asked) {
        print_asked(&dbctl, parsed.asked);
    } else {
        if (!err)
            err = find_command(&dbctl, argc - first, argv + first, &diag);
        if (!err)
            err = run(&dbctl, &diag);
    }
    if (err)
        fprintf(stderr, "%s: %s\n", dbctl.name, diag_text(&diag));
    diag_fini(&diag);
    free(dbctl.remote);
    str_fini(&dbctl.out);
    return err ? EXIT_FAILURE : dbctl.status;
}
