/* declare.c - facts, indexes and compile units of ports that stand for something elsewhere (rooms 2 and 3 of docs/architecture.md). */
#include "northd/declare.h"
#include "northd/fact_type.h"
#include "northd/port/port.h"

FACT_COMPARE(virtual_parent, fact_compare_text(a->port, b->port),
             fact_compare_text(a->parent, b->parent))
FACT_TEXTS(virtual_parent, port, parent)
FACT_TYPE(virtual_parent, NULL);

void port_declare_facts(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    struct port_facts *f = &p->port;
    f->parent = inc_input(g, "virtual_parent", &northd_type_virtual_parent);
    f->parent_by_port = BY_NAME(f->parent, fact_virtual_parent, port);
}

void port_declare_units(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    UNIT("port: groups of chassis", p->lsp_that.is_external, port_external_group,
         READS(p->lsp, p->in_lsp, p->gateway.in_ha_group), p->gateway.ha_want);
}

void port_declare_flows(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    struct port_facts *f = &p->port;
    UNIT("port: virtual", p->lsp_that.is_virtual, port_virtual, READS(p->lsp, p->in_lsp), p->lflow,
         p->complaint);
    UNIT("port: virtual, resolve", p->lsp_that.is_virtual, port_virtual_resolve,
         READS(p->lsp, p->in_lsp, p->link, p->network, p->port_addr, f->parent), p->lflow);
    UNIT("port: external", p->lsp_that.is_external, port_external,
         READS(p->lsp, p->link, p->network, p->port_addr), p->lflow);
    UNIT("port: proxy", p->link_by_lsp, port_proxy, READS(p->link, p->in_lsp), p->lflow,
         p->complaint);
}
