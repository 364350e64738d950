/* deps_private.h - private to deps*.c: domains and changes; see deps.h. */
#pragma once

#include "switchd/deps.h"

struct dep_domain {
    struct hnode node;
    struct dep_key key;
    uint64_t changed;    /* seq of the last change */
    struct list links;   /* the sets that go through it */
    struct list changes; /* oldest first; of them, those that are not forgotten */
};

struct dep_link {
    struct list node; /* in dep_domain.links */
    struct dep_set *set;
    struct dep_domain *domain;
    uint32_t lookup; /* of the set's, the one that asks this domain */
    bool many;       /* others do, too */
};

struct dep_change {
    struct list in_domain, in_order;
    uint64_t seq;
    bool added;       /* the flow is new; else OLD has gone, maybe for another in its place */
    bool soft;        /* a clause of a conjunction, before or after */
    int32_t priority; /* of the flow */
    struct rule *old; /* one reference, so that no other gets its address */
    struct minimatch *match; /* without conj_id; NULL: a group or a MAC */
};
