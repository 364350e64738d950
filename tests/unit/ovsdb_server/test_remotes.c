/* test_remotes.c - remotes that the database names, and the roles that their clients have. */
#include "unit/ovsdb_server/bench.h"

/* ---- remotes ---- */

static void run_real(struct bench *b, const bool *until)
{
    for (int i = 0; i < 2000 && !*until; i++) {
        b->env.now_us += 1000;
        loop_run_once(b->loop, 500);
    }
    assert_true(*until);
}

static void count_remote(void *n_, const char *target UNUSED)
{
    ++*(int *)n_;
}

static void ignore_stream(void *aux UNUSED, struct stream *stream)
{
    stream_free(stream);
}

static void test_remotes(void **state UNUSED)
{
    struct bench b;
    struct client c, d = {0};
    struct diag diag = DIAG_INIT;
    char path[] = "/tmp/weft-server-XXXXXX";
    bench_open(&b, false);
    assert_non_null(mkdtemp(path));
    char *target = xasprintf("punix:%s/s", path);
    assert_int_equal(ovsdb_server_add_remote(b.server, target, &diag), 0);
    assert_int_equal(ovsdb_server_add_remote(b.server, target, &diag), ERR_EXISTS);
    assert_int_equal(ovsdb_server_add_remote(b.server, "nonsense", &diag), ERR_SYNTAX);
    assert_int_equal(ovsdb_server_add_remote(b.server, "db:T,Nope,conns", &diag), ERR_NOT_FOUND);
    assert_int_equal(ovsdb_server_add_remote(b.server, "db:T,A,nope", &diag), ERR_NOT_FOUND);
    assert_int_equal(ovsdb_server_add_remote(b.server, "db:T,A", &diag), ERR_SYNTAX);
    assert_int_equal(ovsdb_server_add_remote(b.server, "db:T,A,conns", &diag), 0);
    int n = 0;
    ovsdb_server_for_each_remote(b.server, count_remote, &n);
    assert_int_equal(n, 2);
    /* A row makes the server listen, read-only; its status says where. */
    client_open(&b, &c);
    ask(&b, &c,
        "{'id':1,'method':'transact','params':['T',{'op':'insert','table':'Connection','uuid-name':"
        "'c','row':{'target':'ptcp:0:127.0.0.1','read_only':true}},{'op':'insert','table':'A',"
        "'row':{'name':'a','conns':['named-uuid','c']}}]}");
    ask(&b, &c,
        "{'id':2,'method':'transact','params':['T',{'op':'select','table':'Connection',"
        "'where':[],'columns':['status']}]}");
    const char *bound = strstr(str_c(&c.got), "\"bound_port\",\"");
    assert_non_null(bound);
    char *tcp = xasprintf("tcp:127.0.0.1:%d", atoi(bound + strlen("\"bound_port\",\"")));
    struct stream_options options = {0};
    struct stream *stream;
    assert_int_equal(stream_connect(b.loop, tcp, &options, &stream, &diag), 0);
    client_attach(&d, stream);
    stream_write_text(stream, "{\"id\":1,\"method\":\"transact\",\"params\":[\"T\",{\"op\":"
                              "\"delete\",\"table\":\"A\",\"where\":[]}]}");
    for (int i = 0; i < 500 && !d.got.n; i++)
        loop_run_once(b.loop, 1000);
    assert_non_null(strstr(str_c(&d.got), "\"not allowed\""));
    assert_non_null(strstr(ask(&b, &c,
                               "{'id':2,'method':'transact','params':['T',{'op':'select','table':"
                               "'Connection','where':[],'columns':['is_connected']}]}"),
                           "\"is_connected\":true"));
    /* A port that is taken is tried again until it is free. */
    char path2[128];
    snprintf(path2, sizeof path2, "punix:%s/t", path);
    struct stream_listener *taken;
    assert_int_equal(stream_listen(b.loop, path2, &options, ignore_stream, NULL, &taken, &diag), 0);
    char *insert = xasprintf(
        "{'id':3,'method':'transact','params':['T',{'op':'insert','table':'Connection','uuid-name':"
        "'c','row':{'target':'%s'}},{'op':'insert','table':'A','row':{'name':'b','conns':"
        "['named-uuid','c']}}]}",
        path2);
    ask(&b, &c, insert);
    free(insert);
    ask(&b, &c,
        "{'id':2,'method':'transact','params':['T',{'op':'select','table':'Connection',"
        "'where':[],'columns':['status']}]}");
    assert_non_null(strstr(str_c(&c.got), "last_error"));
    stream_listener_free(taken);
    b.env.now_us += 3000000;
    settle(&b);
    ask(&b, &c,
        "{'id':2,'method':'transact','params':['T',{'op':'select','table':'Connection',"
        "'where':[],'columns':['status']}]}");
    assert_null(strstr(str_c(&c.got), "last_error"));
    /* Without the row the connection is dropped and nothing listens. */
    ask(&b, &c,
        "{'id':3,'method':'transact','params':['T',{'op':'delete','table':'A','where':[]}]}");
    run_real(&b, &d.closed);
    assert_int_equal(ovsdb_server_remove_remote(b.server, target), 0);
    assert_int_equal(ovsdb_server_remove_remote(b.server, target), ERR_NOT_FOUND);
    client_close(&d);
    client_close(&c);
    free(tcp);
    free(target);
    diag_fini(&diag);
    bench_close(&b);
    assert_int_equal(rmdir(path), 0);
}

/* ---- roles ---- */

static const char role_schema[] =
    "{\"name\":\"R\",\"version\":\"1.0.0\",\"tables\":{"
    "\"A\":{\"isRoot\":true,\"columns\":{\"owner\":{\"type\":\"string\"},\"n\":{\"type\":"
    "\"integer\"},\"m\":{\"type\":\"integer\"}}},"
    "\"B\":{\"isRoot\":true,\"columns\":{\"n\":{\"type\":\"integer\"}}},"
    "\"Connection\":{\"isRoot\":true,\"columns\":{\"target\":{\"type\":\"string\"},\"role\":{"
    "\"type\":\"string\"}}},"
    "\"Global\":{\"isRoot\":true,\"columns\":{\"connections\":{\"type\":{\"key\":{\"type\":"
    "\"uuid\",\"refTable\":\"Connection\"},\"min\":0,\"max\":\"unlimited\"}}}},"
    "\"RBAC_Role\":{\"isRoot\":true,\"columns\":{\"name\":{\"type\":\"string\"},\"permissions\":{"
    "\"type\":{\"key\":\"string\",\"value\":{\"type\":\"uuid\",\"refTable\":\"RBAC_Permission\"},"
    "\"min\":0,\"max\":\"unlimited\"}}}},"
    "\"RBAC_Permission\":{\"columns\":{\"authorization\":{\"type\":{\"key\":\"string\",\"min\":0,"
    "\"max\":\"unlimited\"}},\"insert_delete\":{\"type\":\"boolean\"},\"update\":{\"type\":{"
    "\"key\":\"string\",\"min\":0,\"max\":\"unlimited\"}}}}}}";

/* What a session without certificate may do in a role: change column n of A, whose rows are
 * everybody's, and nothing in B, whose rows are their owner's. */
static void test_roles(void **state UNUSED)
{
    struct bench b;
    struct client c, d = {0};
    struct store *store;
    struct diag diag = DIAG_INIT;
    char path[] = "/tmp/weft-server-XXXXXX";
    bench_open(&b, false);
    assert_non_null(mkdtemp(path));
    struct store_options options = {.env = &b.env.env, .schema_text = role_schema};
    assert_int_equal(store_open(&options, &store, &diag), 0);
    assert_int_equal(ovsdb_server_add_db(b.server, store, &diag), 0);
    assert_int_equal(ovsdb_server_add_remote(b.server, "db:R,Global,connections", &diag), 0);
    client_open(&b, &c);
    char *text = xasprintf(
        "{'id':1,'method':'transact','params':['R',"
        "{'op':'insert','table':'RBAC_Permission','uuid-name':'pa','row':{'authorization':'',"
        "'update':'n'}},"
        "{'op':'insert','table':'RBAC_Permission','uuid-name':'pb','row':{'authorization':'owner',"
        "'insert_delete':true}},"
        "{'op':'insert','table':'RBAC_Role','row':{'name':'clerk','permissions':['map',[['A',["
        "'named-uuid','pa']],['B',['named-uuid','pb']]]]}},"
        "{'op':'insert','table':'A','row':{}},"
        "{'op':'insert','table':'Connection','uuid-name':'co','row':{'target':'punix:%s/r','role':"
        "'clerk'}},"
        "{'op':'insert','table':'Global','row':{'connections':['named-uuid','co']}}]}",
        path);
    assert_null(strstr(ask(&b, &c, text), "details"));
    free(text);
    char *target = xasprintf("unix:%s/r", path);
    struct stream_options stream_options = {0};
    struct stream *stream;
    assert_int_equal(stream_connect(b.loop, target, &stream_options, &stream, &diag), 0);
    client_attach(&d, stream);
    static const struct {
        const char *op, *answer;
    } cases[] = {
        {"'op':'update','table':'A','where':[],'row':{'n':1}", "\"count\":1"},
        {"'op':'mutate','table':'A','where':[],'mutations':[['n','+=',1]]", "\"count\":1"},
        {"'op':'select','table':'B','where':[]", "\"rows\""},
        {"'op':'update','table':'A','where':[],'row':{'n':1,'m':1}",
         "RBAC rules for client \\\"(null)\\\" role \\\"clerk\\\" prohibit modification of table "
         "\\\"A\\\"."},
        {"'op':'mutate','table':'A','where':[],'mutations':[['m','+=',1]]",
         "prohibit mutate operation on table"},
        {"'op':'insert','table':'A','row':{}", "prohibit row insertion into table"},
        {"'op':'delete','table':'A','where':[]", "prohibit row deletion from table"},
        {"'op':'insert','table':'B','row':{}", "\"error\":\"permission error\""},
        {"'op':'delete','table':'RBAC_Role','where':[]", "\"error\":\"permission error\""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        text = xasprintf("{'id':1,'method':'transact','params':['R',{%s}]}", cases[i].op);
        ask(&b, &d, text);
        for (int j = 0; j < 500 && !d.got.n; j++)
            loop_run_once(b.loop, 1000);
        if (!strstr(str_c(&d.got), cases[i].answer))
            fail_msg("%s: %s", cases[i].op, str_c(&d.got));
        free(text);
    }
    client_close(&d);
    client_close(&c);
    settle(&b);
    ovsdb_server_remove_db(b.server, store);
    store_close(store);
    free(target);
    diag_fini(&diag);
    bench_close(&b);
    assert_int_equal(rmdir(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_remotes),
        cmocka_unit_test(test_roles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
