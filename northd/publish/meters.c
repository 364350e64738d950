/* meters.c - the columns of Meter and Meter_Band rows; the rows are kept by rows.c (room 5 of docs/architecture.md). */
#include "northd/acl/acl.h"
#include "northd/publish/internal.h"

void meters_write(struct publisher *pub, const void *fact, const struct row *row)
{
    enum { T = SB_TABLE_METER };
    const struct fact_meter *f = fact;
    publisher_put(pub, T, &f->uuid, row, SB_METER_COL_NAME, datum_new_string(f->name->s));
    publisher_put(pub, T, &f->uuid, row, SB_METER_COL_UNIT,
                  datum_new_string(nb_meter_unit(nb_meter_cast(f->row))));
    publisher_put(pub, T, &f->uuid, row, SB_METER_COL_BANDS, acl_meter_bands(f));
}

void meters_write_band(struct publisher *pub, const void *fact, const struct row *row)
{
    enum { T = SB_TABLE_METER_BAND };
    const struct fact_meter_band *f = fact;
    publisher_put(pub, T, &f->uuid, row, SB_METER_BAND_COL_ACTION, datum_new_string("drop"));
    publisher_put(pub, T, &f->uuid, row, SB_METER_BAND_COL_RATE,
                  datum_new_integer((int64_t)f->rate));
    publisher_put(pub, T, &f->uuid, row, SB_METER_BAND_COL_BURST_SIZE,
                  datum_new_integer((int64_t)f->burst));
}
