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
/* Cuts what MATCH says of options to their lengths, so that equal matches are equal; 0, or the error of one that no option can have. Of
 * fields that stand for none, nothing is done. */
int tlv_fit_match(const struct bridge *br, struct match *match) MUST_CHECK;
/* Whether all of these fields stand for options of BR: 0, or OF_ERR_NX_TUN_METADATA_UNMAPPED. */
int tlv_check(const struct bridge *br, uint64_t fields) MUST_CHECK;
/* Whether actions read and write no more bits than options have: 0, or OF_ERR_ACTION_BAD_SET_LEN. */
int tlv_check_lengths(const struct bridge *br, const void *actions, size_t n) MUST_CHECK;
/* What N bytes of actions read and write, those within actions too. */
uint64_t tlv_in_actions(const void *actions, size_t n);
/* TLV_TABLE_MOD. 0 or an OF_ERR_NX_TLV_*, then nothing is changed. */
int tlv_mod_apply(struct bridge *br, const struct of_tlv_mod *mod) MUST_CHECK;
