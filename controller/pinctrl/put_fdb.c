/* put_fdb.c - opcode 25, put_fdb: a port that takes unknown addresses has sent from one; it becomes a row of FDB.
 *
 * Rooms 11 and 12 of docs/architecture.md. The packet-in carries the datapath in its metadata, the port in reg14, the address as
 * Ethernet source. As with put_arp, what is learned waits, keyed and bounded, for a transaction.
 */
#include <stdlib.h>

#include "base/hash.h"
#include "controller/pinctrl/pinctrl.h"
#include "net/headers.h"

struct put_fdb {
    struct hnode node;
    uint32_t datapath, port; /* keys */
    struct mac mac;
    int64_t since_ms;
};

static struct put_fdb *put_fdb_get(struct pinctrl *p, uint32_t datapath, struct mac mac)
{
    uint64_t hash = hash_u64(mac_to_u64(mac), datapath);
    struct put_fdb *f;
    HMAP_FOR_EACH_WITH_HASH (f, node, hash, &p->put_fdbs)
        if (f->datapath == datapath && mac_equal(f->mac, mac))
            return f;
    if (p->put_fdbs.n >= PUT_ARP_MAX)
        return NULL;
    f = NEW(struct put_fdb);
    f->datapath = datapath;
    f->mac = mac;
    hmap_insert(&p->put_fdbs, &f->node, hash);
    return f;
}

void put_fdb_clear(struct pinctrl *p)
{
    struct put_fdb *f;
    HMAP_FOR_EACH_SAFE (f, node, &p->put_fdbs) {
        hmap_remove(&p->put_fdbs, &f->node);
        free(f);
    }
}

void put_fdb_handle(struct pinctrl *p, const struct pinctrl_event *event)
{
    struct eth_header eth;
    if (event->pin->packet_len < sizeof eth) {
        p->stats.malformed++;
        return;
    }
    memcpy(&eth, event->pin->packet, sizeof eth);
    if (mac_is_multicast(eth.src) || mac_is_zero(eth.src)) {
        p->stats.malformed++;
        return;
    }
    uint32_t datapath = (uint32_t)key_get(&event->pin->metadata.key, FIELD_METADATA);
    struct put_fdb *f = put_fdb_get(p, datapath, eth.src);
    if (!f) {
        p->stats.put_arp_full++;
        return;
    }
    f->port = pinctrl_reg(event, FIELD_REG14);
    f->since_ms = loop_now_ms(p->options.loop);
    p->options.wake(p->options.aux);
}

static void write_fdb(struct pinctrl *p, const struct put_fdb *f, struct writer *w, int64_t wall_ms)
{
    if (!sb_index_port(p->options.sb, f->datapath, f->port)) {
        p->stats.put_arp_unknown_port++;
        return;
    }
    struct str mac = STR_INIT;
    mac_put(&mac, f->mac);
    const struct sb_fdb *row = sb_index_fdb(p->options.sb, f->datapath, str_c(&mac));
    struct uuid id;
    if (row) {
        id = *sb_fdb_uuid(row);
    } else {
        id = writer_insert(w, "FDB");
        writer_integer(w, "FDB", &id, "dp_key", f->datapath);
        writer_text(w, "FDB", &id, "mac", str_c(&mac));
    }
    if (!row || sb_fdb_port_key(row) != f->port) {
        writer_integer(w, "FDB", &id, "port_key", f->port);
        writer_integer(w, "FDB", &id, "timestamp", wall_ms);
        p->stats.learned++;
    }
    str_fini(&mac);
}

void put_fdb_write(struct pinctrl *p, struct writer *w)
{
    int64_t now = loop_now_ms(p->options.loop), wall = env_wall_ms(loop_env(p->options.loop));
    struct put_fdb *f;
    HMAP_FOR_EACH (f, node, &p->put_fdbs) {
        if (now - f->since_ms > PUT_ARP_AGE_MS)
            p->stats.put_arp_old++;
        else
            write_fdb(p, f, w, wall);
    }
    put_fdb_clear(p);
}
