/* text.c - flows as text, in and out. Matches print in lib/flow/match_text.c, actions in action_print.c. */
#include "openflow/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "base/err.h"
#include "base/log.h"
#include "flow/normalize.h"
#include "net/headers.h"
#include "openflow/keyvalue.h"

LOG_MODULE(ofp_match);

/* ---- Reading matches ---- */

static const struct {
    const char *name;
    uint16_t eth_type;
    uint8_t proto;
} keywords[] = {
    {"ip", ETH_TYPE_IP, 0},
    {"ipv4", ETH_TYPE_IP, 0},
    {"icmp", ETH_TYPE_IP, IP_PROTO_ICMP},
    {"igmp", ETH_TYPE_IP, IP_PROTO_IGMP},
    {"tcp", ETH_TYPE_IP, IP_PROTO_TCP},
    {"udp", ETH_TYPE_IP, IP_PROTO_UDP},
    {"sctp", ETH_TYPE_IP, IP_PROTO_SCTP},
    {"ipv6", ETH_TYPE_IPV6, 0},
    {"ip6", ETH_TYPE_IPV6, 0},
    {"icmp6", ETH_TYPE_IPV6, IP_PROTO_ICMPV6},
    {"tcp6", ETH_TYPE_IPV6, IP_PROTO_TCP},
    {"udp6", ETH_TYPE_IPV6, IP_PROTO_UDP},
    {"sctp6", ETH_TYPE_IPV6, IP_PROTO_SCTP},
    {"arp", ETH_TYPE_ARP, 0},
    {"rarp", ETH_TYPE_RARP, 0},
    {"mpls", ETH_TYPE_MPLS, 0},
    {"mplsm", ETH_TYPE_MPLS_MCAST, 0},
};

static bool set_keyword(struct match *m, const char *name)
{
    if (!strcmp(name, "eth")) { /* a frame, not what another header stands before */
        match_set(m, FIELD_PACKET_TYPE, 0);
        return true;
    }
    for (size_t i = 0; i < ARRAY_SIZE(keywords); i++) {
        if (!strcmp(name, keywords[i].name)) {
            match_set(m, FIELD_ETH_TYPE, keywords[i].eth_type);
            if (keywords[i].proto)
                match_set(m, FIELD_IP_PROTO, keywords[i].proto);
            return true;
        }
    }
    return false;
}

/* Old names mean the field of the protocol that the match has. */
static enum field_id field_for(const struct match *m, const struct field *f)
{
    bool arp = key_has_prereq(&m->key, PREREQ_ARP), icmp = key_has_prereq(&m->key, PREREQ_ICMP),
         icmp6 = key_has_prereq(&m->key, PREREQ_ICMPV6);
    switch (f->id) {
    case FIELD_IP_SRC:
        return arp ? FIELD_ARP_SPA : f->id;
    case FIELD_IP_DST:
        return arp ? FIELD_ARP_TPA : f->id;
    case FIELD_IP_PROTO:
        return arp ? FIELD_ARP_OP : f->id;
    case FIELD_TCP_SRC:
        return icmp ? FIELD_ICMP_TYPE : icmp6 ? FIELD_ICMPV6_TYPE : f->id;
    case FIELD_TCP_DST:
        return icmp ? FIELD_ICMP_CODE : icmp6 ? FIELD_ICMPV6_CODE : f->id;
    default:
        return f->id;
    }
}

static int set_vlan(struct match *m, enum field_id id, u128 value, u128 mask)
{
    uint16_t tci = (uint16_t)value;
    switch (id) {
    case FIELD_DL_VLAN:
        match_set_masked(m, FIELD_VLAN_VID, tci | VLAN_CFI, (mask & VLAN_VID_MASK) | VLAN_CFI);
        return 0;
    case FIELD_DL_VLAN_PCP:
    case FIELD_VLAN_PCP:
        match_set_masked(m, FIELD_VLAN_PCP, value, mask);
        match_set_prereq(m, PREREQ_VLAN);
        return 0;
    default:
        match_set_masked(m, id, value, mask);
        return 0;
    }
}

/* What is wrong with TEXT, which is no value of F. */
static int refuse_value(const struct field *f, const char *text, struct diag *diag)
{
    uint64_t x;
    switch (f->format) {
    case FORMAT_MAC:
        return diag_set(diag, ERR_SYNTAX, "%s: invalid Ethernet address", text);
    case FORMAT_IPV4:
        return diag_set(diag, ERR_SYNTAX, "%s: invalid IP address", text);
    case FORMAT_IPV6:
        return diag_set(diag, ERR_SYNTAX, "%s: invalid IPv6 address", text);
    case FORMAT_PORT16:
    case FORMAT_PORT:
        return diag_set(diag, ERR_SYNTAX, "%s: invalid or unknown port for %s", text, f->name);
    case FORMAT_FRAG:
        return diag_set(diag, ERR_SYNTAX,
                        "%s: unknown fragment type (valid types are \"no\", \"yes\", \"first\", "
                        "\"later\", \"not_later\")",
                        text);
    case FORMAT_CT_STATE:
    case FORMAT_TCP_FLAGS:
    case FORMAT_TUN_FLAGS:
        return diag_set(diag, ERR_SYNTAX, "%s: unknown or doubled %s flag(s)", text, f->name);
    default:
        break;
    }
    if (!text_to_u64(text, 0, &x) && x > u128_ones(f->n_bits))
        return diag_set(diag, ERR_SYNTAX, "%s: value too large for %u-%s field %s", text,
                        f->n_bits % 8 ? f->n_bits : f->n_bits / 8, f->n_bits % 8 ? "bit" : "byte",
                        f->name);
    char *value = xstrndup(text, strcspn(text, "/"));
    bool good = !text_to_u64(value, 0, &x);
    free(value);
    return diag_set(diag, ERR_SYNTAX, "%s: bad syntax for %s %s", text, f->name,
                    good ? "mask" : "value");
}

static int set_field(struct match *m, const struct field *f, const char *text,
                     const struct port_names *ports, struct diag *diag)
{
    u128 value, mask;
    if (f->internal)
        return diag_set(diag, ERR_SYNTAX, "%s: field cannot be matched", f->name);
    if (f->id == FIELD_DL_VLAN && (!strcasecmp(text, "0xffff") || !strcmp(text, "65535"))) {
        match_set(m, FIELD_VLAN_TCI, 0);
        return 0;
    }
    f = field_get(field_for(m, f));
    if (FIELD_IS_TUN_METADATA(f->id)) {
        struct tun_value v, bits;
        bool masked;
        if (tun_value_parse(text, &v, &bits, &masked))
            return diag_set(diag, ERR_SYNTAX, "%s: invalid value for %s", text, f->name);
        if (!match_set_tun(m, f->id, &v, masked ? &bits : NULL))
            return diag_set(diag, ERR_SYNTAX, "%s: more than 256 bytes of tunnel options", text);
        return 0;
    }
    if (field_parse(f, text, ports, &value, &mask))
        return refuse_value(f, text, diag);
    if (!f->maskable && mask && mask != u128_ones(f->n_bits))
        return diag_set(diag, ERR_SYNTAX, "%s: invalid mask for field %s", text, f->name);
    if (f->id == FIELD_DL_VLAN || f->id == FIELD_DL_VLAN_PCP || f->id == FIELD_VLAN_PCP)
        return set_vlan(m, f->id, value, mask);
    if (f->id == FIELD_IP_TOS) {
        if (value & IP_ECN_MASK)
            return diag_set(diag, ERR_SYNTAX, "%s: invalid value for nw_tos", text);
        mask = mask & IP_DSCP_MASK;
    }
    match_set_masked(m, f->id, value, mask);
    return 0;
}

/* One piece of a match: 1 when it is none. */
static int set_piece(struct match *m, const struct keyvalue *kv, const struct port_names *ports,
                     struct diag *diag)
{
    if (!*kv->value && set_keyword(m, kv->key))
        return 0;
    const struct field *f = field_find(kv->key);
    if (f) {
        if (!*kv->value && FIELD_IS_TUN_METADATA(f->id)) {
            match_set_present(m, f->id);
            return 0;
        }
        if (!*kv->value)
            return diag_set(diag, ERR_SYNTAX, "field %s missing value", kv->key);
        return set_field(m, f, kv->value, ports, diag);
    }
    struct subfield sub;
    const char *q = kv->key;
    u128 value, mask;
    if (subfield_parse(&q, &sub) || *q)
        return 1;
    if (field_parse(field_get(FIELD_XXREG0), kv->value, NULL, &value, &mask) ||
        value & ~u128_ones(sub.n_bits))
        return diag_set(diag, ERR_SYNTAX, "%s: invalid value for %s", kv->value, kv->key);
    match_set_bits(m, &sub, value);
    return 0;
}

/* ---- Reading flows ---- */

/* All that may stand before the actions. */
struct flow_text {
    struct match match;
    uint64_t cookie, cookie_mask;
    bool has_cookie, has_cookie_mask, has_priority, has_table;
    uint16_t priority, idle_timeout, hard_timeout, importance, flags;
    uint8_t table;
    uint32_t out_port, out_group;
};

static int parse_number(const char *what, const char *text, uint64_t max, uint64_t *ret,
                        struct diag *diag)
{
    if (!isdigit((unsigned char)*text) || text_to_u64(text, 0, ret) || *ret > max)
        return diag_set(diag, ERR_SYNTAX, "invalid %s \"%s\"", what, text);
    return 0;
}

static int parse_cookie(struct flow_text *ft, char *text, struct diag *diag)
{
    char *slash = strchr(text, '/');
    if (slash) {
        *slash++ = '\0';
        ft->has_cookie_mask = true;
        if (!strcmp(slash, "-1"))
            ft->cookie_mask = UINT64_MAX;
        else if (parse_number("cookie mask", slash, UINT64_MAX, &ft->cookie_mask, diag))
            return ERR_SYNTAX;
    }
    if (!strcmp(text, "-1")) {
        ft->cookie = UINT64_MAX;
    } else if (parse_number("cookie", text, UINT64_MAX, &ft->cookie, diag)) {
        return ERR_SYNTAX;
    }
    ft->has_cookie = true;
    return 0;
}

static int parse_table(struct flow_text *ft, const char *text, const struct table_names *tables,
                       struct diag *diag)
{
    uint64_t x;
    ft->has_table = true;
    int named = tables ? tables->by_name(tables, text) : -1;
    if (named >= 0) {
        ft->table = (uint8_t)named;
        return 0;
    }
    if (isalpha((unsigned char)*text) || *text == '"')
        return diag_set(diag, ERR_SYNTAX, "unknown table \"%s\"", text);
    int err = parse_number("table", text, 255, &x, diag);
    ft->table = (uint8_t)(err ? 0 : x);
    return err;
}

static int parse_flag(struct flow_text *ft, const char *key)
{
    static const struct {
        const char *name;
        uint16_t flag;
    } flags[] = {
        {"send_flow_rem", OF_FLOW_SEND_FLOW_REM},  {"check_overlap", OF_FLOW_CHECK_OVERLAP},
        {"reset_counts", OF_FLOW_RESET_COUNTS},    {"no_packet_counts", OF_FLOW_NO_PKT_COUNTS},
        {"no_byte_counts", OF_FLOW_NO_BYT_COUNTS}, {"allow_hidden_fields", 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        if (!strcmp(key, flags[i].name)) {
            ft->flags |= flags[i].flag;
            return 0;
        }
    }
    return 1;
}

/* One option that is no part of the match: 1 when KV is none. */
static int parse_option(struct flow_text *ft, struct keyvalue *kv, const struct port_names *ports,
                        const struct table_names *tables, struct diag *diag)
{
    struct {
        const char *name;
        uint16_t *value;
    } numbers[] = {{"priority", &ft->priority},
                   {"idle_timeout", &ft->idle_timeout},
                   {"hard_timeout", &ft->hard_timeout},
                   {"importance", &ft->importance}};
    static const char *const ignored[] = {"duration", "n_packets", "n_bytes", "idle_age",
                                          "hard_age"};
    uint64_t x;
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        if (!strcmp(kv->key, numbers[i].name)) {
            int err = parse_number(kv->key, kv->value, UINT16_MAX, &x, diag);
            *numbers[i].value = (uint16_t)(err ? 0 : x);
            ft->has_priority |= i == 0;
            return err;
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
        if (!strcmp(kv->key, ignored[i]))
            return 0;
    if (!strcmp(kv->key, "table"))
        return parse_table(ft, kv->value, tables, diag);
    if (!strcmp(kv->key, "cookie"))
        return parse_cookie(ft, kv->value, diag);
    if (!strcmp(kv->key, "out_port"))
        return port_parse(kv->value, ports, &ft->out_port)
                   ? diag_set(diag, ERR_SYNTAX, "%s is not a valid OpenFlow port", kv->value)
                   : 0;
    if (!strcmp(kv->key, "out_group")) {
        int err = parse_number("out_group", kv->value, UINT32_MAX, &x, diag);
        ft->out_group = (uint32_t)(err ? 0 : x);
        return err;
    }
    return *kv->value ? 1 : parse_flag(ft, kv->key);
}

static void normalize(struct match *match, const struct port_names *ports)
{
    struct match before = *match;
    if (!match_normalize(match))
        return;
    struct str a = STR_INIT, b = STR_INIT;
    match_put(&a, &before, -1, ports);
    match_put(&b, match, -1, ports);
    log_warn("normalization changed a match from \"%s\" to \"%s\": say the protocol of each field",
             str_c(&a), str_c(&b));
    str_fini(&a);
    str_fini(&b);
}

static int parse_pieces(char *text, const struct port_names *ports,
                        const struct table_names *tables, struct flow_text *ft, struct diag *diag)
{
    struct keyvalue kv;
    int more;
    memset(ft, 0, sizeof *ft);
    ft->priority = OF_PRIORITY_DEFAULT;
    ft->out_port = PORT_ANY;
    ft->out_group = OF_GROUP_ANY;
    while ((more = keyvalue_next(&text, &kv)) > 0) {
        int err = parse_option(ft, &kv, ports, tables, diag);
        if (err == 1)
            err = set_piece(&ft->match, &kv, ports, diag);
        if (err == 1)
            return diag_set(diag, ERR_SYNTAX, "unknown keyword %s", kv.key);
        if (err)
            return err;
    }
    if (more < 0)
        return diag_set(diag, ERR_SYNTAX, "unbalanced parentheses");
    normalize(&ft->match, ports);
    return 0;
}

/* The text behind "actions=" or "action=", which is cut off TEXT; NULL: there is none. */
static char *split_actions(char *text)
{
    for (char *p = text; (p = strstr(p, "action")) != NULL; p++) {
        char *q = p + strlen("action");
        if (*q == 's')
            q++;
        if (p > text && !strchr(", \t", p[-1]))
            continue;
        if (*q == '=' || *q == ':') {
            *p = '\0';
            return q + 1;
        }
    }
    return NULL;
}

static int finish_flow_mod(const struct flow_text *ft, const char *actions,
                           const struct port_names *ports, struct of_flow_mod *fm,
                           struct diag *diag)
{
    enum of_flow_command command = fm->command;
    bool deletes = command == OF_FLOW_DELETE || command == OF_FLOW_DELETE_STRICT;
    fm->match = ft->match;
    fm->priority = ft->priority;
    fm->idle_timeout = ft->idle_timeout;
    fm->hard_timeout = ft->hard_timeout;
    fm->importance = ft->importance;
    fm->flags = ft->flags;
    fm->out_port = ft->out_port;
    fm->out_group = ft->out_group;
    fm->table_id = ft->has_table ? ft->table : command == OF_FLOW_ADD ? 0 : OF_TABLE_ALL;
    if (ft->has_priority && (command == OF_FLOW_DELETE || command == OF_FLOW_MODIFY))
        return diag_set(diag, ERR_SYNTAX, "unknown keyword priority");
    if (!deletes && ft->out_port != PORT_ANY)
        return diag_set(diag, ERR_SYNTAX, "unknown keyword out_port");
    if (!deletes && ft->out_group != OF_GROUP_ANY)
        return diag_set(diag, ERR_SYNTAX, "unknown keyword out_group");
    if (ft->has_cookie_mask) {
        if (command == OF_FLOW_ADD)
            return diag_set(diag, ERR_SYNTAX, "flow additions cannot use a cookie mask");
        fm->cookie_match = ft->cookie & ft->cookie_mask;
        fm->cookie_mask = ft->cookie_mask;
    } else if (ft->has_cookie) {
        if (deletes)
            return diag_set(diag, ERR_SYNTAX, "cannot set cookie");
        fm->cookie = ft->cookie;
        fm->modify_cookie = command != OF_FLOW_ADD;
    }
    if (deletes)
        return actions ? diag_set(diag, ERR_SYNTAX, "unknown keyword actions") : 0;
    if (!actions)
        return diag_set(diag, ERR_SYNTAX, "must specify an action");
    return of_actions_parse(actions, &fm->match, ports, &fm->actions, diag);
}

int of_flow_mod_parse(const char *text, enum of_flow_command command,
                      const struct port_names *ports, const struct table_names *tables,
                      struct of_flow_mod *ret, struct diag *diag)
{
    char *copy = xstrdup(text), *actions = split_actions(copy);
    struct flow_text ft;
    of_flow_mod_init(ret, command);
    int err = parse_pieces(copy, ports, tables, &ft, diag);
    if (!err)
        err = finish_flow_mod(&ft, actions, ports, ret, diag);
    free(copy);
    return err;
}

int of_match_parse(const char *text, const struct port_names *ports, struct match *ret,
                   uint16_t *priority, struct diag *diag)
{
    char *copy = xstrdup(text);
    struct flow_text ft;
    int err = parse_pieces(copy, ports, NULL, &ft, diag);
    if (!err) {
        *ret = ft.match;
        if (priority)
            *priority = ft.priority;
    }
    free(copy);
    return err;
}

int of_flow_stats_request_parse(const char *text, const struct port_names *ports,
                                const struct table_names *tables, struct of_flow_stats_request *ret,
                                struct diag *diag)
{
    char *copy = xstrdup(text);
    struct flow_text ft;
    of_flow_stats_request_init(ret);
    int err = parse_pieces(copy, ports, tables, &ft, diag);
    if (!err) {
        ret->match = ft.match;
        ret->table_id = ft.has_table ? ft.table : OF_TABLE_ALL;
        ret->out_port = ft.out_port;
        ret->out_group = ft.out_group;
        ret->cookie_mask = ft.has_cookie_mask ? ft.cookie_mask : 0;
        ret->cookie = ft.cookie & ret->cookie_mask;
    }
    free(copy);
    return err;
}

/* ---- Writing ---- */

static void put_flags(struct str *s, uint16_t flags)
{
    static const char *const names[] = {"send_flow_rem", "check_overlap", "reset_counts",
                                        "no_packet_counts", "no_byte_counts"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (flags & 1u << i)
            str_putf(s, "%s ", names[i]);
}

static void put_table(struct str *s, uint8_t table, const struct table_names *tables)
{
    str_put(s, "table=");
    table_put(s, table, tables);
    str_put(s, ", ");
}

void of_duration_put(struct str *s, uint32_t sec, uint32_t nsec)
{
    str_putf(s, "%u", sec);
    if (nsec % 1000000 == 0) {
        if (nsec)
            str_putf(s, ".%03u", nsec / 1000000);
    } else if (nsec % 1000 == 0)
        str_putf(s, ".%06u", nsec / 1000);
    else
        str_putf(s, ".%09u", nsec);
    str_putc(s, 's');
}

static void put_match_and_actions(struct str *s, const struct match *match, uint16_t priority,
                                  const struct of_actions *actions, const struct port_names *ports)
{
    size_t at = s->n;
    match_put(s, match, priority, ports);
    if (s->n > at)
        str_putc(s, ' ');
    str_put(s, "actions=");
    of_actions_put(s, actions->data, actions->n, ports);
}

void of_flow_stats_print(struct str *s, const struct of_flow_stats *fs,
                         const struct port_names *ports, const struct table_names *tables,
                         bool stats)
{
    str_putc(s, ' ');
    if (stats || fs->cookie)
        str_putf(s, "cookie=0x%llx, ", (unsigned long long)fs->cookie);
    if (stats) {
        str_put(s, "duration=");
        of_duration_put(s, fs->duration_sec, fs->duration_nsec);
        str_put(s, ", ");
    }
    if (stats || fs->table_id || (tables && tables->by_number(tables, 0)))
        put_table(s, fs->table_id, tables);
    if (stats) {
        if (fs->packets != UINT64_MAX)
            str_putf(s, "n_packets=%llu, ", (unsigned long long)fs->packets);
        if (fs->bytes != UINT64_MAX)
            str_putf(s, "n_bytes=%llu, ", (unsigned long long)fs->bytes);
    }
    if (fs->idle_timeout)
        str_putf(s, "idle_timeout=%u, ", fs->idle_timeout);
    if (fs->hard_timeout)
        str_putf(s, "hard_timeout=%u, ", fs->hard_timeout);
    put_flags(s, fs->flags);
    if (fs->importance)
        str_putf(s, "importance=%u, ", fs->importance);
    if (stats && fs->idle_age >= 0)
        str_putf(s, "idle_age=%d, ", fs->idle_age);
    if (stats && fs->hard_age >= 0 && (uint32_t)fs->hard_age != fs->duration_sec)
        str_putf(s, "hard_age=%d, ", fs->hard_age);
    put_match_and_actions(s, &fs->match, fs->priority, &fs->actions, ports);
}

void of_flow_mod_print(struct str *s, const struct of_flow_mod *fm, const struct port_names *ports)
{
    bool add = fm->command == OF_FLOW_ADD;
    if (fm->table_id != (add ? 0 : OF_TABLE_ALL))
        str_putf(s, "table=%u,", fm->table_id);
    if (fm->cookie_mask)
        str_putf(s, "cookie=0x%llx/0x%llx,", (unsigned long long)fm->cookie_match,
                 (unsigned long long)fm->cookie_mask);
    else if (fm->cookie)
        str_putf(s, "cookie=0x%llx,", (unsigned long long)fm->cookie);
    if (fm->idle_timeout)
        str_putf(s, "idle_timeout=%u,", fm->idle_timeout);
    if (fm->hard_timeout)
        str_putf(s, "hard_timeout=%u,", fm->hard_timeout);
    if (fm->importance)
        str_putf(s, "importance=%u,", fm->importance);
    put_flags(s, fm->flags);
    if (fm->out_port != PORT_ANY) {
        str_put(s, "out_port=");
        port_put(s, fm->out_port, ports);
        str_putc(s, ',');
    }
    if (fm->out_group != OF_GROUP_ANY)
        str_putf(s, "out_group=%u,", fm->out_group);
    bool strict =
        add || fm->command == OF_FLOW_MODIFY_STRICT || fm->command == OF_FLOW_DELETE_STRICT;
    size_t at = s->n;
    match_put(s, &fm->match, strict ? fm->priority : -1, ports);
    if (fm->command == OF_FLOW_DELETE || fm->command == OF_FLOW_DELETE_STRICT) {
        str_chomp(s, ",");
        return;
    }
    if (s->n > at)
        str_putc(s, ' ');
    str_put(s, "actions=");
    of_actions_put(s, fm->actions.data, fm->actions.n, ports);
}
