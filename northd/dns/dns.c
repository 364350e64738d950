/* dns.c - names that switches answer for (rooms 2 to 4 of docs/architecture.md; ovn-nb(5) "DNS"): a DNS row of SB with the switches that use
 * it, where controllers look names up, and on each such switch the flows that send questions there and answers back.
 */
#include "northd/dns/dns.h"

#include "base/hash.h"
#include "northd/declare.h"
#include "northd/fact_type.h"
#include "rows/nb.h"

FACT_COMPARE(dns_binding, uuid_compare(&a->dns, &b->dns),
             uuid_compare(&a->row->version, &b->row->version),
             fact_compare_u64(a->switches[0], b->switches[0]),
             fact_compare_u64(a->switches[1], b->switches[1]))
static void dns_binding_ref(const void *fact)
{
    row_ref(((const struct fact_dns_binding *)fact)->row);
}
static void dns_binding_unref(const void *fact)
{
    row_unref(((const struct fact_dns_binding *)fact)->row);
}
FACT_TYPE(dns_binding, NULL);

/* Each DNS row */
static void dns_row(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct feed_row *f = inc_read_one(ctx, p->dns.in_dns_by_uuid, key);
    const struct feed_ref *use;
    struct fact_dns_binding binding;
    INC_CLEAR(binding);
    INC_FOR_EACH(use, inc_read(ctx, p->dns.in_ls_dns_by_dns, key))
    {
        XXH128_hash_t h = XXH3_128bits(&use->row, sizeof use->row);
        binding.switches[0] += h.low64 | 1;
        binding.switches[1] += h.high64;
        if (nb_dns_records(nb_dns_cast(f->row))->n)
            inc_emit(ctx, p->dns.answers, &use->row);
    }
    if (!binding.switches[0] && !binding.switches[1])
        return;
    binding.dns = f->uuid;
    binding.row = f->row;
    inc_emit(ctx, p->dns.binding, &binding);
}

/* Each switch that has records */
static void dns_switch(struct inc_ctx *ctx, const void *key, void *aux)
{
    static const struct lflow_text flows[] = {
        {STAGE_SW_IN_DNS_LOOKUP, 100, "udp.dst == 53", "reg0[4] = dns_lookup(); next;"},
        {STAGE_SW_IN_DNS_RESPONSE, 100, "ip4 && udp.dst == 53 && reg0[4]",
         "eth.dst <-> eth.src; ip4.src <-> ip4.dst; udp.dst = udp.src; udp.src = 53; outport = "
         "inport; flags.loopback = 1; output;"},
        {STAGE_SW_IN_DNS_RESPONSE, 100, "ip6 && udp.dst == 53 && reg0[4]",
         "eth.dst <-> eth.src; ip6.src <-> ip6.dst; udp.dst = udp.src; udp.src = 53; outport = "
         "inport; flags.loopback = 1; output;"},
        {STAGE_SW_OUT_ACL, 34000, "udp.src == 53", "next;"},
    };
    struct lflow_out l = lflows_begin(ctx, aux, key, NULL);
    lflows_emit_texts(&l, flows, ARRAY_SIZE(flows));
}

void dns_declare_facts(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    struct dns_facts *f = &p->dns;
    f->in_dns = program_rows(p, "DNS");
    f->in_dns_by_uuid = BY_UUID(f->in_dns, feed_row, uuid);
    f->in_ls_dns = program_elements(p, "Logical_Switch", "dns_records", &feed_ref_type);
    f->in_ls_dns_by_dns = BY_UUID(f->in_ls_dns, feed_ref, to);
    f->binding = inc_derived(g, "dns_binding", &northd_type_dns_binding);
    f->answers = inc_derived(g, "dns_answers", &feed_uuid_type);
    f->answers_by_ls = inc_index_field(g, f->answers, "switch", &feed_uuid_type, 0);
}

void dns_declare_units(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    struct dns_facts *f = &p->dns;
    UNIT("dns: rows", f->in_dns_by_uuid, dns_row, READS(f->in_dns, f->in_ls_dns), f->binding,
         f->answers);
    UNIT("dns: switches", f->answers_by_ls, dns_switch, READS(f->answers), p->lflow);
}
