/* config_ct.c - what the database says of connection tracking: timeouts and limits of zones, from the rows Datapath, CT_Zone and
 * CT_Timeout_Policy. All datapath types share one tracker here, so a zone's settings are those of whichever row names it. */
#include "rows/ovs.h"
#include "switchd/config.h"

static bool contains(const struct config *config, uint16_t zone)
{
    for (size_t i = 0; i < config->ct_zones.n; i++) {
        if (config->ct_zones.data[i] == zone)
            return true;
    }
    return false;
}

static void apply_timeouts(struct config *config, uint16_t zone, const struct uuid *policy)
{
    const struct row *row = policy ? config_ref(config, OVS_TABLE_CT_TIMEOUT_POLICY, policy) : NULL;
    struct conntrack *ct = config->vs->ct;
    if (!row) {
        conntrack_set_timeouts(ct, zone, NULL);
        return;
    }
    struct ct_timeouts timeouts;
    ct_timeouts_default(&timeouts);
    const struct datum *map = ovs_ct_timeout_policy_timeouts(ovs_ct_timeout_policy_cast(row));
    for (uint32_t i = 0; i < map->n; i++)
        ct_timeouts_set(
            &timeouts, map->atoms[i].string->s,
            (uint32_t)datum_values(map)[i].integer); /* keys of other datapaths are theirs */
    conntrack_set_timeouts(ct, zone, &timeouts);
}

static void apply_zone(struct config *config, uint16_t zone, const struct ovs_ct_zone *row)
{
    apply_timeouts(config, zone, ovs_ct_zone_timeout_policy(row));
    if (ovs_ct_zone_limit_present(row))
        conntrack_set_limit(config->vs->ct, zone, (uint32_t)ovs_ct_zone_limit(row));
    else if (contains(config, zone))
        conntrack_unset_limit(config->vs->ct, zone);
}

static void apply_datapath(struct config *config, const struct ovs_datapath *dp, config_zones *now)
{
    const struct datum *zones = ovs_datapath_ct_zones(dp);
    for (uint32_t i = 0; i < zones->n; i++) {
        const struct row *row = config_ref(config, OVS_TABLE_CT_ZONE, &datum_values(zones)[i].uuid);
        if (!row)
            continue;
        uint16_t zone = (uint16_t)zones->atoms[i].integer;
        apply_zone(config, zone, ovs_ct_zone_cast(row));
        vec_push(now, zone);
    }
    if (ovs_datapath_ct_zone_default_limit_present(dp)) {
        conntrack_set_default_limit(config->vs->ct,
                                    (uint32_t)ovs_datapath_ct_zone_default_limit(dp));
        config->ct_default_limit = true;
    }
}

void config_apply_ct(struct config *config, const struct row *root)
{
    config_zones now = VEC_INIT;
    bool had_default = config->ct_default_limit;
    config->ct_default_limit = false;
    const struct datum *dps = root ? ovs_open_vswitch_datapaths(ovs_open_vswitch_cast(root)) : NULL;
    for (uint32_t i = 0; dps && i < dps->n; i++) {
        const struct row *row = config_ref(config, OVS_TABLE_DATAPATH, &datum_values(dps)[i].uuid);
        if (row)
            apply_datapath(config, ovs_datapath_cast(row), &now);
    }
    if (had_default && !config->ct_default_limit)
        conntrack_set_default_limit(config->vs->ct, 0);
    config_zones before = config->ct_zones;
    config->ct_zones = now;
    for (size_t i = 0; i < before.n; i++) {
        if (contains(config, before.data[i]))
            continue;
        conntrack_set_timeouts(config->vs->ct, before.data[i], NULL);
        conntrack_unset_limit(config->vs->ct, before.data[i]);
    }
    vec_fini(&before);
}
