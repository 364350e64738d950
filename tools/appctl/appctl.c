/* appctl.c - weft-appctl. See appctl.h. */
#include "tools/appctl/appctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "daemon/options.h"
#include "daemon/unixctl.h"
#include "io/rundir.h"

enum option_id { OPT_TARGET = 1, OPT_TIMEOUT, OPT_HELP, OPT_VERSION };

static const struct option_spec option_table[] = {
    OPTION_HEADING("Options"),
    {OPT_TARGET, 't', "target", "TARGET", "path of a control socket, or a daemon's name"},
    {OPT_TIMEOUT, 'T', "timeout", "SECS", "end with an error when it takes longer"},
    {OPT_HELP, 'h', "help", NULL, "print this text"},
    {OPT_VERSION, 'V', "version", NULL, "print the version"},
    OPTION_END,
};

struct appctl {
    const char *program, *target;
    int64_t timeout_ms;
    bool help, version;
};

static int set_option(void *a_, int id, const char *arg, struct diag *diag)
{
    struct appctl *a = a_;
    uint64_t seconds;
    switch ((enum option_id)id) {
    case OPT_TARGET:
        a->target = arg;
        return 0;
    case OPT_TIMEOUT:
        if (text_to_u64(arg, 10, &seconds) || !seconds || seconds > 1000000)
            return diag_set(diag, ERR_INVALID, "value %s on -T or --timeout is invalid", arg);
        a->timeout_ms = (int64_t)seconds * 1000;
        return 0;
    case OPT_HELP:
        a->help = true;
        return 0;
    case OPT_VERSION:
        a->version = true;
        return 0;
    default:
        return ERR_INVALID;
    }
}

static void print_help(const struct appctl *a)
{
    struct str out = STR_INIT;
    str_putf(&out,
             "%s: asks a running daemon\nusage: %s [-t TARGET] COMMAND [ARG...]\n\n"
             "Without -t the daemon is %s. Commands of every daemon:\n"
             "  list-commands             what this daemon can be asked\n"
             "  version                   its version\n"
             "  vlog/list, vlog/set SPEC, vlog/reopen\n"
             "  coverage/show, memory/show\n"
             "  exit                      end gracefully\n",
             a->program, a->program, a->target);
    options_put_help(option_table, &out);
    fputs(str_c(&out), stdout);
    str_fini(&out);
}

/* The daemon may live in either run directory: try that of its own kind first. */
static int request(const struct appctl *a, int argc, const char **argv, char **reply,
                   struct diag *diag)
{
    bool peer = !text_starts_with(a->target, "weft-");
    bool is_ovn = text_starts_with(a->target, "ovn") || !strcmp(a->target, "weft-northd") ||
                  !strcmp(a->target, "weft-controller");
    enum rundir_side sides[] = {is_ovn ? RUNDIR_OVN : RUNDIR_OVS, is_ovn ? RUNDIR_OVS : RUNDIR_OVN};
    int err = 0;
    for (size_t i = 0; i < ARRAY_SIZE(sides); i++) {
        struct diag next = DIAG_INIT;
        char *rundir = rundir_get(sides[i], peer);
        err = unixctl_request(a->target, rundir, argc, argv, a->timeout_ms, reply, &next);
        free(rundir);
        if (err != ERR_NOT_FOUND || i == 0)
            diag_set(diag, err, "%s", diag_text(&next));
        diag_fini(&next);
        if (err != ERR_NOT_FOUND)
            break;
    }
    return err;
}

static int run(const struct appctl *a, int argc, const char **argv)
{
    struct diag diag = DIAG_INIT;
    char *reply = NULL;
    int err = request(a, argc, argv, &reply, &diag), status = 0;
    if (!reply) {
        fprintf(stderr, "%s: %s\n", a->program, diag_text(&diag));
        status = 1;
    } else {
        FILE *to = err ? stderr : stdout;
        size_t n = strlen(reply);
        fputs(reply, to);
        if (n && reply[n - 1] != '\n')
            fputc('\n', to);
        if (err) {
            fprintf(stderr, "%s: %s: server returned an error\n", a->program, a->target);
            status = 2;
        }
    }
    free(reply);
    diag_fini(&diag);
    return status;
}

static const char *default_target(const char *program)
{
    if (!strcmp(program, "ovs-appctl"))
        return "ovs-vswitchd";
    if (!strcmp(program, "ovn-appctl"))
        return "ovn-northd";
    return "weft-switchd";
}

int appctl_main(int argc, char **argv)
{
    static const struct option_spec *const tables[] = {option_table, NULL};
    const char *slash = strrchr(argv[0], '/');
    struct appctl a = {.program = slash ? slash + 1 : argv[0]};
    struct options options = {
        .tables = tables, .set = set_option, .aux = &a, .stop_at_positional = true};
    struct diag diag = DIAG_INIT;
    int first, status = 0;
    a.target = default_target(a.program);
    int err = options_parse(&options, argc, argv, &first, &diag);
    if (!err && a.help) {
        print_help(&a);
    } else if (!err && a.version) {
        printf("%s " WEFT_VERSION "\n", a.program);
    } else if (!err && first == argc) {
        err = diag_set(&diag, ERR_INVALID,
                       "at least one non-option argument is required (use --help for help)");
    } else if (!err) {
        status = run(&a, argc - first, (const char **)argv + first);
    }
    if (err) {
        fprintf(stderr, "%s: %s\n", a.program, diag_text(&diag));
        status = 1;
    }
    diag_fini(&diag);
    return status;
}
