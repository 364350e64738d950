/* address.h - IP addresses and networks inside facts (room 2 of docs/architecture.md): both versions in one struct whose every byte
 * is defined, since facts are compared by their bytes.
 */
#pragma once

#include "base/str.h"
#include "net/addr.h"

/* An address of either version, with every byte of it defined. */
struct address {
    uint64_t high, low; /* of the number that the address is */
    uint16_t version;   /* 4 or 6; 0: none */
    uint16_t plen;      /* of a network; the version's full length otherwise */
    uint32_t pad;
};

static inline u128 address_value(const struct address *a)
{
    return (u128)a->high << 64 | a->low;
}
static inline unsigned address_bits(const struct address *a)
{
    return a->version == 6 ? 128 : 32;
}
struct address address_make(unsigned version, u128 value, unsigned plen);
/* The network that A is in: host bits cleared. PLEN replaces A's. */
struct address address_network(const struct address *a, unsigned plen);
bool address_in(const struct address *a, const struct address *network);
int address_compare(const struct address *a, const struct address *b);
void address_put(struct str *out, const struct address *a); /* with /plen when it is not full */
