/* zones.c - connection tracking zones of datapaths, and how any unit asks for a number (controller/allocate gives them).
 *
 * Room 5. Each local datapath has one zone for destination and one for source NAT; ports' zones are asked for in place.c. Units are local
 * datapaths; numbers that were given (objects).
 */
#include "controller/local/local.h"

#include <string.h>

static const struct fact_id *ask(struct inc_ctx *ctx, struct program *p, enum id_kind kind,
                                 const char *name, uint32_t arg)
{
    struct fact_want f;
    INC_CLEAR(f);
    f.key.name = program_name(p, name);
    f.key.kind = kind;
    f.arg = arg;
    const struct fact_id *id = inc_read_one(ctx, p->id_by_key, &f.key);
    inc_emit_take(ctx, p->want, &f);
    return id;
}

uint32_t local_id(struct inc_ctx *ctx, struct program *p, enum id_kind kind, const char *name,
                  uint32_t arg)
{
    const struct fact_id *id = ask(ctx, p, kind, name, arg);
    return id ? id->id : 0;
}

bool local_zone(struct inc_ctx *ctx, struct program *p, const char *name, uint32_t arg,
                uint32_t *ret)
{
    const struct fact_id *id = ask(ctx, p, ID_ZONE, name, arg);
    *ret = id ? id->id : 0;
    return id != NULL;
}

void zones_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct fact_datapath *datapath = inc_read_one(ctx, p->datapath_by_uuid, key);
    if (!datapath)
        return;
    char uuid[UUID_TEXT_LEN + 1];
    struct str name = STR_INIT;
    struct fact_dp_zones f;
    INC_CLEAR(f);
    f.datapath = datapath->uuid;
    str_putf(&name, "%s_dnat", uuid_print(&datapath->uuid, uuid));
    bool is_known = local_zone(ctx, p, str_c(&name), 0, &f.zones.dnat);
    str_clear(&name);
    str_putf(&name, "%s_snat", uuid);
    is_known &= local_zone(ctx, p, str_c(&name), datapath->snat_zone, &f.zones.snat);
    str_fini(&name);
    if (is_known)
        inc_emit(ctx, p->dp_zones, &f);
}

/* What a given number stands for in the switch. */
void zones_object_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    static const char text[] = "__string: ";
    struct program *p = aux;
    const struct fact_id *id = inc_read_one(ctx, p->id_by_key, key);
    struct fact_object f;
    INC_CLEAR(f);
    f.kind = id->key.kind;
    f.id = id->id;
    const char *name = id->key.name->s;
    if (id->key.kind == ID_GROUP) {
        f.spec = rstr_ref(id->key.name);
    } else if (id->key.kind == ID_METER && !strncmp(name, text, sizeof text - 1)) {
        /* "uuid <whose it is> <description>" */
        const char *spec = name + sizeof text - 1;
        f.spec = program_name(p, strncmp(spec, "uuid ", 5) ? spec : spec + 5 + UUID_TEXT_LEN + 1);
    } else if (id->key.kind == ID_METER) {
        const struct fact_meter *meter = inc_read_one(ctx, p->meter_by_name, &id->key.name);
        f.spec = meter ? rstr_ref(meter->spec) : NULL;
    }
    if (f.spec)
        inc_emit_take(ctx, p->object, &f);
}
