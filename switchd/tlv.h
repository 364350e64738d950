/* tlv.h - which tunnel option each tun_metadata field of a bridge stands for (TLV_TABLE_MOD).
 *
 * Up to N_TUN_METADATA options of 4 or 8 bytes. Used by the OpenFlow server (which changes it) and by
 * tunnel ports (which read and write options by it).
 */
#pragma once

#include "flow/key.h"
#include "openflow/switch.h"

struct tlv_map {
    struct of_tlv_map map[N_TUN_METADATA]; /* len 0: not mapped */
};

/* All or nothing. 0 or an OF_ERR_NX_TLV_*. */
int tlv_map_change(struct tlv_map *tlvs, const struct of_tlv_mod *mod) MUST_CHECK;
/* Reads options (N bytes of Geneve's) into METADATA; *KNOWN gets a bit for each that is mapped. False:
 * they are malformed, or one that is marked critical is not mapped. */
bool tlv_map_read(const struct tlv_map *tlvs, const uint8_t *options, size_t n,
                  be64 metadata[N_TUN_METADATA], uint8_t *known);
/* Writes the options whose bits are in WHICH and that are mapped; returns their bytes (at most
 * N_TUN_METADATA * 12). *CRITICAL: one of them is marked critical. */
size_t tlv_map_write(const struct tlv_map *tlvs, const be64 metadata[N_TUN_METADATA], uint8_t which,
                     uint8_t *out, bool *critical);
