/* test_fields.c - every field of fields.def, by rote: a match on it goes over the wire of each version and through text and comes back;
 * without its prerequisite it is refused; what may not be set, or not be masked, is refused; and what is set in a packet is read back
 * from the packet, whose checksums hold. */
#include "flow/rewrite.h"
#include "net/checksum.h"
#include "openflow/oxm.h"
#include "unit/switchd/world.h"

enum { ROUNDS = 20 };

static const uint8_t versions[] = {OF10_VERSION, OF13_VERSION, OF14_VERSION, OF15_VERSION};

static u128 random_bits(struct env *env, unsigned n)
{
    return ((u128)env_random_u64(env) << 64 | env_random_u64(env)) & u128_ones(n);
}

static bool is_header(const struct field *f)
{
    return f->nxm.name || f->oxm.name;
}

/* The key that all packets with PREREQ have: the first of each kind. */
static void set_prereq(struct match *m, const struct field *f)
{
    enum field_prereq prereq = f->prereq;
    static const struct {
        enum field_prereq prereq;
        uint16_t eth_type;
        uint8_t proto, icmp_type;
    } kinds[] = {
        {PREREQ_ARP, 0x806, 0, 0},
        {PREREQ_IPV4, 0x800, 0, 0},
        {PREREQ_IPV6, 0x86dd, 0, 0},
        {PREREQ_IP, 0x800, 0, 0},
        {PREREQ_MPLS, 0x8847, 0, 0},
        {PREREQ_PBB, 0x88e7, 0, 0},
        {PREREQ_TCP, 0x800, 6, 0},
        {PREREQ_UDP, 0x86dd, 17, 0},
        {PREREQ_SCTP, 0x800, 132, 0},
        {PREREQ_ICMP, 0x800, 1, 0},
        {PREREQ_ICMPV6, 0x86dd, 58, 0},
        {PREREQ_ND, 0x86dd, 58, 135},
        {PREREQ_ND_SOLICIT, 0x86dd, 58, 135},
        {PREREQ_ND_ADVERT, 0x86dd, 58, 136},
    };
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (kinds[i].prereq != prereq)
            continue;
        match_set(m, FIELD_ETH_TYPE, kinds[i].eth_type);
        if (kinds[i].proto)
            match_set(m, FIELD_IP_PROTO, kinds[i].proto);
        if (kinds[i].icmp_type) {
            match_set(m, FIELD_ICMPV6_TYPE, kinds[i].icmp_type);
            match_set(m, FIELD_ICMPV6_CODE, 0);
        }
    }
    if (prereq == PREREQ_VLAN)
        match_set_masked(m, FIELD_VLAN_TCI, VLAN_CFI, VLAN_CFI);
    if (prereq == PREREQ_CT) {
        match_set_masked(m, FIELD_CT_STATE, CT_TRK, CT_TRK | CT_INV);
        match_set(m, FIELD_ETH_TYPE, f->format == FORMAT_IPV6 ? 0x86dd : 0x800);
    }
}

/* A value that a match on F may have. */
static u128 value_for(struct env *env, const struct field *f)
{
    u128 value = random_bits(env, f->n_bits);
    switch (f->id) {
    case FIELD_IN_PORT:
    case FIELD_IN_PORT_OXM:
    case FIELD_ACTSET_OUTPUT:
        return 1 + value % 100;
    case FIELD_VLAN_TCI:
    case FIELD_VLAN_VID:
        return value | VLAN_CFI;
    case FIELD_IP_FRAG:
        return FRAG_ANY;
    case FIELD_CT_STATE:
        return CT_TRK | CT_EST;
    case FIELD_TUN_FLAGS:
        return 1;
    case FIELD_PACKET_TYPE:
        return 0;
    case FIELD_TCP_FLAGS:
        return value & 0xfff;
    default:
        return value;
    }
}

static bool says(const struct match *m, const struct field *f, u128 value, u128 mask)
{
    if (FIELD_IS_TUN_METADATA(f->id)) {
        struct tun_value v, bits;
        u128 got;
        return match_get_tun(m, f->id, &v, &bits) == TUN_EXACT && tun_value_fits(&v, &got) &&
               got == value;
    }
    return mask_get(&m->mask, f->id) == mask && key_get(&m->key, f->id) == (value & mask);
}

static void over_the_wire(const struct field *f, const struct match *m)
{
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        struct of_buf b = OF_BUF_INIT;
        struct of_msg msg;
        struct of_flow_mod fm, again;
        of_flow_mod_init(&fm, OF_FLOW_ADD);
        fm.match = *m;
        of_flow_mod_encode(&fm, versions[i], 7, &b);
        int err = of_msg_parse(b.data, b.n, &msg);
        if (!err)
            err = of_flow_mod_decode(&msg, false, &again);
        if (err || !match_equal(&again.match, m))
            fail_msg("%s: %s in version %u", f->name, err ? of_error_name(err) : "another match",
                     versions[i]);
        of_flow_mod_fini(&fm);
        of_flow_mod_fini(&again);
        of_buf_fini(&b);
    }
}

static void through_text(const struct field *f, const struct match *m)
{
    struct str s = STR_INIT;
    struct match again;
    struct diag diag = DIAG_INIT;
    match_put(&s, m, -1, NULL);
    if (of_match_parse(str_c(&s), NULL, &again, NULL, &diag))
        fail_msg("%s: \"%s\": %s", f->name, str_c(&s), diag_text(&diag));
    if (!match_equal(m, &again))
        fail_msg("%s: \"%s\" reads back as another match", f->name, str_c(&s));
    str_fini(&s);
}

static void test_matches(void **state UNUSED)
{
    struct env_seeded env;
    unsigned n = 0;
    env_seeded_init(&env, 1);
    for (int id = FIELD_NONE + 1; id < N_FIELDS; id++) {
        const struct field *f = field_get(id);
        if (!is_header(f) || f->internal)
            continue;
        for (unsigned i = 0; i < ROUNDS; i++) {
            struct match m;
            match_init(&m);
            set_prereq(&m, f);
            u128 value = value_for(&env.env, f);
            match_set(&m, id, value);
            assert_true(says(&m, f, value, u128_ones(f->n_bits)));
            over_the_wire(f, &m);
            through_text(f, &m);
            n++;
        }
    }
    printf("%u matches, each over 4 versions and as text\n", n);
}

/* The field alone, as an OXM of version 1.5. */
static int decode_alone(const struct field *f, u128 value, u128 mask, bool masked)
{
    struct of_buf b = OF_BUF_INIT;
    struct match m;
    if (masked)
        of_oxm_put_masked(&b, f->id, value & mask, mask, OF15_VERSION);
    else
        of_oxm_put_field(&b, f->id, value, u128_ones(f->n_bits), OF15_VERSION);
    int err = of_oxm_decode(b.data, b.n, false, &m, NULL, NULL);
    of_buf_fini(&b);
    return err;
}

/* What a flow says that sets F in any packet: 0 or an OF_ERROR. */
static int set_error(const struct field *f)
{
    struct of_flow_mod fm;
    struct str value = STR_INIT;
    field_put(&value, f, f->format == FORMAT_PORT ? 1 : 0, u128_ones(f->n_bits), NULL);
    char *text = xasprintf("actions=set_field:%s->%s", str_c(&value), f->name);
    int err = of_flow_mod_parse(text, OF_FLOW_ADD, NULL, NULL, &fm, NULL);
    if (!err) {
        err = of_actions_check(&fm.actions, &fm.match, 0, N_TABLES_OPEN);
        of_flow_mod_fini(&fm);
    }
    free(text);
    str_fini(&value);
    return err;
}

static void test_refused(void **state UNUSED)
{
    for (int id = FIELD_NONE + 1; id < N_FIELDS; id++) {
        const struct field *f = field_get(id);
        if (!is_header(f) || f->internal)
            continue;
        bool needs = f->prereq != PREREQ_NONE && f->prereq != PREREQ_CT;
        int err = decode_alone(f, 0, 0, false);
        if (needs && err != OF_ERR_MATCH_BAD_PREREQ)
            fail_msg("%s without its prerequisite: %s", f->name, of_error_name(err));
        err = decode_alone(f, 0, u128_ones(f->n_bits) >> 1, true);
        if (!f->maskable && f->n_bits > 1 && err != OF_ERR_MATCH_BAD_MASK)
            fail_msg("%s with a mask: %s", f->name, of_error_name(err));
        if (!f->writable && !set_error(f))
            fail_msg("%s may be set", f->name);
        if (f->writable && needs && !set_error(f))
            fail_msg("%s may be set without its prerequisite", f->name);
    }
}

/* ---- set, and read back ---- */

static bool checksums_hold(struct packet *packet)
{
    struct flow_key key;
    flow_extract(packet, &key);
    const uint8_t *l3 = packet->data + packet->l3_ofs;
    if (swap16(key.eth_type) == 0x800 && checksum(l3, (size_t)(l3[0] & 15) * 4) != 0)
        return false;
    return true;
}

static bool is_metadata(const struct field *f)
{
    return f->offset < offsetof(struct flow_key, eth_dst);
}

static void set_in_packet(struct world *w, struct bridge *br, struct vport *port,
                          const struct field *f)
{
    struct match m;
    struct packet in, out;
    struct str value_text = STR_INIT, match_text = STR_INIT;
    u128 value = value_for(w->vs.env, f);
    match_init(&m);
    set_prereq(&m, f);
    match_put(&match_text, &m, -1, NULL);
    field_put(&value_text, f, value, u128_ones(f->n_bits), NULL);
    char *flow = xasprintf("%s%sactions=set_field:%s->%s,resubmit(,1)", str_c(&match_text),
                           match_text.n ? "," : "", str_c(&value_text), f->name);
    world_flow(br, OF_FLOW_DELETE, "table=255");
    world_add_flow(br, flow);
    /* In table 1 the field matches what was set; what does not match is lost. */
    match_set(&m, f->id, value);
    str_truncate(&match_text, 0);
    match_put(&match_text, &m, -1, NULL);
    char *second = xasprintf("table=1,%s,actions=output:2", str_c(&match_text));
    world_add_flow(br, second);
    match_init(&m);
    set_prereq(&m, f);
    if (f->id == FIELD_ND_SLL || f->id == FIELD_ND_TLL)
        match_set(&m, f->id, 1); /* an option that is not there cannot be set */
    packet_init(&in);
    packet_compose(&in, &m.key, 40);
    world_forget(w);
    for (unsigned i = 0; i < 3; i++)
        dummy_receive(port->dev, in.data, in.size); /* the second and third by the caches */
    if (w->sent.n != 3)
        fail_msg("%s: %zu of 3 packets came out: %s | %s", f->name, w->sent.n, flow, second);
    for (unsigned i = 0; i < 3; i++) {
        struct flow_key key;
        packet_init_copy(&out, w->sent.data[i].data, w->sent.data[i].n);
        assert_true(checksums_hold(&out));
        flow_extract(&out, &key);
        if (!is_metadata(f) && key_get(&key, f->id) != value)
            fail_msg("%s: the packet does not have it: %s", f->name, flow);
        packet_fini(&out);
    }
    packet_fini(&in);
    free(flow);
    free(second);
    str_fini(&value_text);
    str_fini(&match_text);
}

static void test_set(void **state UNUSED)
{
    struct world w;
    unsigned n = 0;
    world_init(&w);
    struct bridge *br = bridge_new(&w.vs, "br0");
    for (uint16_t i = 0; i < N_TUN_METADATA; i++) /* what stands for no option cannot be set */
        br->tlvs.map[i] = (struct of_tlv_map){0x102, (uint8_t)i, 16, i};
    br->tlvs.mapped = UINT64_MAX;
    br->secure = true;
    struct vport *port = world_add(&w, br, "p1", "dummy", 1, NULL);
    world_add(&w, br, "p2", "dummy", 2, NULL);
    for (int id = FIELD_NONE + 1; id < N_FIELDS; id++) {
        const struct field *f = field_get(id);
        if (!is_header(f) || f->internal || !f->writable || f->prereq == PREREQ_CT ||
            id == FIELD_CT_MARK || id == FIELD_CT_LABEL)
            continue;
        for (unsigned i = 0; i < 3; i++)
            set_in_packet(&w, br, port, f);
        n++;
    }
    printf("%u fields set and read back\n", n);
    world_fini(&w);
}

int main(void)
{
    log_set_level(NULL, LOG_ERR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matches),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
