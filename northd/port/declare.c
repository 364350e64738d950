/* declare.c - facts, indexes and compile units of ports that stand for something elsewhere (rooms 2 and 3 of docs/architecture.md). */
#include "northd/declare.h"
#include "northd/fact_type.h"
#include "northd/port/port.h"

FACT_COMPARE(virtual_parent, fact_compare_text(a->port, b->port),
             fact_compare_text(a->parent, b->parent))
FACT_TEXTS(virtual_parent, port, parent)
FACT_TYPE(virtual_parent, NULL);

static void key_of_type(const void *fact, struct inc_keys *keys, enum lsp_type type)
{
    const struct fact_lsp *f = fact;
    if (f->type == type)
        inc_key_add(keys, &f->uuid);
}

static void virtual_key(const void *fact, struct inc_keys *keys, void *aux UNUSED)
{
    key_of_type(fact, keys, LSP_VIRTUAL);
}

static void external_key(const void *fact, struct inc_keys *keys, void *aux UNUSED)
{
    key_of_type(fact, keys, LSP_EXTERNAL);
}

void port_declare_facts(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    struct port_facts *f = &p->port;
    f->parent = inc_input(g, "virtual_parent", &northd_type_virtual_parent);
    f->parent_by_port = BY_NAME(f->parent, fact_virtual_parent, port);
    f->virtual_by_uuid = inc_index_fn(g, p->lsp, "virtual", &feed_uuid_type, virtual_key);
    f->external_by_uuid = inc_index_fn(g, p->lsp, "external", &feed_uuid_type, external_key);
}

void port_declare_units(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    UNIT("port: groups of chassis", p->port.external_by_uuid, port_external_group,
         READS(p->lsp, p->in_lsp, p->gateway.in_ha_group), p->gateway.ha_want);
}

void port_declare_flows(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    struct port_facts *f = &p->port;
    UNIT("port: virtual", f->virtual_by_uuid, port_virtual, READS(p->lsp, p->in_lsp), p->lflow,
         p->complaint);
    UNIT("port: virtual, resolve", f->virtual_by_uuid, port_virtual_resolve,
         READS(p->lsp, p->in_lsp, p->link, p->network, p->port_addr, f->parent), p->lflow);
    UNIT("port: external", f->external_by_uuid, port_external,
         READS(p->lsp, p->link, p->network, p->port_addr), p->lflow);
    UNIT("port: proxy", p->link_by_lsp, port_proxy, READS(p->link, p->in_lsp), p->lflow,
         p->complaint);
}
