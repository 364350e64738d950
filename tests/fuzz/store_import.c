/* store_import.c - fuzz harness: any text as a standalone file of ovsdb-server. What can be read is
 * imported into a database in memory, exported, and reads the same again. A checksum in the input
 * that is wrong is made right first, else no input would get past it. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha1.h"
#include "store/ovs_file.h"
#include "store/store_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Lines that begin with "#" stand for the header of what follows up to the next such line. */
static void frame(const char *text, size_t n, struct str *out)
{
    while (n) {
        if (*text == '#') {
            const char *body = memchr(text, '\n', n);
            size_t skip = body ? (size_t)(body - text) + 1 : n;
            text += skip;
            n -= skip;
            size_t len = 0;
            while (len < n && !(text[len] == '#' && (!len || text[len - 1] == '\n')))
                len++;
            ovs_file_put_record(text, len, out);
            text += len;
            n -= len;
        } else {
            str_putc(out, *text++);
            n--;
        }
    }
}

static void ignore(void *aux, const struct store_result *result)
{
    bool *committed = aux;
    *committed = result->committed;
}

/* Imports TEXT; NULL when it cannot be. Closed by the caller. */
static struct store *import(const char *text, size_t n, struct env *env)
{
    char *schema_text;
    struct ops *ops;
    struct store *store;
    struct diag diag = DIAG_INIT;
    bool is_cut, committed = false;
    int err = ovs_file_schema(text, n, &schema_text, &diag);
    diag_fini(&diag);
    if (err)
        return NULL;
    struct store_options options = {.env = env, .schema_text = schema_text};
    INVARIANT(!store_open(&options, &store, NULL));
    free(schema_text);
    if (!ovs_file_ops(text, n, store_schema(store), &ops, &is_cut, &diag)) {
        struct store_request request = {.ops = ops, .done = ignore, .aux = &committed};
        (void)store_submit(store, &request);
        store_flush(store);
        store_check_invariants(store);
        ops_free(ops);
    }
    diag_fini(&diag);
    if (committed)
        return store;
    store_close(store);
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct env_seeded env;
    struct str text = STR_INIT, out = STR_INIT;
    env_seeded_init(&env, 1);
    frame((const char *)data, size, &text);
    struct store *store = import(str_c(&text), text.n, &env.env);
    if (store) {
        ovs_file_put(store, "fuzz", &env.env, &out);
        struct store *again = import(str_c(&out), out.n, &env.env);
        INVARIANT(again);
        for (size_t i = 0; i < store_schema(store)->n_tables; i++)
            INVARIANT(store_n_rows(store, &store_schema(store)->tables[i]) ==
                      store_n_rows(again, &store_schema(again)->tables[i]));
        store_close(again);
        store_close(store);
    }
    str_fini(&text);
    str_fini(&out);
    return 0;
}
