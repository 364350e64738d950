/* expand.c - address sets, port groups and is_chassis_resident replaced by their contents; see expr.h.
 *
 * An element of an address set that does not fit the field (an IPv6 address for ip4.src) is left out, so that one set may
 * serve both versions.
 */
#include "base/vec.h"
#include "expr/scratch.h"

struct collector {
    struct expr_pool *pool;
    const struct expr *leaf;
    VEC(struct expr *) v;
};

static void add_value(void *aux, u128 value, u128 mask)
{
    struct collector *c = aux;
    const struct symbol *sym = c->leaf->sym;
    u128 full = u128_ones(sym->width);
    if (mask == u128_ones(128) && !(value & ~full))
        mask = full;
    if ((mask | value) & ~full)
        return;
    if (sym->width == 128 && mask && mask <= u128_ones(48))
        return; /* an IPv4 or Ethernet address */
    vec_push(&c->v, expr_cmp_sym(c->pool, sym, c->leaf->relop, value & mask, mask));
}

static void add_port(void *aux, const char *port)
{
    struct collector *c = aux;
    vec_push(&c->v, expr_str_sym(c->pool, c->leaf->sym, c->leaf->relop, port, strlen(port)));
}

static void add_number(void *aux, uint32_t number)
{
    struct collector *c = aux;
    const struct symbol *sym = c->leaf->sym;
    u128 mask = u128_ones(sym->width);
    vec_push(&c->v, expr_cmp_sym(c->pool, sym, c->leaf->relop, number & mask, mask));
}

static struct expr *expand_leaf(struct expr_pool *p, const struct expr *e,
                                const struct expr_world *w)
{
    if (e->kind == EXPR_RESIDENT)
        return w->resident ? expr_bool(p, w->resident(w->aux, e->name->s) == (e->relop == EXPR_EQ))
                           : expr_ref(e);
    struct collector c = {p, e, VEC_INIT};
    if (e->kind == EXPR_SET && w->set)
        w->set(w->aux, e->name->s, add_value, &c);
    if (e->kind == EXPR_PORT_GROUP && w->members)
        w->members(w->aux, e->sym, e->name->s, add_number, &c);
    else if (e->kind == EXPR_PORT_GROUP && w->group)
        w->group(w->aux, e->name->s, add_port, &c);
    struct expr *r =
        e->relop == EXPR_EQ ? expr_or_n(p, c.v.data, c.v.n) : expr_and_n(p, c.v.data, c.v.n);
    vec_fini(&c.v);
    return r;
}

struct expr *expr_expand_in(struct expr_pool *p, const struct expr *e,
                            const struct expr_world *world)
{
    if (!e->n_refs_text)
        return expr_ref(e);
    if (e->kind != EXPR_AND && e->kind != EXPR_OR)
        return expand_leaf(p, e, world);
    struct expr **sub = xmalloc(e->n * sizeof *sub);
    for (uint32_t i = 0; i < e->n; i++)
        sub[i] = expr_expand_in(p, e->sub[i], world);
    struct expr *r = e->kind == EXPR_AND ? expr_and_n(p, sub, e->n) : expr_or_n(p, sub, e->n);
    free(sub);
    return r;
}

struct expr *expr_expand(const struct expr *e, const struct expr_world *world)
{
    return expr_expand_in(e->pool, e, world);
}
