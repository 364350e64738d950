/* rows_ha.c - rows about who stands in for whom, and meters: see rows.c.
 *
 * Room 5. A chassisredirect or external port names the chassis that may hold it, in HA_Chassis_Group or (older) in Gateway_Chassis.
 */
#include "controller/program.h"

#include "rows/sb.h"

static void emit_candidate(struct inc_ctx *ctx, struct program *p, const struct uuid *port,
                           const struct uuid *chassis, int64_t priority)
{
    const struct fact_chassis *row =
        chassis ? inc_read_one(ctx, p->chassis_by_uuid, chassis) : NULL;
    if (!row)
        return;
    struct fact_candidate f;
    INC_CLEAR(f);
    f.port = *port;
    f.chassis = row->name;
    f.priority = priority;
    inc_emit(ctx, p->candidate, &f);
}

void rows_candidate_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct fact_port *port = inc_read_one(ctx, p->port_by_uuid, key);
    const struct feed_ref *ref;
    if (port->type != PORT_CHASSISREDIRECT && port->type != PORT_EXTERNAL)
        return;
    if (!uuid_is_zero(&port->ha_group)) {
        INC_FOR_EACH(ref, inc_read(ctx, p->in_ha_member_by_row, &port->ha_group))
        {
            const struct feed_row *f = inc_read_one(ctx, p->in_ha_chassis_by_uuid, &ref->to);
            const struct sb_ha_chassis *row = f ? sb_ha_chassis_cast(f->row) : NULL;
            if (row)
                emit_candidate(ctx, p, &port->uuid, sb_ha_chassis_chassis(row),
                               sb_ha_chassis_priority(row));
        }
        return;
    }
    INC_FOR_EACH(ref, inc_read(ctx, p->in_gateway_by_row, &port->uuid))
    {
        const struct feed_row *f = inc_read_one(ctx, p->in_gateway_chassis_by_uuid, &ref->to);
        const struct sb_gateway_chassis *row = f ? sb_gateway_chassis_cast(f->row) : NULL;
        if (row)
            emit_candidate(ctx, p, &port->uuid, sb_gateway_chassis_chassis(row),
                           sb_gateway_chassis_priority(row));
    }
}

void rows_meter_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct feed_row *f = inc_read_one(ctx, p->in_meter_by_uuid, key);
    const struct sb_meter *row = sb_meter_cast(f->row);
    const struct datum *bands = sb_meter_bands(row);
    struct str spec = STR_INIT;
    str_putf(&spec, "%s,burst,stats", sb_meter_unit(row));
    for (size_t i = 0; i < bands->n; i++) {
        const struct feed_row *b =
            inc_read_one(ctx, p->in_meter_band_by_uuid, &bands->atoms[i].uuid);
        const struct sb_meter_band *band = b ? sb_meter_band_cast(b->row) : NULL;
        if (band)
            str_putf(&spec, ",band=type=drop,rate=%lld,burst_size=%lld",
                     (long long)sb_meter_band_rate(band),
                     (long long)sb_meter_band_burst_size(band));
    }
    struct fact_meter m;
    INC_CLEAR(m);
    m.name = program_name(p, sb_meter_name(row));
    m.spec = program_name(p, str_c(&spec));
    str_fini(&spec);
    inc_emit_take(ctx, p->meter, &m);
}
