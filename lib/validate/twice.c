/* twice.c - see twice.h: each row says its claims as texts, and equal claims of two rows are told. */
#include "validate/twice.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/vec.h"
#include "validate/internal.h"

struct claim {
    const struct row *row;
    bool is_new;
    size_t at;        /* of its text, in what all say */
    const char *text; /* when all have been said */
};

struct claims {
    struct str said;
    VEC(struct claim) all;
    const struct row *row; /* who speaks */
    bool is_new;
};

static void begin(struct claims *c)
{
    vec_push(&c->all, ((struct claim){c->row, c->is_new, c->said.n, NULL}));
}

static void end(struct claims *c)
{
    str_put_n(&c->said, "", 1);
}

static void put_address(struct str *s, const char *text)
{
    struct ip_prefix prefix;
    if (ip_prefix_parse(text, &prefix)) {
        str_put(s, text);
        return;
    }
    prefix.addr = ip_prefix_network(&prefix);
    ip_prefix_put_short(s, &prefix);
}

static void put_column(struct str *s, const struct row *row, const char *column)
{
    const struct datum *value = validate_value(row, column);
    if (!value || !value->n || (value->key_type == ATOM_STRING && !*value->atoms[0].string->s))
        return;
    str_putf(s, ", %s ", column);
    datum_print(value, s);
}

/* ---- who says what ---- */

static void say_addresses(struct claims *c)
{
    const struct datum *value = validate_value(c->row, "addresses");
    for (size_t i = 0; value && i < value->n; i++) {
        char *copy = xstrdup(value->atoms[i].string->s), *rest = copy, *word;
        while ((word = strsep(&rest, " \t")) != NULL) {
            struct mac mac;
            struct ip_prefix ip;
            if (!mac_parse(word, &mac)) {
                begin(c);
                str_put(&c->said, "Ethernet address ");
                mac_put(&c->said, mac);
                end(c);
            } else if (!ip_prefix_parse(word, &ip)) {
                ip.len = ip_addr_bits(&ip.addr);
                begin(c);
                str_put(&c->said, "address ");
                ip_prefix_put_short(&c->said, &ip);
                end(c);
            }
        }
        free(copy);
    }
}

static void say_route(struct claims *c)
{
    const char *policy = validate_text(c->row, "policy");
    begin(c);
    str_put(&c->said, "route ");
    put_address(&c->said, validate_text(c->row, "ip_prefix"));
    str_put(&c->said, " via ");
    put_address(&c->said, validate_text(c->row, "nexthop"));
    if (!strcmp(policy, "src-ip"))
        str_put(&c->said, ", by source");
    put_column(&c->said, c->row, "route_table");
    put_column(&c->said, c->row, "output_port");
    end(c);
}

/* Towards the outside a logical address is translated once, from there an external one. */
static void say_nat(struct claims *c)
{
    const char *type = validate_text(c->row, "type");
    const char *column = strcmp(type, "snat") ? "external_ip" : "logical_ip";
    begin(c);
    str_putf(&c->said, "type %s, %s ", type, column);
    put_address(&c->said, validate_text(c->row, column));
    put_column(&c->said, c->row, "external_port_range");
    put_column(&c->said, c->row, "gateway_port");
    put_column(&c->said, c->row, "match");
    put_column(&c->said, c->row, "allowed_ext_ips");
    end(c);
}

static void say_vips(struct claims *c)
{
    const struct datum *vips = validate_value(c->row, "vips");
    const char *protocol = validate_text(c->row, "protocol");
    for (size_t i = 0; vips && i < vips->n; i++) {
        struct ip_prefix ip;
        int64_t port;
        if (!validate_parse_endpoint(vips->atoms[i].string->s, &ip.addr, &port))
            continue;
        ip.len = ip_addr_bits(&ip.addr);
        begin(c);
        str_put(&c->said, "virtual address ");
        ip_prefix_put_short(&c->said, &ip);
        if (port)
            str_putf(&c->said, ", %s port %lld", *protocol ? protocol : "tcp", (long long)port);
        end(c);
    }
}

/* ---- who says the same ---- */

static void tell(const struct row *row, const char *text, const char *verb, const struct row *other,
                 void (*report)(void *aux, const char *sentence), void *aux)
{
    char uuid[UUID_TEXT_LEN + 1], second[UUID_TEXT_LEN + 1];
    const char *name = validate_text(row, "name"), *its = validate_text(other, "name");
    struct str s = STR_INIT;
    str_putf(&s, "table %s, row %s%s%s%s: %s %s row %s%s%s%s", row->table->name,
             uuid_print(&row->uuid, uuid), *name ? " (" : "", name, *name ? ")" : "", text, verb,
             uuid_print(&other->uuid, second), *its ? " (" : "", its, *its ? ")" : "");
    report(aux, str_c(&s));
    str_fini(&s);
}

static int compare_claims(const void *a_, const void *b_)
{
    const struct claim *a = a_, *b = b_;
    int c = strcmp(a->text, b->text);
    return c ? c : uuid_compare(&a->row->uuid, &b->row->uuid);
}

static void find_equal(void (*say)(struct claims *c), const struct row *const *rows,
                       const bool *is_new, size_t n,
                       void (*report)(void *aux, const char *sentence), void *aux)
{
    struct claims c = {.said = STR_INIT, .all = VEC_INIT};
    struct claim *claim;
    for (size_t i = 0; i < n; i++) {
        c.row = rows[i];
        c.is_new = is_new[i];
        say(&c);
    }
    VEC_FOR_EACH (claim, &c.all)
        claim->text = c.said.s + claim->at;
    if (c.all.n)
        qsort(c.all.data, c.all.n, sizeof *c.all.data, compare_claims);
    const struct claim *first = c.all.data;
    VEC_FOR_EACH (claim, &c.all) {
        if (strcmp(claim->text, first->text))
            first = claim;
        else if (claim->row != first->row && (claim->is_new || first->is_new))
            tell(claim->row, claim->text, "is also of", first->row, report, aux);
    }
    str_fini(&c.said);
    vec_fini(&c.all);
}

#define FIND_EQUAL(WHAT, SAY)                                                                      \
    TWICE(WHAT)                                                                                    \
    {                                                                                              \
        find_equal(SAY, rows, is_new, n, report, aux);                                             \
    }
FIND_EQUAL(addresses, say_addresses)
FIND_EQUAL(routes, say_route)
FIND_EQUAL(nats, say_nat)
FIND_EQUAL(vips, say_vips)

/* ---- networks ---- */

struct network {
    const struct row *row;
    bool is_new;
    struct ip_prefix prefix;
};

/* What holds others comes before them. */
static int compare_networks(const void *a_, const void *b_)
{
    const struct network *a = a_, *b = b_;
    int c = ip_addr_compare(&a->prefix.addr, &b->prefix.addr);
    if (c)
        return c;
    if (a->prefix.len != b->prefix.len)
        return a->prefix.len < b->prefix.len ? -1 : 1;
    return uuid_compare(&a->row->uuid, &b->row->uuid);
}

static bool is_link_local(const struct ip_prefix *prefix)
{
    return prefix->addr.version == 6 && ip_addr_to_u128(&prefix->addr) >> 118 == 0x3fa;
}

TWICE(networks)
{
    VEC(struct network) all = VEC_INIT;
    struct network *network;
    for (size_t i = 0; i < n; i++) {
        const struct datum *value = validate_value(rows[i], "networks");
        for (size_t j = 0; value && j < value->n; j++) {
            struct ip_prefix prefix;
            if (ip_prefix_parse(value->atoms[j].string->s, &prefix) || is_link_local(&prefix))
                continue;
            prefix.addr = ip_prefix_network(&prefix);
            vec_push(&all, ((struct network){rows[i], is_new[i], prefix}));
        }
    }
    if (all.n)
        qsort(all.data, all.n, sizeof *all.data, compare_networks);
    const struct network *outer = all.data;
    VEC_FOR_EACH (network, &all) {
        if (outer->prefix.addr.version != network->prefix.addr.version ||
            !ip_prefix_contains(&outer->prefix, &network->prefix.addr)) {
            outer = network;
        } else if (outer->row != network->row && (outer->is_new || network->is_new)) {
            struct str text = STR_INIT;
            str_put(&text, "network ");
            ip_prefix_put(&text, &network->prefix);
            tell(network->row, str_c(&text), "overlaps one of", outer->row, report, aux);
            str_fini(&text);
        }
    }
    vec_fini(&all);
}
