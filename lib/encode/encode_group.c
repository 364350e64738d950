/* encode_group.c - actions that need a group of the switch: load balancing, ECMP, forwarding groups; see internal.h.
 *
 * A group is described by a text in ovs-ofctl's syntax, which is its identity: equal texts are one group. Who owns the group
 * ids (the controller's allocator) gets the text through params->group.
 */
#include "encode/internal.h"

#include <stdlib.h>
#include <string.h>

static void put_group(struct encoder *en, struct str *spec, bool empty)
{
    uint32_t id = !empty && en->p->group ? en->p->group(en->p->aux, str_c(spec)) : 0;
    if (id)
        of_put_group(en->out, id);
    str_fini(spec);
}

static void begin_spec(struct str *s, const struct action *a)
{
    const struct operand *fields = encode_option_value(a, "hash_fields");
    if (fields)
        str_putf(s, "type=select,selection_method=hash,fields(%s)", fields->text->s);
    else
        str_put(s, "type=select,selection_method=dp_hash");
}

/* BACKEND ("lsp1":IP:PORT) as what nat() takes; false if it is for another chassis. */
static bool put_backend(struct encoder *en, const struct action *a, const char *backend,
                        struct str *out)
{
    if (a->op == ACTION_CT_LB_MARK_LOCAL) {
        const char *quote = strrchr(backend, '"');
        char *name = xstrndup(backend + 1, quote ? (size_t)(quote - backend - 1) : 0);
        bool here = !en->p->resident || en->p->resident(en->p->aux, name);
        free(name);
        if (!here)
            return false;
        backend = quote ? quote + 2 : backend;
    }
    str_put(out, backend);
    return true;
}

void encode_lb(struct encoder *en, const struct action *a)
{
    enum field_id zone = en->p->is_router ? en->pf->zone_dnat : en->pf->zone_port;
    if (!a->n) {
        struct subfield z = subfield_make(zone, 0, 16);
        size_t ct = of_begin_ct(en->out, 0, &z, 0, encode_next_table(en));
        of_put_nat(en->out, 0, NULL, NULL, 0, 0);
        of_end_nested(en->out, ct);
        return;
    }
    const char *mark = a->op == ACTION_CT_LB ? "ct_label" : "ct_mark";
    const char *zone_name = field_get(zone)->nxm.name;
    struct str s = STR_INIT, dst = STR_INIT;
    unsigned n = 0;
    begin_spec(&s, a);
    for (uint32_t i = 1; i < a->n && a->operand[i].kind == OPERAND_WORD; i++) {
        str_clear(&dst);
        if (!put_backend(en, a, a->operand[i].text->s, &dst))
            continue;
        str_putf(&s, ",bucket=bucket_id=%u,weight:100,actions=ct(nat(dst=%s),commit,table=%u,", n++,
                 str_c(&dst), encode_next_table(en));
        str_putf(&s, "zone=%s[0..15],exec(set_field:2/2->%s", zone_name, mark);
        if (encode_option_value(a, "skip_snat"))
            str_putf(&s, ",set_field:4/4->%s", mark);
        if (encode_option_value(a, "force_snat"))
            str_putf(&s, ",set_field:8/8->%s", mark);
        str_put(&s, "))");
    }
    str_fini(&dst);
    put_group(en, &s, !n);
}

void encode_select(struct encoder *en, const struct action *a)
{
    struct subfield dst = encode_bits(en, a->operand[0].field);
    struct str s = STR_INIT;
    unsigned n = 0;
    begin_spec(&s, a);
    for (uint32_t i = 1; i < a->n && a->operand[i].kind == OPERAND_VALUE; i++)
        str_putf(&s, ",bucket=bucket_id=%u,weight:%u,actions=load:%u->%s[%u..%u],resubmit(,%u)",
                 n++, (unsigned)a->operand[i].mask, (unsigned)a->operand[i].value,
                 field_get(dst.id)->name, dst.ofs, dst.ofs + dst.n_bits - 1u,
                 encode_next_table(en));
    put_group(en, &s, !n);
}

void encode_fwd_group(struct encoder *en, const struct action *a)
{
    const struct operand *ports = encode_option_value(a, "childports");
    struct str s = STR_INIT;
    unsigned n = 0;
    str_put(&s, "type=select,selection_method=dp_hash");
    for (; ports && ports < a->operand + a->n && ports->kind == OPERAND_STRING; ports++) {
        uint32_t port, tunnel;
        if (!en->p->port || !en->p->port(en->p->aux, ports->text->s, &port))
            continue;
        str_put(&s, ",bucket=");
        if (encode_option_value(a, "liveness") && en->p->tunnel_port &&
            en->p->tunnel_port(en->p->aux, ports->text->s, &tunnel))
            str_putf(&s, "watch_port:%u,", tunnel);
        str_putf(&s, en->pf->peer_numbers ? "load=0x%u" : "load=0x%x", port);
        str_putf(&s, "->%s[0..15],resubmit(,%u)", field_get(en->pf->outport)->nxm.name,
                 en->p->pipeline == PIPELINE_INGRESS ? en->pf->output_ingress
                                                     : en->pf->output_egress);
        n++;
    }
    put_group(en, &s, !n);
}
