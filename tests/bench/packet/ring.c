/* ring.c - see ring.h. */
#include "ring.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "packet.h"

enum { BLOCKS = 32, BURST = 64 };

static uint8_t *map(int fd, size_t n)
{
    uint8_t *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        fail("mmap");
    return p;
}

void receiver_open(struct receiver *rx, const char *device)
{
    int version = TPACKET_V3;
    struct tpacket_req3 req = {.tp_block_size = RING_BLOCK,
                               .tp_block_nr = BLOCKS,
                               .tp_frame_size = RING_SLOT,
                               .tp_frame_nr = RING_BLOCK / RING_SLOT * BLOCKS,
                               .tp_retire_blk_tov = 1};
    *rx = (struct receiver){.fd = packet_socket()};
    if (setsockopt(rx->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) < 0 ||
        setsockopt(rx->fd, SOL_PACKET, PACKET_RX_RING, &req, sizeof req) < 0)
        fail("PACKET_RX_RING");
    rx->ring = map(rx->fd, (size_t)RING_BLOCK * BLOCKS);
    packet_bind(rx->fd, device, true);
}

struct tpacket_block_desc *receiver_block(const struct receiver *rx)
{
    struct tpacket_block_desc *block = (void *)(rx->ring + rx->block * RING_BLOCK);
    uint32_t status = __atomic_load_n(&block->hdr.bh1.block_status, __ATOMIC_ACQUIRE);
    return status & TP_STATUS_USER ? block : NULL;
}

void receiver_release(struct receiver *rx)
{
    struct tpacket_block_desc *block = (void *)(rx->ring + rx->block * RING_BLOCK);
    __atomic_store_n(&block->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    rx->block = (rx->block + 1) % BLOCKS;
}

void sender_open(struct sender *tx, const char *device)
{
    int version = TPACKET_V2;
    struct tpacket_req req = {.tp_block_size = RING_BLOCK,
                              .tp_block_nr = RING_SLOT * RING_SLOTS / RING_BLOCK,
                              .tp_frame_size = RING_SLOT,
                              .tp_frame_nr = RING_SLOTS};
    *tx = (struct sender){.fd = packet_socket()};
    if (setsockopt(tx->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) < 0 ||
        setsockopt(tx->fd, SOL_PACKET, PACKET_TX_RING, &req, sizeof req) < 0)
        fail("PACKET_TX_RING");
    tx->ring = map(tx->fd, (size_t)RING_SLOT * RING_SLOTS);
    packet_bind(tx->fd, device, false);
}

void sender_kick(struct sender *tx)
{
    (void)send(tx->fd, NULL, 0, MSG_DONTWAIT);
    tx->waiting = 0;
}

void sender_put(struct sender *tx, const uint8_t *frame, uint32_t n)
{
    struct tpacket2_hdr *h = (void *)(tx->ring + tx->slot * RING_SLOT);
    while (__atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) != TP_STATUS_AVAILABLE && !stopped)
        sender_kick(tx);
    memcpy((uint8_t *)h + RING_OFFSET, frame, n);
    h->tp_len = n;
    __atomic_store_n(&h->tp_status, TP_STATUS_SEND_REQUEST, __ATOMIC_RELEASE);
    tx->slot = (tx->slot + 1) % RING_SLOTS;
    if (++tx->waiting == BURST)
        sender_kick(tx);
}
