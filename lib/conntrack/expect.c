/* expect.c - connections that another one has announced: until one comes, where it goes to is remembered. See conntrack.h. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "conntrack/conn.h"

enum { EXPECTATION_MS = 300000 };

static uint64_t expectation_hash(const struct conntrack *ct, const struct ct_tuple *tuple)
{
    return hash_bytes(tuple, sizeof *tuple, ct->seed);
}

void ct_expect_end(struct conntrack *ct, struct ct_expectation *e)
{
    hmap_remove(&ct->expectations, &e->node);
    list_remove(&e->lru);
    free(e);
}

struct ct_expectation *ct_expect_find(struct conntrack *ct, const struct ct_tuple *tuple,
                                      int64_t now_ms)
{
    struct ct_tuple any = *tuple;
    any.src_port = 0;
    struct ct_expectation *e;
    HMAP_FOR_EACH_WITH_HASH (e, node, expectation_hash(ct, &any), &ct->expectations) {
        if (!memcmp(&e->tuple, &any, sizeof any) && e->expires_ms > now_ms)
            return e;
    }
    return NULL;
}

void ct_expect_add(struct conntrack *ct, const struct ct_conn *conn, int dir, uint16_t port,
                   int64_t now_ms)
{
    const struct ct_tuple *announcer = &conn->end[dir].tuple, *peer = &conn->end[!dir].tuple;
    struct ct_tuple tuple = *peer;
    bool udp =
        tuple.proto == IP_PROTO_UDP; /* the answer to a request: it comes to the port that asked */
    tuple.src_port = 0;
    tuple.dst_port = udp ? peer->dst_port : port;
    struct ct_expectation *e = ct_expect_find(ct, &tuple, now_ms);
    if (e)
        ct_expect_end(ct, e);
    if (ct->expectations.n >= CT_MAX_EXPECTATIONS)
        ct_expect_end(ct, LIST_FIRST(struct ct_expectation, lru, &ct->expectation_lru));
    e = NEW(struct ct_expectation);
    e->tuple = tuple;
    e->parent = conn->end[CT_ORIG].tuple;
    e->mark = conn->mark;
    e->label = conn->label;
    e->expires_ms = now_ms + EXPECTATION_MS;
    e->real_dst = announcer->src;
    e->real_port = port;
    e->translated =
        memcmp(&tuple.dst, &announcer->src, sizeof tuple.dst) != 0 || tuple.dst_port != port;
    hmap_insert(&ct->expectations, &e->node, expectation_hash(ct, &tuple));
    list_push_back(&ct->expectation_lru, &e->lru);
    ct->counters.n_expected++;
}

void ct_expect_expire(struct conntrack *ct, int64_t now_ms)
{
    while (!list_empty(&ct->expectation_lru)) {
        struct ct_expectation *e = LIST_FIRST(struct ct_expectation, lru, &ct->expectation_lru);
        if (e->expires_ms > now_ms)
            return;
        ct_expect_end(ct, e);
    }
}

bool ct_expect_translate(struct conntrack *ct, const struct ct_expectation *e, struct ct_conn *conn,
                         int64_t now_ms)
{
    struct ct_tuple *reply = &conn->end[CT_REPLY].tuple;
    ct_tuple_reverse(&conn->end[CT_ORIG].tuple, reply);
    reply->src = e->real_dst;
    reply->src_port = e->real_port;
    conn->nat = CT_NAT_DST;
    return ct_tuple_is_free(ct, reply, now_ms);
}
