/* options.c - command lines from a table, on getopt_long. See options.h. */
#include "daemon/options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/vec.h"

enum { HELP_COLUMN = 30, VAL_BASE = 256 };

struct parser {
    VEC(struct option) longs;
    VEC(const struct option_spec *) specs; /* val - VAL_BASE is an index */
    struct str shorts;
};

static int arg_kind(const struct option_spec *spec)
{
    if (!spec->arg)
        return no_argument;
    return spec->arg[0] == '[' ? optional_argument : required_argument;
}

static void parser_init(struct parser *parser, const struct options *options)
{
    memset(parser, 0, sizeof *parser);
    str_put(&parser->shorts, options->stop_at_positional ? "+:" : ":");
    for (const struct option_spec *const *table = options->tables; *table; table++) {
        for (const struct option_spec *spec = *table; spec->id; spec++) {
            if (spec->id == -1)
                continue;
            vec_push(&parser->specs, spec);
            if (spec->name) {
                struct option o = {spec->name, arg_kind(spec), NULL,
                                   VAL_BASE + (int)parser->specs.n - 1};
                vec_push(&parser->longs, o);
            }
            if (spec->letter) {
                str_putc(&parser->shorts, spec->letter);
                str_put_n(&parser->shorts, "::", (size_t)arg_kind(spec));
            }
        }
    }
    struct option end = {NULL, 0, NULL, 0};
    vec_push(&parser->longs, end);
}

static const struct option_spec *spec_of(const struct parser *parser, int c)
{
    if (c >= VAL_BASE)
        return parser->specs.data[c - VAL_BASE];
    for (size_t i = 0; i < parser->specs.n; i++) {
        if (parser->specs.data[i]->letter == c)
            return parser->specs.data[i];
    }
    return NULL;
}

static int bad_option(const struct parser *parser, int c, char **argv, struct diag *diag)
{
    const struct option_spec *spec = optopt ? spec_of(parser, optopt) : NULL;
    const char *text = argv[optind - 1];
    if (c == ':') {
        if (spec && optopt < VAL_BASE)
            return diag_set(diag, ERR_INVALID, "option requires an argument -- '%c'", optopt);
        return diag_set(diag, ERR_INVALID, "option '%s' requires an argument", text);
    }
    if (optopt >= VAL_BASE)
        return diag_set(diag, ERR_INVALID, "option '--%s' doesn't allow an argument",
                        spec ? spec->name : "?");
    if (optopt)
        return diag_set(diag, ERR_INVALID, "invalid option -- '%c'", optopt);
    return diag_set(diag, ERR_INVALID, "unrecognized option '%s'", text);
}

int options_parse(const struct options *options, int argc, char **argv, int *first,
                  struct diag *diag)
{
    struct parser parser;
    int err = 0;
    parser_init(&parser, options);
    optind = 0; /* starts anew */
    opterr = 0;
    while (!err) {
        int c = getopt_long(argc, argv, str_c(&parser.shorts), parser.longs.data, NULL);
        if (c == -1)
            break;
        if (c == '?' || c == ':')
            err = bad_option(&parser, c, argv, diag);
        else
            err = options->set(options->aux, spec_of(&parser, c)->id, optarg, diag);
    }
    *first = optind;
    vec_fini(&parser.longs);
    vec_fini(&parser.specs);
    str_fini(&parser.shorts);
    return err;
}

/* Appends HELP from column HELP_COLUMN on, further lines of it indented alike. */
static void put_text(const char *help, size_t column, struct str *out)
{
    if (column + 1 >= HELP_COLUMN) {
        str_putc(out, '\n');
        column = 0;
    }
    str_putf(out, "%*s", (int)(HELP_COLUMN - column), "");
    for (; *help; help++) {
        str_putc(out, *help);
        if (*help == '\n')
            str_putf(out, "%*s", HELP_COLUMN, "");
    }
    str_putc(out, '\n');
}

void options_put_help(const struct option_spec *table, struct str *out)
{
    for (const struct option_spec *spec = table; spec->id; spec++) {
        size_t from = out->n;
        if (spec->id == -1) {
            str_putf(out, "\n%s:\n", spec->help);
            continue;
        }
        if (!spec->help)
            continue;
        str_put(out, "  ");
        if (spec->letter)
            str_putf(out, "-%c%s", spec->letter, spec->name ? ", " : "");
        if (spec->name)
            str_putf(out, "--%s", spec->name);
        if (spec->arg && spec->arg[0] == '[')
            str_putf(out, "[%s%s", spec->name ? "=" : "", spec->arg + 1);
        else if (spec->arg)
            str_putf(out, "%s%s", spec->name ? "=" : " ", spec->arg);
        put_text(spec->help, out->n - from, out);
    }
}
