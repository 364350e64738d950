/* act.c - what the actions of a flow do to the packet, and where they send it. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "tools/trace/trace.h"

enum { ETH_ARP = 0x806, PROTO_ICMP4 = 1, PROTO_TCP = 6, PROTO_ICMP6 = 58, MAX_TTL = 255 };

char *act_text(const struct action *a)
{
    struct action *one = action_ref(a);
    struct actions *as = actions_of_n(a->pool, &one, 1);
    char *text = actions_to_text(as);
    actions_unref(as);
    return text;
}

static struct world *world_of(const struct at *at)
{
    return at->trace->world;
}

static u128 get(const struct at *at, enum symbol_id id)
{
    return uflow_field(world_of(at), at->packet, id);
}

static u128 operand_bits(const struct at *at, const struct action *a, uint32_t i)
{
    return i < a->n && a->operand[i].kind == OPERAND_FIELD
               ? uflow_get(at->packet, a->operand[i].field)
               : 0;
}

static void comment(struct at *at, char *text)
{
    node_add(at->parent, NODE_COMMENT, text);
}

/* ---- fields ---- */

static bool is_header(struct sym_bits bits)
{
    struct sym_bits base = sym_bits_base(bits);
    return base.sym->field > 0 && !FIELD_IS_ANY_REG(base.sym->field);
}

/* "ip4.dst = 10.0.0.1;", the value in the notation of field LIKE. */
static void note(struct at *at, struct sym_bits dst, struct sym_bits like)
{
    struct str s = STR_INIT;
    if (!is_header(dst))
        return;
    str_putf(&s, "%s = ", dst.sym->name);
    uflow_put_value(like, uflow_get(at->packet, dst), &s);
    str_putc(&s, ';');
    node_add(at->parent, NODE_MODIFY, str_steal(&s));
}

static void act_on_fields(struct at *at, const struct action *a, const char *text)
{
    struct sym_bits dst = a->n ? a->operand[0].field : (struct sym_bits){0};
    u128 old;
    switch (a->op) {
    case ACTION_LOAD:
        uflow_set(at->packet, dst,
                  a->operand[1].kind == OPERAND_STRING
                      ? world_number(world_of(at), a->operand[1].text->s)
                      : a->operand[1].value);
        if (is_header(dst))
            node_add(at->parent, NODE_MODIFY, xstrdup(text));
        break;
    case ACTION_MOVE:
        uflow_set(at->packet, dst, uflow_get(at->packet, a->operand[1].field));
        note(at, dst, a->operand[1].field);
        break;
    case ACTION_EXCHANGE:
        old = uflow_get(at->packet, dst);
        uflow_set(at->packet, dst, uflow_get(at->packet, a->operand[1].field));
        uflow_set(at->packet, a->operand[1].field, old);
        note(at, dst, a->operand[1].field);
        note(at, a->operand[1].field, dst);
        break;
    default:
        old = get(at, SYM_IP_TTL);
        if (old < 2) {
            comment(at, xstrdup("/* TTL exceeded: the packet ends here */"));
            at->stop = true;
            return;
        }
        uflow_set_field(world_of(at), at->packet, SYM_IP_TTL, old - 1);
        node_add(at->parent, NODE_MODIFY, xstrdup(text));
    }
}

/* ---- neighbours ---- */

static struct ip_addr operand_ip(const struct at *at, const struct action *a, uint32_t i)
{
    bool v6 = i < a->n && a->operand[i].field.width == 128;
    return ip_addr_from_u128(v6 ? 6 : 4, operand_bits(at, a, i));
}

static bool find_neighbor(const struct at *at, const struct action *a, uint32_t from,
                          struct mac *mac)
{
    const char *port = world_name(world_of(at), (uint32_t)operand_bits(at, a, from));
    struct ip_addr ip = operand_ip(at, a, from + 1);
    return world_neighbor(world_of(at), port, &ip, mac);
}

static void note_eth_dst(struct at *at, struct mac mac)
{
    struct str s = STR_INIT;
    str_put(&s, "eth.dst = ");
    mac_put(&s, mac);
    str_putc(&s, ';');
    node_add(at->parent, NODE_MODIFY, str_steal(&s));
}

static void act_get_neighbor(struct at *at, const struct action *a)
{
    struct mac mac = {{0}};
    struct str s = STR_INIT;
    if (find_neighbor(at, a, 0, &mac)) {
        str_put(&s, "/* MAC binding to ");
        mac_put(&s, mac);
        str_put(&s, ". */");
    } else {
        str_put(&s, "/* No MAC binding. */");
    }
    comment(at, str_steal(&s));
    uflow_set_field(world_of(at), at->packet, SYM_ETH_DST, mac_to_u64(mac));
    note_eth_dst(at, mac);
}

/* Is the neighbour known (and, when it says one, with that address)? */
static bool lookup_neighbor(struct at *at, const struct action *a)
{
    struct mac mac;
    bool with_mac = a->op == ACTION_LOOKUP_ARP || a->op == ACTION_LOOKUP_ND;
    bool known = find_neighbor(at, a, 1, &mac) &&
                 (!with_mac || mac_to_u64(mac) == (uint64_t)operand_bits(at, a, 3));
    if (!known)
        comment(at, xstrdup("/* lookup failed - No MAC binding. */"));
    return known;
}

/* ---- port security: "MAC [IP]..." in the port's binding ---- */

/* The address that is checked: of IP, or of ARP's sender; false: there is none. */
static bool checked_ip(const struct at *at, bool in, struct ip_addr *ret)
{
    if (in && get(at, SYM_ETH_TYPE) == ETH_ARP) {
        *ret = ip_addr_from_u128(4, get(at, SYM_ARP_SPA));
        return true;
    }
    return uflow_ip(world_of(at), at->packet, in, ret);
}

/* Addresses that need not be listed: none yet, link-local, or of many. */
static bool is_exempt(const struct ip_addr *ip, bool in)
{
    u128 x = ip_addr_to_u128(ip);
    if (ip->version == 6)
        return in ? !x || x >> 118 == 0x3fa : x >> 120 == 0xff;
    return in ? !x : x == UINT32_MAX || x >> 28 == 0xe;
}

static bool entry_allows(const struct at *at, const char *entry, bool in)
{
    char *copy = xstrdup(entry), *rest = copy, *word = strsep(&rest, " ");
    struct mac mac, mask;
    struct ip_addr ip;
    bool has_ip = checked_ip(at, in, &ip), lists_ips = false, found = false;
    uint64_t address = (uint64_t)get(at, in ? SYM_ETH_SRC : SYM_ETH_DST);
    bool ok =
        !mac_parse_masked(word, &mac, &mask) && (address & mac_to_u64(mask)) == mac_to_u64(mac);
    if (ok && in && get(at, SYM_ETH_TYPE) == ETH_ARP) /* the sender inside is checked as well */
        ok = ((uint64_t)get(at, SYM_ARP_SHA) & mac_to_u64(mask)) == mac_to_u64(mac);
    while (ok && has_ip && (word = strsep(&rest, " ")) != NULL) {
        struct ip_prefix prefix;
        if (!*word || ip_prefix_parse(word, &prefix))
            continue;
        lists_ips = true;
        found = found || ip_prefix_contains(&prefix, &ip);
    }
    free(copy);
    return ok && (!lists_ips || found || is_exempt(&ip, in));
}

/* IN: may the packet come from its inport; else may it go to its outport? */
static bool violates_port_security(const struct at *at, bool in)
{
    const char *name = world_name(world_of(at), (uint32_t)get(at, in ? SYM_INPORT : SYM_OUTPORT));
    const struct row *port = world_port(world_of(at), name);
    const struct schema_column *column =
        port ? schema_column_find(port->table, "port_security") : NULL;
    const struct datum *entries = column ? row_get(port, column) : NULL;
    if (!entries || !entries->n || (!in && get(at, SYM_ETH_MCAST)))
        return false;
    for (size_t i = 0; i < entries->n; i++)
        if (entry_allows(at, entries->atoms[i].string->s, in))
            return false;
    return true;
}

/* ---- actions with a result ---- */

static u128 fdb_port(struct at *at, const struct action *a)
{
    const struct row *port =
        world_fdb(world_of(at), at->datapath, mac_from_u64((uint64_t)operand_bits(at, a, 1)));
    return port ? world_number(world_of(at), world_row_text(port, "logical_port")) : 0;
}

static u128 result_of(struct at *at, const struct action *a)
{
    switch (a->op) {
    case ACTION_LOOKUP_ARP:
    case ACTION_LOOKUP_ARP_IP:
    case ACTION_LOOKUP_ND:
    case ACTION_LOOKUP_ND_IP:
        return lookup_neighbor(at, a);
    case ACTION_GET_FDB:
        return fdb_port(at, a);
    case ACTION_LOOKUP_FDB: {
        const struct row *port =
            world_fdb(world_of(at), at->datapath, mac_from_u64((uint64_t)operand_bits(at, a, 2)));
        bool known = port && world_number(world_of(at), world_row_text(port, "logical_port")) ==
                                 operand_bits(at, a, 1);
        if (!known)
            comment(at, xstrdup("/* lookup mac failed in mac learning table. */"));
        return known;
    }
    case ACTION_CHECK_IN_PORT_SEC:
    case ACTION_CHECK_OUT_PORT_SEC:
        return violates_port_security(at, a->op == ACTION_CHECK_IN_PORT_SEC);
    case ACTION_PUT_DHCP_OPTS:
    case ACTION_PUT_DHCPV6_OPTS:
        node_add(at->parent, NODE_ACTION,
                 xstrdup("/* We assume that this packet is DHCPDISCOVER or DHCPREQUEST. */"));
        return 1;
    case ACTION_PUT_ND_RA_OPTS:
        comment(at, xstrdup("/* We assume that this packet is one that is answered. */"));
        return 1;
    case ACTION_CHK_LB_HAIRPIN: {
        struct ip_addr source;
        return act_is_hairpin(at, &source);
    }
    case ACTION_CHK_LB_HAIRPIN_REPLY:
    case ACTION_CHECK_PKT_LARGER:
        return 0;
    default:
        comment(at, xstrdup("/* assuming 0 */"));
        return 0;
    }
}

static void act_with_result(struct at *at, const struct action *a)
{
    struct sym_bits dst = a->operand[0].field;
    u128 result = result_of(at, a);
    uflow_set(at->packet, dst, result);
    if (a->op == ACTION_CHK_LB_HAIRPIN || a->op == ACTION_CHK_LB_HAIRPIN_REPLY)
        node_add(at->parent, NODE_MODIFY,
                 xasprintf("%s[%u] = %u;", dst.sym->name, dst.ofs, (unsigned)result));
}

/* What log(name="x", verdict=drop, severity=info) leaves behind. */
static void act_log(struct at *at, const struct action *a)
{
    struct str s = STR_INIT;
    str_putf(&s, "LOG: ACL direction=%s", at->pipeline == PIPELINE_INGRESS ? "IN" : "OUT");
    for (uint32_t i = 0; i < a->n; i++) {
        const struct operand *o = &a->operand[i];
        if (o->text)
            str_putf(&s, "%s%s", o->kind == OPERAND_OPTION ? ", " : "=", o->text->s);
    }
    node_add(at->parent, NODE_LOG, str_steal(&s));
}

/* ---- actions that make another packet ---- */

static void exchange(struct at *at, enum symbol_id a, enum symbol_id b)
{
    u128 old = get(at, a);
    uflow_set_field(world_of(at), at->packet, a, get(at, b));
    uflow_set_field(world_of(at), at->packet, b, old);
}

static void become_arp(struct at *at)
{
    u128 sha = get(at, SYM_ETH_SRC), spa = get(at, SYM_IP4_SRC), tpa = get(at, SYM_IP4_DST);
    struct world *world = world_of(at);
    uflow_set_field(world, at->packet, SYM_ETH_TYPE, ETH_ARP);
    uflow_set_field(world, at->packet, SYM_ARP_OP, 1);
    uflow_set_field(world, at->packet, SYM_ARP_SHA, sha);
    uflow_set_field(world, at->packet, SYM_ARP_SPA, spa);
    uflow_set_field(world, at->packet, SYM_ARP_THA, 0);
    uflow_set_field(world, at->packet, SYM_ARP_TPA, tpa);
}

static void become_nd(struct at *at, bool advertisement)
{
    enum { SOLICITATION = 135, ADVERTISEMENT = 136 };
    struct world *world = world_of(at);
    u128 target = get(at, SYM_ND_TARGET);
    if (advertisement) {
        exchange(at, SYM_ETH_SRC, SYM_ETH_DST);
        uflow_set_field(world, at->packet, SYM_IP6_DST, get(at, SYM_IP6_SRC));
        uflow_set_field(world, at->packet, SYM_IP6_SRC, target);
    } else {
        uflow_set_field(world, at->packet, SYM_ND_TARGET, get(at, SYM_IP6_DST));
    }
    uflow_set_field(world, at->packet, SYM_IP_PROTO, PROTO_ICMP6);
    uflow_set_field(world, at->packet, SYM_IP_TTL, MAX_TTL);
    uflow_set_field(world, at->packet, SYM_ICMP6_TYPE,
                    advertisement ? ADVERTISEMENT : SOLICITATION);
    uflow_set_field(world, at->packet, SYM_ICMP6_CODE, 0);
}

static void become_icmp(struct at *at, bool v6)
{
    enum { UNREACHABLE4 = 3, UNREACHABLE6 = 1, HOST = 1 };
    struct world *world = world_of(at);
    uflow_set_field(world, at->packet, SYM_IP_PROTO, v6 ? PROTO_ICMP6 : PROTO_ICMP4);
    uflow_set_field(world, at->packet, SYM_ARP_OP, 0);
    uflow_set_field(world, at->packet, SYM_IP_TTL, MAX_TTL);
    uflow_set_field(world, at->packet, v6 ? SYM_ICMP6_TYPE : SYM_ICMP4_TYPE,
                    v6 ? UNREACHABLE6 : UNREACHABLE4);
    uflow_set_field(world, at->packet, v6 ? SYM_ICMP6_CODE : SYM_ICMP4_CODE, HOST);
}

enum { RST = 4 }; /* of tcp.flags */

/* A reset is not answered by another (RFC 9293, 3.10.7.1). */
static bool is_reset(const struct at *at)
{
    return get(at, SYM_IP_PROTO) == PROTO_TCP && get(at, SYM_TCP_FLAGS) & RST;
}

/* Nor is an ICMP error (RFC 1122, 3.2.2; RFC 4443, 2.4). */
static bool is_error(const struct at *at)
{
    enum { UNREACHABLE4 = 3, EXCEEDED4 = 11, PROBLEM4 = 12, INFORMATIONAL6 = 128 };
    u128 type4 = get(at, SYM_ICMP4_TYPE), type6 = get(at, SYM_ICMP6_TYPE);
    if (get(at, SYM_IP_PROTO) == PROTO_ICMP4)
        return type4 == UNREACHABLE4 || type4 == EXCEEDED4 || type4 == PROBLEM4;
    return get(at, SYM_IP_PROTO) == PROTO_ICMP6 && type6 && type6 < INFORMATIONAL6;
}

static void become_reset(struct at *at)
{
    exchange(at, SYM_TCP_SRC, SYM_TCP_DST);
    uflow_set_field(world_of(at), at->packet, SYM_IP_TTL, MAX_TTL);
    uflow_set_field(world_of(at), at->packet, SYM_TCP_FLAGS, RST);
}

static bool is_ip4(const struct at *at)
{
    struct ip_addr ip;
    return uflow_ip(world_of(at), at->packet, true, &ip) && ip.version == 4;
}

/* What reject answers with. */
static const char *rejection(const struct at *at)
{
    if (get(at, SYM_IP_PROTO) == PROTO_TCP)
        return action_op_name(ACTION_TCP_RESET);
    return action_op_name(is_ip4(at) ? ACTION_ICMP4 : ACTION_ICMP6);
}

static void become_rejection(struct at *at)
{
    bool v6 = !is_ip4(at);
    exchange(at, SYM_ETH_SRC, SYM_ETH_DST);
    exchange(at, v6 ? SYM_IP6_SRC : SYM_IP4_SRC, v6 ? SYM_IP6_DST : SYM_IP4_DST);
    if (get(at, SYM_IP_PROTO) == PROTO_TCP)
        become_reset(at);
    else
        become_icmp(at, v6);
}

/* The inner actions run on a packet of their own. */
static void act_nested(struct at *at, const struct action *a)
{
    struct uflow copy = *at->packet;
    struct at inner = *at;
    if ((a->op == ACTION_REJECT || a->op == ACTION_TCP_RESET) && is_reset(at))
        return;
    if (a->op == ACTION_REJECT && is_error(at))
        return;
    inner.packet = &copy;
    inner.parent =
        node_add(at->parent, NODE_TRANSFORM,
                 xstrdup(a->op == ACTION_REJECT ? rejection(at) : action_op_name(a->op)));
    switch (a->op) {
    case ACTION_ARP:
        become_arp(&inner);
        break;
    case ACTION_ND_NA:
    case ACTION_ND_NA_ROUTER:
    case ACTION_ND_NS:
        become_nd(&inner, a->op != ACTION_ND_NS);
        break;
    case ACTION_ICMP4:
    case ACTION_ICMP4_ERROR:
    case ACTION_ICMP6:
    case ACTION_ICMP6_ERROR:
        become_icmp(&inner, a->op == ACTION_ICMP6 || a->op == ACTION_ICMP6_ERROR);
        break;
    case ACTION_TCP_RESET:
        become_reset(&inner);
        break;
    case ACTION_REJECT:
        become_rejection(&inner);
        break;
    default:
        break;
    }
    act_all(&inner, a->operand[0].actions);
}

/* ---- all ---- */

/* next(pipeline=...) to the other one. */
static bool changes_pipeline(const struct at *at, const struct action *a)
{
    return a->op == ACTION_NEXT && a->n > 1 &&
           (strcmp(a->operand[1].text->s, "egress") != 0) == (at->pipeline == PIPELINE_EGRESS);
}

static void act_next(struct at *at, const struct action *a)
{
    unsigned table = a->n ? (unsigned)a->operand[0].value : at->table + 1;
    if (changes_pipeline(at, a))
        run_pipeline(at->trace, at->datapath,
                     at->pipeline == PIPELINE_EGRESS ? PIPELINE_INGRESS : PIPELINE_EGRESS, table,
                     at->packet, at->parent);
    else
        run_table(at, table);
}

static void act(struct at *at, const struct action *a, const char *text)
{
    if (act_ct(at, a, text))
        return;
    switch (a->op) {
    case ACTION_OUTPUT:
        run_output(at);
        break;
    case ACTION_NEXT:
        act_next(at, a);
        break;
    case ACTION_LOAD:
    case ACTION_MOVE:
    case ACTION_EXCHANGE:
    case ACTION_DEC_TTL:
        act_on_fields(at, a, text);
        break;
    case ACTION_LOG:
        act_log(at, a);
        break;
    case ACTION_GET_ARP:
    case ACTION_GET_ND:
        act_get_neighbor(at, a);
        break;
    case ACTION_SELECT:
        act_select(at, a);
        break;
    default:
        if (a->n && a->operand[0].kind == OPERAND_ACTIONS)
            act_nested(at, a);
        else if (action_has_result(a->op))
            act_with_result(at, a);
        break; /* what else there is changes nothing about this packet's way */
    }
}

void act_all(struct at *at, const struct actions *actions)
{
    for (uint32_t i = 0; i < actions->n && !at->stop; i++) {
        char *text = act_text(actions->action[i]);
        node_add(at->parent, changes_pipeline(at, actions->action[i]) ? NODE_JUMP : NODE_ACTION,
                 xstrdup(text));
        act(at, actions->action[i], text);
        free(text);
    }
}
