/* norm_flows.c - products to flows: clauses of conjunctions, and flows that coincide; see norm.c. */
#include "base/err.h"
#include "base/hash.h"
#include "expr/norm_internal.h"

/* A conjunction() action takes 16 bytes, a flow mod has 65,535. */
enum { MAX_FLOW_CLAUSES = 4000 };

struct flow_entry {
    struct hnode node;
    size_t index;
};

struct assembly {
    struct norm *norm;
    size_t cap;
    struct hmap by_cube;   /* flows without conj_id */
    uint32_t most_clauses; /* of one flow */
};

static struct norm_flow *add_flow(struct assembly *as, const struct cube *c)
{
    struct norm *n = as->norm;
    if (n->n == as->cap) {
        as->cap = as->cap ? as->cap * 2 : 16;
        n->flows = xrealloc(n->flows, as->cap * sizeof *n->flows);
    }
    struct norm_flow *f = &n->flows[n->n++];
    *f = (struct norm_flow){.cube = c};
    return f;
}

/* The flow with cube C, made if there is none; *IS_NEW tells. */
static struct norm_flow *get_flow(struct assembly *as, const struct cube *c, bool *is_new)
{
    uint64_t hash = cube_hash(c);
    struct flow_entry *e;
    *is_new = false;
    HMAP_FOR_EACH_WITH_HASH (e, node, hash, &as->by_cube)
        if (cube_equal(as->norm->flows[e->index].cube, c))
            return &as->norm->flows[e->index];
    *is_new = true;
    e = arena_alloc(as->norm->arena, sizeof *e);
    e->index = as->norm->n;
    hmap_insert(&as->by_cube, &e->node, hash);
    return add_flow(as, c);
}

static void add_clause(struct assembly *as, const struct cube *c, struct norm_clause clause)
{
    bool is_new;
    struct norm_flow *f = get_flow(as, c, &is_new);
    if (!is_new && !f->n_clauses)
        return; /* already a flow that does the whole action: it matches more than the clause would */
    if (!(f->n_clauses & (f->n_clauses - 1))) { /* full: room for twice as many */
        size_t room = f->n_clauses ? 2 * (size_t)f->n_clauses : 1;
        struct norm_clause *v = arena_alloc(as->norm->arena, room * sizeof *v);
        if (f->n_clauses)
            memcpy(v, f->clauses, f->n_clauses * sizeof *v);
        f->clauses = v;
    }
    f->clauses[f->n_clauses++] = clause;
    as->most_clauses = MAX(as->most_clauses, f->n_clauses);
}

int norm_assemble(struct build *b, const product_vec *products, struct norm *norm)
{
    struct assembly as = {.norm = norm, .by_cube = HMAP_INIT};
    bool is_new;
    bool has_dims = false;
    for (size_t i = 0; i < products->n; i++)
        has_dims |= products->data[i].n_dims;
    for (size_t i = 0; i < products->n; i++) {
        if (!has_dims)
            add_flow(&as, products->data[i].base); /* none coincide: they are pruned */
        else if (!products->data[i].n_dims)
            get_flow(&as, products->data[i].base, &is_new);
    }
    for (size_t i = 0; i < products->n; i++) {
        const struct product *p = &products->data[i];
        if (!p->n_dims)
            continue;
        uint32_t id = ++norm->n_conj;
        add_flow(&as, p->base)->conj_id = id;
        for (size_t d = 0; d < p->n_dims; d++)
            for (size_t k = 0; k < p->dims[d].n; k++) {
                const struct cube *c = cube_and(b->arena, p->base, p->dims[d].data[k]);
                add_clause(&as, c, (struct norm_clause){id, (uint8_t)d, (uint8_t)p->n_dims});
            }
    }
    norm->is_true = norm->n == 1 && !norm->flows[0].conj_id && !norm->flows[0].cube->n;
    hmap_fini(&as.by_cube);
    if (as.most_clauses <= MAX_FLOW_CLAUSES)
        return 0;
    return diag_set(
        b->diag, ERR_TOO_BIG,
        "The match needs a flow that is in %u conjunctions, of which a message has room for %d.",
        as.most_clauses, MAX_FLOW_CLAUSES);
}
