/* store_transact.c - fuzz harness: any JSON array as a few transactions of a small database, in memory.
 * Whatever comes in, the store's counts and indexes stay right and each transaction is answered once. */
#include <stddef.h>
#include <stdint.h>

#include "store/store_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char schema_text[] =
    "{\"name\":\"F\",\"version\":\"1.0.0\",\"tables\":{"
    "\"T\":{\"isRoot\":true,\"maxRows\":6,\"indexes\":[[\"s\"]],\"columns\":{"
    "\"i\":{\"type\":{\"key\":{\"type\":\"integer\",\"minInteger\":-9,\"maxInteger\":9}}},"
    "\"r\":{\"type\":\"real\"},\"s\":{\"type\":\"string\"},"
    "\"o\":{\"type\":{\"key\":\"integer\",\"min\":0,\"max\":1}},"
    "\"e\":{\"type\":{\"key\":\"integer\",\"min\":1,\"max\":3}},"
    "\"m\":{\"type\":{\"key\":\"string\",\"value\":\"string\",\"min\":0,\"max\":\"unlimited\"}},"
    "\"u\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"N\"},\"min\":0,\"max\":"
    "\"unlimited\"}},"
    "\"w\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"T\",\"refType\":\"weak\"},\"min\":"
    "0,"
    "\"max\":\"unlimited\"}}}},"
    "\"N\":{\"columns\":{\"n\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"N\"},\"min\":0}"
    "},"
    "\"x\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"N\",\"refType\":\"weak\"},"
    "\"value\":{"
    "\"type\":\"uuid\",\"refTable\":\"N\"},\"min\":0,\"max\":\"unlimited\"}}}}}}";

static void answered(void *aux, const struct store_result *result)
{
    int *n = aux;
    INVARIANT(result);
    ++*n;
}

static void transact(struct store *store, const json_t *params, struct env *env)
{
    struct ops *ops = ops_from_json(store_schema(store), params, env);
    int n = 0;
    struct store_request request = {.ops = ops, .done = answered, .aux = &n};
    struct store_txn *txn = store_submit(store, &request);
    store_flush(store);
    if (txn && !n) {
        INVARIANT(store_txn_is_waiting(txn));
        store_cancel(txn);
    } else {
        INVARIANT(n == 1);
    }
    ops_free(ops);
    store_check_invariants(store);
}

/* The input is one params array, which runs twice (the second time on what the first left), or an array
 * of such arrays. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *json = json_loadb((const char *)data, size, 0, NULL);
    struct env_seeded env;
    env_seeded_init(&env, 1);
    struct store_options options = {.env = &env.env, .schema_text = schema_text};
    struct store *store;
    if (!json)
        return 0;
    int err = store_open(&options, &store, NULL);
    INVARIANT(!err);
    if (json_is_array(json_array_get(json, 0))) {
        for (size_t i = 0; i < json_array_size(json) && i < 16; i++)
            transact(store, json_array_get(json, i), &env.env);
    } else {
        transact(store, json, &env.env);
        transact(store, json, &env.env);
    }
    store_close(store);
    json_decref(json);
    return 0;
}
