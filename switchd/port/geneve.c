/* geneve.c - type "geneve": the header of RFC 8926, with options by the bridge's TLV map. */
#include <string.h>

#include "net/headers.h"
#include "switchd/port/tunnel.h"

static bool geneve_read(const uint8_t *data, size_t n, struct tunnel_header *ret)
{
    const struct geneve_header *h = (const void *)data;
    if (n < GENEVE_HEADER_LEN || h->ver_optlen >> 6 || get_be16(&h->proto) != ETH_TYPE_TEB)
        return false;
    memset(ret, 0, sizeof *ret);
    ret->options = data + GENEVE_HEADER_LEN;
    ret->options_len = (h->ver_optlen & 0x3fu) * 4u;
    ret->len = GENEVE_HEADER_LEN + ret->options_len;
    ret->vni = (uint64_t)get_be_n(h->vni, 3);
    ret->flags = h->flags & GENEVE_FLAG_OAM ? TUN_FLAG_OAM : 0;
    return n >= ret->len;
}

static size_t geneve_write(const struct dp_tunnel *t, const struct tlv_map *tlvs, uint8_t *out)
{
    struct geneve_header *h = (void *)out;
    bool critical = false;
    size_t options = 0;
    if (tlvs && t->options)
        options =
            tlv_map_write(tlvs, &t->key, t->more, t->options, out + GENEVE_HEADER_LEN, &critical);
    memset(h, 0, sizeof *h);
    h->ver_optlen = (uint8_t)(options / 4);
    h->flags = (uint8_t)((critical ? GENEVE_FLAG_CRITICAL : 0) |
                         (t->key.flags & swap16(TUN_FLAG_OAM) ? GENEVE_FLAG_OAM : 0));
    put_be16(&h->proto, ETH_TYPE_TEB);
    put_be_n(h->vni, 3, swap64(t->key.id) & 0xffffff);
    return GENEVE_HEADER_LEN + options;
}

const struct tunnel_kind tunnel_geneve = {
    .udp_port = GENEVE_PORT, .read = geneve_read, .write = geneve_write};

static int geneve_open(struct port_host *host, const char *name, const struct smap *options,
                       struct port **ret, struct diag *diag)
{
    return tunnel_open(host, name, &port_class_geneve, &tunnel_geneve, options, ret, diag);
}

const struct port_class port_class_geneve = {
    .type = "geneve",
    .is_tunnel = true,
    .open = geneve_open,
    .configure = tunnel_configure,
    .parallel = true,
    .send = tunnel_send,
    .flush = tunnel_flush,
    .refresh = tunnel_refresh,
    .close = tunnel_close,
};
