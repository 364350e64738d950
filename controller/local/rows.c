/* rows.c - rows of the southbound database reduced to the facts that units use.
 *
 * Room 5. A column that no unit reads may change without any further work: the reduced fact comes out equal. Rows that make no
 * sense (a tunnel key out of range) yield nothing.
 */
#include "controller/program.h"

#include <stdlib.h>
#include <string.h>

#include "rows/sb.h"

/* The row of a feed's bucket, or NULL. */
static const struct row *read_row(struct inc_ctx *ctx, const struct inc_index *index,
                                  const void *key)
{
    const struct feed_row *f = inc_read_one(ctx, index, key);
    return f ? f->row : NULL;
}

void rows_datapath_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct sb_datapath_binding *row =
        sb_datapath_binding_cast(read_row(ctx, p->in_datapath_by_uuid, key));
    int64_t tunnel_key = sb_datapath_binding_tunnel_key(row);
    if (tunnel_key < 1 || tunnel_key > 0xffffff)
        return;
    struct fact_datapath f;
    INC_CLEAR(f);
    f.uuid = *sb_datapath_binding_uuid(row);
    f.key = (uint32_t)tunnel_key;
    f.is_router = sb_datapath_binding_external_ids_value(row, "logical-router") != NULL;
    int64_t zone;
    const char *snat = sb_datapath_binding_external_ids_value(row, "snat-ct-zone");
    if (snat && !text_to_i64(snat, 10, &zone) && zone > 0 && zone < 65536)
        f.snat_zone = (uint32_t)zone;
    inc_emit(ctx, p->datapath, &f);
}

/* Its counters change all the time. */
void rows_global_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct sb_sb_global *row = sb_sb_global_cast(read_row(ctx, p->in_global_all, key));
    const char *mark = sb_sb_global_options_value(row, "lb_hairpin_use_ct_mark");
    struct fact_global f = {mark && strcmp(mark, "true")};
    inc_emit(ctx, p->global, &f);
}

static enum port_type port_type_of(const char *text)
{
    static const struct {
        const char *text;
        enum port_type type;
    } types[] = {
        {"", PORT_VIF},
        {"patch", PORT_PATCH},
        {"localnet", PORT_LOCALNET},
        {"l2gateway", PORT_L2GATEWAY},
        {"l3gateway", PORT_L3GATEWAY},
        {"localport", PORT_LOCALPORT},
        {"chassisredirect", PORT_CHASSISREDIRECT},
        {"external", PORT_EXTERNAL},
        {"virtual", PORT_VIRTUAL},
        {"remote", PORT_REMOTE},
    };
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        if (!strcmp(types[i].text, text))
            return types[i].type;
    }
    return PORT_OTHER;
}

/* The first of a comma list: the main one of several requested chassis. */
static struct rstr *first_of(struct program *p, const char *list)
{
    return list ? rstr_pool_get_n(&p->names, list, strcspn(list, ",")) : NULL;
}

/* The parent of a nested port, or the one that holds a virtual port at present. */
static const char *parent_of(const struct sb_port_binding *row, enum port_type type)
{
    const char *parent = type == PORT_VIRTUAL ? sb_port_binding_virtual_parent(row)
                         : type == PORT_VIF   ? sb_port_binding_parent_port(row)
                                              : NULL;
    return parent && *parent ? parent : NULL;
}

static uint16_t tag_of(const struct sb_port_binding *row)
{
    if (sb_port_binding_tag_present(row)) {
        int64_t tag = sb_port_binding_tag(row);
        return tag > 0 && tag < 4096 ? (uint16_t)tag : PORT_TAG_NONE;
    }
    const char *passthru = sb_port_binding_options_value(row, "vlan-passthru");
    return passthru && !strcmp(passthru, "true") ? PORT_TAG_PASSTHRU : PORT_TAG_NONE;
}

void rows_port_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct sb_port_binding *row =
        sb_port_binding_cast(read_row(ctx, p->in_port_by_uuid, key));
    int64_t tunnel_key = sb_port_binding_tunnel_key(row);
    const struct uuid *datapath = sb_port_binding_datapath(row);
    if (tunnel_key < 1 || tunnel_key > 32767 || !datapath)
        return;
    struct fact_port f;
    INC_CLEAR(f);
    f.uuid = *sb_port_binding_uuid(row);
    f.datapath = *datapath;
    const struct uuid *chassis = sb_port_binding_chassis(row);
    if (chassis)
        f.chassis = *chassis;
    f.name = program_name(p, sb_port_binding_logical_port(row));
    f.peer = program_name(p, sb_port_binding_options_value(row, "peer"));
    f.wanted_on = first_of(p, sb_port_binding_options_value(row, "requested-chassis"));
    f.key = (uint32_t)tunnel_key;
    f.type = (uint16_t)port_type_of(sb_port_binding_type(row));
    f.parent = program_name(p, parent_of(row, f.type));
    f.network = program_name(p, sb_port_binding_options_value(row, "network_name"));
    f.gateway = program_name(p, sb_port_binding_options_value(row, f.type == PORT_L2GATEWAY
                                                                       ? "l2gateway-chassis"
                                                                       : "l3gateway-chassis"));
    f.redirect = program_name(p, sb_port_binding_options_value(row, "distributed-port"));
    const struct uuid *ha_group = sb_port_binding_ha_chassis_group(row),
                      *encap = sb_port_binding_encap(row);
    if (ha_group)
        f.ha_group = *ha_group;
    if (encap)
        f.encap = *encap;
    f.tag = tag_of(row);
    inc_emit_take(ctx, p->port, &f);
}

void rows_chassis_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct sb_chassis *row = sb_chassis_cast(read_row(ctx, p->in_chassis_by_uuid, key));
    struct fact_chassis f;
    INC_CLEAR(f);
    f.uuid = *sb_chassis_uuid(row);
    f.name = program_name(p, sb_chassis_name(row));
    inc_emit_take(ctx, p->chassis, &f);
}

void rows_encap_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct sb_encap *row = sb_encap_cast(read_row(ctx, p->in_encap_by_uuid, key));
    bool is_vxlan = !strcmp(sb_encap_type(row), "vxlan");
    if (!is_vxlan && strcmp(sb_encap_type(row), "geneve"))
        return;
    struct fact_encap f;
    INC_CLEAR(f);
    f.uuid = *sb_encap_uuid(row);
    f.type = is_vxlan ? TUNNEL_VXLAN : TUNNEL_GENEVE;
    f.chassis = program_name(p, sb_encap_chassis_name(row));
    f.ip = program_name(p, sb_encap_ip(row));
    const char *csum = sb_encap_options_value(row, "csum");
    f.csum = csum && !strcmp(csum, "true");
    inc_emit_take(ctx, p->encap, &f);
}

void rows_group_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct sb_multicast_group *row =
        sb_multicast_group_cast(read_row(ctx, p->in_group_by_uuid, key));
    int64_t tunnel_key = sb_multicast_group_tunnel_key(row);
    const struct uuid *datapath = sb_multicast_group_datapath(row);
    if (tunnel_key < 32768 || tunnel_key > 65535 || !datapath)
        return;
    struct fact_group f;
    INC_CLEAR(f);
    f.uuid = *sb_multicast_group_uuid(row);
    f.datapath = *datapath;
    f.name = program_name(p, sb_multicast_group_name(row));
    f.key = (uint32_t)tunnel_key;
    inc_emit_take(ctx, p->group, &f);
}

static void emit_set(struct inc_ctx *ctx, struct program *p, const struct row *row, char sigil,
                     const char *name)
{
    struct str text = STR_INIT;
    str_putc(&text, sigil);
    str_put(&text, name);
    struct fact_set f;
    INC_CLEAR(f);
    f.row = row->uuid;
    f.name = program_name(p, str_c(&text));
    inc_emit_take(ctx, p->set, &f);
    str_fini(&text);
}

void rows_address_set_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct row *row = read_row(ctx, p->in_address_set_by_uuid, key);
    emit_set(ctx, p, row, '$', sb_address_set_name(sb_address_set_cast(row)));
}

/* Port groups are named "<key of a datapath>_<name>", one row for each datapath that has members. */
void rows_port_group_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct row *row = read_row(ctx, p->in_port_group_by_uuid, key);
    emit_set(ctx, p, row, '@', sb_port_group_name(sb_port_group_cast(row)));
}
