/* help.c - --help, --options and --commands, printed from the tables that the programs run by. */
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl_internal.h"

enum { HELP_COLUMN = 28 };

static void put_entry(struct str *out, const char *left, const char *help)
{
    if (strlen(left) + 2 < HELP_COLUMN)
        str_putf(out, "%-*s%s\n", HELP_COLUMN, left, help);
    else
        str_putf(out, "%s\n%*s%s\n", left, HELP_COLUMN, "", help);
}

static void put_options(const struct ctl_option *table, struct str *out)
{
    for (; table && table->id; table++) {
        if (!table->help)
            continue;
        struct str left = STR_INIT;
        str_putf(&left, "  %c%c%s--%s", table->letter ? '-' : ' ',
                 table->letter ? table->letter : ' ', table->letter ? ", " : "  ", table->name);
        if (table->arg && *table->arg == '[')
            str_putf(&left, "[=%.*s]", (int)strlen(table->arg) - 2, table->arg + 1);
        else if (table->arg)
            str_putf(&left, "=%s", table->arg);
        put_entry(out, str_c(&left), table->help);
        str_fini(&left);
    }
}

/* "--may-exist,--id=,--ovs=?" as "[--may-exist] [--id=VALUE] [--ovs[=VALUE]] ". */
static void put_command_options(const char *options, struct str *out)
{
    for (const char *p = options; p && *p;) {
        size_t n = strcspn(p, ",");
        size_t name = strcspn(p, ",=");
        str_putf(out, "[%.*s%s] ", (int)name, p,
                 name == n            ? ""
                 : p[name + 1] == '?' ? "[=VALUE]"
                                      : "=VALUE");
        p += n;
        p += *p == ',';
    }
}

static void put_commands(const struct ctl_command *c, struct str *out)
{
    for (; c->name || c->help; c++) {
        if (!c->name) {
            str_putf(out, "\n%s:\n", c->help);
            continue;
        }
        if (!c->help)
            continue;
        struct str left = STR_INIT;
        str_put(&left, "  ");
        put_command_options(c->options, &left);
        str_putf(&left, "%s%s%s", c->name, c->args && *c->args ? " " : "", c->args ? c->args : "");
        put_entry(out, str_c(&left), c->help);
        str_fini(&left);
    }
}

void ctl_put_help(const struct ctl_program *program, const char *name, struct str *out)
{
    str_putf(out, "%s: %s\nusage: %s [OPTIONS] COMMAND [ARG...]\n", name, program->summary, name);
    str_put(out, "Several commands, separated by \"--\", form one transaction: all or nothing.\n");
    for (const struct ctl_command *const *t = program->commands; *t; t++)
        put_commands(*t, out);
    str_put(out, "\nOptions:\n");
    const struct ctl_option *table;
    for (int i = 0; (table = ctl_option_table(program, i)) != NULL; i++)
        put_options(table, out);
    char *rundir = rundir_get(program->side, false);
    str_putf(out,
             "\nDATABASE is unix:FILE, tcp:IP:PORT or ssl:IP:PORT, or several of them separated "
             "by commas.\n");
    if (program->db_variable)
        str_putf(out, "The default is that of the environment variable %s, else\n",
                 program->db_variable);
    else
        str_put(out, "The default is ");
    str_putf(out, "unix:%s/%s.\n", rundir, program->socket);
    free(rundir);
}

void ctl_put_options_help(const struct ctl_program *program, struct str *out)
{
    const struct ctl_option *o;
    for (int i = 0; (o = ctl_option_table(program, i)) != NULL; i++)
        for (; o->id; o++)
            if (o->help)
                str_putf(out, "--%s%s\n", o->name, o->arg && *o->arg != '[' ? "=" : "");
}

void ctl_put_commands(const struct ctl_program *program, struct str *out)
{
    for (const struct ctl_command *const *t = program->commands; *t; t++)
        for (const struct ctl_command *c = *t; c->name || c->help; c++)
            if (c->name)
                str_putf(out, "%s\t%s\t%s\n", c->name, c->args ? c->args : "",
                         c->options ? c->options : "");
}

static const struct ctl_command *find_command(const struct ctl_program *program, const char *name)
{
    for (const struct ctl_command *const *t = program->commands; *t; t++)
        for (const struct ctl_command *c = *t; c->name || c->help; c++)
            if (c->name && !strcmp(c->name, name))
                return c;
    return NULL;
}

const struct ctl_command *ctl_find_command(const struct ctl_program *program, const char *name)
{
    const struct ctl_command *command = find_command(program, name);
    for (const struct ctl_old_name *o = program->old_names; !command && o && o->old; o++)
        if (text_starts_with(name, o->old)) {
            struct str now = STR_INIT;
            str_putf(&now, "%s%s", o->new, name + strlen(o->old));
            command = find_command(program, str_c(&now));
            str_fini(&now);
        }
    return command;
}
