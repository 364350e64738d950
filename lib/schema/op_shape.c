/* op_shape.c - which members each operation has.
 *
 * RFC 7047 section 5.2 as a table. Content is the business of op_parse.c.
 */
#include "schema/op_shape.h"

#define OP                                                                                         \
    {                                                                                              \
        "op", MEMBER_STRING                                                                        \
    }
#define TABLE                                                                                      \
    {                                                                                              \
        "table", MEMBER_ID                                                                         \
    }
#define WHERE                                                                                      \
    {                                                                                              \
        "where", MEMBER_ARRAY                                                                      \
    }
#define COLUMNS                                                                                    \
    {                                                                                              \
        "columns", MEMBER_ARRAY | MEMBER_OPTIONAL                                                  \
    }

const struct op_shape op_shapes[] = {
    {"insert",
     true,
     {OP,
      TABLE,
      {"row", MEMBER_OBJECT},
      {"uuid-name", MEMBER_ID | MEMBER_OPTIONAL},
      {"uuid", MEMBER_STRING | MEMBER_OPTIONAL}}},
    {"select", true, {OP, TABLE, WHERE, COLUMNS}},
    {"update", true, {OP, TABLE, WHERE, {"row", MEMBER_OBJECT}}},
    {"mutate", true, {OP, TABLE, WHERE, {"mutations", MEMBER_ARRAY}}},
    {"delete", true, {OP, TABLE, WHERE}},
    {"wait",
     true,
     {OP,
      TABLE,
      WHERE,
      COLUMNS,
      {"until", MEMBER_STRING},
      {"rows", MEMBER_ARRAY},
      {"timeout", MEMBER_NUMBER | MEMBER_OPTIONAL}}},
    {"commit", false, {OP, {"durable", MEMBER_BOOLEAN}}},
    {"abort", false, {OP}},
    {"comment", false, {OP, {"comment", MEMBER_STRING}}},
    {"assert", false, {OP, {"lock", MEMBER_ID}}},
};

const struct op_shape *op_shape_find(const char *name, enum op_kind *ret)
{
    for (size_t i = 0; i < ARRAY_SIZE(op_shapes); i++) {
        if (!strcmp(op_shapes[i].name, name)) {
            *ret = (enum op_kind)i;
            return &op_shapes[i];
        }
    }
    return NULL;
}
