/* table.h - the flow tables of a bridge: rules, flow modifications, expiry.
 *
 * 255 tables (254 is the switch's own). A rule is one flow: a classifier rule with its actions,
 * cookie, timeouts and counters. It is immutable but for the counters: to modify a flow is to put a
 * new rule in the place of the old. Rules are counted: a cached translation holds those that it
 * credits, so a rule may outlive its place in a table.
 *
 * Modifications go through a journal, so that a bundle is all or nothing:
 *
 *     tables_flow_mod(t, &fm, now, &journal) ...  then journal_commit or journal_undo.
 *
 * A commit that goes in pieces (ofcommit.c) brackets its modifications by tables_prepare and tables_flip: what it does is seen by
 * look-ups and selections at the flip, at once. What it took away stays in the tables until journal_keep. One such commit can be on its way, and
 * whoever else is about to change flows has it finished before (tables_settle).
 *
 * Among flows of equal priority that match one packet, the one added first wins. A flow that is
 * replaced or modified keeps its place.
 *
 * Room 9 of docs/architecture.md.
 */
#pragma once

#include "classifier/classifier.h"
#include "openflow/flow_mod.h"

struct cls_memo;
struct slice;
struct table_policy;
struct table_settings;

enum { N_TABLES = 255, TABLE_HIDDEN = 254, N_TABLES_OPEN = 254 };
enum { TABLE_MAX_FLOWS = 1000000 /* told of a table that nobody has given a limit; it has none */ };

struct rule {
    struct cls_rule cls;
    uint32_t refs;
    uint8_t table_id;
    bool removed; /* no longer in a table */
    bool fresh;   /* added by a journal that is not kept yet */
    bool shown;   /* packets have met it: the journal that brought it is committed */
    uint16_t idle_timeout, hard_timeout, flags, importance;
    uint64_t cookie;
    struct of_actions actions; /* in BYTES, behind the rest: never changed */
    struct cls_conj *conjs;    /* what its conjunction actions say */
    int64_t created_ms, modified_ms, used_ms;
    uint64_t n_packets, n_bytes;
    struct list expirable;  /* in tables.expirable, when it has a timeout */
    struct rule *successor; /* after a replacement that keeps counters: who gets the credit now */
    _Alignas(8) uint8_t bytes[];
};

struct flow_table {
    struct classifier cls;
    size_t n_coming, n_going; /* with the next version, or with the last one */
    uint64_t n_lookups, n_matches;
    uint32_t n_hidden;
    struct table_policy *policy; /* table_policy.h; NULL: nobody has said anything of it */
};

struct tables {
    struct flow_table table[N_TABLES];
    struct cls_memo *memo; /* of look-ups */
    struct list expirable;
    struct list expiry; /* in EXPIRABLE, behind what has been looked at; alone: nobody is looking */
    size_t n_rules;
    uint64_t generation; /* grows with each change */
    bool tells_vacancy;  /* some table's policy does, or did */
    bool pending, by_commit,
        flipped;               /* a commit goes in pieces; it is at work now; it is in force */
    void (*settle)(void *aux); /* finishes it */
    void *settle_aux;
};

enum change_kind { CHANGE_ADD, CHANGE_REPLACE, CHANGE_REMOVE };
struct table_change {
    enum change_kind kind;
    bool by_add;             /* CHANGE_REPLACE: by a command to add */
    bool is_later;           /* OLD has an end, but is in its table until the change is kept */
    uint8_t reason;          /* CHANGE_REMOVE: OF_REMOVED_* */
    struct rule *old, *new;  /* one reference each */
    struct minimatch *match; /* CHANGE_REMOVE: of OLD */
};
struct journal {
    VEC(struct table_change) changes;
};
#define JOURNAL_INIT                                                                               \
    {                                                                                              \
        VEC_INIT                                                                                   \
    }

void tables_init(struct tables *tables);
void tables_fini(struct tables *tables);

/* Carries FM out and appends what it did. Returns 0 or an OF_ERROR, having changed nothing. FM's
 * actions are checked here and may be put into canonical form; groups and meters are the bridge's to
 * check before. */
int tables_flow_mod(struct tables *tables, struct of_flow_mod *fm, int64_t now_ms,
                    struct journal *journal) MUST_CHECK;
/* What tables_flow_mod says against FM before it does anything. */
int tables_check_flow_mod(struct of_flow_mod *fm) MUST_CHECK;
/* The parts of a modification or deletion (flow_walk.h): whether FM selects RULE, whose match it covers; what is done to each; and what to
 * a modification that found none. */
bool tables_selects(const struct tables *tables, const struct rule *rule,
                    const struct of_flow_mod *fm);
void tables_modify(struct tables *tables, struct rule *rule, const struct of_flow_mod *fm,
                   int64_t now_ms, struct journal *journal);
int tables_modify_nothing(struct tables *tables, const struct of_flow_mod *fm, int64_t now_ms,
                          struct journal *journal) MUST_CHECK;
/* Adds a flow of the switch's own, of any priority and table. */
struct rule *tables_add_hidden(struct tables *tables, uint8_t table_id, const struct match *match,
                               int32_t priority, const struct of_actions *actions, int64_t now_ms);
/* Lowers RULE's timeouts to IDLE and HARD seconds, where these are not 0 and its own are longer or none. */
void tables_shorten(struct tables *tables, struct rule *rule, uint16_t idle, uint16_t hard);
/* Removes what has timed out, with its reason. Traffic until CREDITED_MS is known to have been counted. False: SLICE is over, and there is more
 * to look at, with which the next call goes on. */
bool tables_expire(struct tables *tables, int64_t now_ms, int64_t credited_ms, struct slice *slice,
                   struct journal *journal);
void tables_remove(struct tables *tables, struct rule *rule, uint8_t reason,
                   struct journal *journal);
/* Takes what the database says of a table, NULL: nothing. Flows beyond a lower limit go, if the table evicts. */
void tables_configure(struct tables *tables, uint8_t table_id,
                      const struct table_settings *settings, struct journal *journal);
/* Removes all flows, hidden ones too when HIDDEN. */
void tables_flush(struct tables *tables, bool hidden, struct journal *journal);

/* Keeps the changes. */
void journal_commit(struct journal *journal, struct tables *tables);
/* The same for change I alone, which is then empty; whoever has kept all of them frees the vector. */
void journal_keep(struct journal *journal, size_t i, struct tables *tables);
void journal_undo(struct journal *journal, struct tables *tables);
void journal_undo_last(struct journal *journal, struct tables *tables);

/* Until tables_finish, changes are made by the one commit that goes in pieces, while by_commit is set. */
void tables_prepare(struct tables *tables);
/* All that it changed is in force. */
void tables_flip(struct tables *tables);
void tables_finish(struct tables *tables);
/* Before anybody else changes flows. */
static inline void tables_settle(struct tables *tables)
{
    if (tables->pending && !tables->by_commit)
        tables->settle(tables->settle_aux);
}
/* Whether readers see RULE, which is in a table; the commit at work sees what it makes. */
bool tables_see(const struct tables *tables, const struct rule *rule);
/* How many flows controllers see in table TABLE_ID. */
size_t tables_active(const struct tables *tables, uint8_t table_id);

/* The winner in table TABLE_ID. WC, all 0, gets what decided (cls_memo_lookup). */
struct rule *tables_lookup(struct tables *tables, uint8_t table_id, const struct flow_key *key,
                           const struct tun_opts *opts, struct flow_mask *wc, uint64_t *words);

/* Flows that a statistics request selects, in order of table and age; hidden ones are left out. Not
 * referenced. */
typedef VEC(struct rule *) rule_vec;
void tables_select(const struct tables *tables, const struct of_flow_stats_request *req,
                   rule_vec *ret);

/* Whether RULE is among what REQ asks for, but for its match. */
bool rule_answers(const struct rule *rule, const struct of_flow_stats_request *req);

static inline bool rule_is_hidden(const struct rule *rule)
{
    return rule->cls.priority > UINT16_MAX || rule->table_id == TABLE_HIDDEN;
}

static inline struct rule *rule_ref(struct rule *rule)
{
    rule->refs++;
    return rule;
}
void rule_unref(struct rule *rule);

/* Who counts traffic that a translation credits to RULE. */
static inline struct rule *rule_creditor(struct rule *rule)
{
    while (rule->successor)
        rule = rule->successor;
    return rule;
}
