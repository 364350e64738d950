/* warn_lists.c - see warn_lists.h. An owner that changed is in the change set, with its new children; of a child that changed by itself
 * the owner is searched for, as NB has no references back: a binary search in each owner's list, for a few children.
 */
#include "northd/warn_lists.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/vec.h"
#include "validate/lists.h"

LOG_MODULE(northd_warn);

enum {
    MAX_ROWS = 500,    /* of a list */
    MAX_LOOKS = 1000,  /* rows for a change set */
    RULE_LOOKS = 5,    /* a rule is parsed and brought into its normal form */
    MAX_SEARCHED = 4,  /* children whose owner is searched for, of a list */
    MAX_OWNERS = 2000, /* that are searched */
};

struct warn_lists {
    const struct replica *nb;
    struct validate *validate;
    size_t looks;                   /* that are left */
    VEC(const struct row *) edited; /* children of the present list that are not new */
};

struct warn_lists *warn_lists_new(const struct replica *nb)
{
    struct warn_lists *w = NEW(struct warn_lists);
    w->nb = nb;
    w->validate = validate_new(replica_schema(nb));
    return w;
}

void warn_lists_free(struct warn_lists *w)
{
    if (!w)
        return;
    vec_fini(&w->edited);
    validate_free(w->validate);
    free(w);
}

static const struct row *find(void *w, const struct schema_table *table, const struct uuid *uuid)
{
    return replica_row_find(((struct warn_lists *)w)->nb, table, uuid);
}

static bool is_edited(void *w_, const struct row *row)
{
    struct warn_lists *w = w_;
    for (size_t i = 0; i < w->edited.n; i++)
        if (uuid_equal(&w->edited.data[i]->uuid, &row->uuid))
            return true;
    return false;
}

static void on_warning(void *w UNUSED, const char *sentence)
{
    static struct log_rate rate = LOG_RATE(20, 20);
    log_warn_limited(&rate, "%s", sentence);
}

/* Is one of the edited in it? */
static bool holds_edited(const struct warn_lists *w, const struct datum *members)
{
    for (size_t i = 0; i < w->edited.n; i++) {
        union atom key = {.uuid = w->edited.data[i]->uuid};
        if (datum_find(members, &key) >= 0)
            return true;
    }
    return false;
}

static void look_at(struct warn_lists *w, const struct validate_list *list,
                    const struct schema_column *column, const struct row *before,
                    const struct row *owner)
{
    const struct validate_list_world world = {w, find, is_edited, on_warning};
    const struct datum *members = row_get(owner, column);
    size_t looks = members->n * (list->tell || list->judge ? 1 : RULE_LOOKS);
    if (before && row_get(before, column) == members && !holds_edited(w, members))
        return;
    if (looks > MAX_ROWS || looks > w->looks)
        return;
    w->looks -= looks;
    validate_list(w->validate, list, before, owner, &world);
}

static bool is_in(const struct changeset *cs, const struct row *row)
{
    for (size_t i = 0; i < cs->n; i++)
        if (cs->changes[i].after == row)
            return true;
    return false;
}

static void take_list(struct warn_lists *w, const struct validate_list *list,
                      const struct changeset *cs)
{
    const struct schema_table *owners = replica_table(w->nb, list->owner);
    const struct schema_column *column = owners ? schema_column_find(owners, list->column) : NULL;
    const struct schema_table *children = replica_table(w->nb, list->child);
    if (!column || !children)
        return;
    w->edited.n = 0;
    for (size_t i = 0; i < cs->n && w->edited.n < MAX_SEARCHED; i++) {
        const struct change *change = &cs->changes[i];
        if (change->before && change->after && change->after->table == children &&
            !validate_list_same(list, change->before, change->after))
            vec_push(&w->edited, change->after);
    }
    for (size_t i = 0; i < cs->n; i++)
        if (cs->changes[i].after && cs->changes[i].after->table == owners)
            look_at(w, list, column, cs->changes[i].before, cs->changes[i].after);
    if (!w->edited.n || replica_n_rows(w->nb, owners) > MAX_OWNERS)
        return;
    const struct row *owner;
    REPLICA_FOR_EACH(owner, pos, w->nb, owners)
    if (holds_edited(w, row_get(owner, column)) && !is_in(cs, owner))
        look_at(w, list, column, owner, owner);
}

void warn_lists_take(struct warn_lists *w, const struct changeset *cs)
{
    w->looks = MAX_LOOKS;
    for (size_t i = 0; i < validate_n_lists; i++)
        if (!validate_lists[i].at_rest)
            take_list(w, &validate_lists[i], cs);
}
