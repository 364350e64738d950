/* track.c - the way of a packet through the tracker: find, judge, commit, translate, tell. See conntrack.h. */
#include <stdlib.h>
#include <string.h>

#include "conntrack/conn.h"

/* What became of a packet. */
struct outcome {
    struct ct_conn *conn; /* NULL: none */
    int dir;
    bool again;                    /* the packet has been judged and translated before */
    uint32_t state;                /* CT_* of ct_state */
    struct ct_expectation *expect; /* of a new one that was announced */
};

void ct_set_invalid(struct conntrack *ct, struct packet *packet, uint16_t zone)
{
    memset(&packet->md.ct, 0, sizeof packet->md.ct);
    packet->md.has_ct = true;
    packet->md.ct.state = swap32(CT_TRK | CT_INV);
    packet->md.ct.zone = swap16(zone);
    (void)__atomic_fetch_add(&ct->counters.n_invalid, 1, __ATOMIC_RELAXED);
}

/* Original tuple, mark and label, as flows see them. */
static void tell(struct packet *packet, const struct ct_packet *p, const struct outcome *o)
{
    struct flow_ct *md = &packet->md.ct;
    const struct ct_tuple *t = &p->outer.tuple;
    memset(md, 0, sizeof *md);
    packet->md.has_ct = true;
    md->state = swap32(o->state);
    md->zone = swap16(p->tuple.zone);
    if (o->conn) {
        t = o->conn->parent ? o->conn->parent : &o->conn->end[CT_ORIG].tuple;
        md->mark = o->conn->mark;
        md->label = o->conn->label;
    } else if (o->expect) {
        t = &o->expect->parent;
        md->mark = o->expect->mark;
        md->label = o->expect->label;
    }
    md->nw_proto = t->proto;
    if (ct_proto_is_icmp(t->proto)) { /* type and code, as ovs-fields(7) has them */
        md->tp_src = swap16(t->dst_port >> 8);
        md->tp_dst = swap16(t->dst_port & 0xff);
    } else {
        md->tp_src = swap16(t->src_port);
        md->tp_dst = swap16(t->dst_port);
    }
    if (t->version == 4) {
        memcpy(&md->nw_src, &t->src, 4);
        memcpy(&md->nw_dst, &t->dst, 4);
    } else {
        md->ip6_src = t->src;
        md->ip6_dst = t->dst;
    }
}

/* Makes a connection of a packet that begins one. False: there is no room, or no tuple for it. */
static bool commit(struct conntrack *ct, const struct ct_packet *p, const struct ct_action *action,
                   struct outcome *o, int64_t now_ms)
{
    struct ct_zone *zone = ct_zone_get(ct, action->zone);
    if (ct_zone_is_full(ct, zone)) {
        ct->counters.n_zone_full++;
        return false;
    }
    if (!ct_make_room(ct, now_ms))
        return false;
    struct ct_conn *conn = ct_conn_new(&ct->pool);
    conn->zone = zone;
    conn->end[CT_ORIG].tuple = p->tuple;
    conn->helper = action->helper;
    bool announced = o->expect && o->expect->translated && action->flags & CT_TRANSLATE;
    if (!(announced ? ct_expect_translate(ct, o->expect, conn, now_ms)
                    : ct_nat_choose(ct, conn, action, now_ms))) {
        ct_conn_free(&ct->pool, conn);
        return false;
    }
    if (o->expect) {
        conn->parent = xmemdup(&o->expect->parent, sizeof *conn->parent);
        conn->mark = o->expect->mark;
        conn->label = o->expect->label;
        ct_expect_end(ct, o->expect);
        o->expect = NULL;
    }
    ct_state_begin(conn, p, now_ms);
    ct_insert(ct, conn, now_ms);
    o->conn = conn;
    o->dir = CT_ORIG;
    return true;
}

static void set_mark_and_label(struct ct_conn *conn, const struct ct_action *a)
{
    conn->mark = (conn->mark & ~a->mark_mask) | (a->mark & a->mark_mask);
    u128 mask = get_be128(&a->label_mask);
    if (mask)
        put_be128(&conn->label, (get_be128(&conn->label) & ~mask) | (get_be128(&a->label) & mask));
}

/* Whether PACKET has been through a translation of this ZONE. */
static bool is_translated(const struct packet *packet, uint16_t zone)
{
    return packet->md.has_ct && swap32(packet->md.ct.state) & (CT_SNAT | CT_DNAT) &&
           swap16(packet->md.ct.zone) == zone;
}

/* The connection whose translation P has had already, in the same zone: "ct(nat)" and then "ct(commit,nat(...))" of one that nobody has answered yet. NULL: none, or
 * ACTION wants another kind of translation, too, which takes a connection of its own. */
static struct ct_conn *find_again(struct conntrack *ct, const struct ct_packet *p,
                                  const struct ct_action *action, int *dir, int64_t now_ms)
{
    struct ct_tuple back;
    if (!is_translated(p->packet, p->tuple.zone))
        return NULL;
    ct_tuple_reverse(&p->tuple, &back);
    struct ct_conn *conn = ct_find(ct, &back, now_ms, dir);
    if (!conn || action->nat.flags & (CT_NAT_SRC | CT_NAT_DST) & ~conn->nat)
        return NULL;
    *dir = !*dir;
    return conn;
}

/* The connection that P belongs to, and how it stands to it. False: it is invalid. */
static bool look_up(struct conntrack *ct, struct ct_packet *p, const struct ct_action *action,
                    struct outcome *o, int64_t now_ms, struct ct_hint *hint)
{
    struct ct_conn *conn = ct_find_near(ct, &p->tuple, now_ms, &o->dir, hint);
    if (!conn && !p->is_error) {
        conn = find_again(ct, p, action, &o->dir, now_ms);
        o->again = conn != NULL;
    }
    if (conn && p->is_error) {
        o->state |= CT_REL;
    } else if (conn) {
        bool turned = action->flags & CT_FORCE && action->flags & CT_COMMIT && o->dir == CT_REPLY;
        enum ct_fit fit = turned     ? CT_RESTART
                          : o->again ? CT_FITS
                                     : ct_state_update(ct, conn, o->dir, p, now_ms);
        if (fit == CT_MISFIT)
            return false;
        if (fit == CT_RESTART) {
            ct_remove(ct, conn);
            conn = NULL;
        } else {
            o->state |= conn->replied ? CT_EST : CT_NEW;
            if (conn->parent)
                o->state |= CT_REL;
        }
    }
    o->conn = conn;
    if (conn) {
        o->state |= o->dir == CT_REPLY ? CT_RPL : 0;
        return true;
    }
    if (!ct_state_may_begin(p))
        return false;
    o->state |= CT_NEW;
    if (ct->expectations.n)
        o->expect = ct_expect_find(ct, &p->tuple, now_ms);
    if (o->expect)
        o->state |= CT_REL;
    return true;
}

static void run_helper(struct conntrack *ct, const struct outcome *o, struct ct_packet *p,
                       const struct ct_action *action, int64_t now_ms)
{
    if (o->conn->helper == CT_HELPER_FTP && p->tuple.proto == IP_PROTO_TCP)
        ct_ftp(ct, o->conn, o->dir, p, action->flags & CT_TRANSLATE, now_ms);
    else if (o->conn->helper == CT_HELPER_TFTP && p->tuple.proto == IP_PROTO_UDP)
        ct_tftp(ct, o->conn, o->dir, p, now_ms);
}

void conntrack_execute_near(struct conntrack *ct, struct packet *packet,
                            const struct ct_action *action, int64_t now_ms, struct ct_hint *hint)
{
    struct ct_packet p;
    struct outcome o = {.state = CT_TRK};
    if (!ct_packet_parse(packet, action->zone, &p) || !look_up(ct, &p, action, &o, now_ms, hint)) {
        ct_set_invalid(ct, packet, action->zone);
        return;
    }
    if (action->flags & CT_COMMIT) {
        if (!o.conn && !commit(ct, &p, action, &o, now_ms)) {
            ct_set_invalid(ct, packet, action->zone);
            return;
        }
        set_mark_and_label(o.conn, action);
    }
    if (o.conn && action->flags & CT_TRANSLATE) {
        if (p.tuple.proto == IP_PROTO_TCP && !p.is_error)
            p.seq = get_be32(&((struct tcp_header *)(void *)p.outer.l4)->seq);
        o.state |= ct_nat_apply(o.conn, o.dir, &p);
        if (!o.again)
            ct_seq_apply(o.conn, o.dir, &p);
    }
    if (o.conn && o.conn->helper && !p.is_error && !o.again)
        run_helper(ct, &o, &p, action, now_ms);
    tell(packet, &p, &o);
}

/* ---- side by side ---- */

enum verdict { GOES_ON, IS_INVALID, NOT_HERE };

/* With CONN's spin. */
static enum verdict judge(struct conntrack *ct, struct ct_conn *conn, const struct ct_packet *p,
                          const struct ct_action *action, struct outcome *o, int64_t now_ms)
{
    if (conn->expires_ms <= now_ms || conn->helper || conn->seq)
        return NOT_HERE;
    if (p->is_error) {
        o->state |= CT_REL;
        return GOES_ON;
    }
    if (action->flags & CT_FORCE && action->flags & CT_COMMIT && o->dir == CT_REPLY)
        return NOT_HERE;
    switch (ct_state_update(ct, conn, o->dir, p, now_ms)) {
    case CT_MISFIT:
        return IS_INVALID;
    case CT_RESTART:
        return NOT_HERE;
    case CT_FITS:
        break;
    }
    o->state |= conn->replied ? CT_EST : CT_NEW;
    if (conn->parent)
        o->state |= CT_REL;
    return GOES_ON;
}

/* A packet of CONN. */
static enum verdict pass_known(struct conntrack *ct, struct ct_conn *conn, struct packet *packet,
                               struct ct_packet *p, const struct ct_action *action,
                               struct outcome *o, int64_t now_ms)
{
    spin_take(&conn->spin);
    enum verdict verdict = judge(ct, conn, p, action, o, now_ms);
    if (verdict == GOES_ON) {
        o->conn = conn;
        o->state |= o->dir == CT_REPLY ? CT_RPL : 0;
        if (action->flags & CT_COMMIT)
            set_mark_and_label(conn, action);
        if (action->flags & CT_TRANSLATE)
            o->state |= ct_nat_apply(conn, o->dir, p);
        tell(packet, p, o);
    }
    spin_give(&conn->spin);
    return verdict;
}

/* A packet of no connection. */
static enum verdict pass_unknown(const struct conntrack *ct, struct packet *packet,
                                 const struct ct_packet *p, const struct ct_action *action,
                                 struct outcome *o)
{
    if (is_translated(packet, action->zone)) /* it may be of one all the same */
        return NOT_HERE;
    if (!ct_state_may_begin(p))
        return IS_INVALID;
    if (action->flags & CT_COMMIT || ct->expectations.n)
        return NOT_HERE;
    o->state |= CT_NEW;
    tell(packet, p, o);
    return GOES_ON;
}

bool conntrack_pass(struct conntrack *ct, struct packet *packet, const struct ct_action *action,
                    int64_t now_ms, struct ct_hint *hint)
{
    struct ct_packet p;
    struct outcome o = {.state = CT_TRK};
    enum verdict verdict = IS_INVALID;
    if (ct_packet_parse(packet, action->zone, &p)) {
        struct ct_conn *conn = ct_peek(ct, &p.tuple, &o.dir, hint);
        verdict = conn ? pass_known(ct, conn, packet, &p, action, &o, now_ms)
                       : pass_unknown(ct, packet, &p, action, &o);
    }
    if (verdict == IS_INVALID)
        ct_set_invalid(ct, packet, action->zone);
    return verdict != NOT_HERE;
}

void conntrack_execute(struct conntrack *ct, struct packet *packet, const struct ct_action *action,
                       int64_t now_ms)
{
    conntrack_execute_near(ct, packet, action, now_ms, NULL);
}
