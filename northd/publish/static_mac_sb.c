/* static_mac_sb.c - columns of Static_MAC_Binding rows (room 5 of docs/architecture.md). */
#include "northd/publish/internal.h"

void static_mac_sb_write(struct publisher *pub, const void *fact, const struct row *row)
{
    enum { T = SB_TABLE_STATIC_MAC_BINDING };
    const struct fact_static_mac *f = fact;
    const struct pub_datapath *dp = datapaths_find(pub, &f->lr);
    INVARIANT(dp && dp->in_sb); /* it has a key */
    publisher_put(pub, T, &f->sb, row, SB_STATIC_MAC_BINDING_COL_LOGICAL_PORT,
                  datum_new_string(f->port->s));
    publisher_put(pub, T, &f->sb, row, SB_STATIC_MAC_BINDING_COL_DATAPATH, datum_new_uuid(&dp->sb));
    publisher_put(pub, T, &f->sb, row, SB_STATIC_MAC_BINDING_COL_IP, datum_new_string(f->ip->s));
    publisher_put(pub, T, &f->sb, row, SB_STATIC_MAC_BINDING_COL_MAC, datum_new_string(f->mac->s));
    publisher_put(pub, T, &f->sb, row, SB_STATIC_MAC_BINDING_COL_OVERRIDE_DYNAMIC_MAC,
                  datum_new_boolean(f->overrides));
}
