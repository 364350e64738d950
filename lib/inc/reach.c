/* reach.c - the recursive kind: which nodes can be reached from a root over edges (docs/architecture.md).
 *
 * Each reached node has one support: that it is a root, or its parent in a forest of reached nodes. When a support
 * goes, the whole subtree below is taken out first and then whatever has another support from outside comes back in,
 * so that a cycle cannot hold itself up. The cost is that of the subtrees that lost their support and of what is new.
 * Roots and edges are counted, since different facts may speak of the same.
 */
#include "base/list.h"
#include "inc/internal.h"

#include <stdlib.h>

struct node {
    struct hnode hnode; /* in reach->nodes, by key */
    uint32_t roots;     /* facts that make it a root */
    bool reached;
    bool touched;        /* in reach->touched */
    bool emitted;        /* in OUT */
    struct node *parent; /* its support when reached; NULL: it is a root */
    struct list out, in; /* edges */
    char key[INC_MAX_NODE];
};

struct link {
    struct hnode hnode; /* in reach->links, by both ends */
    struct node *from, *to;
    struct list out, in;
    uint32_t count;
};

struct queued {
    bool edge, added;
    char a[INC_MAX_NODE], b[INC_MAX_NODE];
};

struct reach {
    const struct inc_reach_def *def;
    struct hmap nodes, links;
    VEC(struct queued) queue;
    VEC(struct node *) touched, work;
};

struct reach *reach_new(const struct inc_reach_def *def)
{
    struct reach *reach = NEW(struct reach);
    reach->def = def;
    return reach;
}

void reach_free(struct inc *inc UNUSED, struct reach *reach)
{
    if (!reach)
        return;
    struct node *node;
    struct link *link;
    HMAP_FOR_EACH_SAFE (link, hnode, &reach->links)
        free(link);
    HMAP_FOR_EACH_SAFE (node, hnode, &reach->nodes)
        free(node);
    hmap_fini(&reach->links);
    hmap_fini(&reach->nodes);
    vec_fini(&reach->queue);
    vec_fini(&reach->touched);
    vec_fini(&reach->work);
    free(reach);
}

void reach_changed(struct inc *inc, unsigned kind, const struct inc_coll *coll,
                   const void *content_, bool added)
{
    struct reach *reach = inc->kinds[kind].reach;
    const struct inc_reach_def *def = reach->def;
    const char *content = content_;
    if (!reach->queue.n)
        inc->n_dirty++;
    if (coll == def->roots) {
        struct queued *q = vec_push_zero(&reach->queue);
        q->added = added;
        memcpy(q->a, content + def->root_offset, def->node_size);
    }
    if (coll == def->edges) {
        struct queued *q = vec_push_zero(&reach->queue);
        q->edge = true;
        q->added = added;
        memcpy(q->a, content + def->from_offset, def->node_size);
        memcpy(q->b, content + def->to_offset, def->node_size);
    }
}

static struct node *node_get(struct reach *reach, const char *key)
{
    size_t n = reach->def->node_size;
    uint64_t hash = hash_bytes(key, n, 0);
    struct node *node;
    HMAP_FOR_EACH_WITH_HASH (node, hnode, hash, &reach->nodes)
        if (!memcmp(node->key, key, n))
            return node;
    node = NEW(struct node);
    memcpy(node->key, key, n);
    list_init(&node->out);
    list_init(&node->in);
    hmap_insert(&reach->nodes, &node->hnode, hash);
    return node;
}

static uint64_t link_hash(const struct node *from, const struct node *to)
{
    return hash_pointer(from, hash_pointer(to, 0));
}

static struct link *link_find(struct reach *reach, const struct node *from, const struct node *to)
{
    struct link *link;
    HMAP_FOR_EACH_WITH_HASH (link, hnode, link_hash(from, to), &reach->links)
        if (link->from == from && link->to == to)
            return link;
    return NULL;
}

static void touch(struct reach *reach, struct node *node)
{
    if (!node->touched) {
        node->touched = true;
        vec_push(&reach->touched, node);
    }
}

static void change_root(struct reach *reach, struct node *node, bool added)
{
    node->roots += added ? 1 : -1u;
    touch(reach, node);
}

static void change_edge(struct reach *reach, struct node *from, struct node *to, bool added)
{
    struct link *link = link_find(reach, from, to);
    touch(reach, from);
    touch(reach, to);
    if (!link) {
        INVARIANT(added);
        link = NEW(struct link);
        link->from = from;
        link->to = to;
        list_push_back(&from->out, &link->out);
        list_push_back(&to->in, &link->in);
        hmap_insert(&reach->links, &link->hnode, link_hash(from, to));
    }
    link->count += added ? 1 : -1u;
    if (link->count)
        return;
    if (to->parent == from)
        to->parent = NULL;
    list_remove(&link->out);
    list_remove(&link->in);
    hmap_remove(&reach->links, &link->hnode);
    free(link);
}

/* Takes out every touched node without support and all that stand on it. */
static void lose_unsupported(struct reach *reach)
{
    size_t n = reach->touched.n; /* those added below have been dealt with */
    for (size_t i = 0; i < n; i++) {
        struct node *node = reach->touched.data[i];
        if (!node->reached || node->parent || node->roots)
            continue;
        node->reached = false;
        vec_push(&reach->work, node);
    }
    while (reach->work.n) {
        struct node *node = vec_pop(&reach->work);
        touch(reach, node);
        struct link *link;
        LIST_FOR_EACH (link, out, &node->out) {
            if (link->to->reached && link->to->parent == node) {
                link->to->reached = false;
                vec_push(&reach->work, link->to);
            }
        }
    }
}

/* Whether NODE, not reached at present, has a support; takes it if so. */
static bool find_support(struct node *node)
{
    node->parent = NULL;
    if (node->roots)
        return true;
    struct link *link;
    LIST_FOR_EACH (link, in, &node->in) {
        if (link->from->reached) {
            node->parent = link->from;
            return true;
        }
    }
    return false;
}

static void gain(struct reach *reach, struct node *node)
{
    node->reached = true;
    touch(reach, node);
    vec_push(&reach->work, node);
}

static void spread(struct reach *reach)
{
    while (reach->work.n) {
        struct node *node = vec_pop(&reach->work);
        struct link *link;
        LIST_FOR_EACH (link, out, &node->out) {
            if (!link->to->reached) {
                link->to->parent = node;
                gain(reach, link->to);
            }
        }
    }
}

static void publish(struct inc *inc, unsigned kind)
{
    struct reach *reach = inc->kinds[kind].reach;
    for (size_t i = 0; i < reach->touched.n; i++) {
        struct node *node = reach->touched.data[i];
        node->touched = false;
        if (node->reached != node->emitted) {
            struct fact *fact = fact_intern(inc, reach->def->out, node->key, false);
            if (node->reached)
                fact_add(inc, fact, 1);
            else
                fact_drop(inc, fact);
            node->emitted = node->reached;
            inc->kinds[kind].emits++;
        }
        if (!node->roots && !node->reached && list_empty(&node->out) && list_empty(&node->in)) {
            hmap_remove(&reach->nodes, &node->hnode);
            free(node);
        }
    }
    vec_clear(&reach->touched);
}

void reach_run(struct inc *inc, unsigned kind)
{
    struct reach *reach = inc->kinds[kind].reach;
    if (!reach->queue.n)
        return;
    inc->kinds[kind].runs++;
    inc->n_dirty--;
    for (size_t i = 0; i < reach->queue.n; i++) {
        struct queued *q = &reach->queue.data[i];
        struct node *a = node_get(reach, q->a);
        if (q->edge)
            change_edge(reach, a, node_get(reach, q->b), q->added);
        else
            change_root(reach, a, q->added);
    }
    vec_clear(&reach->queue);
    lose_unsupported(reach);
    for (size_t i = 0; i < reach->touched.n; i++) { /* grows meanwhile */
        struct node *node = reach->touched.data[i];
        if (!node->reached && find_support(node))
            gain(reach, node);
        spread(reach);
    }
    publish(inc, kind);
    inc->kinds[kind].units = reach->nodes.n;
}

size_t reach_memory(const struct reach *reach)
{
    return sizeof *reach + reach->nodes.n * sizeof(struct node) +
           reach->links.n * sizeof(struct link) + (reach->queue.cap * sizeof(struct queued));
}
