/* err.c - texts of the error codes. */
#include "base/err.h"

const char *err_text(int code)
{
    switch (code) {
    case ERR_OK:
        return "success";
#define ERR(NAME, TEXT)                                                                            \
    case ERR_##NAME:                                                                               \
        return TEXT;
#include "base/err.def"
#undef ERR
    default:
        return "unknown error";
    }
}
