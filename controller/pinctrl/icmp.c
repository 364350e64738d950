/* icmp.c - opcode 10, icmp4 { actions }: an ICMP error in place of an IPv4 packet (docs/seeds.md MB-42).
 *
 * Room 11 of docs/architecture.md. The error has the packet's Ethernet and IP addresses, quotes its beginning (RFC 1812 4.3.2.3), and is to
 * begin with "host unreachable"; the actions that came along say what it is, turn it round and send it. What RFC 1122 3.2.2
 * forbids is not answered: other ICMP errors, later fragments, what came to a group.
 */
#include "controller/pinctrl/pinctrl.h"

#include "net/checksum.h"
#include "net/headers.h"

enum { QUOTED_MAX = 548, HOST_UNREACHABLE = 1 }; /* 576 bytes with both headers */

struct icmp_packet {
    struct eth_header eth;
    struct ip4_header ip;
    struct icmp_header icmp;
    uint8_t quoted[QUOTED_MAX];
} PACKED;

static bool is_error(const uint8_t *l4, size_t n)
{
    return !n || l4[0] == ICMP_DST_UNREACH || (l4[0] >= 4 && l4[0] <= 5) ||
           (l4[0] >= 11 && l4[0] <= 12);
}

/* How much of the IPv4 packet in PACKET is quoted; 0: it is none, or may not be answered. */
static size_t quotable(const uint8_t *packet, size_t n)
{
    struct eth_header eth;
    struct ip4_header ip;
    if (n < sizeof eth + sizeof ip)
        return 0;
    memcpy(&eth, packet, sizeof eth);
    memcpy(&ip, packet + sizeof eth, sizeof ip);
    size_t header = (ip.ihl_ver & 0xfu) * 4u, len = swap16(ip.tot_len);
    if (eth.type != swap16(ETH_TYPE_IP) || mac_is_multicast(eth.dst) || ip.ihl_ver >> 4 != 4 ||
        header < sizeof ip || len < header || len > n - sizeof eth || swap16(ip.frag_off) & 0x1fff)
        return 0;
    if (ip.proto == IP_PROTO_ICMP && is_error(packet + sizeof eth + header, len - header))
        return 0;
    return MIN(len, (size_t)QUOTED_MAX);
}

static size_t make_error(const uint8_t *packet, size_t quoted, struct icmp_packet *ret)
{
    size_t icmp_len = sizeof ret->icmp + quoted;
    struct ip4_header ip;
    memcpy(&ip, packet + sizeof ret->eth, sizeof ip);
    memcpy(&ret->eth, packet, sizeof ret->eth);
    ret->ip = (struct ip4_header){.ihl_ver = 0x45,
                                  .tot_len = swap16((uint16_t)(sizeof ret->ip + icmp_len)),
                                  .ttl = 255,
                                  .proto = IP_PROTO_ICMP,
                                  .src = ip.src,
                                  .dst = ip.dst};
    ret->ip.csum = swap16(checksum(&ret->ip, sizeof ret->ip));
    ret->icmp = (struct icmp_header){.type = ICMP_DST_UNREACH, .code = HOST_UNREACHABLE};
    memcpy(ret->quoted, packet + sizeof ret->eth, quoted);
    ret->icmp.csum = swap16(checksum(&ret->icmp, icmp_len));
    return sizeof ret->eth + sizeof ret->ip + icmp_len;
}

void icmp_handle(struct pinctrl *p, const struct pinctrl_event *event)
{
    const struct of_packet_in *pin = event->pin;
    struct of_actions actions = OF_ACTIONS_INIT;
    struct icmp_packet error;
    size_t quoted = quotable(pin->packet, pin->packet_len);
    if (!quoted || of_actions_decode(event->args, event->n_args, OF15_VERSION, &actions))
        p->stats.malformed++;
    else
        pinctrl_send(p, &pin->metadata, &actions, &error, make_error(pin->packet, quoted, &error));
    of_actions_fini(&actions);
}
