/* test_kill.c - kill -9 at random moments loses no acknowledged transaction, and every file opens.
 *
 * A child commits transactions, several together, and writes the number of each, once it is done, to
 * a pipe; the parent kills it after a random time, opens the file, and compares with what arrived.
 * Each transaction touches several tables together, so half a transaction would show. With an
 * argument it does so that many times: unit_store_kill 1000.
 */
#include "harness.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 50, TOGETHER = 8 };

static int n_rounds = ROUNDS;

static void acknowledge(int fd, uint32_t n)
{
    if (write(fd, &n, sizeof n) != sizeof n)
        _exit(1);
}

/* Transaction N: row "n<N>" with a leaf of value N, and the counter row set to N. */
static char *transaction(uint32_t n)
{
    return xasprintf("{\"op\":\"insert\",\"table\":\"Leaf\",\"uuid-name\":\"l\",\"row\":{\"val\":%"
                     "u,\"name\":\"%u\"}},"
                     "{\"op\":\"insert\",\"table\":\"Root\",\"row\":{\"name\":\"n%u\",\"leaf\":["
                     "\"named-uuid\",\"l\"],"
                     "\"mss\":[\"map\",[[\"a\",\"%u\"],[\"b\",\"%u\"]]]}},"
                     "{\"op\":\"update\",\"table\":\"One\",\"where\":[],\"row\":{\"x\":%u}},"
                     "{\"op\":\"delete\",\"table\":\"Root\",\"where\":[[\"name\",\"==\",\"n%d\"]]}",
                     n, n, n, n, n, n, (int)n - 50);
}

static uint32_t counter(struct store *store)
{
    const struct schema_table *one = schema_table_find(store_schema(store), "One");
    size_t pos = 0;
    const struct row *row = store_next_row(store, one, &pos);
    return row ? (uint32_t)row_get(row, schema_column_find(one, "x"))->atoms[0].integer : 0;
}

struct acknowledged_call {
    struct ops *ops;
    uint32_t n;
    int fd;
};

static void is_done(void *call_, const struct store_result *result)
{
    struct acknowledged_call *call = call_;
    if (!result->committed)
        _exit(2);
    acknowledge(call->fd, call->n);
}

static void start(struct acknowledged_call *call, struct store *store, uint32_t n, int fd)
{
    char *ops = transaction(n), *text = xasprintf("[\"db\",%s]", ops);
    json_t *params = json_loads(text, 0, NULL);
    *call =
        (struct acknowledged_call){ops_from_json(store_schema(store), params, env_real()), n, fd};
    struct store_request request = {.ops = call->ops, .done = is_done, .aux = call};
    (void)store_submit(store, &request);
    json_decref(params);
    free(text);
    free(ops);
}

static _Noreturn void child(const char *path, int fd)
{
    struct store *store = open_interop(path);
    uint32_t n = counter(store);
    if (!store_n_rows(store, schema_table_find(store_schema(store), "One")))
        free(transact(store, "{\"op\":\"insert\",\"table\":\"One\",\"row\":{\"x\":0}}"));
    for (;;) {
        struct acknowledged_call calls[TOGETHER] = {0};
        size_t together = 1 + env_random_u64(env_real()) % TOGETHER;
        for (size_t i = 0; i < together; i++)
            start(&calls[i], store, ++n, fd);
        store_flush(store);
        for (size_t i = 0; i < together; i++)
            ops_free(calls[i].ops);
    }
}

/* The last number that arrived before the child died. */
static uint32_t last_acknowledged(int fd, uint32_t last)
{
    uint32_t n;
    while (read(fd, &n, sizeof n) == sizeof n)
        last = n;
    return last;
}

/* The contents are those of exactly the first N transactions. */
static void check_contents(struct store *store, uint32_t n)
{
    const struct schema_table *root = schema_table_find(store_schema(store), "Root");
    const struct schema_table *leaf = schema_table_find(store_schema(store), "Leaf");
    uint32_t rows = MIN(n, 50u);
    assert_int_equal(store_n_rows(store, root), rows);
    assert_int_equal(store_n_rows(store, leaf), rows);
    for (uint32_t i = n - rows + 1; i <= n; i++) {
        char *ops =
            xasprintf("{\"op\":\"select\",\"table\":\"Root\",\"where\":[[\"name\",\"==\",\"n%u\"]],"
                      "\"columns\":[\"mss\"]}",
                      i);
        char *wanted =
            xasprintf("[{\"rows\":[{\"mss\":[\"map\",[[\"a\",\"%u\"],[\"b\",\"%u\"]]]}]}]", i, i);
        expect(store, ops, wanted);
        free(wanted);
        free(ops);
    }
}

static void no_acknowledged_transaction_is_lost(void **state)
{
    char dir[] = "/tmp/weft-kill-XXXXXX";
    struct env *env = env_real();
    uint32_t last = 0;
    int total = 0;
    (void)state;
    assert_non_null(mkdtemp(dir));
    char *path = xasprintf("%s/db", dir);
    for (int round = 0; round < n_rounds; round++) {
        int fds[2];
        assert_int_equal(pipe(fds), 0);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (!pid) {
            close(fds[0]);
            child(path, fds[1]);
        }
        close(fds[1]);
        struct pollfd first = {.fd = fds[0], .events = POLLIN};
        assert_int_equal(poll(&first, 1, 60000), 1);
        usleep((useconds_t)(env_random_u64(env) % 20000));
        kill(pid, SIGKILL);
        uint32_t acknowledged = last_acknowledged(fds[0], last);
        waitpid(pid, NULL, 0);
        close(fds[0]);
        struct store *store = open_interop(path);
        uint32_t n = counter(store);
        /* Those that were under way may be there or not. */
        assert_in_range(n, acknowledged, acknowledged + TOGETHER);
        check_contents(store, n);
        store_close(store);
        total += (int)(n - last);
        last = n;
    }
    assert_true(total >= n_rounds);
    print_message("killed %d times, %d transactions, none lost\n", n_rounds, total);
    char *command = xasprintf("rm -rf %s", dir);
    assert_int_equal(system(command), 0);
    free(command);
    free(path);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        n_rounds = atoi(argv[1]);
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_acknowledged_transaction_is_lost)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
