/* value.c - the forms of values: matches, addresses, networks, ranges.
 *
 * Each function is named by checks.def. A sentence says what is wrong with the text and what was
 * expected there.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "validate/internal.h"

/* ---- matches ---- */

int validate_match(struct validate *v, const char *text, struct diag *diag)
{
    if (strchr(text, '^'))
        return 0; /* variables of chassis: what they stand for differs by chassis */
    struct expr *e, *annotated;
    struct expr_world nothing = {0};
    int err = expr_parse(v->pool, text, NULL, &e, diag);
    if (!err) {
        struct expr *expanded = expr_expand(e, &nothing);
        err = expr_annotate(expanded, &annotated, diag);
        if (!err)
            expr_unref(annotated);
        expr_unref(expanded);
        expr_unref(e);
    }
    if (!err)
        return 0;
    diag_prefix(diag, "expected a match expression: ");
    return ERR_INVALID;
}

int validate_optional_match(struct validate *v, const char *text, struct diag *diag)
{
    return *text ? validate_match(v, text, diag) : 0;
}

/* ---- addresses ---- */

int validate_mac(struct validate *v, const char *text, struct diag *diag)
{
    struct mac mac;
    (void)v;
    if (!mac_parse(text, &mac))
        return 0;
    return diag_set(diag, ERR_INVALID, "expected an Ethernet address (xx:xx:xx:xx:xx:xx)");
}

int validate_address(struct validate *v, const char *text, struct diag *diag)
{
    struct ip_addr ip;
    (void)v;
    if (!ip_addr_parse(text, &ip))
        return 0;
    return diag_set(diag, ERR_INVALID, "expected an IPv4 or IPv6 address");
}

int validate_prefix(struct validate *v, const char *text, struct diag *diag)
{
    struct ip_prefix prefix;
    (void)v;
    if (!ip_prefix_parse(text, &prefix))
        return 0;
    return diag_set(diag, ERR_INVALID,
                    "expected an IPv4 or IPv6 address or network (ADDRESS/LENGTH)");
}

int validate_nexthop(struct validate *v, const char *text, struct diag *diag)
{
    struct ip_addr ip;
    (void)v;
    if (!*text || !strcmp(text, "discard") || !ip_addr_parse(text, &ip))
        return 0;
    return diag_set(diag, ERR_INVALID, "expected an IPv4 or IPv6 address, or \"discard\"");
}

/* A constant of an address set: an address, with a mask or not, or a number. */
int validate_set_element(struct validate *v, const char *text, struct diag *diag)
{
    u128 value, mask;
    uint64_t number;
    (void)v;
    if (!addr_parse_masked(text, &value, &mask) || !text_to_u64(text, 0, &number))
        return 0;
    return diag_set(diag, ERR_INVALID,
                    "expected an Ethernet, IPv4 or IPv6 address, or a network (ADDRESS/MASK)");
}

/* ---- addresses of ports: words ---- */

/* Copies the word at *POS into BUF and moves on; false at the end. A longer word is cut, and so no
 * address. */
static bool next_word(const char *text, size_t *pos, char *buf, size_t size)
{
    *pos += strspn(text + *pos, " \t");
    size_t n = strcspn(text + *pos, " \t");
    snprintf(buf, size, "%.*s", (int)n, text + *pos);
    *pos += n;
    return n > 0;
}

enum { WORD_SIZE = 64 };

/* The rest are addresses of hosts or networks. */
static int check_ips(const char *text, size_t pos, const char *expected, struct diag *diag)
{
    char word[WORD_SIZE];
    struct ip_prefix prefix;
    be32 ip, mask;
    while (next_word(text, &pos, word, sizeof word))
        if (strcmp(word, "dynamic") && ip_prefix_parse(word, &prefix) &&
            ip4_parse_masked(word, &ip, &mask))
            return diag_set_at(diag, ERR_INVALID, (long)(pos - strlen(word)), "%s, not \"%s\"",
                               expected, word);
    return 0;
}

int validate_port_address(struct validate *v, const char *text, struct diag *diag)
{
    static const char expected[] =
        "expected \"MAC [IP]...\", \"dynamic [IP]...\", \"MAC dynamic\", \"unknown\" or \"router\"";
    char word[WORD_SIZE];
    struct mac mac;
    size_t pos = 0;
    (void)v;
    if (!next_word(text, &pos, word, sizeof word))
        return 0; /* says nothing */
    if ((!strcmp(word, "unknown") || !strcmp(word, "router")) && !text[pos])
        return 0;
    if (strcmp(word, "dynamic") && mac_parse(word, &mac))
        return diag_set_at(diag, ERR_INVALID, (long)(pos - strlen(word)), "%s", expected);
    return check_ips(text, pos, "expected an IPv4 or IPv6 address", diag);
}

int validate_port_security(struct validate *v, const char *text, struct diag *diag)
{
    char word[WORD_SIZE];
    struct mac mac, mask;
    size_t pos = 0;
    (void)v;
    if (!next_word(text, &pos, word, sizeof word))
        return 0;
    if (!strcmp(word, "VRRPv3"))
        (void)next_word(text, &pos, word, sizeof word);
    if (mac_parse_masked(word, &mac, &mask))
        return diag_set_at(diag, ERR_INVALID, (long)(pos - strlen(word)),
                           "expected \"MAC [IP[/LENGTH]]...\"");
    return check_ips(text, pos, "expected an IPv4 or IPv6 address or network", diag);
}

/* ---- numbers ---- */

/* "PORT" or "LOW-HIGH"; empty: all. */
int validate_port_range(struct validate *v, const char *text, struct diag *diag)
{
    const char *dash = strchr(text, '-');
    char low[WORD_SIZE];
    uint64_t from, to;
    (void)v;
    if (!*text)
        return 0;
    snprintf(low, sizeof low, "%.*s", (int)strcspn(text, "-"), text);
    if (!text_to_u64(low, 10, &from) && from && from <= UINT16_MAX &&
        (!dash || (!text_to_u64(dash + 1, 10, &to) && to <= UINT16_MAX && from <= to)))
        return 0;
    return diag_set(diag, ERR_INVALID, "expected a port (1 to 65535) or a range LOW-HIGH");
}

bool validate_parse_endpoint(const char *text, struct ip_addr *ip, int64_t *port)
{
    bool bracket = *text == '[';
    *port = 0;
    if (!ip_addr_parse(text, ip))
        return true;
    const char *end = bracket ? strchr(text, ']') : strrchr(text, ':');
    char buf[WORD_SIZE];
    if (!end || (size_t)(end - text) >= sizeof buf)
        return false;
    snprintf(buf, sizeof buf, "%.*s", (int)(end - text) - bracket, text + bracket);
    end += bracket;
    if (ip_addr_parse(buf, ip))
        return false;
    return !*end ||
           (*end == ':' && !text_to_i64(end + 1, 10, port) && *port > 0 && *port <= UINT16_MAX);
}

int validate_vip(struct validate *v, const char *text, struct diag *diag)
{
    struct ip_addr ip;
    int64_t port;
    (void)v;
    if (strchr(text, '^') || validate_parse_endpoint(text, &ip, &port))
        return 0;
    return diag_set(diag, ERR_INVALID, "expected IP, IP:PORT or [IP]:PORT");
}
