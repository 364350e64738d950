/* dp.c - see dp.h. */
#include "switchd/dp.h"

#include <stdlib.h>
#include <string.h>

#include "switchd/qos/qos.h"
#include "switchd/recirc.h"

const char *drop_counter(enum drop_reason reason)
{
    static const char *const names[] = {
#define DROP(NAME, COUNTER, TEXT) COUNTER,
#include "switchd/drop.def"
#undef DROP
    };
    return names[reason];
}

const char *drop_text(enum drop_reason reason)
{
    static const char *const texts[] = {
#define DROP(NAME, COUNTER, TEXT) TEXT,
#include "switchd/drop.def"
#undef DROP
    };
    return texts[reason];
}

void dp_packet_in_unref(struct dp_packet_in *pin)
{
    if (pin && !--pin->refs) {
        free(pin->userdata);
        free(pin->continuation);
        free(pin);
    }
}

static void action_fini(struct dp_action *a)
{
    if (a->type == DP_OUTPUT)
        free(a->tunnel);
    else if (a->type == DP_CONTROLLER)
        dp_packet_in_unref(a->pin);
    else if (a->type == DP_CT)
        free(a->ct);
    else if (a->type == DP_SAMPLE)
        free(a->sample);
    else if (a->type == DP_RECIRC)
        recirc_unref(a->recirc);
}

void dp_actions_clear(struct dp_actions *actions)
{
    struct dp_action *a;
    VEC_FOR_EACH (a, &actions->list)
        action_fini(a);
    vec_clear(&actions->list);
}

void dp_actions_fini(struct dp_actions *actions)
{
    dp_actions_clear(actions);
    vec_fini(&actions->list);
}

static struct dp_action *put(struct dp_actions *actions, enum dp_type type)
{
    struct dp_action *a = vec_push_zero(&actions->list);
    a->type = (uint8_t)type;
    return a;
}

void dp_put_output(struct dp_actions *actions, uint32_t port, const struct dp_tunnel *tunnel)
{
    struct dp_action *a = put(actions, DP_OUTPUT);
    a->port = port;
    a->tunnel = tunnel ? xmemdup(tunnel, sizeof *tunnel) : NULL;
}

void dp_put_set(struct dp_actions *actions, enum field_id field, u128 value)
{
    struct dp_action *a = put(actions, DP_SET);
    a->field = (uint8_t)field;
    a->value_hi = (uint64_t)(value >> 64);
    a->value_lo = (uint64_t)value;
}

void dp_put_push_vlan(struct dp_actions *actions, uint16_t eth_type, uint16_t tci)
{
    struct dp_action *a = put(actions, DP_PUSH_VLAN);
    a->eth_type = eth_type;
    a->tci = tci;
}

void dp_put_pop_vlan(struct dp_actions *actions)
{
    put(actions, DP_POP_VLAN);
}

void dp_put_mpls(struct dp_actions *actions, bool push, uint16_t eth_type, uint32_t lse)
{
    struct dp_action *a = put(actions, push ? DP_PUSH_MPLS : DP_POP_MPLS);
    a->eth_type = eth_type;
    a->value_lo = lse;
}

void dp_put_push_pbb(struct dp_actions *actions, uint32_t tci)
{
    put(actions, DP_PUSH_PBB)->value_lo = tci;
}

void dp_put_pop_pbb(struct dp_actions *actions)
{
    put(actions, DP_POP_PBB);
}

void dp_put_meter(struct dp_actions *actions, uint32_t meter)
{
    put(actions, DP_METER)->meter = meter;
}

void dp_put_queue(struct dp_actions *actions, uint32_t queue)
{
    put(actions, DP_QUEUE)->n = queue;
}

void dp_put_trunc(struct dp_actions *actions, uint32_t max_len)
{
    put(actions, DP_TRUNC)->n = max_len;
}

void dp_put_controller(struct dp_actions *actions, struct dp_packet_in *pin)
{
    put(actions, DP_CONTROLLER)->pin = pin;
}

void dp_put_ct(struct dp_actions *actions, const struct ct_action *ct)
{
    put(actions, DP_CT)->ct = xmemdup(ct, sizeof *ct);
}

void dp_put_sample(struct dp_actions *actions, const struct dp_sample *sample)
{
    put(actions, DP_SAMPLE)->sample = xmemdup(sample, sizeof *sample);
}

void dp_put_recirc(struct dp_actions *actions, struct recirc_state *state)
{
    put(actions, DP_RECIRC)->recirc = state;
}

size_t dp_begin_clone(struct dp_actions *actions)
{
    put(actions, DP_CLONE);
    return actions->list.n - 1;
}

void dp_end_clone(struct dp_actions *actions, size_t start)
{
    size_t n = actions->list.n - start - 1;
    if (n)
        actions->list.data[start].n = (uint32_t)n;
    else
        actions->list.n = start;
}

void dp_undo_clone(struct dp_actions *actions, size_t start)
{
    vec_remove(&actions->list, start);
}

void dp_actions_copy(struct dp_actions *actions, const struct dp_action *from, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct dp_action a = from[i];
        if (a.type == DP_OUTPUT && a.tunnel)
            a.tunnel = xmemdup(a.tunnel, sizeof *a.tunnel);
        else if (a.type == DP_CONTROLLER)
            a.pin->refs++;
        else if (a.type == DP_CT)
            a.ct = xmemdup(a.ct, sizeof *a.ct);
        else if (a.type == DP_SAMPLE)
            a.sample = xmemdup(a.sample, sizeof *a.sample);
        else if (a.type == DP_RECIRC)
            recirc_ref(a.recirc);
        vec_push(&actions->list, a);
    }
}

static bool action_equal(const struct dp_action *a, const struct dp_action *b)
{
    if (a->type != b->type || a->field != b->field || a->eth_type != b->eth_type || a->n != b->n)
        return false;
    if (a->type == DP_OUTPUT)
        return !a->tunnel == !b->tunnel &&
               (!a->tunnel || !memcmp(a->tunnel, b->tunnel, sizeof *a->tunnel));
    if (a->type == DP_CONTROLLER)
        return a->pin == b->pin;
    if (a->type == DP_CT)
        return !memcmp(a->ct, b->ct, sizeof *a->ct);
    if (a->type == DP_SAMPLE)
        return !memcmp(a->sample, b->sample, sizeof *a->sample);
    if (a->type == DP_RECIRC)
        return a->recirc == b->recirc;
    return a->value_hi == b->value_hi && a->value_lo == b->value_lo;
}

bool dp_actions_equal(const struct dp_actions *a, const struct dp_actions *b)
{
    if (a->list.n != b->list.n)
        return false;
    for (size_t i = 0; i < a->list.n; i++) {
        if (!action_equal(&a->list.data[i], &b->list.data[i]))
            return false;
    }
    return true;
}

static void put_tunnel(struct str *s, const struct dp_tunnel *t)
{
    str_putf(s, "tunnel(tun_id=0x%llx,", (unsigned long long)swap64(t->key.id));
    if (t->key.dst) {
        str_put(s, "dst=");
        ip4_put(s, t->key.dst);
    } else {
        str_put(s, "ipv6_dst=");
        ip6_put(s, t->key.ip6_dst);
    }
    for (unsigned i = 0; i < N_TUN_METADATA; i++) {
        if (t->options & 1u << i)
            str_putf(s, ",tun_metadata%u=0x%llx", i,
                     (unsigned long long)swap64(t->key.metadata[i]));
    }
    str_put(s, "),");
}

static void put_nat(struct str *s, const struct ct_nat *nat)
{
    if (!(nat->flags & (CT_NAT_SRC | CT_NAT_DST))) {
        str_put(s, ",nat");
        return;
    }
    const struct ip6 *ends[] = {&nat->addr_min, &nat->addr_max};
    bool bracket = nat->version == 6 && nat->port_min;
    bool range = memcmp(ends[0], ends[1], sizeof *ends[0]) != 0;
    str_put(s, nat->flags & CT_NAT_SRC ? ",nat(src" : ",nat(dst");
    for (int i = 0; i < 1 + range && nat->version; i++) {
        be32 v4;
        memcpy(&v4, ends[i], sizeof v4);
        str_putc(s, i ? '-' : '=');
        if (nat->version == 4)
            ip4_put(s, v4);
        else
            str_put(s, bracket ? "[" : ""), ip6_put(s, *ends[i]), str_put(s, bracket ? "]" : "");
    }
    if (nat->port_min)
        str_putf(s, ":%u", nat->port_min);
    if (nat->port_max != nat->port_min)
        str_putf(s, "-%u", nat->port_max);
    str_put(s, nat->flags & CT_NAT_PERSISTENT ? ",persistent" : "");
    str_put(s, nat->flags & CT_NAT_HASH ? ",hash" : "");
    str_put(s, nat->flags & CT_NAT_RANDOM ? ",random)" : ")");
}

static void put_ct(struct str *s, const struct ct_action *ct)
{
    static const char *const helpers[] = {NULL, "ftp", "tftp"};
    struct str args = STR_INIT;
    if (ct->flags & CT_COMMIT)
        str_put(&args, ct->flags & CT_FORCE ? ",force_commit" : ",commit");
    if (ct->zone)
        str_putf(&args, ",zone=%u", ct->zone);
    if (ct->mark_mask)
        str_putf(&args, ",mark=0x%x/0x%x", swap32(ct->mark), swap32(ct->mark_mask));
    if (!ip6_is_zero(ct->label_mask)) {
        str_put(&args, ",label=");
        field_put(&args, field_get(FIELD_CT_LABEL), get_be128(&ct->label),
                  get_be128(&ct->label_mask), NULL);
    }
    if (ct->helper)
        str_putf(&args, ",helper=%s", helpers[ct->helper]);
    if (ct->flags & CT_TRANSLATE)
        put_nat(&args, &ct->nat);
    str_put(s, "ct");
    if (args.n)
        str_putf(s, "(%s)", str_c(&args) + 1);
    str_fini(&args);
}

static void put_action(struct str *s, const struct dp_action *a,
                       const char *(*port_name)(void *aux, uint32_t dp_no), void *aux)
{
    const struct field *field;
    switch ((enum dp_type)a->type) {
    case DP_OUTPUT:
        if (a->tunnel)
            put_tunnel(s, a->tunnel);
        const char *name = port_name ? port_name(aux, a->port) : NULL;
        if (name)
            str_put(s, name);
        else
            str_putf(s, "%u", a->port);
        break;
    case DP_SET:
        field = field_get(a->field);
        str_putf(s, "set(%s=", field->name);
        field_put(s, field, (u128)a->value_hi << 64 | a->value_lo, u128_ones(field->n_bits), NULL);
        str_put(s, ")");
        break;
    case DP_PUSH_VLAN:
        str_putf(s, "push_vlan(vid=%u,pcp=%u%s)", a->tci & 0xfffu, a->tci >> 13,
                 a->eth_type == 0x88a8 ? ",tpid=0x88a8" : "");
        break;
    case DP_POP_VLAN:
        str_put(s, "pop_vlan");
        break;
    case DP_PUSH_MPLS:
        str_putf(s, "push_mpls(lse=0x%x,eth_type=0x%x)", (unsigned)a->value_lo, a->eth_type);
        break;
    case DP_POP_MPLS:
        str_putf(s, "pop_mpls(eth_type=0x%x)", a->eth_type);
        break;
    case DP_PUSH_PBB:
        str_putf(s, "push_pbb(tci=0x%x)", (unsigned)a->value_lo);
        break;
    case DP_POP_PBB:
        str_put(s, "pop_pbb");
        break;
    case DP_CONTROLLER:
        str_putf(s, "userspace(controller(reason=%u,max_len=%u,id=%u))", a->pin->reason,
                 a->pin->max_len, a->pin->controller_id);
        break;
    case DP_METER:
        str_putf(s, "meter(%u)", a->meter);
        break;
    case DP_QUEUE:
        str_putf(s, "set(skb_priority(0x%x))", a->n ? qos_priority(a->n) : 0);
        break;
    case DP_TRUNC:
        str_putf(s, "trunc(%u)", a->n);
        break;
    case DP_CT:
        put_ct(s, a->ct);
        break;
    case DP_SAMPLE:
        str_putf(s,
                 "userspace(flow_sample(probability=%u,collector_set_id=%u,obs_domain_id=%u,"
                 "obs_point_id=%u,output_port=%u%s))",
                 a->sample->probability, a->sample->set_id, a->sample->domain, a->sample->point,
                 a->sample->out_port ? a->sample->out_port : UINT32_MAX,
                 a->sample->egress ? ",egress" : "");
        break;
    case DP_RECIRC:
        str_putf(s, "recirc(0x%x)", a->recirc->id);
        break;
    case DP_CLONE:
        break;
    }
}

static void put_range(struct str *s, const struct dp_action *a, size_t n,
                      const char *(*port_name)(void *aux, uint32_t dp_no), void *aux)
{
    for (size_t i = 0; i < n; i++) {
        if (i)
            str_putc(s, ',');
        if (a[i].type == DP_CLONE) {
            str_put(s, "clone(");
            put_range(s, &a[i + 1], a[i].n, port_name, aux);
            str_putc(s, ')');
            i += a[i].n;
        } else {
            put_action(s, &a[i], port_name, aux);
        }
    }
}

void dp_actions_put_text(struct str *s, const struct dp_actions *actions,
                         const char *(*port_name)(void *aux, uint32_t dp_no), void *aux)
{
    if (actions->list.n)
        put_range(s, actions->list.data, actions->list.n, port_name, aux);
    else
        str_put(s, "drop");
}
