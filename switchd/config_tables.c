/* config_tables.c - rows of Flow_Table become the limits, policies and names of a bridge's flow tables; see config.h and
 * table_policy.h. The column prefixes is not read: the classifier tracks prefixes of all address fields by itself. */
#include <string.h>

#include "base/log.h"
#include "rows/ovs.h"
#include "switchd/config.h"
#include "switchd/table_policy.h"

LOG_MODULE(tables);

static void read_fields(const struct bridge *br, const struct datum *groups,
                        struct table_settings *ret)
{
    static struct log_rate rate = LOG_RATE(1, 5);
    for (uint32_t i = 0; i < groups->n; i++) {
        const char *text = groups->atoms[i].string->s, *p = text;
        struct subfield sub;
        if (subfield_parse(&p, &sub) || *p)
            log_warn_limited(&rate, "bridge %s: Flow_Table: unknown field \"%s\" in groups",
                             br->name, text);
        else if (ret->n_fields < EVICT_FIELDS_MAX)
            ret->fields[ret->n_fields++] = sub;
    }
}

static void read_settings(const struct bridge *br, const struct ovs_flow_table *row,
                          struct table_settings *ret)
{
    memset(ret, 0, sizeof *ret); /* padding too: settings are compared */
    ret->name = ovs_flow_table_name(row);
    ret->limit = ovs_flow_table_flow_limit_present(row)
                     ? (uint32_t)MIN(ovs_flow_table_flow_limit(row), TABLE_NO_LIMIT - 1)
                     : TABLE_NO_LIMIT;
    const char *policy = ovs_flow_table_overflow_policy(row);
    ret->evicts = policy && !strcmp(policy, "evict");
    if (ret->evicts || ret->limit != TABLE_NO_LIMIT)
        read_fields(br, ovs_flow_table_groups(row), ret);
}

void config_apply_tables(const struct config *config, struct bridge *br, const struct row *row_)
{
    const struct datum *map = ovs_bridge_flow_tables(ovs_bridge_cast(row_));
    struct journal journal = JOURNAL_INIT;
    uint32_t at = 0;
    for (unsigned id = 0; id < N_TABLES_OPEN; id++) {
        while (at < map->n && map->atoms[at].integer < id)
            at++;
        const struct row *row =
            at < map->n && map->atoms[at].integer == id
                ? config_ref(config, OVS_TABLE_FLOW_TABLE, &datum_values(map)[at].uuid)
                : NULL;
        struct table_settings settings;
        if (row)
            read_settings(br, ovs_flow_table_cast(row), &settings);
        tables_configure(&br->tables, (uint8_t)id, row ? &settings : NULL, &journal);
    }
    bridge_commit(br, &journal);
}
