/* fdb.c - learned Ethernet addresses of ports that take unknown ones, as flows: what get_fdb finds, what lookup_fdb confirms.
 *
 * Rooms 12 and 8, tables 71 and 72. Units are rows of FDB. A row of a datapath that is not here, or with an address that cannot
 * be read, yields nothing.
 */
#include "controller/translate/oflow.h"

#include "lflow/lflow.h"
#include "net/addr.h"
#include "rows/sb.h"

enum { PRIO_FDB = 100 };

void fdb_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct feed_row *f = inc_read_one(ctx, p->in_fdb_by_uuid, key);
    const struct sb_fdb *row = sb_fdb_cast(f->row);
    struct mac mac;
    uint32_t dp_key = (uint32_t)sb_fdb_dp_key(row), port_key = (uint32_t)sb_fdb_port_key(row);
    const struct fact_datapath *datapath = inc_read_one(ctx, p->datapath_by_key, &dp_key);
    if (!datapath || !inc_read(ctx, p->local_by_datapath, &datapath->uuid).n ||
        mac_parse(sb_fdb_mac(row), &mac))
        return;
    struct oflow flow = OFLOW_INIT;
    oflow_begin(&flow);
    oflow_match_dp(&flow, dp_key);
    match_set(&flow.match, FIELD_ETH_DST, mac_to_u64(mac));
    oflow_load(&flow, REG_OUTPORT, port_key);
    oflow_emit(ctx, p, &flow, OFTABLE_GET_FDB, PRIO_FDB, uuid_prefix32(&f->uuid));

    oflow_begin(&flow);
    oflow_match_dp(&flow, dp_key);
    oflow_match_reg(&flow, REG_INPORT, port_key);
    match_set(&flow.match, FIELD_ETH_SRC, mac_to_u64(mac));
    struct subfield found = subfield_make(REG_FLAGS, FLAG_FDB_FOUND, 1);
    of_put_load(&flow.actions, &found, 1);
    oflow_emit(ctx, p, &flow, OFTABLE_LOOKUP_FDB, PRIO_FDB, uuid_prefix32(&f->uuid));
    oflow_fini(&flow);
}
