/* util.h - the few macros and allocation helpers that every file may use.
 *
 * Allocation never fails as far as callers can see: the process aborts when memory is exhausted, so
 * sizes that come from outside must be bounded before they reach these functions (docs/style.md).
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_FORMAT(FMT, ARG) __attribute__((format(printf, FMT, ARG)))
#define UNUSED __attribute__((unused))
#define ARRAY_SIZE(A) (sizeof(A) / sizeof((A)[0]))
#define CONTAINER_OF(PTR, TYPE, MEMBER) ((TYPE *)(void *)((char *)(PTR)-offsetof(TYPE, MEMBER)))
#define MIN(A, B) ((A) < (B) ? (A) : (B))
#define MAX(A, B) ((A) > (B) ? (A) : (B))
#define DIV_ROUND_UP(X, Y) (((X) + ((Y)-1)) / (Y))
#define ROUND_UP(X, Y) (DIV_ROUND_UP(X, Y) * (Y))

/* Holds in every build, also in release: a broken invariant stops the process with its place and
 * text. */
#define INVARIANT(COND)                                                                            \
    do {                                                                                           \
        if (__builtin_expect(!(COND), 0))                                                          \
            bug("%s:%d: %s: broken invariant: %s", __FILE__, __LINE__, __func__, #COND);           \
    } while (0)

/* Prints the message to standard error and aborts. */
_Noreturn void bug(const char *format, ...) PRINTF_FORMAT(1, 2);

void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t n, size_t size)
    __attribute__((malloc, returns_nonnull)); /* zeroed, overflow-checked */
void *xrealloc(void *p, size_t size) __attribute__((returns_nonnull));
void *xmemdup(const void *p, size_t size) __attribute__((malloc, returns_nonnull));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));
char *xstrndup(const char *s, size_t n) __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *format, ...) PRINTF_FORMAT(1, 2)
    __attribute__((malloc, returns_nonnull));
char *xvasprintf(const char *format, va_list args) PRINTF_FORMAT(1, 0)
    __attribute__((malloc, returns_nonnull));

/* One zeroed object of TYPE. */
#define NEW(TYPE) ((TYPE *)xcalloc(1, sizeof(TYPE)))
