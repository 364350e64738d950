/* vxlan.c - type "vxlan": the header of RFC 7348, which has a key and nothing else. */
#include <string.h>

#include "net/headers.h"
#include "switchd/port/tunnel.h"

static bool vxlan_read(const uint8_t *data, size_t n, struct tunnel_header *ret)
{
    const struct vxlan_header *h = (const void *)data;
    if (n < VXLAN_HEADER_LEN || !(h->flags & VXLAN_FLAG_VNI))
        return false;
    memset(ret, 0, sizeof *ret);
    ret->options = data + VXLAN_HEADER_LEN;
    ret->len = VXLAN_HEADER_LEN;
    ret->vni = (uint64_t)get_be_n(h->vni, 3);
    return true;
}

static size_t vxlan_write(const struct dp_tunnel *t, const struct tlv_map *tlvs, uint8_t *out)
{
    (void)tlvs;
    struct vxlan_header *h = (void *)out;
    memset(h, 0, sizeof *h);
    h->flags = VXLAN_FLAG_VNI;
    put_be_n(h->vni, 3, swap64(t->key.id) & 0xffffff);
    return VXLAN_HEADER_LEN;
}

const struct tunnel_kind tunnel_vxlan = {
    .udp_port = VXLAN_PORT, .read = vxlan_read, .write = vxlan_write};

static int vxlan_open(struct port_host *host, const char *name, const struct smap *options,
                      struct port **ret, struct diag *diag)
{
    return tunnel_open(host, name, &port_class_vxlan, &tunnel_vxlan, options, ret, diag);
}

const struct port_class port_class_vxlan = {
    .type = "vxlan",
    .is_tunnel = true,
    .open = vxlan_open,
    .configure = tunnel_configure,
    .parallel = true,
    .send = tunnel_send,
    .flush = tunnel_flush,
    .refresh = tunnel_refresh,
    .close = tunnel_close,
};
