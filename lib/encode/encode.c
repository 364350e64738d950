/* encode.c - logical actions to OpenFlow actions: profiles, the dispatch, and what is short; see encode.h. */
#include "encode/internal.h"

#include <string.h>

#include "openflow/protocol.h"

const struct encode_profile encode_modern = {
    .ingress = 8,
    .egress = 42,
    .output_ingress = 39,
    .output_egress = 64,
    .mac_binding = 66,
    .mac_lookup = 67,
    .lb_hairpin = 68,
    .lb_hairpin_reply = 69,
    .ct_snat_hairpin = 70,
    .fdb_get = 71,
    .fdb_lookup = 72,
    .port_sec_in = 73,
    .port_sec_out = 75,
    .ecmp_nh_mac = 76,
    .ecmp_nh = 77,
    .lb_affinity = 78,
    .mac_cache_use = 79,
    .ct_nw_dst = 81,
    .ct_ip6_dst = 82,
    .ct_tp_dst = 83,
    .flood_remote = 84,
    .ct_state_save = 85,
    .ct_proto = 86,
    .remote_fdb_get = 87,
    .mirror = 39,
    .inport = FIELD_REG14,
    .outport = FIELD_REG15,
    .arg4 = FIELD_REG0,
    .arg6 = FIELD_XXREG0,
    .arg6_get = FIELD_XXREG0,
    .put_arg4 = FIELD_REG0,
    .zone_dnat = FIELD_REG11,
    .zone_snat = FIELD_REG12,
    .zone_port = FIELD_REG13,
};

const struct encode_profile encode_seed = {
    .is_seed = true,
    .ingress = 16,
    .egress = 48,
    .output_ingress = 32,
    .output_egress = 64,
    .mac_binding = 65,
    .inport = FIELD_REG6,
    .outport = FIELD_REG7,
    .arg4 = FIELD_REG0,
    .arg6 = FIELD_XXREG0,
    .arg6_get = FIELD_XXREG0,
    .put_arg4 = FIELD_REG1,
    .zone_dnat = FIELD_REG3,
    .zone_snat = FIELD_REG4,
    .zone_port = FIELD_REG5,
};

uint8_t encode_table(const struct encode_profile *pf, enum pipeline pipeline, unsigned table)
{
    return (uint8_t)((pipeline == PIPELINE_INGRESS ? pf->ingress : pf->egress) + table);
}

uint8_t encode_next_table(const struct encoder *en)
{
    return encode_table(en->pf, en->p->pipeline, en->p->table + 1);
}

struct subfield encode_bits(const struct encoder *en, struct sym_bits bits)
{
    bits = sym_bits_base(bits);
    int field = bits.sym->field;
    if (bits.sym->index == SYM_INPORT)
        field = en->pf->inport;
    else if (bits.sym->index == SYM_OUTPORT)
        field = en->pf->outport;
    INVARIANT(field >= 0);
    return subfield_make((enum field_id)field, bits.ofs, bits.width);
}

void encode_resubmit(struct encoder *en, uint8_t table)
{
    of_put_resubmit(en->out, PORT_IN_PORT, table);
}

/* -- Packets to the controller. -- */

void encode_userdata_put_be(struct str *ud, u128 value, size_t n)
{
    uint8_t bytes[16];
    put_be_n(bytes, (unsigned)n, value);
    str_put_n(ud, (const char *)bytes, n);
}

void encode_userdata_begin(struct str *ud, enum encode_opcode opcode)
{
    encode_userdata_put_be(ud, opcode, 4);
    encode_userdata_put_be(ud, 0, 4);
}

void encode_userdata_send(struct encoder *en, struct str *ud, bool pause)
{
    /* Longer than an action can be: the packet is dropped rather than a truncated request sent. */
    if (ud->n <= 0xff00)
        of_put_controller(en->out, 65535, 0, 1, ud->s, ud->n, pause, en->p->meter);
    str_fini(ud);
}

/* OPCODE with nothing behind it. */
static void send_opcode(struct encoder *en, enum encode_opcode opcode, bool pause)
{
    struct str ud = STR_INIT;
    encode_userdata_begin(&ud, opcode);
    encode_userdata_send(en, &ud, pause);
}

/* OPCODE with nested actions behind it, in OpenFlow 1.5. */
static void send_nested(struct encoder *en, const struct action *a, enum encode_opcode opcode,
                        bool pause)
{
    struct of_actions inner = OF_ACTIONS_INIT;
    struct encoder in = {en->p, en->pf, &inner};
    struct of_buf buf = OF_BUF_INIT;
    struct str ud = STR_INIT;
    encode_sequence(&in, a->operand[0].actions);
    of_actions_encode(inner.data, inner.n, OF15_VERSION, &buf);
    encode_userdata_begin(&ud, opcode);
    str_put_n(&ud, (const char *)buf.data, buf.n);
    encode_userdata_send(en, &ud, pause);
    of_buf_fini(&buf);
    of_actions_fini(&inner);
}

/* -- Fields. -- */

/* icmp4.frag_mtu = N: a note that the controller reads: "ovn" 0, type, 0, value. */
static void encode_frag_mtu(struct encoder *en, const struct action *a)
{
    bool is4 = a->operand[0].field.sym->index == SYM_ICMP4_FRAG_MTU;
    struct str note = STR_INIT;
    str_put_n(&note, "ovn", 4);
    encode_userdata_put_be(&note, is4 ? 0 : 1, 2);
    encode_userdata_put_be(&note, 0, 2);
    encode_userdata_put_be(&note, a->operand[1].value, is4 ? 2 : 4);
    of_put_note(en->out, note.s, note.n);
    str_fini(&note);
}

static void encode_load(struct encoder *en, const struct action *a)
{
    const struct operand *dst = &a->operand[0], *src = &a->operand[1];
    if (dst->field.sym->flags & SF_ACTION_ONLY) {
        encode_frag_mtu(en, a);
        return;
    }
    struct subfield sub = encode_bits(en, dst->field);
    if (src->kind == OPERAND_STRING) {
        uint32_t port = 0;
        /* An unknown port is port 0, which is none. */
        if (src->text->n && !(en->p->port && en->p->port(en->p->aux, src->text->s, &port)))
            port = 0;
        of_put_set_field(en->out, sub.id, port);
        return;
    }
    u128 mask = src->is_masked ? src->mask : u128_ones(sub.n_bits);
    mask &= u128_ones(sub.n_bits);
    if (mask == u128_ones(field_get(sub.id)->n_bits))
        of_put_set_field(en->out, sub.id, src->value);
    else if (mask)
        of_put_set_field_masked(en->out, sub.id, (src->value & mask) << sub.ofs, mask << sub.ofs);
}

static void encode_move(struct encoder *en, const struct action *a)
{
    struct subfield dst = encode_bits(en, a->operand[0].field);
    struct subfield src = encode_bits(en, a->operand[1].field);
    of_put_move(en->out, &src, &dst);
}

static void encode_exchange(struct encoder *en, const struct action *a)
{
    struct subfield x = encode_bits(en, a->operand[0].field);
    struct subfield y = encode_bits(en, a->operand[1].field);
    of_put_stack_push(en->out, &y);
    of_put_stack_push(en->out, &x);
    of_put_stack_pop(en->out, &y);
    of_put_stack_pop(en->out, &x);
}

/* The form that names the controllers to be told of a TTL that runs out, and names none: logical flows handle it. */
static void encode_dec_ttl(struct encoder *en)
{
    struct of_dec_ttl *a = of_put(en->out, OF_DEC_TTL, sizeof *a);
    a->form = OF_FORM_2;
}

static void encode_next(struct encoder *en, const struct action *a)
{
    enum pipeline pipeline = en->p->pipeline;
    unsigned table = a->n ? (unsigned)a->operand[0].value : en->p->table + 1;
    if (a->n == 2)
        pipeline = !strcmp(a->operand[1].text->s, "ingress") ? PIPELINE_INGRESS : PIPELINE_EGRESS;
    encode_resubmit(en, encode_table(en->pf, pipeline, table));
}

/* -- Others. -- */

const struct operand *encode_option_value(const struct action *a, const char *name)
{
    for (uint32_t i = 0; i < a->n; i++)
        if (a->operand[i].kind == OPERAND_OPTION && !strcmp(a->operand[i].text->s, name))
            return i + 1 < a->n && a->operand[i + 1].kind != OPERAND_OPTION ? &a->operand[i + 1]
                                                                            : &a->operand[i];
    return NULL;
}

static unsigned index_of(const struct operand *o, const char *const *list, unsigned deflt)
{
    for (unsigned i = 0; o && list[i]; i++)
        if (!strcmp(o->text->s, list[i]))
            return i;
    return deflt;
}

static void encode_log(struct encoder *en, const struct action *a)
{
    static const char *const verdicts[] = {"allow", "drop", "reject", "pass", NULL};
    static const char *const severities[] = {"",       "alert", "",      "",  "warning",
                                             "notice", "info",  "debug", NULL};
    const struct operand *name = encode_option_value(a, "name"),
                         *meter = encode_option_value(a, "meter");
    uint32_t id = en->p->meter;
    if (meter && en->p->meter_id) {
        id = en->p->meter_id(en->p->aux, meter->text->s);
        if (!id)
            return;
    }
    struct str ud = STR_INIT;
    encode_userdata_begin(&ud, OPCODE_LOG);
    encode_userdata_put_be(&ud, index_of(encode_option_value(a, "verdict"), verdicts, 3), 1);
    encode_userdata_put_be(&ud, index_of(encode_option_value(a, "severity"), severities, 6), 1);
    if (name)
        str_put_n(&ud, name->text->s, name->text->n);
    if (ud.n <= 0xff00)
        of_put_controller(en->out, 65535, 0, 1, ud.s, ud.n, false, id);
    str_fini(&ud);
}

static void encode_set_meter(struct encoder *en, const struct action *a)
{
    struct str name = STR_INIT;
    str_putf(&name, "__string: kbps %sstats bands=type=drop rate=%u", a->n > 1 ? "burst " : "",
             (unsigned)a->operand[0].value);
    if (a->n > 1)
        str_putf(&name, " burst_size=%u", (unsigned)a->operand[1].value);
    uint32_t id = en->p->meter_id ? en->p->meter_id(en->p->aux, str_c(&name)) : 0;
    if (id)
        of_put_meter(en->out, id);
    str_fini(&name);
}

static void encode_bind_vport(struct encoder *en, const struct action *a)
{
    uint32_t port;
    if (!en->p->port || !en->p->port(en->p->aux, a->operand[0].text->s, &port))
        return;
    struct str ud = STR_INIT;
    encode_userdata_begin(&ud, OPCODE_BIND_VPORT);
    encode_userdata_put_be(&ud, port, 4);
    encode_userdata_send(en, &ud, false);
}

static void encode_trigger_event(struct encoder *en, const struct action *a)
{
    static const char *const names[] = {"vip", "protocol", "load_balancer"};
    struct str ud = STR_INIT;
    encode_userdata_begin(&ud, OPCODE_EVENT);
    encode_userdata_put_be(&ud, 0, 4); /* empty_lb_backends, the only event */
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        const struct operand *o = encode_option_value(a, names[i]);
        if (!o || o->kind != OPERAND_STRING)
            continue;
        encode_userdata_put_be(&ud, i + 1, 2);
        encode_userdata_put_be(&ud, o->text->n, 2);
        str_put_n(&ud, o->text->s, o->text->n);
    }
    const struct operand *meter = encode_option_value(a, "meter");
    uint32_t id = en->p->meter;
    if (meter && en->p->meter_id)
        id = en->p->meter_id(en->p->aux, meter->text->s);
    if (ud.n <= 0xff00)
        of_put_controller(en->out, 65535, 0, 1, ud.s, ud.n, false, id);
    str_fini(&ud);
}

uint32_t encode_flow_id(const struct encoder *en)
{
    if (en->p->is_own)
        *en->p->is_own = true;
    return en->p->flow_id;
}

uint32_t encode_datapath_key(const struct encoder *en)
{
    if (en->p->is_own)
        *en->p->is_own = true;
    return en->p->datapath_key;
}

/* observation domain: 8 bits of the action's, 24 of the datapath's key */
static void encode_sample(struct encoder *en, const struct action *a)
{
    uint32_t collector = (uint32_t)encode_option_value(a, "collector_set")->value;
    if (en->p->collector && !en->p->collector(en->p->aux, collector))
        return;
    struct of_sample *s = of_put(en->out, OF_SAMPLE, sizeof *s);
    s->version = 4;
    s->probability = (uint16_t)encode_option_value(a, "probability")->value;
    s->collector_set_id = collector;
    s->obs_domain_imm = (uint32_t)(encode_option_value(a, "obs_domain")->value << 24) |
                        (encode_datapath_key(en) & 0xffffff);
    s->sampling_port = PORT_ANY;
    const struct operand *point = encode_option_value(a, "obs_point");
    if (point->kind == OPERAND_FIELD)
        s->obs_point_src = encode_bits(en, point->field);
    else if (point->kind == OPERAND_WORD)
        s->obs_point_imm = encode_flow_id(en);
    else
        s->obs_point_imm = (uint32_t)point->value;
}

static void encode_mirror(struct encoder *en, const struct action *a)
{
    uint32_t port;
    if (!en->p->port || !en->p->port(en->p->aux, a->operand[0].text->s, &port))
        return;
    size_t clone = of_begin_clone(en->out);
    of_put_set_field(en->out, FIELD_IN_PORT, 0xffff);
    of_put_set_field(en->out, en->pf->outport, port);
    encode_resubmit(en, en->pf->mirror);
    of_end_nested(en->out, clone);
}

/* Actions that are one request to the controller. */
static bool encode_request(struct encoder *en, const struct action *a)
{
    static const struct {
        enum action_op op;
        enum encode_opcode opcode;
        bool nested, pause;
    } requests[] = {
        {ACTION_ARP, OPCODE_ARP, true, true},
        {ACTION_ND_NS, OPCODE_ND_NS, true, true},
        {ACTION_ND_NA, OPCODE_ND_NA, true, false},
        {ACTION_ND_NA_ROUTER, OPCODE_ND_NA_ROUTER, true, false},
        {ACTION_ICMP4, OPCODE_ICMP, true, false},
        {ACTION_ICMP6, OPCODE_ICMP, true, false},
        {ACTION_ICMP4_ERROR, OPCODE_ICMP4_ERROR, true, false},
        {ACTION_ICMP6_ERROR, OPCODE_ICMP6_ERROR, true, false},
        {ACTION_TCP_RESET, OPCODE_TCP_RESET, true, false},
        {ACTION_SCTP_ABORT, OPCODE_SCTP_ABORT, true, false},
        {ACTION_REJECT, OPCODE_REJECT, true, false},
        {ACTION_IGMP, OPCODE_IGMP, false, false},
        {ACTION_HANDLE_SVC_CHECK, OPCODE_HANDLE_SVC_CHECK, false, false},
        {ACTION_HANDLE_BFD_MSG, OPCODE_BFD_MSG, false, false},
        {ACTION_HANDLE_DHCPV6_REPLY, OPCODE_DHCP6_SERVER, false, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
        if (requests[i].op == a->op) {
            if (requests[i].nested)
                send_nested(en, a, requests[i].opcode, requests[i].pause);
            else
                send_opcode(en, requests[i].opcode, requests[i].pause);
            return true;
        }
    return false;
}

static void encode_stack(struct encoder *en, const struct action *a)
{
    struct subfield sub = encode_bits(en, a->operand[0].field);
    if (a->op == ACTION_PUSH)
        of_put_stack_push(en->out, &sub);
    else
        of_put_stack_pop(en->out, &sub);
}

/* Actions that are one instruction or a few. True if A is one of them. */
static bool encode_plain(struct encoder *en, const struct action *a)
{
    struct subfield sub;
    size_t clone;
    switch (a->op) {
    case ACTION_DROP:
        return true;
    case ACTION_OUTPUT:
        encode_resubmit(en, en->p->pipeline == PIPELINE_INGRESS ? en->pf->output_ingress
                                                                : en->pf->output_egress);
        return true;
    case ACTION_NEXT:
        encode_next(en, a);
        return true;
    case ACTION_LOAD:
        encode_load(en, a);
        return true;
    case ACTION_MOVE:
        encode_move(en, a);
        return true;
    case ACTION_EXCHANGE:
        encode_exchange(en, a);
        return true;
    case ACTION_DEC_TTL:
        encode_dec_ttl(en);
        return true;
    case ACTION_CLONE:
        clone = of_begin_clone(en->out);
        encode_sequence(en, a->operand[0].actions);
        of_end_nested(en->out, clone);
        return true;
    case ACTION_PUSH:
    case ACTION_POP:
        encode_stack(en, a);
        return true;
    case ACTION_SET_QUEUE:
        of_put_set_queue(en->out, (uint32_t)a->operand[0].value);
        return true;
    case ACTION_CHECK_PKT_LARGER:
        sub = encode_bits(en, a->operand[0].field);
        of_put_check_pkt_larger(en->out, (uint16_t)a->operand[1].value, &sub);
        return true;
    case ACTION_MAC_CACHE_USE:
        encode_resubmit(en, en->pf->mac_cache_use);
        return true;
    case ACTION_FLOOD_REMOTE:
        encode_resubmit(en, en->pf->flood_remote);
        return true;
    default:
        return false;
    }
}

/* The other actions: who encodes what. Those not listed ask a table (encode_lookup.c). */
static const struct {
    enum action_op op;
    void (*encode)(struct encoder *en, const struct action *a);
} encoders[] = {
    {ACTION_SET_METER, encode_set_meter},
    {ACTION_LOG, encode_log},
    {ACTION_TRIGGER_EVENT, encode_trigger_event},
    {ACTION_BIND_VPORT, encode_bind_vport},
    {ACTION_SAMPLE, encode_sample},
    {ACTION_MIRROR, encode_mirror},
    {ACTION_FWD_GROUP, encode_fwd_group},
    {ACTION_SELECT, encode_select},
    {ACTION_COMMIT_ECMP_NH, encode_commit_ecmp_nh},
    {ACTION_COMMIT_LB_AFF, encode_commit_lb_aff},
    {ACTION_CT_LB, encode_lb},
    {ACTION_CT_LB_MARK, encode_lb},
    {ACTION_CT_LB_MARK_LOCAL, encode_lb},
    {ACTION_PUT_DHCP_OPTS, encode_dhcp},
    {ACTION_PUT_DHCPV6_OPTS, encode_dhcp},
    {ACTION_PUT_ND_RA_OPTS, encode_dhcp},
    {ACTION_DNS_LOOKUP, encode_dhcp},
    {ACTION_DHCP_RELAY_REQ_CHK, encode_dhcp},
    {ACTION_DHCP_RELAY_RESP_CHK, encode_dhcp},
    {ACTION_CT_NEXT, encode_ct},
    {ACTION_CT_COMMIT, encode_ct},
    {ACTION_CT_COMMIT_TO_ZONE, encode_ct},
    {ACTION_CT_COMMIT_NAT, encode_ct},
    {ACTION_CT_DNAT, encode_ct},
    {ACTION_CT_SNAT, encode_ct},
    {ACTION_CT_DNAT_IN_CZONE, encode_ct},
    {ACTION_CT_SNAT_IN_CZONE, encode_ct},
    {ACTION_CT_SNAT_TO_VIP, encode_ct},
    {ACTION_CT_CLEAR, encode_ct},
};

static void encode_one(struct encoder *en, const struct action *a)
{
    if (encode_plain(en, a) || encode_request(en, a))
        return;
    for (size_t i = 0; i < ARRAY_SIZE(encoders); i++)
        if (encoders[i].op == a->op) {
            encoders[i].encode(en, a);
            return;
        }
    encode_lookup(en, a);
}

void encode_sequence(struct encoder *en, const struct actions *as)
{
    for (uint32_t i = 0; i < as->n; i++)
        encode_one(en, as->action[i]);
}

void encode_actions(const struct actions *as, const struct encode_params *params,
                    struct of_actions *out)
{
    struct encoder en = {params, params->profile, out};
    encode_sequence(&en, as);
}
