"""libtrace.py - what ofproto/trace, dpctl/dump-flows and their like write, beside ovs-vswitchd: the same lines for the same flows. Left out are
ports' numbers in the datapath (traces have names), numbers of recirculations, and megaflows, which are each switch's own choice."""
import re

import libopenflow as lib

FLOWS = """table=0,priority=10,in_port=1,ip,nw_dst=10.0.0.2,actions=set_field:5->reg0,dec_ttl,resubmit(,1)
table=0,priority=10,in_port=1,ip,nw_dst=10.0.0.3,actions=ct(table=2,zone=5)
table=0,priority=10,in_port=1,ip,nw_dst=10.0.0.4,actions=group:1
table=0,priority=10,in_port=1,ip,nw_dst=10.0.0.6,actions=learn(table=5,hard_timeout=9,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[]),2
table=0,priority=10,in_port=1,ip,nw_dst=10.0.0.8,actions=clone(set_field:4->reg5,resubmit(,3)),3
table=0,priority=10,in_port=1,ip,nw_dst=10.0.0.10,actions=write_actions(output:2),goto_table:7
table=0,priority=10,in_port=1,udp,nw_dst=10.0.0.12,actions=set_field:1.1.1.1->ip_dst,set_field:02:00:00:00:00:07->eth_src,set_field:02:00:00:00:00:08->eth_dst,mod_tp_dst:9,2
table=0,priority=10,in_port=1,ip,nw_dst=10.0.0.13,actions=output:77,output:1,pop:NXM_NX_REG1[],resubmit(,200),note:aa
table=0,priority=10,in_port=1,ip,nw_dst=10.0.0.14,actions=mod_nw_src:10.9.9.9,ct(commit,zone=6,nat(dst=1.2.3.4),table=8)
table=0,priority=10,in_port=1,ip,nw_dst=10.0.0.15,actions=write_actions(set_field:5->reg3),goto_table:7
table=0,priority=10,in_port=1,ip,nw_dst=10.0.0.16,actions=write_actions(output:2,resubmit(,4),set_field:5->reg3,dec_ttl),goto_table:7
table=0,priority=10,in_port=1,ip,nw_dst=10.0.0.17,actions=push_vlan:0x88a8,set_field:4103->vlan_vid,2,pop_vlan,3
table=0,priority=10,in_port=1,udp,nw_dst=10.0.0.18,actions=ct(commit,nat(src=8.8.8.8:99),table=8),2
table=0,priority=10,in_port=1,ip,nw_dst=10.0.0.19,actions=ct(nat,table=8)
table=0,priority=9,in_port=3,arp,actions=move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[],set_field:02:00:00:00:00:77->eth_src,in_port
table=0,priority=9,in_port=3,ipv6,actions=drop
table=0,priority=9,in_port=2,actions=output:7,output:3
table=0,priority=9,in_port=3,dl_type=0x1234,actions=output:7
table=1,reg0=5,cookie=0x12,actions=output:2
table=2,ct_state=+new+trk,ip,actions=ct(commit,zone=5,nat(src=1.2.3.4)),3
table=2,ct_state=+est+trk,ip,actions=2
table=3,actions=resubmit(,4),resubmit(,5)
table=4,actions=resubmit(,5)
table=5,actions=in_port,output:2
table=8,ip,nw_src=10.9.9.9,actions=set_field:02:00:00:00:00:09->eth_dst,ct(commit,nat(src=7.7.7.7),table=9)
table=8,ip,nw_src=8.8.8.8,actions=3
table=9,ip,nw_src=7.7.7.7,nw_dst=1.2.3.4,dl_dst=02:00:00:00:00:09,actions=2
table=7,ip,actions=load:0x3->NXM_NX_REG2[0..3],push:NXM_NX_REG2[],pop:NXM_NX_REG3[],output:NXM_NX_REG3[]
"""
ADDRESSES = "dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02,nw_src=10.0.0.1"
TRACES = [["in_port=1,ip,nw_ttl=64,nw_dst=10.0.0.%d,%s" % (i, ADDRESSES)] for i in (3, 4, 10, 13, 15, 17, 19, 99)] + [
    ["in_port=1,tcp,nw_ttl=9,nw_dst=10.0.0.2,tp_dst=80," + ADDRESSES],
    ["in_port=1,icmp,nw_ttl=1,nw_dst=10.0.0.2," + ADDRESSES],
    ["--ct-next", "trk,est", "in_port=1,sctp,nw_dst=10.0.0.3," + ADDRESSES],
    ["in_port=1,udp,nw_dst=10.0.0.6," + ADDRESSES],
    ["in_port=1,udp,nw_dst=10.0.0.6,%s" % ADDRESSES, "-generate"],
    ["in_port=1,ip,nw_proto=99,nw_dst=10.0.0.8," + ADDRESSES],
    ["in_port=1,udp,nw_dst=10.0.0.12,udp_src=7,udp_dst=8," + ADDRESSES],
] + [["in_port=1,udp,nw_ttl=9,nw_dst=10.0.0.%d,udp_src=7,udp_dst=8,%s" % (i, ADDRESSES)] for i in (14, 16, 18)] + [
    ["in_port=3,arp,arp_op=1,dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02,arp_spa=1.1.1.1"],
    ["in_port=3,icmp6,icmpv6_type=135,nd_target=fe80::1"],
    ["in_port=3,tcp6,reg5=7,metadata=9,pkt_mark=4"],
    ["in_port=2,rarp"],
    ["in_port=3,dl_type=0x1234"],
    ["in_port=2,dl_type=0x4321"],
]
PACKETS = ["in_port(1),eth(src=50:54:00:00:00:01,dst=50:54:00:00:00:99),eth_type(0x86dd),ipv6(src=::1,dst=::2,label=0,proto=6,tclass=0,hlimit=9,frag=no),tcp(src=1,dst=2)",
           "in_port(1),eth(src=50:54:00:00:00:01,dst=50:54:00:00:00:99),eth_type(0x1234)"]


def told(text):
    """The lines that both switches have."""
    text = re.sub(r"recirc(_id)?([=(])0x[0-9a-f]+", r"recirc\2N", text)
    return [x for x in text.splitlines() if not re.match(r"Megaflow: |Drop reason: |This flow is handled |Datapath actions: userspace", x) ]


def setup(s):
    s.ofctl("del-flows", "br0")
    s.ofctl("-O", "OpenFlow13", "del-groups", "br0")
    s.vsctl("add-br", "br9", "--", "set", "Bridge", "br9", "fail-mode=secure", "--", "add-port", "br0", "pt0", "--", "set", "Interface", "pt0", "type=patch", "options:peer=pt9",
            "ofport_request=7", "--", "add-port", "br9", "pt9", "--", "set", "Interface", "pt9", "type=patch", "options:peer=pt0", "ofport_request=8",
            "--", "add-port", "br9", "q9", "--", "set", "Interface", "q9", "type=dummy", "ofport_request=1")
    lib.wait(lambda: s.ofctl("add-flows", "br9", "-", input="actions=set_field:7->reg0,resubmit(,3)\ntable=3,actions=output:1\n").returncode == 0)
    s.ofctl("-O", "OpenFlow13", "add-group", "br0", "group_id=1,type=all,bucket=actions=2,bucket=actions=set_field:9->reg1,3")
    return s.ofctl("-O", "OpenFlow13", "add-flows", "br0", "-", input=FLOWS).stderr


def traces(checks, ours, peer):
    for words in TRACES:
        options = words[:2] if words[0] == "--ct-next" else []
        texts = [s.appctl("ofproto/trace", "--names", *options, "br0", *words[len(options):]).stdout for s in (peer, ours)]
        checks.equal("ofproto/trace " + " ".join(words), "\n".join(told(texts[0])), "\n".join(told(texts[1])))
    texts = [s.appctl("ofproto/trace-packet-out", "--names", "br0", "in_port=1,ip", "resubmit(,3),output:3").stdout for s in (peer, ours)]
    checks.equal("ofproto/trace-packet-out", told(texts[0]), told(texts[1]))


def dump(s, *words):
    """What a dump says without counters, sorted."""
    return sorted(re.sub("packets:.*actions:", "actions:", x) for x in s.appctl("dpctl/dump-flows", *words).stdout.splitlines())


def datapath(checks, ours, peer):
    seen = []
    for s in (peer, ours):
        s.ofctl("del-flows", "br0")
        s.ofctl("add-flows", "br0", "-", input="in_port=3,ipv6,actions=2\nin_port=3,dl_type=0x1234,actions=7\n")
        s.appctl("revalidator/purge")
        for packet in PACKETS:
            s.appctl("netdev-dummy/receive", "p3", packet)
        lib.wait(lambda: len(dump(s)) == 1 + len(PACKETS))  # a title and a flow each
        seen.append([dump(s, *w) for w in (["--names"], ["--names", "filter=ipv6"], ["--names", "type=all"], ["type=offloaded"])])
        seen[-1].append([re.sub(r".*vswitchd?: |.*weft-switchd: ", "", s.appctl("dpctl/dump-flows", w).stderr.splitlines()[0]) for w in ("-x", "type=zork")])
    checks.equal("dpctl/dump-flows", seen[0], seen[1])
    more = dump(ours, "-m")
    checks.true("with -m every field is there", any("ipv6(src=::/::,dst=::/::," in x and "in_port(p3)" in x for x in more))
    ufid = re.search("ufid:([0-9a-f-]+), .*eth_type\\(0x1234\\)", "\n".join(more))[1]
    text = ours.appctl("ofproto/detrace", "ufid:" + ufid).stdout
    checks.equal("ofproto/detrace: flows of both bridges", [("br0", "0"), ("br9", "0"), ("br9", "3")], re.findall(r"bridge=(\w+), cookie=0x0, table=(\d+)", text))
    checks.true("and what they do", "in_port=p3,dl_type=0x1234 actions=output:pt0" in text)
    checks.true("an unknown ufid", "no such flow" in ours.appctl("ofproto/detrace", "ufid:00000000" + ufid[8:]).stderr)
    checks.equal("upcall/set-flow-limit", *[s.appctl("upcall/set-flow-limit", "1").stdout for s in (peer, ours)])
    checks.true("is kept", "(current 0) (limit 1)" in ours.appctl("upcall/show").stdout)
    for packet in PACKETS:
        ours.appctl("netdev-dummy/receive", "p3", packet)
    lib.wait(lambda: len(dump(ours)) == 2)
    ours.appctl("upcall/set-flow-limit", "200000")


def main(checks, ours, peer):
    checks.equal("flows to trace", *[setup(s).replace(s.dir, "") for s in (peer, ours)])
    traces(checks, ours, peer)
    datapath(checks, ours, peer)
    for s in (peer, ours):
        s.vsctl("del-br", "br9", "--", "del-port", "br0", "pt0")
        s.ofctl("del-flows", "br0")
        s.ofctl("-O", "OpenFlow13", "del-groups", "br0")
