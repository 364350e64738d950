"""libpackets.py - what comes out of packets, beside ovs-vswitchd: tags that are pushed and popped, lists that go on behind a translation,
labels, buckets, which are action sets, and NORMAL with what tags ports have. A flow for each list, and a packet for each."""
import re
import socket
import struct

import libopenflow as lib

CLIENT, SERVER = "10.0.0.1", "10.0.0.2"
NAT = "nat(src=1.2.3.4:7000)"
TAGS = [
    "push_vlan:0x8100,2", "push_vlan:0x88a8,2", "push_vlan:0x88a8,set_field:4103->vlan_vid,2", "push_vlan:0x8100,mod_vlan_vid:9,2",
    "push_vlan:0x8100,mod_vlan_pcp:2,2", "mod_vlan_vid:8,push_vlan:0x8100,mod_vlan_vid:9,2,pop_vlan,3", "push_vlan:0x88a8,resubmit(,1)",
    "push_vlan:0x88a8,2,mod_nw_dst:9.9.9.9,2,pop_vlan,3", "push_vlan:0x88a8,resubmit(,2)", "push_vlan:0x8100,load:0->vlan_tci[],2",
    "clone(push_vlan:0x8100,mod_vlan_vid:9,2),3,push_vlan:0x88a8,2,clone(pop_vlan,3),mod_vlan_vid:3,3", "mod_vlan_vid:9,2", "mod_vlan_pcp:5,2",
    "write_actions(push_vlan:0x88a8,set_field:4103->vlan_vid,output:2)", "push_mpls:0x8847,push_vlan:0x88a8,2", "push_vlan:0x88a8,push_mpls:0x8847,2",
    "push_vlan:0x8100,mod_vlan_vid:9,ct(table=1)", "mod_nw_tos:36,push_mpls:0x8847,2",
]
TAGGED = [  # flows that match a tag
    "pop_vlan,push_vlan:0x88a8,2", "pop_vlan,push_vlan:0x88a8,set_field:4103->vlan_vid,2", "strip_vlan,push_vlan:0x8100,mod_vlan_vid:6,2",
    "pop_vlan,mod_vlan_vid:9,2", "pop_vlan,mod_vlan_pcp:1,2", "push_vlan:0x88a8,set_field:4103->vlan_vid,2,mod_nw_tos:8,2,pop_vlan,3,pop_vlan,2",
]
CT = [
    "ct(commit,zone=%d,NAT),2,ct_clear,3", "2,ct(commit,zone=%d,NAT),3", "clone(ct(commit,zone=%d,NAT),2),3", "ct(commit,zone=%d,NAT,table=3),2",
    "2,ct(commit,zone=%d,NAT,table=3),3", "clone(ct(commit,zone=%d,NAT,table=3)),2", "ct(commit,zone=%d,NAT,table=3),ct_clear,2",
    "ct(commit,zone=%d,nat(dst=1.2.3.4:7000),table=3),mod_dl_src:02:00:00:00:00:99,2", "ct(commit,zone=%d,NAT,table=3),mod_nw_dst:8.8.8.8,2",
    "ct(commit,zone=%d,NAT,table=3),mod_nw_src:8.8.8.8,2", "mod_nw_tos:8,ct(commit,zone=%d,NAT,table=3),mod_nw_tos:16,mod_tp_dst:99,2",
    "ct(commit,zone=%d,NAT,table=3),resubmit(,4)", "ct(commit,zone=%d,NAT,table=3),ct(commit,zone=1,nat(dst=4.4.4.4:9),table=3),2",
    "ct(commit,zone=%d,NAT),ct(commit,zone=2,nat(dst=4.4.4.4:9)),2", "ct(commit,zone=%d,NAT),move:ip_src->ip_dst,2", "ct(zone=%d,table=3),2",
]
BUCKETS = [
    "mod_nw_tos:8,2,3", "2,mod_nw_tos:8", "resubmit(,4),2", "resubmit(,4),resubmit(,3)", "ct(commit,NAT),resubmit(,4)", "ct(commit,NAT),ct_clear", "clone(2),3",
    "ct(commit,NAT,table=3),ct(commit,zone=6,nat(dst=9.9.9.9:7),table=3)", "2,push_vlan:0x8100,set_field:4101->vlan_vid", "controller,note:11.22,exit,2",
    "push:eth_src[],pop:eth_dst[],2", "dec_ttl,dec_ttl,2", "set_field:7->reg0,output:reg0[]",
]
LABELS = ["dec_mpls_ttl,2", "dec_mpls_ttl,dec_mpls_ttl,2", "2,set_mpls_ttl:1,dec_mpls_ttl,3", "set_mpls_label:7,set_mpls_tc:5,push_mpls:0x8848,dec_mpls_ttl,2"]
# What p2 is, for NORMAL, and the tags that come in on p1, which is a trunk.
PORTS = ["tag=5", "tag=5 other_config:priority-tags=if-nonzero", "tag=5 vlan_mode=native-untagged", "tag=5 vlan_mode=native-tagged trunks=0,7",
         "vlan_mode=native-untagged", "other_config:priority-tags=always"]
TAGGINGS = ["", "81000000", "81006000", "81000005", "81006005", "81000007"]
TABLES = """table=1,priority=9,ip,dl_vlan=0,actions=2
table=1,priority=8,dl_vlan=0,actions=3
table=1,priority=7,ip,actions=mod_nw_dst:9.9.9.9,2
table=1,priority=6,dl_type=0x8100,actions=3,2
table=2,ip,dl_vlan=0,actions=mod_nw_dst:9.9.9.9,pop_vlan,2
table=3,priority=9,ip,ct_state=+trk,actions=3
table=3,priority=8,ip,actions=mod_nw_tos:4,3
table=4,ip,nw_src=10.0.0.1,actions=mod_nw_tos:32,2
"""


def checksum(data):
    x = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    return ~((x & 0xffff) + (x >> 16)) & 0xffff


def frame(number, tags=""):
    """A datagram to the station NUMBER, with the tags in hex."""
    body = struct.pack(">HHHH", 1000 + number, 53, 14, 0) + b"hello!"
    head = [0x45, 0, 20 + len(body), 7, 0, 64, 17, 0, socket.inet_aton(CLIENT), socket.inet_aton(SERVER)]
    head[7] = checksum(struct.pack(">BBHHHBBH4s4s", *head))
    return "0200000000%02x020000000001" % number + tags + "0800" + (struct.pack(">BBHHHBBH4s4s", *head) + body).hex()


def sent(path):
    data, at, out = open(path, "rb").read(), 24, []
    while at + 16 <= len(data):
        n = struct.unpack("<I", data[at + 8:at + 12])[0]
        out.append(data[at + 16:at + 16 + n].hex())
        at += 16 + n
    return out


def outputs(s, flows, frames):
    """What comes out of p2 and p3 of FRAMES (number, hex), by number."""
    last = frame(255)
    s.ofctl("-O", "OpenFlow13", "del-flows", "br0")
    text = "\n".join(flows) + "\n" + TABLES + "priority=1,dl_dst=02:00:00:00:00:ff,actions=2,3\n"
    errors = s.ofctl("-O", "OpenFlow13", "add-flows", "br0", "-", input=text).stderr
    s.appctl("revalidator/purge")  # nothing cached of the flows before
    start = [len(sent(s.dir + "/tx%d" % i)) for i in (2, 3)]
    s.appctl("netdev-dummy/receive", "p1", *[x for _, x in frames], last)
    lib.wait(lambda: all(sent(s.dir + "/tx%d" % i)[n:][-1:] == [last] for i, n in zip((2, 3), start)))
    out = {number: [] for number, _ in frames}
    for i, n in zip((2, 3), start):
        for x in sent(s.dir + "/tx%d" % i)[n:-1]:
            out.setdefault(int(x[10:12], 16), []).append("p%d %s" % (i, x))
    return errors.replace(s.dir, ""), out


def compare(checks, ours, peer, name, match, lists, tags=""):
    flows = ["in_port=1,dl_dst=02:00:00:00:00:%02x,%s,actions=%s" % (i + 2, match, x.replace("NAT", NAT)) for i, x in enumerate(lists)]
    frames = [(i + 2, frame(i + 2, tags)) for i in range(len(lists))]
    (said, wanted), (also, got) = outputs(peer, flows, frames), outputs(ours, flows, frames)
    checks.equal(name + ": flows are taken", said, also)
    for i, x in enumerate(lists):
        checks.equal("%s: %s" % (name, x), wanted[i + 2], got[i + 2])


def normal(checks, ours, peer):
    frames = [(i + 2, frame(i + 2, x)) for i, x in enumerate(TAGGINGS)]
    for port in PORTS:
        got = []
        for s in (peer, ours):
            s.vsctl("set", "Port", "p2", *port.split())
            got.append(outputs(s, ["priority=0,actions=normal"], frames))
            s.vsctl(*" -- ".join("clear Port p2 " + x for x in ("tag", "vlan_mode", "trunks", "other_config")).split())
        checks.equal("NORMAL, p2 being %s" % port, *got)


def groups(s):
    s.ofctl("-O", "OpenFlow13", "del-groups", "br0")
    text = "".join("group_id=%d,type=%s,bucket=actions=%s\n" % (i + 1, ("all", "indirect")[i % 2], x.replace("NAT", NAT)) for i, x in enumerate(BUCKETS))
    return s.ofctl("-O", "OpenFlow13", "add-groups", "br0", "-", input=text).stderr


def main(checks, ours, peer):
    for s in (ours, peer):
        for i in (2, 3):
            s.vsctl("del-port", "p%d" % i)
            s.vsctl("add-port", "br0", "p%d" % i, "--", "set", "Interface", "p%d" % i, "type=dummy", "ofport_request=%d" % i,
                    "options:tx_pcap=%s/tx%d" % (s.dir, i))
    compare(checks, ours, peer, "untagged", "ip", TAGS)
    compare(checks, ours, peer, "one tag", "ip,dl_vlan=5", TAGS + TAGGED, "81006005")
    compare(checks, ours, peer, "a service tag", "ip,dl_vlan=5", [x for x in TAGS + TAGGED if "ct(" not in x], "88a86005")
    compare(checks, ours, peer, "two tags", "dl_vlan=5", [x for x in TAGS + TAGGED if not re.search(r"nw_|ct\(|push_vlan:0x88a8,push_mpls", x)], "88a86005" "81002007")
    compare(checks, ours, peer, "translated", "udp", [x % (i + 10) if "%d" in x else x for i, x in enumerate(CT)])
    compare(checks, ours, peer, "label", "mpls", LABELS, "8847000c8103")
    normal(checks, ours, peer)
    checks.equal("groups", *[groups(s).replace(s.dir, "") for s in (peer, ours)])
    compare(checks, ours, peer, "bucket", "udp", ["group:%d" % (i + 1) for i in range(len(BUCKETS))])
    for s in (ours, peer):
        s.ofctl("-O", "OpenFlow13", "del-flows", "br0")
        s.ofctl("-O", "OpenFlow13", "del-groups", "br0")
        s.appctl("dpctl/flush-conntrack")
