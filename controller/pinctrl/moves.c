/* moves.c - a neighbour that is known by another MAC than it was: it has moved, or two machines have one address.
 *
 * Beside room 12 of docs/architecture.md. The last moves are remembered: an address that goes back within a minute to the MAC that it
 * had is claimed by two. Both are told in the log and counted.
 */
#include <stdlib.h>

#include "base/log.h"
#include "controller/pinctrl/pinctrl.h"

LOG_MODULE(moves);

enum { MOVES_MAX = 256, DUPLICATE_MS = 60000 };

struct move {
    struct hnode node;
    struct list link; /* in p->move_order */
    struct neighbor_key key;
    struct mac before;
    int64_t at_ms;
};

static void move_free(struct pinctrl *p, struct move *m)
{
    hmap_remove(&p->moves, &m->node);
    list_remove(&m->link);
    free(m);
}

void moves_clear(struct pinctrl *p)
{
    struct move *m;
    HMAP_FOR_EACH_SAFE (m, node, &p->moves)
        move_free(p, m);
}

static struct move *move_get(struct pinctrl *p, const struct neighbor_key *key)
{
    uint64_t hash = neighbor_hash(key);
    struct move *m;
    HMAP_FOR_EACH_WITH_HASH (m, node, hash, &p->moves)
        if (neighbor_equal(&m->key, key))
            return m;
    if (p->moves.n >= MOVES_MAX)
        move_free(p, LIST_FIRST(struct move, link, &p->move_order));
    m = NEW(struct move);
    m->key = *key;
    m->at_ms = INT64_MIN / 2;
    hmap_insert(&p->moves, &m->node, hash);
    list_push_back(&p->move_order, &m->link);
    return m;
}

void moves_note(struct pinctrl *p, const struct neighbor_key *key, const char *port,
                struct mac before, struct mac after)
{
    static struct log_rate rate = LOG_RATE(12, 12);
    int64_t now = loop_now_ms(p->options.loop);
    struct move *m = move_get(p, key);
    struct str text = STR_INIT;
    bool is_duplicate = mac_equal(m->before, after) && now - m->at_ms < DUPLICATE_MS;
    str_putf(&text, "neighbour ");
    ip_addr_put(&text, &key->ip);
    str_putf(&text, " of port %s %s ", port, is_duplicate ? "is claimed by" : "has moved from");
    mac_put(&text, before);
    str_put(&text, is_duplicate ? " and " : " to ");
    mac_put(&text, after);
    if (is_duplicate) {
        p->stats.neighbors_duplicate++;
        log_warn_limited(&rate, "%s at the same time", str_c(&text));
    } else {
        p->stats.neighbors_moved++;
        log_info_limited(&rate, "%s", str_c(&text));
    }
    m->before = before;
    m->at_ms = now;
    str_fini(&text);
}
