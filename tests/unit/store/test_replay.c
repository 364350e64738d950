/* test_replay.c - replays tests/data/ovsdb/server-ops.jsonl (what a real server answered to transactions against
 * interop.ovsschema) into a store and compares the results.
 *
 * Uuids are renamed consistently; _version, orders and milliseconds do not count. Requests that are
 * the business of a server (sessions, ids, unknown databases) are passed over.
 */
#include "harness.h"

struct pair {
    char theirs[UUID_TEXT_LEN + 1];
    char ours[UUID_TEXT_LEN + 1];
};

struct renaming {
    VEC(struct pair) pairs;
};

static bool is_uuid_at(const char *s)
{
    char text[UUID_TEXT_LEN + 1];
    struct uuid uuid;
    if (strlen(s) < UUID_TEXT_LEN)
        return false;
    memcpy(text, s, UUID_TEXT_LEN);
    text[UUID_TEXT_LEN] = '\0';
    return uuid_parse(text, &uuid);
}

static bool same_uuid(struct renaming *renaming, const char *theirs, const char *ours)
{
    struct pair *p;
    VEC_FOR_EACH (p, &renaming->pairs) {
        bool a = !strncmp(p->theirs, theirs, UUID_TEXT_LEN);
        bool b = !strncmp(p->ours, ours, UUID_TEXT_LEN);
        if (a || b)
            return a && b;
    }
    struct pair pair = {{0}, {0}};
    memcpy(pair.theirs, theirs, UUID_TEXT_LEN);
    memcpy(pair.ours, ours, UUID_TEXT_LEN);
    vec_push(&renaming->pairs, pair);
    return true;
}

static bool same_text(struct renaming *renaming, const char *theirs, const char *ours)
{
    /* Which of two rows is the "first" is arbitrary. */
    static const char duplicates[] = "Transaction causes multiple rows";
    if (text_starts_with(theirs, duplicates)) {
        const char *end = strstr(theirs, "First row");
        return end && !strncmp(theirs, ours, (size_t)(end - theirs));
    }
    while (*theirs && *ours) {
        if (is_uuid_at(theirs) && is_uuid_at(ours)) {
            if (!same_uuid(renaming, theirs, ours))
                return false;
            theirs += UUID_TEXT_LEN;
            ours += UUID_TEXT_LEN;
        } else if (*theirs++ != *ours++) {
            return false;
        }
    }
    return !*theirs && !*ours;
}

static bool same(struct renaming *renaming, const json_t *theirs, const json_t *ours);

static bool same_object(struct renaming *renaming, const json_t *theirs, const json_t *ours)
{
    const char *name;
    json_t *value;
    if (json_object_size(theirs) != json_object_size(ours))
        return false;
    json_object_foreach((json_t *)(uintptr_t)theirs, name, value)
    {
        const json_t *other = json_object_get(ours, name);
        if (!other || (strcmp(name, "_version") && !same(renaming, value, other)))
            return false;
    }
    return true;
}

/* Each element of one has its own in the other. */
static bool same_unordered(struct renaming *renaming, const json_t *theirs, const json_t *ours)
{
    size_t n = json_array_size(theirs);
    bool *used = xcalloc(n + 1, sizeof *used), ok = n == json_array_size(ours);
    for (size_t i = 0; ok && i < n; i++) {
        bool found = false;
        for (size_t j = 0; !found && j < n; j++) {
            size_t mark = renaming->pairs.n;
            found = !used[j] && same(renaming, json_array_get(theirs, i), json_array_get(ours, j));
            if (found)
                used[j] = true;
            else
                renaming->pairs.n = mark;
        }
        ok = found;
    }
    free(used);
    return ok;
}

static bool same_array(struct renaming *renaming, const json_t *theirs, const json_t *ours)
{
    const char *word = json_string_value(json_array_get(theirs, 0));
    if (json_is_object(json_array_get(theirs, 0)) &&
        json_object_get(json_array_get(theirs, 0), "_uuid"))
        return same_unordered(renaming, theirs, ours);
    if (json_array_size(theirs) != json_array_size(ours))
        return false;
    if (word && (!strcmp(word, "set") || !strcmp(word, "map")))
        return same_unordered(renaming, json_array_get(theirs, 1), json_array_get(ours, 1));
    for (size_t i = 0; i < json_array_size(theirs); i++) {
        if (!same(renaming, json_array_get(theirs, i), json_array_get(ours, i)))
            return false;
    }
    return true;
}

/* As printed: with 15 digits. */
static bool same_number(double theirs, double ours)
{
    char a[32], b[32];
    snprintf(a, sizeof a, "%.15g", theirs);
    snprintf(b, sizeof b, "%.15g", ours);
    return !strcmp(a, b);
}

static bool same(struct renaming *renaming, const json_t *theirs, const json_t *ours)
{
    if (json_is_number(theirs) && json_is_number(ours))
        return same_number(json_number_value(theirs), json_number_value(ours));
    if (json_typeof(theirs) != json_typeof(ours))
        return false;
    switch (json_typeof(theirs)) {
    case JSON_OBJECT: {
        const json_t *rows = json_object_get(theirs, "rows");
        if (rows && json_object_size(theirs) == 1)
            return same_unordered(renaming, rows, json_object_get(ours, "rows"));
        return same_object(renaming, theirs, ours);
    }
    case JSON_ARRAY:
        return same_array(renaming, theirs, ours);
    case JSON_STRING:
        return same_text(renaming, json_string_value(theirs), json_string_value(ours));
    default:
        return json_equal(theirs, ours);
    }
}

/* ---- the run ---- */

struct outstanding {
    struct call call;
    json_int_t conn, id;
    char *request;
};

struct replay {
    struct store *store;
    struct env_seeded env;
    struct renaming renaming;
    VEC(struct outstanding *) calls;
    size_t n_compared;
};

static bool owns_lock(void *aux, const char *name)
{
    struct outstanding *o = aux; /* the call is its first member */
    (void)name;
    return o->conn == 1 && !strstr(o->request, "\"id\":116,");
}

static struct outstanding *find_call(struct replay *replay, json_int_t conn, json_int_t id)
{
    for (size_t i = 0; i < replay->calls.n; i++) {
        if (replay->calls.data[i]->conn == conn && replay->calls.data[i]->id == id)
            return replay->calls.data[i];
    }
    return NULL;
}

static void drop_call(struct replay *replay, struct outstanding *o)
{
    for (size_t i = 0; i < replay->calls.n; i++) {
        if (replay->calls.data[i] == o) {
            vec_remove(&replay->calls, i);
            break;
        }
    }
    if (o->call.txn)
        store_cancel(o->call.txn);
    call_fini(&o->call);
    free(o->request);
    free(o);
}

static void request(struct replay *replay, json_int_t conn, const json_t *msg)
{
    const char *method = json_string_value(json_object_get(msg, "method"));
    const json_t *params = json_object_get(msg, "params");
    const char *db = json_string_value(json_array_get(params, 0));
    json_int_t id = json_integer_value(json_object_get(msg, "id"));
    if (!strcmp(method, "cancel")) {
        drop_call(replay, find_call(replay, conn, json_integer_value(json_array_get(params, 0))));
        return;
    }
    if (strcmp(method, "transact") || !db || strcmp(db, "Interop") || find_call(replay, conn, id))
        return;
    struct outstanding *o = NEW(struct outstanding);
    o->conn = conn;
    o->id = id;
    o->request = json_to_text(msg);
    o->call.owns_lock = owns_lock;
    vec_push(&replay->calls, o);
    call_start(&o->call, replay->store, params);
    store_flush(replay->store);
}

static void reply(struct replay *replay, json_int_t conn, const json_t *msg)
{
    struct outstanding *o = find_call(replay, conn, json_integer_value(json_object_get(msg, "id")));
    const json_t *result = json_object_get(msg, "result");
    if (!o || !result)
        return;
    if (!o->call.result) { /* it waits until its time is over */
        int64_t deadline = store_next_timeout_ms(replay->store);
        assert_true(deadline < INT64_MAX);
        replay->env.now_us = deadline * 1000;
        store_run_timeouts(replay->store);
    }
    assert_non_null(o->call.result);
    size_t mark = replay->renaming.pairs.n;
    if (!same(&replay->renaming, result, o->call.result)) {
        char *theirs = json_to_text(result), *ours = json_to_text(o->call.result);
        fail_msg("%s\n  theirs %s\n  ours   %s (%zu)", o->request, theirs, ours, mark);
    }
    replay->n_compared++;
    drop_call(replay, o);
}

static void line(struct replay *replay, const char *text)
{
    json_t *json = json_loads(text, 0, NULL);
    if (!json) /* an integer beyond 64 bits becomes a real */
        json = json_loads(text, JSON_DECODE_INT_AS_REAL, NULL);
    assert_non_null(json);
    const json_t *msg = json_object_get(json, "msg");
    const char *dir = json_string_value(json_object_get(json, "dir"));
    json_int_t conn = json_integer_value(json_object_get(json, "conn"));
    if (msg && dir && !strcmp(dir, "c2s"))
        request(replay, conn, msg);
    else if (msg && dir)
        reply(replay, conn, msg);
    json_decref(json);
}

static void answers_as_a_real_server(void **state)
{
    struct replay replay = {0};
    char *schema = read_text(TEST_DATA "/ovsdb/interop.ovsschema");
    char *text = read_text(TEST_DATA "/ovsdb/server-ops.jsonl"), *save = NULL;
    (void)state;
    env_seeded_init(&replay.env, 1);
    replay.store = open_store(NULL, schema, &replay.env.env);
    for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
        line(&replay, l);
    assert_true(replay.n_compared >= 95);
    while (replay.calls.n)
        drop_call(&replay, replay.calls.data[0]);
    store_close(replay.store);
    vec_fini(&replay.calls);
    vec_fini(&replay.renaming.pairs);
    free(text);
    free(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(answers_as_a_real_server)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
