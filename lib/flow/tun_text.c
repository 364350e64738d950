/* tun_text.c - values of tunnel options as text: numbers of up to 992 bits in hexadecimal, as ovs-ofctl writes and reads them. */
#include <ctype.h>
#include <string.h>

#include "base/err.h"
#include "flow/field.h"
#include "flow/tun_opts.h"

static int parse_decimal(const char *text, size_t n, struct tun_value *ret)
{
    u128 x = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isdigit((unsigned char)text[i]))
            return ERR_SYNTAX;
        if (x > (~(u128)0 - 9) / 10)
            return ERR_RANGE;
        x = x * 10 + (unsigned)(text[i] - '0');
    }
    tun_value_of(ret, x);
    return n ? 0 : ERR_SYNTAX;
}

static int parse_number(const char *text, size_t n, struct tun_value *ret)
{
    if (n <= 2 || text[0] != '0' || (text[1] != 'x' && text[1] != 'X'))
        return parse_decimal(text, n, ret);
    memset(ret, 0, sizeof *ret);
    for (size_t i = 2; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        if (!isxdigit(c))
            return ERR_SYNTAX;
        unsigned digit = isdigit(c) ? c - 48u : (unsigned)tolower(c) - 87u;
        size_t at = (n - 1 - i) * 4;
        if (at >= TUN_OPT_BITS && digit)
            return ERR_RANGE;
        if (at < TUN_OPT_BITS)
            tun_value_set(ret, (unsigned)at, 4, digit);
    }
    return 0;
}

int tun_value_parse(const char *text, struct tun_value *value, struct tun_value *mask,
                    bool *has_mask)
{
    const char *slash = strchr(text, '/');
    size_t n = slash ? (size_t)(slash - text) : strlen(text);
    *has_mask = slash && strcmp(slash + 1, "-1") != 0;
    tun_value_ones(mask, TUN_OPT_BITS);
    if (!strcmp(text, "*")) {
        memset(value, 0, sizeof *value);
        memset(mask, 0, sizeof *mask);
        *has_mask = true;
        return 0;
    }
    int err = parse_number(text, n, value);
    if (!err && *has_mask)
        err = parse_number(slash + 1, strlen(slash + 1), mask);
    tun_value_and(value, mask);
    return err;
}

static void put_number(struct str *s, const struct tun_value *value)
{
    unsigned n = tun_value_len(value);
    if (tun_value_is_zero(value)) {
        str_putc(s, '0');
        return;
    }
    str_putf(s, "0x%x", value->b[TUN_OPT_MAX - n]);
    while (--n)
        str_putf(s, "%02x", value->b[TUN_OPT_MAX - n]);
}

void tun_value_put(struct str *s, const struct tun_value *value, const struct tun_value *mask)
{
    put_number(s, value);
    if (mask) {
        str_putc(s, '/');
        put_number(s, mask);
    }
}
