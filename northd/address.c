/* address.c - see address.h (room 2 of docs/architecture.md). */
#include "northd/address.h"

#include <string.h>

struct address address_make(unsigned version, u128 value, unsigned plen)
{
    struct address a;
    memset(&a, 0, sizeof a);
    a.high = (uint64_t)(value >> 64);
    a.low = (uint64_t)value;
    a.version = (uint16_t)version;
    a.plen = (uint16_t)plen;
    return a;
}

struct address address_network(const struct address *a, unsigned plen)
{
    unsigned host = address_bits(a) - plen;
    u128 mask = host >= 128 ? 0 : ~(u128)0 << host;
    return address_make(a->version, address_value(a) & mask, plen);
}

bool address_in(const struct address *a, const struct address *network)
{
    if (a->version != network->version)
        return false;
    struct address x = address_network(a, network->plen),
                   y = address_network(network, network->plen);
    return x.high == y.high && x.low == y.low;
}

int address_compare(const struct address *a, const struct address *b)
{
    if (a->version != b->version)
        return a->version < b->version ? -1 : 1;
    u128 x = address_value(a), y = address_value(b);
    if (x != y)
        return x < y ? -1 : 1;
    return (a->plen > b->plen) - (a->plen < b->plen);
}

void address_put(struct str *out, const struct address *a)
{
    if (!a->version) {
        str_put(out, "-");
        return;
    }
    struct ip_prefix p = {.addr = ip_addr_from_u128((uint8_t)a->version, address_value(a)),
                          .len = (uint8_t)a->plen};
    ip_prefix_put_short(out, &p);
}
