/* dhcp.c - replies to the local port's own DHCP requests reach it whatever the flow tables say; see inband.h, seeds IB-19 to IB-21.
 *
 * A reply names its client in the BOOTP header (RFC 2131 section 2, chaddr), not in the key, so it is looked at packet by packet:
 * what the tables make of such packets is kept out of the caches, unless it reaches the local port anyway. Then
 * the caches must tell such packets from others, whence the mask.
 */
#include <string.h>

#include "net/headers.h"
#include "switchd/inband/internal.h"
#include "switchd/vswitch.h"

enum { DHCP_SERVER = 67, DHCP_CLIENT = 68, CHADDR_OFS = 28, CHADDR_END = 44 };

/* Notes what the answer to "is it a DHCP reply?" depends on. */
static bool is_reply(const struct flow_key *key, struct flow_mask *mask)
{
    mask_set(mask, FIELD_ETH_TYPE);
    if (key_get(key, FIELD_ETH_TYPE) != ETH_TYPE_IP)
        return false;
    mask_set(mask, FIELD_IP_PROTO);
    if (key_get(key, FIELD_IP_PROTO) != IP_PROTO_UDP)
        return false;
    mask_set(mask, FIELD_IP_FRAG);
    mask_set(mask, FIELD_UDP_SRC);
    mask_set(mask, FIELD_UDP_DST);
    return key_get(key, FIELD_UDP_SRC) == DHCP_SERVER && key_get(key, FIELD_UDP_DST) == DHCP_CLIENT;
}

static bool names_client(const struct packet *packet, struct mac mac)
{
    const uint8_t *udp = packet_l4(packet);
    uint32_t n = packet_l4_size(packet);
    return udp && n >= sizeof(struct udp_header) + CHADDR_END &&
           !memcmp(udp + sizeof(struct udp_header) + CHADDR_OFS, mac.b, sizeof mac.b);
}

static bool has_output(const struct dp_actions *actions, uint32_t dp_no)
{
    const struct dp_action *a;
    VEC_FOR_EACH (a, &actions->list)
        if (a->type == DP_OUTPUT && a->port == dp_no)
            return true;
    return false;
}

/* OUT with an output of the packet as it came to DP_NO first. */
static void deliver(struct xlate_out *out, uint32_t dp_no)
{
    struct dp_actions all = DP_ACTIONS_INIT;
    dp_put_output(&all, dp_no, NULL);
    const struct dp_action *a;
    VEC_FOR_EACH (a, &out->actions.list)
        vec_push(&all.list, *a);
    vec_fini(&out->actions.list); /* what its actions own has moved */
    out->actions = all;
    out->delivered = true;
    out->drop = DROP_NONE;
}

void inband_amend_dhcp(struct inband *ib, const struct vport *local, const struct packet *packet,
                       const struct flow_key *key, struct xlate_out *out)
{
    if (!is_reply(key, &out->mask) || has_output(&out->actions, local->dp_no))
        return;
    out->cacheable = false;
    struct mac mac = inband_local_mac(ib);
    if (!mac_is_zero(mac) && names_client(packet, mac))
        deliver(out, local->dp_no);
}
