/* meter.c - meters of a bridge (OpenFlow 1.3 section 5.7), a token bucket for each band; see bridge.h. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "switchd/bridge.h"
#include "switchd/use_count.h"
#include "switchd/vswitch.h"

struct meter *bridge_meter(const struct bridge *br, uint32_t id)
{
    struct meter *m;
    HMAP_FOR_EACH_WITH_HASH (m, node, hash_u64(id, 0), &br->meters) {
        if (m->of.id == id)
            return m;
    }
    return NULL;
}

static void meter_remove(struct bridge *br, struct meter *m)
{
    hmap_remove(&br->meters, &m->node);
    of_meter_fini(&m->of);
    free(m);
}

void bridge_meters_remove(struct bridge *br, uint32_t id)
{
    struct meter *m = bridge_meter(br, id);
    if (m)
        meter_remove(br, m);
    if (id == OF_METER_ALL)
        HMAP_FOR_EACH_SAFE (m, node, &br->meters)
            meter_remove(br, m);
}

bool bridge_meter_is_in_flows(const struct bridge *br, uint32_t id)
{
    const struct meter *m;
    HMAP_FOR_EACH (m, node, &br->meters) {
        if (m->in_flows && (id == OF_METER_ALL || id == m->of.id))
            return true;
    }
    return false;
}

static int meter_check(const struct of_meter *m)
{
    if (!m->n_bands || m->n_bands > METER_BANDS_MAX)
        return OF_ERR_METER_MOD_OUT_OF_BANDS;
    for (size_t i = 0; i < m->n_bands; i++) {
        if (m->bands[i].type != OF_BAND_DROP)
            return OF_ERR_METER_MOD_BAD_BAND;
        if (!m->bands[i].rate)
            return OF_ERR_METER_MOD_BAD_RATE;
    }
    if (!!(m->flags & OF_METER_KBPS) == !!(m->flags & OF_METER_PKTPS))
        return OF_ERR_METER_MOD_BAD_FLAGS;
    return 0;
}

int bridge_meter_mod(struct bridge *br, const struct of_meter_mod *mm, struct journal *journal)
{
    struct meter *m = bridge_meter(br, mm->meter.id);
    tables_settle(&br->tables);
    if (mm->command == OF_METER_DELETE) { /* and flows that use it (OpenFlow 1.3 section 6.6) */
        if (bridge_meter_is_in_flows(br, mm->meter.id))
            uses_remove(&br->tables, OF_METER, mm->meter.id, journal);
        bridge_meters_remove(br, mm->meter.id);
        return 0;
    }
    if (mm->command == OF_METER_ADD && m)
        return OF_ERR_METER_MOD_EXISTS;
    if (mm->command == OF_METER_MODIFY && !m)
        return OF_ERR_METER_MOD_UNKNOWN_METER;
    int err = meter_check(&mm->meter);
    if (err)
        return err;
    if (m) {
        of_meter_fini(&m->of);
    } else {
        m = NEW(struct meter);
        m->created_ms = env_now_ms(br->vs->env);
        hmap_insert(&br->meters, &m->node, hash_u64(mm->meter.id, 0));
    }
    of_meter_copy(&m->of, &mm->meter);
    memset(m->bands, 0, sizeof m->bands);
    m->filled_us = 0;
    return 0;
}

/* Fills band I of METER with what US microseconds give, to the brim if they are negative, and takes COST out. False: there is not so much in it. */
static bool band_admits(struct meter *meter, size_t i, double cost, int64_t us)
{
    const struct of_meter_band *band = &meter->of.bands[i];
    double unit = meter->of.flags & OF_METER_PKTPS ? 1 : 1000,
           rate = band->rate * unit; /* a second */
    double burst = meter->of.flags & OF_METER_BURST && band->burst ? band->burst * unit : rate;
    double *tokens = &meter->bands[i].tokens;
    *tokens = us < 0 ? burst : MIN(burst, *tokens + rate * (double)us / 1e6);
    if (*tokens < cost)
        return false;
    *tokens -= cost;
    return true;
}

/* Of bands that a packet exceeds the one with the highest rate counts it (OpenFlow 1.3.5, section 5.7.1). */
static bool admits(struct meter *meter, size_t size, int64_t now_us)
{
    const struct of_meter_band *bands = meter->of.bands;
    double cost = meter->of.flags & OF_METER_PKTPS ? 1 : (double)size * 8;
    int64_t us = meter->filled_us ? now_us - meter->filled_us : -1;
    size_t hit = meter->of.n_bands;
    for (size_t i = 0; i < meter->of.n_bands; i++)
        if (!band_admits(meter, i, cost, us) &&
            (hit == meter->of.n_bands || bands[i].rate > bands[hit].rate))
            hit = i;
    meter->filled_us = now_us;
    meter->n_packets++;
    meter->n_bytes += size;
    if (hit == meter->of.n_bands)
        return true;
    meter->bands[hit].packets++;
    meter->bands[hit].bytes += size;
    return false;
}

bool meter_admit(struct meter *meter, size_t size, int64_t now_us)
{
    spin_take(&meter->spin);
    bool result = admits(meter, size, MAX(now_us, meter->filled_us));
    spin_give(&meter->spin);
    return result;
}
