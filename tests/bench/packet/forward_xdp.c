/* forward_xdp.c - the bare forwarder of AF_XDP sockets: frames go one way from device to device, by copy as a veth wants it, in memory
 * that both sockets share, so that this side moves nothing but addresses: received, sent, and given back to be filled.
 *
 * It waits when nothing is there, like whoever has other things to do: the CPU time of all that counts.
 */
#include "packet.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xdp/xsk.h>

enum { SLOT = 2048, SLOTS = 2048, BURST = 64, KICKS = 64 };

struct memory {
    struct xsk_umem *umem;
    uint8_t *bytes;
    struct xsk_ring_prod fill, unused_fill;
    struct xsk_ring_cons done, unused_done;
};

static void check(int rc, const char *what)
{
    if (rc >= 0)
        return;
    errno = -rc;
    fail(what);
}

static void memory_open(struct memory *m)
{
    const struct xsk_umem_config config = {
        .fill_size = 2 * SLOTS, .comp_size = SLOTS, .frame_size = SLOT};
    m->bytes = mmap(NULL, (size_t)SLOT * SLOTS, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                    -1, 0);
    if (m->bytes == MAP_FAILED)
        fail("mmap");
    check(xsk_umem__create(&m->umem, m->bytes, (size_t)SLOT * SLOTS, &m->fill, &m->unused_done,
                           &config),
          "memory of AF_XDP");
}

static struct xsk_socket *socket_open(const char *device, struct memory *m,
                                      struct xsk_ring_cons *rx, struct xsk_ring_prod *tx)
{
    struct xsk_socket *s;
    const struct xsk_socket_config config = {.rx_size = SLOTS,
                                             .tx_size = 2 * SLOTS,
                                             .libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
                                             .bind_flags = XDP_USE_NEED_WAKEUP | XDP_COPY};
    check(rx ? xsk_socket__create(&s, device, 0, m->umem, rx, NULL, &config)
             : xsk_socket__create_shared(&s, device, 0, m->umem, NULL, tx, &m->unused_fill,
                                         &m->done, &config),
          device);
    return s;
}

/* return bpf_redirect_map(map of FD alone, 0, XDP_DROP), on DEVICE until the program ends. */
static void attach(const char *device, int fd, bool native)
{
    int map = bpf_map_create(BPF_MAP_TYPE_XSKMAP, "bench", sizeof(int), sizeof(int), 1, NULL);
    check(map, "map of AF_XDP sockets");
    check(bpf_map_update_elem(map, &(int){0}, &fd, 0), "map of AF_XDP sockets");
    const struct bpf_insn code[] = {
        {.code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = 1, .src_reg = BPF_PSEUDO_MAP_FD, .imm = map},
        {.code = 0},
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2, .imm = 0},
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 3, .imm = XDP_DROP},
        {.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect_map},
        {.code = BPF_JMP | BPF_EXIT}};
    int program = bpf_prog_load(BPF_PROG_TYPE_XDP, "bench", "Dual BSD/GPL", code,
                                sizeof code / sizeof *code, NULL);
    check(program, "XDP program");
    LIBBPF_OPTS(bpf_link_create_opts, opts);
    opts.flags = native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
    check(bpf_link_create(program, (int)if_nametoindex(device), BPF_XDP, &opts), device);
}

struct ends {
    struct memory memory;
    struct xsk_ring_cons rx;
    struct xsk_ring_prod tx;
    int in, out; /* descriptors */
};

/* The slots of frames that were sent are to be filled again. */
static void recycle(struct memory *m)
{
    uint32_t from, to, n = xsk_ring_cons__peek(&m->done, SLOTS, &from);
    if (xsk_ring_prod__reserve(&m->fill, n, &to) < n)
        fail("fill ring");
    for (uint32_t i = 0; i < n; i++)
        *xsk_ring_prod__fill_addr(&m->fill, to + i) =
            *xsk_ring_cons__comp_addr(&m->done, from + i) & ~(uint64_t)(SLOT - 1);
    xsk_ring_cons__release(&m->done, n);
    xsk_ring_prod__submit(&m->fill, n);
}

/* The kernel sends some tens of frames a call. */
static void kick(struct ends *e)
{
    for (int i = 0; i < KICKS && xsk_prod_nb_free(&e->tx, 2 * SLOTS) < 2 * SLOTS; i++)
        (void)sendto(e->out, NULL, 0, MSG_DONTWAIT, NULL, 0);
}

static uint32_t pass(struct ends *e)
{
    uint32_t from, to, n = xsk_ring_cons__peek(&e->rx, BURST, &from);
    if (!n)
        return 0;
    if (xsk_ring_prod__reserve(&e->tx, n, &to) < n)
        fail("sending ring");
    for (uint32_t i = 0; i < n; i++)
        *xsk_ring_prod__tx_desc(&e->tx, to + i) = *xsk_ring_cons__rx_desc(&e->rx, from + i);
    xsk_ring_cons__release(&e->rx, n);
    xsk_ring_prod__submit(&e->tx, n);
    kick(e);
    recycle(&e->memory);
    return n;
}

void forward_xdp(const struct options *o, const char *a, const char *b, bool native)
{
    static struct ends e;
    memory_open(&e.memory);
    struct xsk_socket *in = socket_open(a, &e.memory, &e.rx, NULL),
                      *out = socket_open(b, &e.memory, NULL, &e.tx);
    e.in = xsk_socket__fd(in);
    e.out = xsk_socket__fd(out);
    uint32_t at;
    if (xsk_ring_prod__reserve(&e.memory.fill, SLOTS, &at) < SLOTS)
        fail("fill ring");
    for (uint32_t i = 0; i < SLOTS; i++)
        *xsk_ring_prod__fill_addr(&e.memory.fill, at + i) = (uint64_t)i * SLOT;
    xsk_ring_prod__submit(&e.memory.fill, SLOTS);
    attach(a, e.in, native);
    struct pollfd wait = {.fd = e.in, .events = POLLIN};
    uint64_t n = 0;
    double start = now();
    while (!stopped && now() - start < o->seconds) {
        uint32_t moved = pass(&e);
        n += moved;
        if (!moved)
            (void)poll(&wait, 1, 100);
    }
    printf("%.4f %.0f\n", n ? cpu_time() / (double)n * 1e6 : 0, (double)n / (now() - start));
    xsk_socket__delete(out);
    xsk_socket__delete(in);
    (void)xsk_umem__delete(e.memory.umem);
}
