/* tunnel_ecn.c - see tunnel_ecn.h. */
#include "switchd/port/tunnel_ecn.h"

#include "net/checksum.h"
#include "net/headers.h"

enum { ECN_NOT_ECT = 0, ECN_ECT_1 = 1, ECN_ECT_0 = 2, TAGS_MAX = 2 };

/* The IP header in PACKET; NULL: it is something else. */
static uint8_t *find_ip(const struct packet *packet, bool *v4)
{
    uint8_t *p = packet->data + ETH_HEADER_LEN;
    const uint8_t *end = packet->data + packet->size;
    if (end - p < IP4_HEADER_LEN)
        return NULL;
    uint16_t type = get_be16(p - 2);
    for (int i = 0; i < TAGS_MAX && (type == ETH_TYPE_VLAN || type == ETH_TYPE_QINQ) &&
                    end - p > VLAN_HEADER_LEN;
         i++) {
        p += VLAN_HEADER_LEN;
        type = get_be16(p - 2);
    }
    *v4 = type == ETH_TYPE_IP;
    if (*v4)
        return end - p >= IP4_HEADER_LEN && p[0] >> 4 == 4 ? p : NULL;
    return type == ETH_TYPE_IPV6 && end - p >= IP6_HEADER_LEN && p[0] >> 4 == 6 ? p : NULL;
}

uint8_t tunnel_ecn_of(const struct packet *packet)
{
    bool v4;
    const uint8_t *ip = find_ip(packet, &v4);
    return ip ? (uint8_t)(get_be16(ip) >> (v4 ? 0 : 4)) & IP_ECN_MASK : 0;
}

/* Figure 4; -1: dropped. */
static int behind(unsigned inner, unsigned outer)
{
    if (outer == IP_ECN_CE)
        return inner == ECN_NOT_ECT ? -1 : IP_ECN_CE;
    return outer == ECN_ECT_1 && inner == ECN_ECT_0 ? ECN_ECT_1 : (int)inner;
}

bool tunnel_ecn_mark(struct packet *packet, unsigned outer)
{
    bool v4;
    uint8_t *p = find_ip(packet, &v4);
    if (!p)
        return true;
    uint16_t was = get_be16(p);
    unsigned shift = v4 ? 0 : 4;
    int ecn = behind(was >> shift & IP_ECN_MASK, outer);
    if (ecn < 0)
        return false;
    put_be16(p, (uint16_t)((was & ~(IP_ECN_MASK << shift)) | (unsigned)ecn << shift));
    if (v4) {
        struct ip4_header *ip = (void *)p;
        put_be16(&ip->csum, checksum_update16(get_be16(&ip->csum), was, get_be16(p)));
    }
    return true;
}
