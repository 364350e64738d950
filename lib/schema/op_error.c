/* op_error.c - errors of operations as clients see them; see op.h. */
#include "base/err.h"
#include "schema/op.h"

#include <stdlib.h>

static int code_of(const char *tag)
{
    static const struct {
        const char *tag;
        int code;
    } codes[] = {{"syntax error", ERR_SYNTAX},
                 {"constraint violation", ERR_CONSTRAINT},
                 {"ovsdb error", ERR_CONSTRAINT},
                 {"range error", ERR_RANGE},
                 {"domain error", ERR_RANGE},
                 {"referential integrity violation", ERR_REFERENCE},
                 {"timed out", ERR_TIMEOUT},
                 {"not owner", ERR_NOT_OWNER},
                 {"permission error", ERR_PERMISSION},
                 {"not allowed", ERR_PERMISSION},
                 {"I/O error", ERR_IO}};
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
        if (!strcmp(codes[i].tag, tag))
            return codes[i].code;
    }
    return ERR_UNKNOWN;
}

int op_error_set(struct op_error *error, const char *tag, const json_t *syntax, const char *format,
                 ...)
{
    if (error) {
        va_list args;
        va_start(args, format);
        char *details = xvasprintf(format, args);
        va_end(args);
        op_error_fini(error);
        error->error = xstrdup(tag);
        error->details = details;
        error->syntax = syntax ? json_to_text(syntax) : NULL;
    }
    return code_of(tag);
}

void op_error_fini(struct op_error *error)
{
    free(error->error);
    free(error->details);
    free(error->syntax);
    *error = (struct op_error){0};
}

json_t *op_error_to_json(const struct op_error *error)
{
    json_t *json = json_object();
    json_object_set_new(json, "error", json_string(error->error));
    if (error->details)
        json_object_set_new(json, "details", json_string(error->details));
    if (error->syntax)
        json_object_set_new(json, "syntax", json_string(error->syntax));
    return json;
}
