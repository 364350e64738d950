/* action_print_nested.c - learn, ct and nat in ovs-ofctl's words; see action_print.c. */
#include "openflow/action_print.h"

/* ---- learn ---- */

static void put_learn_spec(struct action_printer *p, const struct of_learn_spec *s)
{
    u128 value = (u128)s->value_hi << 64 | s->value_lo;
    const struct field *f = s->dst.id ? field_get(s->dst.id) : NULL;
    switch (s->dst_type) {
    case OF_LEARN_MATCH:
        if (s->src_imm && s->dst.n_bits == f->n_bits) {
            str_putf(p->s, "%s=", f->name);
            field_put(p->s, f, value, u128_ones(f->n_bits), p->names);
            return;
        }
        subfield_put(p->s, &s->dst);
        if (s->src_imm) {
            str_putc(p->s, '=');
            action_put_u128(p->s, value);
        } else if (memcmp(&s->src, &s->dst, sizeof s->src)) {
            str_putc(p->s, '=');
            subfield_put(p->s, &s->src);
        }
        return;
    case OF_LEARN_LOAD:
        str_put(p->s, "load:");
        if (s->src_imm)
            action_put_u128(p->s, value);
        else
            subfield_put(p->s, &s->src);
        str_put(p->s, "->");
        subfield_put(p->s, &s->dst);
        return;
    default:
        str_put(p->s, "output:");
        subfield_put(p->s, &s->src);
    }
}

void action_put_learn(struct action_printer *p, const struct of_learn *l)
{
    struct str *s = p->s;
    str_put(s, "learn(table=");
    action_put_table(p, l->table);
    if (l->idle_timeout)
        str_putf(s, ",idle_timeout=%u", l->idle_timeout);
    if (l->hard_timeout)
        str_putf(s, ",hard_timeout=%u", l->hard_timeout);
    if (l->fin_idle_timeout)
        str_putf(s, ",fin_idle_timeout=%u", l->fin_idle_timeout);
    if (l->fin_hard_timeout)
        str_putf(s, ",fin_hard_timeout=%u", l->fin_hard_timeout);
    if (l->priority != OF_PRIORITY_DEFAULT)
        str_putf(s, ",priority=%u", l->priority);
    if (l->flags & OF_LEARN_SEND_FLOW_REM)
        str_put(s, ",send_flow_rem");
    if (l->flags & OF_LEARN_DELETE_LEARNED)
        str_put(s, ",delete_learned");
    if (l->cookie)
        str_putf(s, ",cookie=%#llx", (unsigned long long)l->cookie);
    if (l->limit)
        str_putf(s, ",limit=%u", l->limit);
    if (l->flags & OF_LEARN_WRITE_RESULT) {
        str_put(s, ",result_dst=");
        subfield_put(s, &l->result_dst);
    }
    for (unsigned i = 0; i < l->n_specs; i++) {
        str_putc(s, ',');
        put_learn_spec(p, &l->specs[i]);
    }
    str_putc(s, ')');
}

/* ---- Connections ---- */

static void put_nat_addr(struct str *s, const struct of_nat *nat, const struct ip6 *addr)
{
    bool bracket = nat->addr_version == 6 && nat->port_min;
    be32 v4;
    if (nat->addr_version == 4) {
        memcpy(&v4, addr, 4);
        ip4_put(s, v4);
        return;
    }
    if (bracket)
        str_putc(s, '[');
    ip6_put(s, *addr);
    if (bracket)
        str_putc(s, ']');
}

void action_put_nat(struct action_printer *p, const struct of_nat *nat)
{
    struct str *s = p->s;
    str_put(s, "nat");
    if (!nat->flags)
        return;
    str_put(s, nat->flags & OF_NAT_SRC ? "(src" : nat->flags & OF_NAT_DST ? "(dst" : "(");
    if (nat->addr_version || nat->port_min)
        str_putc(s, '=');
    if (nat->addr_version) {
        put_nat_addr(s, nat, &nat->addr_min);
        if (nat->has_max & 1 && !ip6_equal(nat->addr_min, nat->addr_max)) {
            str_putc(s, '-');
            put_nat_addr(s, nat, &nat->addr_max);
        }
    }
    if (nat->port_min) {
        str_putf(s, ":%u", nat->port_min);
        if (nat->port_max != nat->port_min)
            str_putf(s, "-%u", nat->port_max);
    }
    if (nat->flags & OF_NAT_PERSISTENT)
        str_put(s, ",persistent");
    if (nat->flags & OF_NAT_HASH)
        str_put(s, ",hash");
    if (nat->flags & OF_NAT_RANDOM)
        str_put(s, ",random");
    str_putc(s, ')');
}

void action_put_ct(struct action_printer *p, const struct of_ct *ct)
{
    size_t n, start;
    const struct of_action *x = of_action_nested((const struct of_action *)ct, &n);
    str_put(p->s, "ct(");
    start = p->s->n;
    if (ct->flags & OF_CT_COMMIT)
        str_put(p->s, "commit,");
    if (ct->flags & OF_CT_FORCE)
        str_put(p->s, "force,");
    if (ct->table != OF_CT_NO_RECIRC) {
        str_put(p->s, "table=");
        action_put_table(p, ct->table);
        str_putc(p->s, ',');
    }
    if (ct->zone_src.id) {
        str_put(p->s, "zone=");
        subfield_put(p->s, &ct->zone_src);
        str_putc(p->s, ',');
    } else if (ct->zone_imm) {
        str_putf(p->s, "zone=%u,", ct->zone_imm);
    }
    if (n && x->type == OF_NAT) { /* nat stands outside of exec() when it comes first */
        action_put_nat(p, (const struct of_nat *)x);
        str_putc(p->s, ',');
        n -= x->len;
        x = (const void *)((const uint8_t *)x + x->len);
    }
    if (n) {
        str_put(p->s, "exec(");
        action_put_list(p, x, n);
        str_put(p->s, "),");
    }
    if (ct->alg == 21)
        str_put(p->s, "alg=ftp,");
    else if (ct->alg == 69)
        str_put(p->s, "alg=tftp,");
    else if (ct->alg)
        str_putf(p->s, "alg=%u,", ct->alg);
    if (p->s->n > start)
        str_truncate(p->s, p->s->n - 1);
    str_putc(p->s, ')');
}
