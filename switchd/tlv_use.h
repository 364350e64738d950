/* tlv_use.h - which tunnel options flows, groups and packets-out speak of.
 *
 * What names a tun_metadata field that stands for no option is refused, and an option stays mapped while something uses it, so that
 * a field never changes its meaning below a flow.
 *
 * Fields are bits: bit i is tun_metadata<i>.
 */
#pragma once

#include "switchd/bridge.h"

uint64_t tlv_in_match(const struct match *match);
/* Whether all of these fields stand for options of BR: 0, or OF_ERR_NX_TUN_METADATA_UNMAPPED. */
int tlv_check(const struct bridge *br, uint64_t fields) MUST_CHECK;
/* What N bytes of actions read and write, those within actions too. */
uint64_t tlv_in_actions(const void *actions, size_t n);
/* TLV_TABLE_MOD. 0 or an OF_ERR_NX_TLV_*, then nothing is changed. */
int tlv_mod_apply(struct bridge *br, const struct of_tlv_mod *mod) MUST_CHECK;
