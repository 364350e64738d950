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

/* of_table_mod.config: of versions before 1.3 what a miss does (OF_TC_MISS), since 1.4 two flags. */
enum { OF_TC_MISS = 3, OF_TC_EVICTION = 4, OF_TC_VACANCY_EVENTS = 8 };
enum { OF_EVICT_ALL = 7 /* what an eviction looks at: OTHER, IMPORTANCE, LIFETIME */ };

struct of_table_mod {
    uint8_t id; /* OF_TABLE_ALL */
    uint32_t config;
    uint32_t eviction_flags;                   /* in TABLE_DESC */
    uint8_t vacancy_down, vacancy_up, vacancy; /* percent of free room; the last in TABLE_DESC */
};
void of_table_mod_encode(const struct of_table_mod *tm, uint8_t version, uint32_t xid,
                         struct of_buf *out);
/* 0, or an OF_ERROR: unknown properties, and percentages that are none or the wrong way round. */
int of_table_mod_decode(const struct of_msg *msg, struct of_table_mod *ret) MUST_CHECK;
void of_table_desc_put(struct of_reply *reply, const struct of_table_mod *desc); /* 1.4 and later */
int of_table_desc_next(const struct of_msg *msg, size_t *ofs, struct of_table_mod *ret) MUST_CHECK;

enum of_table_reason { OF_TABLE_VACANCY_DOWN = 3, OF_TABLE_VACANCY_UP = 4 };
struct of_table_status {
    enum of_table_reason reason;
    struct of_table_mod desc;
};
void of_table_status_encode(const struct of_table_status *ts, uint8_t version,
                            struct of_buf *out); /* 1.4 and later */
int of_table_status_decode(const struct of_msg *msg, struct of_table_status *ret) MUST_CHECK;
