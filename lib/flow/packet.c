/* packet.c - the packet buffer: ownership, headroom, growing and shrinking. Reading frames is extract.c's work. */
#include "flow/packet.h"

#include <stdlib.h>

static void reset_offsets(struct packet *p)
{
    p->l3_ofs = p->l4_ofs = PACKET_NO_OFS;
    p->l4_proto = 0;
    p->l3_end = 0;
}

void packet_init(struct packet *p)
{
    /* The tunnel and connection structs are not touched: has_tunnel and has_ct say they are not there. */
    p->base = p->data = NULL;
    p->cap = p->size = 0;
    p->lent = false;
    p->csum_partial = p->csum_valid = false;
    p->gso_type = 0;
    p->gso_size = 0;
    p->md.in_port = PORT_ANY;
    p->md.pkt_mark = p->md.skb_priority = p->md.recirc_id = p->md.dp_hash = 0;
    p->md.has_tunnel = p->md.has_ct = false;
    reset_offsets(p);
}

void packet_init_copy(struct packet *p, const void *frame, size_t n)
{
    packet_init(p);
    packet_reserve(p, PACKET_HEADROOM, n);
    memcpy(packet_append(p, n), frame, n);
}

void packet_init_view(struct packet *p, const void *frame, size_t n)
{
    packet_init(p);
    p->data = (uint8_t *)(uintptr_t)frame;
    p->size = (uint32_t)n;
}

void packet_init_lent(struct packet *p, void *base, size_t cap, void *data, size_t n)
{
    packet_init(p);
    p->lent = true;
    p->base = base;
    p->cap = (uint32_t)cap;
    p->data = data;
    p->size = (uint32_t)n;
}

void packet_fini(struct packet *p)
{
    if (!p->lent)
        free(p->base);
    p->base = p->data = NULL;
    p->lent = false;
    p->cap = p->size = 0;
}

struct packet *packet_new_copy(const void *frame, size_t n)
{
    struct packet *p = xmalloc(sizeof *p);
    packet_init_copy(p, frame, n);
    return p;
}

void packet_clone_into(struct packet *dst, const struct packet *src)
{
    packet_init_copy(dst, src->data, src->size);
    dst->l3_ofs = src->l3_ofs;
    dst->l4_ofs = src->l4_ofs;
    dst->l4_proto = src->l4_proto;
    dst->l3_end = src->l3_end;
    dst->csum_partial = src->csum_partial;
    dst->csum_valid = src->csum_valid;
    dst->gso_type = src->gso_type;
    dst->gso_size = src->gso_size;
    dst->md = src->md;
}

struct packet *packet_clone(const struct packet *src)
{
    struct packet *p = xmalloc(sizeof *p);
    packet_clone_into(p, src);
    return p;
}

void packet_free(struct packet *p)
{
    if (p) {
        packet_fini(p);
        free(p);
    }
}

void packet_reserve(struct packet *p, size_t head, size_t tail)
{
    if (p->base) {
        size_t have_head = (size_t)(p->data - p->base);
        if (have_head >= head && p->cap - have_head - p->size >= tail)
            return;
        head = MAX(head, have_head);
    }
    size_t cap = head + p->size + tail;
    INVARIANT(cap < UINT32_MAX);
    uint8_t *base = xmalloc(cap ? cap : 1);
    if (p->size)
        memcpy(base + head, p->data, p->size);
    if (!p->lent)
        free(p->base);
    p->lent = false;
    p->base = base;
    p->data = base + head;
    p->cap = (uint32_t)cap;
}

static void move_offsets(struct packet *p, long by)
{
    if (p->l3_ofs != PACKET_NO_OFS) {
        p->l3_ofs = (uint16_t)(p->l3_ofs + by);
        p->l3_end = (uint32_t)(p->l3_end + by);
    }
    if (p->l4_ofs != PACKET_NO_OFS)
        p->l4_ofs = (uint16_t)(p->l4_ofs + by);
}

void *packet_push(struct packet *p, size_t n)
{
    packet_reserve(p, n, 0);
    p->data -= n;
    p->size += (uint32_t)n;
    move_offsets(p, (long)n);
    return p->data;
}

void packet_pull(struct packet *p, size_t n)
{
    INVARIANT(n <= p->size);
    p->data += n;
    p->size -= (uint32_t)n;
    if (p->l3_ofs != PACKET_NO_OFS && p->l3_ofs < n)
        reset_offsets(p);
    else
        move_offsets(p, -(long)n);
}

void *packet_append(struct packet *p, size_t n)
{
    packet_reserve(p, 0, n);
    void *end = p->data + p->size;
    p->size += (uint32_t)n;
    return end;
}

void packet_truncate(struct packet *p, size_t n)
{
    if (n < p->size) {
        p->size = (uint32_t)n;
        p->csum_valid = false;
        reset_offsets(p);
    }
}
