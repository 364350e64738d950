/* waiting.c - packets that wait until their next hop answers (docs/seeds.md MB-76).
 *
 * Room 11 of docs/architecture.md. For a destination (datapath, router port, address) the latest WAITING_PACKETS packets are kept, for at most
 * WAITING_MAX destinations (the oldest one makes room), for WAITING_AGE_MS. When the neighbour becomes known they go out behind the routing decision that they
 * have been through already: to the output tables, with the registers they had.
 */
#include <stdlib.h>
#include <string.h>

#include "controller/pinctrl/pinctrl.h"
#include "lflow/lflow.h"

struct waiting_packet {
    struct match metadata;
    uint8_t *data;
    size_t n;
};

struct waiting {
    struct hnode node;
    struct list link; /* in p->waiting_order */
    struct neighbor_key key;
    int64_t since_ms, asked_ms;
    unsigned n; /* packets */
    struct waiting_packet packets[WAITING_PACKETS];
};

static struct waiting *waiting_find(struct pinctrl *p, const struct neighbor_key *key)
{
    struct waiting *w;
    HMAP_FOR_EACH_WITH_HASH (w, node, neighbor_hash(key), &p->waiting)
        if (neighbor_equal(&w->key, key))
            return w;
    return NULL;
}

static void waiting_free(struct pinctrl *p, struct waiting *w)
{
    for (unsigned i = 0; i < w->n; i++)
        free(w->packets[i].data);
    p->stats.packets_waiting -= w->n;
    hmap_remove(&p->waiting, &w->node);
    list_remove(&w->link);
    free(w);
}

static void give_up(struct pinctrl *p, struct waiting *w)
{
    p->stats.packets_dropped += w->n;
    waiting_free(p, w);
}

void waiting_clear(struct pinctrl *p)
{
    struct waiting *w;
    HMAP_FOR_EACH_SAFE (w, node, &p->waiting)
        waiting_free(p, w);
}

void waiting_for_each(const struct pinctrl *p,
                      void (*fn)(const struct neighbor_key *key, int64_t age_ms, unsigned n,
                                 void *aux),
                      void *aux)
{
    const struct waiting *w;
    LIST_FOR_EACH (w, link, &p->waiting_order)
        fn(&w->key, loop_now_ms(p->options.loop) - w->since_ms, w->n, aux);
}

void waiting_expire(void *p_)
{
    struct pinctrl *p = p_;
    int64_t now = loop_now_ms(p->options.loop);
    while (!list_empty(&p->waiting_order)) {
        struct waiting *w = LIST_FIRST(struct waiting, link, &p->waiting_order);
        if (now - w->since_ms < WAITING_AGE_MS)
            break;
        give_up(p, w);
    }
    if (p->waiting.n)
        timer_start_ms(&p->expiry, 1000);
}

static void keep(struct pinctrl *p, struct waiting *w, const struct of_packet_in *pin)
{
    if (w->n == WAITING_PACKETS) { /* the oldest makes room */
        free(w->packets[0].data);
        memmove(&w->packets[0], &w->packets[1], (WAITING_PACKETS - 1) * sizeof w->packets[0]);
        w->n--;
        p->stats.packets_waiting--;
        p->stats.packets_dropped++;
    }
    struct waiting_packet *packet = &w->packets[w->n++];
    packet->metadata = pin->metadata;
    packet->data = xmemdup(pin->packet, pin->packet_len);
    packet->n = pin->packet_len;
    p->stats.packets_waiting++;
}

/* The MAC of a neighbour that SB knows already; its flow is on the way to the switch. */
static bool known_mac(struct pinctrl *p, const struct neighbor_key *key, struct mac *ret)
{
    const struct sb_port_binding *row = sb_index_port(p->options.sb, key->datapath, key->port);
    if (!row)
        return false;
    struct str text = STR_INIT;
    ip_addr_put(&text, &key->ip);
    const struct sb_mac_binding *known =
        sb_index_mac_binding(p->options.sb, sb_port_binding_logical_port(row), str_c(&text));
    str_fini(&text);
    return known && !mac_parse(sb_mac_binding_mac(known), ret);
}

static struct waiting *waiting_new(struct pinctrl *p, const struct neighbor_key *key, int64_t now)
{
    if (p->waiting.n >= WAITING_MAX)
        give_up(p, LIST_FIRST(struct waiting, link, &p->waiting_order));
    struct waiting *w = NEW(struct waiting);
    w->key = *key;
    w->since_ms = now;
    w->asked_ms = now - ARP_INTERVAL_MS;
    hmap_insert(&p->waiting, &w->node, neighbor_hash(key));
    list_push_back(&p->waiting_order, &w->link);
    if (!timer_is_running(&p->expiry))
        timer_start_ms(&p->expiry, 1000);
    return w;
}

/* The port whose neighbours are asked for: what waits for the gateway (chassisredirect) waits for those of the port that it stands for, and
 * by that one MAC_Binding names them. */
static uint32_t asking_port(struct pinctrl *p, uint32_t datapath, uint32_t port)
{
    const struct sb_port_binding *row = sb_index_port(p->options.sb, datapath, port);
    uint32_t dp, key;
    const char *name = row && !strcmp(sb_port_binding_type(row), "chassisredirect")
                           ? sb_port_binding_options_value(row, "distributed-port")
                           : NULL;
    if (!name || !sb_index_keys(p->options.sb, name, &dp, &key))
        return port;
    return key;
}

bool waiting_add(struct pinctrl *p, const struct pinctrl_event *event,
                 const struct ip_addr *next_hop)
{
    uint32_t datapath = pinctrl_datapath(event);
    struct neighbor_key key = {datapath, asking_port(p, datapath, pinctrl_reg(event, FIELD_REG15)),
                               *next_hop};
    int64_t now = loop_now_ms(p->options.loop);
    struct waiting *w = waiting_find(p, &key);
    if (!w)
        w = waiting_new(p, &key, now);
    keep(p, w, event->pin);
    struct mac mac;
    if (known_mac(p, &key, &mac)) { /* no answer may come of a question */
        waiting_release(p, &key, mac);
        return false;
    }
    if (now - w->asked_ms < ARP_INTERVAL_MS)
        return false;
    w->asked_ms = now;
    return true;
}

void waiting_release(struct pinctrl *p, const struct neighbor_key *key, struct mac mac)
{
    struct waiting *w = waiting_find(p, key);
    if (!w)
        return;
    struct of_actions actions = OF_ACTIONS_INIT;
    of_put_set_field(&actions, FIELD_ETH_DST, mac_to_u64(mac));
    of_put_resubmit(&actions, PORT_CONTROLLER, OFTABLE_REMOTE_OUTPUT);
    for (unsigned i = 0; i < w->n; i++) {
        pinctrl_send(p, &w->packets[i].metadata, &actions, w->packets[i].data, w->packets[i].n);
        p->stats.packets_released++;
    }
    of_actions_fini(&actions);
    waiting_free(p, w);
}

void pinctrl_neighbor(struct pinctrl *p, const struct sb_mac_binding *row)
{
    struct neighbor_key key;
    struct mac mac;
    memset(&key, 0, sizeof key);
    if (!p->waiting.n || ip_addr_parse(sb_mac_binding_ip(row), &key.ip) ||
        mac_parse(sb_mac_binding_mac(row), &mac))
        return;
    if (sb_index_keys(p->options.sb, sb_mac_binding_logical_port(row), &key.datapath, &key.port))
        waiting_release(p, &key, mac);
}
