/* encode_dhcp.c - put_dhcp_opts, put_dhcpv6_opts, put_nd_ra_opts, dns_lookup and DHCP relay; see internal.h.
 *
 * Userdata: opcode, 0, the header and first bit of the result field, then the options as they go into the reply.
 */
#include <stdlib.h>
#include <string.h>

#include "action/dhcp.h"
#include "encode/internal.h"
#include "net/addr.h"

/* Where the result goes: the field's NXM or OXM header, and the bit. */
static void put_result(struct encoder *en, const struct action *a, struct str *ud)
{
    struct subfield dst = encode_bits(en, a->operand[0].field);
    const struct field *f = field_get(dst.id);
    const struct field_header *h = f->nxm.name ? &f->nxm : &f->oxm;
    encode_userdata_put_be(ud, h->class, 2);
    encode_userdata_put_be(ud, (u128)(h->number << 1), 1);
    encode_userdata_put_be(ud, f->n_bytes, 1);
    encode_userdata_put_be(ud, dst.ofs, 4);
}

/* -- Domain names (RFC 1035 4.1.4). -- */

enum { MAX_SUFFIXES = 64 };

struct suffixes {
    struct {
        const char *text; /* in the list of names, up to its comma */
        size_t n, offset; /* where it stands in the option */
    } at[MAX_SUFFIXES];
    size_t n;
};

/* One name of N bytes as labels; what was written before is pointed to. */
static void put_name(struct str *out, size_t base, const char *name, size_t n, struct suffixes *sx)
{
    while (n) {
        for (size_t i = 0; sx && i < sx->n; i++)
            if (sx->at[i].n == n && !memcmp(sx->at[i].text, name, n)) {
                encode_userdata_put_be(out, 0xc000 | sx->at[i].offset, 2);
                return;
            }
        if (sx && sx->n < MAX_SUFFIXES && out->n - base < 0x4000) {
            sx->at[sx->n].text = name;
            sx->at[sx->n].n = n;
            sx->at[sx->n++].offset = out->n - base;
        }
        const char *dot = memchr(name, '.', n);
        size_t label = dot ? (size_t)(dot - name) : n;
        encode_userdata_put_be(out, MIN(label, 63), 1);
        str_put_n(out, name, MIN(label, 63));
        name += label;
        n -= label;
        if (n) {
            name++;
            n--;
        }
    }
    str_putc(out, '\0');
}

/* The comma-separated names of LIST; COMPRESS shares endings. */
static void put_names(struct str *out, const char *list, bool compress)
{
    struct suffixes sx = {.n = 0};
    size_t base = out->n;
    while (*list) {
        list += strspn(list, ", ");
        size_t n = strcspn(list, ", ");
        if (n)
            put_name(out, base, list, n, compress ? &sx : NULL);
        list += n;
    }
}

/* -- Values. -- */

/* Network and next hop in turn (RFC 3442). */
static void put_routes(struct str *out, const struct operand *v, size_t n)
{
    for (size_t i = 0; i + 1 < n; i += 2) {
        unsigned plen = v[i].is_masked ? u128_popcount(v[i].mask) : 32;
        encode_userdata_put_be(out, plen, 1);
        encode_userdata_put_be(out, v[i].value >> (32 - DIV_ROUND_UP(plen, 8) * 8),
                               DIV_ROUND_UP(plen, 8));
        encode_userdata_put_be(out, v[i + 1].value, 4);
    }
}

static void put_values(struct str *out, const struct dhcp_option *o, const struct operand *v,
                       size_t n)
{
    if (o->type == DHCP_STATIC_ROUTES) {
        put_routes(out, v, n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (v[i].kind == OPERAND_STRING && o->type == DHCP_DOMAINS)
            put_names(out, v[i].text->s, true);
        else if (v[i].kind == OPERAND_STRING && o->type == DHCP_DOMAIN)
            put_names(out, v[i].text->s, false);
        else if (v[i].kind == OPERAND_STRING)
            str_put_n(out, v[i].text->s, v[i].text->n);
        else
            encode_userdata_put_be(out, v[i].value,
                                   o->type == DHCP_BOOL || o->type == DHCP_UINT8 ? 1
                                   : o->type == DHCP_UINT16                      ? 2
                                   : o->type == DHCP_IPV6                        ? 16
                                   : o->type == DHCP_MAC                         ? 6
                                                                                 : 4);
    }
}

/* The option whose name is operand I; *N its values, which follow. */
static const struct dhcp_option *option_at(const struct action *a, enum dhcp_family family,
                                           uint32_t i, size_t *n)
{
    const struct rstr *name = a->operand[i].text;
    *n = 0;
    while (i + 1 + *n < a->n && a->operand[i + 1 + *n].kind != OPERAND_OPTION)
        ++*n;
    return dhcp_option_find(family, name->s, name->n);
}

static void put_option4(struct str *ud, const struct dhcp_option *o, const struct operand *v,
                        size_t n)
{
    struct str value = STR_INIT;
    put_values(&value, o, v, n);
    size_t len = MIN(value.n, 255);
    encode_userdata_put_be(ud, o->code, 1);
    encode_userdata_put_be(ud, len, 1);
    if (len)
        str_put_n(ud, value.s, len);
    str_fini(&value);
}

/* The address offered, then the options that the controller looks for first, then the others as they were written. */
static void encode_dhcp4(struct encoder *en, const struct action *a)
{
    static const char *const first[] = {"bootfile_name", "bootfile_name_alt", "next_server"};
    struct str ud = STR_INIT;
    size_t n;
    encode_userdata_begin(&ud, OPCODE_PUT_DHCP_OPTS);
    put_result(en, a, &ud);
    encode_userdata_put_be(&ud, encode_option_value(a, "offerip")->value, 4);
    for (size_t k = 0; k <= ARRAY_SIZE(first); k++)
        for (uint32_t i = 1; i < a->n; i += 1 + (uint32_t)n) {
            const struct dhcp_option *o = option_at(a, DHCP_FAMILY_4, i, &n);
            bool is_first = false;
            for (size_t j = 0; j < ARRAY_SIZE(first); j++)
                is_first |= !strcmp(o->name, first[j]);
            if (k < ARRAY_SIZE(first) ? !strcmp(o->name, first[k])
                                      : !is_first && strcmp(o->name, "offerip") != 0)
                put_option4(&ud, o, &a->operand[i + 1], n);
        }
    encode_userdata_send(en, &ud, true);
}

static void encode_dhcp6(struct encoder *en, const struct action *a)
{
    struct str ud = STR_INIT;
    size_t n;
    encode_userdata_begin(&ud, OPCODE_PUT_DHCPV6_OPTS);
    put_result(en, a, &ud);
    for (uint32_t i = 1; i < a->n; i += 1 + (uint32_t)n) {
        const struct dhcp_option *o = option_at(a, DHCP_FAMILY_6, i, &n);
        struct str value = STR_INIT;
        put_values(&value, o, &a->operand[i + 1], n);
        encode_userdata_put_be(&ud, o->code, 2);
        encode_userdata_put_be(&ud, MIN(value.n, 65535), 2);
        if (value.n)
            str_put_n(&ud, value.s, MIN(value.n, 65535));
        str_fini(&value);
    }
    encode_userdata_send(en, &ud, true);
}

/* -- Router advertisements (RFC 4861 4.2). -- */

static void pad8(struct str *s, size_t base)
{
    while ((s->n - base) % 8)
        str_putc(s, '\0');
}

/* "HIGH-fd00::/48,LOW-::/0": Route Information options (RFC 4191 2.3). */
static void put_route_info(struct str *ud, const char *list)
{
    while (*list) {
        list += strspn(list, ", ");
        size_t n = strcspn(list, ", ");
        const char *dash = n ? memchr(list, '-', n) : NULL;
        struct ip_prefix prefix;
        char *text = dash ? xstrndup(dash + 1, n - (size_t)(dash + 1 - list)) : NULL;
        if (text && !ip_prefix_parse(text, &prefix) && prefix.addr.version == 6) {
            unsigned units = prefix.len > 64 ? 3 : prefix.len ? 2 : 1;
            encode_userdata_put_be(ud, 24, 1);
            encode_userdata_put_be(ud, units, 1);
            encode_userdata_put_be(ud, prefix.len, 1);
            encode_userdata_put_be(ud, *list == 'H' ? 0x08 : *list == 'L' ? 0x18 : 0, 1);
            encode_userdata_put_be(ud, 0xffffffff, 4);
            str_put_n(ud, (const char *)prefix.addr.v6.b, (units - 1) * 8);
        }
        free(text);
        list += n;
    }
}

static void put_ra_option(struct str *ud, const struct dhcp_option *o, const struct operand *v,
                          size_t n, bool autonomous)
{
    size_t base = ud->n;
    switch (o->code) {
    case 1: /* source link-layer address */
        encode_userdata_put_be(ud, 0x0101, 2);
        encode_userdata_put_be(ud, v->value, 6);
        break;
    case 3: /* prefix information */
        encode_userdata_put_be(ud, 0x0304, 2);
        encode_userdata_put_be(ud, u128_popcount(v->mask), 1);
        encode_userdata_put_be(ud, autonomous ? 0xc0 : 0x80, 1);
        encode_userdata_put_be(ud, UINT64_MAX, 8); /* valid and preferred for ever */
        encode_userdata_put_be(ud, 0, 4);
        encode_userdata_put_be(ud, v->value, 16);
        break;
    case 5: /* MTU */
        encode_userdata_put_be(ud, 0x0501, 2);
        encode_userdata_put_be(ud, 0, 2);
        encode_userdata_put_be(ud, v->value, 4);
        break;
    case 24:
        put_route_info(ud, v->text->s);
        break;
    case 25: /* recursive DNS servers */
        encode_userdata_put_be(ud, 25, 1);
        encode_userdata_put_be(ud, 1 + 2 * n, 1);
        encode_userdata_put_be(ud, 0, 2);
        encode_userdata_put_be(ud, 0xffffffff, 4);
        for (size_t i = 0; i < n; i++)
            encode_userdata_put_be(ud, v[i].value, 16);
        break;
    case 31: /* DNS search list */
        encode_userdata_put_be(ud, 31, 1);
        encode_userdata_put_be(ud, 0, 3);
        encode_userdata_put_be(ud, 0xffffffff, 4);
        put_names(ud, v->text->s, false);
        pad8(ud, base);
        ud->s[base + 1] = (char)MIN((ud->n - base) / 8, 255);
        break;
    default:
        break;
    }
}

static void encode_ra(struct encoder *en, const struct action *a)
{
    const struct operand *mode = encode_option_value(a, "addr_mode");
    const struct operand *pref = encode_option_value(a, "router_preference");
    bool stateful = mode && !strcmp(mode->text->s, "dhcpv6_stateful");
    unsigned flags = stateful ? 0x80 : 0;
    if (mode && !strcmp(mode->text->s, "dhcpv6_stateless"))
        flags = 0x40;
    if (pref && !strcmp(pref->text->s, "HIGH"))
        flags |= 0x08;
    if (pref && !strcmp(pref->text->s, "LOW"))
        flags |= 0x18;
    struct str ud = STR_INIT;
    size_t n;
    encode_userdata_begin(&ud, OPCODE_PUT_ND_RA_OPTS);
    put_result(en, a, &ud);
    encode_userdata_put_be(&ud, 0x86000000, 4); /* type 134, code 0, no checksum */
    encode_userdata_put_be(&ud, 0xff, 1);       /* hop limit */
    encode_userdata_put_be(&ud, flags, 1);
    encode_userdata_put_be(&ud, 0xffff, 2); /* router lifetime */
    encode_userdata_put_be(&ud, 0, 8);      /* reachable and retransmission times: not said */
    for (uint32_t i = 1; i < a->n; i += 1 + (uint32_t)n) {
        const struct dhcp_option *o = option_at(a, DHCP_FAMILY_RA, i, &n);
        put_ra_option(&ud, o, &a->operand[i + 1], n, !stateful);
    }
    encode_userdata_send(en, &ud, true);
}

static void encode_simple(struct encoder *en, const struct action *a, enum encode_opcode opcode)
{
    struct str ud = STR_INIT;
    encode_userdata_begin(&ud, opcode);
    put_result(en, a, &ud);
    for (uint32_t i = 1; i < a->n; i++)
        encode_userdata_put_be(&ud, a->operand[i].value, 4);
    encode_userdata_send(en, &ud, true);
}

void encode_dhcp(struct encoder *en, const struct action *a)
{
    if (a->op == ACTION_PUT_DHCP_OPTS)
        encode_dhcp4(en, a);
    else if (a->op == ACTION_PUT_DHCPV6_OPTS)
        encode_dhcp6(en, a);
    else if (a->op == ACTION_PUT_ND_RA_OPTS)
        encode_ra(en, a);
    else if (a->op == ACTION_DNS_LOOKUP)
        encode_simple(en, a, OPCODE_DNS_LOOKUP);
    else
        encode_simple(en, a,
                      a->op == ACTION_DHCP_RELAY_REQ_CHK ? OPCODE_DHCP_RELAY_REQ_CHK
                                                         : OPCODE_DHCP_RELAY_RESP_CHK);
}
