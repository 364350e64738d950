/* number.c - constants: decimal, hexadecimal, Ethernet, IPv4 and IPv6, each with an optional mask.
 *
 * How far a constant reaches: digits and letters, colons of an address, single dots of an address ("0..10" ends at the
 * first digit), never the colon after a dotted address ("10.0.0.1:80").
 */
#include "expr/number.h"

#include <string.h>

#include "expr/chars.h"
#include "net/addr.h"

static bool is_hex(char c)
{
    return char_is(c, CHAR_HEX);
}

static bool is_digit(char c)
{
    return char_is(c, CHAR_DIGIT);
}

/* A letter, a digit or '_'. */
static bool is_word(char c)
{
    return char_is(c, CHAR_ID | CHAR_DIGIT) && c != '.';
}

static bool starts_number(const char *p)
{
    if (is_digit(*p))
        return true;
    if (p[0] == ':' && p[1] == ':')
        return true;
    if (!is_hex(*p))
        return false;
    size_t n = 1;
    while (n < 5 && is_hex(p[n]))
        n++;
    return p[n] == ':' && (p[n + 1] == ':' || is_hex(p[n + 1]));
}

/* Length of the constant at P, which starts_number. */
static size_t number_span(const char *p)
{
    size_t n = 0;
    bool dot = false, colon = false;
    for (;; n++) {
        char c = p[n];
        if (is_word(c))
            continue;
        if (c == '.' && p[n + 1] != '.') {
            dot = true;
            continue;
        }
        if (c == ':' && (!dot || colon) &&
            (p[n + 1] == ':' || (is_word(p[n + 1]) && p[n + 1] != '_') || (n && p[n - 1] == ':'))) {
            colon = true;
            continue;
        }
        return n;
    }
}

static const char *parse_hex(const char *p, size_t n, struct lex_token *t)
{
    t->format = LEX_HEX;
    if (n == 2)
        return p[1] == 'x' ? "Hex digits expected following 0x."
                           : "Hex digits expected following 0X.";
    size_t i = 2;
    while (i < n && p[i] == '0')
        i++;
    unsigned digits = (unsigned)(n - i);
    for (size_t j = i; j < n; j++) {
        if (!is_hex(p[j]))
            return j == 2 ? (p[j] == '.' ? "Invalid syntax in hexadecimal constant."
                                         : "Hex digits expected following 0x.")
                          : "Invalid syntax in hexadecimal constant.";
        unsigned d = is_digit(p[j]) ? (unsigned)(p[j] - '0') : (unsigned)((p[j] | 32) - 'a' + 10);
        if (j == i)
            t->width = 4 * (digits - 1) + (d >= 8 ? 4 : d >= 4 ? 3 : d >= 2 ? 2 : 1);
        t->value = t->value << 4 | d;
    }
    return t->width > 1024 ? "Hexadecimal constant requires more than 1024 bits." : NULL;
}

static const char *parse_decimal(const char *p, size_t n, struct lex_token *t)
{
    t->format = LEX_DECIMAL;
    if (n > 1 && p[0] == '0')
        return "Decimal constants must not have leading zeros.";
    for (size_t i = 0; i < n; i++) {
        t->value = t->value * 10 + (unsigned)(p[i] - '0');
        if (t->value >> 64)
            return "Decimal constants must be less than 2**64.";
    }
    t->width = u128_width(t->value);
    return NULL;
}

static const char *parse_address(const char *p, size_t n, struct lex_token *t)
{
    char text[64];
    struct mac mac;
    be32 ip4;
    struct ip6 ip6;
    if (n < sizeof text) {
        memcpy(text, p, n);
        text[n] = '\0';
        bool has_colon = memchr(text, ':', n);
        if (!has_colon && !ip4_parse(text, &ip4)) {
            t->format = LEX_IP4;
            t->value = swap32(ip4);
            t->width = 32;
            return NULL;
        }
        if (!mac_parse(text, &mac)) {
            t->format = LEX_MAC;
            t->value = mac_to_u64(mac);
            t->width = 48;
            return NULL;
        }
        if (!ip6_parse(text, &ip6)) {
            t->format = LEX_IP6;
            t->value = ip6_to_u128(ip6);
            t->width = 128;
            return NULL;
        }
    }
    return "Invalid numeric constant.";
}

static const char *parse_number(const char *p, size_t n, struct lex_token *t)
{
    size_t digits = 0;
    if (n >= 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X'))
        return parse_hex(p, n, t);
    while (digits < n && is_digit(p[digits]))
        digits++;
    return digits == n ? parse_decimal(p, n, t) : parse_address(p, n, t);
}

/* Combines T with the constant M after a slash. */
static const char *apply_mask(struct lex_token *t, const struct lex_token *m)
{
    unsigned bits = t->format == LEX_IP4 ? 32 : t->format == LEX_IP6 ? 128 : 0;
    bool zero = t->format == LEX_DECIMAL && !t->value; /* has no format of its own: "0/0x1" */
    if (zero && m->format == LEX_HEX)
        t->format = LEX_HEX;
    if (m->format == t->format)
        t->mask = m->value;
    else if (bits && m->format == LEX_DECIMAL && m->value <= bits)
        t->mask = u128_ones(bits) & ~u128_ones(bits - (unsigned)m->value);
    else
        return "Value and mask have incompatible formats.";
    if (t->width > 128 || m->width > 128)
        t->width = MAX(t->width, m->width);
    else
        t->width = u128_width(t->mask);
    t->type = LEX_MASKED_INTEGER;
    t->value &= t->mask;
    return NULL;
}

size_t number_lex(const char *p, struct lex_token *t, const char **message)
{
    *message = NULL;
    if (!starts_number(p))
        return 0;
    size_t n = number_span(p);
    t->type = LEX_INTEGER;
    *message = parse_number(p, n, t);
    t->mask = u128_ones(128);
    if (*message || p[n] != '/' || !(is_hex(p[n + 1]) || p[n + 1] == ':'))
        return n;
    struct lex_token m = {.type = LEX_INTEGER};
    size_t k = number_span(p + n + 1);
    *message = parse_number(p + n + 1, k, &m);
    if (!*message)
        *message = apply_mask(t, &m);
    return n + 1 + k;
}

static void put_hex(struct str *out, uint64_t value)
{
    char text[2 + 2 * sizeof value];
    size_t at = sizeof text;
    do
        text[--at] = "0123456789abcdef"[value & 15];
    while (value >>= 4);
    text[--at] = 'x';
    text[--at] = '0';
    str_put_n(out, text + at, sizeof text - at);
}

void lex_hex_print(struct str *out, u128 value)
{
    uint64_t high = (uint64_t)(value >> 64), low = (uint64_t)value;
    if (high)
        str_putf(out, "0x%llx%016llx", (unsigned long long)high, (unsigned long long)low);
    else if (low)
        put_hex(out, low);
    else
        str_putc(out, '0');
}

static void put_decimal(struct str *out, uint64_t value)
{
    char text[20]; /* digits of 2^64 */
    size_t at = sizeof text;
    do
        text[--at] = (char)('0' + value % 10);
    while (value /= 10);
    str_put_n(out, text + at, sizeof text - at);
}

void lex_value_print(struct str *out, enum lex_format format, u128 value)
{
    switch (format) {
    case LEX_DECIMAL:
        put_decimal(out, (uint64_t)value);
        break;
    case LEX_HEX:
        lex_hex_print(out, value);
        break;
    case LEX_IP4:
        ip4_put(out, swap32((uint32_t)value));
        break;
    case LEX_IP6:
        ip6_put(out, ip6_from_u128(value));
        break;
    case LEX_MAC:
        mac_put(out, mac_from_u64((uint64_t)value));
        break;
    }
}

void lex_masked_print(struct str *out, enum lex_format format, u128 value, u128 mask)
{
    lex_value_print(out, format, value);
    str_putc(out, '/');
    unsigned bits = format == LEX_IP4 ? 32 : format == LEX_IP6 ? 128 : 0;
    unsigned len = u128_popcount(mask);
    if (bits && mask == (u128_ones(bits) & ~u128_ones(bits - len)))
        str_putf(out, "%u", len);
    else
        lex_value_print(out, format, mask);
}
