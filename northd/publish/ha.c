/* ha.c - columns of HA_Chassis_Group and HA_Chassis rows (room 5 of docs/architecture.md). */
#include "northd/publish/internal.h"

#include <stdlib.h>

void ha_write_group(struct publisher *pub, const void *fact, const struct row *row)
{
    enum { T = SB_TABLE_HA_CHASSIS_GROUP };
    const struct fact_ha_group *f = fact;
    struct inc_facts members = inc_look(pub->inc, pub->p->gateway.ha_member_by_group, &f->sb);
    union atom *atoms = xcalloc(members.n + 1, sizeof *atoms);
    for (size_t i = 0; i < members.n; i++)
        atoms[i].uuid = ((const struct fact_ha_member *)members.v[i])->sb;
    publisher_put(pub, T, &f->sb, row, SB_HA_CHASSIS_GROUP_COL_NAME, datum_new_string(f->name->s));
    publisher_put(pub, T, &f->sb, row, SB_HA_CHASSIS_GROUP_COL_HA_CHASSIS,
                  datum_new_set(ATOM_UUID, atoms, members.n));
    free(atoms);
    struct inc_facts refs = inc_look(pub->inc, pub->p->gateway.ha_ref_by_group, &f->sb);
    atoms = xcalloc(refs.n + 1, sizeof *atoms);
    for (size_t i = 0; i < refs.n; i++)
        atoms[i].uuid = ((const struct fact_ha_ref *)refs.v[i])->chassis;
    publisher_put(pub, T, &f->sb, row, SB_HA_CHASSIS_GROUP_COL_REF_CHASSIS,
                  datum_new_set(ATOM_UUID, atoms, refs.n));
    free(atoms);
}

void ha_write_member(struct publisher *pub, const void *fact, const struct row *row)
{
    enum { T = SB_TABLE_HA_CHASSIS };
    const struct fact_ha_member *f = fact;
    struct pairs ids = {0};
    pairs_put(&ids, "chassis-name", f->name->s);
    publisher_put(pub, T, &f->sb, row, SB_HA_CHASSIS_COL_CHASSIS,
                  uuid_is_zero(&f->chassis) ? datum_new_empty(ATOM_UUID, DATUM_SET)
                                            : datum_new_uuid(&f->chassis));
    publisher_put(pub, T, &f->sb, row, SB_HA_CHASSIS_COL_PRIORITY,
                  datum_new_integer((int64_t)f->priority));
    publisher_put(pub, T, &f->sb, row, SB_HA_CHASSIS_COL_EXTERNAL_IDS, pairs_take(&ids));
}
