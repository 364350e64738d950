/* seed.c - rows that SB holds whatever NB says: names and codes of DHCP options, without which controllers cannot parse
 * put_dhcp_opts, and what the role ovn-controller may write (room 5 of docs/architecture.md). The values are those that
 * OVN's controllers and tools know.
 */
#include "northd/publish/internal.h"

#include <stdlib.h>
#include <string.h>

struct option_row {
    const char *name;
    int code;
    const char *type;
};

static const struct option_row dhcp_options[] = {
    {"offerip", 0, "ipv4"},
    {"netmask", 1, "ipv4"},
    {"router", 3, "ipv4"},
    {"dns_server", 6, "ipv4"},
    {"log_server", 7, "ipv4"},
    {"lpr_server", 9, "ipv4"},
    {"hostname", 12, "str"},
    {"domain_name", 15, "str"},
    {"swap_server", 16, "ipv4"},
    {"ip_forward_enable", 19, "bool"},
    {"policy_filter", 21, "ipv4"},
    {"default_ttl", 23, "uint8"},
    {"mtu", 26, "uint16"},
    {"broadcast_address", 28, "ipv4"},
    {"router_discovery", 31, "bool"},
    {"router_solicitation", 32, "ipv4"},
    {"arp_cache_timeout", 35, "uint32"},
    {"ethernet_encap", 36, "bool"},
    {"tcp_ttl", 37, "uint8"},
    {"tcp_keepalive_interval", 38, "uint32"},
    {"nis_server", 41, "ipv4"},
    {"ntp_server", 42, "ipv4"},
    {"netbios_name_server", 44, "ipv4"},
    {"netbios_node_type", 46, "uint8"},
    {"lease_time", 51, "uint32"},
    {"server_id", 54, "ipv4"},
    {"T1", 58, "uint32"},
    {"T2", 59, "uint32"},
    {"tftp_server", 66, "host_id"},
    {"bootfile_name", 67, "str"},
    {"domain_search_list", 119, "domains"},
    {"classless_static_route", 121, "static_routes"},
    {"tftp_server_address", 150, "ipv4"},
    {"path_prefix", 210, "str"},
    {"ms_classless_static_route", 249, "static_routes"},
    {"wpad", 252, "str"},
    {"next_server", 253, "ipv4"},
    {"bootfile_name_alt", 254, "str"},
};

static const struct option_row dhcpv6_options[] = {
    {"server_id", 2, "mac"},
    {"ia_addr", 5, "ipv6"},
    {"dns_server", 23, "ipv6"},
    {"domain_search", 24, "str"},
};

enum { MAX_UPDATE = 8 };

static const struct permission {
    const char *table, *authorization;
    bool insert_delete;
    const char *update[MAX_UPDATE]; /* ends at the first NULL */
} permissions[] = {
    {"BFD", "", false, {"status"}},
    {"Chassis",
     "name",
     true,
     {"encaps", "external_ids", "nb_cfg", "other_config", "transport_zones",
      "vtep_logical_switches"}},
    {"Chassis_Private", "name", true, {"chassis", "external_ids", "nb_cfg", "nb_cfg_timestamp"}},
    {"Controller_Event", "", true, {"chassis", "event_info", "event_type", "seq_num"}},
    {"Encap", "chassis_name", true, {"ip", "options", "type"}},
    {"FDB", "", true, {"dp_key", "mac", "port_key"}},
    {"IGMP_Group", "", true, {"address", "chassis", "datapath", "ports"}},
    {"MAC_Binding",
     "",
     true,
     {"datapath", "ip", "learned_from", "logical_port", "mac", "timestamp"}},
    {"Port_Binding",
     "",
     false,
     {"additional_chassis", "additional_encap", "chassis", "encap", "options", "up",
      "virtual_parent"}},
    {"Service_Monitor", "", false, {"status"}},
};

bool seed_is_seed_table(size_t table)
{
    return table == SB_TABLE_DHCP_OPTIONS || table == SB_TABLE_DHCPV6_OPTIONS ||
           table == SB_TABLE_RBAC_PERMISSION || table == SB_TABLE_RBAC_ROLE;
}

/* The row of TABLE whose COLUMN is TEXT; further ones are deleted. */
static const struct row *only_row(struct publisher *pub, size_t table, int column, const char *text)
{
    const struct row *row, *first = NULL;
    REPLICA_FOR_EACH(row, pos, pub->sb, publisher_table(pub, table))
    {
        if (strcmp(row->values[column]->atoms[0].string->s, text))
            continue;
        if (first)
            publisher_delete(pub, table, &row->uuid);
        else
            first = row;
    }
    return first;
}

static struct uuid row_or_insert(struct publisher *pub, size_t table, const struct row *row)
{
    return row ? row->uuid : replica_txn_insert(pub->txn, publisher_table(pub, table));
}

static void build_options(struct publisher *pub, const struct option_row *options, size_t n,
                          size_t table, int name, int code, int type)
{
    for (size_t i = 0; i < n; i++) {
        const struct row *row = only_row(pub, table, name, options[i].name);
        struct uuid uuid = row_or_insert(pub, table, row);
        publisher_put(pub, table, &uuid, row, name, datum_new_string(options[i].name));
        publisher_put(pub, table, &uuid, row, code, datum_new_integer(options[i].code));
        publisher_put(pub, table, &uuid, row, type, datum_new_string(options[i].type));
    }
}

static const struct datum *texts(const char *const *list, size_t max)
{
    union atom atoms[MAX_UPDATE];
    size_t n = 0;
    for (; n < max && list[n]; n++)
        atoms[n].string = rstr_new(list[n]);
    return datum_new_set(ATOM_STRING, atoms, n);
}

static void build_roles(struct publisher *pub)
{
    enum { T = SB_TABLE_RBAC_PERMISSION, R = SB_TABLE_RBAC_ROLE };
    union atom keys[ARRAY_SIZE(permissions)], values[ARRAY_SIZE(permissions)];
    for (size_t i = 0; i < ARRAY_SIZE(permissions); i++) {
        const struct permission *p = &permissions[i];
        const struct row *row = only_row(pub, T, SB_RBAC_PERMISSION_COL_TABLE, p->table);
        struct uuid uuid = row_or_insert(pub, T, row);
        publisher_put(pub, T, &uuid, row, SB_RBAC_PERMISSION_COL_TABLE, datum_new_string(p->table));
        publisher_put(pub, T, &uuid, row, SB_RBAC_PERMISSION_COL_AUTHORIZATION,
                      texts(&p->authorization, 1));
        publisher_put(pub, T, &uuid, row, SB_RBAC_PERMISSION_COL_INSERT_DELETE,
                      datum_new_boolean(p->insert_delete));
        publisher_put(pub, T, &uuid, row, SB_RBAC_PERMISSION_COL_UPDATE,
                      texts(p->update, MAX_UPDATE));
        keys[i].string = rstr_new(p->table);
        values[i].uuid = uuid;
    }
    const struct row *role = only_row(pub, R, SB_RBAC_ROLE_COL_NAME, "ovn-controller");
    struct uuid uuid = row_or_insert(pub, R, role);
    publisher_put(pub, R, &uuid, role, SB_RBAC_ROLE_COL_NAME, datum_new_string("ovn-controller"));
    publisher_put(pub, R, &uuid, role, SB_RBAC_ROLE_COL_PERMISSIONS,
                  datum_new_map(ATOM_STRING, ATOM_UUID, keys, values, ARRAY_SIZE(permissions)));
}

void seed_build(struct publisher *pub)
{
    if (!pub->seed_dirty)
        return;
    pub->seed_dirty = false;
    build_options(pub, dhcp_options, ARRAY_SIZE(dhcp_options), SB_TABLE_DHCP_OPTIONS,
                  SB_DHCP_OPTIONS_COL_NAME, SB_DHCP_OPTIONS_COL_CODE, SB_DHCP_OPTIONS_COL_TYPE);
    build_options(pub, dhcpv6_options, ARRAY_SIZE(dhcpv6_options), SB_TABLE_DHCPV6_OPTIONS,
                  SB_DHCPV6_OPTIONS_COL_NAME, SB_DHCPV6_OPTIONS_COL_CODE,
                  SB_DHCPV6_OPTIONS_COL_TYPE);
    build_roles(pub);
}
