/* schema_ops.c - fuzz harness: any JSON as a transaction of a small schema. Parsing ends, and what was parsed prints as JSON. */
#include <stddef.h>
#include <stdint.h>

#include "schema/op.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char schema_text[] =
    "{\"name\":\"F\",\"version\":\"1.0.0\",\"tables\":{\"T\":{\"isRoot\":true,\"columns\":{"
    "\"i\":{\"type\":\"integer\"},\"r\":{\"type\":\"real\"},\"s\":{\"type\":\"string\"},"
    "\"b\":{\"type\":\"boolean\"},"
    "\"o\":{\"type\":{\"key\":\"string\",\"min\":0,\"max\":1}},"
    "\"e\":{\"type\":{\"key\":{\"type\":\"string\",\"enum\":[\"set\",[\"a\",\"b\"]]},"
    "\"min\":0,\"max\":2}},"
    "\"m\":{\"type\":{\"key\":\"string\",\"value\":\"string\",\"min\":0,\"max\":\"unlimited\"}},"
    "\"u\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"T\"},\"min\":0,"
    "\"max\":\"unlimited\"}}}}}}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *params = json_loadb((const char *)data, size, 0, NULL);
    if (!params)
        return 0;
    struct schema *schema = NULL;
    int err = schema_from_text(schema_text, &schema, NULL);
    INVARIANT(!err);
    struct env_seeded env;
    env_seeded_init(&env, 1);
    if (json_is_array(params) && json_array_size(params) > 0) {
        struct ops *ops = ops_from_json(schema, params, &env.env);
        json_t *json = ops_to_json(schema, ops);
        INVARIANT(json_is_array(json));
        json_decref(json);
        ops_free(ops);
    }
    schema_free(schema);
    json_decref(params);
    return 0;
}
