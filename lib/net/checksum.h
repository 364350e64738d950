/* checksum.h - the Internet checksum (RFC 1071), whole and incremental (RFC 1624), and SCTP's
 * CRC32c.
 *
 * Sums are kept in host order of big-endian words: checksum_fold() gives the value to store with
 * put_be16 ("be16 in host order"), so that nothing here depends on the machine.
 */
#pragma once

#include <stddef.h>

#include "net/addr.h"

/* Adds N bytes at P to a running SUM; an odd last byte counts as the high half of a word, so only
 * the last piece of a message may have odd length. */
uint32_t checksum_add(uint32_t sum, const void *p, size_t n);

/* The complement of SUM folded to 16 bits: the number for put_be16(). */
static inline uint16_t checksum_fold(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static inline uint16_t checksum(const void *p, size_t n)
{
    return checksum_fold(checksum_add(0, p, n));
}

/* What a checksum OLD_CSUM (as get_be16 reads it) becomes when a 16-bit word, or N bytes at an even
 * offset, change. */
uint16_t checksum_update16(uint16_t old_csum, uint16_t old_word, uint16_t new_word);
uint16_t checksum_update(uint16_t old_csum, const void *old_bytes, const void *new_bytes, size_t n);

/* The start of a sum over the pseudo-header of TCP, UDP, ICMPv6 (RFC 8200 8.1). */
uint32_t checksum_pseudo4(be32 src, be32 dst, uint8_t proto, uint32_t l4_len);
uint32_t checksum_pseudo6(const struct ip6 *src, const struct ip6 *dst, uint8_t proto,
                          uint32_t l4_len);

uint32_t checksum_crc32c(const void *p,
                         size_t n); /* RFC 9260 appendix B; store with little-endian byte order */
