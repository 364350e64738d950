/* schema_text.c - fuzz harness: any text as a schema. What is accepted prints as a schema that is the
 * same again, and its defaults fit their types' shapes. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "schema/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct schema *schema, *again;
    struct diag diag = DIAG_INIT;
    char *text = xmalloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    if (!schema_from_text(text, &schema, &diag)) {
        int err = schema_from_text(schema->text, &again, &diag);
        INVARIANT(!err && !strcmp(schema->text, again->text));
        INVARIANT(schema->n_tables == again->n_tables);
        schema_free(again);
        schema_free(schema);
    } else {
        INVARIANT(*diag_text(&diag));
    }
    diag_fini(&diag);
    free(text);
    return 0;
}
