/* deps.h - what cached translations depend on, and what has changed since they were made.
 *
 * A translation is a function of the packet's key and of the switch's state. Ports and options change seldom: vswitch.generation
 * makes every translation stale. The rest changes all the time, and is kept apart in domains: the flows of one table with one
 * metadata value (a logical datapath, when the flows are OVN's), those of a table that any metadata matches, a group, a learned MAC
 * address. A translation notes each domain that it asks, in order: a path, and equal paths are one (struct dep_set). A change marks
 * the paths that go through its domain, so that a cache hit costs one comparison (megaflow_is_current).
 *
 *     xlate -> keys, writes -> dep_set, megaflow            flow mod -> journal -> dep_change -> domain -> its dep_sets
 *
 * A marked path says only that somebody must look closer: deps_affect asks, for each change since, whether the flow that came could
 * match a packet of the megaflow at the time of that lookup, or the flow that went was the one found. For this a translation notes
 * what the working key held at each lookup, as differences (struct dep_write). When in doubt the answer is yes, and the megaflow is
 * translated anew (revalidate.c); a wrong no is what tests/unit/switchd/test_cache.c looks for.
 */
#pragma once

#include "base/hmap.h"
#include "base/list.h"
#include "flow/key.h"
#include "switchd/table.h"

enum dep_kind { DEP_TABLE, DEP_GROUP, DEP_MAC };

struct dep_key { /* without holes: compared and hashed as bytes */
    uint8_t kind;
    uint8_t table_id;
    uint16_t any; /* DEP_TABLE: flows that do not match the whole metadata; ID is 0 */
    uint32_t bridge_no;
    uint64_t id; /* metadata as in the key, group, or a hash of VLAN and MAC */
};

/* From here on, word WORD of the working key has bits MASK that are not the packet's, with this value. At the start of a
 * translation all metadata is 0 and not the packet's. */
struct dep_write {
    uint64_t value, mask;
    uint32_t word, pad; /* without holes: trail.h */
};
enum { DEP_WRITES_MAX = 4096, DEP_UNKNOWN = UINT16_MAX };

struct dep_domain;
struct dep_link;

enum { DEP_RECENT = 4 };
struct dep_set {
    struct hnode node;
    uint32_t refs, n, n_lookups, n_links;
    uint64_t changed; /* the last change in one of its domains */
    /* The last changes and where; all after RECENT_FROM are here. */
    struct dep_recent {
        uint64_t seq;
        uint32_t link;
    } recent[DEP_RECENT];
    uint32_t next_recent;
    uint64_t recent_from;
    struct dep_key *keys;
    struct dep_domain **exact, **any; /* of each key; ANY is NULL but for tables */
    struct dep_link *links;
};

struct deps {
    struct hmap domains, sets;
    struct list changes; /* oldest first */
    size_t n_changes;    /* that are kept */
    uint64_t seq;        /* grows with each change, kept or not */
};

void deps_init(struct deps *deps);
void deps_fini(struct deps *deps); /* no set is left */

/* The set of these keys; one reference. */
struct dep_set *deps_intern(struct deps *deps, const struct dep_key *keys, size_t n);
void dep_set_unref(struct deps *deps, struct dep_set *set);

uint64_t dep_mac_id(struct mac mac, uint16_t vlan);
/* A group or a MAC has changed. */
void deps_change(struct deps *deps, const struct dep_key *key);
/* The changes of JOURNAL have been made in bridge BRIDGE_NO; its rules are not shown yet (table.h). */
void deps_journal(struct deps *deps, uint32_t bridge_no, const struct journal *journal);
/* Forgets the changes up to SEQ: nobody asks for them any more. */
void deps_forget(struct deps *deps, uint64_t seq);

struct effect;
/* One translation, as deps_affect needs it. */
struct dep_view {
    const struct dep_set *set;
    const struct effect *effects;
    size_t n_effects;
    const struct dep_write *writes;
    uint64_t written; /* bit i: a write is of word i */
    /* Of the packets: N_WORDS words of their keys, which words, and the bits of them that they share. */
    const uint64_t *values, *masks;
    const uint16_t *index;
    unsigned n_words;
};
/* Whether a change after SINCE may make the translation another. */
bool deps_affect(const struct dep_view *view, uint64_t since);
