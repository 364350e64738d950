/* xdp_program.c - see xdp_program.h: the program is written here, instruction by instruction, so that building needs no BPF compiler. */
#include "switchd/port/xdp_program.h"

#include <bpf/bpf.h>
#include <linux/if_link.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "net/headers.h"
#include "switchd/port/kernel_btf.h"

#ifndef BPF_F_XDP_DEV_BOUND_ONLY
#define BPF_F_XDP_DEV_BOUND_ONLY (1u << 6)
#endif
#define LICENSE "Dual BSD/GPL" /* the kernel lets only programs with such a one ask for tags */

#define INSN(CODE, DST, SRC, OFF, IMM)                                                             \
    ((struct bpf_insn){                                                                            \
        .code = (CODE), .dst_reg = (DST), .src_reg = (SRC), .off = (OFF), .imm = (IMM)})
#define MOVE(DST, SRC) INSN(BPF_ALU64 | BPF_MOV | BPF_X, DST, SRC, 0, 0)
#define SET(DST, IMM) INSN(BPF_ALU64 | BPF_MOV | BPF_K, DST, 0, 0, IMM)
#define ADD(DST, IMM) INSN(BPF_ALU64 | BPF_ADD | BPF_K, DST, 0, 0, IMM)
#define LOAD(SIZE, DST, SRC, OFF) INSN(BPF_LDX | BPF_MEM | (SIZE), DST, SRC, OFF, 0)
#define STORE(SIZE, DST, OFF, SRC) INSN(BPF_STX | BPF_MEM | (SIZE), DST, SRC, OFF, 0)
#define CALL(HELPER) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, HELPER)
#define EXIT INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

enum {
    R0,
    R1,
    R2,
    R3,
    R4,
    R6 = 6, /* the context */
    FP = 10,
    PROTO = -8, /* on the stack: the tag's protocol and control information */
    TCI = -16,
    NO_TAG = 9 /* the jump in put_tag */
};

/* return bpf_redirect_map(map, ctx->rx_queue_index, XDP_DROP) */
static size_t put_redirect(struct bpf_insn *p, int map)
{
    const struct bpf_insn code[] = {
        LOAD(BPF_W, R2, R6, offsetof(struct xdp_md, rx_queue_index)),
        INSN(BPF_LD | BPF_DW | BPF_IMM, R1, BPF_PSEUDO_MAP_FD, 0, map),
        INSN(0, 0, 0, 0, 0),
        SET(R3, XDP_DROP),
        CALL(BPF_FUNC_redirect_map),
        EXIT,
    };
    memcpy(p, code, sizeof code);
    return ARRAY_SIZE(code);
}

/* if (!GET_TAG(ctx, &proto, &tci)) push it in front of the frame, or drop the frame */
static size_t put_tag(struct bpf_insn *p, int get_tag)
{
    struct bpf_insn code[] = {
        SET(R0, 0),
        STORE(BPF_DW, FP, PROTO, R0),
        STORE(BPF_DW, FP, TCI, R0),
        MOVE(R1, R6),
        MOVE(R2, FP),
        ADD(R2, PROTO),
        MOVE(R3, FP),
        ADD(R3, TCI),
        INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0, get_tag),
        INSN(BPF_JMP | BPF_JNE | BPF_K, R0, 0, 0, 0), /* no tag: over all that follows */
        MOVE(R1, R6),
        SET(R2, -VLAN_HEADER_LEN),
        CALL(BPF_FUNC_xdp_adjust_head),
        INSN(BPF_JMP | BPF_JEQ | BPF_K, R0, 0, 2, 0),
        SET(R0, XDP_DROP),
        EXIT,
        LOAD(BPF_W, R2, R6, offsetof(struct xdp_md, data)),
        LOAD(BPF_W, R3, R6, offsetof(struct xdp_md, data_end)),
        MOVE(R4, R2),
        ADD(R4, ETH_HEADER_LEN + VLAN_HEADER_LEN),
        INSN(BPF_JMP | BPF_JLE | BPF_X, R4, R3, 2, 0),
        SET(R0, XDP_DROP),
        EXIT,
        LOAD(BPF_W, R1, R2, 4), /* the addresses move forward */
        STORE(BPF_W, R2, 0, R1),
        LOAD(BPF_W, R1, R2, 8),
        STORE(BPF_W, R2, 4, R1),
        LOAD(BPF_W, R1, R2, 12),
        STORE(BPF_W, R2, 8, R1),
        LOAD(BPF_H, R1, FP, PROTO),
        STORE(BPF_H, R2, 12, R1),
        LOAD(BPF_H, R1, FP, TCI),
        INSN(BPF_ALU | BPF_END | BPF_TO_BE, R1, 0, 0, 16),
        STORE(BPF_H, R2, 14, R1),
    };
    code[NO_TAG].off = (int16_t)(ARRAY_SIZE(code) - NO_TAG - 1);
    memcpy(p, code, sizeof code);
    return ARRAY_SIZE(code);
}

/* The number of the kernel's function that tells a frame's tag; 0: it has none. */
static int tag_function(void)
{
    return kernel_function_id("bpf_xdp_metadata_rx_vlan_tag");
}

/* Loads the program, with GET_TAG for frames of that device alone; its descriptor, or a negative errno. */
static int load(int map, uint32_t ifindex, int get_tag)
{
    struct bpf_insn code[64] = {MOVE(R6, R1)};
    size_t n = 1;
    if (get_tag)
        n += put_tag(code + n, get_tag);
    n += put_redirect(code + n, map);
    LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_XDP);
    if (get_tag) {
        opts.prog_flags = BPF_F_XDP_DEV_BOUND_ONLY;
        opts.prog_ifindex = ifindex;
    }
    return bpf_prog_load(BPF_PROG_TYPE_XDP, "weft_switchd", LICENSE, code, n, &opts);
}

static int load_for(const struct xdp_program *program, uint32_t ifindex, enum xdp_mode mode,
                    bool tags, struct diag *diag)
{
    int get_tag = tags && mode == XDP_MODE_NATIVE ? tag_function() : 0;
    if (tags && mode == XDP_MODE_NATIVE && !get_tag)
        return diag_set(diag, -1, "the kernel does not show VLAN tags to XDP");
    int fd = load(program->map, ifindex, get_tag);
    return fd >= 0 ? fd : diag_set(diag, -1, "no right to load BPF (%s)", strerror(-fd));
}

int xdp_program_attach(struct xdp_program *program, uint32_t ifindex, uint32_t n_queues,
                       enum xdp_mode mode, bool tags, struct diag *diag)
{
    *program = (struct xdp_program){-1, -1};
    program->map = bpf_map_create(BPF_MAP_TYPE_XSKMAP, "weft_switchd", sizeof(int), sizeof(int),
                                  n_queues, NULL);
    if (program->map < 0)
        return diag_set(diag, ERR_UNSUPPORTED, "no map of AF_XDP sockets (%s)",
                        strerror(-program->map));
    int fd = load_for(program, ifindex, mode, tags, diag);
    if (fd < 0)
        return ERR_UNSUPPORTED;
    LIBBPF_OPTS(bpf_link_create_opts, opts);
    opts.flags = mode == XDP_MODE_NATIVE ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
    program->link = bpf_link_create(fd, (int)ifindex, BPF_XDP, &opts);
    close(fd);
    return program->link >= 0
               ? 0
               : diag_set(diag, ERR_UNSUPPORTED, "the device takes no XDP program in %s mode (%s)",
                          mode == XDP_MODE_NATIVE ? "native" : "generic", strerror(-program->link));
}

int xdp_program_serve(struct xdp_program *program, uint32_t queue, int fd)
{
    return bpf_map_update_elem(program->map, &queue, &fd, 0) ? ERR_UNSUPPORTED : 0;
}

void xdp_program_detach(struct xdp_program *program)
{
    if (program->link >= 0)
        close(program->link);
    if (program->map >= 0)
        close(program->map);
    *program = (struct xdp_program){-1, -1};
}
