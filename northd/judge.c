/* judge.c - see judge.h. The opinion is lib/validate's; this knows the mode and looks names up in the store. */
#include "northd/judge.h"

#include <string.h>

#include "base/log.h"
#include "validate/validate.h"

LOG_MODULE(northd_judge);

struct judge {
    struct store *store;
    struct validate *validate;
    struct op_error *error; /* strict: where the first name that nobody has goes */
};

enum mode { MODE_OFF, MODE_DEFAULT, MODE_STRICT };

static enum mode mode_of(const struct store *store)
{
    size_t pos = 0;
    const struct schema_table *table = schema_table_find(store_schema(store), "NB_Global");
    const struct schema_column *options = table ? schema_column_find(table, "options") : NULL;
    const struct row *row = options ? store_next_row(store, table, &pos) : NULL;
    const char *text = row ? datum_map_text(row_get(row, options), "validate") : NULL;
    if (!text)
        return MODE_DEFAULT;
    return !strcmp(text, "off") ? MODE_OFF : !strcmp(text, "strict") ? MODE_STRICT : MODE_DEFAULT;
}

static bool exists(void *store, const char *table_name, const char *name)
{
    const struct schema_table *table = schema_table_find(store_schema(store), table_name);
    return !table || store_row_by_name(store, table, name);
}

static void on_missing(void *judge_, const char *sentence)
{
    static struct log_rate rate = LOG_RATE(10, 10);
    struct judge *judge = judge_;
    if (!judge->error)
        log_warn_limited(&rate, "%s", sentence);
    else if (!judge->error->error)
        op_error_set(judge->error, "constraint violation", NULL, "%s", sentence);
}

static bool refuses(void *judge_, const struct row *before, const struct row *after,
                    struct op_error *error)
{
    struct judge *judge = judge_;
    enum mode mode = mode_of(judge->store);
    if (mode == MODE_OFF)
        return false;
    struct diag diag = DIAG_INIT;
    if (validate_row(judge->validate, before, after, &diag))
        op_error_set(error, "constraint violation", NULL, "%s", diag_text(&diag));
    diag_fini(&diag);
    if (error->error)
        return true;
    judge->error = mode == MODE_STRICT ? error : NULL;
    const struct validate_names names = {judge->store, exists};
    validate_row_names(judge->validate, before, after, &names, on_missing, judge);
    return error->error != NULL;
}

static bool permits(void *judge, const struct row *before, const struct row *after,
                    struct op_error *error)
{
    return !refuses(judge, before, after, error);
}

struct judge *judge_new(struct store *store)
{
    struct judge *judge = NEW(struct judge);
    judge->store = store;
    judge->validate = validate_new(store_schema(store));
    store_set_judge(store, permits, judge);
    return judge;
}

void judge_free(struct judge *judge)
{
    if (!judge)
        return;
    store_set_judge(judge->store, NULL, NULL);
    validate_free(judge->validate);
    free(judge);
}
