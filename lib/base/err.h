/* err.h - error codes: functions that can fail return int, 0 or one of these negative codes. */
#pragma once

enum err {
    ERR_OK = 0,
    ERR_FIRST_ = -1000,
#define ERR(NAME, TEXT) ERR_##NAME,
#include "base/err.def"
#undef ERR
};

/* A constant text for CODE, never NULL; codes outside the table read "unknown error". */
const char *err_text(int code);
