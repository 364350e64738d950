/* trace_nat.c - see trace_nat.h. */
#include "switchd/trace_nat.h"

#include "flow/field.h"
#include "flow/rewrite.h"

/* Where a header keeps what is translated; TP FIELD_NONE: it has no ports. */
struct places {
    enum field_id src, dst, tp_src, tp_dst;
};

static struct places places_of(const struct flow_key *key)
{
    struct places p = {FIELD_IP_SRC, FIELD_IP_DST, FIELD_NONE, FIELD_NONE};
    if (key_has_prereq(key, PREREQ_IPV6)) {
        p.src = FIELD_IPV6_SRC;
        p.dst = FIELD_IPV6_DST;
    }
    if (key_has_prereq(key, PREREQ_TCP)) {
        p.tp_src = FIELD_TCP_SRC;
        p.tp_dst = FIELD_TCP_DST;
    } else if (key_has_prereq(key, PREREQ_UDP)) {
        p.tp_src = FIELD_UDP_SRC;
        p.tp_dst = FIELD_UDP_DST;
    } else if (key_has_prereq(key, PREREQ_SCTP)) {
        p.tp_src = FIELD_SCTP_SRC;
        p.tp_dst = FIELD_SCTP_DST;
    }
    return p;
}

static void put_address(struct str *out, const struct flow_key *key, const char *name,
                        enum field_id id)
{
    bool v6 = id == FIELD_IPV6_SRC || id == FIELD_IPV6_DST;
    const struct field *field = field_get(id);
    str_putf(out, "%s_%s=%s", v6 ? "ipv6" : "nw", name, v6 ? "[" : "");
    field_put(out, field, key_get(key, id), u128_ones(field->n_bits), NULL);
    str_put(out, v6 ? "]" : "");
}

static unsigned port_of(const struct flow_key *key, enum field_id id)
{
    return id == FIELD_NONE ? 0 : (unsigned)key_get(key, id);
}

static void put_flow(struct str *out, const char *title, const struct flow_key *key,
                     const struct places *p)
{
    str_put(out, title);
    put_address(out, key, "src", p->src);
    str_putf(out, ",tp_src=%u,", port_of(key, p->tp_src));
    put_address(out, key, "dst", p->dst);
    str_putf(out, ",tp_dst=%u\n", port_of(key, p->tp_dst));
}

static void set(struct flow_key *key, struct packet *packet, enum field_id id, u128 value)
{
    if (id == FIELD_NONE || !value)
        return;
    key_set(key, id, value);
    if (packet)
        packet_set_field(packet, id, value);
}

void trace_nat(struct str *out, const struct ct_action *action, struct flow_key *key,
               struct packet *packet)
{
    const struct ct_nat *nat = &action->nat;
    if (!(action->flags & CT_TRANSLATE))
        return;
    str_put(out, "Replacing src/dst IP/ports to simulate NAT:\n");
    bool source = nat->flags & CT_NAT_SRC;
    if (!(nat->flags & (CT_NAT_SRC | CT_NAT_DST))) { /* what the connection has */
        str_put(out, " Initial flow: \n Modified flow: \n");
        return;
    }
    struct places p = places_of(key);
    put_flow(out, " Initial flow: ", key, &p);
    u128 address = nat->version == 4 ? get_be32(&nat->addr_min) : get_be128(&nat->addr_min);
    if (nat->version)
        set(key, packet, source ? p.src : p.dst, address);
    set(key, packet, source ? p.tp_src : p.tp_dst, nat->port_min);
    put_flow(out, " Modified flow: ", key, &p);
}
