/* act_ct.c - connection tracking and load balancing: what conntrack would say is what --ct says, in
 * order, and then "established". */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "tools/trace/trace.h"

static const struct {
    const char *name;
    uint32_t bit;
} states[] = {{"new", CT_NEW}, {"est", CT_EST}, {"rel", CT_REL},   {"rpl", CT_RPL},
              {"inv", CT_INV}, {"trk", CT_TRK}, {"snat", CT_SNAT}, {"dnat", CT_DNAT}};

bool ct_parse(const char *text, uint32_t *ret)
{
    char *copy = xstrdup(text), *rest = copy, *word;
    bool ok = true;
    *ret = CT_TRK;
    while (ok && (word = strsep(&rest, ",| ")) != NULL) {
        bool known = !*word;
        for (size_t i = 0; i < ARRAY_SIZE(states); i++)
            if (!strcmp(word, states[i].name)) {
                *ret |= states[i].bit;
                known = true;
            }
        ok = known;
    }
    free(copy);
    return ok;
}

static void put_state(struct str *out, uint32_t state)
{
    bool first = true;
    for (size_t i = 0; i < ARRAY_SIZE(states); i++)
        if (state & states[i].bit) {
            str_putf(out, "%s%s", first ? "" : "|", states[i].name);
            first = false;
        }
}

#define BY_DEFAULT " /* default (use --ct to customize) */"

static uint32_t next_state(struct trace *trace, bool *is_default)
{
    *is_default = trace->ct_used >= trace->ct_states.n;
    return *is_default ? CT_EST | CT_TRK : trace->ct_states.data[trace->ct_used++];
}

enum { TCP = 6, UDP = 17, SCTP = 132 };

static enum symbol_id port_symbol(const struct world *world, const struct uflow *packet)
{
    u128 proto = uflow_field(world, packet, SYM_IP_PROTO);
    return proto == UDP ? SYM_UDP_DST : proto == SCTP ? SYM_SCTP_DST : SYM_TCP_DST;
}

/* PACKET meets connection tracking: where a new connection is for is kept, whatever becomes of its address. */
static void note_connection(const struct world *world, struct uflow *packet)
{
    struct ip_addr dst;
    if (uflow_field(world, packet, SYM_CT_STATE) & CT_TRK || !uflow_ip(world, packet, false, &dst))
        return;
    packet->value[dst.version == 4 ? FIELD_CT_NW_DST : FIELD_CT_IPV6_DST] = ip_addr_to_u128(&dst);
    packet->value[FIELD_CT_TP_DST] = uflow_field(world, packet, port_symbol(world, packet));
}

void act_go_on(struct at *at, char *title, struct uflow *copy)
{
    struct at next = *at;
    next.packet = copy;
    next.parent = node_add(at->parent, NODE_TRANSFORM, title);
    run_table(&next, at->table + 1);
}

static void ct_next(struct at *at)
{
    bool is_default;
    struct uflow copy = *at->packet;
    uint32_t state = next_state(at->trace, &is_default);
    struct str title = STR_INIT;
    note_connection(at->trace->world, &copy);
    str_put(&title, "ct_next(ct_state=");
    put_state(&title, state);
    str_putf(&title, "%s)", is_default ? BY_DEFAULT : "");
    uflow_set_field(at->trace->world, &copy, SYM_CT_STATE, state);
    act_go_on(at, str_steal(&title), &copy);
}

/* It goes on in the same table: the address changes where it is committed, which nothing after it sees. */
static void ct_snat_to_vip(struct at *at)
{
    struct ip_addr vip;
    struct str s = STR_INIT;
    if (!act_is_hairpin(at, &vip))
        return;
    str_put(&s, "/* nat(src=");
    ip_addr_put(&s, &vip);
    str_put(&s, ") */");
    node_add(at->parent, NODE_COMMENT, str_steal(&s));
}

/* Has DATAPATH a port that is bound to one chassis? */
static bool is_gateway_router(const struct world *world, const struct row *datapath)
{
    const struct row *port;
    REPLICA_FOR_EACH(port, pos, world->replica, world_table(world, "Port_Binding"))
    {
        if (!strcmp(world_row_text(port, "type"), "l3gateway") &&
            world_datapath_of(world, port) == datapath)
            return true;
    }
    return false;
}

/* ct_dnat, ct_snat and their relatives. Without an address they ask connection tracking, as ct_next does, unless it was asked; on a gateway router ct_snat is then
 * where the packet's way is given up, as ovn-trace(8) has it. */
static void ct_nat(struct at *at, const struct action *a, bool source)
{
    struct world *world = at->trace->world;
    struct uflow copy = *at->packet;
    const char *name = action_op_name(a->op);
    char *title;
    bool is_default, has_address = a->n && a->operand[0].kind == OPERAND_VALUE;
    if (!has_address && source && is_gateway_router(world, at->datapath))
        return;
    note_connection(world, &copy);
    if (has_address) {
        u128 state = uflow_field(world, &copy, SYM_CT_STATE);
        bool v6 = a->operand[0].format == CONST_IP6;
        struct ip_addr ip = ip_addr_from_u128(v6 ? 6 : 4, a->operand[0].value);
        struct str s = STR_INIT;
        str_putf(&s, "%s(ip%d.%s=", name, v6 ? 6 : 4, source ? "src" : "dst");
        ip_addr_put(&s, &ip);
        str_putc(&s, ')');
        title = str_steal(&s);
        uflow_set_ip(world, &copy, source, &ip);
        uflow_set_field(world, &copy, SYM_CT_STATE, state | CT_TRK | (source ? CT_SNAT : CT_DNAT));
    } else {
        title = xasprintf("%s /* assuming no un-%s entry, so no change */", name,
                          source ? "snat" : "dnat");
        if (!(uflow_field(world, &copy, SYM_CT_STATE) & CT_TRK))
            uflow_set_field(world, &copy, SYM_CT_STATE, next_state(at->trace, &is_default));
    }
    act_go_on(at, title, &copy);
}

/* ---- load balancing ---- */

/* IP, IP:PORT or [IP]:PORT, a port's name in quotes and a colon before it. */
static bool parse_backend(const char *text, struct ip_addr *ip, uint16_t *port)
{
    if (*text == '"') {
        text = strchr(text + 1, '"');
        if (!text || text[1] != ':')
            return false;
        text += 2;
    }
    *port = 0;
    if (!ip_addr_parse(text, ip))
        return true;
    bool bracket = *text == '[';
    const char *end = bracket ? strchr(text, ']') : strrchr(text, ':');
    int64_t number = 0;
    if (!end)
        return false;
    char *address = xstrndup(text + bracket, (size_t)(end - text) - bracket);
    bool ok = !ip_addr_parse(address, ip);
    free(address);
    end += bracket;
    if (*end == ':')
        ok = ok && !text_to_i64(end + 1, 10, &number) && number >= 0 && number <= UINT16_MAX;
    *port = (uint16_t)number;
    return ok;
}

/* The backend of --lb-dst if it is one of them, else the first. */
static bool choose(const struct at *at, const struct action *a, struct ip_addr *ip, uint16_t *port)
{
    bool found = false;
    for (uint32_t i = 0; i < a->n; i++) {
        struct ip_addr candidate;
        uint16_t number;
        if (a->operand[i].kind != OPERAND_WORD ||
            !parse_backend(a->operand[i].text->s, &candidate, &number))
            continue;
        bool wanted = at->trace->has_backend && ip_addr_equal(&candidate, &at->trace->backend) &&
                      number == at->trace->backend_port;
        if (!found || wanted) {
            *ip = candidate;
            *port = number;
        }
        found = true;
    }
    return found;
}

static void set_port(const struct world *world, struct uflow *packet, uint16_t port)
{
    u128 proto = uflow_field(world, packet, SYM_IP_PROTO);
    if (port && (proto == TCP || proto == UDP || proto == SCTP))
        uflow_set_field(world, packet, port_symbol(world, packet), port);
}

static void ct_lb(struct at *at, const struct action *a)
{
    struct world *world = at->trace->world;
    struct uflow copy = *at->packet;
    struct ip_addr ip;
    uint16_t port;
    bool is_default;
    note_connection(world, &copy);
    uint32_t state =
        next_state(at->trace, &is_default) | (uint32_t)uflow_field(world, &copy, SYM_CT_STATE);
    if (choose(at, a, &ip, &port)) {
        uflow_set_ip(world, &copy, false, &ip);
        set_port(world, &copy, port);
        state |= CT_DNAT;
    }
    uflow_set_field(world, &copy, SYM_CT_STATE, state);
    act_go_on(at, xasprintf("%s%s", action_op_name(a->op), is_default ? BY_DEFAULT : ""), &copy);
}

bool act_ct(struct at *at, const struct action *a, const char *text)
{
    (void)text;
    switch (a->op) {
    case ACTION_CT_NEXT:
        ct_next(at);
        return true;
    case ACTION_CT_LB:
    case ACTION_CT_LB_MARK:
    case ACTION_CT_LB_MARK_LOCAL:
        ct_lb(at, a);
        return true;
    case ACTION_CT_DNAT:
    case ACTION_CT_DNAT_IN_CZONE:
    case ACTION_CT_SNAT:
    case ACTION_CT_SNAT_IN_CZONE:
        ct_nat(at, a, a->op != ACTION_CT_DNAT && a->op != ACTION_CT_DNAT_IN_CZONE);
        return true;
    case ACTION_CT_SNAT_TO_VIP:
        ct_snat_to_vip(at);
        return true;
    case ACTION_CT_COMMIT_NAT: {
        struct uflow copy = *at->packet;
        act_go_on(
            at, xasprintf("%s /* assuming no un-nat entry, so no change */", action_op_name(a->op)),
            &copy);
        return true;
    }
    case ACTION_CT_CLEAR:
        uflow_forget_connection(at->trace->world, at->packet);
        return true;
    case ACTION_CT_COMMIT:
    case ACTION_CT_COMMIT_TO_ZONE:
        return true; /* later packets would notice */
    default:
        return false;
    }
}
