/* meters.c - meters, for the log of ACLs (rooms 2 and 5 of docs/architecture.md; ovn-nb(5) "Meter"): each is a meter of SB with its
 * bands; one that is fair is for each ACL that logs through it a meter of its own, named after both.
 */
#include "northd/acl/acl.h"
#include "rows/nb.h"

static struct uuid band_uuid(const struct uuid *meter, const struct uuid *band)
{
    const struct uuid of[] = {*meter, *band};
    return fact_derive_uuid("band", of, sizeof of);
}

const struct datum *acl_meter_bands(const struct fact_meter *meter)
{
    const struct datum *bands = nb_meter_bands(nb_meter_cast(meter->row));
    union atom *atoms = xcalloc(bands->n + 1, sizeof *atoms);
    for (size_t i = 0; i < bands->n; i++)
        atoms[i].uuid = band_uuid(&meter->uuid, &bands->atoms[i].uuid);
    const struct datum *d = datum_new_set(ATOM_UUID, atoms, bands->n);
    free(atoms);
    return d;
}

/* A meter NAME (taken over) like ROW. */
static void emit(struct inc_ctx *ctx, struct northd_program *p, const struct uuid *uuid,
                 const struct rstr *name, const struct row *row)
{
    const struct datum *bands = nb_meter_bands(nb_meter_cast(row));
    struct fact_meter f;
    INC_CLEAR(f);
    f.uuid = *uuid;
    f.name = name;
    f.row = row_ref(row);
    inc_emit_take(ctx, p->acl.meter, &f);
    for (size_t i = 0; i < bands->n; i++) {
        const struct feed_row *in =
            inc_read_one(ctx, p->acl.in_band_by_uuid, &bands->atoms[i].uuid);
        if (!in)
            continue;
        const struct nb_meter_band *band = nb_meter_band_cast(in->row);
        struct fact_meter_band b;
        INC_CLEAR(b);
        b.uuid = band_uuid(uuid, &in->uuid);
        b.rate = (uint64_t)nb_meter_band_rate(band);
        b.burst = (uint64_t)nb_meter_band_burst_size(band);
        inc_emit(ctx, p->acl.meter_band, &b);
    }
}

void acl_meter(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct feed_row *in = inc_read_one(ctx, p->acl.in_meter_by_uuid, key);
    const struct nb_meter *row = nb_meter_cast(in->row);
    const struct rstr *name = program_intern(p, nb_meter_name(row));
    if (nb_meter_fair_present(row) && nb_meter_fair(row)) {
        struct feed_text fair = {in->uuid, name};
        inc_emit(ctx, p->acl.fair_meter, &fair);
    }
    emit(ctx, p, key, name, in->row);
}

const struct rstr *acl_meter_name(struct inc_ctx *ctx, struct northd_program *p,
                                  const struct fact_acl *acl)
{
    char uuid[UUID_TEXT_LEN + 1];
    if (!(acl->flags & ACL_LOG) || !acl->meter)
        return NULL;
    if (!inc_read_one(ctx, p->acl.fair_meter_by_name, &acl->meter))
        return rstr_ref(acl->meter);
    char *text = xasprintf("%s__%s", acl->meter->s, uuid_print(&acl->uuid, uuid));
    const struct rstr *name = program_intern(p, text);
    free(text);
    return name;
}

void acl_meter_fair(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_acl *acl = inc_read_one(ctx, p->acl.acl_by_uuid, key);
    if (!(acl->flags & ACL_LOG) || !acl->meter)
        return;
    const struct feed_text *fair = inc_read_one(ctx, p->acl.fair_meter_by_name, &acl->meter);
    if (!fair)
        return;
    const struct feed_row *in = inc_read_one(ctx, p->acl.in_meter_by_uuid, &fair->row);
    const struct uuid of[] = {acl->uuid, fair->row};
    struct uuid uuid = fact_derive_uuid("meter", of, sizeof of);
    emit(ctx, p, &uuid, acl_meter_name(ctx, p, acl), in->row);
}
