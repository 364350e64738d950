/* event.c - opcode 15, trigger_event(...): a packet for a virtual address without backends becomes a row of Controller_Event.
 *
 * Rooms 11 and 12 of docs/architecture.md. Userdata: the kind of event, then what there is to say: type, length, text. The same event
 * waits once, however many packets tell of it, and is not written while a row of ours says the same: whoever acts on it
 * deletes the row.
 */
#include <stdlib.h>

#include "base/hash.h"
#include "controller/pinctrl/pinctrl.h"

enum { EMPTY_LB_BACKENDS = 0, EVENTS_MAX = 256, WORD_MAX = 1024 };

static const char *const words[] = {"vip", "protocol", "load_balancer"}; /* types 1, 2, 3 */

struct event {
    struct hnode node;
    const struct datum *info;
};

static void event_free(struct pinctrl *p, struct event *e)
{
    hmap_remove(&p->events.pending, &e->node);
    datum_unref(e->info);
    free(e);
}

void event_clear(struct pinctrl *p)
{
    struct event *e;
    HMAP_FOR_EACH_SAFE (e, node, &p->events.pending)
        event_free(p, e);
}

/* What the userdata says, as the column event_info; NULL: it cannot be read. */
static const struct datum *read_info(const uint8_t *args, size_t n)
{
    union atom keys[ARRAY_SIZE(words)], values[ARRAY_SIZE(words)];
    size_t n_words = 0, ofs = 0;
    while (n - ofs >= 4) {
        uint16_t type = get_be16(args + ofs), len = get_be16(args + ofs + 2);
        const char *text = (const char *)args + ofs + 4;
        if (!type || type > ARRAY_SIZE(words) || len > MIN(n - ofs - 4, (size_t)WORD_MAX) ||
            memchr(text, '\0', len) || n_words == ARRAY_SIZE(words))
            break;
        char *copy = xstrndup(text, len);
        keys[n_words].string = rstr_new(words[type - 1]);
        values[n_words++].string = rstr_new(copy);
        free(copy);
        ofs += 4u + len;
    }
    const struct datum *info = datum_new_map(ATOM_STRING, ATOM_STRING, keys, values, n_words);
    if (ofs == n && n_words)
        return info;
    datum_unref(info);
    return NULL;
}

void event_handle(struct pinctrl *p, const struct pinctrl_event *event)
{
    const struct datum *info = event->n_args >= 4 && get_be32(event->args) == EMPTY_LB_BACKENDS
                                   ? read_info(event->args + 4, event->n_args - 4)
                                   : NULL;
    if (!info) {
        p->stats.malformed++;
        return;
    }
    uint64_t hash = datum_hash(info, 0);
    struct event *e;
    HMAP_FOR_EACH_WITH_HASH (e, node, hash, &p->events.pending) {
        if (datum_equal(e->info, info)) {
            datum_unref(info);
            return;
        }
    }
    if (p->events.pending.n >= EVENTS_MAX) {
        p->stats.events_dropped++;
        datum_unref(info);
        return;
    }
    e = NEW(struct event);
    e->info = info;
    hmap_insert(&p->events.pending, &e->node, hash);
    p->options.wake(p->options.aux);
}

static bool is_written(const struct pinctrl *p, const struct replica *replica,
                       const struct datum *info)
{
    const struct row *row;
    REPLICA_FOR_EACH(row, pos, replica, replica_table(replica, "Controller_Event"))
    {
        const struct sb_controller_event *r = sb_controller_event_cast(row);
        const struct uuid *chassis = sb_controller_event_chassis(r);
        if (chassis && uuid_equal(chassis, &p->options.sb->chassis) &&
            datum_equal(sb_controller_event_event_info(r), info))
            return true;
    }
    return false;
}

void event_write(struct pinctrl *p, struct writer *w)
{
    struct event *e;
    if (!p->options.sb->has_chassis)
        return;
    HMAP_FOR_EACH (e, node, &p->events.pending) {
        if (is_written(p, w->replica, e->info))
            continue;
        struct uuid id = writer_insert(w, "Controller_Event");
        writer_text(w, "Controller_Event", &id, "event_type", "empty_lb_backends");
        writer_datum(w, "Controller_Event", &id, "event_info", datum_ref(e->info));
        writer_uuid(w, "Controller_Event", &id, "chassis", &p->options.sb->chassis);
        writer_integer(w, "Controller_Event", &id, "seq_num", ++p->events.seq);
        p->stats.events++;
    }
    event_clear(p);
}
