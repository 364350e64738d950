/* encode_lookup.c - actions that ask a table of the switch, or tell the controller a binding; see internal.h.
 *
 * They pass arguments in fixed fields (MB-10): destinations that differ from their source are pushed, the sources are pushed
 * in reverse order and popped into the destinations, the body runs, and the saved destinations are popped in reverse.
 */
#include "encode/internal.h"
#include "openflow/protocol.h"

enum { MAX_ARGS = 3 };

struct args {
    struct subfield saved[MAX_ARGS];
    size_t n_saved;
};

static bool same(const struct subfield *a, const struct subfield *b)
{
    return a->id == b->id && a->ofs == b->ofs && a->n_bits == b->n_bits;
}

/* Passes the operands from FROM on in DST. */
static void setup(struct encoder *en, struct args *args, const struct action *a, uint32_t from,
                  const enum field_id *dst, size_t n)
{
    struct subfield src[MAX_ARGS], to[MAX_ARGS];
    args->n_saved = 0;
    for (size_t i = 0; i < n; i++) {
        src[i] = encode_bits(en, a->operand[from + i].field);
        to[i] = subfield_whole(dst[i]);
        if (same(&src[i], &to[i]))
            continue;
        of_put_stack_push(en->out, &to[i]);
        args->saved[args->n_saved++] = to[i];
    }
    for (size_t i = n; i-- > 0;)
        if (!same(&src[i], &to[i]))
            of_put_stack_push(en->out, &src[i]);
    for (size_t i = 0; i < args->n_saved; i++)
        of_put_stack_pop(en->out, &args->saved[i]);
}

static void restore(struct encoder *en, const struct args *args)
{
    for (size_t i = args->n_saved; i-- > 0;)
        of_put_stack_pop(en->out, &args->saved[i]);
}

/* Clears BIT of the flags, asks TABLE, which sets it, and copies it to the result of A. */
static void ask(struct encoder *en, uint8_t table, unsigned bit)
{
    of_put_set_field_masked(en->out, FIELD_REG10, 0, (u128)1 << bit);
    encode_resubmit(en, table);
}

static void answer(struct encoder *en, const struct action *a, unsigned bit)
{
    struct subfield src = subfield_make(FIELD_REG10, bit, 1);
    struct subfield dst = encode_bits(en, a->operand[0].field);
    of_put_move(en->out, &src, &dst);
}

/* get_arp, get_nd: the address of the outport's neighbour to eth.dst */
static void encode_get_mac(struct encoder *en, const struct action *a, enum field_id ip)
{
    struct args args;
    setup(en, &args, a, 0, (enum field_id[]){en->pf->outport, ip}, 2);
    of_put_set_field(en->out, FIELD_ETH_DST, 0);
    encode_resubmit(en, en->pf->mac_binding);
    restore(en, &args);
}

/* The first protocol's put_arp: an opcode in reg0, and a reason for the packet-in (MB-13). */
static void send_seed_put_arp(struct encoder *en)
{
    struct subfield reg0 = subfield_whole(FIELD_REG0);
    of_put_stack_push(en->out, &reg0);
    of_put_set_field(en->out, FIELD_REG0, 0xbd9c9810);
    of_put_controller(en->out, 65535, 0, 6 /* packet_out */, NULL, 0, false, OF_METER_NONE);
    of_put_stack_pop(en->out, &reg0);
}

static void encode_put_mac(struct encoder *en, const struct action *a, enum field_id ip,
                           enum encode_opcode opcode)
{
    struct args args;
    setup(en, &args, a, 0, (enum field_id[]){en->pf->inport, ip, FIELD_ETH_SRC}, 3);
    if (en->pf->is_seed && opcode == OPCODE_PUT_ARP) {
        send_seed_put_arp(en);
    } else {
        struct str ud = STR_INIT;
        encode_userdata_begin(&ud, opcode);
        encode_userdata_send(en, &ud, false);
    }
    restore(en, &args);
}

/* lookup_arp, lookup_nd: is exactly this binding known? */
static void encode_lookup_mac(struct encoder *en, const struct action *a, enum field_id ip)
{
    struct args args;
    setup(en, &args, a, 1, (enum field_id[]){en->pf->inport, ip, FIELD_ETH_SRC}, 3);
    ask(en, en->pf->mac_lookup, ANSWER_MAC);
    answer(en, a, ANSWER_MAC);
    restore(en, &args);
}

/* lookup_arp_ip, lookup_nd_ip: is any binding of the address known? The table writes eth.dst, which is kept. */
static void encode_lookup_ip(struct encoder *en, const struct action *a, enum field_id ip)
{
    struct subfield eth_dst = subfield_whole(FIELD_ETH_DST);
    struct args args;
    setup(en, &args, a, 1, (enum field_id[]){en->pf->outport, ip}, 2);
    of_put_stack_push(en->out, &eth_dst);
    ask(en, en->pf->mac_binding, ANSWER_MAC);
    answer(en, a, ANSWER_MAC);
    of_put_stack_pop(en->out, &eth_dst);
    restore(en, &args);
}

static void encode_put_fdb(struct encoder *en, const struct action *a)
{
    struct args args;
    struct str ud = STR_INIT;
    setup(en, &args, a, 0, (enum field_id[]){en->pf->inport, FIELD_ETH_SRC}, 2);
    encode_userdata_begin(&ud, OPCODE_PUT_FDB);
    encode_userdata_send(en, &ud, false);
    restore(en, &args);
}

/* get_fdb, get_remote_fdb: which port has the address? The table answers in RESULT. */
static void encode_get_fdb(struct encoder *en, const struct action *a, uint8_t table,
                           enum field_id result)
{
    struct args args;
    struct subfield src = subfield_whole(result);
    struct subfield dst = encode_bits(en, a->operand[0].field);
    setup(en, &args, a, 1, (enum field_id[]){FIELD_ETH_DST}, 1);
    of_put_set_field(en->out, result, 0);
    encode_resubmit(en, table);
    restore(en, &args);
    if (!same(&src, &dst))
        of_put_move(en->out, &src, &dst);
}

static void encode_lookup_fdb(struct encoder *en, const struct action *a)
{
    struct args args;
    setup(en, &args, a, 1, (enum field_id[]){en->pf->inport, FIELD_ETH_SRC}, 2);
    ask(en, en->pf->fdb_lookup, ANSWER_FDB);
    restore(en, &args);
    answer(en, a, ANSWER_FDB);
}

static void encode_check(struct encoder *en, const struct action *a, uint8_t table, unsigned bit)
{
    ask(en, table, bit);
    answer(en, a, bit);
}

/* What a table knows of the connection's original direction: it answers in the low bits of xxreg1. */
static void encode_ct_field(struct encoder *en, const struct action *a, uint8_t table)
{
    struct subfield dst = encode_bits(en, a->operand[0].field);
    struct subfield src = subfield_make(FIELD_XXREG1, 0, dst.n_bits);
    of_put_stack_push(en->out, &src);
    of_put_set_field_masked(en->out, FIELD_XXREG1, 0, u128_ones(dst.n_bits));
    encode_resubmit(en, table);
    of_put_move(en->out, &src, &dst);
    of_put_stack_pop(en->out, &src);
}

static void encode_ct_state_save(struct encoder *en, const struct action *a)
{
    struct subfield dst = encode_bits(en, a->operand[0].field);
    struct subfield src = subfield_make(FIELD_REG4, 0, 8);
    of_put_set_field_masked(en->out, FIELD_REG4, 0, 0xff);
    encode_resubmit(en, en->pf->ct_state_save);
    of_put_move(en->out, &src, &dst);
}

void encode_lookup(struct encoder *en, const struct action *a)
{
    const struct encode_profile *pf = en->pf;
    switch (a->op) {
    case ACTION_GET_ARP:
        encode_get_mac(en, a, pf->arg4);
        break;
    case ACTION_GET_ND:
        encode_get_mac(en, a, pf->arg6_get);
        break;
    case ACTION_PUT_ARP:
        encode_put_mac(en, a, pf->put_arg4, OPCODE_PUT_ARP);
        break;
    case ACTION_PUT_ND:
        encode_put_mac(en, a, pf->arg6, OPCODE_PUT_ND);
        break;
    case ACTION_LOOKUP_ARP:
        encode_lookup_mac(en, a, pf->arg4);
        break;
    case ACTION_LOOKUP_ND:
        encode_lookup_mac(en, a, pf->arg6);
        break;
    case ACTION_LOOKUP_ARP_IP:
        encode_lookup_ip(en, a, pf->arg4);
        break;
    case ACTION_LOOKUP_ND_IP:
        encode_lookup_ip(en, a, pf->arg6_get);
        break;
    case ACTION_PUT_FDB:
        encode_put_fdb(en, a);
        break;
    case ACTION_GET_FDB:
        encode_get_fdb(en, a, pf->fdb_get, pf->outport);
        break;
    case ACTION_GET_REMOTE_FDB:
        encode_get_fdb(en, a, pf->remote_fdb_get, FIELD_REG1);
        break;
    case ACTION_LOOKUP_FDB:
        encode_lookup_fdb(en, a);
        break;
    case ACTION_CHK_LB_HAIRPIN:
        encode_check(en, a, pf->lb_hairpin, ANSWER_HAIRPIN);
        break;
    case ACTION_CHK_LB_HAIRPIN_REPLY:
        encode_check(en, a, pf->lb_hairpin_reply, ANSWER_HAIRPIN);
        break;
    case ACTION_CHECK_IN_PORT_SEC:
        encode_check(en, a, pf->port_sec_in, ANSWER_PORT_SEC);
        break;
    case ACTION_CHECK_OUT_PORT_SEC:
        encode_check(en, a, pf->port_sec_out, ANSWER_PORT_SEC);
        break;
    case ACTION_CHK_ECMP_NH_MAC:
        encode_check(en, a, pf->ecmp_nh_mac, ANSWER_ECMP);
        break;
    case ACTION_CHK_ECMP_NH:
        encode_check(en, a, pf->ecmp_nh, ANSWER_ECMP);
        break;
    case ACTION_CHK_LB_AFF:
        encode_check(en, a, pf->lb_affinity, ANSWER_AFFINITY);
        break;
    case ACTION_CT_NW_DST:
        encode_ct_field(en, a, pf->ct_nw_dst);
        break;
    case ACTION_CT_IP6_DST:
        encode_ct_field(en, a, pf->ct_ip6_dst);
        break;
    case ACTION_CT_TP_DST:
        encode_ct_field(en, a, pf->ct_tp_dst);
        break;
    case ACTION_CT_PROTO:
        encode_ct_field(en, a, pf->ct_proto);
        break;
    case ACTION_CT_STATE_SAVE:
        encode_ct_state_save(en, a);
        break;
    default:
        bug("no encoding of %s", action_op_name(a->op));
    }
}
