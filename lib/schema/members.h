/* members.h - which members a JSON object must and may have: a table for each kind of object, and one way to check it. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

enum member_type {
    MEMBER_ID = 1, /* a string that is an identifier */
    MEMBER_STRING = 2,
    MEMBER_OBJECT = 4,
    MEMBER_ARRAY = 8,
    MEMBER_NUMBER = 16,
    MEMBER_INTEGER = 32, /* 1.0 is one too */
    MEMBER_BOOLEAN = 64,
    MEMBER_ANY = 128,
    MEMBER_OPTIONAL = 256
};

struct member {
    const char *name; /* NULL ends a table */
    unsigned types;   /* MEMBER_ bits, any of which will do */
};

/* What is wrong with JSON in ovsdb-server's words, without the "Parsing ... failed: " that callers put in front; to be freed. NULL: it is
 * an object that has all of MEMBERS that are not optional, with the right types, and no others. */
char *members_wrong(const json_t *json, const struct member *members);
/* The integer that JSON, a MEMBER_INTEGER, stands for. */
json_int_t member_integer(const json_t *json);
/* [A-Za-z_][A-Za-z0-9_]* */
bool text_is_identifier(const char *s);
