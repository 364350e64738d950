/* encode_neighbor.c - learned neighbours as flows of the table that get_arp and get_nd ask (Room 8 of docs/architecture.md); see encode.h.
 */
#include "encode/internal.h"

void encode_neighbor(const struct encode_profile *pf, const struct encode_neighbor *n,
                     struct match *match, struct of_actions *out)
{
    struct subfield found = subfield_make(FIELD_REG10, ANSWER_MAC, 1);
    match_set(match, FIELD_METADATA, n->datapath_key);
    match_set(match, pf->outport, n->port_key);
    match_set(match, n->ip.version == 4 ? pf->arg4 : pf->arg6_get, ip_addr_to_u128(&n->ip));
    of_put_set_field(out, FIELD_ETH_DST, mac_to_u64(n->mac));
    if (!pf->is_seed) /* which had nobody who asked whether it was found */
        of_put_load(out, &found, 1);
}
