/* sets.c - the named sets that matches refer to, as SB has them (rooms 2 and 5 of docs/architecture.md; ovn-sb(5) "Address_Set",
 * "Port_Group"): $name as in NB; for each port group the addresses of its ports, $name_ip4 and $name_ip6; and for each group
 * and switch the ports that it has there, @name, in a row that is called after the switch's tunnel key.
 *
 * An element is a fact, so one more in ten thousand is one more. Those of NB's address sets go from the input to the publisher
 * as they are. A set that is made of something gives way to a row of NB that has its name.
 */
#include <inttypes.h>

#include "northd/acl/acl.h"
#include "rows/nb.h"

static struct uuid owner_of_addresses(const struct uuid *group, unsigned version)
{
    return fact_derive_uuid(version == 4 ? "ip4" : "ip6", group, sizeof *group);
}

static struct uuid owner_of_ports(const struct uuid *group, const struct uuid *ls)
{
    const struct uuid of[] = {*group, *ls};
    return fact_derive_uuid("ports", of, sizeof of);
}

static void emit_set(struct inc_ctx *ctx, struct northd_program *p, enum set_table table,
                     const struct uuid *owner, const struct rstr *name)
{
    struct fact_set f;
    INC_CLEAR(f);
    f.owner = *owner;
    f.table = table;
    f.name = name;
    inc_emit_take(ctx, p->acl.set, &f);
}

static void emit_element(struct inc_ctx *ctx, struct northd_program *p, const struct uuid *owner,
                         const struct rstr *text)
{
    struct feed_text f = {*owner, text};
    inc_emit(ctx, p->acl.set_element, &f);
}

static void emit_made(struct inc_ctx *ctx, struct northd_program *p, const struct uuid *owner,
                      const char *text)
{
    const struct rstr *name = program_intern(p, text);
    if (inc_read_one(ctx, p->acl.set_named_by_name, &name))
        rstr_unref(name);
    else
        emit_set(ctx, p, SET_ADDRESSES, owner, name);
}

void acl_set_name(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct feed_row *in = inc_read_one(ctx, p->acl.in_set_by_uuid, key);
    const char *name = nb_address_set_name(nb_address_set_cast(in->row));
    struct feed_text f = {in->uuid, program_intern(p, name)};
    inc_emit_take(ctx, p->acl.set_named, &f);
}

void acl_set(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct feed_text *named = inc_read_one(ctx, p->acl.set_named_by_uuid, key);
    emit_set(ctx, p, SET_ADDRESSES, key, rstr_ref(named->text));
}

/* --- Port groups */

void acl_set_group(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_port_group *group = inc_read_one(ctx, p->acl.port_group_by_uuid, key);
    for (unsigned version = 4; version <= 6; version += 2) {
        char *name = xasprintf("%s_ip%u", group->name->s, version);
        struct uuid owner = owner_of_addresses(key, version);
        emit_made(ctx, p, &owner, name);
        free(name);
    }
}

void acl_set_ports(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_group_switch *on = key;
    const struct fact_port_group *group = inc_read_one(ctx, p->acl.port_group_by_uuid, &on->group);
    const struct fact_key *number = inc_read_one(ctx, p->key_by_id, &on->ls);
    if (!group || !number)
        return;
    struct uuid owner = owner_of_ports(&on->group, &on->ls);
    char *name = xasprintf("%" PRIu64 "_%s", number->key, group->name->s);
    emit_set(ctx, p, SET_PORTS, &owner, program_intern(p, name));
    free(name);
}

static void emit_addresses(struct inc_ctx *ctx, struct northd_program *p, const struct uuid *group,
                           const struct uuid *port)
{
    const struct fact_port_addr *addr;
    INC_FOR_EACH(addr, inc_read(ctx, p->port_addr_by_lsp, port))
    {
        if (!addr->ip.version)
            continue;
        struct str s = STR_INIT;
        struct uuid owner = owner_of_addresses(group, addr->ip.version);
        address_put(&s, &addr->ip);
        const struct feed_text *before = inc_emitted_before(ctx, p->acl.set_element);
        const struct rstr *text = program_intern_again(p, before ? before->text : NULL, str_c(&s));
        emit_element(ctx, p, &owner, text);
        rstr_unref(text);
        str_fini(&s);
    }
}

void acl_set_port(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_lsp *lsp = inc_read_one(ctx, p->lsp_by_uuid, key);
    const struct fact_group_port *in;
    INC_FOR_EACH(in, inc_read(ctx, p->acl.group_port_by_port, key))
    {
        struct uuid owner = owner_of_ports(&in->group, &in->ls);
        emit_element(ctx, p, &owner, lsp->name);
        emit_addresses(ctx, p, &in->group, key);
    }
}

/* --- The service monitor: frames to and from this address are northd's own, and no ACL's business. */

void acl_set_monitor(struct inc_ctx *ctx, const void *key UNUSED, void *aux)
{
    struct northd_program *p = aux;
    const char *mac = program_option(ctx, p, "svc_monitor_mac");
    if (!mac)
        return;
    struct uuid owner = fact_derive_uuid("monitor", NULL, 0);
    const struct rstr *text = program_intern(p, mac);
    emit_made(ctx, p, &owner, "svc_monitor_mac");
    emit_element(ctx, p, &owner, text);
    rstr_unref(text);
}
