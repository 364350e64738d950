/* classes.c - flows of classes of datapaths (northd/classes.h) as flows of their members (room 5 of docs/architecture.md). One member more or
 * less is a move of each of the class's flows, one flow more or less a move by each member; from there on there are no classes.
 */
#include "northd/publish/internal.h"

#include <stdlib.h>
#include <string.h>

static struct pub_class *get(struct publisher *pub, const struct uuid *id)
{
    struct pub_class *class;
    HMAP_FOR_EACH_WITH_HASH (class, node, uuid_hash(id), &pub->classes)
        if (uuid_equal(&class->id, id))
            return class;
    class = NEW(struct pub_class);
    class->id = *id;
    list_init(&class->links);
    hmap_insert(&pub->classes, &class->node, uuid_hash(id));
    return class;
}

static void forget(struct publisher *pub, struct pub_class *class)
{
    hmap_remove(&pub->classes, &class->node);
    vec_fini(&class->members);
    free(class);
}

static void forget_empty(struct publisher *pub, struct pub_class *class)
{
    if (!class->members.n && list_empty(&class->links))
        forget(pub, class);
}

static void remove_member(struct pub_class *class, const struct uuid *datapath)
{
    for (size_t i = 0; i < class->members.n; i++)
        if (uuid_equal(&class->members.data[i], datapath)) {
            vec_remove_swap(&class->members, i);
            return;
        }
}

void classes_take_member(const void *fact, bool added, void *pub_)
{
    struct publisher *pub = pub_;
    const struct fact_class_member *f = fact;
    struct pub_class *class = get(pub, &f->id);
    struct class_link *link;
    if (added)
        vec_push(&class->members, f->datapath);
    else
        remove_member(class, &f->datapath);
    LIST_FOR_EACH (link, node, &class->links)
        lflows_sb_move(pub, link->flow, &f->datapath, added);
    forget_empty(pub, class);
}

static void link_flow(struct pub_class *class, struct pub_flow *flow)
{
    struct class_link *link = NEW(struct class_link);
    link->class = class;
    link->flow = flow;
    list_push_back(&class->links, &link->node);
    vec_push(&flow->links, link);
}

static void unlink_flow(const struct pub_class *class, struct pub_flow *flow)
{
    for (size_t i = 0; i < flow->links.n; i++) {
        struct class_link *link = flow->links.data[i];
        if (link->class != class)
            continue;
        list_remove(&link->node);
        free(link);
        vec_remove_swap(&flow->links, i);
        return;
    }
}

void classes_take_flow(const void *fact, bool added, void *pub_)
{
    struct publisher *pub = pub_;
    const struct fact_lflow *f = fact;
    struct pub_class *class = get(pub, &f->datapath);
    struct pub_flow *flow = lflows_sb_get(pub, f);
    const struct uuid *member;
    if (added)
        link_flow(class, flow);
    else
        unlink_flow(class, flow);
    VEC_FOR_EACH (member, &class->members)
        lflows_sb_move(pub, flow, member, added);
    publisher_mark(&pub->dirty_flows,
                   &flow->dirty); /* also when nobody has it: then it is to be forgotten */
    forget_empty(pub, class);
}

void classes_clear(struct publisher *pub)
{
    struct pub_class *class;
    HMAP_FOR_EACH_SAFE (class, node, &pub->classes) {
        struct class_link *link, *next;
        LIST_FOR_EACH_SAFE (link, next, node, &class->links)
            unlink_flow(class, link->flow);
        forget(pub, class);
    }
}
