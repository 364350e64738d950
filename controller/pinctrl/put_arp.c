/* put_arp.c - opcodes 1 and 4, put_arp and put_nd: a neighbour has told its MAC; it becomes a row of MAC_Binding for all hypervisors (docs/seeds.md MB-14).
 *
 * Rooms 11 and 12 of docs/architecture.md. The packet-in carries the port in reg14, the address in reg0 or xxreg0, the MAC as
 * Ethernet source. What is learned waits, keyed by port and address so that a repeated answer takes no further room, until a
 * transaction can be opened; at most PUT_ARP_MAX wait, and none longer than PUT_ARP_AGE_MS.
 */
#include <stdlib.h>

#include "base/log.h"
#include "controller/pinctrl/frame.h"
#include "controller/pinctrl/pinctrl.h"
#include "net/headers.h"

LOG_MODULE(put_arp);

struct put_arp {
    struct hnode node;
    struct neighbor_key key;
    struct mac mac;
    const char *message; /* what told */
    int64_t since_ms;
};

static struct put_arp *put_arp_get(struct pinctrl *p, const struct neighbor_key *key)
{
    uint64_t hash = neighbor_hash(key);
    struct put_arp *a;
    HMAP_FOR_EACH_WITH_HASH (a, node, hash, &p->put_arps)
        if (neighbor_equal(&a->key, key))
            return a;
    if (p->put_arps.n >= PUT_ARP_MAX)
        return NULL;
    a = NEW(struct put_arp);
    a->key = *key;
    hmap_insert(&p->put_arps, &a->node, hash);
    return a;
}

static void clear(struct hmap *map)
{
    struct put_arp *a;
    HMAP_FOR_EACH_SAFE (a, node, map) {
        hmap_remove(map, &a->node);
        free(a);
    }
}

void put_arp_clear(struct pinctrl *p)
{
    clear(&p->put_arps);
    clear(&p->sent_arps);
}

/* Addresses that no machine has: RFC 1122 3.2.1.3, RFC 4291 2.5.2 and 2.7. */
static bool is_host(const struct ip_addr *ip)
{
    u128 x = ip_addr_to_u128(ip);
    if (ip->version == 6)
        return x > 1 && !ip6_is_multicast(ip->v6);
    return x >> 24 && x >> 24 != 127 && x >> 28 < 0xe;
}

static const char *message_of(const struct frame *f)
{
    if (f->key.eth_type == swap16(ETH_TYPE_ARP))
        return f->key.arp_op == swap16(ARP_OP_REPLY) ? "ARP reply" : "ARP request";
    if (!frame_is_ip6(f) || f->key.nw_proto != IP_PROTO_ICMPV6)
        return "packet";
    return f->key.icmp_type == ICMP6_NEIGHBOR_ADVERT    ? "neighbor advertisement"
           : f->key.icmp_type == ICMP6_NEIGHBOR_SOLICIT ? "neighbor solicitation"
                                                        : "packet";
}

static void learn(struct pinctrl *p, const struct pinctrl_event *event, const struct ip_addr *ip)
{
    struct neighbor_key key = {pinctrl_datapath(event), pinctrl_reg(event, FIELD_REG14), *ip};
    struct frame f;
    frame_read(&f, event->pin->packet, event->pin->packet_len);
    struct mac from = f.key.eth_src;
    if (!is_host(ip) || mac_is_zero(from) || mac_is_multicast(from)) {
        p->stats.malformed++;
        return;
    }
    struct put_arp *a = put_arp_get(p, &key);
    if (!a) {
        p->stats.put_arp_full++;
    } else {
        a->mac = from;
        a->message = message_of(&f);
        a->since_ms = loop_now_ms(p->options.loop);
        p->options.wake(p->options.aux);
    }
    waiting_release(p, &key, from);
}

void put_arp_handle(struct pinctrl *p, const struct pinctrl_event *event)
{
    struct ip_addr ip = ip_addr_from_v4(swap32(pinctrl_reg(event, FIELD_REG0)));
    learn(p, event, &ip);
}

void put_nd_handle(struct pinctrl *p, const struct pinctrl_event *event)
{
    struct ip_addr ip = ip_addr_from_u128(6, key_get(&event->pin->metadata.key, FIELD_XXREG0));
    learn(p, event, &ip);
}

/* How many neighbours the transaction that is being written adds to each port. */
struct added {
    const struct sb_port_binding *port;
    size_t n;
};

struct batch {
    int64_t wall_ms;
    VEC(struct added) added;
};

static struct added *added_of(struct batch *b, const struct sb_port_binding *port)
{
    struct added *a;
    VEC_FOR_EACH (a, &b->added)
        if (a->port == port)
            return a;
    a = vec_push_zero(&b->added);
    a->port = port;
    return a;
}

static bool has_room(struct pinctrl *p, struct batch *b, const struct sb_port_binding *port)
{
    static struct log_rate rate = LOG_RATE(5, 5);
    const char *name = sb_port_binding_logical_port(port);
    struct added *added = added_of(b, port);
    if (sb_index_n_neighbors(p->options.sb, name) + added->n < p->neighbors_max) {
        added->n++;
        return true;
    }
    p->stats.neighbors_over_limit++;
    log_warn_limited(&rate,
                     "port %s has %zu neighbours, the most that one port may have: no more "
                     "are learned",
                     name, p->neighbors_max);
    return false;
}

/* For people (weft-sbctl neighbors): which chassis was told, and by what. */
static void write_source(struct pinctrl *p, const struct put_arp *a, const struct uuid *id,
                         struct writer *w)
{
    const struct row *chassis =
        p->options.sb->has_chassis
            ? replica_row_find(w->replica, replica_table(w->replica, "Chassis"),
                               &p->options.sb->chassis)
            : NULL;
    union atom keys[] = {{.string = rstr_new("chassis")}, {.string = rstr_new("message")}};
    union atom values[] = {
        {.string = rstr_new(chassis ? sb_chassis_name(sb_chassis_cast(chassis)) : "")},
        {.string = rstr_new(a->message)}};
    writer_datum(w, "MAC_Binding", id, "learned_from",
                 datum_new_map(ATOM_STRING, ATOM_STRING, keys, values, 2));
}

static void insert_binding(struct pinctrl *p, const struct put_arp *a,
                           const struct sb_port_binding *port, const char *ip, const char *mac,
                           struct writer *w, int64_t wall_ms)
{
    struct uuid id = writer_insert(w, "MAC_Binding");
    writer_uuid(w, "MAC_Binding", &id, "datapath", sb_port_binding_datapath(port));
    writer_text(w, "MAC_Binding", &id, "logical_port", sb_port_binding_logical_port(port));
    writer_text(w, "MAC_Binding", &id, "ip", ip);
    writer_text(w, "MAC_Binding", &id, "mac", mac);
    writer_integer(w, "MAC_Binding", &id, "timestamp", wall_ms);
    write_source(p, a, &id, w);
    p->stats.learned++;
}

static void change_binding(struct pinctrl *p, const struct put_arp *a,
                           const struct sb_mac_binding *row, const char *mac, struct writer *w,
                           int64_t wall_ms)
{
    const struct uuid *id = sb_mac_binding_uuid(row);
    struct mac before;
    if (!mac_parse(sb_mac_binding_mac(row), &before))
        moves_note(p, &a->key, sb_mac_binding_logical_port(row), before, a->mac);
    writer_text(w, "MAC_Binding", id, "mac", mac);
    writer_integer(w, "MAC_Binding", id, "timestamp", wall_ms);
    write_source(p, a, id, w);
    p->stats.learned++;
}

static void write_binding(struct pinctrl *p, const struct put_arp *a, struct writer *w,
                          struct batch *b)
{
    static struct log_rate rate = LOG_RATE(1, 5);
    const struct sb_port_binding *port = sb_index_port(p->options.sb, a->key.datapath, a->key.port);
    if (!port) {
        p->stats.put_arp_unknown_port++;
        log_warn_limited(&rate, "neighbour on unknown port (datapath %u, port %u)", a->key.datapath,
                         a->key.port);
        return;
    }
    struct str ip = STR_INIT, mac = STR_INIT;
    ip_addr_put(&ip, &a->key.ip);
    mac_put(&mac, a->mac);
    const struct sb_mac_binding *row =
        sb_index_mac_binding(p->options.sb, sb_port_binding_logical_port(port), str_c(&ip));
    if (row && strcmp(sb_mac_binding_mac(row), str_c(&mac)))
        change_binding(p, a, row, str_c(&mac), w, b->wall_ms);
    else if (!row && has_room(p, b, port))
        insert_binding(p, a, port, str_c(&ip), str_c(&mac), w, b->wall_ms);
    str_fini(&ip);
    str_fini(&mac);
}

/* What the last transaction was to write is forgotten if it did, and waits again if another hypervisor was first: SB's copy
 * here knows that one's row by now. */
static void settle(struct pinctrl *p, const struct writer *w)
{
    struct put_arp *a;
    HMAP_FOR_EACH_SAFE (a, node, &p->sent_arps) {
        hmap_remove(&p->sent_arps, &a->node);
        struct put_arp *again = w->failures ? put_arp_get(p, &a->key) : NULL;
        if (again && again->since_ms < a->since_ms) {
            again->mac = a->mac;
            again->message = a->message;
            again->since_ms = a->since_ms;
        }
        free(a);
    }
}

static void put_arp_write(struct pinctrl *p, struct writer *w)
{
    int64_t now = loop_now_ms(p->options.loop);
    struct batch b = {.wall_ms = env_wall_ms(loop_env(p->options.loop))};
    struct put_arp *a;
    HMAP_FOR_EACH_SAFE (a, node, &p->put_arps) {
        uint64_t hash = a->node.hash;
        hmap_remove(&p->put_arps, &a->node);
        if (now - a->since_ms > PUT_ARP_AGE_MS) {
            p->stats.put_arp_old++;
            free(a);
        } else {
            write_binding(p, a, w, &b);
            hmap_insert(&p->sent_arps, &a->node, hash);
        }
    }
    vec_fini(&b.added);
}

void pinctrl_write(struct pinctrl *p, struct writer *w)
{
    if (!writer_is_ready(w))
        return;
    settle(p, w);
    vport_write(p, w);
    event_write(p, w);
    neighbor_write(p, w);
    svc_write(p, w);
    put_fdb_write(p, w);
    put_arp_write(p, w);
}
