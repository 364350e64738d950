/* table.c - the connections: look-up by tuple, the wheel of their ends, room when all is full. See conntrack.h. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "conntrack/conn.h"

enum { EARLY_DROP_LOOKS = 64 };

struct conntrack *conntrack_new(struct env *env)
{
    struct conntrack *ct = NEW(struct conntrack);
    ct->env = env;
    ct->seed = env_random_u64(env);
    ct->max = CT_MAX_DEFAULT;
    ct->fragment_config.max = CT_MAX_FRAGMENTS_DEFAULT;
    ct_timeouts_default(&ct->timeouts);
    ct_pool_init(&ct->pool);
    list_init(&ct->expectation_lru);
    list_init(&ct->datagram_lru);
    for (unsigned i = 0; i < CT_WHEEL_SLOTS; i++)
        list_init(&ct->wheel[i]);
    return ct;
}

void conntrack_free(struct conntrack *ct)
{
    struct ct_filter all = {0};
    conntrack_flush(ct, &all);
    conntrack_drop_fragments(ct);
    struct ct_zone *zone;
    HMAP_FOR_EACH_SAFE (zone, node, &ct->zones) {
        hmap_remove(&ct->zones, &zone->node);
        free(zone);
    }
    struct ct_expectation *e, *next;
    LIST_FOR_EACH_SAFE (e, next, lru, &ct->expectation_lru)
        free(e);
    hmap_fini(&ct->zones);
    hmap_fini(&ct->datagrams);
    hmap_fini(&ct->expectations);
    ct_ends_fini(&ct->ends);
    ct_pool_fini(&ct->pool);
    free(ct);
}

struct ct_conn *ct_end_conn(const struct ct_end *end)
{
    return CONTAINER_OF(end - end->dir, struct ct_conn, end[0]);
}

static uint64_t tuple_hash(const struct conntrack *ct, const struct ct_tuple *tuple)
{
    return hash_bytes(tuple, sizeof *tuple, ct->seed);
}

struct ct_conn *ct_peek(const struct conntrack *ct, const struct ct_tuple *tuple, int *dir,
                        struct ct_hint *hint)
{
    const struct ct_end *end = hint ? hint->end : NULL;
    if (!end || memcmp(&end->tuple, tuple, sizeof *tuple) != 0) {
        end = ct_ends_find(&ct->ends, tuple, tuple_hash(ct, tuple));
        if (!end)
            return NULL;
        if (hint)
            hint->end = end;
    }
    *dir = end->dir;
    return ct_end_conn(end);
}

struct ct_conn *ct_find_near(struct conntrack *ct, const struct ct_tuple *tuple, int64_t now_ms,
                             int *dir, struct ct_hint *hint)
{
    struct ct_conn *conn = ct_peek(ct, tuple, dir, hint);
    if (!conn || conn->expires_ms > now_ms)
        return conn;
    ct->counters.n_expired++;
    ct_remove(ct, conn);
    return NULL;
}

struct ct_conn *ct_find(struct conntrack *ct, const struct ct_tuple *tuple, int64_t now_ms,
                        int *dir)
{
    return ct_find_near(ct, tuple, now_ms, dir, NULL);
}

void conntrack_prefetch(struct ct_hint hint)
{
    const char *conn = (const char *)((uintptr_t)hint.end & ~(uintptr_t)255);
    __builtin_prefetch(hint.end);
    __builtin_prefetch(conn + offsetof(struct ct_conn, expires_ms));
    __builtin_prefetch(conn + offsetof(struct ct_conn, tcp));
}

bool ct_tuple_is_free(struct conntrack *ct, const struct ct_tuple *tuple, int64_t now_ms)
{
    int dir;
    return !ct_find(ct, tuple, now_ms, &dir);
}

/* ---- the wheel ---- */

/* The second at which to look at what expires at EXPIRES_MS: rounded up, and not beyond the wheel. */
static uint32_t slot_for(const struct conntrack *ct, int64_t expires_ms)
{
    int64_t s = expires_ms / 1000 + 1;
    int64_t last = (int64_t)ct->wheel_s + CT_WHEEL_SLOTS - 2;
    return (uint32_t)(s < ct->wheel_s ? ct->wheel_s : MIN(s, last));
}

static void schedule(struct conntrack *ct, struct ct_conn *conn)
{
    conn->slot = slot_for(ct, conn->expires_ms);
    list_remove(&conn->expiry);
    list_push_back(&ct->wheel[conn->slot % CT_WHEEL_SLOTS], &conn->expiry);
}

void ct_touch(struct conntrack *ct, struct ct_conn *conn, enum ct_timeout timeout, int64_t now_ms)
{
    conn->expires_ms = now_ms + (int64_t)conn->zone->timeouts.seconds[timeout] * 1000;
    if (conn->expires_ms / 1000 + 1 < conn->slot) {
        spin_take(&ct->wheel_spin);
        schedule(ct, conn);
        spin_give(&ct->wheel_spin);
    }
}

static void start_wheel(struct conntrack *ct, int64_t now_ms)
{
    if (!ct->wheel_s)
        ct->wheel_s = (uint32_t)(now_ms / 1000);
}

void ct_insert(struct conntrack *ct, struct ct_conn *conn, int64_t now_ms)
{
    start_wheel(ct, now_ms);
    for (int dir = 0; dir < 2; dir++) {
        struct ct_end *end = &conn->end[dir];
        end->dir = (uint8_t)dir;
        ct_ends_insert(&ct->ends, end, tuple_hash(ct, &end->tuple));
    }
    conn->zone->n++;
    ct->n++;
    ct->counters.n_committed++;
    list_init(&conn->expiry);
    schedule(ct, conn);
}

void ct_remove(struct conntrack *ct, struct ct_conn *conn)
{
    ct_ends_remove(&ct->ends, &conn->end[CT_ORIG]);
    ct_ends_remove(&ct->ends, &conn->end[CT_REPLY]);
    list_remove(&conn->expiry);
    conn->zone->n--;
    ct->n--;
    ct_conn_free(&ct->pool, conn);
}

/* The connections of one second. False: the budget ran out. */
static bool turn(struct conntrack *ct, uint32_t slot, int64_t now_ms, unsigned *budget)
{
    struct list *head = &ct->wheel[slot % CT_WHEEL_SLOTS];
    while (!list_empty(head)) {
        struct ct_conn *conn = LIST_FIRST(struct ct_conn, expiry, head);
        if (!*budget)
            return false;
        --*budget;
        if (conn->expires_ms <= now_ms) {
            ct->counters.n_expired++;
            ct_remove(ct, conn);
        } else {
            schedule(ct, conn);
        }
    }
    return true;
}

void conntrack_expire(struct conntrack *ct, int64_t now_ms)
{
    unsigned budget = CT_EXPIRE_BUDGET;
    uint32_t now_s = (uint32_t)(now_ms / 1000);
    ct_fragments_expire(ct, now_ms);
    ct_expect_expire(ct, now_ms);
    start_wheel(ct, now_ms);
    if (now_s >= CT_WHEEL_SLOTS)
        ct->wheel_s = MAX(ct->wheel_s, now_s - CT_WHEEL_SLOTS + 1);
    /* The slot is left before it is worked on: what is put back goes to a later one. */
    while (ct->wheel_s <= now_s) {
        uint32_t slot = ct->wheel_s++;
        if (!turn(ct, slot, now_ms, &budget)) {
            ct->wheel_s = slot;
            return;
        }
    }
}

/* Ends the connection that is first to expire among some that nobody has answered or that are closing. */
static bool early_drop(struct conntrack *ct)
{
    unsigned looks = EARLY_DROP_LOOKS;
    for (uint32_t i = 0; i < CT_WHEEL_SLOTS; i++) {
        struct ct_conn *conn;
        LIST_FOR_EACH (conn, expiry, &ct->wheel[(ct->wheel_s + i) % CT_WHEEL_SLOTS]) {
            const char *state = ct_state_name(conn);
            if (!conn->replied || (state && strcmp(state, "ESTABLISHED") != 0)) {
                ct->counters.n_early_dropped++;
                ct_remove(ct, conn);
                return true;
            }
            if (!--looks)
                return false;
        }
    }
    return false;
}

bool ct_make_room(struct conntrack *ct, int64_t now_ms)
{
    if (ct->n < ct->max)
        return true;
    conntrack_expire(ct, now_ms);
    if (ct->n < ct->max || (ct->n == ct->max && early_drop(ct)))
        return true;
    ct->counters.n_full++;
    return false;
}

/* ---- settings and flush ---- */

uint32_t conntrack_count(const struct conntrack *ct)
{
    return ct->n;
}

uint32_t conntrack_max(const struct conntrack *ct)
{
    return ct->max;
}

void conntrack_set_max(struct conntrack *ct, uint32_t max)
{
    ct->max = max;
}

bool conntrack_checks_sequence(const struct conntrack *ct)
{
    return !ct->liberal;
}

void conntrack_check_sequence(struct conntrack *ct, bool check)
{
    ct->liberal = !check;
}

const struct ct_counters *conntrack_counters(const struct conntrack *ct)
{
    return &ct->counters;
}
