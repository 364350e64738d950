/* lflows_sb.c - Logical_Flow rows (room 5 of docs/architecture.md). Flows that are equal but for the datapath are one row, with
 * logical_datapath when one datapath has it and logical_dp_group (dpsets.c) when several have.
 *
 * A flow has two names: its value (pointers to interned trees), by which facts find it, and the hash of its text, by which
 * rows find it. The text is made once, when a flow first becomes wanted (texts.c); before it is, only facts find the flow.
 */
#include "northd/publish/internal.h"

#include <stdlib.h>
#include <string.h>

/* --- The two names */

static uint64_t hash_value(const struct fact_lflow *f)
{
    uint64_t place = (uint64_t)f->stage << 48 | (uint64_t)f->priority << 32 | f->hint;
    return hash_pointer(f->match, hash_pointer(f->actions, place));
}

static struct pub_flow *find_value(const struct publisher *pub, const struct fact_lflow *f)
{
    struct pub_flow *flow;
    HMAP_FOR_EACH_WITH_HASH (flow, by_value, hash_value(f), &pub->flows_by_value) {
        const struct fact_lflow *v = &flow->value;
        if (v->match == f->match && v->actions == f->actions && v->stage == f->stage &&
            v->priority == f->priority && v->hint == f->hint)
            return flow;
    }
    return NULL;
}

static void put_number(struct str *s, int64_t number)
{
    char text[20];
    size_t at = sizeof text;
    uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;
    do
        text[--at] = (char)('0' + rest % 10);
    while (rest /= 10);
    if (number < 0)
        text[--at] = '-';
    str_put_n(s, text + at, sizeof text - at);
}

/* Texts are separated by a byte that none of them holds. */
static void hash_texts(const char *stage, const char *pipeline, int64_t table, int64_t priority,
                       const char *hint, const char *match, const char *actions, uint64_t ret[2])
{
    struct str s = STR_INIT;
    str_put(&s, stage);
    str_putc(&s, '\1');
    str_put(&s, pipeline);
    str_putc(&s, '\1');
    put_number(&s, table);
    str_putc(&s, '\1');
    put_number(&s, priority);
    str_putc(&s, '\1');
    str_put(&s, hint);
    str_putc(&s, '\1');
    str_put(&s, match);
    str_putc(&s, '\1');
    str_put(&s, actions);
    XXH128_hash_t h = XXH3_128bits(s.s, s.n);
    ret[0] = h.low64;
    ret[1] = h.high64;
    str_fini(&s);
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

static void hash_row(const struct row *row, uint64_t ret[2])
{
    const struct sb_logical_flow *f = sb_logical_flow_cast(row);
    hash_texts(or_empty(sb_logical_flow_external_ids_value(f, "stage-name")),
               sb_logical_flow_pipeline(f), sb_logical_flow_table_id(f),
               sb_logical_flow_priority(f),
               or_empty(sb_logical_flow_external_ids_value(f, "stage-hint")),
               sb_logical_flow_match(f), sb_logical_flow_actions(f), ret);
}

static void put_hint(char buf[9], uint32_t hint)
{
    static const char digits[] = "0123456789abcdef";
    size_t n = hint ? 8 : 0;
    for (size_t i = 0; i < n; i++)
        buf[i] = digits[hint >> (28 - 4 * i) & 15];
    buf[n] = '\0';
}

static void drop_texts(const struct datum *texts[N_FLOW_TEXTS])
{
    for (int i = 0; i < N_FLOW_TEXTS; i++) {
        datum_unref(texts[i]);
        texts[i] = NULL;
    }
}

void lflows_sb_hash(const struct fact_lflow *f, const struct datum *const texts[N_FLOW_TEXTS],
                    uint64_t ret[2])
{
    const struct stage_info *stage = stage_info(f->stage);
    char hint[9];
    put_hint(hint, f->hint);
    hash_texts(stage->name, lflow_pipeline_name(stage->pipeline), stage->table, f->priority, hint,
               texts[FLOW_MATCH]->atoms->string->s, texts[FLOW_ACTIONS]->atoms->string->s, ret);
}

static struct pub_flow *find_text(const struct publisher *pub, const uint64_t hash[2])
{
    struct pub_flow *flow;
    HMAP_FOR_EACH_WITH_HASH (flow, by_text, hash[0], &pub->flows_by_text)
        if (flow->text_hash[1] == hash[1])
            return flow;
    return NULL;
}

static struct pub_flow *get_text(struct publisher *pub, const uint64_t hash[2])
{
    struct pub_flow *flow = find_text(pub, hash);
    if (flow)
        return flow;
    flow = NEW(struct pub_flow);
    memcpy(flow->text_hash, hash, sizeof flow->text_hash);
    list_init(&flow->dirty);
    hmap_insert(&pub->flows_by_text, &flow->by_text, hash[0]);
    return flow;
}

/* --- Taking in */

/* Whether ROW is what was made for FLOW: then its texts need not be hashed. */
static bool is_made_for(const struct pub_flow *flow, const struct row *row)
{
    const struct sb_logical_flow *f = sb_logical_flow_cast(row);
    const struct stage_info *stage = stage_info(flow->value.stage);
    return flow->texts[FLOW_IDS] && sb_logical_flow_table_id(f) == stage->table &&
           sb_logical_flow_priority(f) == flow->value.priority &&
           !strcmp(sb_logical_flow_pipeline(f), lflow_pipeline_name(stage->pipeline)) &&
           datum_equal(row->values[SB_LOGICAL_FLOW_COL_MATCH], flow->texts[FLOW_MATCH]) &&
           datum_equal(row->values[SB_LOGICAL_FLOW_COL_ACTIONS], flow->texts[FLOW_ACTIONS]) &&
           datum_equal(row->values[SB_LOGICAL_FLOW_COL_EXTERNAL_IDS], flow->texts[FLOW_IDS]);
}

static void name_row(const struct publisher *pub, const struct row *row, uint64_t ret[2])
{
    memcpy(ret, &row->uuid, sizeof row->uuid); /* what publisher_insert was asked for */
    const struct pub_flow *flow = find_text(pub, ret);
    if (!flow || !is_made_for(flow, row))
        hash_row(row, ret);
}

static void lose_value(struct publisher *pub, struct pub_flow *flow)
{
    if (!flow->value.match)
        return;
    hmap_remove(&pub->flows_by_value, &flow->by_value);
    drop_texts(flow->texts);
    expr_unref(flow->value.match);
    actions_unref(flow->value.actions);
    memset(&flow->value, 0, sizeof flow->value);
}

static void forget(struct publisher *pub, struct pub_flow *flow)
{
    lose_value(pub, flow);
    dpsets_leave(pub, flow);
    hmap_remove(&pub->flows_by_text, &flow->by_text);
    list_remove(&flow->dirty);
    publisher_hold(&flow->row, NULL);
    vec_fini(&flow->moves);
    vec_fini(&flow->links);
    free(flow);
}

static struct pub_flow *get_value(struct publisher *pub, const struct fact_lflow *fact)
{
    struct pub_flow *flow = find_value(pub, fact);
    if (flow)
        return flow;
    flow = NEW(struct pub_flow);
    list_init(&flow->dirty);
    flow->value = *fact;
    memset(&flow->value.datapath, 0, sizeof flow->value.datapath);
    expr_ref(fact->match);
    actions_ref(fact->actions);
    hmap_insert(&pub->flows_by_value, &flow->by_value, hash_value(fact));
    texts_want(pub->texts, flow);
    return flow;
}

/* If there is a row of these texts already, it is the flow's. */
void lflows_sb_name(struct publisher *pub, struct pub_flow *flow)
{
    struct pub_flow *old = find_text(pub, flow->text_hash);
    if (old) {
        INVARIANT(!old->value.match); /* equal texts are equal trees: parse(print(x)) is x */
        flow->row = old->row;
        flow->sb = old->sb;
        old->row = NULL;
        forget(pub, old);
    }
    hmap_insert(&pub->flows_by_text, &flow->by_text, flow->text_hash[0]);
    if (flow->row)
        drop_texts(flow->texts);
}

struct pub_flow *lflows_sb_get(struct publisher *pub, const struct fact_lflow *fact)
{
    return get_value(pub, fact);
}

void lflows_sb_move(struct publisher *pub, struct pub_flow *flow, const struct uuid *datapath,
                    bool added)
{
    u128 hash = datapaths_hash(datapath);
    struct dp_change move = {.datapath = *datapath, .added = added};
    if (added) {
        flow->n++;
        flow->sum += hash;
    } else {
        flow->n--;
        flow->sum -= hash;
    }
    vec_push(&flow->moves, move);
    publisher_mark(&pub->dirty_flows, &flow->dirty);
}

void lflows_sb_take_fact(const void *fact_, bool added, void *pub_)
{
    struct publisher *pub = pub_;
    const struct fact_lflow *fact = fact_;
    lflows_sb_move(pub, get_value(pub, fact), &fact->datapath, added);
}

/* Whether the flow's row is where the flow belongs, so that there is nothing to build. */
static bool is_placed(const struct publisher *pub, const struct pub_flow *flow)
{
    const struct sb_logical_flow *row = sb_logical_flow_cast(flow->row);
    const struct uuid *at = sb_logical_flow_logical_datapath(row),
                      *group = sb_logical_flow_logical_dp_group(row);
    if (!flow->n || flow->moves.n)
        return false;
    if (flow->n > 1)
        return flow->placed && flow->placed->sum == flow->sum && !at && group &&
               uuid_equal(group, &flow->placed->sb);
    const struct pub_datapath *dp = datapaths_find_hash(pub, flow->sum);
    return !flow->placed && flow->placed_sum == flow->sum && dp && at && !group &&
           uuid_equal(at, &dp->sb);
}

void lflows_sb_take_row(struct publisher *pub, const struct row *before, const struct row *after)
{
    uint64_t hash[2], old[2];
    struct pub_flow *flow;
    texts_finish(pub->texts, pub);
    if (after)
        name_row(pub, after, hash);
    if (before) {
        hash_row(before, old);
        if (!after || memcmp(old, hash, sizeof old)) {
            flow = get_text(pub, old);
            if (flow->row && uuid_equal(&flow->row->uuid, &before->uuid)) {
                publisher_hold(&flow->row, NULL);
                memset(&flow->sb, 0, sizeof flow->sb);
            }
            /* A standby never builds: what nobody wants must not wait for that. */
            if (flow->row || flow->value.match || flow->n || flow->moves.n)
                publisher_mark(&pub->dirty_flows, &flow->dirty);
            else
                forget(pub, flow);
        }
    }
    if (!after)
        return;
    flow = get_text(pub, hash);
    if (flow->row && !uuid_equal(&flow->row->uuid, &after->uuid)) {
        publisher_surplus(pub, after);
        return;
    }
    publisher_hold(&flow->row, after);
    flow->sb = after->uuid;
    drop_texts(flow->texts);
    if (!is_placed(pub, flow))
        publisher_mark(&pub->dirty_flows, &flow->dirty);
}

/* --- Building */

static const struct rstr *word(const struct rstr **slot, const char *text)
{
    if (!*slot)
        *slot = rstr_new(text);
    return *slot;
}

static const struct datum *external_ids(struct publisher *pub, const struct fact_lflow *f)
{
    union atom keys[3], values[3];
    char hint[9];
    size_t n = 0;
    put_hint(hint, f->hint);
    keys[n].string = rstr_ref(word(&pub->id_keys[0], "stage-name"));
    values[n++].string = rstr_ref(word(&pub->stage_names[f->stage], stage_info(f->stage)->name));
    keys[n].string = rstr_ref(word(&pub->id_keys[1], "source"));
    values[n++].string = rstr_ref(word(&pub->source, "weft-northd"));
    if (*hint) {
        keys[n].string = rstr_ref(word(&pub->id_keys[2], "stage-hint"));
        values[n++].string = rstr_new(hint);
    }
    return datum_new_map(ATOM_STRING, ATOM_STRING, keys, values, n);
}

/* Flows have few priorities and table numbers, and those made one after the other one datapath. */
static const struct datum *number(struct publisher *pub, int64_t value)
{
    const struct datum **slot = &pub->numbers[value & (N_USUAL - 1)];
    if (!*slot || (*slot)->atoms[0].integer != value) {
        datum_unref(*slot);
        *slot = datum_new_integer(value);
    }
    return datum_ref(*slot);
}

static const struct datum *reference(struct publisher *pub, const struct uuid *uuid)
{
    const struct datum **slot = &pub->uuids[uuid_hash(uuid) & (N_USUAL - 1)];
    if (!*slot || !uuid_equal(&(*slot)->atoms[0].uuid, uuid)) {
        datum_unref(*slot);
        *slot = datum_new_uuid(uuid);
    }
    return datum_ref(*slot);
}

static void put(struct publisher *pub, struct pub_flow *flow, int column, const struct datum *value)
{
    publisher_put(pub, SB_TABLE_LOGICAL_FLOW, &flow->sb, flow->row, column, value);
}

static void insert(struct publisher *pub, struct pub_flow *flow)
{
    const struct fact_lflow *f = &flow->value;
    const struct stage_info *stage = stage_info(f->stage);
    struct uuid wish;
    memcpy(&wish, flow->text_hash, sizeof wish);
    flow->sb = publisher_insert(pub, SB_TABLE_LOGICAL_FLOW, &wish);
    put(pub, flow, SB_LOGICAL_FLOW_COL_PIPELINE, datum_ref(pub->pipelines[stage->pipeline]));
    put(pub, flow, SB_LOGICAL_FLOW_COL_TABLE_ID, number(pub, stage->table));
    put(pub, flow, SB_LOGICAL_FLOW_COL_PRIORITY, number(pub, f->priority));
    if (!flow->texts[FLOW_MATCH])
        texts_make(f, flow->texts);
    if (!flow->texts[FLOW_IDS])
        flow->texts[FLOW_IDS] = external_ids(pub, f);
    put(pub, flow, SB_LOGICAL_FLOW_COL_MATCH, datum_ref(flow->texts[FLOW_MATCH]));
    put(pub, flow, SB_LOGICAL_FLOW_COL_ACTIONS, datum_ref(flow->texts[FLOW_ACTIONS]));
    put(pub, flow, SB_LOGICAL_FLOW_COL_EXTERNAL_IDS, datum_ref(flow->texts[FLOW_IDS]));
}

/* Writes what is not so already, with the datapath or group that the flow is placed at. */
static void write_row(struct publisher *pub, struct pub_flow *flow, const struct uuid *datapath,
                      const struct uuid *group)
{
    const struct schema_table *t = publisher_table(pub, SB_TABLE_LOGICAL_FLOW);
    const struct datum *none = t->columns[SB_LOGICAL_FLOW_COL_LOGICAL_DATAPATH].default_value;
    if (uuid_is_zero(&flow->sb))
        insert(pub, flow);
    put(pub, flow, SB_LOGICAL_FLOW_COL_LOGICAL_DATAPATH,
        datapath ? reference(pub, datapath) : datum_ref(none));
    put(pub, flow, SB_LOGICAL_FLOW_COL_LOGICAL_DP_GROUP,
        group ? reference(pub, group) : datum_ref(none));
}

static void place_single(struct publisher *pub, struct pub_flow *flow)
{
    const struct pub_datapath *dp = datapaths_find_hash(pub, flow->sum);
    if (!dp || !dp->in_sb)
        return;
    dpsets_leave(pub, flow);
    flow->placed_sum = flow->sum;
    write_row(pub, flow, &dp->sb, NULL);
    vec_fini(&flow->moves);
}

static void place_in(struct publisher *pub, struct pub_flow *flow, struct pub_dpset *set)
{
    if (flow->placed != set) {
        dpsets_leave(pub, flow);
        flow->placed = set;
        set->users++;
    }
    write_row(pub, flow, NULL, &set->sb);
    vec_fini(&flow->moves);
}

static void build_unwanted(struct publisher *pub, struct pub_flow *flow)
{
    dpsets_leave(pub, flow);
    vec_fini(&flow->moves);
    flow->sum = 0;
    if (flow->row)
        publisher_delete(pub, SB_TABLE_LOGICAL_FLOW, &flow->row->uuid);
    if (flow->links.n)
        return; /* a class without members wants it */
    lose_value(pub, flow);
    if (!flow->row)
        forget(pub, flow);
}

typedef VEC(struct pub_dpset *) dpset_vec;

static void build_wanted(struct publisher *pub, struct pub_flow *flow, dpset_vec *pending)
{
    if (flow->n == 1) {
        place_single(pub, flow);
        return;
    }
    struct pub_dpset *set = dpsets_find(pub, flow->sum);
    if (set && !uuid_is_zero(&set->sb)) {
        place_in(pub, flow, set);
        return;
    }
    if (!set)
        set = dpsets_expect(pub, flow->sum);
    if (!set->into.n)
        vec_push(pending, set);
    vec_push(&set->into, flow);
}

/* All that groups of datapaths have to do with; what is left are flows of single ones. */
static void build_shared(struct publisher *pub)
{
    struct pub_flow *flow, *next;
    struct pub_dpset **set;
    dpset_vec pending = VEC_INIT;
    LIST_FOR_EACH_SAFE (flow, next, dirty, &pub->dirty_flows) {
        list_remove(&flow->dirty);
        if (flow->n == 1 && !flow->placed)
            list_push_back(&pub->single_flows, &flow->dirty);
        else if (flow->n)
            build_wanted(pub, flow, &pending);
        else
            build_unwanted(pub, flow);
    }
    VEC_FOR_EACH (set, &pending)
        dpsets_settle(pub, *set);
    VEC_FOR_EACH (set, &pending) {
        for (size_t i = 0; i < (*set)->into.n; i++)
            place_in(pub, (*set)->into.data[i], *set);
        vec_fini(&(*set)->into);
    }
    vec_fini(&pending);
}

bool lflows_sb_build(struct publisher *pub)
{
    if (publisher_is_full(pub))
        return list_empty(&pub->dirty_flows) && list_empty(&pub->single_flows);
    texts_finish(pub->texts, pub);
    build_shared(pub);
    while (!list_empty(&pub->single_flows)) {
        if (publisher_is_full(pub))
            return false;
        struct pub_flow *flow = LIST_FIRST(struct pub_flow, dirty, &pub->single_flows);
        list_remove(&flow->dirty);
        place_single(pub, flow);
    }
    return true;
}

static void lose_word(const struct rstr **slot)
{
    rstr_unref(*slot);
    *slot = NULL;
}

void lflows_sb_clear(struct publisher *pub)
{
    struct pub_flow *flow;
    texts_finish(pub->texts, pub);
    HMAP_FOR_EACH_SAFE (flow, by_text, &pub->flows_by_text)
        forget(pub, flow);
    for (size_t i = 0; i < ARRAY_SIZE(pub->stage_names); i++)
        lose_word(&pub->stage_names[i]);
    for (size_t i = 0; i < ARRAY_SIZE(pub->id_keys); i++)
        lose_word(&pub->id_keys[i]);
    lose_word(&pub->source);
    for (size_t i = 0; i < N_USUAL; i++) {
        datum_unref(pub->numbers[i]);
        datum_unref(pub->uuids[i]);
        pub->numbers[i] = pub->uuids[i] = NULL;
    }
}
