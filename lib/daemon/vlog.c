/* vlog.c - log level settings in Open vSwitch's words. See vlog.h. */
#include "daemon/vlog.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/log.h"

struct module_search {
    const char *name;
    bool found;
};

static void match_module(const struct log_module *module, void *search_)
{
    struct module_search *search = search_;
    if (!strcasecmp(module->name, search->name))
        search->found = true;
}

static bool is_module(const char *word)
{
    struct module_search search = {word, false};
    log_for_each_module(match_module, &search);
    return search.found;
}

static const char *destination_find(const char *word)
{
    static const char *const names[] = {"console", "syslog", "file"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (!strcasecmp(word, names[i]))
            return names[i];
    }
    return NULL;
}

int vlog_set(const char *spec, struct diag *diag)
{
    char *copy = xstrdup(spec ? spec : ""), *save = NULL, *module = NULL;
    const char *destination = NULL;
    enum log_level level = LOG_DBG, parsed;
    int err = 0;
    if (!strncasecmp(copy, "PATTERN:", 8) || !strncasecmp(copy, "FACILITY:", 9)) {
        free(copy);
        return diag_set(diag, ERR_INVALID, "the format of log lines is fixed");
    }
    for (char *w = strtok_r(copy, " ,:", &save); w && !err; w = strtok_r(NULL, " ,:", &save)) {
        if (log_level_parse(w, &parsed))
            level = parsed;
        else if (destination_find(w))
            destination = destination_find(w);
        else if (is_module(w))
            module = w;
        else if (strcasecmp(w, "any"))
            err = diag_set(diag, ERR_INVALID, "no destination, level, or module \"%s\"", w);
    }
    bool console = !destination || !strcmp(destination, "console");
    bool is_syslog = destination && !strcmp(destination, "syslog");
    if (!err && console && destination && !module)
        log_set_stderr(level > LOG_EMER);
    if (!err && !is_syslog && !(console && destination && level <= LOG_EMER) &&
        !log_set_level(module, level))
        err = diag_set(diag, ERR_INVALID, "no module \"%s\"", module);
    free(copy);
    return err;
}

static void put_module(const struct log_module *module, void *out_)
{
    const char *level = log_level_name((enum log_level)module->level);
    str_putf(out_, "%-16s  %4s       %4s       %4s\n", module->name, level, "OFF", level);
}

void vlog_put_levels(struct str *out)
{
    str_put(out, "                 console    syslog    file\n"
                 "                 -------    ------    ------\n");
    log_for_each_module(put_module, out);
}
