/* group.c - groups of a bridge (OpenFlow 1.3 section 5.6); see bridge.h.
 *
 * A change of a group is a draft first. The commit at work (ofcommit.c) sees drafts, so that its later messages build on them; packets and readers do
 * not. groups_flip puts all drafts in force at once, groups_undo forgets them. Outside of a commit each change is in force at its end.
 */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "switchd/bridge.h"
#include "switchd/tlv_use.h"
#include "switchd/use_count.h"
#include "switchd/vswitch.h"

static struct group *find(const struct bridge *br, uint32_t id)
{
    struct group *g;
    HMAP_FOR_EACH_WITH_HASH (g, node, hash_u64(id, 0), &br->groups) {
        if (g->of.id == id)
            return g;
    }
    return NULL;
}

struct group *bridge_group(const struct bridge *br, uint32_t id)
{
    struct group *g = find(br, id);
    return g && !g->is_new ? g : NULL;
}

/* What G is for the commit at work, or for everybody when there is none; NULL: it has none. */
static const struct of_group *latest(const struct group *g)
{
    return g->draft ? g->draft : g->is_new || g->is_going ? NULL : &g->of;
}

bool bridge_has_group(const struct bridge *br, uint32_t id)
{
    const struct group *g = find(br, id);
    return g && latest(g);
}

/* ---- drafts ---- */

static bool is_drafted(const struct group *g)
{
    return g->draft || g->is_new || g->is_going;
}

static void draft_free(struct group *g)
{
    if (g->draft)
        of_group_fini(g->draft);
    free(g->draft);
    g->draft = NULL;
}

/* G, NULL: a new one, is OF from the flip on. OF is emptied. */
static void draft(struct bridge *br, struct group *g, struct of_group *of)
{
    if (!g) {
        g = NEW(struct group);
        g->of.id = of->id;
        hmap_insert(&br->groups, &g->node, hash_u64(of->id, 0));
        vec_push(&br->drafts, g);
        g->is_new = true;
    } else if (!is_drafted(g)) {
        vec_push(&br->drafts, g);
    }
    draft_free(g);
    g->draft = NEW(struct of_group);
    *g->draft = *of;
    *of = (struct of_group){0};
}

static void draft_removal(struct bridge *br, struct group *g)
{
    if (!is_drafted(g))
        vec_push(&br->drafts, g);
    g->is_going = true;
    draft_free(g);
}

void group_free(struct bridge *br, struct group *g)
{
    draft_free(g);
    hmap_remove(&br->groups, &g->node);
    of_group_fini(&g->of);
    free(g->bucket_counts);
    free(g);
}

/* Buckets count from zero, and the group too, if it is another one of the same number. */
static void put_in_force(struct group *g, int64_t now_ms)
{
    if (g->is_new || g->is_going) {
        g->n_packets = g->n_bytes = 0;
        g->created_ms = now_ms;
    }
    free(g->bucket_counts);
    g->bucket_counts = NULL;
    of_group_fini(&g->of);
    g->of = *g->draft;
    free(g->draft);
    g->draft = NULL;
    g->is_new = g->is_going = false;
}

void groups_flip(struct bridge *br)
{
    struct group **at;
    VEC_FOR_EACH (at, &br->drafts) {
        struct group *g = *at;
        vswitch_group_changed(br->vs, br, g->of.id);
        if (g->draft)
            put_in_force(g, env_now_ms(br->vs->env));
        else
            group_free(br, g);
    }
    vec_clear(&br->drafts);
}

void groups_undo(struct bridge *br)
{
    struct group **at;
    VEC_FOR_EACH (at, &br->drafts) {
        struct group *g = *at;
        if (g->is_new) {
            group_free(br, g);
            continue;
        }
        draft_free(g);
        g->is_going = false;
    }
    vec_clear(&br->drafts);
}

/* ---- changes ---- */

static int check_buckets(struct bridge *br, struct of_group *g)
{
    for (size_t i = 0; i < g->n_buckets; i++) {
        const struct of_actions *actions = &g->buckets[i].actions;
        int err = tlv_check(br, tlv_in_actions(actions->data, actions->n));
        if (!err)
            err = of_actions_check(&g->buckets[i].actions, NULL, 0, N_TABLES_OPEN);
        if (err)
            return err;
        for (size_t j = 0; j < i; j++) {
            if (g->buckets[j].id == g->buckets[i].id)
                return OF_ERR_GROUP_MOD_BUCKET_EXISTS;
        }
        if (g->type == OF_GROUP_TYPE_FF && g->buckets[i].watch_port == PORT_ANY &&
            g->buckets[i].watch_group == OF_GROUP_ANY)
            return OF_ERR_GROUP_MOD_INVALID;
    }
    if (g->type == OF_GROUP_TYPE_INDIRECT && g->n_buckets != 1)
        return OF_ERR_GROUP_MOD_INVALID;
    (void)br;
    return 0;
}

static size_t bucket_index(const struct of_group *g, uint32_t id)
{
    size_t i = 0;
    while (i < g->n_buckets && g->buckets[i].id != id)
        i++;
    return i;
}

/* RET gets the buckets of A before place AT, those of B, and the rest of A. */
static void merge_buckets(struct of_group *ret, const struct of_group *a, size_t at,
                          const struct of_group *b)
{
    of_group_copy(ret, a);
    struct of_bucket *buckets = xcalloc(a->n_buckets + b->n_buckets + 1, sizeof *buckets);
    struct of_group copy;
    of_group_copy(&copy, b);
    if (at)
        memcpy(buckets, ret->buckets, at * sizeof *buckets);
    if (b->n_buckets)
        memcpy(buckets + at, copy.buckets, b->n_buckets * sizeof *buckets);
    if (a->n_buckets > at)
        memcpy(buckets + at + b->n_buckets, ret->buckets + at,
               (a->n_buckets - at) * sizeof *buckets);
    free(ret->buckets);
    ret->buckets = buckets;
    ret->n_buckets = a->n_buckets + b->n_buckets;
    copy.n_buckets = 0;
    of_group_fini(&copy);
}

/* Each of these: RET, empty, gets what the message makes of OF. 0 or an OF_ERROR; in any case RET is the caller's to free. */

static int insert_buckets(const struct of_group *of, const struct of_group_mod *gm,
                          struct of_group *ret)
{
    size_t at;
    if (gm->command_bucket_id == OF_BUCKET_FIRST)
        at = 0;
    else if (gm->command_bucket_id == OF_BUCKET_LAST)
        at = of->n_buckets;
    else if ((at = bucket_index(of, gm->command_bucket_id)) == of->n_buckets)
        return OF_ERR_GROUP_MOD_UNKNOWN_BUCKET;
    else
        at++;
    merge_buckets(ret, of, at, &gm->group);
    return 0;
}

static void bucket_remove_at(struct of_group *g, size_t i)
{
    of_actions_fini(&g->buckets[i].actions);
    memmove(&g->buckets[i], &g->buckets[i + 1], (g->n_buckets - i - 1) * sizeof *g->buckets);
    g->n_buckets--;
}

static int remove_buckets(const struct of_group *of, uint32_t id, struct of_group *ret)
{
    of_group_copy(ret, of);
    while (id == OF_BUCKET_ALL && ret->n_buckets)
        bucket_remove_at(ret, ret->n_buckets - 1);
    if (id == OF_BUCKET_ALL)
        return 0;
    size_t i = id == OF_BUCKET_FIRST  ? 0
               : id == OF_BUCKET_LAST ? ret->n_buckets - (ret->n_buckets > 0)
                                      : bucket_index(ret, id);
    if (i >= ret->n_buckets)
        return OF_ERR_GROUP_MOD_UNKNOWN_BUCKET;
    bucket_remove_at(ret, i);
    return 0;
}

/* OF: the group as it is; NULL: there is none. */
static int make(struct bridge *br, const struct of_group *of, const struct of_group_mod *gm,
                struct of_group *ret)
{
    int err = 0;
    switch (gm->command) {
    case OF_GROUP_ADD:
        err = of ? OF_ERR_GROUP_MOD_EXISTS : 0;
        break;
    case OF_GROUP_ADD_OR_MODIFY:
        break;
    case OF_GROUP_MODIFY:
        err = of ? 0 : OF_ERR_GROUP_MOD_UNKNOWN_GROUP;
        break;
    case OF_GROUP_INSERT_BUCKET:
        err = of ? insert_buckets(of, gm, ret) : OF_ERR_GROUP_MOD_UNKNOWN_GROUP;
        return err ? err : check_buckets(br, ret);
    case OF_GROUP_REMOVE_BUCKET:
        return of ? remove_buckets(of, gm->command_bucket_id, ret) : OF_ERR_GROUP_MOD_UNKNOWN_GROUP;
    default:
        err = OF_ERR_GROUP_MOD_BAD_COMMAND;
    }
    if (err)
        return err;
    of_group_copy(ret, &gm->group);
    return check_buckets(br, ret);
}

void bridge_groups_remove(struct bridge *br, uint32_t id)
{
    struct group *g = find(br, id);
    if (g && latest(g))
        draft_removal(br, g);
    if (id == OF_GROUP_ALL)
        HMAP_FOR_EACH (g, node, &br->groups)
            draft_removal(br, g);
}

int bridge_group_mod(struct bridge *br, const struct of_group_mod *gm, struct journal *journal)
{
    struct of_group of = {0};
    uint32_t id = gm->group.id;
    int err = 0;
    tables_settle(&br->tables);
    if (gm->command == OF_GROUP_DELETE) { /* and flows that use it (OpenFlow 1.3 section 6.5) */
        bridge_groups_remove(br, id);
        uses_remove(&br->tables, OF_GROUP, id, journal);
    } else if (id >= 0xffffff00u) {
        err = OF_ERR_GROUP_MOD_INVALID;
    } else {
        struct group *g = find(br, id);
        err = make(br, g ? latest(g) : NULL, gm, &of);
        if (!err)
            draft(br, g, &of);
        of_group_fini(&of);
    }
    if (!br->tables.by_commit)
        groups_flip(br);
    return err;
}

void group_count(struct group *g, uint32_t bucket_id, uint64_t packets, uint64_t bytes)
{
    g->n_packets += packets;
    g->n_bytes += bytes;
    if (!g->bucket_counts)
        g->bucket_counts = xcalloc(g->of.n_buckets + 1, sizeof *g->bucket_counts);
    for (size_t i = 0; i < g->of.n_buckets; i++) {
        if (bucket_id == OF_BUCKET_ALL || g->of.buckets[i].id == bucket_id) {
            g->bucket_counts[i].packets += packets;
            g->bucket_counts[i].bytes += bytes;
        }
    }
}
