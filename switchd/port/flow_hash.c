/* flow_hash.c - see flow_hash.h. */
#include "switchd/port/flow_hash.h"

#include "base/hash.h"
#include "net/headers.h"

uint64_t flow_hash(const struct packet *packet)
{
    uint64_t hash = hash_bytes(packet->data, MIN(packet->size, 14u), 0);
    const uint8_t *l3 = packet_l3(packet);
    if (l3 && l3[0] >> 4 == 4)
        hash = hash_bytes(l3 + 12, 8, l3[9]);
    else if (l3 && l3[0] >> 4 == 6)
        hash = hash_bytes(l3 + 8, 32, l3[6]);
    if (packet_l4_size(packet) >= 4 && packet->l4_proto != IP_PROTO_ICMP)
        hash = hash_bytes(packet_l4(packet), 4, hash);
    return hash;
}
