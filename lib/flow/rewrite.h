/* rewrite.h - changing packets: one field, tags, TTL; and making packets from a key.
 *
 * Every change keeps the checksums of IPv4, TCP, UDP, ICMP, ICMPv6 and SCTP as right or wrong as
 * they were, by incremental update (RFC 1624); SCTP's CRC is computed anew. A UDP checksum of zero
 * stays "none". Fields that the packet does not have are left alone: nothing here fails. Offsets
 * (packet.h) must be those of flow_extract and are kept right.
 */
#pragma once

#include "flow/packet.h"

/* Writes a header field (Ethernet, VLAN, IP, ARP, TCP, UDP, SCTP, ICMP, ND, MPLS, PBB); metadata fields
 * are not the packet's and do nothing. Setting vlan_tci, vlan_vid or vlan_pcp with no tag pushes
 * one (0x8100). */
void packet_set_field(struct packet *packet, enum field_id id, u128 value);
/* Makes the packet's headers those of KEY wherever OLD (what flow_extract gave, or the last state
 * written) differs. */
void packet_apply_key(struct packet *packet, const struct flow_key *old,
                      const struct flow_key *key);

void packet_push_vlan(struct packet *packet, uint16_t tpid,
                      uint16_t tci);         /* TCI in host order, without CFI marking */
void packet_pop_vlan(struct packet *packet); /* the outermost; none: nothing */
void packet_push_mpls(struct packet *packet, uint16_t eth_type, uint32_t lse);
void packet_pop_mpls(struct packet *packet, uint16_t eth_type);
/* The backbone's frame gets the addresses of the one inside (OpenFlow 1.3 5.12); TCI is the I-TAG's, without the type. */
void packet_push_pbb(struct packet *packet, uint32_t tci);
/* Leaves the customer's frame: backbone addresses, tag and I-TAG go. None: nothing. */
void packet_pop_pbb(struct packet *packet);
/* False, and nothing changed: the TTL is 0 or 1 (or the packet is no IP packet). */
bool packet_dec_ttl(struct packet *packet);
void packet_set_ip_src(struct packet *packet,
                       const struct ip_addr *ip); /* of the packet's version */
void packet_set_ip_dst(struct packet *packet, const struct ip_addr *ip);
/* TCP, UDP, SCTP ports, or the id of an ICMP echo (both directions of it). Host order. */
void packet_set_ports(struct packet *packet, uint16_t src, uint16_t dst);
/* Computes the L4 checksum anew, e.g. to finish csum_partial. */
void packet_finish_checksum(struct packet *packet);

/* Appends to an empty PACKET a frame that flow_extract reads as KEY's packet fields, with right
 * checksums and L4_LEN bytes of payload (a counting pattern). */
void packet_compose(struct packet *packet, const struct flow_key *key, size_t l4_len);
