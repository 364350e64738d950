/* test_server.c - an OVSDB server with sessions that come, go, stall and lie; databases and remotes
 * that are added and removed; and what a client gets that comes back.
 */
#include "unit/ovsdb_server/bench.h"

/* Sessions with the same wish, with another one, and one that leaves, each get what they asked. */
static void test_shared_updates(void **state UNUSED)
{
    struct bench b;
    struct client c[4];
    bench_open(&b, false);
    for (int i = 0; i < 4; i++)
        client_open(&b, &c[i]);
    for (int i = 0; i < 3; i++)
        expect(&b, &c[i],
               "{'id':1,'method':'monitor_cond','params':['T','m',{'A':{'columns':['name']}}]}",
               "{'id':1,'result':{},'error':null}");
    ask(&b, &c[2],
        "{'id':2,'method':'monitor_cond_change','params':['m','m',{'A':[{'where':[["
        "'name','==','2']]}]}]}");
    client_close(&c[1]);
    for (int i = 0; i < 4; i++)
        str_clear(&c[i].got);
    expect(&b, &c[3], INSERT("1"), INSERTED("1"));
    assert_string_equal(str_c(&c[0].got),
                        "{\"id\":null,\"method\":\"update2\",\"params\":[\"m\",{\"A\":{\"00000000-"
                        "0000-4000-8000-000000000001\":{\"insert\":{\"name\":\"1\"}}}}]}");
    assert_string_equal(str_c(&c[2].got), "");
    ask(&b, &c[3], INSERT("2"));
    assert_non_null(strstr(str_c(&c[2].got), "update2"));
    /* A long text is sent by reference: it must be the same. */
    struct str big = STR_INIT;
    str_put(&big, "{'id':9,'method':'transact','params':['T',{'op':'insert','table':'A','row':{"
                  "'name':'");
    for (int i = 0; i < 20000; i++)
        str_putc(&big, (char)('a' + i % 26));
    size_t name_end = big.n;
    str_put(&big, "'}}]}");
    str_clear(&c[0].got);
    ask(&b, &c[3], str_c(&big));
    str_truncate(&big, name_end);
    assert_non_null(strstr(str_c(&c[0].got), str_c(&big) + name_end - 20000));
    assert_true(str_chomp(&c[0].got, "\"}}}}]}"));
    str_fini(&big);
    client_close(&c[0]);
    client_close(&c[2]);
    client_close(&c[3]);
    settle(&b);
    assert_int_equal(ovsdb_server_n_sessions(b.server), 0);
    bench_close(&b);
}

/* The host's lock: sessions wait for it, cannot steal it, and are robbed when the host comes back. */
static void test_host_lock(void **state UNUSED)
{
    struct bench b;
    struct client c;
    bench_open(&b, false);
    client_open(&b, &c);
    ovsdb_server_hold_lock(b.server, "L", true);
    ovsdb_server_hold_lock(b.server, "L", true);
    ask(&b, &c, "{'id':1,'method':'steal','params':['L']}");
    assert_non_null(strstr(str_c(&c.got), "cannot be stolen"));
    expect(&b, &c, "{'id':2,'method':'lock','params':['L']}",
           "{'id':2,'result':{'locked':false},'error':null}");
    expect(&b, &c, "{'id':3,'method':'transact','params':['T',{'op':'assert','lock':'L'}]}",
           "{'id':3,'result':[{'details':'Asserted lock L not held.','error':'not owner'}],'error':"
           "null}");
    str_clear(&c.got);
    ovsdb_server_hold_lock(b.server, "L", false);
    settle(&b);
    assert_string_equal(str_c(&c.got), "{\"id\":null,\"method\":\"locked\",\"params\":[\"L\"]}");
    str_clear(&c.got);
    ovsdb_server_hold_lock(b.server, "L", true);
    settle(&b);
    assert_string_equal(str_c(&c.got), "{\"id\":null,\"method\":\"stolen\",\"params\":[\"L\"]}");
    client_close(&c);
    bench_close(&b); /* which still holds it */
}

/* A session that ends while its transactions wait or are pending harms nobody. */
static void test_leaving(void **state UNUSED)
{
    struct bench b;
    struct client c, d;
    bench_open(&b, false);
    client_open(&b, &c);
    client_open(&b, &d);
    ask(&b, &c,
        "{'id':1,'method':'transact','params':['T',{'op':'wait','table':'A','where':[['n','==',9]],"
        "'until':'!=','rows':[]},{'op':'delete','table':'A','where':[]}]}");
    ask(&b, &c, "{'id':2,'method':'lock','params':['L']}");
    expect(&b, &d, "{'id':2,'method':'lock','params':['L']}",
           "{'id':2,'result':{'locked':false},'error':null}");
    stream_write_text(c.stream, "{\"id\":5,\"method\":\"transact\",\"params\":[\"T\",{\"op\":"
                                "\"insert\",\"table\":\"A\",\"row\":{\"name\":\"last\"}}]}");
    str_clear(&d.got);
    client_close(&c);
    settle(&b);
    assert_string_equal(str_c(&d.got), "{\"id\":null,\"method\":\"locked\",\"params\":[\"L\"]}");
    /* What it sent last has been done, what it waited for is gone with it. */
    expect(&b, &d,
           "{'id':3,'method':'transact','params':['T',{'op':'select','table':'A','where':[],"
           "'columns':['name']}]}",
           "{'id':3,'result':[{'rows':[{'name':'last'}]}],'error':null}");
    assert_int_equal(ovsdb_server_n_sessions(b.server), 1);
    client_close(&d);
    bench_close(&b);
}

/* A client that asks and never reads is not read any more, and the others are served. */
static void test_deaf(void **state UNUSED)
{
    struct bench b;
    struct client c, d;
    bench_open(&b, false);
    client_open(&b, &c);
    client_open(&b, &d);
    struct str filler = STR_INIT;
    str_put(&filler, "{\"id\":1,\"method\":\"echo\",\"params\":[\"");
    for (int i = 0; i < 100000; i++)
        str_putc(&filler, 'x');
    str_put(&filler, "\"]}{\"id\":1,\"method\":\"list_dbs\",\"params\":[]}");
    c.deaf = true;
    settle(&b);
    for (int i = 0; i < 200; i++) {
        stream_write_text(c.stream, str_c(&filler));
        settle(&b);
    }
    /* 20 MB were written; what the server took and answered is a small part. */
    assert_true(stream_queued(c.stream) > 10 << 20);
    expect(&b, &d, "{'id':0,'method':'list_dbs','params':[]}",
           "{'id':0,'result':['_Server','T'],'error':null}");
    c.deaf = false;
    client_readable(&c);
    settle(&b);
    assert_int_equal(stream_queued(c.stream), 0);
    str_fini(&filler);
    client_close(&c);
    client_close(&d);
    bench_close(&b);
}

/* A client that goes away while the server waits for it to read: its session and its lock end. */
static void test_deaf_leaves(void **state UNUSED)
{
    struct bench b;
    struct client d;
    int fds[2];
    bench_open(&b, false);
    client_open(&b, &d);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    ovsdb_server_add_stream(b.server, stream_from_fd(b.loop, fds[0], NULL));
    static const char lock[] = "{\"id\":1,\"method\":\"lock\",\"params\":[\"L\"]}";
    assert_int_equal(write(fds[1], lock, sizeof lock - 1), sizeof lock - 1);
    settle(&b);
    struct str echo = STR_INIT;
    str_put(&echo, "{\"id\":1,\"method\":\"echo\",\"params\":[\"");
    for (int i = 0; i < 100000; i++)
        str_putc(&echo, 'x');
    str_put(&echo, "\"]}{\"id\":1,\"method\":\"list_dbs\",\"params\":[]}");
    size_t off = 0;
    for (int idle = 0; idle < 5;) {
        ssize_t n = write(fds[1], echo.s + off, echo.n - off);
        off = n > 0 ? (off + (size_t)n) % echo.n : off;
        idle = n > 0 ? 0 : idle + 1;
        settle(&b);
    }
    expect(&b, &d, "{'id':1,'method':'lock','params':['L']}",
           "{'id':1,'result':{'locked':false},'error':null}");
    str_clear(&d.got);
    close(fds[1]);
    settle(&b);
    assert_string_equal(str_c(&d.got), "{\"id\":null,\"method\":\"locked\",\"params\":[\"L\"]}");
    assert_int_equal(ovsdb_server_n_sessions(b.server), 1);
    str_fini(&echo);
    client_close(&d);
    bench_close(&b);
}

static void test_databases_come_and_go(void **state UNUSED)
{
    struct bench b;
    struct client aware, plain;
    struct store *other;
    struct diag diag = DIAG_INIT;
    bench_open(&b, false);
    client_open(&b, &aware);
    client_open(&b, &plain);
    ask(&b, &aware, "{'id':1,'method':'set_db_change_aware','params':[true]}");
    ask(&b, &aware,
        "{'id':2,'method':'monitor','params':['_Server',null,{'Database':{'columns':["
        "'name']}}]}");
    ask(&b, &aware, "{'id':3,'method':'monitor','params':['T',['x'],{'A':{}}]}");
    ask(&b, &aware,
        "{'id':4,'method':'transact','params':['T',{'op':'wait','table':'A','where':[],"
        "'until':'!=','rows':[]}]}");
    struct store_options options = {
        .env = &b.env.env, .schema_text = "{\"name\":\"O\",\"version\":\"1.0.0\",\"tables\":{}}"};
    assert_int_equal(store_open(&options, &other, &diag), 0);
    assert_int_equal(ovsdb_server_add_db(b.server, b.store, &diag), ERR_EXISTS);
    str_clear(&aware.got);
    assert_int_equal(ovsdb_server_add_db(b.server, other, &diag), 0);
    settle(&b);
    assert_non_null(strstr(str_c(&aware.got), "{\"new\":{\"name\":\"O\"}}"));
    assert_true(plain.closed);
    assert_false(aware.closed);
    assert_ptr_equal(ovsdb_server_find_db(b.server, "O"), other);
    str_clear(&aware.got);
    ovsdb_server_remove_db(b.server, b.store);
    settle(&b);
    assert_non_null(strstr(str_c(&aware.got), "{\"id\":4,\"error\":\"canceled\"}"));
    assert_non_null(strstr(str_c(&aware.got), "\"monitor_canceled\",\"params\":[[\"x\"]]"));
    assert_non_null(strstr(str_c(&aware.got), "{\"old\":{\"name\":\"T\"}}"));
    assert_non_null(strstr(ask(&b, &aware, "{'id':5,'method':'get_schema','params':['T']}"),
                           "unknown database"));
    assert_int_equal(ovsdb_server_add_db(b.server, b.store, &diag), 0);
    ovsdb_server_remove_db(b.server, other);
    store_close(other);
    diag_fini(&diag);
    client_close(&aware);
    client_close(&plain);
    bench_close(&b);
}

/* ---- conversion ---- */

/* As a host does it, but without a file: the rows are lost. */
static int convert(void *b_, struct store *store, const char *text, struct store **ret,
                   struct diag *diag)
{
    struct bench *b = b_;
    store_close(store);
    struct store_options options = {.env = &b->env.env, .schema_text = text};
    assert_int_equal(store_open(&options, ret, diag), 0);
    b->store = *ret;
    return 0;
}

#define CONVERT(COLUMN)                                                                            \
    "{'id':8,'method':'convert','params':['T',{'name':'T','version':'2.0.0','tables':{'A':{"       \
    "'columns':{'" COLUMN "':{'type':'string'}}}}}]}"

static void test_convert(void **state UNUSED)
{
    struct bench b;
    struct client aware, plain, boss;
    bench_open(&b, false);
    client_open(&b, &boss);
    assert_non_null(strstr(ask(&b, &boss, CONVERT("name")), "not supported"));
    assert_false(boss.closed);
    ovsdb_server_free(b.server);
    struct ovsdb_server_options options = {.convert = convert, .aux = &b};
    b.server = ovsdb_server_new(b.loop, &options);
    assert_int_equal(ovsdb_server_add_db(b.server, b.store, NULL), 0);
    client_close(&boss);
    client_open(&b, &boss);
    client_open(&b, &aware);
    client_open(&b, &plain);
    ask(&b, &aware, "{'id':1,'method':'set_db_change_aware','params':[true]}");
    ask(&b, &aware, "{'id':2,'method':'monitor','params':['T','m',{'A':{}}]}");
    ask(&b, &aware,
        "{'id':3,'method':'monitor_cond','params':['_Server','s',{'Database':{'columns':"
        "['name','schema'],'where':[['name','==','T']]}}]}");
    str_clear(&aware.got);
    expect(&b, &boss, CONVERT("colour"), "{'id':8,'result':{},'error':null}");
    assert_true(boss.closed && plain.closed && !aware.closed);
    assert_non_null(strstr(str_c(&aware.got), "\"monitor_canceled\",\"params\":[\"m\"]"));
    assert_non_null(strstr(str_c(&aware.got), "{\"modify\":{\"schema\":"));
    assert_non_null(
        strstr(ask(&b, &aware, "{'id':4,'method':'get_schema','params':['T']}"), "\"colour\""));
    assert_null(strstr(ask(&b, &aware, "{'id':5,'method':'monitor','params':['T','m',{'A':{}}]}"),
                       "details"));
    client_close(&boss);
    client_close(&aware);
    client_close(&plain);
    bench_close(&b);
}

/* ---- coming back ---- */

static void test_resume(void **state UNUSED)
{
    static const char again[] = "{'id':1,'method':'monitor_cond_since','params':['T',%d,{'A':{"
                                "'columns':['name']}},'%s']}";
    struct bench b;
    struct client c, d;
    char id[UUID_TEXT_LEN + 1], zero[] = "00000000-0000-0000-0000-000000000000";
    bench_open(&b, true);
    client_open(&b, &c);
    client_open(&b, &d);
    ask(&b, &d, INSERT("1"));
    ask(&b, &d, INSERT("2"));
    char *request = xasprintf(again, 1, zero);
    const char *answer = ask(&b, &c, request);
    free(request);
    assert_non_null(strstr(answer, "[false,\""));
    memcpy(id, strstr(answer, "[false,\"") + 8, UUID_TEXT_LEN);
    id[UUID_TEXT_LEN] = '\0';
    assert_string_not_equal(id, zero);
    str_clear(&c.got);
    ask(&b, &d, INSERT("3"));
    assert_non_null(strstr(str_c(&c.got), "update3"));
    assert_null(strstr(str_c(&c.got), zero));
    client_close(&c);
    ask(&b, &d,
        "{'id':1,'method':'transact','params':['T',{'op':'delete','table':'A','where':[["
        "'name','==','1']]},{'op':'update','table':'A','where':[['name','==','2']],'row':{"
        "'name':'two'}}]}");
    ask(&b, &d, INSERT("4"));
    ask(&b, &d,
        "{'id':1,'method':'transact','params':['T',{'op':'delete','table':'A','where':[["
        "'name','==','4']]}]}");
    /* Only what was missed: 1 is gone, 2 has another name, 3 is new, 4 came and went. */
    client_open(&b, &c);
    request = xasprintf(again, 2, id);
    answer = ask(&b, &c, request);
    free(request);
    assert_non_null(strstr(answer, "[true,\""));
    assert_non_null(strstr(answer, "000000000001\":{\"delete\":null}"));
    assert_non_null(strstr(answer, "000000000002\":{\"modify\":{\"name\":\"two\"}}"));
    assert_non_null(strstr(answer, "000000000003\":{\"insert\":{\"name\":\"3\"}}"));
    assert_null(strstr(answer, "000000000004"));
    /* An id that is not known: everything. */
    request = xasprintf(again, 3, "11111111-2222-4333-8444-555555555555");
    assert_non_null(strstr(ask(&b, &c, request), "[false,\""));
    free(request);
    client_close(&c);
    client_close(&d);
    bench_close(&b);
}

/* ---- lies ---- */

static void test_mutations(void **state UNUSED)
{
    static const char *const good[] = {
        ("{\"id\":1,\"method\":\"transact\",\"params\":[\"T\",{\"op\":\"mutate\",\"table\":\"A\","
         "\"where\":[[\"n\",\"<\",5]],\"mutations\":[[\"set\",\"insert\",[\"set\",[\"a\",\"b\"]]]]}"
         ","
         "{\"op\":\"select\",\"table\":\"A\",\"where\":[]}]}"),
        ("{\"id\":2,\"method\":\"monitor_cond_since\",\"params\":[\"T\",[\"monid\"],{\"A\":[{"
         "\"columns\":[\"name\",\"set\"],\"where\":[[\"n\",\"==\",1],true]}]},\"00000000-0000-0000-"
         "0000-000000000000\"]}"),
        ("{\"id\":3,\"method\":\"monitor_cond_change\",\"params\":[[\"monid\"],[\"monid\"],{\"A\":["
         "{"
         "\"where\":[[\"n\",\"==\",2]]}]}]}"),
        ("{\"id\":4,\"method\":\"lock\",\"params\":[\"L\"]}"),
        ("{\"id\":5,\"method\":\"convert\",\"params\":[\"T\",{\"name\":\"T\",\"tables\":{}}]}"),
        ("{\"id\":null,\"method\":\"cancel\",\"params\":[1]}"),
    };
    struct bench b;
    struct client witness;
    bench_open(&b, false);
    client_open(&b, &witness);
    ask(&b, &witness, INSERT("1"));
    for (int round = 0; round < 1500; round++) {
        struct client c;
        client_open(&b, &c);
        for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
            char *text = xstrdup(good[i]);
            size_t n = strlen(text), k = env_random_u64(&b.env.env) % 4;
            /* Swap bytes of the text with one another: it stays JSON more often than by chance. */
            for (size_t j = 0; j < k; j++) {
                size_t x = env_random_u64(&b.env.env) % n, y = env_random_u64(&b.env.env) % n;
                char t = text[x];
                text[x] = text[y];
                text[y] = t;
            }
            stream_write_text(c.stream, text);
            free(text);
        }
        settle(&b);
        client_close(&c);
    }
    settle(&b);
    assert_int_equal(ovsdb_server_n_sessions(b.server), 1);
    expect(&b, &witness, "{'id':7,'method':'echo','params':[]}",
           "{'id':7,'result':[],'error':null}");
    client_close(&witness);
    bench_close(&b);
}

#define CONSIDER(OPS) "{'id':2,'method':'weft_consider','params':['T'," OPS "]}"

/* A transaction that is only asked about: answered like one, and without a trace. */
static void test_consider(void **state UNUSED)
{
    struct bench b;
    struct client c;
    bench_open(&b, false);
    client_open(&b, &c);
    expect(&b, &c, INSERT("1"), INSERTED("1"));
    uint64_t number = store_last_number(b.store);
    expect(&b, &c,
           CONSIDER("{'op':'insert','table':'A','row':{'name':'x'}},{'op':'update','table':'A',"
                    "'where':[['name','==','1']],'row':{'n':7}}"),
           "{'id':2,'result':{'rows':2},'error':null}");
    expect(&b, &c,
           CONSIDER("{'op':'delete','table':'A','where':[]},{'op':'insert','table':'A','row':{"
                    "'name':'1'}}"),
           "{'id':2,'result':{'rows':2},'error':null}");
    assert_non_null(strstr(ask(&b, &c, CONSIDER("{'op':'insert','table':'A','row':{'name':'1'}}")),
                           "\"constraint violation\""));
    assert_non_null(
        strstr(ask(&b, &c, CONSIDER("{'op':'insert','table':'B','row':{}}")), "\"syntax error\""));
    assert_non_null(strstr(
        ask(&b, &c,
            CONSIDER(
                "{'op':'wait','table':'A','where':[],'columns':['n'],'until':'==','rows':[]}")),
        "\"timed out\""));
    b.is_busy = true;
    assert_non_null(strstr(ask(&b, &c, CONSIDER("{'op':'insert','table':'A','row':{'name':'x'}}")),
                           "\"busy\""));
    expect(&b, &c,
           "{'id':3,'method':'transact','params':['T',{'op':'select','table':'A','where':[],"
           "'columns':['name','n']}]}",
           "{'id':3,'result':[{'rows':[{'name':'1','n':0}]}],'error':null}");
    assert_int_equal(store_last_number(b.store), number);
    client_close(&c);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shared_updates),
        cmocka_unit_test(test_leaving),
        cmocka_unit_test(test_host_lock),
        cmocka_unit_test(test_deaf),
        cmocka_unit_test(test_databases_come_and_go),
        cmocka_unit_test(test_convert),
        cmocka_unit_test(test_resume),
        cmocka_unit_test(test_mutations),
        cmocka_unit_test(test_consider),
        cmocka_unit_test(test_deaf_leaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
