/* table.h - flow tables: statistics, features (names), description, modification. */
#pragma once

#include "openflow/flow_mod.h"

struct of_table_stats {
    uint8_t id;
    char name[33];
    uint32_t max_entries;
    uint32_t active;
    uint64_t lookups, matches;
};
void of_table_stats_put(struct of_reply *reply, const struct of_table_stats *ts);
int of_table_stats_next(const struct of_msg *msg, size_t *ofs,
                        struct of_table_stats *ret) MUST_CHECK;

/* The features that a switch of one kind of table has in all of them: id and name differ. */
struct of_table_features {
    uint8_t id;
    char name[33];
    uint64_t metadata_match, metadata_write;
    uint32_t max_entries;
    uint8_t n_tables;            /* goto_table may name those behind ID and below this */
    const struct of_buf *fields; /* to put: see of_table_features_fields */
};
/* The properties that say which fields of fields.def are matched and set: the same in all tables, so made once for a reply. */
void of_table_features_fields(struct of_buf *ret);
/* Puts one table, with instructions and actions in its properties. */
void of_table_features_put(struct of_reply *reply, const struct of_table_features *tf);
/* Reads id, name, max_entries, metadata; properties are checked for length only. */
int of_table_features_next(const struct of_msg *msg, size_t *ofs,
                           struct of_table_features *ret) MUST_CHECK;

struct of_table_mod {
    uint8_t id; /* OF_TABLE_ALL */
    uint32_t config;
};
int of_table_mod_decode(const struct of_msg *msg, struct of_table_mod *ret) MUST_CHECK;
void of_table_desc_put(struct of_reply *reply, const struct of_table_mod *desc); /* 1.4 and later */
int of_table_desc_next(const struct of_msg *msg, size_t *ofs, struct of_table_mod *ret) MUST_CHECK;
