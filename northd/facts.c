/* facts.c - order, references and text of northd's facts; see facts.h (rooms 2 to 4 of docs/architecture.md). */
#include "northd/facts.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "northd/fact_type.h"

/* --- Types: how facts are ordered, what they refer to, how they are shown */

FACT_COMPARE(datapath, uuid_compare(&a->uuid, &b->uuid), fact_compare_text(a->name, b->name),
             fact_compare_u64(a->kind, b->kind), fact_compare_u64(a->flags, b->flags))
FACT_TEXTS(datapath, name)
static void datapath_print(const void *fact, struct str *out)
{
    const struct fact_datapath *f = fact;
    str_putf(out, "%s %s flags %x", f->kind == DATAPATH_SWITCH ? "switch" : "router", f->name->s,
             f->flags);
}

FACT_COMPARE(lsp, uuid_compare(&a->uuid, &b->uuid), uuid_compare(&a->ls, &b->ls),
             fact_compare_text(a->name, b->name), fact_compare_text(a->peer, b->peer),
             fact_compare_u64(a->type, b->type), fact_compare_u64(a->flags, b->flags))
FACT_TEXTS(lsp, name, peer)
static void lsp_print(const void *fact, struct str *out)
{
    const struct fact_lsp *f = fact;
    str_putf(out, "%s type %u flags %x", f->name->s, f->type, f->flags);
}

FACT_COMPARE(lrp, uuid_compare(&a->uuid, &b->uuid), uuid_compare(&a->lr, &b->lr),
             fact_compare_text(a->name, b->name), fact_compare_text(a->peer, b->peer),
             fact_compare_u64(a->mac, b->mac), fact_compare_u64(a->flags, b->flags),
             fact_compare_u64(a->mtu, b->mtu))
FACT_TEXTS(lrp, name, peer)
static void lrp_print(const void *fact, struct str *out)
{
    const struct fact_lrp *f = fact;
    str_putf(out, "%s %012llx flags %x mtu %u", f->name->s, (unsigned long long)f->mac, f->flags,
             f->mtu);
}

FACT_COMPARE(network, uuid_compare(&a->lr, &b->lr), uuid_compare(&a->lrp, &b->lrp),
             address_compare(&a->address, &b->address), fact_compare_text(a->lrp_name, b->lrp_name),
             fact_compare_u64(a->mac, b->mac), fact_compare_u64(a->link_local, b->link_local))
FACT_TEXTS(network, lrp_name)
static void network_print(const void *fact, struct str *out)
{
    const struct fact_network *f = fact;
    str_putf(out, "%s ", f->lrp_name->s);
    address_put(out, &f->address);
}

FACT_COMPARE(plen, uuid_compare(&a->lr, &b->lr), fact_compare_u64(a->version, b->version),
             fact_compare_u64(b->plen, a->plen)) /* longest first */

FACT_COMPARE(link, uuid_compare(&a->ls, &b->ls), uuid_compare(&a->lsp, &b->lsp),
             uuid_compare(&a->lr, &b->lr), uuid_compare(&a->lrp, &b->lrp),
             fact_compare_text(a->lsp_name, b->lsp_name),
             fact_compare_text(a->lrp_name, b->lrp_name), fact_compare_u64(a->mac, b->mac))
FACT_TEXTS(link, lsp_name, lrp_name)
static void link_print(const void *fact, struct str *out)
{
    const struct fact_link *f = fact;
    str_putf(out, "%s - %s", f->lsp_name->s, f->lrp_name->s);
}

FACT_COMPARE(router_peer, uuid_compare(&a->lrp, &b->lrp), uuid_compare(&a->peer, &b->peer),
             uuid_compare(&a->lr, &b->lr), fact_compare_text(a->lrp_name, b->lrp_name),
             fact_compare_text(a->peer_name, b->peer_name))
FACT_TEXTS(router_peer, lrp_name, peer_name)
static void router_peer_print(const void *fact, struct str *out)
{
    const struct fact_router_peer *f = fact;
    str_putf(out, "%s - %s", f->lrp_name->s, f->peer_name->s);
}

FACT_COMPARE(port_addr, uuid_compare(&a->ls, &b->ls), uuid_compare(&a->lsp, &b->lsp),
             fact_compare_u64(a->mac, b->mac), address_compare(&a->ip, &b->ip))
static void port_addr_print(const void *fact, struct str *out)
{
    const struct fact_port_addr *f = fact;
    fact_put_uuid(out, &f->lsp);
    str_putf(out, " %012llx ", (unsigned long long)f->mac);
    address_put(out, &f->ip);
}

FACT_COMPARE(switch_has, uuid_compare(&a->ls, &b->ls), fact_compare_u64(a->what, b->what))

FACT_COMPARE(complaint, uuid_compare(&a->row, &b->row), fact_compare_text(a->text, b->text))
FACT_TEXTS(complaint, text)
static void complaint_print(const void *fact, struct str *out)
{
    str_put(out, ((const struct fact_complaint *)fact)->text->s);
}

FACT_COMPARE(route, uuid_compare(&a->lr, &b->lr), address_compare(&a->prefix, &b->prefix),
             fact_compare_u64(a->policy, b->policy), fact_compare_u64(a->table, b->table),
             fact_compare_u64(a->symmetric, b->symmetric),
             address_compare(&a->nexthop, &b->nexthop),
             fact_compare_text(a->output_port, b->output_port), uuid_compare(&a->route, &b->route))
FACT_TEXTS(route, output_port)
static void route_print(const void *fact, struct str *out)
{
    const struct fact_route *f = fact;
    address_put(out, &f->prefix);
    str_put(out, " via ");
    address_put(out, &f->nexthop);
}

FACT_COMPARE(want_key, fact_compare_u64(a->wish, b->wish), fact_compare_u64(a->kind, b->kind),
             uuid_compare(&a->scope, &b->scope), uuid_compare(&a->id, &b->id),
             fact_compare_text(a->name, b->name))
FACT_TEXTS(want_key, name)
static void want_key_print(const void *fact, struct str *out)
{
    str_put(out, ((const struct fact_want_key *)fact)->name->s);
}

FACT_COMPARE(key, uuid_compare(&a->id, &b->id), fact_compare_u64(a->key, b->key))
static void key_print(const void *fact, struct str *out)
{
    const struct fact_key *f = fact;
    fact_put_uuid(out, &f->id);
    str_putf(out, " %llu", (unsigned long long)f->key);
}

FACT_COMPARE(datapath_binding, uuid_compare(&a->datapath, &b->datapath),
             fact_compare_u64(a->kind, b->kind), fact_compare_u64(a->key, b->key),
             uuid_compare(&a->row->version, &b->row->version))
static void datapath_binding_ref(const void *fact)
{
    row_ref(((const struct fact_datapath_binding *)fact)->row);
}
static void datapath_binding_unref(const void *fact)
{
    row_unref(((const struct fact_datapath_binding *)fact)->row);
}
static void datapath_binding_print(const void *fact, struct str *out)
{
    const struct fact_datapath_binding *f = fact;
    fact_put_uuid(out, &f->datapath);
    str_putf(out, " key %u", f->key);
}

FACT_COMPARE(port_binding, uuid_compare(&a->port, &b->port),
             uuid_compare(&a->datapath, &b->datapath), fact_compare_u64(a->key, b->key),
             fact_compare_text(a->name, b->name), fact_compare_text(a->peer, b->peer),
             fact_compare_text(a->type, b->type), uuid_compare(&a->ha_group, &b->ha_group),
             fact_compare_u64(a->tag, b->tag), uuid_compare(&a->row->version, &b->row->version))
static void port_binding_ref(const void *fact)
{
    const struct fact_port_binding *f = fact;
    row_ref(f->row);
    fact_ref_text(f->name);
    fact_ref_text(f->peer);
    fact_ref_text(f->type);
}
static void port_binding_unref(const void *fact)
{
    const struct fact_port_binding *f = fact;
    row_unref(f->row);
    rstr_unref(f->name);
    rstr_unref(f->peer);
    rstr_unref(f->type);
}
static void port_binding_print(const void *fact, struct str *out)
{
    const struct fact_port_binding *f = fact;
    str_putf(out, "%s key %llu peer %s", f->name->s, (unsigned long long)f->key,
             f->peer ? f->peer->s : "-");
}

FACT_COMPARE(tag_want, fact_compare_text(a->parent, b->parent), uuid_compare(&a->lsp, &b->lsp),
             fact_compare_u64(a->request, b->request), fact_compare_u64(a->held, b->held))
FACT_TEXTS(tag_want, parent)
FACT_COMPARE(tag, uuid_compare(&a->lsp, &b->lsp), fact_compare_u64(a->tag, b->tag))

FACT_COMPARE(port_option, fact_compare_text(a->port, b->port), fact_compare_text(a->key, b->key),
             fact_compare_text(a->value, b->value))
FACT_TEXTS(port_option, port, key, value)
static void port_option_print(const void *fact, struct str *out)
{
    const struct fact_port_option *f = fact;
    str_putf(out, "%s %s=%s", f->port->s, f->key->s, f->value->s);
}

FACT_COMPARE(port_nat, fact_compare_text(a->port, b->port),
             fact_compare_text(a->address, b->address))
FACT_TEXTS(port_nat, port, address)
static void port_nat_print(const void *fact, struct str *out)
{
    const struct fact_port_nat *f = fact;
    str_putf(out, "%s %s", f->port->s, f->address->s);
}

FACT_COMPARE(static_mac, uuid_compare(&a->lr, &b->lr), uuid_compare(&a->sb, &b->sb),
             fact_compare_text(a->port, b->port), fact_compare_text(a->ip, b->ip),
             fact_compare_text(a->mac, b->mac), fact_compare_u64(a->overrides, b->overrides))
FACT_TEXTS(static_mac, port, ip, mac)
static void static_mac_print(const void *fact, struct str *out)
{
    const struct fact_static_mac *f = fact;
    str_putf(out, "%s %s at %s", f->port->s, f->ip->s, f->mac->s);
}

FACT_COMPARE(bound, fact_compare_text(a->port, b->port), uuid_compare(&a->chassis, &b->chassis))
FACT_TEXTS(bound, port)

FACT_COMPARE(port_chassis, fact_compare_text(a->port, b->port),
             uuid_compare(&a->chassis, &b->chassis), fact_compare_u64(a->additional, b->additional))
FACT_TEXTS(port_chassis, port)
static void port_chassis_print(const void *fact, struct str *out)
{
    const struct fact_port_chassis *f = fact;
    str_putf(out, "%s wants to be on ", f->port->s);
    fact_put_uuid(out, &f->chassis);
}

FACT_COMPARE(chassis, fact_compare_text(a->name, b->name),
             fact_compare_text(a->hostname, b->hostname), uuid_compare(&a->uuid, &b->uuid))
FACT_TEXTS(chassis, name, hostname)
static void chassis_print(const void *fact, struct str *out)
{
    str_put(out, ((const struct fact_chassis *)fact)->name->s);
}

FACT_COMPARE(group, uuid_compare(&a->datapath, &b->datapath), fact_compare_u64(a->group, b->group))
static void group_print(const void *fact, struct str *out)
{
    const struct fact_group *f = fact;
    fact_put_uuid(out, &f->datapath);
    str_putf(out, " %s", group_name((enum group)f->group));
}

FACT_COMPARE(member, uuid_compare(&a->datapath, &b->datapath), fact_compare_u64(a->group, b->group),
             fact_compare_text(a->port, b->port))
FACT_TEXTS(member, port)
static void member_print(const void *fact, struct str *out)
{
    const struct fact_member *f = fact;
    str_putf(out, "%s in %s", f->port->s, group_name((enum group)f->group));
}

int fact_compare_match(const struct expr *a, const struct expr *b)
{
    if (a == b)
        return 0;
    char *x = expr_to_text(a), *y = expr_to_text(b);
    int c = strcmp(x, y);
    free(x);
    free(y);
    return c;
}

int fact_compare_actions(const struct actions *a, const struct actions *b)
{
    if (a == b)
        return 0;
    char *x = actions_to_text(a), *y = actions_to_text(b);
    int c = strcmp(x, y);
    free(x);
    free(y);
    return c;
}

FACT_COMPARE(class_member, uuid_compare(&a->id, &b->id), uuid_compare(&a->datapath, &b->datapath),
             fact_compare_u64(a->family, b->family), fact_compare_u64(a->traits, b->traits))
static void class_member_print(const void *fact, struct str *out)
{
    const struct fact_class_member *f = fact;
    fact_put_uuid(out, &f->datapath);
    str_put(out, " in ");
    fact_put_uuid(out, &f->id);
}

FACT_COMPARE(lflow, uuid_compare(&a->datapath, &b->datapath), fact_compare_u64(a->stage, b->stage),
             fact_compare_u64(b->priority, a->priority), fact_compare_match(a->match, b->match),
             fact_compare_actions(a->actions, b->actions), fact_compare_u64(a->hint, b->hint))
static void lflow_ref(const void *fact)
{
    const struct fact_lflow *f = fact;
    expr_ref(f->match);
    actions_ref(f->actions);
}
static void lflow_unref(const void *fact)
{
    const struct fact_lflow *f = fact;
    expr_unref(f->match);
    actions_unref(f->actions);
}
static void lflow_print(const void *fact, struct str *out)
{
    const struct fact_lflow *f = fact;
    fact_put_uuid(out, &f->datapath);
    str_putf(out, " %s, priority=%u, match=(", stage_info(f->stage)->name, f->priority);
    expr_print(f->match, EXPR_STYLE_TEXT, out);
    str_put(out, "), action=(");
    actions_print(f->actions, out);
    str_put(out, ")");
}

FACT_TYPE(datapath, datapath_print);
FACT_TYPE(lsp, lsp_print);
FACT_TYPE(lrp, lrp_print);
FACT_TYPE(network, network_print);
FACT_TYPE_PLAIN(plen, NULL);
FACT_TYPE(link, link_print);
FACT_TYPE(router_peer, router_peer_print);
FACT_TYPE_PLAIN(port_addr, port_addr_print);
FACT_TYPE_PLAIN(switch_has, NULL);
FACT_TYPE(complaint, complaint_print);
FACT_TYPE(route, route_print);
FACT_TYPE(want_key, want_key_print);
FACT_TYPE_PLAIN(key, key_print);
FACT_TYPE(datapath_binding, datapath_binding_print);
FACT_TYPE(port_binding, port_binding_print);
FACT_TYPE_PLAIN(group, group_print);
FACT_TYPE(member, member_print);
FACT_TYPE_PLAIN(class_member, class_member_print);
FACT_TYPE(lflow, lflow_print);
FACT_TYPE(bound, NULL);
FACT_TYPE(static_mac, static_mac_print);
FACT_TYPE(tag_want, NULL);
FACT_TYPE_PLAIN(tag, NULL);
FACT_TYPE(port_option, port_option_print);
FACT_TYPE(port_nat, port_nat_print);
FACT_TYPE(port_chassis, port_chassis_print);
FACT_TYPE(chassis, chassis_print);

const struct inc_type northd_key_network = {.name = "network", .size = sizeof(struct key_network)};
const struct inc_type northd_key_route = {.name = "route", .size = sizeof(struct key_route)};

struct uuid fact_derive_uuid(const char *what, const void *data, size_t n)
{
    XXH128_hash_t h = XXH3_128bits_withSeed(data, n, XXH3_64bits(what, strlen(what)));
    struct uuid uuid;
    memcpy(&uuid, &h, sizeof uuid);
    return uuid;
}
