/* switchd_tunnels.c - fuzz harness: any bytes as a Geneve and as a VXLAN packet. Reading is bounded; options that were mapped are
 * written so that they read back as the same. */
#include <stddef.h>
#include <stdint.h>

#include "switchd/port/tunnel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct tlv_map map = {.map = {{0x0102, 0x80, 4, 0},
                                           {0x0102, 0x81, 8, 1},
                                           {0, 1, 4, 2},
                                           {0x0102, 0x82, 12, 3},
                                           {0x0102, 0x83, 0, 4},
                                           [8] = {0x0102, 1, 4, 8},
                                           [40] = {0x0102, 2, 124, 40},
                                           [63] = {0x0102, 3, 0, 63}},
                                   .mapped = UINT64_C(0x800001000000011f)};

static void redo_options(const struct tunnel_header *h)
{
    struct dp_tunnel t;
    uint8_t out[8 + 252];
    struct flow_tunnel again;
    struct tun_opts opts, opts2;
    memset(&t, 0, sizeof t);
    memset(&again, 0, sizeof again);
    t.key.id = swap64(h->vni);
    t.key.flags = swap16(h->flags);
    if (!tlv_map_read(&map, h->options, h->options_len, &t.key, &opts))
        return;
    t.more = &opts;
    t.options = t.key.present | opts.present;
    size_t n = tunnel_geneve.write(&t, &map, out);
    struct tunnel_header h2;
    INVARIANT(n <= sizeof out && tunnel_geneve.read(out, n, &h2));
    INVARIANT(h2.len == n && h2.vni == h->vni && h2.flags == h->flags);
    INVARIANT(tlv_map_read(&map, h2.options, h2.options_len, &again, &opts2));
    INVARIANT(again.present == t.key.present && tun_opts_equal(&opts, &opts2));
    INVARIANT(!memcmp(again.metadata, t.key.metadata, sizeof again.metadata));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tunnel_header h;
    if (tunnel_geneve.read(data, size, &h)) {
        INVARIANT(h.len <= size && h.options + h.options_len <= data + size);
        redo_options(&h);
    }
    if (tunnel_vxlan.read(data, size, &h))
        INVARIANT(h.len <= size);
    return 0;
}
