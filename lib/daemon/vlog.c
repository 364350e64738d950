/* vlog.c - log level settings in Open vSwitch's words. See vlog.h. */
#include "daemon/vlog.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "io/target.h"

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

/* The destination of this name, or LOG_N_DESTINATIONS. */
static enum log_destination destination_find(const char *word)
{
    static const char *const names[] = {"console", "syslog", "file"};
    size_t i = 0;
    while (i < ARRAY_SIZE(names) && strcasecmp(word, names[i]))
        i++;
    return (enum log_destination)i;
}

int vlog_set(const char *spec, struct diag *diag)
{
    char *copy = xstrdup(spec ? spec : ""), *save = NULL;
    const char *module = NULL;
    enum log_destination destination = LOG_N_DESTINATIONS;
    enum log_level level = LOG_DBG, parsed;
    int err = 0;
    if (!strncasecmp(copy, "PATTERN:", 8) || !strncasecmp(copy, "FACILITY:", 9)) {
        free(copy);
        return diag_set(diag, ERR_INVALID, "the format of log lines is fixed");
    }
    for (char *w = strtok_r(copy, " ,:", &save); w && !err; w = strtok_r(NULL, " ,:", &save)) {
        if (log_level_parse(w, &parsed))
            level = parsed;
        else if (destination_find(w) != LOG_N_DESTINATIONS)
            destination = destination_find(w);
        else if (is_module(w))
            module = w;
        else if (strcasecmp(w, "any"))
            err = diag_set(diag, ERR_INVALID, "no destination, level, or module \"%s\"", w);
    }
    bool found =
        err || (destination == LOG_N_DESTINATIONS ? log_set_level(module, level)
                                                  : log_set_level_at(destination, module, level));
    INVARIANT(found); /* is_module said so */
    free(copy);
    return err;
}

static void put_module(const struct log_module *module, void *out_)
{
    str_putf(out_, "%-16s  %4s       %4s       %4s\n", module->name,
             log_level_name(module->levels[LOG_TO_CONSOLE]),
             log_level_name(module->levels[LOG_TO_SYSLOG]),
             log_level_name(module->levels[LOG_TO_FILE]));
}

void vlog_put_levels(struct str *out)
{
    str_put(out, "                 console    syslog    file\n"
                 "                 -------    ------    ------\n");
    log_for_each_module(put_module, out);
}

/* ---- syslog ---- */

static int open_unix(const char *path, int *ret, struct diag *diag)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof un.sun_path)
        return diag_set(diag, ERR_INVALID, "%s: too long for a socket's name", path);
    memcpy(un.sun_path, path, strlen(path));
    *ret = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (*ret >= 0 && connect(*ret, (struct sockaddr *)&un, sizeof un)) {
        close(*ret);
        *ret = -1; /* nobody listens */
    }
    return 0;
}

static int open_udp(const char *text, int *ret, struct diag *diag)
{
    struct target target;
    char *name = xasprintf("tcp:%s", text);
    int err = target_parse(name, 514, NULL, &target, diag);
    free(name);
    if (err)
        return err;
    *ret = socket(target.addr.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (*ret >= 0 && connect(*ret, (struct sockaddr *)&target.addr, target.addr_len)) {
        close(*ret);
        *ret = -1;
    }
    target_fini(&target);
    return 0;
}

int vlog_open_syslog(const char *method, const char *program, struct diag *diag)
{
    int fd = -1, err = 0;
    if (!strcmp(method, "libc"))
        err = open_unix("/dev/log", &fd, diag);
    else if (text_starts_with(method, "unix:"))
        err = open_unix(method + strlen("unix:"), &fd, diag);
    else if (text_starts_with(method, "udp:"))
        err = open_udp(method + strlen("udp:"), &fd, diag);
    else if (strcmp(method, "null"))
        err = diag_set(diag, ERR_INVALID,
                       "--syslog-method=%s: is not libc, unix:FILE, udp:IP:PORT or null", method);
    if (!err)
        log_set_syslog(fd, program);
    return err;
}
