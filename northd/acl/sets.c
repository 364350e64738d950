/* sets.c - the named sets that matches refer to, as SB has them (rooms 2 and 5 of docs/architecture.md; ovn-sb(5) "Address_Set",
 * "Port_Group"): $name as in NB; for each port group the addresses of its ports, $name_ip4 and $name_ip6; and for each group
 * and switch the ports that it has there, @name, in a row that is called after the switch's tunnel key.
 *
 * An element is a fact, so one more in ten thousand is one more. Those of NB's address sets go from the input to the publisher
 * as they are. A set that is made of something gives way to a row of NB that has its name.
 */
#include <inttypes.h>
#include <xxhash.h>

#include "northd/acl/acl.h"
#include "rows/nb.h"

/* The owner of a set that is made of A and B. */
static struct uuid owner_of(const struct uuid *a, const void *b, size_t n)
{
    XXH128_hash_t h = XXH3_128bits_withSeed(b, n, uuid_hash(a));
    struct uuid owner;
    memcpy(&owner, &h, sizeof owner);
    return owner;
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

static const uint8_t versions[] = {4, 6};

void acl_set_group(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_port_group *group = inc_read_one(ctx, p->acl.port_group_by_uuid, key);
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        char *name = xasprintf("%s_ip%d", group->name->s, versions[i]);
        struct uuid owner = owner_of(key, &versions[i], 1);
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
    struct uuid owner = owner_of(&on->group, &on->ls, sizeof on->ls);
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
        uint8_t version = (uint8_t)addr->ip.version;
        struct uuid owner = owner_of(group, &version, 1);
        address_put(&s, &addr->ip);
        const struct rstr *text = program_intern(p, str_c(&s));
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
        struct uuid owner = owner_of(&in->group, &in->ls, sizeof in->ls);
        emit_element(ctx, p, &owner, lsp->name);
        emit_addresses(ctx, p, &in->group, key);
    }
}

/* --- The service monitor: frames to and from this address are northd's own, and no ACL's business. */

void acl_set_monitor(struct inc_ctx *ctx, const void *key UNUSED, void *aux)
{
    struct northd_program *p = aux;
    const char *mac = program_option(ctx, p, "svc_monitor_mac");
    static const struct uuid none;
    if (!mac)
        return;
    struct uuid owner = owner_of(&none, "monitor", 7);
    const struct rstr *text = program_intern(p, mac);
    emit_made(ctx, p, &owner, "svc_monitor_mac");
    emit_element(ctx, p, &owner, text);
    rstr_unref(text);
}
