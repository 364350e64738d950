/* announce.c - the addresses that a router's chassis announces by gratuitous ARP on the switch (room 5 of docs/architecture.md;
 * ovn-nb(5), Logical_Switch_Port options:nat-addresses; ovn-sb(5), Port_Binding nat_addresses): those of its port where
 * the switch has a way out, and with options:nat-addresses "router" those of NAT and load balancers too (the latter not with
 * exclude-lb-vips-from-garp), or what the option lists.
 *
 * An address is an element of its own, so that one more is one more.
 */
#include "northd/nat/nat.h"

#include <string.h>

#include "northd/gateway/gateway.h"
#include "northd/topology/topology.h"
#include "rows/nb.h"

struct announcing {
    struct inc_ctx *ctx;
    struct northd_program *p;
    const struct rstr *port;     /* of the switch */
    const struct rstr *resident; /* the gateway port's chassis, NULL: a gateway router's */
};

static void announce(const struct announcing *a, uint64_t mac, const struct address *ips, size_t n,
                     const struct rstr *resident)
{
    struct str s = STR_INIT;
    mac_put(&s, mac_from_u64(mac));
    for (size_t i = 0; i < n; i++) {
        if (ips[i].version != 4)
            continue;
        str_putc(&s, ' ');
        address_put(&s, &ips[i]);
    }
    if (resident)
        str_putf(&s, " is_chassis_resident(\"%s\")", resident->s);
    struct fact_port_nat f;
    INC_CLEAR(f);
    f.port = rstr_ref(a->port);
    f.address = program_intern(a->p, str_c(&s));
    inc_emit_take(a->ctx, a->p->port_nat, &f);
    str_fini(&s);
}

static void announce_port(const struct announcing *a, const struct fact_link *link)
{
    const struct fact_network *n;
    if (!inc_read_one(a->ctx, a->p->localnet_by_ls, &link->ls))
        return;
    INC_FOR_EACH(n, inc_read(a->ctx, a->p->network_by_lrp, &link->lrp))
    {
        struct address own = n->address;
        own.plen = (uint16_t)address_bits(&own);
        if (own.version == 4)
            announce(a, n->mac, &own, 1, a->resident);
    }
}

static void announce_router(const struct announcing *a, const struct fact_link *link,
                            const struct nb_logical_switch_port *row)
{
    const char *without = nb_logical_switch_port_options_value(row, "exclude-lb-vips-from-garp");
    struct fact_announcer f;
    INC_CLEAR(f);
    f.lr = link->lr;
    f.port = link->lsp_name;
    f.lrp_name = link->lrp_name;
    f.resident = a->resident;
    f.mac = link->mac;
    f.without_vips = without && !strcmp(without, "true");
    inc_emit(a->ctx, a->p->nat.announcer, &f);
}

void nat_announce(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_link *link = inc_read_one(ctx, p->link_by_lsp, key);
    const struct feed_row *f = inc_read_one(ctx, p->in_lsp_by_uuid, key);
    const struct nb_logical_switch_port *row = nb_logical_switch_port_cast(f->row);
    struct announcing a = {ctx, p, link->lsp_name, gateway_resident(ctx, p, &link->lrp, false)};
    if (!a.resident && !inc_read_one(ctx, p->gateway.router_by_lr, &link->lr))
        return;
    announce_port(&a, link);
    const char *option = nb_logical_switch_port_options_value(row, "nat-addresses");
    if (!option)
        return;
    if (!strcmp(option, "router")) {
        announce_router(&a, link, row);
        return;
    }
    struct port_addr listed = topology_parse_addr(option, inc_arena(ctx));
    if (listed.kind == ADDR_STATIC)
        announce(&a, listed.mac, listed.ip, listed.n, a.resident);
    else
        program_complain(ctx, p, key,
                         "options:nat-addresses \"%s\" is not \"router\" or a MAC "
                         "address and IP addresses",
                         option);
}

void nat_announce_address(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_announcer *by;
    const struct fact_nat_address *f;
    INC_FOR_EACH(by,
                 inc_read(ctx, p->nat.announcer_by_lr, &((const struct key_nat_address *)key)->lr))
    {
        struct announcing a = {ctx, p, by->port, by->resident};
        INC_FOR_EACH(f, inc_read(ctx, p->nat.address_each, key))
        if (f->key.address.version == 4 && (!f->port || f->port == by->lrp_name))
            announce(&a, f->mac ? f->mac : by->mac, &f->key.address, 1, f->resident);
    }
}

void nat_announce_vip(struct inc_ctx *ctx, struct northd_program *p, const struct uuid *lr,
                      const struct address *vip)
{
    const struct fact_announcer *by;
    if (vip->version == 4)
        INC_FOR_EACH(by, inc_read(ctx, p->nat.announcer_by_lr, lr))
        {
            struct announcing a = {ctx, p, by->port, by->resident};
            if (!by->without_vips)
                announce(&a, by->mac, vip, 1, by->resident);
        }
}

/* A gateway port that no distributed rule goes round. */
void nat_always_redirect(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_gateway_port *port = inc_read_one(ctx, p->gateway.port_by_lrp, key);
    const struct feed_row *row = inc_read_one(ctx, p->in_lrp_by_uuid, key);
    const char *how = nb_logical_router_port_options_value(nb_logical_router_port_cast(row->row),
                                                           "redirect-type");
    if ((how && !strcmp(how, "bridged")) || inc_read_one(ctx, p->nat.distributed_by_lr, &port->lr))
        return;
    struct fact_port_option f;
    INC_CLEAR(f);
    f.port = rstr_ref(port->redirect);
    f.key = program_intern(p, "always-redirect");
    f.value = program_intern(p, "true");
    inc_emit_take(ctx, p->port_option, &f);
}
