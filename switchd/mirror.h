/* mirror.h - mirrors of a bridge: copies of what comes in or goes out, to a port or into a VLAN (ovs-vswitchd.conf.db(5), Mirror).
 *
 * What comes in is copied as it came, before the flows; what goes out as it leaves, once for each mirror however often a packet is
 * output. The translation selects and puts the copies into its actions; config_mirror.c makes the mirrors from the database.
 */
#pragma once

#include "base/uuid.h"
#include "base/vec.h"

enum { MIRRORS_MAX = 32 };

struct mirror {
    char *name;
    struct uuid uuid; /* of its row */
    bool select_all;
    VEC(uint32_t) src, dst; /* OpenFlow numbers of ports */
    uint64_t *vlans;        /* 4096 bits; NULL: all */
    uint32_t out_port;      /* 0: none */
    uint16_t out_vlan;      /* 0: none */
    uint16_t snaplen;       /* 0: whole packets */
    uint64_t n_packets, n_bytes;
};

struct mirrors {
    struct mirror list[MIRRORS_MAX];
    size_t n;
    char *signature; /* of what they were made from; NULL: there are none */
};

void mirrors_clear(struct mirrors *mirrors);
/* Whether M wants packets that come in on (INPUT), or leave through, port NUMBER. */
bool mirror_selects_port(const struct mirror *m, uint32_t number, bool input);
static inline bool mirror_selects_vlan(const struct mirror *m, uint16_t vlan)
{
    return !m->vlans || m->vlans[vlan / 64] >> (vlan % 64) & 1;
}
/* Whether a mirror has port NUMBER for itself. */
bool mirrors_own_port(const struct mirrors *mirrors, uint32_t number);
