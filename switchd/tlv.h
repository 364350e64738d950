/* tlv.h - which tunnel option each tun_metadata field of a bridge stands for (TLV_TABLE_MOD).
 *
 * Up to N_TUN_METADATA options, of up to 124 bytes each and TLV_SPACE together; one of length 0 says something by being there. Used by the
 * OpenFlow server (which changes it) and by tunnel ports (which read and write options by it).
 */
#pragma once

#include "flow/key.h"
#include "openflow/switch.h"

enum { TLV_SPACE = 4 * TUN_UNITS };

struct tlv_map {
    struct of_tlv_map map[N_TUN_METADATA];
    uint64_t mapped; /* bit i: map[i] is in use */
};

/* All or nothing. 0 or an OF_ERR_NX_TLV_*. */
int tlv_map_change(struct tlv_map *tlvs, const struct of_tlv_mod *mod) MUST_CHECK;
/* Bytes of all options together. */
unsigned tlv_map_space(const struct tlv_map *tlvs);
/* Reads options (N bytes of Geneve's) into KEY's tunnel and, what it has no room for, OPTS. Those of KEY are none before. False:
 * they are malformed, or one that is marked critical is not mapped. */
bool tlv_map_read(const struct tlv_map *tlvs, const uint8_t *options, size_t n,
                  struct flow_tunnel *tunnel, struct tun_opts *opts);
/* Writes the options whose bits are in WHICH and that are mapped, as many as a header has room for; returns their bytes (at most
 * GENEVE_MAX_OPTIONS). *CRITICAL: one of them is marked critical. */
size_t tlv_map_write(const struct tlv_map *tlvs, const struct flow_tunnel *tunnel,
                     const struct tun_opts *opts, uint64_t which, uint8_t *out, bool *critical);
