/* declare.c - the facts of DHCP and its compile units, in order (rooms 2 and 3 of docs/architecture.md). */
#include "northd/declare.h"
#include "northd/dhcp/dhcp.h"
#include "northd/fact_type.h"

FACT_COMPARE(dhcp, uuid_compare(&a->uuid, &b->uuid), address_compare(&a->cidr, &b->cidr),
             address_compare(&a->server, &b->server), fact_compare_u64(a->mac, b->mac),
             fact_compare_u64(a->stateless, b->stateless),
             fact_compare_text(a->options, b->options), fact_compare_text(a->hostname, b->hostname))
FACT_TEXTS(dhcp, options, hostname)
static void dhcp_print(const void *fact, struct str *out)
{
    const struct fact_dhcp *f = fact;
    address_put(out, &f->cidr);
    str_putf(out, " %s", f->options->s);
}

FACT_COMPARE(dhcp_use, uuid_compare(&a->lsp, &b->lsp), uuid_compare(&a->options, &b->options),
             fact_compare_u64(a->version, b->version), fact_compare_text(a->hostname, b->hostname))
FACT_TEXTS(dhcp_use, hostname)

FACT_TYPE(dhcp, dhcp_print);
FACT_TYPE(dhcp_use, NULL);

void dhcp_declare_facts(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    struct dhcp_facts *f = &p->dhcp;
    f->in_options = program_rows(p, "DHCP_Options");
    f->in_options_by_uuid = BY_UUID(f->in_options, feed_row, uuid);
    f->dhcp = inc_derived(g, "dhcp", &northd_type_dhcp);
    f->dhcp_by_uuid = BY_UUID(f->dhcp, fact_dhcp, uuid);
    f->use = inc_derived(g, "dhcp_use", &northd_type_dhcp_use);
    f->use_each = inc_index_field(g, f->use, "each", &northd_type_dhcp_use, 0);
}

void dhcp_declare_units(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    struct dhcp_facts *f = &p->dhcp;
    UNIT("dhcp: options", f->in_options_by_uuid, dhcp_options, READS(f->in_options), f->dhcp,
         p->complaint);
    UNIT("dhcp: uses", p->lsp_that.has_dhcp, dhcp_use, READS(p->lsp, p->in_lsp), f->use,
         p->complaint);
    UNIT("dhcp: ports", f->use_each, dhcp_port, READS(f->dhcp, p->lsp, p->port_addr), p->lflow);
}
