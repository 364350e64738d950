/* uuid.c - making, reading and writing uuids. */
#include "base/uuid.h"

/* The value of a hexadecimal digit + 1; 0: it is none. */
static const uint8_t hex_values[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

static int hex_value(char c)
{
    return hex_values[(unsigned char)c] - 1;
}

static bool dash_before(int byte)
{
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

struct uuid uuid_random(struct env *env)
{
    struct uuid u;
    env_random(env, u.bytes, sizeof u.bytes);
    u.bytes[6] = (u.bytes[6] & 0x0f) | 0x40;
    u.bytes[8] = (u.bytes[8] & 0x3f) | 0x80;
    return u;
}

bool uuid_parse(const char *text, struct uuid *ret)
{
    struct uuid u;
    for (int i = 0; i < 16; i++) {
        if (dash_before(i) && *text++ != '-')
            return false;
        int hi = hex_value(text[0]);
        int lo = hi < 0 ? -1 : hex_value(text[1]);
        if (lo < 0)
            return false;
        u.bytes[i] = (uint8_t)(hi << 4 | lo);
        text += 2;
    }
    if (*text)
        return false;
    *ret = u;
    return true;
}

const char *uuid_print(const struct uuid *u, char buf[UUID_TEXT_LEN + 1])
{
    static const char digits[] = "0123456789abcdef";
    char *p = buf;
    for (int i = 0; i < 16; i++) {
        if (dash_before(i))
            *p++ = '-';
        *p++ = digits[u->bytes[i] >> 4];
        *p++ = digits[u->bytes[i] & 15];
    }
    *p = '\0';
    return buf;
}

uint32_t uuid_prefix32(const struct uuid *u)
{
    return (uint32_t)u->bytes[0] << 24 | (uint32_t)u->bytes[1] << 16 | (uint32_t)u->bytes[2] << 8 |
           u->bytes[3];
}
