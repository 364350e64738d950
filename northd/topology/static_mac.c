/* static_mac.c - Static_MAC_Binding rows, with the router that their port is on, as SB has them for the controllers (rooms 1 and 5 of
 * docs/architecture.md). A row whose port is not there waits for it.
 */
#include "northd/topology/topology.h"
#include "rows/nb.h"

void topology_static_mac(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct feed_row *row = inc_read_one(ctx, p->in_static_mac_by_uuid, key);
    const struct nb_static_mac_binding *nb = nb_static_mac_binding_cast(row->row);
    const char *mac_text = nb_static_mac_binding_mac(nb), *ip_text = nb_static_mac_binding_ip(nb);
    struct mac mac;
    struct ip_addr ip;
    if (mac_parse(mac_text, &mac) || ip_addr_parse(ip_text, &ip)) {
        program_complain(ctx, p, key,
                         "static MAC binding: \"%s\" at \"%s\" is not an IP address at "
                         "a MAC address",
                         ip_text, mac_text);
        return;
    }
    struct fact_static_mac f;
    INC_CLEAR(f);
    f.port = program_intern(p, nb_static_mac_binding_logical_port(nb));
    const struct fact_lrp *lrp = inc_read_one(ctx, p->lrp_by_name, &f.port);
    if (lrp && inc_read_one(ctx, p->key_by_id, &lrp->lr)) {
        f.sb = fact_derive_uuid("Static_MAC_Binding", key, sizeof(struct uuid));
        f.lr = lrp->lr;
        f.ip = program_intern(p, ip_text);
        f.mac = program_intern(p, mac_text);
        f.overrides = nb_static_mac_binding_override_dynamic_mac(nb);
        inc_emit(ctx, p->static_mac, &f);
        rstr_unref(f.ip);
        rstr_unref(f.mac);
    }
    rstr_unref(f.port);
}
