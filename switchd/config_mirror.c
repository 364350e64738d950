/* config_mirror.c - rows of Mirror become the mirrors of a bridge; see config.h and mirror.h. Counters of a mirror stay while its row
 * does. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "rows/ovs.h"
#include "switchd/config.h"

LOG_MODULE(mirror);

struct mirror_pass {
    struct config *config;
    struct bridge *br;
    struct mirrors made;
    struct str signature;
};

/* The OpenFlow numbers of the interfaces of row PORT. */
struct port_numbers {
    struct bridge *br;
    VEC(uint32_t) numbers;
};

static void add_interface(void *numbers_, const struct row *row)
{
    struct port_numbers *n = numbers_;
    const struct vport *port =
        bridge_port_named(n->br, ovs_interface_name(ovs_interface_cast(row)));
    if (port)
        vec_push(&n->numbers, port->ofport);
}

static void add_ports(struct mirror_pass *pass, const struct datum *refs, struct port_numbers *ret)
{
    ret->br = pass->br;
    for (uint32_t i = 0; i < refs->n; i++) {
        const struct row *row = config_ref(pass->config, OVS_TABLE_PORT, &refs->atoms[i].uuid);
        if (row)
            config_each(pass->config, ovs_port_interfaces(ovs_port_cast(row)), OVS_TABLE_INTERFACE,
                        add_interface, ret);
    }
}

static void sign_numbers(struct str *s, const char *what, const struct port_numbers *n)
{
    str_put(s, what);
    for (size_t i = 0; i < n->numbers.n; i++)
        str_putf(s, "%u,", n->numbers.data[i]);
}

static void keep_counters(const struct mirrors *old, struct mirror *m)
{
    for (size_t i = 0; i < old->n; i++) {
        if (memcmp(&old->list[i].uuid, &m->uuid, sizeof m->uuid) == 0) {
            m->n_packets = old->list[i].n_packets;
            m->n_bytes = old->list[i].n_bytes;
        }
    }
}

static void select_vlans(struct mirror *m, const struct datum *vlans, struct str *signature)
{
    if (!vlans->n)
        return;
    m->vlans = xcalloc(64, sizeof *m->vlans);
    for (uint32_t i = 0; i < vlans->n; i++) {
        unsigned vid = (unsigned)vlans->atoms[i].integer & 0xfff;
        m->vlans[vid / 64] |= UINT64_C(1) << (vid % 64);
        str_putf(signature, "v%u", vid);
    }
}

static void add_mirror(void *pass_, const struct row *row_)
{
    struct mirror_pass *pass = pass_;
    const struct ovs_mirror *row = ovs_mirror_cast(row_);
    const char *name = ovs_mirror_name(row);
    if (pass->made.n == MIRRORS_MAX) {
        log_err("bridge %s: mirror %s: a bridge has at most %d", pass->br->name, name, MIRRORS_MAX);
        return;
    }
    struct port_numbers src = {0}, dst = {0}, out = {0};
    add_ports(pass, ovs_mirror_select_src_port(row), &src);
    add_ports(pass, ovs_mirror_select_dst_port(row), &dst);
    const struct uuid *out_row = ovs_mirror_output_port(row);
    const struct row *port = out_row ? config_ref(pass->config, OVS_TABLE_PORT, out_row) : NULL;
    out.br = pass->br;
    if (port)
        config_each(pass->config, ovs_port_interfaces(ovs_port_cast(port)), OVS_TABLE_INTERFACE,
                    add_interface, &out);
    struct mirror *m = &pass->made.list[pass->made.n];
    m->out_port = out.numbers.n ? out.numbers.data[0] : 0;
    m->out_vlan = ovs_mirror_output_vlan_present(row) ? (uint16_t)ovs_mirror_output_vlan(row) : 0;
    if (!m->out_port && !m->out_vlan) {
        log_warn("bridge %s: mirror %s has no output", pass->br->name, name);
    } else {
        pass->made.n++;
        m->name = xstrdup(name);
        m->uuid = row_->uuid;
        m->select_all = ovs_mirror_select_all(row);
        m->snaplen = ovs_mirror_snaplen_present(row) ? (uint16_t)ovs_mirror_snaplen(row) : 0;
        str_putf(&pass->signature, "|%s,%u,%u,%u,%d", name, m->out_port, m->out_vlan, m->snaplen,
                 m->select_all);
        for (size_t i = 0; i < src.numbers.n; i++)
            vec_push(&m->src, src.numbers.data[i]);
        for (size_t i = 0; i < dst.numbers.n; i++)
            vec_push(&m->dst, dst.numbers.data[i]);
        sign_numbers(&pass->signature, "s", &src);
        sign_numbers(&pass->signature, "d", &dst);
        select_vlans(m, ovs_mirror_select_vlan(row), &pass->signature);
    }
    vec_fini(&src.numbers);
    vec_fini(&dst.numbers);
    vec_fini(&out.numbers);
}

void config_apply_mirrors(struct config *config, struct bridge *br, const struct row *row)
{
    struct mirror_pass pass = {.config = config, .br = br, .signature = STR_INIT};
    config_each(config, ovs_bridge_mirrors(ovs_bridge_cast(row)), OVS_TABLE_MIRROR, add_mirror,
                &pass);
    pass.made.signature = pass.made.n ? str_steal(&pass.signature) : NULL;
    str_fini(&pass.signature);
    const char *was = br->mirrors.signature, *now = pass.made.signature;
    if (!was == !now && (!was || !strcmp(was, now))) {
        mirrors_clear(&pass.made);
        return;
    }
    vswitch_push_stats(br->vs); /* with the numbers that the mirrors had */
    for (size_t i = 0; i < pass.made.n; i++)
        keep_counters(&br->mirrors, &pass.made.list[i]);
    mirrors_clear(&br->mirrors);
    br->mirrors = pass.made;
    vswitch_invalidate(br->vs);
}
