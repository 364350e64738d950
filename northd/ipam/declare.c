/* declare.c - the facts of address management and its compile units, in order, and the column of NB that they end in (rooms 2 and 5
 * of docs/architecture.md).
 */
#include "northd/declare.h"
#include "northd/fact_type.h"
#include "northd/ipam/ipam.h"
#include "rows/nb.h"

FACT_COMPARE(ipam_config, uuid_compare(&a->ls, &b->ls), address_compare(&a->subnet, &b->subnet),
             address_compare(&a->prefix6, &b->prefix6), fact_compare_text(a->excluded, b->excluded))
FACT_TEXTS(ipam_config, excluded)

FACT_COMPARE(ipam_used, uuid_compare(&a->ls, &b->ls), fact_compare_u64(a->mac, b->mac),
             address_compare(&a->ip, &b->ip))

FACT_COMPARE(ipam_want, uuid_compare(&a->ls, &b->ls), uuid_compare(&a->lsp, &b->lsp),
             fact_compare_u64(a->mac, b->mac), address_compare(&a->ip4, &b->ip4),
             address_compare(&a->ip6, &b->ip6), fact_compare_u64(a->had_mac, b->had_mac),
             address_compare(&a->had_ip4, &b->had_ip4))

FACT_COMPARE(ipam_given, uuid_compare(&a->lsp, &b->lsp), fact_compare_u64(a->mac, b->mac),
             address_compare(&a->ip4, &b->ip4), address_compare(&a->ip6, &b->ip6))
static void ipam_given_print(const void *fact, struct str *out)
{
    const struct fact_ipam_given *f = fact;
    mac_put(out, mac_from_u64(f->mac));
    if (f->ip4.version) {
        str_putc(out, ' ');
        address_put(out, &f->ip4);
    }
    if (f->ip6.version) {
        str_putc(out, ' ');
        address_put(out, &f->ip6);
    }
}

FACT_TYPE(ipam_config, NULL);
FACT_TYPE_PLAIN(ipam_used, NULL);
FACT_TYPE_PLAIN(ipam_want, NULL);
FACT_TYPE_PLAIN(ipam_given, ipam_given_print);

void ipam_declare_facts(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    struct ipam_facts *f = &p->ipam;
    f->config = inc_derived(g, "ipam_config", &northd_type_ipam_config);
    f->config_by_ls = BY_UUID(f->config, fact_ipam_config, ls);
    f->used = inc_derived(g, "ipam_used", &northd_type_ipam_used);
    f->used_by_ls = BY_UUID(f->used, fact_ipam_used, ls);
    f->want = inc_derived(g, "ipam_want", &northd_type_ipam_want);
    f->want_by_ls = BY_UUID(f->want, fact_ipam_want, ls);
    f->given = inc_derived(g, "ipam_given", &northd_type_ipam_given);
    f->given_by_lsp = BY_UUID(f->given, fact_ipam_given, lsp);
}

void ipam_declare_units(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    struct ipam_facts *f = &p->ipam;
    UNIT("ipam: switches", p->in_ls_by_uuid, ipam_config, READS(p->in_ls), f->config, p->complaint);
    UNIT("ipam: ports", p->lsp_by_uuid, ipam_port,
         READS(p->lsp, p->in_lsp, p->link, p->network, f->config), f->used, f->want);
    UNIT("ipam: allocation", f->config_by_ls, ipam_allocate,
         READS(f->config, f->used, f->want, p->in_option, p->datapath, p->lsp), f->given,
         p->complaint);
}

void ipam_build_port(struct northd_program *p, struct inc *inc, struct replica_txn *txn,
                     const struct row *row)
{
    const char *present =
        nb_logical_switch_port_dynamic_addresses(nb_logical_switch_port_cast(row));
    struct inc_facts given = inc_look(inc, p->ipam.given_by_lsp, &row->uuid);
    struct str text = STR_INIT;
    if (given.n)
        ipam_given_print(given.v[0], &text);
    if (strcmp(present ? present : "", str_c(&text))) {
        union atom atom = {.string = given.n ? rstr_new(str_c(&text)) : NULL};
        replica_txn_set(txn, row->table, &row->uuid,
                        &row->table->columns[NB_LOGICAL_SWITCH_PORT_COL_DYNAMIC_ADDRESSES],
                        datum_new_set(ATOM_STRING, &atom, given.n ? 1 : 0));
    }
    str_fini(&text);
}
