/* log.c - the log of a process. The only writable globals of the tree live here (ADR 0002). */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/str.h"

static struct {
    pthread_mutex_t lock;
    struct log_module *modules;
    bool quiet;
    int fd; /* of the log file, or 0 */
    char *path;
    int syslog_fd; /* or 0 */
    char *program;
    unsigned long seq;
    void (*hook)(enum log_level level, const char *line, void *aux);
    void *hook_aux;
} state = {.lock = PTHREAD_MUTEX_INITIALIZER};

static const char *const level_names[] = {"OFF", "EMER", "ERR", "WARN", "INFO", "DBG"};

void log_register(struct log_module *module)
{
    struct log_module **p = &state.modules;
    while (*p && strcmp((*p)->name, module->name) < 0)
        p = &(*p)->next;
    module->next = *p;
    module->level = module->levels[LOG_TO_CONSOLE] = module->levels[LOG_TO_FILE] = LOG_INFO;
    *p = module;
}

/* ---- where a line goes ---- */

static bool is_open(enum log_destination destination)
{
    switch (destination) {
    case LOG_TO_CONSOLE:
        return !state.quiet || state.hook;
    case LOG_TO_SYSLOG:
        return state.syslog_fd > 0;
    case LOG_TO_FILE:
        return state.fd > 0;
    case LOG_N_DESTINATIONS:
        break;
    }
    return false;
}

/* After a change of levels or of what is open: what no destination wants is not even made. */
static void update_levels(void)
{
    for (struct log_module *m = state.modules; m; m = m->next) {
        enum log_level level = LOG_OFF;
        for (int d = 0; d < LOG_N_DESTINATIONS; d++) {
            if (is_open((enum log_destination)d))
                level = MAX(level, m->levels[d]);
        }
        m->level = (int)level;
    }
}

static bool wants(const struct log_module *module, enum log_destination destination,
                  enum log_level level)
{
    return is_open(destination) && module->levels[destination] >= level;
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

/* LINE without its time: syslog has its own (RFC 3164, facility daemon). */
static void send_syslog(enum log_level level, const struct str *line)
{
    static const int severities[] = {0, 0, 3, 4, 6, 7};
    struct str out = STR_INIT;
    const char *text = strchr(line->s, '|');
    str_putf(&out, "<%d>%s[%ld]: %s", 3 * 8 + severities[level], state.program, (long)getpid(),
             text ? text + 1 : line->s);
    if (send(state.syslog_fd, out.s, out.n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
        /* Nowhere to report it. */
    }
    str_fini(&out);
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
    if (wants(module, LOG_TO_SYSLOG, level))
        send_syslog(level, &line);
    str_putc(&line, '\n');
    if (!state.quiet && wants(module, LOG_TO_CONSOLE, level))
        write_all(STDERR_FILENO, line.s, line.n);
    if (wants(module, LOG_TO_FILE, level))
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
    if (!rate->tokens && !module->is_unlimited) {
        rate->skipped++;
        return false;
    }
    rate->tokens -= rate->tokens != 0;
    if (rate->skipped) {
        unsigned skipped = rate->skipped;
        rate->skipped = 0;
        log_write(module, level, "dropped %u similar log messages (excessive rate)", skipped);
    }
    return true;
}

static bool is_meant(const struct log_module *module, const char *name)
{
    return !name || !strcasecmp(name, "ANY") || !strcasecmp(module->name, name);
}

bool log_set_level_at(enum log_destination destination, const char *module, enum log_level level)
{
    bool found = !module || !strcasecmp(module, "ANY");
    for (struct log_module *m = state.modules; m; m = m->next) {
        if (is_meant(m, module)) {
            m->levels[destination] = level;
            found = true;
        }
    }
    update_levels();
    return found;
}

bool log_set_level(const char *module, enum log_level level)
{
    return log_set_level_at(LOG_TO_CONSOLE, module, level) &&
           log_set_level_at(LOG_TO_FILE, module, level);
}

bool log_set_limited(const char *module, bool is_limited)
{
    bool found = !module || !strcasecmp(module, "ANY");
    for (struct log_module *m = state.modules; m; m = m->next) {
        if (is_meant(m, module)) {
            m->is_unlimited = !is_limited;
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
    update_levels();
    return 0;
}

void log_close_file(void)
{
    pthread_mutex_lock(&state.lock);
    if (state.fd > 0)
        close(state.fd);
    state.fd = 0;
    pthread_mutex_unlock(&state.lock);
    update_levels();
}

void log_set_syslog(int fd, const char *program)
{
    char *copy = program ? xstrdup(program) : NULL;
    pthread_mutex_lock(&state.lock);
    if (state.syslog_fd > 0)
        close(state.syslog_fd);
    state.syslog_fd = MAX(fd, 0);
    free(state.program);
    state.program = copy;
    pthread_mutex_unlock(&state.lock);
    update_levels();
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
    update_levels();
}

void log_set_hook(void (*fn)(enum log_level level, const char *line, void *aux), void *aux)
{
    state.hook = fn;
    state.hook_aux = aux;
    update_levels();
}
