/* str.c - growable strings. */
#include "base/str.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static void reserve(struct str *str, size_t more)
{
    size_t need = str->n + more + 1;
    if (need > str->cap) {
        size_t cap = MAX(str->cap * 2, 32);
        str->cap = MAX(cap, need);
        str->s = xrealloc(str->s, str->cap);
    }
}

void str_put_n(struct str *str, const char *bytes, size_t n)
{
    reserve(str, n);
    if (n)
        memcpy(str->s + str->n, bytes, n);
    str->n += n;
    str->s[str->n] = '\0';
}

void str_put(struct str *str, const char *text)
{
    str_put_n(str, text, strlen(text));
}

void str_putc(struct str *str, char c)
{
    reserve(str, 1);
    str->s[str->n++] = c;
    str->s[str->n] = '\0';
}

void str_vputf(struct str *str, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    reserve(str, 32);
    size_t room = str->cap - str->n;
    int n = vsnprintf(str->s + str->n, room, format, args);
    INVARIANT(n >= 0);
    if ((size_t)n >= room) {
        reserve(str, (size_t)n);
        vsnprintf(str->s + str->n, str->cap - str->n, format, again);
    }
    str->n += (size_t)n;
    va_end(again);
}

void str_putf(struct str *str, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    str_vputf(str, format, args);
    va_end(args);
}

void str_put_hex(struct str *str, const void *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *p = bytes;
    for (size_t i = 0; i < n; i++) {
        char pair[2] = {digits[p[i] >> 4], digits[p[i] & 15]};
        str_put_n(str, pair, 2);
    }
}

void str_truncate(struct str *str, size_t n)
{
    if (n < str->n) {
        str->n = n;
        str->s[n] = '\0';
    }
}

bool str_chomp(struct str *str, const char *suffix)
{
    if (!text_ends_with(str_c(str), suffix))
        return false;
    str_truncate(str, str->n - strlen(suffix));
    return true;
}

const char *str_c(const struct str *str)
{
    return str->s ? str->s : "";
}

char *str_steal(struct str *str)
{
    char *s = str->s ? str->s : xstrdup("");
    *str = (struct str)STR_INIT;
    return s;
}

void str_clear(struct str *str)
{
    str_truncate(str, 0);
}

void str_fini(struct str *str)
{
    free(str->s);
    *str = (struct str)STR_INIT;
}

bool text_starts_with(const char *text, const char *prefix)
{
    return !strncmp(text, prefix, strlen(prefix));
}

bool text_ends_with(const char *text, const char *suffix)
{
    size_t n = strlen(text), m = strlen(suffix);
    return n >= m && !memcmp(text + n - m, suffix, m);
}

int text_to_i64(const char *text, int base, int64_t *ret)
{
    char *end;
    if (!*text || isspace((unsigned char)*text))
        return ERR_SYNTAX;
    errno = 0;
    long long v = strtoll(text, &end, base);
    if (*end)
        return ERR_SYNTAX;
    if (errno == ERANGE)
        return ERR_RANGE;
    *ret = v;
    return 0;
}

int text_to_u64(const char *text, int base, uint64_t *ret)
{
    char *end;
    if (!isxdigit((unsigned char)*text))
        return ERR_SYNTAX;
    errno = 0;
    unsigned long long v = strtoull(text, &end, base);
    if (*end)
        return ERR_SYNTAX;
    if (errno == ERANGE)
        return ERR_RANGE;
    *ret = v;
    return 0;
}
