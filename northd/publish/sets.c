/* sets.c - Address_Set and Port_Group rows: names with sets of strings, kept by element (room 5 of docs/architecture.md).
 *
 * Facts know a set by its owner, rows by its name. Elements of an owner that has no set yet are not remembered: a set that gets
 * an owner or a row is compared as a whole, and from then on only elements that have changed are looked at, unless somebody
 * else writes the row.
 */
#include "northd/publish/internal.h"

#include <stdlib.h>
#include <string.h>

struct element_change {
    const struct rstr *text;
    bool added;
};

struct pub_set {
    struct hnode by_name, by_owner; /* by_owner: when it has one */
    enum set_table table;
    const struct rstr *name;
    struct uuid owner; /* zero: it is not wanted */
    bool check_all;
    struct uuid sb; /* zero: no row is known or on its way */
    const struct row *row;
    VEC(struct element_change) changes;
    struct list dirty;
};

static const struct {
    size_t table;
    int name, elements;
} tables[N_SET_TABLES] = {
    [SET_ADDRESSES] = {SB_TABLE_ADDRESS_SET, SB_ADDRESS_SET_COL_NAME, SB_ADDRESS_SET_COL_ADDRESSES},
    [SET_PORTS] = {SB_TABLE_PORT_GROUP, SB_PORT_GROUP_COL_NAME, SB_PORT_GROUP_COL_PORTS},
};

static struct pub_set *get(struct publisher *pub, enum set_table table, const struct rstr *name)
{
    struct pub_set *set;
    uint64_t hash = hash_pointer(name, table);
    HMAP_FOR_EACH_WITH_HASH (set, by_name, hash, &pub->sets_by_name)
        if (set->table == table && set->name == name)
            return set;
    set = NEW(struct pub_set);
    set->table = table;
    set->name = rstr_ref(name);
    list_init(&set->dirty);
    hmap_insert(&pub->sets_by_name, &set->by_name, hash);
    return set;
}

static struct pub_set *find_owner(struct publisher *pub, const struct uuid *owner)
{
    struct pub_set *set;
    HMAP_FOR_EACH_WITH_HASH (set, by_owner, uuid_hash(owner), &pub->sets_by_owner)
        if (uuid_equal(&set->owner, owner))
            return set;
    return NULL;
}

static struct pub_set *of_row(struct publisher *pub, const struct row *row)
{
    enum set_table table = row->table->index == SB_TABLE_ADDRESS_SET ? SET_ADDRESSES : SET_PORTS;
    const struct rstr *name =
        program_intern(pub->p, row->values[tables[table].name]->atoms[0].string->s);
    struct pub_set *set = get(pub, table, name);
    rstr_unref(name);
    return set;
}

static void mark(struct publisher *pub, struct pub_set *set)
{
    publisher_mark(&pub->dirty_sets, &set->dirty);
}

static void drop_changes(struct pub_set *set)
{
    struct element_change *c;
    VEC_FOR_EACH (c, &set->changes)
        rstr_unref(c->text);
    vec_fini(&set->changes);
}

static void drop_owner(struct publisher *pub, struct pub_set *set)
{
    if (uuid_is_zero(&set->owner))
        return;
    hmap_remove(&pub->sets_by_owner, &set->by_owner);
    memset(&set->owner, 0, sizeof set->owner);
    drop_changes(set);
}

static void forget(struct publisher *pub, struct pub_set *set)
{
    drop_owner(pub, set);
    hmap_remove(&pub->sets_by_name, &set->by_name);
    list_remove(&set->dirty);
    publisher_hold(&set->row, NULL);
    rstr_unref(set->name);
    free(set);
}

/* --- Taking in */

void sets_take_row(struct publisher *pub, const struct row *before, const struct row *after)
{
    struct pub_set *set, *now = after ? of_row(pub, after) : NULL;
    if (before && (set = of_row(pub, before)) != now) {
        if (set->row && uuid_equal(&set->row->uuid, &before->uuid)) {
            publisher_hold(&set->row, NULL);
            memset(&set->sb, 0, sizeof set->sb);
        }
        mark(pub, set);
    }
    if (!now)
        return;
    if (now->row && !uuid_equal(&now->row->uuid, &after->uuid)) {
        publisher_surplus(pub, after);
        return;
    }
    /* While our own transaction is out, this is its effect, also what it has just inserted. */
    bool landed = pub->in_flight && (before || uuid_equal(&now->sb, &after->uuid));
    publisher_hold(&now->row, after);
    now->sb = after->uuid;
    if (!landed) {
        now->check_all = true;
        mark(pub, now);
    }
}

void sets_take_fact(const void *fact, bool added, void *pub_)
{
    struct publisher *pub = pub_;
    const struct fact_set *f = fact;
    struct pub_set *set = get(pub, (enum set_table)f->table, f->name);
    if (added || uuid_equal(&set->owner, &f->owner))
        drop_owner(pub, set);
    if (added) {
        set->owner = f->owner;
        set->check_all = true;
        hmap_insert(&pub->sets_by_owner, &set->by_owner, uuid_hash(&f->owner));
    }
    mark(pub, set);
}

void sets_take_element(const void *fact, bool added, void *pub_)
{
    struct publisher *pub = pub_;
    const struct feed_text *f = fact;
    struct pub_set *set = find_owner(pub, &f->row);
    if (!set || set->check_all)
        return;
    struct element_change change = {.text = rstr_ref(f->text), .added = added};
    vec_push(&set->changes, change);
    mark(pub, set);
}

/* --- Building */

/* Not the interned string itself: the database may outlive its pool. */
static union atom atom_of(const struct rstr *text)
{
    return (union atom){.string = rstr_new_n(text->s, text->n)};
}

static const struct datum *all_elements(struct publisher *pub, const struct pub_set *set)
{
    const struct inc_index *from[] = {pub->p->acl.in_address_by_owner,
                                      pub->p->acl.set_element_by_owner};
    VEC(union atom) atoms = VEC_INIT;
    for (size_t i = 0; i < ARRAY_SIZE(from); i++) {
        struct inc_facts facts = inc_look(pub->inc, from[i], &set->owner);
        for (size_t j = 0; j < facts.n; j++) {
            const struct feed_text *f = facts.v[j];
            vec_push(&atoms, atom_of(f->text));
        }
    }
    const struct datum *d = datum_new_set(ATOM_STRING, atoms.data, atoms.n);
    vec_fini(&atoms);
    return d;
}

/* All that changed and is not so already, in one mutation for each direction. */
static void apply_changes(struct publisher *pub, struct pub_set *set, bool added)
{
    const int column = tables[set->table].elements;
    VEC(union atom) atoms = VEC_INIT;
    struct element_change *c;
    VEC_FOR_EACH (c, &set->changes) {
        union atom atom = {.string = (struct rstr *)(uintptr_t)c->text};
        if (c->added == added && (datum_find(set->row->values[column], &atom) >= 0) != added)
            vec_push(&atoms, atom_of(c->text));
    }
    if (atoms.n)
        publisher_mutate(pub, tables[set->table].table, &set->sb, column,
                         added ? MUTATE_INSERT : MUTATE_DELETE,
                         datum_new_set(ATOM_STRING, atoms.data, atoms.n));
    vec_fini(&atoms);
}

static void build_wanted(struct publisher *pub, struct pub_set *set)
{
    size_t table = tables[set->table].table;
    if (uuid_is_zero(&set->sb))
        set->sb = publisher_insert(pub, table, &set->owner);
    publisher_put(pub, table, &set->sb, set->row, tables[set->table].name,
                  datum_new_string(set->name->s));
    if (set->check_all || !set->row) {
        publisher_put(pub, table, &set->sb, set->row, tables[set->table].elements,
                      all_elements(pub, set));
    } else {
        apply_changes(pub, set, false);
        apply_changes(pub, set, true);
    }
}

void sets_build(struct publisher *pub)
{
    struct pub_set *set, *next;
    LIST_FOR_EACH_SAFE (set, next, dirty, &pub->dirty_sets) {
        list_remove(&set->dirty);
        if (!uuid_is_zero(&set->owner))
            build_wanted(pub, set);
        else if (set->row)
            publisher_delete(pub, tables[set->table].table, &set->row->uuid);
        drop_changes(set);
        set->check_all = false;
        if (uuid_is_zero(&set->owner) && !set->row)
            forget(pub, set);
    }
}

void sets_clear(struct publisher *pub)
{
    struct pub_set *set;
    HMAP_FOR_EACH_SAFE (set, by_name, &pub->sets_by_name)
        forget(pub, set);
}
