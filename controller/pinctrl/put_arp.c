/* put_arp.c - opcode 1, put_arp: a neighbour has told its MAC; it becomes a row of MAC_Binding for all hypervisors (docs/seeds.md MB-14).
 *
 * Rooms 11 and 12 of docs/architecture.md. The packet-in carries the port in reg14, the address in reg0, the MAC as Ethernet
 * source. What is learned waits, keyed by port and address so that a repeated answer takes no further room, until a
 * transaction can be opened; at most PUT_ARP_MAX wait, and none longer than PUT_ARP_AGE_MS.
 */
#include <stdlib.h>

#include "base/hash.h"
#include "base/log.h"
#include "controller/pinctrl/pinctrl.h"
#include "net/headers.h"

LOG_MODULE(put_arp);

struct put_arp {
    struct hnode node;
    uint32_t datapath, port; /* keys */
    be32 ip;
    struct mac mac;
    int64_t since_ms;
};

static struct put_arp *put_arp_get(struct pinctrl *p, uint32_t datapath, uint32_t port, be32 ip)
{
    uint64_t hash = hash_u64((uint64_t)datapath << 32 | port, ip);
    struct put_arp *a;
    HMAP_FOR_EACH_WITH_HASH (a, node, hash, &p->put_arps)
        if (a->datapath == datapath && a->port == port && a->ip == ip)
            return a;
    if (p->put_arps.n >= PUT_ARP_MAX)
        return NULL;
    a = NEW(struct put_arp);
    a->datapath = datapath;
    a->port = port;
    a->ip = ip;
    hmap_insert(&p->put_arps, &a->node, hash);
    return a;
}

void put_arp_clear(struct pinctrl *p)
{
    struct put_arp *a;
    HMAP_FOR_EACH_SAFE (a, node, &p->put_arps) {
        hmap_remove(&p->put_arps, &a->node);
        free(a);
    }
}

void put_arp_handle(struct pinctrl *p, const struct pinctrl_event *event)
{
    struct eth_header eth;
    if (event->pin->packet_len < sizeof eth) {
        p->stats.malformed++;
        return;
    }
    memcpy(&eth, event->pin->packet, sizeof eth);
    uint32_t datapath = (uint32_t)key_get(&event->pin->metadata.key, FIELD_METADATA);
    uint32_t port = pinctrl_reg(event, FIELD_REG14);
    be32 ip = swap32(pinctrl_reg(event, FIELD_REG0));
    struct put_arp *a = put_arp_get(p, datapath, port, ip);
    if (!a) {
        p->stats.put_arp_full++;
    } else {
        a->mac = eth.src;
        a->since_ms = loop_now_ms(p->options.loop);
        p->options.wake(p->options.aux);
    }
    waiting_release(p, datapath, port, ip, eth.src);
}

static void write_binding(struct pinctrl *p, const struct put_arp *a, struct writer *w,
                          int64_t wall_ms)
{
    static struct log_rate rate = LOG_RATE(1, 5);
    const struct sb_port_binding *port = sb_index_port(p->options.sb, a->datapath, a->port);
    if (!port) {
        p->stats.put_arp_unknown_port++;
        log_warn_limited(&rate, "neighbour on unknown port (datapath %u, port %u)", a->datapath,
                         a->port);
        return;
    }
    struct str ip = STR_INIT, mac = STR_INIT;
    ip4_put(&ip, a->ip);
    mac_put(&mac, a->mac);
    const char *name = sb_port_binding_logical_port(port);
    const struct sb_mac_binding *row = sb_index_mac_binding(p->options.sb, name, str_c(&ip));
    if (row && strcmp(sb_mac_binding_mac(row), str_c(&mac))) {
        writer_text(w, "MAC_Binding", sb_mac_binding_uuid(row), "mac", str_c(&mac));
        writer_integer(w, "MAC_Binding", sb_mac_binding_uuid(row), "timestamp", wall_ms);
        p->stats.learned++;
    } else if (!row) {
        struct uuid id = writer_insert(w, "MAC_Binding");
        writer_uuid(w, "MAC_Binding", &id, "datapath", sb_port_binding_datapath(port));
        writer_text(w, "MAC_Binding", &id, "logical_port", name);
        writer_text(w, "MAC_Binding", &id, "ip", str_c(&ip));
        writer_text(w, "MAC_Binding", &id, "mac", str_c(&mac));
        writer_integer(w, "MAC_Binding", &id, "timestamp", wall_ms);
        p->stats.learned++;
    }
    str_fini(&ip);
    str_fini(&mac);
}

void pinctrl_write(struct pinctrl *p, struct writer *w)
{
    if (!(p->put_arps.n + p->put_fdbs.n) || !writer_is_ready(w))
        return;
    put_fdb_write(p, w);
    int64_t now = loop_now_ms(p->options.loop), wall = env_wall_ms(loop_env(p->options.loop));
    struct put_arp *a;
    HMAP_FOR_EACH (a, node, &p->put_arps) {
        if (now - a->since_ms > PUT_ARP_AGE_MS)
            p->stats.put_arp_old++;
        else
            write_binding(p, a, w, wall);
    }
    put_arp_clear(p);
}
