/* probe.c - see probe.h. */
#include "sim/probe.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "net/headers.h"
#include "sim/balance.h"
#include "sim/edge.h"
#include "sim/guest.h"
#include "sim/model.h"
#include "sim/question.h"

enum { PATIENCE = 6, PAUSE_US = 500000 };

/* --- Comparing */

static void put_frame(struct str *s, unsigned port, const struct packet *packet)
{
    if (port == OUTSIDE)
        str_put(s, "\n    outside: ");
    else
        str_putf(s, "\n    p%u: ", port);
    packet_put_text(s, packet);
}

static void put_key(struct str *s, unsigned port, const struct flow_key *key)
{
    struct packet packet;
    guests_compose(&packet, key);
    put_frame(s, port, &packet);
    packet_fini(&packet);
}

/* The frame that D says, among what came out; -1: none. */
static int find(const struct guests *guests, const struct delivery *d)
{
    struct packet wanted;
    guests_compose(&wanted, &d->key);
    size_t i = 0;
    for (; i < guests->out.n; i++) {
        const struct frame *f = &guests->out.data[i];
        if (f->port == d->port && f->packet.size == wanted.size &&
            !memcmp(f->packet.data, wanted.data, wanted.size))
            break;
    }
    packet_fini(&wanted);
    return i == guests->out.n ? -1 : (int)i;
}

static bool has_all(const struct guests *guests, const deliveries *wanted)
{
    for (size_t i = 0; i < wanted->n; i++)
        if (!wanted->data[i].is_optional && find(guests, &wanted->data[i]) < 0)
            return false;
    return true;
}

/* Takes the frame that D says out of what came out. */
static bool take(struct guests *guests, const struct delivery *d)
{
    int i = find(guests, d);
    if (i < 0)
        return false;
    packet_fini(&guests->out.data[i].packet);
    vec_remove(&guests->out, (size_t)i);
    return true;
}

static void compare(struct guests *guests, const struct question *q, const deliveries *wanted)
{
    struct str missing = STR_INIT, surplus = STR_INIT, sent = STR_INIT;
    for (size_t i = 0; i < wanted->n; i++)
        if (!take(guests, &wanted->data[i]) && !wanted->data[i].is_optional)
            put_key(&missing, wanted->data[i].port, &wanted->data[i].key);
    for (size_t i = 0; i < guests->out.n; i++)
        put_frame(&surplus, guests->out.data[i].port, &guests->out.data[i].packet);
    if (missing.n || surplus.n) {
        put_key(&sent, q->from, &q->key);
        cluster_fail(guests->net->cluster,
                     "forwarding differs from the model\n  sent%s on hv%d:%s\n"
                     "  did not come out:%s\n  came out and should not:%s",
                     q->talk.is_answer ? ", an answer," : "",
                     q->from == OUTSIDE ? -1 : guests->net->ports[q->from].hv, str_c(&sent),
                     missing.n ? str_c(&missing) : " -", surplus.n ? str_c(&surplus) : " -");
    }
    str_fini(&missing);
    str_fini(&surplus);
    str_fini(&sent);
}

/* --- Sending */

/* What the model says; of the choices that load balancers have, the one that they took. */
static void ask_model(const struct guests *guests, struct question *q, deliveries *wanted)
{
    for (q->talk.choice = MAX_BACKENDS; q->talk.choice-- > 0;) {
        vec_clear(wanted);
        model_inject(guests->net, q->from, &q->key, &q->talk, wanted);
        if (has_all(guests, wanted) && (wanted->n || !guests->out.n))
            return;
    }
    q->talk.choice = 0;
}

static bool is_answerable(const struct question *q, const deliveries *wanted)
{
    const struct flow_key *key = &q->key;
    return !q->is_spoofed && !q->talk.is_answer && wanted->n == 1 && !wanted->data[0].is_optional &&
           (key->nw_proto == IP_PROTO_TCP || key->nw_proto == IP_PROTO_UDP) &&
           !mac_is_multicast(key->eth_dst);
}

static void answer_of(const struct delivery *d, struct question *answer)
{
    struct flow_key *key = &answer->key;
    *answer = (struct question){.from = d->port, .key = d->key, .talk = d->talk};
    answer->talk.is_answer = true;
    key->eth_src = d->key.eth_dst;
    key->eth_dst = d->key.eth_src;
    key->nw_src = d->key.nw_dst;
    key->nw_dst = d->key.nw_src;
    key->ip6_src = d->key.ip6_dst;
    key->ip6_dst = d->key.ip6_src;
    key->tp_src = d->key.tp_dst;
    key->tp_dst = d->key.tp_src;
    key->nw_ttl = 64;
    key->ct.state = 1;
    if (key->nw_proto == IP_PROTO_TCP)
        key->tcp_flags = swap16(0x12); /* SYN, ACK */
}

static void send_one(struct guests *guests, struct question *q, struct probe_counts *counts)
{
    struct packet packet;
    deliveries wanted = VEC_INIT;
    guests_compose(&packet, &q->key);
    guests_send(guests, q->from, &packet);
    packet_fini(&packet);
    guests_run(guests);
    ask_model(guests, q, &wanted);
    for (unsigned i = 0; i < PATIENCE && !has_all(guests, &wanted); i++) {
        cluster_run(guests->net->cluster, PAUSE_US); /* a router asks once a second */
        guests_run(guests);
        ask_model(guests, q, &wanted);
    }
    counts->sent++;
    counts->delivered += wanted.n;
    compare(guests, q, &wanted);
    guests_forget(guests);
    if (is_answerable(q, &wanted) && cluster_is_likely(guests->net->cluster, 60)) {
        struct question answer;
        answer_of(&wanted.data[0], &answer);
        send_one(guests, &answer, counts); /* once: answers are not answered */
    }
    vec_fini(&wanted);
}

void probe_some(struct net *net, unsigned n, struct probe_counts *counts)
{
    struct guests guests = {.net = net};
    struct question q;
    guests_watch(&guests, true);
    for (unsigned i = 0; i < n; i++)
        if (question_make(net, &q))
            send_one(&guests, &q, counts);
    guests_watch(&guests, false);
    guests_forget(&guests);
    vec_fini(&guests.out);
}
