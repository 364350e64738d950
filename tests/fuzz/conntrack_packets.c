/* conntrack_packets.c - fuzz harness: a sequence of frames through the connection tracker, under all kinds of actions.
 *
 * Input: records of 2 bytes length, 1 byte of what to do, 1 byte of time that passes (in units of 100 ms), and the frame. The
 * checksums count as verified, so that damaged frames get far. What must hold: nothing is read or written out of bounds, the
 * state is one that ovs-fields(7) allows, and what waits and lives stays within its bounds. */
#include "conntrack/conntrack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_CONNS = 50 };

static void nothing(void *aux, void *cookie)
{
    (void)aux;
    (void)cookie;
}

static void fill_action(uint8_t what, struct ct_action *a)
{
    static const struct ct_action bare = {0};
    *a = bare;
    a->zone = what & 1;
    a->flags = (uint8_t)((what & 2 ? CT_COMMIT : 0) | (what & 4 ? CT_TRANSLATE : 0) |
                         ((what & 0x42) == 0x42 ? CT_FORCE : 0));
    a->helper = what & 0x80 ? CT_HELPER_FTP : CT_HELPER_TFTP;
    if (!(what & 8))
        return;
    a->nat.flags = (uint8_t)(what & 16 ? CT_NAT_SRC : CT_NAT_DST);
    a->nat.version = what & 32 ? 6 : 4;
    put_be32(&a->nat.addr_min, 0x0a000001);
    put_be32(&a->nat.addr_max, 0x0a000003);
    a->nat.port_min = 1000;
    a->nat.port_max = 1003;
}

static void check_state(const struct packet *p)
{
    uint32_t state = swap32(p->md.ct.state);
    INVARIANT(p->md.has_ct && state & CT_TRK);
    INVARIANT(!(state & CT_INV) || state == (CT_TRK | CT_INV));
    INVARIANT(!(state & CT_NEW) || !(state & (CT_EST | CT_RPL)));
}

static void one(struct conntrack *ct, const uint8_t *frame, size_t n, uint8_t what, int64_t now_ms)
{
    struct packet packet;
    struct flow_key key;
    struct ct_action a;
    struct ct_datagram *d;
    void *cookie;
    fill_action(what, &a);
    packet_init_copy(&packet, frame, n);
    packet.csum_valid = true;
    flow_extract(&packet, &key);
    if (!conntrack_is_fragment(&packet)) {
        conntrack_execute(ct, &packet, &a, now_ms);
        check_state(&packet);
    } else if (conntrack_hold(ct, &packet, &a, NULL, now_ms, &d) == CT_WHOLE) {
        for (struct packet *p; (p = ct_datagram_next(d, &cookie)) != NULL;)
            check_state(p);
        ct_datagram_free(d);
    }
    INVARIANT(conntrack_count(ct) <= MAX_CONNS);
    packet_fini(&packet);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct env_seeded env;
    int64_t now_ms = 1000;
    env_seeded_init(&env, 1);
    struct conntrack *ct = conntrack_new(&env.env);
    conntrack_on_drop_fragment(ct, nothing, NULL);
    conntrack_set_max(ct, MAX_CONNS);
    while (size >= 4) {
        size_t n = MIN((size_t)get_be16(data), size - 4);
        now_ms += data[3] * 100;
        one(ct, data + 4, n, data[2], now_ms);
        data += 4 + n;
        size -= 4 + n;
    }
    conntrack_expire(ct, now_ms);
    struct str s = STR_INIT;
    struct ct_filter all = {0};
    conntrack_put(&s, ct, &all, CT_SHOW_MORE | CT_SHOW_TIMES, now_ms);
    conntrack_put_stats(&s, ct, &all, CT_SHOW_MORE);
    str_fini(&s);
    conntrack_free(ct);
    return 0;
}
