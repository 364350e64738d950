/* question.h - what a translation asked the world, and the answers. Internal to lib/encode; see translator.h.
 *
 * Sets answer with a digest of their elements; port groups with one of the numbers of their ports, in any order, so that datapaths whose ports have the
 * same numbers give the same answer.
 */
#pragma once

#include "encode/translator.h"

enum question_kind {
    ASK_PORT,
    ASK_PORT_AT, /* where the packet is */
    ASK_SET,
    ASK_PORT_GROUP,
    ASK_PORT_GROUP_AT,
    ASK_RESIDENT,    /* of the match */
    ASK_RESIDENT_LB, /* of ct_lb_mark_local */
    ASK_GROUP,
    ASK_METER,
    ASK_COLLECTOR,
    ASK_TUNNEL_PORT,
    ASK_SELF, /* which datapath, which logical flow */
};

struct question {
    uint8_t kind;
    bool found;
    uint32_t name; /* offset of its text in a list of names; the id of a collector */
    uint64_t answer;
};

/* Where the elements of a set or port group go; a NULL function: nowhere. */
struct question_sink {
    void (*value)(void *aux, u128 value, u128 mask);
    void (*number)(void *aux, uint32_t number);
    void *aux;
};

/* Q with the world's answer now; NAMES is where Q's name is. */
struct question question_ask(const struct translate_world *w, struct question q, const char *names,
                             const struct question_sink *sink);

static inline bool question_same(const struct question *a, const struct question *b)
{
    return a->found == b->found && a->answer == b->answer;
}

/* Datapaths differ in what they answer at the same time. */
static inline bool question_is_local(const struct question *q)
{
    return q->kind == ASK_PORT || q->kind == ASK_PORT_AT || q->kind == ASK_PORT_GROUP ||
           q->kind == ASK_PORT_GROUP_AT || q->kind == ASK_SELF;
}

/* Asking may be what makes somebody give an id. */
static inline bool question_is_id(const struct question *q)
{
    return q->kind == ASK_GROUP || q->kind == ASK_METER;
}
