/* waiting.c - packets that wait until their next hop answers (docs/seeds.md MB-76).
 *
 * Room 11 of docs/architecture.md. For a destination (datapath, router port, address) the latest WAITING_PACKETS packets are kept, for at most
 * WAITING_MAX destinations, for WAITING_AGE_MS. When the neighbour becomes known they go out behind the routing decision that they
 * have been through already: to the output tables, with the registers they had.
 */
#include <stdlib.h>

#include "base/hash.h"
#include "controller/pinctrl/pinctrl.h"
#include "lflow/lflow.h"

struct waiting_packet {
    struct match metadata;
    uint8_t *data;
    size_t n;
};

struct waiting {
    struct hnode node;
    uint32_t datapath, port; /* keys */
    be32 ip;
    int64_t since_ms, asked_ms;
    unsigned n; /* packets */
    struct waiting_packet packets[WAITING_PACKETS];
};

static uint64_t waiting_hash(uint32_t datapath, uint32_t port, be32 ip)
{
    return hash_u64((uint64_t)datapath << 32 | port, ip);
}

static struct waiting *waiting_find(struct pinctrl *p, uint32_t datapath, uint32_t port, be32 ip)
{
    struct waiting *w;
    HMAP_FOR_EACH_WITH_HASH (w, node, waiting_hash(datapath, port, ip), &p->waiting)
        if (w->datapath == datapath && w->port == port && w->ip == ip)
            return w;
    return NULL;
}

static void waiting_free(struct pinctrl *p, struct waiting *w)
{
    for (unsigned i = 0; i < w->n; i++)
        free(w->packets[i].data);
    p->stats.packets_waiting -= w->n;
    hmap_remove(&p->waiting, &w->node);
    free(w);
}

void waiting_clear(struct pinctrl *p)
{
    struct waiting *w;
    HMAP_FOR_EACH_SAFE (w, node, &p->waiting)
        waiting_free(p, w);
}

void waiting_expire(void *p_)
{
    struct pinctrl *p = p_;
    int64_t now = loop_now_ms(p->options.loop);
    struct waiting *w;
    HMAP_FOR_EACH_SAFE (w, node, &p->waiting) {
        if (now - w->since_ms >= WAITING_AGE_MS) {
            p->stats.packets_dropped += w->n;
            waiting_free(p, w);
        }
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
static bool known_mac(struct pinctrl *p, uint32_t datapath, uint32_t port, be32 ip, struct mac *ret)
{
    const struct sb_port_binding *row = sb_index_port(p->options.sb, datapath, port);
    if (!row)
        return false;
    struct str text = STR_INIT;
    ip4_put(&text, ip);
    const struct sb_mac_binding *known =
        sb_index_mac_binding(p->options.sb, sb_port_binding_logical_port(row), str_c(&text));
    str_fini(&text);
    return known && !mac_parse(sb_mac_binding_mac(known), ret);
}

bool waiting_add(struct pinctrl *p, const struct pinctrl_event *event)
{
    uint32_t datapath = (uint32_t)key_get(&event->pin->metadata.key, FIELD_METADATA);
    uint32_t port = pinctrl_reg(event, FIELD_REG15);
    be32 ip = swap32(pinctrl_reg(event, FIELD_REG0)); /* the next hop */
    int64_t now = loop_now_ms(p->options.loop);
    struct waiting *w = waiting_find(p, datapath, port, ip);
    if (!w) {
        if (p->waiting.n >= WAITING_MAX) {
            p->stats.packets_dropped++;
            return true;
        }
        w = NEW(struct waiting);
        w->datapath = datapath;
        w->port = port;
        w->ip = ip;
        w->since_ms = now;
        w->asked_ms = now - ARP_INTERVAL_MS;
        hmap_insert(&p->waiting, &w->node, waiting_hash(datapath, port, ip));
        if (!timer_is_running(&p->expiry))
            timer_start_ms(&p->expiry, 1000);
    }
    keep(p, w, event->pin);
    struct mac mac;
    if (known_mac(p, datapath, port, ip, &mac)) { /* no answer may come of a question */
        waiting_release(p, datapath, port, ip, mac);
        return false;
    }
    if (now - w->asked_ms < ARP_INTERVAL_MS)
        return false;
    w->asked_ms = now;
    return true;
}

void waiting_release(struct pinctrl *p, uint32_t datapath, uint32_t port, be32 ip, struct mac mac)
{
    struct waiting *w = waiting_find(p, datapath, port, ip);
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
    be32 ip;
    struct mac mac;
    if (!p->waiting.n || ip4_parse(sb_mac_binding_ip(row), &ip) ||
        mac_parse(sb_mac_binding_mac(row), &mac))
        return;
    const struct sb_port_binding *port =
        sb_index_port_named(p->options.sb, sb_mac_binding_logical_port(row));
    if (!port)
        return;
    struct waiting *w;
    uint32_t key = (uint32_t)sb_port_binding_tunnel_key(port);
    HMAP_FOR_EACH (w, node, &p->waiting) {
        if (w->ip == ip && w->port == key &&
            sb_index_port(p->options.sb, w->datapath, key) == port) {
            waiting_release(p, w->datapath, key, ip, mac);
            return;
        }
    }
}
