/* fact_type.h - what a room needs to define the types of its facts: order, references, text (rooms 2 to 4 of docs/architecture.md).
 *
 *     FACT_COMPARE(link, uuid_compare(&a->ls, &b->ls), fact_compare_text(a->name, b->name))
 *     FACT_TEXTS(link, name, peer)                          members that are interned texts (or NULL), up to three
 *     FACT_TYPE(link, link_print);                          const struct inc_type northd_type_link
 *
 * Each is used in one .c file a room, which sees struct fact_NAME.
 */
#pragma once

#include "base/rstr.h"
#include "base/str.h"
#include "base/uuid.h"
#include "inc/inc.h"

static inline void fact_ref_text(const struct rstr *text)
{
    if (text)
        rstr_ref(text);
}

static inline int fact_compare_text(const struct rstr *a, const struct rstr *b)
{
    return a && b ? rstr_compare(a, b) : (a != NULL) - (b != NULL);
}

static inline int fact_compare_u64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static inline void fact_put_uuid(struct str *out, const struct uuid *uuid)
{
    char buf[UUID_TEXT_LEN + 1];
    str_put(out, uuid_print(uuid, buf));
}

/* The order of facts: the first of the comparisons of *A with *B that tells a difference. */
#define FACT_COMPARE(NAME, ...)                                                                    \
    static int NAME##_compare(const void *a_, const void *b_)                                      \
    {                                                                                              \
        const struct fact_##NAME *a = a_, *b = b_;                                                 \
        const int results_[] = {__VA_ARGS__};                                                      \
        for (size_t i_ = 0; i_ < ARRAY_SIZE(results_); i_++)                                       \
            if (results_[i_])                                                                      \
                return results_[i_];                                                               \
        return 0;                                                                                  \
    }

#define FACT_TEXT3(NAME, ONE, TWO, THREE)                                                          \
    static void NAME##_ref(const void *fact)                                                       \
    {                                                                                              \
        const struct fact_##NAME *f = fact;                                                        \
        fact_ref_text(f->ONE);                                                                     \
        fact_ref_text(f->TWO);                                                                     \
        fact_ref_text(f->THREE);                                                                   \
    }                                                                                              \
    static void NAME##_unref(const void *fact)                                                     \
    {                                                                                              \
        const struct fact_##NAME *f = fact;                                                        \
        rstr_unref(f->ONE);                                                                        \
        rstr_unref(f->TWO);                                                                        \
        rstr_unref(f->THREE);                                                                      \
    }
#define FACT_TEXT2(NAME, ONE, TWO)                                                                 \
    static void NAME##_ref(const void *fact)                                                       \
    {                                                                                              \
        const struct fact_##NAME *f = fact;                                                        \
        fact_ref_text(f->ONE);                                                                     \
        fact_ref_text(f->TWO);                                                                     \
    }                                                                                              \
    static void NAME##_unref(const void *fact)                                                     \
    {                                                                                              \
        const struct fact_##NAME *f = fact;                                                        \
        rstr_unref(f->ONE);                                                                        \
        rstr_unref(f->TWO);                                                                        \
    }
#define FACT_TEXT1(NAME, ONE)                                                                      \
    static void NAME##_ref(const void *fact)                                                       \
    {                                                                                              \
        fact_ref_text(((const struct fact_##NAME *)fact)->ONE);                                    \
    }                                                                                              \
    static void NAME##_unref(const void *fact)                                                     \
    {                                                                                              \
        rstr_unref(((const struct fact_##NAME *)fact)->ONE);                                       \
    }
#define FACT_TEXT_PICK(A, B, C, MACRO, ...) MACRO
#define FACT_TEXTS(NAME, ...)                                                                      \
    FACT_TEXT_PICK(__VA_ARGS__, FACT_TEXT3, FACT_TEXT2, FACT_TEXT1, )(NAME, __VA_ARGS__)

/* With references; without. PRINT may be NULL. */
#define FACT_TYPE(NAME, PRINT)                                                                     \
    const struct inc_type northd_type_##NAME = {.name = #NAME,                                     \
                                                .size = sizeof(struct fact_##NAME),                \
                                                .compare = NAME##_compare,                         \
                                                .ref = NAME##_ref,                                 \
                                                .unref = NAME##_unref,                             \
                                                .print = PRINT}
#define FACT_TYPE_PLAIN(NAME, PRINT)                                                               \
    const struct inc_type northd_type_##NAME = {.name = #NAME,                                     \
                                                .size = sizeof(struct fact_##NAME),                \
                                                .compare = NAME##_compare,                         \
                                                .print = PRINT}
