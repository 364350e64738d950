/* log.c - the log of a process. The only writable globals of the tree live here (ADR 0002). */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/str.h"

static struct {
    pthread_mutex_t lock;
    struct log_module *modules;
    enum log_level level; /* for modules that register later */
    bool quiet;
    int fd; /* of the log file, or 0 */
    char *path;
    unsigned long seq;
    void (*hook)(enum log_level level, const char *line, void *aux);
    void *hook_aux;
} state = {.lock = PTHREAD_MUTEX_INITIALIZER, .level = LOG_INFO};

static const char *const level_names[] = {"OFF", "EMER", "ERR", "WARN", "INFO", "DBG"};

void log_register(struct log_module *module)
{
    struct log_module **p = &state.modules;
    while (*p && strcmp((*p)->name, module->name) < 0)
        p = &(*p)->next;
    module->next = *p;
    module->level = (int)state.level;
    *p = module;
}

static void put_header(struct str *line, const struct log_module *module, enum log_level level)
{
    struct timespec ts;
    struct tm tm;
    clock_gettime(CLOCK_REALTIME, &ts);
    gmtime_r(&ts.tv_sec, &tm);
    char when[32];
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &tm);
    str_putf(line, "%s.%03ldZ|%05lu|%s|%s|", when, ts.tv_nsec / 1000000, ++state.seq, module->name,
             level_names[level]);
}

static void write_all(int fd, const char *s, size_t n)
{
    while (n) {
        ssize_t k = write(fd, s, n);
        if (k < 0 && errno != EINTR)
            return; /* nowhere to report it */
        if (k > 0) {
            s += k;
            n -= (size_t)k;
        }
    }
}

void log_write(const struct log_module *module, enum log_level level, const char *format, ...)
{
    int saved_errno = errno;
    struct str line = STR_INIT;
    pthread_mutex_lock(&state.lock);
    put_header(&line, module, level);
    va_list args;
    va_start(args, format);
    str_vputf(&line, format, args);
    va_end(args);
    if (state.hook)
        state.hook(level, str_c(&line), state.hook_aux);
    str_putc(&line, '\n');
    if (!state.quiet)
        write_all(STDERR_FILENO, line.s, line.n);
    if (state.fd > 0)
        write_all(state.fd, line.s, line.n);
    pthread_mutex_unlock(&state.lock);
    str_fini(&line);
    errno = saved_errno;
}

bool log_admit(struct log_rate *rate, const struct log_module *module, enum log_level level)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    int64_t now = (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
    if (rate->rate) {
        int64_t add = (now - rate->last_ms) * rate->rate / 60000;
        if (add > 0) {
            rate->tokens = (unsigned)MIN((int64_t)rate->burst, rate->tokens + add);
            rate->last_ms = now;
        }
    }
    if (!rate->tokens) {
        rate->skipped++;
        return false;
    }
    rate->tokens--;
    if (rate->skipped) {
        unsigned skipped = rate->skipped;
        rate->skipped = 0;
        log_write(module, level, "dropped %u similar log messages (excessive rate)", skipped);
    }
    return true;
}

bool log_set_level(const char *module, enum log_level level)
{
    bool all = !module || !strcasecmp(module, "ANY"), found = all;
    if (all)
        state.level = level;
    for (struct log_module *m = state.modules; m; m = m->next) {
        if (all || !strcasecmp(m->name, module)) {
            m->level = (int)level;
            found = true;
        }
    }
    return found;
}

bool log_level_parse(const char *text, enum log_level *ret)
{
    for (size_t i = 0; i < ARRAY_SIZE(level_names); i++) {
        if (!strcasecmp(text, level_names[i])) {
            *ret = (enum log_level)i;
            return true;
        }
    }
    return false;
}

const char *log_level_name(enum log_level level)
{
    return level_names[level];
}

void log_for_each_module(void (*fn)(const struct log_module *module, void *aux), void *aux)
{
    for (struct log_module *m = state.modules; m; m = m->next)
        fn(m, aux);
}

int log_set_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (fd < 0)
        return ERR_IO;
    char *copy = xstrdup(path);
    pthread_mutex_lock(&state.lock);
    if (state.fd > 0)
        close(state.fd);
    state.fd = fd;
    free(state.path);
    state.path = copy;
    pthread_mutex_unlock(&state.lock);
    return 0;
}

int log_reopen(void)
{
    if (!state.path)
        return 0;
    char *path = xstrdup(state.path);
    int err = log_set_file(path);
    free(path);
    return err;
}

void log_set_stderr(bool on)
{
    state.quiet = !on;
}

void log_set_hook(void (*fn)(enum log_level level, const char *line, void *aux), void *aux)
{
    state.hook = fn;
    state.hook_aux = aux;
}
