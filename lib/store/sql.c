/* sql.c - placeholder while the file format is written: memory only. */
#include "base/err.h"
#include "store/store_private.h"

int sql_choose_schema(const struct store_options *options, struct schema **ret, struct diag *diag)
{
    if (options->path)
        return diag_set(diag, ERR_UNSUPPORTED, "memory only");
    return schema_from_text(options->schema_text, ret, diag);
}

int sql_open(struct store *store, const struct store_options *options, struct diag *diag)
{
    (void)store;
    (void)options;
    (void)diag;
    return 0;
}

void sql_close(struct store *store)
{
    (void)store;
}

int sql_write_pending(struct store *store, struct diag *diag)
{
    (void)store;
    (void)diag;
    return 0;
}
