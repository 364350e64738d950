/* nat_facts.c - types of the facts of address translation, and their declarations; see nat_facts.h (room 2 of
 * docs/architecture.md).
 */
#include "northd/declare.h"
#include "northd/fact_type.h"
#include "northd/nat/nat.h"

static int compare_texts(const struct fact_nat *a, const struct fact_nat *b)
{
    for (size_t i = 0; i < N_NAT_TEXTS; i++) {
        int c = fact_compare_text(a->text[i], b->text[i]);
        if (c)
            return c;
    }
    return 0;
}

FACT_COMPARE(nat, uuid_compare(&a->key.lr, &b->key.lr), uuid_compare(&a->key.nat, &b->key.nat),
             address_compare(&a->external, &b->external), address_compare(&a->logical, &b->logical),
             fact_compare_u64(a->type, b->type), fact_compare_u64(a->flags, b->flags),
             fact_compare_u64(a->mac, b->mac), fact_compare_u64(a->port_mac, b->port_mac),
             fact_compare_u64(a->priority, b->priority), compare_texts(a, b))
static void nat_ref(const void *fact)
{
    for (size_t i = 0; i < N_NAT_TEXTS; i++)
        fact_ref_text(((const struct fact_nat *)fact)->text[i]);
}
static void nat_unref(const void *fact)
{
    for (size_t i = 0; i < N_NAT_TEXTS; i++)
        rstr_unref(((const struct fact_nat *)fact)->text[i]);
}
static void nat_print(const void *fact, struct str *out)
{
    const struct fact_nat *f = fact;
    str_putf(out, "type %u flags %x ", f->type, f->flags);
    address_put(out, &f->external);
    str_put(out, " for ");
    address_put(out, &f->logical);
}

FACT_COMPARE(nat_address, uuid_compare(&a->key.lr, &b->key.lr),
             address_compare(&a->key.address, &b->key.address), fact_compare_u64(b->mac, a->mac),
             fact_compare_u64(a->type, b->type), fact_compare_u64(a->flags, b->flags),
             fact_compare_u64(a->port_mac, b->port_mac), fact_compare_text(a->port, b->port),
             fact_compare_text(a->resident, b->resident))
FACT_TEXTS(nat_address, port, resident)
static void nat_address_print(const void *fact, struct str *out)
{
    const struct fact_nat_address *f = fact;
    str_putf(out, "type %u flags %x ", f->type, f->flags);
    address_put(out, &f->key.address);
}

FACT_COMPARE(translates, uuid_compare(&a->lr, &b->lr))
FACT_COMPARE(nat_distributed, uuid_compare(&a->lr, &b->lr), fact_compare_u64(a->mac, b->mac),
             fact_compare_text(a->port, b->port),
             fact_compare_text(a->logical_port, b->logical_port))
FACT_TEXTS(nat_distributed, port, logical_port)

FACT_COMPARE(announcer, uuid_compare(&a->lr, &b->lr), fact_compare_text(a->port, b->port),
             fact_compare_text(a->lrp_name, b->lrp_name),
             fact_compare_text(a->resident, b->resident), fact_compare_u64(a->mac, b->mac),
             fact_compare_u64(a->without_vips, b->without_vips))
FACT_TEXTS(announcer, port, lrp_name, resident)
FACT_TYPE(announcer, NULL);

FACT_COMPARE(force_snat, uuid_compare(&a->lr, &b->lr), fact_compare_u64(a->what, b->what),
             address_compare(&a->address, &b->address))
static void force_snat_print(const void *fact, struct str *out)
{
    const struct fact_force_snat *f = fact;
    str_put(out, f->what == FORCE_SNAT_LB ? "after load balancing " : "after DNAT ");
    address_put(out, &f->address);
}

FACT_TYPE(nat, nat_print);
FACT_TYPE(nat_address, nat_address_print);
FACT_TYPE_PLAIN(translates, NULL);
FACT_TYPE(nat_distributed, NULL);
FACT_TYPE_PLAIN(force_snat, force_snat_print);
const struct inc_type northd_key_nat = {.name = "nat", .size = sizeof(struct key_nat)};
const struct inc_type northd_key_nat_address = {.name = "nat address",
                                                .size = sizeof(struct key_nat_address)};

void nat_declare_facts(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    struct nat_facts *f = &p->nat;
    f->in_nat = program_rows(p, "NAT");
    f->in_nat_by_uuid = BY_UUID(f->in_nat, feed_row, uuid);
    f->in_lr_nat = program_elements(p, "Logical_Router", "nat", &feed_ref_type);
    f->in_lr_nat_by_nat = BY_UUID(f->in_lr_nat, feed_ref, to);
    f->nat = inc_derived(g, "nat", &northd_type_nat);
    f->nat_each =
        inc_index_field(g, f->nat, "each", &northd_key_nat, offsetof(struct fact_nat, key));
    f->address = inc_derived(g, "nat_address", &northd_type_nat_address);
    f->address_each = inc_index_field(g, f->address, "each", &northd_key_nat_address,
                                      offsetof(struct fact_nat_address, key));
    f->announcer = inc_derived(g, "announcer", &northd_type_announcer);
    f->announcer_by_lr = BY_UUID(f->announcer, fact_announcer, lr);
    f->translates = inc_derived(g, "translates", &northd_type_translates);
    f->translates_by_lr = BY_UUID(f->translates, fact_translates, lr);
    f->distributed = inc_derived(g, "nat_distributed", &northd_type_nat_distributed);
    f->distributed_by_lr = BY_UUID(f->distributed, fact_nat_distributed, lr);
    f->distributed_each =
        inc_index_field(g, f->distributed, "each", &northd_type_nat_distributed, 0);
    f->force_snat = inc_derived(g, "force_snat", &northd_type_force_snat);
    f->force_snat_by_lr = BY_UUID(f->force_snat, fact_force_snat, lr);
}

void nat_declare_units(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    struct nat_facts *f = &p->nat;
    UNIT("nat: rules", f->in_nat_by_uuid, nat_rule,
         READS(f->in_nat, f->in_lr_nat, p->acl.in_set, p->gateway.router, p->gateway.port,
               p->network),
         f->nat, f->address, f->translates, f->distributed, p->complaint);
    UNIT("nat: force snat", p->gateway.router_by_lr, nat_force_snat,
         READS(p->gateway.router, p->in_lr), f->force_snat, p->complaint);
    UNIT("nat: announcements", p->link_by_lsp, nat_announce,
         READS(p->link, p->in_lsp, p->lsp, p->network, p->gateway.port, p->gateway.reside,
               p->gateway.router),
         p->port_nat, f->announcer, p->complaint);
    UNIT("nat: announced addresses", f->address_each, nat_announce_address,
         READS(f->address, f->announcer), p->port_nat);
    UNIT("nat: always redirect", p->gateway.port_by_lrp, nat_always_redirect,
         READS(p->gateway.port, p->in_lrp, f->distributed), p->port_option);
}

void nat_declare_flows(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    struct nat_facts *f = &p->nat;
    UNIT("nat: connections", f->translates_by_lr, nat_connections,
         READS(f->translates, p->gateway.router), p->lflow);
    UNIT("nat: translate", f->nat_each, nat_translate, READS(f->nat, f->force_snat), p->lflow);
    UNIT("nat: external", f->address_each, nat_external, READS(f->address), p->lflow);
    UNIT("nat: attached switches", f->distributed_each, nat_attached,
         READS(f->distributed, p->link, p->group), p->lflow);
    UNIT("nat: force snat, flows", f->force_snat_by_lr, nat_force_snat_flows,
         READS(f->force_snat, p->lrp, p->network), p->lflow);
}
