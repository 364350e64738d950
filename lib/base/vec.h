/* vec.h - growable typed arrays.
 *
 *     VEC(int) v = VEC_INIT;   vec_push(&v, 3);   v.data[0], v.n   vec_fini(&v);
 *
 * Elements move when the array grows, so keep indexes, not pointers, across pushes.
 */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define VEC(TYPE)                                                                                  \
    struct {                                                                                       \
        TYPE *data;                                                                                \
        size_t n, cap;                                                                             \
    }
#define VEC_INIT                                                                                   \
    {                                                                                              \
        NULL, 0, 0                                                                                 \
    }

#define vec_reserve(V, N)                                                                          \
    do {                                                                                           \
        size_t vec_need_ = (N);                                                                    \
        if (vec_need_ > (V)->cap) {                                                                \
            size_t vec_cap_ = (V)->cap ? (V)->cap * 2 : 8;                                         \
            if (vec_cap_ < vec_need_)                                                              \
                vec_cap_ = vec_need_;                                                              \
            (V)->data = xrealloc((V)->data, vec_cap_ * sizeof *(V)->data);                         \
            (V)->cap = vec_cap_;                                                                   \
        }                                                                                          \
    } while (0)

/* Evaluates X after growing, so X may not refer to an element by pointer into the same array. */
#define vec_push(V, X)                                                                             \
    do {                                                                                           \
        vec_reserve((V), (V)->n + 1);                                                              \
        (V)->data[(V)->n++] = (X);                                                                 \
    } while (0)

/* Appends one zeroed element and yields a pointer to it. */
#define vec_push_zero(V)                                                                           \
    ({                                                                                             \
        vec_reserve((V), (V)->n + 1);                                                              \
        memset(&(V)->data[(V)->n], 0, sizeof *(V)->data);                                          \
        &(V)->data[(V)->n++];                                                                      \
    })

/* Removes element I by moving the last one into its place (order is lost) or by shifting (order is
 * kept). */
#define vec_remove_swap(V, I) ((V)->data[(I)] = (V)->data[--(V)->n])
#define vec_remove(V, I)                                                                           \
    do {                                                                                           \
        size_t vec_i_ = (I);                                                                       \
        memmove(&(V)->data[vec_i_], &(V)->data[vec_i_ + 1],                                        \
                (--(V)->n - vec_i_) * sizeof *(V)->data);                                          \
    } while (0)
#define vec_pop(V) ((V)->data[--(V)->n])
#define vec_last(V) ((V)->data[(V)->n - 1])
#define vec_clear(V) ((void)((V)->n = 0))
/* Gives back what is beyond N elements, the present number at least; of a large array without copying it. */
#define vec_shrink(V, N)                                                                           \
    do {                                                                                           \
        size_t vec_left_ = (N) > (V)->n ? (N) : (V)->n;                                            \
        if (vec_left_ && vec_left_ < (V)->cap) {                                                   \
            (V)->data = xrealloc((V)->data, vec_left_ * sizeof *(V)->data);                        \
            (V)->cap = vec_left_;                                                                  \
        }                                                                                          \
    } while (0)
#define vec_fini(V)                                                                                \
    do {                                                                                           \
        free((V)->data);                                                                           \
        (V)->data = NULL;                                                                          \
        (V)->n = (V)->cap = 0;                                                                     \
    } while (0)

#define VEC_FOR_EACH(PTR, V) for (PTR = (V)->data; (V)->n && PTR < (V)->data + (V)->n; PTR++)
