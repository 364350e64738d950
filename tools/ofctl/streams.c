/* streams.c - what TCP connections said, from captured packets: segments put in order, what was sent twice taken once. A stream whose
 * beginning was not captured begins with the first segment that was. What is missing is waited for, while up to a megabyte behind it is
 * kept; then the stream goes on behind the gap.
 */
#include "tools/ofctl/streams.h"

#include <stdlib.h>

#include "base/vec.h"

enum { EARLY_MAX = 1 << 20 };

struct early {
    uint32_t seq;
    uint8_t *data; /* owned */
    size_t n;
};

struct one_stream {
    struct stream_id id;
    uint32_t next; /* sequence number behind what is in READY */
    bool dead;
    struct of_buf ready; /* in order, and not used yet */
    struct {
        struct early *data;
        size_t n, cap;
    } early; /* behind a gap */
    size_t early_bytes;
};

struct streams {
    streams_fn *fn;
    void *aux;
    struct {
        struct one_stream **data;
        size_t n, cap;
    } all;
};

struct streams *streams_new(streams_fn *fn, void *aux)
{
    struct streams *s = xcalloc(1, sizeof *s);
    s->fn = fn;
    s->aux = aux;
    return s;
}

static void one_stream_free(struct one_stream *one)
{
    for (size_t i = 0; i < one->early.n; i++)
        free(one->early.data[i].data);
    vec_fini(&one->early);
    of_buf_fini(&one->ready);
    free(one);
}

void streams_free(struct streams *s)
{
    for (size_t i = 0; i < s->all.n; i++)
        one_stream_free(s->all.data[i]);
    vec_fini(&s->all);
    free(s);
}

static struct one_stream *find_stream(struct streams *s, const struct flow_key *key)
{
    const struct stream_id id = {key->nw_src, key->nw_dst, key->tp_src, key->tp_dst};
    for (size_t i = 0; i < s->all.n; i++)
        if (!memcmp(&s->all.data[i]->id, &id, sizeof id))
            return s->all.data[i];
    return NULL;
}

static struct one_stream *add_stream(struct streams *s, const struct flow_key *key, uint32_t next)
{
    struct one_stream *one = xcalloc(1, sizeof *one);
    one->id = (struct stream_id){key->nw_src, key->nw_dst, key->tp_src, key->tp_dst};
    one->next = next;
    vec_push(&s->all, one);
    return one;
}

/* The part of a segment that comes next; false: there is a gap before it. */
static bool append(struct one_stream *one, uint32_t seq, const uint8_t *data, size_t n)
{
    int32_t behind = (int32_t)(one->next - seq);
    if (behind < 0)
        return false;
    if ((size_t)behind < n) {
        of_buf_put(&one->ready, data + behind, n - (size_t)behind);
        one->next = seq + (uint32_t)n;
    }
    return true;
}

/* Takes the early segments that are no longer early. */
static void append_early(struct one_stream *one)
{
    bool again = true;
    while (again) {
        again = false;
        for (size_t i = one->early.n; i-- > 0;) {
            struct early e = one->early.data[i];
            if (!append(one, e.seq, e.data, e.n))
                continue;
            one->early_bytes -= e.n;
            free(e.data);
            vec_remove(&one->early, i);
            again = true;
        }
    }
}

static void keep_early(struct one_stream *one, uint32_t seq, const uint8_t *data, size_t n)
{
    struct early e = {seq, xmemdup(data, n), n};
    vec_push(&one->early, e);
    one->early_bytes += n;
    if (one->early_bytes <= EARLY_MAX)
        return;
    uint32_t first = one->early.data[0].seq;
    for (size_t i = 1; i < one->early.n; i++)
        if ((int32_t)(one->early.data[i].seq - first) < 0)
            first = one->early.data[i].seq;
    one->next = first;
    of_buf_fini(&one->ready); /* half a message */
    one->ready = (struct of_buf)OF_BUF_INIT;
    append_early(one);
}

static void use_ready(struct streams *s, struct one_stream *one)
{
    size_t ofs = 0, used;
    while (ofs < one->ready.n &&
           (used = s->fn(s->aux, &one->id, one->ready.data + ofs, one->ready.n - ofs)) > 0) {
        one->dead = used == SIZE_MAX;
        if (one->dead)
            break;
        ofs += used;
    }
    memmove(one->ready.data, one->ready.data + ofs, one->ready.n - ofs);
    one->ready.n -= ofs;
}

void streams_add(struct streams *s, const struct packet *packet, const struct flow_key *key)
{
    const struct tcp_header *tcp = packet_l4(packet);
    uint32_t size = packet_l4_size(packet);
    if (size < TCP_HEADER_LEN)
        return;
    uint16_t ctl = get_be16(&tcp->ctl);
    size_t head = (ctl >> 12) * 4u;
    uint32_t seq = get_be32(&tcp->seq);
    if (head < TCP_HEADER_LEN || head > size)
        return;
    struct one_stream *one = find_stream(s, key);
    if (!one)
        one = add_stream(s, key, ctl & TCP_SYN ? seq + 1 : seq);
    else if (ctl & TCP_SYN && seq + 1 != one->next) { /* the same ports, another connection */
        one->next = seq + 1;
        one->ready.n = 0;
        one->dead = false;
    }
    size_t n = size - head;
    if (!n || one->dead)
        return;
    const uint8_t *data = (const uint8_t *)tcp + head;
    if (append(one, seq, data, n))
        append_early(one);
    else
        keep_early(one, seq, data, n);
    use_ready(s, one);
}
