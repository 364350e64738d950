/* dnat.c - a service at an address that nobody has, answered by the switch's own host: flows made when the first packet comes.
 *
 * The metadata service of a cloud (169.254.169.254:80) is the example (docs/seeds.md, WK-34 to WK-39). A trap sends the
 * first packet of a connection here; two flows then change addresses and ports both ways:
 *
 *     101  in_port, tcp from the instance to IP:PORT    ->  to the host's MAC, TO_IP:TO_PORT, out to LOCAL
 *     101  LOCAL, tcp from TO_IP:TO_PORT to the instance ->  from the gateway's MAC, IP:PORT, out to the instance
 *
 * For each connection, gone 300 s after its last packet; or for each instance, for ever. The latter spares all but the first
 * connection the way to the controller, and rewrites what an instance asks TO_IP:TO_PORT directly, which so breaks.
 */
#include "net/headers.h"
#include "tools/testcontroller/session.h"

enum { TRAP_PRIORITY = 100, FLOW_PRIORITY = 101, IDLE_S = 300 };

static void match_tcp(struct match *m, be32 dst, uint16_t port)
{
    match_set(m, FIELD_ETH_TYPE, ETH_TYPE_IP);
    match_set(m, FIELD_IP_PROTO, IP_PROTO_TCP);
    match_set(m, FIELD_IP_DST, swap32(dst));
    match_set(m, FIELD_TCP_DST, port);
}

void dnat_setup(struct session *s)
{
    const struct dnat *d;
    VEC_FOR_EACH (d, &s->config->dnats) {
        struct of_flow_mod fm;
        of_flow_mod_init(&fm, OF_FLOW_ADD);
        fm.priority = TRAP_PRIORITY;
        match_tcp(&fm.match, d->ip, d->port);
        of_put_controller(&fm.actions, UINT16_MAX, 0, OF_REASON_ACTION, NULL, 0, false,
                          OF_METER_NONE);
        session_flow(s, &fm);
    }
}

static void begin(struct of_flow_mod *fm, const struct dnat *d)
{
    of_flow_mod_init(fm, OF_FLOW_ADD);
    fm->priority = FLOW_PRIORITY;
    fm->idle_timeout = d->per_instance ? 0 : IDLE_S;
}

static void put_forward_actions(const struct session *s, const struct dnat *d,
                                struct of_actions *actions)
{
    of_put_set_field(actions, FIELD_ETH_DST, mac_to_u64(s->local_mac));
    of_put_set_field(actions, FIELD_IP_DST, swap32(d->to_ip));
    of_put_set_field(actions, FIELD_TCP_DST, d->to_port);
    of_put_output(actions, PORT_LOCAL);
}

static void forward(struct session *s, const struct dnat *d, const struct flow_key *key)
{
    struct of_flow_mod fm;
    begin(&fm, d);
    match_tcp(&fm.match, d->ip, d->port);
    match_set(&fm.match, FIELD_IN_PORT, key_in_port(key));
    match_set(&fm.match, FIELD_ETH_SRC, key_get(key, FIELD_ETH_SRC));
    match_set(&fm.match, FIELD_ETH_DST, key_get(key, FIELD_ETH_DST));
    match_set(&fm.match, FIELD_IP_SRC, key_get(key, FIELD_IP_SRC));
    if (!d->per_instance)
        match_set(&fm.match, FIELD_TCP_SRC, key_get(key, FIELD_TCP_SRC));
    put_forward_actions(s, d, &fm.actions);
    session_flow(s, &fm);
}

static void back(struct session *s, const struct dnat *d, const struct flow_key *key)
{
    struct of_flow_mod fm;
    begin(&fm, d);
    match_set(&fm.match, FIELD_IN_PORT, PORT_LOCAL);
    match_set(&fm.match, FIELD_ETH_SRC, mac_to_u64(s->local_mac));
    match_set(&fm.match, FIELD_ETH_DST, key_get(key, FIELD_ETH_SRC));
    match_set(&fm.match, FIELD_ETH_TYPE, ETH_TYPE_IP);
    match_set(&fm.match, FIELD_IP_PROTO, IP_PROTO_TCP);
    match_set(&fm.match, FIELD_IP_SRC, swap32(d->to_ip));
    match_set(&fm.match, FIELD_IP_DST, key_get(key, FIELD_IP_SRC));
    match_set(&fm.match, FIELD_TCP_SRC, d->to_port);
    if (!d->per_instance)
        match_set(&fm.match, FIELD_TCP_DST, key_get(key, FIELD_TCP_SRC));
    of_put_set_field(&fm.actions, FIELD_ETH_SRC, key_get(key, FIELD_ETH_DST));
    of_put_set_field(&fm.actions, FIELD_IP_SRC, swap32(d->ip));
    of_put_set_field(&fm.actions, FIELD_TCP_SRC, d->port);
    of_put_output(&fm.actions, key_in_port(key));
    session_flow(s, &fm);
}

static const struct dnat *find(const struct session *s, const struct flow_key *key)
{
    const struct dnat *d;
    if (key_get(key, FIELD_ETH_TYPE) != ETH_TYPE_IP || key_get(key, FIELD_IP_PROTO) != IP_PROTO_TCP)
        return NULL;
    VEC_FOR_EACH (d, &s->config->dnats)
        if (key_get(key, FIELD_IP_DST) == swap32(d->ip) && key_get(key, FIELD_TCP_DST) == d->port)
            return d;
    return NULL;
}

bool dnat_packet(struct session *s, const struct packet_in *in)
{
    const struct dnat *d = find(s, &in->key);
    if (!d || mac_is_zero(s->local_mac))
        return d != NULL;
    back(s, d, &in->key); /* first, so that the answer finds it */
    forward(s, d, &in->key);
    struct of_actions actions = OF_ACTIONS_INIT;
    put_forward_actions(s, d, &actions);
    session_packet_out(s, in, &actions);
    of_actions_fini(&actions);
    return true;
}
