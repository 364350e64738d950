/* datum.h - typed values of a column (RFC 7047 section 3.1 and 5.1).
 *
 * An atom is one scalar. A datum is what a column holds: a sorted set of atoms or a sorted map of
 * atom pairs; a scalar is a set of one, an optional a set of at most one. Datums are immutable and
 * reference-counted: versions of a row share the columns that did not change, so "same pointer"
 * means "unchanged", and default values cost nothing.
 *
 * Room 1 and 5 of the architecture. Knows nothing of tables; belongs to one thread.
 */
#pragma once

#include "base/diag.h"
#include "base/rstr.h"
#include "base/str.h"
#include "base/uuid.h"

enum atom_type { ATOM_INTEGER, ATOM_REAL, ATOM_BOOLEAN, ATOM_STRING, ATOM_UUID };

union atom {
    int64_t integer;
    double real;
    bool boolean;
    struct rstr *string;
    struct uuid uuid;
};

struct datum {
    uint32_t refs;
    uint32_t n;         /* elements or pairs */
    uint8_t key_type;   /* enum atom_type */
    uint8_t value_type; /* enum atom_type, or DATUM_SET */
    union atom
        atoms[]; /* n keys in ascending order without duplicates, then for a map their n values */
};

enum { DATUM_SET = 0xff };

static inline bool datum_is_map(const struct datum *d)
{
    return d->value_type != DATUM_SET;
}
static inline const union atom *datum_values(const struct datum *d)
{
    return d->atoms + d->n;
}

/* Atom helpers. Order: integers, reals and booleans by value, strings by bytes, uuids by bytes. */
int atom_compare(enum atom_type type, const union atom *a, const union atom *b);
uint64_t atom_hash(enum atom_type type, const union atom *a, uint64_t seed);
static inline union atom atom_ref(enum atom_type type, const union atom *a)
{
    if (type == ATOM_STRING)
        rstr_ref(a->string);
    return *a;
}
void atom_unref(enum atom_type type, const union atom *a);
const char *atom_type_name(enum atom_type type); /* "integer" ... */
/* For a person: strings are quoted when they are not plain words. */
void atom_print(enum atom_type type, const union atom *a, struct str *out);

/* Makers. They take over one reference to each string in KEYS and VALUES, sort, and drop duplicates
 * (a map keeps the first pair of a key). VALUES is NULL for a set. The result has one reference. */
const struct datum *datum_new_set(enum atom_type type, union atom *keys, size_t n);
const struct datum *datum_new_map(enum atom_type key_type, enum atom_type value_type,
                                  union atom *keys, union atom *values, size_t n);
/* As above, but duplicates are an error: ERR_CONSTRAINT with "set contains duplicate" or "map
 * contains duplicate key". */
int datum_new_checked(enum atom_type key_type, uint8_t value_type, union atom *keys,
                      union atom *values, size_t n, const struct datum **ret,
                      struct diag *diag) MUST_CHECK;
const struct datum *datum_new_empty(enum atom_type key_type, uint8_t value_type);
const struct datum *datum_new_integer(int64_t integer);
const struct datum *datum_new_real(double real);
const struct datum *datum_new_boolean(bool boolean);
const struct datum *datum_new_string(const char *text);
const struct datum *datum_new_uuid(const struct uuid *uuid);

static inline const struct datum *datum_ref(const struct datum *d)
{
    ((struct datum *)(uintptr_t)d)->refs++;
    return d;
}
void datum_unref(const struct datum *d); /* NULL is allowed */

bool datum_equal(const struct datum *a, const struct datum *b);
int datum_compare(const struct datum *a, const struct datum *b);
uint64_t datum_hash(const struct datum *d, uint64_t seed);
/* Index of KEY, or -1. Binary search. */
long datum_find(const struct datum *d, const union atom *key);
bool datum_has_string(const struct datum *d, const char *key);
/* The value of string key KEY in a string-to-string map, or NULL. */
const char *datum_map_text(const struct datum *d, const char *key);
/* A includes B in the sense of RFC 7047 5.1 "includes": every element (every pair) of B is in A. */
bool datum_includes(const struct datum *a, const struct datum *b);
/* Set or map algebra; a new reference, which is A itself when nothing changes. Union keeps A's
 * value of a common key; for a map, subtract removes pairs of B that are equal (B a map) or keys of
 * B (B a set). */
const struct datum *datum_union(const struct datum *a, const struct datum *b);
const struct datum *datum_subtract(const struct datum *a, const struct datum *b);
/* The difference as update2 sends it for sets and maps: elements in exactly
 * one side; pairs whose key is in one side, plus changed pairs with the new value. */
const struct datum *datum_difference(const struct datum *before, const struct datum *after);
/* The inverse: applies DIFF to BEFORE by toggling. */
const struct datum *datum_apply_difference(const struct datum *before, const struct datum *diff);
/* For a person and for ctl tools: 5, "text", [a, b], {k=v}. Strings are quoted when they are not
 * plain words. */
void datum_print(const struct datum *d, struct str *out);
