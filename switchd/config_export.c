/* config_export.c - rows of Flow_Sample_Collector_Set and IPFIX become the collectors that sample actions of a bridge send to; see
 * config.h and export/export.h. */
#include <string.h>

#include "rows/ovs.h"
#include "switchd/config.h"

static void read_ipfix(const struct ovs_ipfix *row, struct ipfix *ipfix)
{
    struct ipfix_config c;
    memset(&c, 0, sizeof c);
    c.cache_timeout_s = (uint32_t)ovs_ipfix_cache_active_timeout(row);
    c.cache_max = (uint32_t)MIN(ovs_ipfix_cache_max_flows(row), IPFIX_CACHE_MAX);
    const char *tunnels = ovs_ipfix_other_config_value(row, "enable-tunnel-sampling");
    c.tunnels = !tunnels || strcmp(tunnels, "false") != 0;
    const char *id = ovs_ipfix_other_config_value(row, "virtual_obs_id");
    if (id)
        strncpy(c.virtual_obs_id, id, sizeof c.virtual_obs_id - 1);
    ipfix_configure(ipfix, &c);
    const struct datum *targets = ovs_ipfix_targets(row);
    VEC(const char *) texts = VEC_INIT;
    for (uint32_t i = 0; i < targets->n; i++)
        vec_push(&texts, targets->atoms[i].string->s);
    collectors_set(&ipfix->collectors, texts.data, texts.n, IPFIX_PORT);
    vec_fini(&texts);
}

void config_apply_exports(const struct config *config, struct bridge *br, const struct row *row_)
{
    struct exports *exports = &br->exports;
    size_t before = exports->sets.n;
    bool added = false;
    for (size_t i = 0; i < before; i++)
        exports->sets.data[i]->wanted = false;
    const struct schema_table *table = &config->schema->tables[OVS_TABLE_FLOW_SAMPLE_COLLECTOR_SET];
    const struct row *each;
    REPLICA_FOR_EACH(each, pos, config->db, table)
    {
        const struct ovs_flow_sample_collector_set *set = ovs_flow_sample_collector_set_cast(each);
        const struct uuid *ref = ovs_flow_sample_collector_set_ipfix(set);
        const struct row *ipfix = ref ? config_ref(config, OVS_TABLE_IPFIX, ref) : NULL;
        if (!ipfix || !uuid_equal(ovs_flow_sample_collector_set_bridge(set), &row_->uuid))
            continue;
        uint32_t id = (uint32_t)ovs_flow_sample_collector_set_id(set);
        struct export_set *e = exports_find(exports, id);
        if (!e && exports->sets.n < EXPORT_SETS_MAX) {
            e = exports_add(exports, id, br->vs->env);
            added = true;
        }
        if (!e)
            continue;
        e->wanted = true;
        read_ipfix(ovs_ipfix_cast(ipfix), &e->ipfix);
    }
    size_t most = exports->sets.n;
    exports_sweep(exports);
    if (added || exports->sets.n != most)
        vswitch_invalidate(br->vs);
}
