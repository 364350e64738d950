/* table_policy.h - what a flow table does beyond holding flows: how many it may hold, which flow goes when it is full, what it tells
 * controllers about the room that is left, and its name (ovs-vswitchd.conf.db(5), Flow_Table; OpenFlow 1.4 section 7.3.4.1).
 *
 * A table has a policy when something was said of it; most have none and cost nothing. While a policy evicts, it indexes the flows
 * that may go (those with a timeout), so that the next to go is found without a walk over the table:
 *
 *     groups by the values of some fields -> the largest -> the least important of its flows -> the one that expires first
 *
 * Traffic moves the expiry of a flow with an idle timeout; its place is put right when it comes to the top.
 */
#pragma once

#include "base/hmap.h"
#include "base/vec.h"
#include "flow/field.h"
#include "openflow/table.h"

struct rule;
struct flow_table;

enum { EVICT_FIELDS_MAX = 16, TABLE_NO_LIMIT = UINT32_MAX };

struct evictable; /* a flow that may go; private to table_policy.c, as the next */
struct evict_group;

struct table_policy {
    char *name_db, *name_of; /* NULL: not given there */
    uint32_t limit;          /* flows, TABLE_NO_LIMIT */
    bool evicts_db, evicts_of;
    bool indexed;
    struct subfield fields[EVICT_FIELDS_MAX];
    unsigned n_fields;
    struct hmap evictables, groups;
    VEC(struct evict_group *) order; /* a heap: the group that loses a flow next comes first */
    bool vacancy_on;
    uint8_t vacancy_down, vacancy_up; /* percent */
    bool told_down;                   /* the last event, or what the first would have been */
};

/* What the database says of a table. Strings are borrowed. */
struct table_settings {
    const char *name; /* NULL: none */
    uint32_t limit;
    bool evicts;
    struct subfield fields[EVICT_FIELDS_MAX];
    unsigned n_fields;
};

struct table_policy *table_policy_get(struct flow_table *t); /* makes one */
void table_policy_free(struct flow_table *t);
/* Takes what the database says; what OpenFlow said stays. The caller makes the table as small as that. */
void table_policy_configure(struct flow_table *t, const struct table_settings *settings);
/* Takes a TABLE_MOD of OpenFlow 1.4 or later. */
void table_policy_modify(struct flow_table *t, const struct of_table_mod *tm);
void table_policy_rename(struct flow_table *t, const char *name); /* by OpenFlow; "": no name */
/* "" when it has none. */
const char *table_name(const struct flow_table *t);
bool table_name_is_fixed(const struct flow_table *t); /* the database says it */
uint32_t table_limit(const struct flow_table *t);
/* The flows that count against the limit. */
uint32_t table_n_flows(const struct flow_table *t);
/* T as TABLE_DESC tells it: what OpenFlow said, whatever the database says. */
void table_describe(const struct flow_table *t, uint8_t id, struct of_table_mod *ret);
/* Whether controllers are to be told of the room that is left, by an event that was not the last: *REASON. */
bool table_vacancy_event(struct flow_table *t, enum of_table_reason *reason);

/* For table.c: RULE is now in T, is about to leave it, has other timeouts. */
void table_policy_enter(struct table_policy *p, struct rule *rule);
void table_policy_leave(struct table_policy *p, struct rule *rule);
/* Finds room for one more flow: 0 with the flows that must go in VICTIMS (after each removal: the next), else
 * OF_ERR_FLOW_MOD_TABLE_FULL. */
int table_excess(const struct flow_table *t, uint32_t more, uint32_t *n_victims) MUST_CHECK;
struct rule *table_policy_victim(struct table_policy *p); /* NULL: none may go */
