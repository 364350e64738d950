/* str.h - a growable, always NUL-terminated string, and small helpers on C strings. */
#pragma once

#include "base/util.h"

struct str {
    char *s; /* NULL until the first write; use str_c() to read */
    size_t n, cap;
};

#define STR_INIT                                                                                   \
    {                                                                                              \
        NULL, 0, 0                                                                                 \
    }

void str_put(struct str *str, const char *text);
void str_put_n(struct str *str, const char *bytes, size_t n);
void str_putc(struct str *str, char c);
void str_putf(struct str *str, const char *format, ...) PRINTF_FORMAT(2, 3);
void str_vputf(struct str *str, const char *format, va_list args) PRINTF_FORMAT(2, 0);
void str_put_hex(struct str *str, const void *bytes, size_t n); /* lower case, no separators */
void str_truncate(struct str *str, size_t n);
/* Removes SUFFIX from the end if it is there and tells whether it was. */
bool str_chomp(struct str *str, const char *suffix);
/* The text; "" when empty. Valid until the next write. */
const char *str_c(const struct str *str);
/* Hands the heap text over to the caller and leaves STR empty. Never NULL. */
char *str_steal(struct str *str);
void str_clear(struct str *str); /* keeps the memory */
void str_fini(struct str *str);

bool text_starts_with(const char *text, const char *prefix);
bool text_ends_with(const char *text, const char *suffix);
/* Whole-text integer parsing; ERR_SYNTAX or ERR_RANGE. BASE 0 accepts 0x and decimal. */
int text_to_i64(const char *text, int base, int64_t *ret) MUST_CHECK;
int text_to_u64(const char *text, int base, uint64_t *ret) MUST_CHECK;
