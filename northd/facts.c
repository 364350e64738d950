/* facts.c - order, references and text of northd's facts; see facts.h (rooms 2 to 4 of docs/architecture.md). */
#include "northd/facts.h"

#include <stdlib.h>
#include <string.h>

/* --- Types: how facts are ordered, what they refer to, how they are shown */

static void ref_text(const struct rstr *text)
{
    if (text)
        rstr_ref(text);
}

static int compare_text(const struct rstr *a, const struct rstr *b)
{
    return a && b ? rstr_compare(a, b) : (a != NULL) - (b != NULL);
}

static int compare_u64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static void put_uuid(struct str *out, const struct uuid *uuid)
{
    char buf[UUID_TEXT_LEN + 1];
    str_put(out, uuid_print(uuid, buf));
}

/* The first of the comparisons that tells a difference. */
#define COMPARE(...)                                                                               \
    do {                                                                                           \
        const int results_[] = {__VA_ARGS__};                                                      \
        for (size_t i_ = 0; i_ < ARRAY_SIZE(results_); i_++)                                       \
            if (results_[i_])                                                                      \
                return results_[i_];                                                               \
        return 0;                                                                                  \
    } while (0)

#define DEFINE_COMPARE(NAME, ...)                                                                  \
    static int NAME##_compare(const void *a_, const void *b_)                                      \
    {                                                                                              \
        const struct fact_##NAME *a = a_, *b = b_;                                                 \
        COMPARE(__VA_ARGS__);                                                                      \
    }

#define DEFINE_TEXTS(NAME, ONE, TWO)                                                               \
    static void NAME##_ref(const void *fact)                                                       \
    {                                                                                              \
        const struct fact_##NAME *f = fact;                                                        \
        ref_text(f->ONE);                                                                          \
        ref_text(f->TWO);                                                                          \
    }                                                                                              \
    static void NAME##_unref(const void *fact)                                                     \
    {                                                                                              \
        const struct fact_##NAME *f = fact;                                                        \
        rstr_unref(f->ONE);                                                                        \
        rstr_unref(f->TWO);                                                                        \
    }

#define DEFINE_TEXT(NAME, ONE)                                                                     \
    static void NAME##_ref(const void *fact)                                                       \
    {                                                                                              \
        ref_text(((const struct fact_##NAME *)fact)->ONE);                                         \
    }                                                                                              \
    static void NAME##_unref(const void *fact)                                                     \
    {                                                                                              \
        rstr_unref(((const struct fact_##NAME *)fact)->ONE);                                       \
    }

DEFINE_COMPARE(datapath, uuid_compare(&a->uuid, &b->uuid), compare_text(a->name, b->name),
               compare_u64(a->kind, b->kind), compare_u64(a->flags, b->flags))
DEFINE_TEXT(datapath, name)
static void datapath_print(const void *fact, struct str *out)
{
    const struct fact_datapath *f = fact;
    str_putf(out, "%s %s flags %x", f->kind == DATAPATH_SWITCH ? "switch" : "router", f->name->s,
             f->flags);
}

DEFINE_COMPARE(lsp, uuid_compare(&a->uuid, &b->uuid), uuid_compare(&a->ls, &b->ls),
               compare_text(a->name, b->name), compare_text(a->peer, b->peer),
               compare_u64(a->type, b->type), compare_u64(a->flags, b->flags))
DEFINE_TEXTS(lsp, name, peer)
static void lsp_print(const void *fact, struct str *out)
{
    const struct fact_lsp *f = fact;
    str_putf(out, "%s type %u flags %x", f->name->s, f->type, f->flags);
}

DEFINE_COMPARE(lrp, uuid_compare(&a->uuid, &b->uuid), uuid_compare(&a->lr, &b->lr),
               compare_text(a->name, b->name), compare_text(a->peer, b->peer),
               compare_u64(a->mac, b->mac), compare_u64(a->flags, b->flags))
DEFINE_TEXTS(lrp, name, peer)
static void lrp_print(const void *fact, struct str *out)
{
    const struct fact_lrp *f = fact;
    str_putf(out, "%s %012llx flags %llx", f->name->s, (unsigned long long)f->mac,
             (unsigned long long)f->flags);
}

DEFINE_COMPARE(network, uuid_compare(&a->lr, &b->lr), uuid_compare(&a->lrp, &b->lrp),
               address_compare(&a->address, &b->address), compare_text(a->lrp_name, b->lrp_name),
               compare_u64(a->mac, b->mac), compare_u64(a->link_local, b->link_local))
DEFINE_TEXT(network, lrp_name)
static void network_print(const void *fact, struct str *out)
{
    const struct fact_network *f = fact;
    str_putf(out, "%s ", f->lrp_name->s);
    address_put(out, &f->address);
}

DEFINE_COMPARE(plen, uuid_compare(&a->lr, &b->lr), compare_u64(a->version, b->version),
               compare_u64(b->plen, a->plen)) /* longest first */

DEFINE_COMPARE(link, uuid_compare(&a->ls, &b->ls), uuid_compare(&a->lsp, &b->lsp),
               uuid_compare(&a->lr, &b->lr), uuid_compare(&a->lrp, &b->lrp),
               compare_text(a->lsp_name, b->lsp_name), compare_text(a->lrp_name, b->lrp_name),
               compare_u64(a->mac, b->mac))
DEFINE_TEXTS(link, lsp_name, lrp_name)
static void link_print(const void *fact, struct str *out)
{
    const struct fact_link *f = fact;
    str_putf(out, "%s - %s", f->lsp_name->s, f->lrp_name->s);
}

DEFINE_COMPARE(router_peer, uuid_compare(&a->lrp, &b->lrp), uuid_compare(&a->peer, &b->peer),
               uuid_compare(&a->lr, &b->lr), compare_text(a->lrp_name, b->lrp_name),
               compare_text(a->peer_name, b->peer_name))
DEFINE_TEXTS(router_peer, lrp_name, peer_name)
static void router_peer_print(const void *fact, struct str *out)
{
    const struct fact_router_peer *f = fact;
    str_putf(out, "%s - %s", f->lrp_name->s, f->peer_name->s);
}

DEFINE_COMPARE(port_addr, uuid_compare(&a->ls, &b->ls), uuid_compare(&a->lsp, &b->lsp),
               compare_u64(a->mac, b->mac), address_compare(&a->ip, &b->ip))
static void port_addr_print(const void *fact, struct str *out)
{
    const struct fact_port_addr *f = fact;
    put_uuid(out, &f->lsp);
    str_putf(out, " %012llx ", (unsigned long long)f->mac);
    address_put(out, &f->ip);
}

DEFINE_COMPARE(route, uuid_compare(&a->lr, &b->lr), address_compare(&a->prefix, &b->prefix),
               compare_u64(a->policy, b->policy), address_compare(&a->nexthop, &b->nexthop),
               compare_text(a->output_port, b->output_port), uuid_compare(&a->route, &b->route))
DEFINE_TEXT(route, output_port)
static void route_print(const void *fact, struct str *out)
{
    const struct fact_route *f = fact;
    address_put(out, &f->prefix);
    str_put(out, " via ");
    address_put(out, &f->nexthop);
}

DEFINE_COMPARE(want_key, uuid_compare(&a->scope, &b->scope), uuid_compare(&a->id, &b->id),
               compare_text(a->name, b->name))
DEFINE_TEXT(want_key, name)
static void want_key_print(const void *fact, struct str *out)
{
    str_put(out, ((const struct fact_want_key *)fact)->name->s);
}

DEFINE_COMPARE(key, uuid_compare(&a->id, &b->id), compare_u64(a->key, b->key))
static void key_print(const void *fact, struct str *out)
{
    const struct fact_key *f = fact;
    put_uuid(out, &f->id);
    str_putf(out, " %llu", (unsigned long long)f->key);
}

DEFINE_COMPARE(datapath_binding, uuid_compare(&a->datapath, &b->datapath),
               compare_u64(a->kind, b->kind), compare_u64(a->key, b->key),
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
    put_uuid(out, &f->datapath);
    str_putf(out, " key %u", f->key);
}

DEFINE_COMPARE(port_binding, uuid_compare(&a->port, &b->port),
               uuid_compare(&a->datapath, &b->datapath), compare_u64(a->key, b->key),
               compare_text(a->name, b->name), compare_text(a->peer, b->peer),
               uuid_compare(&a->row->version, &b->row->version))
static void port_binding_ref(const void *fact)
{
    const struct fact_port_binding *f = fact;
    row_ref(f->row);
    ref_text(f->name);
    ref_text(f->peer);
}
static void port_binding_unref(const void *fact)
{
    const struct fact_port_binding *f = fact;
    row_unref(f->row);
    rstr_unref(f->name);
    rstr_unref(f->peer);
}
static void port_binding_print(const void *fact, struct str *out)
{
    const struct fact_port_binding *f = fact;
    str_putf(out, "%s key %llu peer %s", f->name->s, (unsigned long long)f->key,
             f->peer ? f->peer->s : "-");
}

DEFINE_COMPARE(group, uuid_compare(&a->datapath, &b->datapath), compare_u64(a->group, b->group))
static void group_print(const void *fact, struct str *out)
{
    const struct fact_group *f = fact;
    put_uuid(out, &f->datapath);
    str_putf(out, " %s", group_name((enum group)f->group));
}

DEFINE_COMPARE(member, uuid_compare(&a->datapath, &b->datapath), compare_u64(a->group, b->group),
               compare_text(a->port, b->port))
DEFINE_TEXT(member, port)
static void member_print(const void *fact, struct str *out)
{
    const struct fact_member *f = fact;
    str_putf(out, "%s in %s", f->port->s, group_name((enum group)f->group));
}

static int compare_matches(const struct expr *a, const struct expr *b)
{
    if (a == b)
        return 0;
    char *x = expr_to_text(a), *y = expr_to_text(b);
    int c = strcmp(x, y);
    free(x);
    free(y);
    return c;
}

static int compare_actions(const struct actions *a, const struct actions *b)
{
    if (a == b)
        return 0;
    char *x = actions_to_text(a), *y = actions_to_text(b);
    int c = strcmp(x, y);
    free(x);
    free(y);
    return c;
}

DEFINE_COMPARE(lflow, uuid_compare(&a->datapath, &b->datapath), compare_u64(a->stage, b->stage),
               compare_u64(b->priority, a->priority), compare_matches(a->match, b->match),
               compare_actions(a->actions, b->actions), compare_u64(a->hint, b->hint))
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
    put_uuid(out, &f->datapath);
    str_putf(out, " %s, priority=%u, match=(", stage_info(f->stage)->name, f->priority);
    expr_print(f->match, EXPR_STYLE_TEXT, out);
    str_put(out, "), action=(");
    actions_print(f->actions, out);
    str_put(out, ")");
}

#define TYPE(NAME)                                                                                 \
    const struct inc_type northd_type_##NAME = {.name = #NAME,                                     \
                                                .size = sizeof(struct fact_##NAME),                \
                                                .compare = NAME##_compare,                         \
                                                .ref = NAME##_ref,                                 \
                                                .unref = NAME##_unref,                             \
                                                .print = NAME##_print}
#define TYPE_PLAIN(NAME, PRINT)                                                                    \
    const struct inc_type northd_type_##NAME = {.name = #NAME,                                     \
                                                .size = sizeof(struct fact_##NAME),                \
                                                .compare = NAME##_compare,                         \
                                                .print = PRINT}
TYPE(datapath);
TYPE(lsp);
TYPE(lrp);
TYPE(network);
TYPE_PLAIN(plen, NULL);
TYPE(link);
TYPE(router_peer);
TYPE_PLAIN(port_addr, port_addr_print);
TYPE(route);
TYPE(want_key);
TYPE_PLAIN(key, key_print);
TYPE(datapath_binding);
TYPE(port_binding);
TYPE_PLAIN(group, group_print);
TYPE(member);
TYPE(lflow);

const struct inc_type northd_key_network = {.name = "network", .size = sizeof(struct key_network)};
const struct inc_type northd_key_route = {.name = "route", .size = sizeof(struct key_route)};
