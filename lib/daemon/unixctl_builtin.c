/* unixctl_builtin.c - the commands that every daemon answers. See unixctl.h. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/log.h"
#include "daemon/unixctl_impl.h"
#include "daemon/vlog.h"

static void reply_str(struct unixctl_conn *conn, struct str *text)
{
    unixctl_reply(conn, str_c(text));
    str_fini(text);
}

static void list_commands(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED,
                          void *ctl_)
{
    const struct unixctl *ctl = ctl_;
    const struct unixctl_command *c;
    struct str out = STR_INIT;
    str_put(&out, "The available commands are:\n");
    LIST_FOR_EACH (c, node, &ctl->commands)
        str_putf(&out, "  %-23s %s\n", c->name, c->usage);
    reply_str(conn, &out);
}

static void version(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED,
                    void *ctl_)
{
    const struct unixctl *ctl = ctl_;
    unixctl_reply(conn, ctl->version);
}

static void vlog_list_cmd(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED,
                          void *aux UNUSED)
{
    struct str out = STR_INIT;
    vlog_put_levels(&out);
    reply_str(conn, &out);
}

static void vlog_set_cmd(struct unixctl_conn *conn, int argc, const char *argv[], void *aux UNUSED)
{
    struct diag diag = DIAG_INIT;
    int err = 0;
    for (int i = 1; i < argc && !err; i++)
        err = vlog_set(argv[i], &diag);
    if (argc == 1)
        err = vlog_set(NULL, &diag);
    if (err)
        unixctl_error(conn, diag_text(&diag));
    else
        unixctl_reply(conn, NULL);
    diag_fini(&diag);
}

static void vlog_reopen_cmd(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED,
                            void *aux UNUSED)
{
    if (log_reopen())
        unixctl_error(conn, "the log file cannot be opened");
    else
        unixctl_reply(conn, NULL);
}

static void vlog_close_cmd(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED,
                           void *aux UNUSED)
{
    log_close_file();
    unixctl_reply(conn, NULL);
}

static void set_limited(struct unixctl_conn *conn, int argc, const char *argv[], bool is_limited)
{
    for (int i = argc > 1; i < argc; i++) {
        if (log_set_limited(i ? argv[i] : NULL, is_limited))
            continue;
        unixctl_error(conn, "unknown module");
        return;
    }
    unixctl_reply(conn, NULL);
}

static void limits_on_cmd(struct unixctl_conn *conn, int argc, const char *argv[], void *aux UNUSED)
{
    set_limited(conn, argc, argv, true);
}

static void limits_off_cmd(struct unixctl_conn *conn, int argc, const char *argv[],
                           void *aux UNUSED)
{
    set_limited(conn, argc, argv, false);
}

static void put_counter(const struct counter *counter, void *out_)
{
    str_putf(out_, "%-32s total: %" PRIu64 "\n", counter->name, counter->n);
}

static void refresh_counters(const struct unixctl *ctl)
{
    for (size_t i = 0; ctl->counters && i < ctl->counted.n; i++)
        ctl->counted.data[i].fn(ctl->counted.data[i].aux, ctl->counters);
}

static void coverage_show(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED,
                          void *ctl_)
{
    const struct unixctl *ctl = ctl_;
    struct str out = STR_INIT;
    str_put(&out, "Event coverage:\n");
    refresh_counters(ctl);
    if (ctl->counters)
        counter_for_each(ctl->counters, put_counter, &out);
    reply_str(conn, &out);
}

static void coverage_read(struct unixctl_conn *conn, int argc UNUSED, const char *argv[],
                          void *ctl_)
{
    const struct unixctl *ctl = ctl_;
    uint64_t n;
    refresh_counters(ctl);
    if (!ctl->counters || !counter_read(ctl->counters, argv[1], &n)) {
        unixctl_error(conn, "No such counter");
        return;
    }
    struct str out = STR_INIT;
    str_putf(&out, "%" PRIu64 "\n", n);
    reply_str(conn, &out);
}

static void memory_show(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED,
                        void *ctl_)
{
    const struct unixctl *ctl = ctl_;
    struct str out = STR_INIT;
    for (size_t i = 0; i < ctl->memory.n; i++) {
        if (out.n && out.s[out.n - 1] != ' ')
            str_putc(&out, ' ');
        ctl->memory.data[i].fn(ctl->memory.data[i].aux, &out);
    }
    str_putc(&out, '\n');
    reply_str(conn, &out);
}

void unixctl_register_builtin(struct unixctl *ctl)
{
    unixctl_register(ctl, "list-commands", "", 0, 0, list_commands, ctl);
    unixctl_register(ctl, "version", "", 0, 0, version, ctl);
    unixctl_register(ctl, "vlog/list", "", 0, 0, vlog_list_cmd, ctl);
    unixctl_register(ctl, "vlog/set", "[SPEC...]", 0, 64, vlog_set_cmd, ctl);
    unixctl_register(ctl, "vlog/reopen", "", 0, 0, vlog_reopen_cmd, ctl);
    unixctl_register(ctl, "vlog/close", "", 0, 0, vlog_close_cmd, ctl);
    unixctl_register(ctl, "vlog/enable-rate-limit", "[MODULE]...", 0, 64, limits_on_cmd, ctl);
    unixctl_register(ctl, "vlog/disable-rate-limit", "[MODULE]...", 0, 64, limits_off_cmd, ctl);
    unixctl_register(ctl, "coverage/show", "", 0, 0, coverage_show, ctl);
    unixctl_register(ctl, "coverage/read-counter", "COUNTER", 1, 1, coverage_read, ctl);
    unixctl_register(ctl, "memory/show", "", 0, 0, memory_show, ctl);
}
