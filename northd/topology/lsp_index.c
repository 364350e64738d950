/* lsp_index.c - the switch ports that have something that most have not (room 2 of docs/architecture.md): a compile unit that concerns
 * only those runs at such an index, so that an ordinary port costs it nothing.
 */
#include "northd/declare.h"
#include "northd/topology/topology.h"

#define PORTS_THAT(NAME, CONDITION)                                                                \
    static void NAME##_key(const void *fact, struct inc_keys *keys, void *aux UNUSED)              \
    {                                                                                              \
        const struct fact_lsp *f = fact;                                                           \
        if (CONDITION)                                                                             \
            inc_key_add(keys, &f->uuid);                                                           \
    }

PORTS_THAT(router, f->type == LSP_ROUTER)
PORTS_THAT(outer, f->type == LSP_ROUTER || f->type == LSP_LOCALNET)
PORTS_THAT(vtep, f->type == LSP_VTEP)
PORTS_THAT(virtual, f->type == LSP_VIRTUAL)
PORTS_THAT(external, f->type == LSP_EXTERNAL)
PORTS_THAT(fdb, f->flags &PORT_LEARNS)
PORTS_THAT(disabled, f->flags &PORT_DISABLED)
PORTS_THAT(queue, f->flags &PORT_HAS_QUEUE)
PORTS_THAT(tag, f->flags &PORT_HAS_TAG)
PORTS_THAT(dhcp, f->flags &PORT_HAS_DHCP)
PORTS_THAT(requests, f->flags &PORT_REQUESTS_CHASSIS)

void topology_declare_lsp_indexes(struct northd_program *p)
{
    struct lsp_indexes *x = &p->lsp_that;
    const struct {
        struct inc_index **index;
        const char *name;
        inc_key_fn *key;
    } all[] = {
        {&x->is_router, "router", router_key},
        {&x->is_outer, "outer", outer_key},
        {&x->is_vtep, "vtep", vtep_key},
        {&x->is_virtual, "virtual", virtual_key},
        {&x->is_external, "external", external_key},
        {&x->learns, "learns", fdb_key},
        {&x->is_disabled, "disabled", disabled_key},
        {&x->has_queue, "queue", queue_key},
        {&x->has_tag, "tag", tag_key},
        {&x->has_dhcp, "dhcp", dhcp_key},
        {&x->requests_chassis, "requests", requests_key},
    };
    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        *all[i].index = inc_index_fn(p->inc, p->lsp, all[i].name, &feed_uuid_type, all[i].key);
}
