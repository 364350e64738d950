/* xlate.c - see xlate.h: tables and resubmits, guards, and what it depends on. */
#include "switchd/xlate.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "flow/place.h"
#include "switchd/xlate_ctx.h"

LOG_MODULE(xlate);

/* ---- the result ---- */

void xlate_out_init(struct xlate_out *out)
{
    memset(out, 0, sizeof *out);
}

void xlate_out_clear(struct xlate_out *out)
{
    struct xlate_out kept = *out;
    dp_actions_clear(&kept.actions);
    struct effect *e;
    VEC_FOR_EACH (e, &kept.effects) {
        if (effect_has_rule(e))
            rule_unref(e->rule.rule);
    }
    xlate_out_init(out);
#define KEEP(VECTOR) out->VECTOR.data = kept.VECTOR.data, out->VECTOR.cap = kept.VECTOR.cap
    KEEP(actions.list);
    KEEP(effects);
    KEEP(deps);
    KEEP(writes);
#undef KEEP
}

void xlate_out_fini(struct xlate_out *out)
{
    xlate_out_clear(out);
    dp_actions_fini(&out->actions);
    vec_fini(&out->effects);
    vec_fini(&out->deps);
    vec_fini(&out->writes);
}

struct effect *xctx_effect(struct xctx *x, enum effect_kind kind)
{
    struct effect *e = vec_push_zero(&x->out->effects);
    e->kind = (uint8_t)kind;
    return e;
}

/* ---- what it depends on: deps.h ---- */

#define ALL_WORDS (UINT64_MAX >> (64 - FLOW_WORDS))
#define IN_PORT_WORD (UINT64_C(1) << offsetof(struct flow_key, in_port) / 8)

void xctx_depend(struct xctx *x, struct dep_key key)
{
    if (x->in->depends)
        vec_push(&x->out->deps, key);
}

/* Notes how the working key has changed since the last lookup, in the words that were touched. */
static void note_writes(struct xctx *x)
{
    const uint64_t *key = flow_words_const(&x->key), *mask = flow_words_const(&x->written.bits);
    uint64_t *was = flow_words(&x->noted), *mask_was = flow_words(&x->noted_written.bits);
    uint64_t words = (x->touched | IN_PORT_WORD) & ALL_WORDS;
    for (; words; words &= words - 1) {
        unsigned i = (unsigned)__builtin_ctzll(words);
        if (mask[i] != mask_was[i] || (key[i] ^ was[i]) & mask[i]) {
            struct dep_write w = {key[i] & mask[i], mask[i], i, 0};
            vec_push(&x->out->writes, w);
        }
        was[i] = key[i];
        mask_was[i] = mask[i];
    }
    x->touched = 0;
#ifndef NDEBUG
    INVARIANT(flow_key_equal(&x->key, &x->noted) &&
              flow_key_equal(&x->written.bits, &x->noted_written.bits));
#endif
}

/* Notes a lookup by the working key as it stands, or by another key; returns effect.n_writes. */
static uint16_t depend_on_table(struct xctx *x, uint8_t table_id, bool other_key)
{
    if (!x->in->depends)
        return DEP_UNKNOWN;
    struct dep_key key = {
        .kind = DEP_TABLE, .table_id = table_id, .bridge_no = x->br->number, .id = x->key.metadata};
    vec_push(&x->out->deps, key);
    if (other_key || x->out->writes.n >= DEP_WRITES_MAX)
        return DEP_UNKNOWN;
    note_writes(x);
    return (uint16_t)x->out->writes.n;
}

void xctx_drop(struct xctx *x, enum drop_reason reason)
{
    if (x->out->drop == DROP_NONE)
        x->out->drop = reason;
}

/* ---- guards ---- */

void xctx_guard(struct xctx *x, enum drop_reason reason)
{
    static struct log_rate rate = LOG_RATE(5, 5);
    if (!x->stop) {
        struct str flow = STR_INIT;
        if (x->rule) {
            struct match match;
            cls_rule_match(&x->rule->cls, &match);
            match_put(&flow, &match, x->rule->cls.priority, NULL);
            str_put(&flow, flow.n ? " actions=" : "actions=");
            of_actions_put(&flow, x->rule->actions.data, x->rule->actions.n, NULL);
        }
        log_warn_limited(&rate, "bridge %s, table %u: %s; the packet is dropped by the flow %.300s",
                         x->br->name, x->table_id, drop_text(reason),
                         flow.n ? str_c(&flow) : "of a packet-out");
        str_fini(&flow);
    }
    xctx_note(x, "     >>>> %s <<<<", drop_text(reason));
    x->stop = true;
    x->out->drop = reason;
}

/* Whether the translation has grown beyond what can be meant; each list adds at most 64 kB to it. */
static bool too_long(const struct xctx *x)
{
    return x->out->n_resubmits >= XLATE_MAX_RESUBMITS ||
           x->out->actions.list.n > XLATE_MAX_ACTIONS || x->action_set.n > XLATE_MAX_ACTIONS;
}

bool xctx_enter(struct xctx *x)
{
    if (x->depth + x->backward >= XLATE_MAX_DEPTH) {
        xctx_guard(x, DROP_RECURSION);
        return false;
    }
    if (too_long(x)) {
        xctx_guard(x, DROP_TOO_LONG);
        return false;
    }
    x->out->n_resubmits++;
    x->depth++;
    return true;
}

void xctx_leave(struct xctx *x)
{
    x->depth--;
}

/* ---- forks: what happens to the packet inside is undone outside ---- */

void xctx_fork(struct xctx *x, struct xfork *fork)
{
    fork->key = x->key;
    fork->written = x->written;
    fork->base = x->base;
    fork->base_written = x->base_written;
    fork->tags = x->tags;
    fork->dirty = x->dirty;
    fork->tun_options = x->tun_options;
    tun_opts_copy(&fork->opts, &x->opts);
    fork->clone = dp_begin_clone(&x->out->actions);
}

/* Whether some action from START on changes the packet for those behind it. */
static bool changes_packet(const struct dp_actions *actions, size_t start)
{
    for (size_t i = start; i < actions->list.n; i++) {
        const struct dp_action *a = &actions->list.data[i];
        if (a->type == DP_CLONE)
            i += a->n;
        else if (a->type != DP_OUTPUT && a->type != DP_CONTROLLER)
            return true;
    }
    return false;
}

void xctx_join(struct xctx *x, struct xfork *fork)
{
    continuation_finish(x);
    x->key = fork->key;
    x->written = fork->written;
    x->touched = UINT64_MAX;
    x->base = fork->base;
    x->base_written = fork->base_written;
    x->tags = fork->tags;
    x->dirty = fork->dirty;
    x->tun_options = fork->tun_options;
    tun_opts_copy(&x->opts, &fork->opts);
    if (changes_packet(&x->out->actions, fork->clone + 1))
        dp_end_clone(&x->out->actions, fork->clone);
    else
        dp_undo_clone(&x->out->actions, fork->clone);
}

/* ---- tables ---- */

/* Exchanges the packet's addresses, protocol and ports with those of its connection's original direction; of a mask: the bits. */
static void swap_tuples(struct flow_key *k)
{
#define SWAP(A, B)                                                                                 \
    do {                                                                                           \
        __typeof__(A) a_ = (A);                                                                    \
        (A) = (B);                                                                                 \
        (B) = a_;                                                                                  \
    } while (0)
    SWAP(k->nw_src, k->ct.nw_src);
    SWAP(k->nw_dst, k->ct.nw_dst);
    SWAP(k->ip6_src, k->ct.ip6_src);
    SWAP(k->ip6_dst, k->ct.ip6_dst);
    SWAP(k->nw_proto, k->ct.nw_proto);
    SWAP(k->tp_src, k->ct.tp_src);
    SWAP(k->tp_dst, k->ct.tp_dst);
#undef SWAP
}

/* Adds the bits that a lookup looked at, which are in WORDS. */
static void use_words(struct xctx *x, uint64_t words)
{
    uint64_t *to = flow_words(&x->out->mask.bits), *from = flow_words(&x->looked_at.bits);
    const uint64_t *written = flow_words_const(&x->written.bits);
    for (; words; words &= words - 1) {
        unsigned i = (unsigned)__builtin_ctzll(words);
        to[i] |= from[i] & ~written[i];
        from[i] = 0;
    }
}

/* The rule of TABLE_ID for the packet as coming from IN_PORT. */
static struct rule *lookup(struct xctx *x, uint8_t table_id, uint32_t in_port)
{
    uint64_t words;
    be32 saved = x->key.in_port;
    bool original = x->lookup_original;
    x->key.in_port = swap32(in_port);
    x->lookup_original = false;
    uint16_t n_writes = depend_on_table(x, table_id, original);
    if (original)
        swap_tuples(&x->key);
    struct rule *rule =
        tables_lookup(&x->br->tables, table_id, &x->key, &x->opts, &x->looked_at, &words);
    x->key.in_port = saved;
    if (original) {
        swap_tuples(&x->key);
        swap_tuples(&x->looked_at.bits);
        words = ALL_WORDS;
    }
    use_words(x, words);
    struct effect *e = xctx_effect(x, rule ? EFFECT_RULE : EFFECT_TABLE_MISS);
    e->n_writes = n_writes;
    e->soft = x->br->tables.table[table_id].cls.n_soft > 0;
    if (rule) {
        e->rule.rule = rule_ref(rule);
        e->rule.bridge_no = x->br->number;
    } else {
        e->at.bridge_no = x->br->number;
        e->at.id = table_id;
    }
    note_lookup(x, rule);
    return rule;
}

static void table_miss(struct xctx *x)
{
    xctx_drop(x, DROP_TABLE_MISS);
    if (x->br->miss_to_controller)
        xlate_controller(x, UINT16_MAX, 0, OF_REASON_NO_MATCH, NULL, 0, false, OF_METER_NONE);
}

/* Whether going on to TABLE is still within the guards. */
static bool xctx_jump(struct xctx *x, int table)
{
    x->backward += table <= x->table_id;
    if (x->depth + x->backward > XLATE_MAX_DEPTH || too_long(x)) {
        xctx_guard(x, too_long(x) ? DROP_TOO_LONG : DROP_RECURSION);
        return false;
    }
    x->out->n_resubmits++;
    return true;
}

void xlate_table(struct xctx *x, uint8_t table_id, uint32_t in_port)
{
    if (table_id >= N_TABLES) {
        x->lookup_original = false;
        xctx_drop(x, DROP_TABLE_MISS);
        return;
    }
    uint8_t saved_table = x->table_id;
    struct rule *saved_rule = x->rule;
    unsigned saved_backward = x->backward;
    struct xpage page = x->page;
    struct xjump jump = {table_id, in_port};
    while (jump.table >= 0) {
        x->table_id = (uint8_t)jump.table;
        struct rule *rule = x->rule = lookup(x, x->table_id, jump.in_port);
        if (!rule) {
            table_miss(x);
            break;
        }
        jump = xlate_list(x, rule->actions.data, rule->actions.n);
        if (jump.table >= 0 && !xctx_jump(x, jump.table))
            break;
        if (jump.table >= 0)
            note_table(x);
    }
    x->page = page;
    x->backward = saved_backward;
    x->rule = saved_rule;
    x->table_id = saved_table;
}

/* ---- entry ---- */

#define WRITTEN_ALL(X, MEMBER) memset(&(X)->written.bits.MEMBER, 0xff, sizeof(X)->key.MEMBER)

static void xctx_init(struct xctx *x, const struct xlate_in *in, struct xlate_out *out)
{
    memset(x, 0, offsetof(struct xctx, opts));
    tun_opts_init(&x->opts);
    x->in = in;
    x->out = out;
    x->vs = in->bridge->vs;
    x->br = in->bridge;
    x->key = in->key;
    x->base = in->key;
    out->cacheable = true;
    /* What is the same for all packets of the port is known without looking. */
    WRITTEN_ALL(x, reg);
    WRITTEN_ALL(x, metadata);
    WRITTEN_ALL(x, in_port);
    WRITTEN_ALL(x, conj_id);
    WRITTEN_ALL(x, actset_output);
    WRITTEN_ALL(x, packet_type);
    WRITTEN_ALL(x, ct);
    if (!in->in_port || !in->in_port->is_tunnel)
        WRITTEN_ALL(x, tunnel);
    memset(&out->mask.bits.in_port, 0xff, sizeof out->mask.bits.in_port);
    out->mask.bits.recirc_id = UINT32_MAX;
    memset(&out->mask.bits.eth_type, 0xff, sizeof out->mask.bits.eth_type);
    if (x->key.actset_output == 0)
        x->key.actset_output = swap32(PORT_UNSET);
    x->touched = UINT64_MAX;
    if (in->depends) { /* as deps.h has it */
        x->noted = x->key;
        memset(&x->noted, 0, FLOW_STAGE_METADATA_END * 8);
        memset(&x->noted_written, 0xff, FLOW_STAGE_METADATA_END * 8);
    }
}

/* The last thing that is done to a packet needs no copy. */
static void undo_last_clone(struct dp_actions *actions)
{
    for (size_t i = 0; i < actions->list.n; i++) {
        const struct dp_action *a = &actions->list.data[i];
        if (a->type != DP_CLONE)
            continue;
        if (i + 1 + a->n == actions->list.n)
            dp_undo_clone(actions, i--);
        else
            i += a->n;
    }
}

/* A packet that has come in. */
/* Fragments that nobody has put together look alike, also the one with the ports; in mode nx-match that one shows them. */
static void hide_ports(struct xctx *x)
{
    struct subfield frag = subfield_whole(FIELD_IP_FRAG);
    if (x->br->frags_have_ports || !xctx_has(x, PREREQ_IP) || xctx_get(x, &frag) != FRAG_ANY)
        return;
    x->key.tp_src = x->key.tp_dst = 0;
    x->key.icmp_type = x->key.icmp_code = 0;
}

static void start(struct xctx *x)
{
    hide_ports(x);
    if (x->br->mirrors.n && x->in->in_port)
        xlate_mirror(x, x->in->in_port, true);
    xlate_table(x, (uint8_t)x->in->start_table, key_in_port(&x->key));
}

/* OpenFlow 1.3 section 7.3.2: OFPC_FRAG_DROP. */
static bool drops_fragment(struct xctx *x)
{
    struct subfield frag = subfield_whole(FIELD_IP_FRAG);
    return x->br->drop_fragments && xctx_has(x, PREREQ_IP) && xctx_get(x, &frag) & FRAG_ANY;
}

void xlate(const struct xlate_in *in, struct xlate_out *out)
{
    struct xctx x;
    xctx_init(&x, in, out);
    x.vs->n_xlate++;
    note_bridge(&x);
    if (x.key.tunnel.more && !xctx_know_opts(&x))
        ;
    else if (in->recirc)
        xlate_thaw(&x, in->recirc);
    else if (in->in_port && in->in_port->config & (OF_PC_PORT_DOWN | OF_PC_NO_RECV))
        xctx_drop(&x, DROP_NO_FORWARD);
    else if (in->continuation)
        continuation_run(&x, in->continuation, in->n_continuation);
    else if (in->actions)
        xlate_actions(&x, in->actions, in->n_actions);
    else if (drops_fragment(&x))
        xctx_drop(&x, DROP_FRAGMENTS);
    else
        start(&x);
    if (x.action_set.n && !x.stop && !x.unwinds)
        xlate_action_set(&x);
    continuation_finish(&x);
    if (in->final)
        *in->final = x.key;
    undo_last_clone(&out->actions);
    if (x.stop) {
        dp_actions_clear(&out->actions);
        out->delivered = false;
    } else if (out->delivered) {
        out->drop = DROP_NONE;
    } else if (out->drop == DROP_NONE) {
        out->drop = DROP_ACTION;
    }
    vec_fini(&x.stack);
    of_actions_fini(&x.action_set);
    of_buf_fini(&x.resume);
}

/* ---- effects ---- */

static void effect_patch(struct vswitch *vs, const struct effect *e, uint64_t n_packets,
                         uint64_t n_bytes)
{
    struct vport *tx = vswitch_port(vs, e->patch.tx), *rx = vswitch_port(vs, e->patch.rx);
    if (tx) {
        tx->patch.tx_packets += n_packets;
        tx->patch.tx_bytes += n_bytes;
    }
    if (rx) {
        rx->patch.rx_packets += n_packets;
        rx->patch.rx_bytes += n_bytes;
    }
}

void effects_apply(struct vswitch *vs, const struct effect *effects, size_t n, uint64_t n_packets,
                   uint64_t n_bytes, int64_t now_ms, bool learn)
{
    struct bridge *br = NULL;
    for (size_t i = 0; i < n; i++) {
        const struct effect *e = &effects[i];
        uint32_t number = effect_has_rule(e)        ? e->rule.bridge_no
                          : e->kind == EFFECT_MAC   ? e->mac.bridge_no
                          : e->kind == EFFECT_PATCH ? 0
                                                    : e->at.bridge_no;
        if (e->kind == EFFECT_PATCH) {
            effect_patch(vs, e, n_packets, n_bytes);
            continue;
        }
        if (!br || br->number != number)
            br = vswitch_bridge_numbered(vs, number);
        if (!br)
            continue;
        if (e->kind == EFFECT_RULE) {
            struct rule *rule = rule_creditor(e->rule.rule);
            rule->n_packets += n_packets;
            rule->n_bytes += n_bytes;
            rule->used_ms = MAX(rule->used_ms, now_ms);
            br->tables.table[rule->table_id].n_lookups += n_packets;
            br->tables.table[rule->table_id].n_matches += n_packets;
        } else if (e->kind == EFFECT_FIN) {
            tables_shorten(&br->tables, rule_creditor(e->rule.rule), e->rule.fin_idle,
                           e->rule.fin_hard);
        } else if (e->kind == EFFECT_TABLE_MISS) {
            br->tables.table[e->at.id].n_lookups += n_packets;
        } else if (e->kind == EFFECT_GROUP) {
            struct group *group = bridge_group(br, e->at.id);
            if (group)
                group_count(group, e->at.bucket_id, n_packets, n_bytes);
        } else if (e->kind == EFFECT_MIRROR) {
            if (e->at.id < br->mirrors.n) {
                br->mirrors.list[e->at.id].n_packets += n_packets;
                br->mirrors.list[e->at.id].n_bytes += n_bytes;
            }
        } else if (learn) {
            mac_table_learn(&br->macs, e->mac.mac, e->mac.vlan, e->mac.port, now_ms);
        }
    }
}
