/* odp_flow.c - see odp_flow.h: one table says which field each word of a datapath's flow is. */
#include "switchd/odp_flow.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

enum { MAX_DEPTH = 4 };

static const struct {
    const char *group, *key, *field; /* field NULL: known, and says nothing here */
} words[] = {
    {"eth", "src", "eth_src"},         {"eth", "dst", "eth_dst"},
    {"eth_type", "", "eth_type"},      {"vlan", "vid", "dl_vlan"},
    {"vlan", "pcp", "dl_vlan_pcp"},    {"vlan", "cfi", NULL},
    {"ipv4", "src", "ip_src"},         {"ipv4", "dst", "ip_dst"},
    {"ipv4", "proto", "nw_proto"},     {"ipv4", "tos", "tos"},
    {"ipv4", "ttl", "nw_ttl"},         {"ipv4", "frag", "ip_frag"},
    {"ipv6", "src", "ipv6_src"},       {"ipv6", "dst", "ipv6_dst"},
    {"ipv6", "label", "ipv6_label"},   {"ipv6", "proto", "nw_proto"},
    {"ipv6", "tclass", "tos"},         {"ipv6", "hlimit", "nw_ttl"},
    {"ipv6", "frag", "ip_frag"},       {"tcp", "src", "tcp_src"},
    {"tcp", "dst", "tcp_dst"},         {"tcp_flags", "", "tcp_flags"},
    {"udp", "src", "udp_src"},         {"udp", "dst", "udp_dst"},
    {"sctp", "src", "sctp_src"},       {"sctp", "dst", "sctp_dst"},
    {"icmp", "type", "icmp_type"},     {"icmp", "code", "icmp_code"},
    {"icmpv6", "type", "icmpv6_type"}, {"icmpv6", "code", "icmpv6_code"},
    {"arp", "sip", "arp_spa"},         {"arp", "tip", "arp_tpa"},
    {"arp", "op", "arp_op"},           {"arp", "sha", "arp_sha"},
    {"arp", "tha", "arp_tha"},         {"nd", "target", "nd_target"},
    {"nd", "sll", "nd_sll"},           {"nd", "tll", "nd_tll"},
    {"recirc_id", "", NULL},           {"dp_hash", "", NULL},
    {"skb_priority", "", NULL},        {"skb_mark", "", "pkt_mark"},
    {"packet_type", "ns", NULL},       {"packet_type", "id", NULL},
};

bool odp_flow_is(const char *text)
{
    size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return n && text[n] == '(';
}

static int put_word(struct str *match, const char *group, const char *key, const char *value,
                    struct diag *diag)
{
    uint64_t tos;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (strcmp(words[i].group, group) != 0 || strcmp(words[i].key, key) != 0)
            continue;
        if (!words[i].field)
            return 0;
        if (strcmp(words[i].field, "tos") != 0)
            str_putf(match, ",%s=%s", words[i].field, value);
        else if (text_to_u64(value, 0, &tos) || tos > UINT8_MAX)
            return diag_set(diag, ERR_SYNTAX, "%s: %s is no number from 0 to 255", group, value);
        else
            str_putf(match, ",nw_tos=%u,nw_ecn=%u", (unsigned)tos & 0xfc, (unsigned)tos & 3);
        return 0;
    }
    return diag_set(diag, ERR_SYNTAX, "%s(%s%s): unknown in a flow of a datapath", group, key,
                    *key ? "=" : "");
}

/* What stands between the parentheses of GROUP: "a=b,c=d", or a value alone. TEXT is changed. */
static int put_group(struct str *match, const char *group, char *text, struct diag *diag)
{
    int err = 0;
    if (!strchr(text, '='))
        return put_word(match, group, "", text, diag);
    for (char *save = NULL, *word = strtok_r(text, ",", &save); word && !err;
         word = strtok_r(NULL, ",", &save)) {
        char *value = strchr(word, '=');
        if (!value)
            return diag_set(diag, ERR_SYNTAX, "%s(%s): KEY=VALUE is expected", group, word);
        *value = '\0';
        err = put_word(match, group, word, value + 1, diag);
    }
    return err;
}

static int put_groups(struct str *match, char *text, char **in_port, unsigned depth,
                      struct diag *diag)
{
    while (*text) {
        char *body = strchr(text, '('), *end = body;
        unsigned open = 0;
        for (; end && *end; end++) {
            open += *end == '(';
            open -= *end == ')';
            if (!open)
                break;
        }
        if (!body || !*end || depth > MAX_DEPTH)
            return diag_set(diag, ERR_SYNTAX, "%s: NAME(...) is expected", text);
        *body++ = *end++ = '\0';
        int err = 0;
        if (!strcmp(text, "encap")) {
            err = put_groups(match, body, in_port, depth + 1, diag);
        } else if (!strcmp(text, "in_port")) {
            free(*in_port);
            *in_port = xstrdup(body);
        } else {
            err = put_group(match, text, body, diag);
        }
        if (err)
            return err;
        text = end + strspn(end, ", ");
    }
    return 0;
}

int odp_flow_to_match(const char *text, struct str *match, char **in_port, struct diag *diag)
{
    char *copy = xstrdup(text);
    *in_port = NULL;
    int err = put_groups(match, copy, in_port, 0, diag);
    if (err) {
        free(*in_port);
        *in_port = NULL;
    }
    free(copy);
    return err;
}
