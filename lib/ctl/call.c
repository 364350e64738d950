/* call.c - what a command's run function has at hand: its options, the invocation it belongs to, failing and warning. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "ctl/ctl_internal.h"

int ctl_fail(struct ctl_call *call, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = xvasprintf(format, args);
    va_end(args);
    diag_set(&call->diag, ERR_INVALID, "%s", text);
    free(text);
    return ERR_INVALID;
}

static const char *find_given(const struct ctl_call *call, const char *option)
{
    size_t n = strlen(option);
    for (size_t i = 0; i < call->options.n; i++)
        if (!strncmp(call->options.data[i], option, n) && strchr("=", call->options.data[i][n]))
            return call->options.data[i];
    return NULL;
}

bool ctl_has_option(const struct ctl_call *call, const char *option)
{
    return find_given(call, option) != NULL;
}

const char *ctl_option(const struct ctl_call *call, const char *option)
{
    const char *given = find_given(call, option);
    const char *value = given ? strchr(given, '=') : NULL;
    return value ? value + 1 : NULL;
}

void ctl_set_status(struct ctl_call *call, int status)
{
    call->ctl->status = status;
}

void *ctl_aux(const struct ctl *ctl)
{
    return ctl->aux;
}

struct view *ctl_view(const struct ctl *ctl)
{
    return ctl->view;
}

const struct schema *ctl_schema(const struct ctl *ctl)
{
    return ctl->schema;
}

struct replica *ctl_replica(const struct ctl *ctl)
{
    return ctl->replica;
}

struct tls_config *ctl_tls(const struct ctl *ctl)
{
    return ctl->tls;
}

struct ctl_symbols *ctl_symbols(struct ctl *ctl)
{
    return &ctl->symbols;
}

const struct ctl_program *ctl_program(const struct ctl *ctl)
{
    return ctl->program;
}

bool ctl_is_dry_run(const struct ctl *ctl)
{
    return ctl->dry_run;
}

void ctl_want_cost(struct ctl *ctl)
{
    ctl->wants_cost = true;
}

const struct table_style *ctl_table_style(const struct ctl *ctl)
{
    return &ctl->style;
}

static void put_warning(struct str *out, const char *module, const char *format, va_list args)
{
    int64_t now_us = env_real()->wall_us(env_real());
    time_t seconds = (time_t)(now_us / 1000000);
    struct tm tm;
    char stamp[32];
    gmtime_r(&seconds, &tm);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &tm);
    str_putf(out, "%s|00001|%s|WARN|", stamp, module);
    str_vputf(out, format, args);
    str_putc(out, '\n');
}

void ctl_warn_now(const char *module, const char *format, ...)
{
    struct str text = STR_INIT;
    va_list args;
    va_start(args, format);
    put_warning(&text, module, format, args);
    va_end(args);
    fputs(str_c(&text), stderr);
    str_fini(&text);
}

void ctl_warn(struct ctl_call *call, const char *module, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    put_warning(&call->warnings, module, format, args);
    va_end(args);
}

void ctl_need(struct ctl *ctl, const struct schema_table *table)
{
    INVARIANT(table != NULL);
    ctl->needed[table->index] = true;
}
