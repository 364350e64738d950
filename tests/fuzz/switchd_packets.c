/* switchd_packets.c - fuzz harness: any bytes as a frame through a switch of dummy ports. What the caches do with it is what a switch
 * without them does; then it goes through the connection tracker too. */
#include <stddef.h>
#include <stdint.h>

#include "openflow/text.h"
#include "switchd_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const flows[] = {
    "in_port=1,priority=0,actions=push_vlan:0x8100,set_field:4100->vlan_vid,output:2,goto_table:1",
    "in_port=1,priority=9,vlan_tci=0x1000/"
    "0x1000,actions=pop_vlan,push_mpls:0x8847,output:2,goto_table:1",
    "in_port=1,priority=8,ip,nw_ttl=1,actions=output:2",
    "in_port=1,priority=7,ip,actions=dec_ttl,move:NXM_OF_IP_SRC[]->NXM_OF_IP_DST[],output:2,goto_"
    "table:1",
    "in_port=1,priority=6,ipv6,actions=dec_ttl,set_field:fe80::7->ipv6_src,output:2,goto_table:1",
    "in_port=1,priority=6,arp,actions=move:NXM_OF_ARP_SPA[]->NXM_OF_ARP_TPA[],load:2->NXM_OF_ARP_"
    "OP[],output:2",
    "in_port=1,priority=8,mpls,actions=pop_mpls:0x0800,output:2,goto_table:1",
    "table=1,tcp,actions=set_field:99->tcp_dst,NORMAL",
    "table=1,tcp6,tcp_flags=+syn,actions=set_field:98->tcp_src,IN_PORT",
    "table=1,udp,actions=load:5->NXM_OF_UDP_SRC[],output(port=2,max_len=40)",
    "table=1,icmp6,icmp_type=135,actions=load:0x1234->NXM_NX_ND_SLL[],output:2",
    "table=1,priority=0,actions=NORMAL",
    "in_port=3,ip,actions=ct(commit,zone=1,nat(src=10.9.0.1-10.9.0.9),table=2)",
    "in_port=3,ipv6,actions=ct(commit,zone=1,nat(src=fd00::9),table=2)",
    "table=2,ip,actions=ct(table=3,zone=1),output:2",
    "table=2,ipv6,actions=ct(table=3,zone=1),output:2",
    "in_port=3,priority=9,udp,actions=move:NXM_OF_ETH_SRC[]->NXM_NX_TUN_METADATA40[100..147],move:"
    "NXM_OF_ETH_DST[]->NXM_NX_TUN_METADATA2[40..87],"
    "push:NXM_NX_TUN_METADATA40[64..255],pop:NXM_NX_TUN_METADATA63[16..207],resubmit(,4),ct(table="
    "4)",
    "table=4,priority=3,tun_metadata40=0x20000000000000000000000000/"
    "0x20000000000000000000000000,actions=output:1,delete_field:tun_metadata40,resubmit(,5)",
    "table=4,priority=2,tun_metadata2[80..87]=2,actions=move:NXM_NX_TUN_METADATA40[100..131]->NXM_"
    "NX_REG0[],resubmit(,5)",
    "table=4,priority=1,actions=set_field:0x112233445566778899aabbcc->tun_metadata2,output:2,"
    "resubmit(,5)",
    "table=5,priority=3,tun_metadata63=0,actions=output:2",
    "table=5,priority=2,tun_metadata2=0x112233445566778899aabbcc,actions=output:1",
    "table=5,priority=1,tun_metadata40,reg0=0x200,actions=output:2",
    "table=3,ct_state=+rpl,actions=output:1",
    "table=3,priority=0,actions=output:1",
};

static void add_flow(struct bridge *br, const char *text)
{
    struct of_flow_mod fm;
    struct journal journal = JOURNAL_INIT;
    if (of_flow_mod_parse(text, OF_FLOW_ADD, NULL, NULL, &fm, NULL) ||
        bridge_flow_mod(br, &fm, &journal))
        bug("%s", text);
    bridge_commit(br, &journal);
    of_flow_mod_fini(&fm);
}

/* All that was sent, with the name of the port in front. */
static void note(void *s_, struct port *port, const struct packet *packet)
{
    struct str *s = s_;
    str_putf(s, "|%s:", port->name);
    str_put_n(s, (const char *)packet->data, packet->size);
}

static struct bridge *make_bridge(struct vswitch *vs, struct vport *ports[3])
{
    struct bridge *br = bridge_new(vs, "br0");
    br->secure = true;
    static const struct of_tlv_map options[] = {
        {0x102, 1, 12, 2}, {0x102, 2, 124, 40}, {0x102, 3, 28, 63}};
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        br->tlvs.map[options[i].index] = options[i];
        br->tlvs.mapped |= UINT64_C(1) << options[i].index;
    }
    ports[0] = fuzz_port(br, "p1", 1);
    ports[1] = fuzz_port(br, "p2", 2);
    ports[2] = fuzz_port(br, "p3", 3);
    for (size_t i = 0; i < ARRAY_SIZE(flows); i++)
        add_flow(br, flows[i]);
    return br;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 9000)
        return 0;
    static struct bridge *br;
    static struct vport *ports[3];
    struct vswitch *vs = fuzz_switch();
    if (!br)
        br = make_bridge(vs, ports);
    struct str sent[4] = {STR_INIT, STR_INIT, STR_INIT, STR_INIT};
    /* The first round teaches NORMAL the addresses, the second fills the caches, the third uses them. */
    for (unsigned round = 0; round < 4; round++) {
        for (size_t i = 0; i < 3; i++)
            dummy_set_observer(ports[i]->dev, note, &sent[round]);
        if (round < 3) {
            dummy_receive(ports[0]->dev, data, size);
        } else {
            struct packet packet;
            packet_init_copy(&packet, data, size);
            vswitch_rx_uncached(vs, ports[0], &packet);
            packet_fini(&packet);
        }
    }
    for (unsigned round = 2; round < 4; round++)
        INVARIANT(sent[round].n == sent[1].n &&
                  !memcmp(str_c(&sent[round]), str_c(&sent[1]), sent[1].n));
    for (unsigned i = 0; i < 2; i++)
        dummy_receive(ports[2]->dev, data, size);
    for (unsigned i = 0; i < 4; i++)
        str_fini(&sent[i]);
    fuzz_forget_packets(vs);
    return 0;
}
