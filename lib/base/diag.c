/* diag.c - error sentences. */
#include "base/diag.h"

#include <stdlib.h>

#include "base/err.h"

static int set(struct diag *diag, int code, long offset, const char *format, va_list args)
{
    if (diag) {
        char *text = xvasprintf(format, args); /* before free: an argument may be the old text */
        free(diag->text);
        *diag = (struct diag){.code = code, .text = text, .offset = offset};
    }
    return code;
}

int diag_set(struct diag *diag, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set(diag, code, -1, format, args);
    va_end(args);
    return code;
}

int diag_set_at(struct diag *diag, int code, long offset, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set(diag, code, offset, format, args);
    va_end(args);
    return code;
}

void diag_prefix(struct diag *diag, const char *format, ...)
{
    if (!diag || !diag->text)
        return;
    va_list args;
    va_start(args, format);
    char *prefix = xvasprintf(format, args);
    va_end(args);
    char *text = xasprintf("%s%s", prefix, diag->text);
    free(prefix);
    free(diag->text);
    diag->text = text;
}

const char *diag_text(const struct diag *diag)
{
    return diag && diag->text ? diag->text : err_text(diag ? diag->code : 0);
}

void diag_fini(struct diag *diag)
{
    if (diag) {
        free(diag->text);
        *diag = (struct diag)DIAG_INIT;
    }
}
