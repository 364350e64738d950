/* checksum.c - the Internet checksum and CRC32c. Pure arithmetic on bytes; see checksum.h for the conventions. */
#include "net/checksum.h"

/* The sum of N / 64 * 64 bytes, in words as they lie: four at a time, which every processor of ours can. */
static uint64_t sum_blocks(const uint8_t *b, size_t n)
{
    typedef uint64_t pair __attribute__((vector_size(16)));
    const pair low = {0xffffffff, 0xffffffff};
    pair s = {0, 0}, t = {0, 0};
    for (; n >= 64; n -= 64, b += 64) {
        pair w[4];
        memcpy(w, b, sizeof w);
        s += (w[0] & low) + (w[0] >> 32) + (w[1] & low) + (w[1] >> 32);
        t += (w[2] & low) + (w[2] >> 32) + (w[3] & low) + (w[3] >> 32);
    }
    s += t;
    return s[0] + s[1];
}

uint32_t checksum_add(uint32_t sum, const void *p, size_t n)
{
    const uint8_t *b = p;
    /* Words as they lie: the sum of swapped words is the swapped sum (RFC 1071 section 2 B). */
    uint64_t s = sum_blocks(b, n);
    b += n / 64 * 64;
    for (n %= 64; n >= 16; n -= 16, b += 16) {
        uint64_t w[2];
        memcpy(w, b, sizeof w);
        s += (w[0] & 0xffffffff) + (w[0] >> 32) + (w[1] & 0xffffffff) + (w[1] >> 32);
    }
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    s = swap16((uint16_t)s);
    s += sum;
    for (; n >= 4; n -= 4, b += 4)
        s += get_be32(b);
    if (n >= 2) {
        s += get_be16(b);
        b += 2;
        n -= 2;
    }
    if (n)
        s += (uint32_t)*b << 8;
    while (s >> 32)
        s = (s & 0xffffffff) + (s >> 32);
    return (uint32_t)s;
}

uint16_t checksum_update16(uint16_t old_csum, uint16_t old_word, uint16_t new_word)
{
    return checksum_fold((uint32_t)(uint16_t)~old_csum + (uint16_t)~old_word + new_word);
}

uint16_t checksum_update(uint16_t old_csum, const void *old_bytes, const void *new_bytes, size_t n)
{
    uint32_t removed = checksum_add(0, old_bytes, n), added = checksum_add(0, new_bytes, n);
    uint32_t sum = (uint16_t)~old_csum;
    sum += checksum_fold(removed);          /* minus, in ones' complement */
    sum += (uint16_t)~checksum_fold(added); /* the plain folded sum */
    return checksum_fold(sum);
}

uint32_t checksum_pseudo4(be32 src, be32 dst, uint8_t proto, uint32_t l4_len)
{
    uint32_t sum = checksum_add(0, &src, 4);
    sum = checksum_add(sum, &dst, 4);
    uint8_t rest[4] = {0, proto, (uint8_t)(l4_len >> 8), (uint8_t)l4_len};
    return checksum_add(sum, rest, sizeof rest);
}

uint32_t checksum_pseudo6(const struct ip6 *src, const struct ip6 *dst, uint8_t proto,
                          uint32_t l4_len)
{
    uint32_t sum = checksum_add(0, src, 16);
    sum = checksum_add(sum, dst, 16);
    uint8_t rest[8] = {0, 0, 0, 0, 0, 0, 0, proto};
    put_be32(rest, l4_len);
    return checksum_add(sum, rest, sizeof rest);
}

uint32_t checksum_crc32c(const void *p, size_t n)
{
    const uint8_t *b = p;
    uint32_t crc = UINT32_MAX;
    while (n--) {
        crc ^= *b++;
        for (int i = 0; i < 8; i++)
            crc = crc >> 1 ^ (0x82f63b78u & -(crc & 1));
    }
    return ~crc;
}
