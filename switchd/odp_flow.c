/* odp_flow.c - see odp_flow.h: one table says which field each word of a datapath's flow is. */
#include "switchd/odp_flow.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "flow/field.h"
#include "net/headers.h"

enum { MAX_DEPTH = 4 };

static const struct odp_word {
    const char *group, *key;
    uint8_t field; /* enum field_id; FIELD_NONE: known, and says nothing here */
} words[] = {
#define WORD(GROUP, KEY, ID) {GROUP, KEY, FIELD_##ID},
#include "switchd/odp_flow.def"
#undef WORD
    {"vlan", "cfi", FIELD_NONE},
    {"recirc_id", "", FIELD_NONE},
    {"dp_hash", "", FIELD_NONE},
    {"skb_priority", "", FIELD_NONE},
    {"skb_mark", "", FIELD_PKT_MARK},
    {"packet_type", "ns", FIELD_NONE},
    {"packet_type", "id", FIELD_NONE},
    {"ct_state", "", FIELD_CT_STATE},
    {"ct_zone", "", FIELD_CT_ZONE},
    {"ct_mark", "", FIELD_CT_MARK},
    {"ct_label", "", FIELD_CT_LABEL},
    {"tunnel", "tun_id", FIELD_TUN_ID},
    {"tunnel", "src", FIELD_TUN_SRC},
    {"tunnel", "dst", FIELD_TUN_DST},
    {"tunnel", "ipv6_src", FIELD_TUN_IPV6_SRC},
    {"tunnel", "ipv6_dst", FIELD_TUN_IPV6_DST},
    {"tunnel", "tos", FIELD_NONE},
    {"tunnel", "ttl", FIELD_NONE},
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
        if (words[i].field == FIELD_NONE)
            return 0;
        if (words[i].field != FIELD_IP_TOS)
            str_putf(match, ",%s=%s", field_get(words[i].field)->name, value);
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

/* That a tag comes is what vlan(...) says; the packet's type stands in encap(...). */
static bool is_tag_type(const char *text)
{
    uint64_t type;
    return !text_to_u64(text, 0, &type) && (type == ETH_TYPE_VLAN || type == ETH_TYPE_QINQ);
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
        } else if (strcmp(text, "eth_type") != 0 || depth || !is_tag_type(body)) {
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
