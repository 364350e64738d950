/* odp_print.c - a match as the flow of a datapath: "recirc_id(0),in_port(1),packet_type(ns=0,id=0),eth_type(0x0800),ipv4(frag=no)".
 * See odp_flow.h. */
#include <string.h>

#include "net/headers.h"
#include "switchd/odp_flow.h"

static const struct odp_word {
    const char *group, *key;
    uint8_t field; /* enum field_id */
} words[] = {
#define WORD(GROUP, KEY, ID) {GROUP, KEY, FIELD_##ID},
#include "switchd/odp_flow.def"
#undef WORD
};

struct printer {
    struct str *s;
    const struct match *m;
    const struct odp_style *style;
};

/* "VALUE" or "VALUE/MASK"; numbers with their masks in hexadecimal, addresses with theirs as addresses. */
static void put_value(const struct printer *p, const struct field *f)
{
    u128 value = key_get(&p->m->key, f->id), mask = mask_get(&p->m->mask, f->id);
    u128 all = u128_ones(f->n_bits);
    bool number = f->format == FORMAT_DECIMAL || f->format == FORMAT_HEX;
    if (f->id == FIELD_ETH_TYPE)
        str_putf(p->s, "0x%04x", (unsigned)value);
    else if (f->id == FIELD_IP_TOS || (number && f->format == FORMAT_HEX && f->n_bits <= 64))
        str_putf(p->s, value ? "0x%llx" : "%llx", (unsigned long long)value);
    else if (number || f->format == FORMAT_MAC || f->format == FORMAT_IPV4 ||
             f->format == FORMAT_IPV6)
        field_put(p->s, f, value, all, NULL);
    else
        field_put(p->s, f, value, mask ? mask : all, NULL);
    if (mask == all || (!number && mask && f->format != FORMAT_MAC && f->format != FORMAT_IPV4 &&
                        f->format != FORMAT_IPV6))
        return;
    str_putc(p->s, '/');
    if (!number && mask)
        field_put(p->s, f, mask, all, NULL);
    else if (!number && f->format != FORMAT_FRAG && f->format != FORMAT_TCP_FLAGS)
        field_put(p->s, f, 0, all, NULL);
    else if (mask >> 64)
        field_put(p->s, field_get(FIELD_CT_LABEL), mask, u128_ones(128), NULL);
    else
        str_putf(p->s, mask ? "0x%llx" : "%llx", (unsigned long long)mask);
}

static bool is_shown(const struct printer *p, enum field_id id)
{
    return (p->style->verbose && id != FIELD_TCP_FLAGS) || mask_get(&p->m->mask, id);
}

/* "NAME(value)," of a field of metadata. */
static void put_metadata(const struct printer *p, enum field_id id, const char *name)
{
    if (!is_shown(p, id))
        return;
    str_putf(p->s, "%s(", name);
    put_value(p, field_get(id));
    str_put(p->s, "),");
}

static void put_ct_state(const struct printer *p)
{
    unsigned value = swap32(p->m->key.ct.state), mask = swap32(p->m->mask.bits.ct.state);
    if (p->style->verbose) {
        str_putf(p->s, value ? "ct_state(0x%x/" : "ct_state(%x/", value);
        str_putf(p->s, mask ? "0x%x)," : "%x),", mask);
    } else if (mask) {
        str_put(p->s, "ct_state(");
        field_put(p->s, field_get(FIELD_CT_STATE), value, mask & 0xff, NULL);
        str_put(p->s, "),");
    }
}

static void put_options(const struct printer *p)
{
    size_t start = p->s->n;
    for (unsigned i = 0; i < N_TUN_METADATA; i++) {
        const struct of_tlv_map *map = p->style->tlvs ? &p->style->tlvs->map[i] : NULL;
        struct tun_value value, mask, all;
        enum tun_match kind = match_get_tun(p->m, FIELD_TUN_METADATA0 + i, &value, &mask);
        if (!map || !(p->style->tlvs->mapped >> i & 1) || kind == TUN_NOT)
            continue;
        tun_value_ones(&all, 8u * map->len);
        tun_value_and(&mask, &all);
        str_putf(p->s, "%s{class=0x%x,type=0x%x,len=%u,", p->s->n == start ? "geneve(" : "",
                 map->opt_class, map->type, map->len);
        bool exact = !memcmp(&mask, &all, sizeof all);
        if (map->len && tun_value_is_zero(&value))
            str_put(p->s, "0x");
        if (map->len)
            tun_value_put(p->s, &value, exact ? NULL : &mask);
        str_putc(p->s, '}');
    }
    if (p->s->n > start)
        str_put(p->s, "),");
}

static void put_tunnel(const struct printer *p)
{
    static const struct {
        uint8_t field;
        const char *name;
    } names[] = {
        {FIELD_TUN_ID, "tun_id"},
        {FIELD_TUN_SRC, "src"},
        {FIELD_TUN_DST, "dst"},
        {FIELD_TUN_IPV6_SRC, "ipv6_src"},
        {FIELD_TUN_IPV6_DST, "ipv6_dst"},
        {FIELD_TUN_TOS, "tos"},
        {FIELD_TUN_TTL, "ttl"},
        {FIELD_TUN_GBP_ID, "gbp_id"},
        {FIELD_TUN_GBP_FLAGS, "gbp_flags"},
    };
    size_t start = p->s->n;
    str_put(p->s, "tunnel(");
    size_t empty = p->s->n;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (!mask_get(&p->m->mask, names[i].field))
            continue;
        str_putf(p->s, "%s=", names[i].name);
        put_value(p, field_get(names[i].field));
        str_putc(p->s, ',');
    }
    put_options(p);
    if (mask_get(&p->m->mask, FIELD_TUN_FLAGS))
        str_putf(p->s, "flags(%coam),", p->m->key.tunnel.flags ? '+' : '-');
    bool any = p->s->n > empty;
    str_truncate(p->s, any ? p->s->n - 1 : start);
    str_put(p->s, any ? ")," : "");
}

/* The words from FIRST on that are of one group, as far as the packet has it and they matter; the index behind them. */
static size_t put_group(const struct printer *p, size_t first)
{
    const char *group = words[first].group;
    size_t start = p->s->n, i = first;
    for (; i < ARRAY_SIZE(words) && !strcmp(words[i].group, group); i++) {
        const struct field *f = field_get(words[i].field);
        if (!key_has_prereq(&p->m->key, f->prereq) || !is_shown(p, f->id))
            continue;
        if (p->s->n == start)
            str_putf(p->s, "%s(", group);
        str_putf(p->s, "%s%s", words[i].key, words[i].key[0] ? "=" : "");
        put_value(p, f);
        str_putc(p->s, ',');
    }
    if (p->s->n > start) {
        str_truncate(p->s, p->s->n - 1);
        str_put(p->s, "),");
    }
    return i;
}

/* Whether the group at I belongs to a packet of this type: fields of IPv4 and IPv6 share members. */
static bool has_group(const struct printer *p, size_t i)
{
    bool v6 = p->m->key.eth_type == swap16(ETH_TYPE_IPV6);
    bool tagged = p->m->key.vlan_tci & swap16(VLAN_CFI);
    const char *g = words[i].group;
    return !strcmp(g, "ipv4")   ? !v6
           : !strcmp(g, "ipv6") ? v6
           : !strcmp(g, "vlan") ? tagged && (p->style->verbose || p->m->mask.bits.vlan_tci)
                                : true;
}

static void put_headers(const struct printer *p)
{
    bool encap = false;
    for (size_t i = 0; i < ARRAY_SIZE(words);) {
        bool tagged = p->m->key.vlan_tci & swap16(VLAN_CFI);
        if (words[i].field == FIELD_ETH_TYPE && tagged && !encap) {
            struct printer verbose = *p;
            struct odp_style both = *p->style;
            both.verbose = true; /* a tag is shown with all that it has */
            verbose.style = &both;
            str_put(p->s, "eth_type(0x8100),");
            put_group(&verbose, i + 1);
            str_put(p->s, "encap(");
            encap = true;
        }
        if (has_group(p, i) && words[i].field != FIELD_DL_VLAN) {
            i = put_group(p, i);
        } else {
            const char *skipped = words[i].group;
            while (i < ARRAY_SIZE(words) && !strcmp(words[i].group, skipped))
                i++;
        }
    }
    if (encap) { /* which is empty when the inner type does not matter */
        if (str_c(p->s)[p->s->n - 1] == ',')
            str_truncate(p->s, p->s->n - 1);
        str_put(p->s, "),");
    }
}

void odp_flow_put(struct str *s, const struct match *match, const struct odp_style *style)
{
    struct printer p = {s, match, style};
    put_metadata(&p, FIELD_SKB_PRIORITY, "skb_priority");
    put_tunnel(&p);
    put_metadata(&p, FIELD_PKT_MARK, "skb_mark");
    put_ct_state(&p);
    put_metadata(&p, FIELD_CT_ZONE, "ct_zone");
    put_metadata(&p, FIELD_CT_MARK, "ct_mark");
    put_metadata(&p, FIELD_CT_LABEL, "ct_label");
    put_metadata(&p, FIELD_RECIRC_ID, "recirc_id");
    put_metadata(&p, FIELD_DP_HASH, "dp_hash");
    if (style->in_port)
        str_putf(s, "in_port(%s),", style->in_port);
    else
        str_putf(s, "in_port(%u),", key_in_port(&match->key));
    str_put(s, "packet_type(ns=0,id=0),");
    put_headers(&p);
    str_truncate(s, s->n - 1);
}
