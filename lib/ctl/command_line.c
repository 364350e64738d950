/* command_line.c - from argv to options and a list of calls.
 *
 *     PROGRAM [OPTIONS] [COMMAND OPTIONS] COMMAND ARG... [-- [COMMAND OPTIONS] COMMAND ARG...]...
 *
 * Options of the program end at the first word that is not an option. In front of the first command
 * stand both kinds; behind a "--" only the command's. Long options may be abbreviated.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "ctl/ctl_internal.h"

const struct ctl_option ctl_common_options[] = {
    {OPT_DB, 0, "db", "DATABASE", "connect to DATABASE"},
    {OPT_TIMEOUT, 't', "timeout", "SECS", "end with an error when it takes longer"},
    {OPT_DRY_RUN, 0, "dry-run", NULL, "do not commit changes to the database"},
    {OPT_ONELINE, 0, "oneline", NULL, "one line for each command's output"},
    {OPT_FORMAT, 'f', "format", "FORMAT", "of list and find: list, table, html, csv or json"},
    {OPT_DATA, 'd', "data", "FORMAT", "of values: string, bare or json"},
    {OPT_NO_HEADINGS, 0, "no-headings", NULL, "leave the line of column names out"},
    {OPT_NO_HEADINGS, 0, "no-heading", NULL, NULL},
    {OPT_PRETTY, 0, "pretty", NULL, "pretty-print JSON in output"},
    {OPT_BARE, 0, "bare", NULL, "same as \"--format=list --data=bare --no-headings\""},
    {OPT_MAX_COLUMN_WIDTH, 0, "max-column-width", "N", "cut cells of --format=table after N"},
    {OPT_RETRY, 0, "retry", NULL, "keep trying to connect to the server for ever"},
    {OPT_SHUFFLE, 0, "shuffle-remotes", NULL, "try several databases in random order"},
    {OPT_NO_SHUFFLE, 0, "no-shuffle-remotes", NULL, "try them in the order given"},
    {OPT_PRIVATE_KEY, 'p', "private-key", "FILE", "file with private key, for ssl:"},
    {OPT_CERTIFICATE, 'c', "certificate", "FILE", "certificate that belongs to the private key"},
    {OPT_CA_CERT, 'C', "ca-cert", "FILE", "file with the CA certificate of the server"},
    {OPT_BOOTSTRAP_CA, 0, "bootstrap-ca-cert", "FILE",
     "the same; made of what the server sends if there is none"},
    {OPT_SSL_PROTOCOLS, 0, "ssl-protocols", "LIST", "allow only these of TLSv1.2, TLSv1.3"},
    {OPT_SSL_CIPHERS, 0, "ssl-ciphers", "LIST", "allow only these TLS 1.2 ciphers"},
    {OPT_SSL_CIPHERSUITES, 0, "ssl-ciphersuites", "LIST", "allow only these TLS 1.3 suites"},
    {OPT_OPTIONS, 0, "options", NULL, NULL},
    {OPT_COMMANDS, 0, "commands", NULL, NULL},
    {OPT_TABLES, 0, "tables", NULL, NULL},
    {OPT_HELP, 'h', "help", NULL, "this text"},
    {OPT_VERSION, 'V', "version", NULL, "say which version this is"},
    {0, 0, NULL, NULL, NULL},
};

const struct ctl_option ctl_leader_options[] = {
    {OPT_LEADER_ONLY, 0, "leader-only", NULL, "accept only the leader of a cluster (default)"},
    {OPT_NO_LEADER_ONLY, 0, "no-leader-only", NULL, "accept any server of a cluster"},
    {0, 0, NULL, NULL, NULL},
};

/* ---- options ---- */

static int parse_number(const char *text, int64_t max, int *ret)
{
    int64_t n;
    if (text_to_i64(text, 10, &n) || n < 0 || n > max)
        return ERR_SYNTAX;
    *ret = (int)n;
    return 0;
}

static int set_text_option(struct ctl *ctl, int id, const char *arg, struct diag *diag)
{
    switch (id) {
    case OPT_TIMEOUT:
        if (parse_number(arg, INT_MAX / 1000, &ctl->timeout_s) || !ctl->timeout_s)
            return diag_set(diag, ERR_INVALID, "value %s on -t or --timeout is invalid", arg);
        return 0;
    case OPT_FORMAT:
        ctl->format_given = true;
        if (!table_format_parse(arg, &ctl->style.format))
            return diag_set(diag, ERR_INVALID, "unknown output format \"%s\"", arg);
        return 0;
    case OPT_DATA:
        ctl->data_given = true;
        if (!value_style_parse(arg, &ctl->style.style))
            return diag_set(diag, ERR_INVALID, "unknown data format \"%s\"", arg);
        return 0;
    case OPT_MAX_COLUMN_WIDTH:
        if (parse_number(arg, INT_MAX, &ctl->style.max_width))
            return diag_set(diag, ERR_INVALID, "invalid max-column-width \"%s\"", arg);
        return 0;
    }
    return ctl_set_log_option(ctl, id, arg, diag);
}

static enum tls_text tls_text(int id)
{
    switch (id) {
    case OPT_PRIVATE_KEY:
        return TLS_KEY;
    case OPT_CERTIFICATE:
        return TLS_CERTIFICATE;
    case OPT_CA_CERT:
        return TLS_CA;
    case OPT_SSL_PROTOCOLS:
        return TLS_PROTOCOLS;
    case OPT_SSL_CIPHERS:
        return TLS_CIPHERS;
    case OPT_SSL_CIPHERSUITES:
        return TLS_CIPHERSUITES;
    default:
        return TLS_BOOTSTRAP_CA;
    }
}

static int set_option(struct ctl *ctl, int id, const char *arg, struct diag *diag)
{
    switch (id) {
    case OPT_DB:
        free(ctl->db);
        ctl->db = xstrdup(arg);
        return 0;
    case OPT_DRY_RUN:
        ctl->dry_run = true;
        return 0;
    case OPT_ONELINE:
        ctl->oneline = true;
        return 0;
    case OPT_NO_HEADINGS:
        ctl->style.headings = false;
        return 0;
    case OPT_PRETTY:
        ctl->style.pretty = true;
        return 0;
    case OPT_BARE:
        ctl->style = (struct table_style){.format = TABLE_LIST, .style = VALUE_BARE};
        return 0;
    case OPT_LEADER_ONLY:
    case OPT_NO_LEADER_ONLY:
        ctl->leader_only = id == OPT_LEADER_ONLY;
        return 0;
    case OPT_RETRY:
        ctl->retry = true;
        return 0;
    case OPT_SHUFFLE:
    case OPT_NO_SHUFFLE:
        ctl->shuffle = id == OPT_SHUFFLE;
        return 0;
    case OPT_HELP:
    case OPT_OPTIONS:
    case OPT_COMMANDS:
    case OPT_TABLES:
    case OPT_VERSION:
        if (!ctl->done_status)
            ctl->done_status = id;
        return 0;
    case OPT_PRIVATE_KEY:
    case OPT_CERTIFICATE:
    case OPT_CA_CERT:
    case OPT_SSL_PROTOCOLS:
    case OPT_SSL_CIPHERS:
    case OPT_SSL_CIPHERSUITES:
    case OPT_BOOTSTRAP_CA:
        ctl->tls_texts[tls_text(id)] = arg;
        return 0;
    case OPT_UNIXCTL:
        ctl->unixctl = arg;
        return 0;
    }
    if (id >= OPT_PROGRAM)
        return ctl->program->set_option(ctl, id, arg, diag);
    return set_text_option(ctl, id, arg, diag);
}

const struct ctl_option *ctl_option_table(const struct ctl_program *program, int i)
{
    static const struct ctl_option none[1] = {{0, 0, NULL, NULL, NULL}};
    const struct ctl_option *const tables[] = {
        program->options ? program->options : none,
        ctl_common_options,
        ctl_log_options,
        program->daemon_variable ? ctl_daemon_options : none,
        program->may_follow ? ctl_leader_options : none,
    };
    return i < (int)ARRAY_SIZE(tables) ? tables[i] : NULL;
}

/* What a name on the command line stands for. */
struct match {
    const struct ctl_option *global;
    const struct ctl_command *command; /* whose option it is, when global is NULL */
    const char *name;                  /* full, with dashes */
    size_t length;
    bool takes_value, value_is_optional;
    unsigned n; /* different names that it abbreviates */
    bool exact;
};

static void consider(struct match *m, const char *text, size_t n, const char *name, size_t length,
                     const struct match *found)
{
    if (m->exact || length < n || strncmp(name, text, n))
        return;
    bool same = m->name && m->length == length && !strncmp(m->name, name, length);
    unsigned count = m->n + !same;
    if (length == n || !same) {
        *m = *found;
        m->name = name;
        m->length = length;
        m->exact = length == n;
    }
    m->n = m->exact ? 1 : count;
}

/* Calls FN with each option of COMMAND. */
static void consider_command(struct match *m, const struct ctl_command *command, const char *text,
                             size_t n)
{
    for (const char *p = command->options; p && *p;) {
        size_t length = strcspn(p, ",=");
        bool takes = p[length] == '=';
        struct match found = {.command = command,
                              .takes_value = takes,
                              .value_is_optional = takes && p[length + 1] == '?'};
        consider(m, text, n, p + 2, length - 2, &found);
        p += strcspn(p, ",");
        p += *p == ',';
    }
}

static struct match find_option(const struct ctl *ctl, const char *text, size_t n)
{
    struct match m = {0};
    const struct ctl_option *table;
    for (int i = 0; (table = ctl_option_table(ctl->program, i)) != NULL; i++)
        for (; table->id; table++) {
            struct match found = {.global = table,
                                  .takes_value = table->arg != NULL,
                                  .value_is_optional = table->arg && *table->arg == '['};
            consider(&m, text, n, table->name, strlen(table->name), &found);
        }
    for (const struct ctl_command *const *t = ctl->program->commands; *t; t++)
        for (const struct ctl_command *c = *t; c->name || c->help; c++)
            if (c->name)
                consider_command(&m, c, text, n);
    return m;
}

struct args {
    int argc;
    char **argv;
    int i;
};

/* A long option at args->argv[args->i]; moves on. Options of commands are collected in CALL. */
static int parse_long(struct ctl *ctl, struct args *args, struct ctl_call *call, struct diag *diag)
{
    const char *word = args->argv[args->i++];
    size_t n = strcspn(word, "=") - 2;
    const char *value = word[n + 2] == '=' ? word + n + 3 : NULL;
    struct match m = find_option(ctl, word + 2, n);
    if (!m.name)
        return diag_set(diag, ERR_INVALID, "unrecognized option '%.*s'", (int)n + 2, word);
    if (m.n > 1)
        return diag_set(diag, ERR_INVALID, "option '%.*s' is ambiguous", (int)n + 2, word);
    if (value && !m.takes_value)
        return diag_set(diag, ERR_INVALID, "option '--%.*s%s%s' doesn't allow an argument",
                        (int)m.length, m.name, m.global ? "" : "=", m.global ? "" : value);
    if (m.takes_value && !m.value_is_optional && !value) {
        if (args->i >= args->argc)
            return diag_set(diag, ERR_INVALID, "option '--%.*s' requires an argument",
                            (int)m.length, m.name);
        value = args->argv[args->i++];
    }
    if (m.global)
        return set_option(ctl, m.global->id, value, diag);
    vec_push(&call->options, value ? xasprintf("--%.*s=%s", (int)m.length, m.name, value)
                                   : xasprintf("--%.*s", (int)m.length, m.name));
    return 0;
}

static int parse_short(struct ctl *ctl, struct args *args, struct diag *diag)
{
    const char *letters = args->argv[args->i++] + 1;
    for (; *letters; letters++) {
        const struct ctl_option *found = NULL, *table;
        for (int i = 0; !found && (table = ctl_option_table(ctl->program, i)) != NULL; i++)
            for (; table->id; table++)
                if (table->letter == *letters)
                    found = table;
        if (!found)
            return diag_set(diag, ERR_INVALID, "invalid option -- '%c'", *letters);
        const char *value = NULL;
        if (found->arg) {
            value = letters[1] ? letters + 1 : NULL;
            if (!value && *found->arg != '[') {
                if (args->i >= args->argc)
                    return diag_set(diag, ERR_INVALID, "option requires an argument -- '%c'",
                                    *letters);
                value = args->argv[args->i++];
            }
        }
        int err = set_option(ctl, found->id, value, diag);
        if (err || found->arg)
            return err;
    }
    return 0;
}

/* ---- commands ---- */

static struct ctl_call *call_new(struct ctl *ctl)
{
    struct ctl_call *call = NEW(struct ctl_call);
    call->ctl = ctl;
    call->diag = (struct diag)DIAG_INIT;
    return call;
}

void ctl_call_free(struct ctl_call *call)
{
    if (!call)
        return;
    for (size_t i = 0; i < call->options.n; i++)
        free(call->options.data[i]);
    vec_fini(&call->options);
    str_fini(&call->out);
    str_fini(&call->warnings);
    table_text_free(call->table);
    diag_fini(&call->diag);
    free(call);
}

static int check_options(const struct ctl_call *call, struct diag *diag)
{
    for (size_t i = 0; i < call->options.n; i++) {
        const char *option = call->options.data[i];
        size_t n = strcspn(option, "=");
        struct match m = {0};
        consider_command(&m, call->command, option + 2, n - 2);
        if (!m.exact)
            return diag_set(diag, ERR_INVALID, "'%s' command has no '%.*s' option",
                            call->command->name, (int)n, option);
        if (option[n] && !m.takes_value)
            return diag_set(diag, ERR_INVALID, "'%.*s' option on '%s' does not accept an argument",
                            (int)n, option, call->command->name);
        if (!option[n] && m.takes_value && !m.value_is_optional)
            return diag_set(diag, ERR_INVALID, "missing argument to '%.*s' option on '%s' command",
                            (int)n, option, call->command->name);
        for (size_t j = 0; j < i; j++)
            if (!strncmp(call->options.data[j], option, n) && strchr("=", call->options.data[j][n]))
                return diag_set(diag, ERR_INVALID, "'%.*s' option specified multiple times", (int)n,
                                option);
    }
    return 0;
}

static int finish_call(struct ctl *ctl, struct ctl_call *call, int argc, char **argv,
                       struct diag *diag)
{
    if (!argc)
        return diag_set(diag, ERR_INVALID, "missing command name (use --help for help)");
    call->command = ctl_find_command(ctl->program, argv[0]);
    if (!call->command)
        return diag_set(diag, ERR_INVALID, "unknown command '%s'; use --help for help", argv[0]);
    call->argc = argc - 1;
    call->argv = argv + 1;
    if (call->argc < call->command->min)
        return diag_set(diag, ERR_INVALID, "'%s' command requires at least %d arguments", argv[0],
                        call->command->min);
    if (call->argc > call->command->max) {
        for (int i = 1; i < argc; i++)
            if (!strncmp(argv[i], "--", 2))
                return diag_set(diag, ERR_INVALID,
                                "'%s' command takes at most %d arguments (note that options must "
                                "precede command names and follow a \"--\" argument)",
                                argv[0], call->command->max);
        return diag_set(diag, ERR_INVALID, "'%s' command takes at most %d arguments", argv[0],
                        call->command->max);
    }
    return check_options(call, diag);
}

/* One command of words [from, to) with its options in front. */
static int parse_call(struct ctl *ctl, struct ctl_call *call, char **argv, int from, int to,
                      struct diag *diag)
{
    while (from < to && argv[from][0] == '-' && argv[from][1] == '-' && argv[from][2])
        vec_push(&call->options, xstrdup(argv[from++]));
    return finish_call(ctl, call, to - from, argv + from, diag);
}

static int parse_calls(struct ctl *ctl, struct ctl_call *first, struct args *args,
                       struct diag *diag)
{
    while (args->i < args->argc) {
        int end = args->i;
        while (end < args->argc && strcmp(args->argv[end], "--"))
            end++;
        if (end > args->i) {
            struct ctl_call *call = first ? first : call_new(ctl);
            if (!first)
                vec_push(&ctl->calls, call);
            first = NULL;
            int err = parse_call(ctl, call, args->argv, args->i, end, diag);
            if (err)
                return err;
        }
        args->i = end + 1;
    }
    if (first)
        return finish_call(ctl, first, 0, NULL, diag);
    return 0;
}

int ctl_parse(struct ctl *ctl, int argc, char **argv, struct diag *diag)
{
    struct args args = {argc, argv, 1};
    struct ctl_call *first = call_new(ctl);
    vec_push(&ctl->calls, first);
    while (args.i < argc && argv[args.i][0] == '-' && argv[args.i][1]) {
        if (!strcmp(argv[args.i], "--")) {
            args.i++;
            break;
        }
        int err = argv[args.i][1] == '-' ? parse_long(ctl, &args, first, diag)
                                         : parse_short(ctl, &args, diag);
        if (err || ctl->done_status)
            return err;
    }
    if (ctl->style.format == TABLE_JSON && !ctl->data_given)
        ctl->style.style = VALUE_JSON;
    return parse_calls(ctl, first, &args, diag);
}

/* As a shell would read it. */
void ctl_put_command_line(int argc, char **argv, struct str *out)
{
    for (int i = 0; i < argc; i++) {
        str_put(out, i ? " " : "");
        bool plain = argv[i][0] && !argv[i][strcspn(argv[i], " \t\n\"\\")];
        if (plain)
            str_put(out, argv[i]);
        else
            json_put_string(argv[i], strlen(argv[i]), out);
    }
}
