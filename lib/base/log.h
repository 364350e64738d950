/* log.h - log lines of a process: to standard error, syslog, a file and a function, with a level for
 * each module and destination.
 *
 * Each file that logs says once:  LOG_MODULE(pinctrl);  then  log_warn("port %s: ...", name);
 * Lines look like  2026-11-21T07:45:54.123Z|00042|pinctrl|WARN|text  so that tools for Open vSwitch
 * logs read them. lib/ logs at debug only; programs log once for an event. This is the one module
 * with writable globals (ADR 0002).
 */
#pragma once

#include "base/util.h"

enum log_level { LOG_OFF, LOG_EMER, LOG_ERR, LOG_WARN, LOG_INFO, LOG_DBG };

enum log_destination { LOG_TO_CONSOLE, LOG_TO_SYSLOG, LOG_TO_FILE, LOG_N_DESTINATIONS };

struct log_module {
    const char *name;
    int level;         /* enum log_level: lines above it are written nowhere */
    bool is_unlimited; /* struct log_rate does not hold */
    enum log_level levels[LOG_N_DESTINATIONS];
    struct log_module *next;
};

#define LOG_MODULE(NAME)                                                                           \
    static struct log_module log_module_ = {.name = #NAME};                                        \
    __attribute__((constructor)) static void log_register_##NAME(void)                             \
    {                                                                                              \
        log_register(&log_module_);                                                                \
    }                                                                                              \
    extern int log_module_needs_semicolon_##NAME

#define log_at(LEVEL, ...)                                                                         \
    do {                                                                                           \
        if (log_module_.level >= (LEVEL))                                                          \
            log_write(&log_module_, (LEVEL), __VA_ARGS__);                                         \
    } while (0)
#define log_err(...) log_at(LOG_ERR, __VA_ARGS__)
#define log_warn(...) log_at(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_at(LOG_INFO, __VA_ARGS__)
#define log_dbg(...) log_at(LOG_DBG, __VA_ARGS__)

/* At most BURST lines at once and then RATE a minute; what was left out is counted in the next line
 * written. static struct log_rate rate = LOG_RATE(5, 1);  log_warn_limited(&rate, "..."); */
struct log_rate {
    unsigned rate, burst; /* lines a minute, lines at once */
    unsigned tokens, skipped;
    int64_t last_ms;
};
#define LOG_RATE(RATE, BURST)                                                                      \
    {                                                                                              \
        .rate = (RATE), .burst = (BURST), .tokens = (BURST)                                        \
    }
#define log_limited(LEVEL, LIMIT, ...)                                                             \
    do {                                                                                           \
        if (log_module_.level >= (LEVEL) && log_admit((LIMIT), &log_module_, (LEVEL)))             \
            log_write(&log_module_, (LEVEL), __VA_ARGS__);                                         \
    } while (0)
#define log_err_limited(LIMIT, ...) log_limited(LOG_ERR, LIMIT, __VA_ARGS__)
#define log_warn_limited(LIMIT, ...) log_limited(LOG_WARN, LIMIT, __VA_ARGS__)
#define log_info_limited(LIMIT, ...) log_limited(LOG_INFO, LIMIT, __VA_ARGS__)
#define log_dbg_limited(LIMIT, ...) log_limited(LOG_DBG, LIMIT, __VA_ARGS__)

void log_register(struct log_module *module);
void log_write(const struct log_module *module, enum log_level level, const char *format, ...)
    PRINTF_FORMAT(3, 4);
bool log_admit(struct log_rate *rate, const struct log_module *module, enum log_level level);

/* Sets the level of one module (name compared without case) or of all ("ANY" or NULL) at one
 * destination. False: no such module. Syslog is off at start, the others are at info. */
bool log_set_level_at(enum log_destination destination, const char *module, enum log_level level);
/* The same for console and file. */
bool log_set_level(const char *module, enum log_level level);
/* Limits (struct log_rate) of one module or of all hold, or do not. False: no such module. */
bool log_set_limited(const char *module, bool is_limited);
/* "off" "emer" "err" "warn" "info" "dbg", any case. False when TEXT is none of them. */
bool log_level_parse(const char *text, enum log_level *ret);
const char *log_level_name(enum log_level level);
/* Calls FN for each module, in the order of their names. */
void log_for_each_module(void (*fn)(const struct log_module *module, void *aux), void *aux);
/* Opens (or, when given again, reopens) the file that lines are appended to. 0 or ERR_IO. */
int log_set_file(const char *path) MUST_CHECK;
int log_reopen(void);
void log_close_file(void); /* log_reopen opens it again */
/* Datagrams to the socket FD, which is taken over, carry each line to syslog as from PROGRAM; -1 ends
 * it. */
void log_set_syslog(int fd, const char *program);
void log_set_stderr(bool on); /* on at start */
/* Sends every line that is written also to FN (NULL ends it); for tests. */
void log_set_hook(void (*fn)(enum log_level level, const char *line, void *aux), void *aux);
