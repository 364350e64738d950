/* test_daemon.c - options, log settings, counters, pid files, the control socket, and a whole daemon
 * that detaches, is killed, comes back and is told to exit. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/log.h"
#include "daemon/daemon.h"
#include "daemon/pidfile.h"
#include "daemon/vlog.h"

LOG_MODULE(testing);

/* ---- options ---- */

static const struct option_spec table[] = {
    OPTION_HEADING("Options"),
    {1, 'a', "alpha", NULL, "no argument"},
    {2, 'b', "beta", "TEXT", "an argument"},
    {3, 0, "gamma", "[TEXT]", "perhaps\none"},
    {4, 'd', NULL, NULL, "only a letter"},
    {5, 0, "hidden", NULL, NULL},
    OPTION_END,
};

static int log_option(void *out_, int id, const char *arg, struct diag *diag)
{
    if (arg && !strcmp(arg, "bad"))
        return diag_set(diag, ERR_INVALID, "bad argument");
    str_putf(out_, "%d=%s;", id, arg ? arg : "");
    return 0;
}

/* Parses the words of LINE; the options and then the arguments, or the error. */
static void check_options(const char *line, bool stop, const char *expect)
{
    static const struct option_spec *const tables[] = {table, NULL};
    char *copy = xstrdup(line), *argv[16] = {copy}, *save = NULL;
    int argc = 0, first;
    for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
        argv[argc++] = w;
    struct str out = STR_INIT;
    struct diag diag = DIAG_INIT;
    struct options options = {tables, log_option, &out, stop};
    if (options_parse(&options, argc, argv, &first, &diag)) {
        str_clear(&out);
        str_put(&out, diag_text(&diag));
    } else {
        for (; first < argc; first++)
            str_putf(&out, "%s;", argv[first]);
    }
    assert_string_equal(str_c(&out), expect);
    str_fini(&out);
    diag_fini(&diag);
    free(copy);
}

static void test_options(void **state UNUSED)
{
    check_options("p -a x --beta=1 -b 2 -b3 y -d", false, "1=;2=1;2=2;2=3;4=;x;y;");
    check_options("p -a x -d", true, "1=;x;-d;");
    check_options("p --gamma --gamma=z -- -a", false, "3=;3=z;-a;");
    check_options("p --al --hidden", false, "1=;5=;");
    check_options("p --nope", false, "unrecognized option '--nope'");
    check_options("p -z", false, "invalid option -- 'z'");
    check_options("p -b", false, "option requires an argument -- 'b'");
    check_options("p --beta", false, "option '--beta' requires an argument");
    check_options("p --alpha=1", false, "option '--alpha' doesn't allow an argument");
    check_options("p --beta=bad", false, "bad argument");
    struct str help = STR_INIT;
    options_put_help(table, &help);
    assert_string_equal(str_c(&help), "\nOptions:\n"
                                      "  -a, --alpha                 no argument\n"
                                      "  -b, --beta=TEXT             an argument\n"
                                      "  --gamma[=TEXT]              perhaps\n"
                                      "                              one\n"
                                      "  -d                          only a letter\n");
    str_fini(&help);
}

static int n_hooked;

static void on_line(enum log_level level UNUSED, const char *line UNUSED, void *aux UNUSED)
{
    n_hooked++;
}

/* Each destination has its own level; what nobody wants is not made. */
static void test_vlog(void **state UNUSED)
{
    struct diag diag = DIAG_INIT;
    char path[] = "/tmp/weft-vlog.XXXXXX";
    close(mkstemp(path));
    assert_int_equal(vlog_set("testing:file:dbg", &diag), 0);
    assert_int_equal(log_module_.level, LOG_INFO); /* of the console: there is no file */
    assert_int_equal(log_set_file(path), 0);
    assert_int_equal(log_module_.level, LOG_DBG);
    assert_int_equal(vlog_set("console:off", &diag), 0);
    assert_int_equal(vlog_set("file:warn", &diag), 0);
    assert_int_equal(log_module_.level, LOG_WARN);
    log_set_hook(on_line, NULL);
    log_info("nobody's");
    log_warn("the file's");
    log_set_hook(NULL, NULL);
    assert_int_equal(n_hooked, 1);
    assert_int_equal(vlog_set("syslog:err", &diag), 0);
    assert_int_equal(vlog_set("nonsense:info", &diag), ERR_INVALID);
    assert_non_null(strstr(diag_text(&diag), "nonsense"));
    diag_fini(&diag);
    struct str out = STR_INIT;
    vlog_put_levels(&out);
    assert_non_null(strstr(str_c(&out), "testing            OFF        ERR       WARN\n"));
    str_fini(&out);
    log_close_file();
    assert_int_equal(log_module_.level, LOG_OFF);
    assert_int_equal(vlog_set("syslog:off", &diag), 0);
    assert_int_equal(vlog_set("any:any:info", &diag), 0);
    assert_int_equal(log_module_.level, LOG_INFO);
    FILE *file = fopen(path, "r");
    char text[200] = "";
    assert_non_null(fgets(text, sizeof text, file));
    assert_non_null(strstr(text, "|testing|WARN|the file's"));
    assert_null(fgets(text, sizeof text, file));
    fclose(file);
    unlink(path);
}

/* Lines for syslog are datagrams, by their own level. */
static void test_syslog(void **state UNUSED)
{
    struct diag diag = DIAG_INIT;
    char dir[] = "/tmp/weft-syslog.XXXXXX", got[300] = "";
    assert_non_null(mkdtemp(dir));
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    snprintf(un.sun_path, sizeof un.sun_path, "%s/log", dir);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof un), 0);
    char *method = xasprintf("unix:%s", un.sun_path);
    assert_int_equal(vlog_open_syslog(method, "prog", &diag), 0);
    log_err("not asked for");
    assert_int_equal(vlog_set("testing:syslog:warn", &diag), 0);
    log_info("too small");
    log_warn("large");
    assert_true(recv(fd, got, sizeof got - 1, 0) > 0);
    assert_int_equal(strncmp(got, "<28>prog[", 9), 0);
    assert_non_null(strstr(got, "]: 0"));
    assert_non_null(strstr(got, "|testing|WARN|large"));
    assert_int_equal(recv(fd, got, sizeof got, 0), -1);
    assert_int_equal(vlog_open_syslog("carrier pigeon", "prog", &diag), ERR_INVALID);
    diag_fini(&diag);
    assert_int_equal(vlog_set("syslog:off", &diag), 0);
    assert_int_equal(vlog_open_syslog("null", "prog", &diag), 0);
    close(fd);
    unlink(un.sun_path);
    rmdir(dir);
    free(method);
}

static void test_counters(void **state UNUSED)
{
    struct counters *counters = counter_set_new();
    struct counter *b = counter_get(counters, "b"), *a = counter_get(counters, "a");
    uint64_t n;
    counter_add(a, 2);
    counter_add(b, 1);
    assert_ptr_equal(counter_get(counters, "a"), a);
    assert_true(counter_read(counters, "a", &n) && n == 2);
    assert_false(counter_read(counters, "c", &n));
    counter_set_free(counters);
}

/* ---- files ---- */

static char *temp_dir(void)
{
    char *dir = xstrdup("/tmp/weft-daemon-XXXXXX");
    assert_non_null(mkdtemp(dir));
    return dir;
}

static void remove_dir(char *dir)
{
    char *cmd = xasprintf("rm -rf %s", dir);
    assert_int_equal(system(cmd), 0);
    free(cmd);
    free(dir);
}

static void test_pidfile(void **state UNUSED)
{
    char *dir = temp_dir(), *path = xasprintf("%s/x.pid", dir);
    struct diag diag = DIAG_INIT;
    int fds[2], fd;
    pid_t pid;
    assert_int_equal(pidfile_read(path, &pid, &diag), ERR_NOT_FOUND);
    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    if (!child) {
        int err = pidfile_create(path, false, &fd, &diag);
        if (write(fds[1], err ? "x" : "y", 1) == 1)
            pause();
        _exit(0);
    }
    char c;
    assert_int_equal(read(fds[0], &c, 1), 1);
    assert_int_equal(c, 'y');
    assert_int_equal(pidfile_read(path, &pid, &diag), 0);
    assert_int_equal(pid, child);
    assert_int_equal(pidfile_create(path, false, &fd, &diag), ERR_EXISTS);
    assert_non_null(strstr(diag_text(&diag), "already running as pid"));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    /* The file is still there, but nobody holds it. */
    assert_int_equal(pidfile_read(path, &pid, &diag), ERR_NOT_FOUND);
    assert_int_equal(pidfile_create(path, false, &fd, &diag), 0);
    pidfile_remove(path, fd);
    assert_int_not_equal(access(path, F_OK), 0);
    close(fds[0]);
    close(fds[1]);
    diag_fini(&diag);
    free(path);
    remove_dir(dir);
}

/* ---- the control socket ---- */

static void hello(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct str out = STR_INIT;
    for (int i = 0; i < argc; i++)
        str_putf(&out, "%s,", argv[i]);
    str_put(&out, aux);
    unixctl_reply(conn, str_c(&out));
    str_fini(&out);
}

static void fails(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED,
                  void *aux UNUSED)
{
    unixctl_error(conn, "it failed");
}

static void later(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED, void *aux)
{
    *(struct unixctl_conn **)aux = conn;
}

static void check_call(struct unixctl *ctl, const char *line, int expect, const char *text)
{
    char *copy = xstrdup(line), *save = NULL, *reply;
    const char *argv[8];
    int argc = 0;
    for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
        argv[argc++] = w;
    assert_int_equal(unixctl_call(ctl, argc, argv, &reply), expect);
    if (text)
        assert_non_null(strstr(reply, text));
    free(reply);
    free(copy);
}

static void count_more(void *n, struct counters *counters)
{
    counter_set(counters, "elsewhere", ++*(uint64_t *)n);
}

static void test_unixctl(void **state UNUSED)
{
    char *dir = temp_dir(), *path = xasprintf("%s/x.ctl", dir);
    struct loop *loop = loop_new(env_real());
    struct counters *counters = counter_set_new();
    struct unixctl *ctl;
    struct unixctl_conn *waiting = NULL;
    struct diag diag = DIAG_INIT;
    char aux[] = "aux";
    counter_add(counter_get(counters, "tested"), 5);
    assert_int_equal(unixctl_new(loop, path, "x 1.0\n", counters, &ctl, &diag), 0);
    unixctl_register(ctl, "hello", "[NAME]", 0, 1, hello, aux);
    unixctl_register(ctl, "fails", "", 0, 0, fails, NULL);
    unixctl_register(ctl, "later", "", 0, 0, later, &waiting);
    unixctl_register(NULL, "ignored", "", 0, 0, fails, NULL);
    check_call(ctl, "hello you", 0, "hello,you,aux");
    check_call(ctl, "hello you all", ERR_INVALID, "takes at most 1 arguments");
    check_call(ctl, "nope", ERR_INVALID, "\"nope\" is not a valid command");
    check_call(ctl, "list-commands", 0, "hello                   [NAME]");
    check_call(ctl, "version", 0, "x 1.0");
    check_call(ctl, "coverage/show", 0, "tested");
    check_call(ctl, "coverage/read-counter tested", 0, "5");
    uint64_t n = 6;
    unixctl_add_counters(ctl, count_more, &n);
    check_call(ctl, "coverage/read-counter elsewhere", 0, "7");
    check_call(ctl, "coverage/show", 0, "elsewhere                        total: 8");
    check_call(ctl, "coverage/read-counter", ERR_INVALID, "at least 1");
    check_call(ctl, "vlog/list", 0, "testing");
    check_call(ctl, "vlog/set nonsense", ERR_INVALID, "nonsense");
    check_call(ctl, "memory/show", 0, "");
    check_call(ctl, "fails", ERR_INVALID, "it failed");
    check_call(ctl, "later", ERR_AGAIN, NULL);
    unixctl_reply(waiting, "to nobody");
    unixctl_unregister(ctl, "hello");
    check_call(ctl, "hello", ERR_INVALID, "not a valid command");
    /* A client that goes away while its command is at work. */
    struct stream *s;
    char *target = xasprintf("unix:%s", path);
    struct stream_options options = {0};
    waiting = NULL;
    assert_int_equal(stream_connect(loop, target, &options, &s, &diag), 0);
    stream_write_text(s, "{\"id\":1,\"method\":\"later\",\"params\":[]}");
    for (int i = 0; i < 1000 && !waiting; i++)
        loop_run_once(loop, 1000);
    assert_non_null(waiting);
    stream_free(s);
    for (int i = 0; i < 10; i++)
        loop_run_once(loop, 1000);
    unixctl_reply(waiting, "too late");
    free(target);
    unixctl_free(ctl);
    assert_int_not_equal(access(path, F_OK), 0);
    counter_set_free(counters);
    loop_free(loop);
    diag_fini(&diag);
    free(path);
    remove_dir(dir);
}

/* ---- a whole daemon ---- */

struct prog {
    int option;
    struct timer tick;
};

static const struct option_spec prog_options[] = {{1, 0, "fail", NULL, "fail to start"},
                                                  OPTION_END};

static int prog_set(void *p_, int id, const char *arg UNUSED, struct diag *diag UNUSED)
{
    ((struct prog *)p_)->option = id;
    return 0;
}

static int prog_start(void *p_, struct daemon *daemon, bool *ready UNUSED, struct diag *diag)
{
    struct prog *p = p_;
    unixctl_register(daemon_unixctl(daemon), "fails", "", 0, 0, fails, NULL);
    return p->option ? diag_set(diag, ERR_INVALID, "told to fail") : 0;
}

static void prog_stop(void *p_ UNUSED)
{
}

/* Runs the daemon's main in a child, as a shell would. Its exit status. */
static int run_daemon(const char *dir, const char *const *args)
{
    static const struct daemon_spec spec = {.name = "prog",
                                            .side = RUNDIR_OVN,
                                            .summary = "a test",
                                            .options = prog_options,
                                            .set_option = prog_set,
                                            .start = prog_start,
                                            .stop = prog_stop};
    pid_t child = fork();
    if (!child) {
        char *argv[16] = {(char *)"prog"};
        int argc = 1;
        struct prog prog = {0};
        for (; *args; args++)
            argv[argc++] = xstrdup(*args);
        setenv("WEFT_RUNDIR", dir, 1);
        setenv("WEFT_LOGDIR", dir, 1);
        fclose(stderr);
        fclose(stdout);
        _exit(daemon_main(argc, argv, &spec, &prog));
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int ask(const char *dir, const char *command)
{
    const char *argv[] = {command};
    struct diag diag = DIAG_INIT;
    char *reply;
    int err = unixctl_request("prog", dir, 1, argv, 5000, &reply, &diag);
    free(reply);
    diag_fini(&diag);
    return err;
}

static pid_t pid_of(const char *dir)
{
    char *path = xasprintf("%s/prog.pid", dir);
    pid_t pid = 0;
    if (pidfile_read(path, &pid, NULL))
        pid = 0;
    free(path);
    return pid;
}

static void sleep_ms(long ms)
{
    struct timespec ts = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&ts, NULL);
}

static void test_daemon(void **state UNUSED)
{
    char *dir = temp_dir();
    const char *good[] = {"--detach",   "--pidfile",     "--monitor",
                          "--log-file", "-vconsole:off", NULL};
    const char *bad[] = {"--detach", "--fail", NULL};
    const char *wrong[] = {"--nope", NULL}, *extra[] = {"argument", NULL};
    const char *help[] = {"--help", NULL};
    assert_int_equal(run_daemon(dir, wrong), 1);
    assert_int_equal(run_daemon(dir, extra), 1);
    assert_int_equal(run_daemon(dir, help), 0);
    assert_int_equal(run_daemon(dir, bad), 1);
    assert_int_equal(run_daemon(dir, good), 0);
    pid_t pid = pid_of(dir);
    assert_true(pid > 0);
    assert_int_equal(ask(dir, "version"), 0);
    assert_int_equal(ask(dir, "fails"), ERR_INVALID);
    assert_int_equal(run_daemon(dir, good), 1); /* already running */
    /* Killed, it comes back under another pid; its socket does not stay behind. */
    kill(pid, SIGKILL);
    pid_t again = 0;
    for (int i = 0; i < 500 && (!again || again == pid); i++) {
        sleep_ms(10);
        again = pid_of(dir);
    }
    assert_true(again && again != pid);
    for (int i = 0; i < 200 && ask(dir, "version"); i++)
        sleep_ms(10);
    assert_int_equal(ask(dir, "version"), 0);
    char *old = xasprintf("%s/prog.%ld.ctl", dir, (long)pid);
    assert_int_not_equal(access(old, F_OK), 0);
    free(old);
    assert_int_equal(ask(dir, "exit"), 0);
    for (int i = 0; i < 500 && pid_of(dir); i++)
        sleep_ms(10);
    assert_int_equal(pid_of(dir), 0); /* and stays away */
    remove_dir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options), cmocka_unit_test(test_vlog),
        cmocka_unit_test(test_syslog),  cmocka_unit_test(test_counters),
        cmocka_unit_test(test_pidfile), cmocka_unit_test(test_unixctl),
        cmocka_unit_test(test_daemon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
