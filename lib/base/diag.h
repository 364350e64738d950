/* diag.h - why something failed, for a person to read.
 *
 * A function whose failure a person will ask about takes a struct diag * last. It may be NULL. The
 * function that finds the problem sets it; callers on the way up may put context in front with
 * diag_prefix. A diag holds the code, the sentence, and optionally a position in the input text.
 */
#pragma once

#include "base/util.h"

struct diag {
    int code;    /* an ERR_ code, 0 when nothing was reported */
    char *text;  /* owned, NULL when nothing was reported */
    long offset; /* byte offset in the input, -1 when it does not apply */
};

#define DIAG_INIT                                                                                  \
    {                                                                                              \
        .offset = -1                                                                               \
    }

/* Replaces the contents of DIAG (if not NULL) and returns CODE, so that "return diag_set(d, ERR_X,
 * ...)" reads well. */
int diag_set(struct diag *diag, int code, const char *format, ...) PRINTF_FORMAT(3, 4);
int diag_set_at(struct diag *diag, int code, long offset, const char *format, ...)
    PRINTF_FORMAT(4, 5);
/* Puts a formatted text in front of the sentence. Does nothing on a NULL or empty DIAG. */
void diag_prefix(struct diag *diag, const char *format, ...) PRINTF_FORMAT(2, 3);
/* The sentence, or the text of the code when none was set. */
const char *diag_text(const struct diag *diag);
void diag_fini(struct diag *diag);
