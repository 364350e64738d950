/* field_text.c - values of fields as text, in the forms that ovs-ofctl writes and reads; ports by number and name. */
#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "base/err.h"
#include "flow/field.h"
#include "net/addr.h"

/* ---- Ports ---- */

static const struct {
    const char *name;
    uint32_t port;
} reserved[] = {
    {"IN_PORT", PORT_IN_PORT},
    {"TABLE", PORT_TABLE},
    {"NORMAL", PORT_NORMAL},
    {"FLOOD", PORT_FLOOD},
    {"ALL", PORT_ALL},
    {"LOCAL", PORT_LOCAL},
    {"CONTROLLER", PORT_CONTROLLER},
    {"ANY", PORT_ANY},
    {"UNSET", PORT_UNSET},
    {"NONE", PORT_ANY},
};

static bool plain_name(const char *name)
{
    if (!isalpha((unsigned char)*name))
        return false;
    for (; *name; name++)
        if (!isalnum((unsigned char)*name) && *name != '_')
            return false;
    return true;
}

static void put_name(struct str *s, const char *name, uint32_t number)
{
    if (!name)
        str_putf(s, "%u", number);
    else if (plain_name(name))
        str_put(s, name);
    else
        str_putf(s, "\"%s\"", name);
}

void port_put(struct str *s, uint32_t port, const struct port_names *names)
{
    for (size_t i = 0; i < ARRAY_SIZE(reserved); i++) {
        if (reserved[i].port == port) {
            str_put(s, reserved[i].name);
            return;
        }
    }
    put_name(s, names ? names->by_number(names, port) : NULL, port);
}

void table_put(struct str *s, uint8_t table, const struct table_names *tables)
{
    put_name(s, tables ? tables->by_number(tables, table) : NULL, table);
}

int port_parse(const char *text, const struct port_names *names, uint32_t *ret)
{
    uint64_t n;
    if (isdigit((unsigned char)*text) && !text_to_u64(text, 0, &n)) {
        if (n > UINT32_MAX || (n > UINT16_MAX && n < PORT_MAX))
            return ERR_RANGE; /* what no version can say in both widths */
        *ret = n >= 0xff00 && n <= 0xffff ? port_from_16((uint16_t)n) : (uint32_t)n;
        return 0;
    }
    for (size_t i = 0; i < ARRAY_SIZE(reserved); i++) {
        if (!strcasecmp(text, reserved[i].name)) {
            *ret = reserved[i].port;
            return 0;
        }
    }
    uint32_t port = 0;
    size_t len = strlen(text);
    if (names && len >= 2 && text[0] == '"' && text[len - 1] == '"') {
        char *name = xstrndup(text + 1, len - 2);
        port = names->by_name(names, name);
        free(name);
    } else if (names) {
        port = names->by_name(names, text);
    }
    if (!port)
        return ERR_NOT_FOUND;
    *ret = port;
    return 0;
}

/* ---- Integers of up to 128 bits ---- */

static int parse_integer(const char *text, size_t n, unsigned n_bits, u128 *ret)
{
    u128 x = 0;
    bool hex = n > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    unsigned base = hex ? 16 : 10;
    size_t i = hex ? 2 : 0;
    if (i >= n)
        return ERR_SYNTAX;
    for (; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        unsigned d = isdigit(c) ? c - 48u : isxdigit(c) ? (unsigned)tolower(c) - 87u : 99;
        if (d >= base)
            return ERR_SYNTAX;
        if (x > (~(u128)0 - d) / base)
            return ERR_RANGE;
        x = x * base + d;
    }
    if (x & ~u128_ones(n_bits))
        return ERR_RANGE;
    *ret = x;
    return 0;
}

static void put_hex(struct str *s, u128 x)
{
    if (x >> 64)
        str_putf(s, "0x%llx%016llx", (unsigned long long)(x >> 64), (unsigned long long)x);
    else
        str_putf(s, x ? "0x%llx" : "%llx", (unsigned long long)x);
}

static int parse_plain(const struct field *f, const char *text, u128 *value, u128 *mask)
{
    const char *slash = strchr(text, '/');
    size_t n = slash ? (size_t)(slash - text) : strlen(text);
    u128 v, m = u128_ones(f->n_bits);
    if (slash && !strcmp(slash + 1, "-1")) {
        slash = NULL;
    }
    int err = parse_integer(text, n, f->n_bits, &v);
    if (!err && slash)
        err = parse_integer(slash + 1, strlen(slash + 1), f->n_bits, &m);
    if (err)
        return err;
    *value = v;
    *mask = m;
    return 0;
}

static void put_plain(struct str *s, const struct field *f, u128 value, u128 mask, bool decimal)
{
    if (decimal)
        str_putf(s, "%llu", (unsigned long long)value);
    else
        put_hex(s, value);
    if (mask != u128_ones(f->n_bits)) {
        str_putc(s, '/');
        put_hex(s, mask);
    }
}

/* ---- Flags ---- */

static const char *const ct_flags[] = {"new", "est", "rel", "rpl", "inv", "trk", "snat", "dnat"};
static const char *const tcp_flags[] = {"fin", "syn", "rst", "psh", "ack",
                                        "urg", "ece", "cwr", "ns"};
static const char *const tun_flags[] = {"oam"};

struct flag_names {
    const char *const *names;
    unsigned n;
};

static struct flag_names flags_of(enum field_format format)
{
    switch (format) {
    case FORMAT_CT_STATE:
        return (struct flag_names){ct_flags, ARRAY_SIZE(ct_flags)};
    case FORMAT_TCP_FLAGS:
        return (struct flag_names){tcp_flags, ARRAY_SIZE(tcp_flags)};
    default:
        return (struct flag_names){tun_flags, ARRAY_SIZE(tun_flags)};
    }
}

/* A bit without a name is "[200]", or "0x200". */
static int unnamed_flag(const struct field *f, const char *text, size_t n, u128 *bit)
{
    char hex[20];
    uint64_t x;
    bool bracket = n > 2 && text[0] == '[' && text[n - 1] == ']';
    size_t skip = bracket ? 1 : n > 2 && !strncasecmp(text, "0x", 2) ? 2 : 0;
    if (!skip)
        return ERR_SYNTAX;
    n -= skip + bracket;
    if (n >= sizeof hex)
        return ERR_SYNTAX;
    memcpy(hex, text + skip, n);
    hex[n] = '\0';
    if (text_to_u64(hex, 16, &x) || !x || x & (x - 1) || x > u128_ones(f->n_bits))
        return ERR_SYNTAX;
    *bit = x;
    return 0;
}

static int find_flag(const struct field *f, const char *name, size_t n, u128 *bit)
{
    struct flag_names flags = flags_of(f->format);
    for (unsigned i = 0; i < flags.n; i++) {
        if (strlen(flags.names[i]) == n && !strncasecmp(flags.names[i], name, n)) {
            *bit = (u128)1 << i;
            return 0;
        }
    }
    return unnamed_flag(f, name, n, bit);
}

/* "+new-est" (a mask), "new|trk" (all bits exact), or a number. */
static int parse_flags(const struct field *f, const char *text, u128 *value, u128 *mask)
{
    if (isdigit((unsigned char)*text))
        return parse_plain(f, text, value, mask);
    u128 v = 0, m = 0, bit;
    bool masked = *text == '+' || *text == '-';
    while (*text) {
        char sign = 0;
        if (masked) {
            sign = *text++;
            if (sign != '+' && sign != '-')
                return ERR_SYNTAX;
        }
        size_t n = strcspn(text, masked ? "+-" : "|");
        int err = find_flag(f, text, n, &bit);
        if (err || m & bit)
            return ERR_SYNTAX;
        m |= bit;
        if (sign != '-')
            v |= bit;
        text += n;
        if (!masked && *text == '|')
            text++;
    }
    *value = v;
    *mask = masked ? m : u128_ones(f->n_bits);
    return masked && !m ? ERR_SYNTAX : 0;
}

static void put_flags(struct str *s, const struct field *f, u128 value, u128 mask)
{
    struct flag_names flags = flags_of(f->format);
    bool exact = mask == u128_ones(f->n_bits), first = true;
    if (exact && !value)
        str_putc(s, '0');
    for (unsigned i = 0; i < f->n_bits; i++) {
        u128 bit = (u128)1 << i;
        if (!(mask & bit) || (exact && !(value & bit)))
            continue;
        if (!exact)
            str_putc(s, value & bit ? '+' : '-');
        else if (!first)
            str_putc(s, '|');
        first = false;
        if (i < flags.n)
            str_put(s, flags.names[i]);
        else
            str_putf(s, "[%llx]", (unsigned long long)bit);
    }
}

static const struct {
    const char *name;
    uint8_t value, mask;
} frags[] = {
    {"no", 0, 3},    {"first", FRAG_ANY, 3},       {"later", 3, 3},
    {"yes", 1, 1},   {"not_later", 0, FRAG_LATER}, {"no", 0, 1},
    {"later", 2, 2},
};

static int parse_frag(const struct field *f, const char *text, u128 *value, u128 *mask)
{
    for (size_t i = 0; i < ARRAY_SIZE(frags); i++) {
        if (!strcasecmp(text, frags[i].name)) {
            *value = frags[i].value;
            *mask = frags[i].mask;
            return 0;
        }
    }
    return parse_plain(f, text, value, mask);
}

static void put_frag(struct str *s, u128 value, u128 mask)
{
    for (size_t i = 0; i < ARRAY_SIZE(frags); i++) {
        if (frags[i].value == value && frags[i].mask == mask) {
            str_put(s, frags[i].name);
            return;
        }
    }
    put_hex(s, value);
    str_putc(s, '/');
    put_hex(s, mask);
}

/* ---- Any field ---- */

static int parse_ip4_field(const char *text, u128 *value, u128 *mask)
{
    be32 ip, m;
    int err = ip4_parse_masked(text, &ip, &m);
    if (!err) {
        *value = swap32(ip);
        *mask = swap32(m);
    }
    return err;
}

static int parse_ip6_field(const char *text, u128 *value, u128 *mask)
{
    struct ip6 ip, m;
    int err = ip6_parse_masked(text, &ip, &m);
    if (!err) {
        *value = ip6_to_u128(ip);
        *mask = ip6_to_u128(m);
    }
    return err;
}

static int parse_mac_field(const char *text, u128 *value, u128 *mask)
{
    struct mac mac, m;
    int err = mac_parse_masked(text, &mac, &m);
    if (!err) {
        *value = mac_to_u64(mac);
        *mask = mac_to_u64(m);
    }
    return err;
}

static int parse_port_field(const struct field *f, const char *text, const struct port_names *names,
                            u128 *value, u128 *mask)
{
    uint32_t port;
    int err = port_parse(text, names, &port);
    if (!err) {
        *value = f->n_bits == 16 ? port_to_16(port) : port;
        *mask = u128_ones(f->n_bits);
    }
    return err;
}

int field_parse(const struct field *f, const char *text, const struct port_names *names,
                u128 *value, u128 *mask)
{
    u128 v = 0, m = 0;
    int err;
    if (!strcmp(text, "*")) {
        *value = *mask = 0;
        return 0;
    }
    switch (f->format) {
    case FORMAT_MAC:
        err = parse_mac_field(text, &v, &m);
        break;
    case FORMAT_IPV4:
        err = parse_ip4_field(text, &v, &m);
        break;
    case FORMAT_IPV6:
        err = parse_ip6_field(text, &v, &m);
        break;
    case FORMAT_PORT16:
    case FORMAT_PORT:
        err = parse_port_field(f, text, names, &v, &m);
        break;
    case FORMAT_FRAG:
        err = parse_frag(f, text, &v, &m);
        break;
    case FORMAT_CT_STATE:
    case FORMAT_TCP_FLAGS:
    case FORMAT_TUN_FLAGS:
        err = parse_flags(f, text, &v, &m);
        break;
    default:
        err = parse_plain(f, text, &v, &m);
    }
    if (err && !strncasecmp(text, "0x", 2) && (f->format == FORMAT_MAC || f->format == FORMAT_IPV4))
        err = parse_plain(f, text, &v, &m);
    if (err)
        return err;
    *value = v & m;
    *mask = m;
    return 0;
}

void field_put(struct str *s, const struct field *f, u128 value, u128 mask,
               const struct port_names *names)
{
    switch (f->format) {
    case FORMAT_MAC:
        mac_put_masked(s, mac_from_u64((uint64_t)value), mac_from_u64((uint64_t)mask));
        break;
    case FORMAT_IPV4:
        ip4_put_masked(s, swap32((uint32_t)value), swap32((uint32_t)mask));
        break;
    case FORMAT_IPV6:
        ip6_put_masked(s, ip6_from_u128(value), ip6_from_u128(mask));
        break;
    case FORMAT_PORT16:
        port_put(s, port_from_16((uint16_t)value), names);
        break;
    case FORMAT_PORT:
        port_put(s, (uint32_t)value, names);
        break;
    case FORMAT_FRAG:
        put_frag(s, value, mask);
        break;
    case FORMAT_CT_STATE:
    case FORMAT_TCP_FLAGS:
    case FORMAT_TUN_FLAGS:
        put_flags(s, f, value, mask);
        break;
    case FORMAT_DECIMAL:
        put_plain(s, f, value, mask, true);
        break;
    default:
        put_plain(s, f, value, mask, false);
    }
}
