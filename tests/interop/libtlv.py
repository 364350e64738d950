"""libtlv.py - the table of tunnel options beside ovs-vswitchd: each answer to the same series of changes, and flows that name options, of
all lengths."""
import re

import libopenflow

OFCTL = libopenflow.BIN + "/weft-ofctl"

FOUR = "{class=0x102,type=%s,len=4}->tun_metadata%d"
# Commands of ovs-ofctl.
COMMANDS = [
    ("dump-tlv-map", "br0"),
    ("add-tlv-map", "br0", FOUR % ("0x80", 0) + "," + FOUR % ("0x1", 3) + ",{class=0xffff,type=0,len=8}->tun_metadata5"),
    ("add-tlv-map", "br0", FOUR % ("0x80", 4)),  # mapped twice
    ("add-tlv-map", "br0", FOUR % ("0x90", 0)),  # its field is taken
    ("add-tlv-map", "br0", FOUR % ("0x90", 1) + "," + FOUR % ("0x91", 0)),  # all or nothing
    ("add-tlv-map", "br0", FOUR % ("0x92", 6) + "," + FOUR % ("0x92", 7)),
    ("add-tlv-map", "br0", FOUR % ("0x90", 64)),
    ("add-tlv-map", "br0", "{class=0x102,type=0x90,len=128}->tun_metadata1"),
    ("add-tlv-map", "br0", "{class=0x102,type=0x90,len=3}->tun_metadata1"),
    ("dump-tlv-map", "br0"),
    ("add-flow", "br0", "tun_metadata0=0x1234/0xffff,actions=set_field:0x5->tun_metadata3,2"),
    ("add-flow", "br0", "tun_metadata1=0x1234,actions=drop"),  # stands for nothing
    ("add-flow", "br0", "table=1,actions=set_field:5->tun_metadata7,2"),
    ("add-flow", "br0", "table=1,actions=clone(move:NXM_NX_TUN_METADATA6[0..7]->NXM_NX_REG0[0..7])"),
    ("add-flow", "br0", "table=1,actions=learn(table=2,NXM_NX_TUN_METADATA4[0..7]=NXM_NX_REG0[0..7])"),
    ("add-flow", "br0", "table=1,actions=delete_field:tun_metadata2"),
    ("add-flow", "br0", "table=1,actions=push:NXM_NX_TUN_METADATA5[0..31],pop:NXM_NX_REG0[]"),
    ("add-flow", "br0", "table=2,tun_metadata5=0x1122334455667788,actions=load:1->NXM_NX_TUN_METADATA0[4..7]"),
    ("add-flow", "br0", "table=3,priority=4,tun_metadata0=0,actions=2"),  # there, and 0
    ("add-flow", "br0", "table=3,priority=3,tun_metadata0,actions=3"),  # there
    ("add-flow", "br0", "table=3,priority=2,tun_metadata5,tun_metadata3=0x1/0x1,actions=1"),
    ("--no-stats", "dump-flows", "br0"),
    ("-OOpenFlow13", "--no-stats", "dump-flows", "br0", "table=3"),
    ("--strict", "del-flows", "br0", "table=3,priority=3,tun_metadata0"),
    ("--no-stats", "dump-flows", "br0", "table=3,tun_metadata0"),
    ("del-tlv-map", "br0", FOUR % ("0x80", 0)),  # a flow matches it
    ("del-tlv-map", "br0", FOUR % ("0x1", 3)),  # a flow sets it
    ("del-tlv-map", "br0"),
    ("del-flows", "br0", "table=0"),
    ("del-tlv-map", "br0", FOUR % ("0x1", 3)),
    ("del-tlv-map", "br0", FOUR % ("0x77", 6)),  # there was none
    ("del-tlv-map", "br0", FOUR % ("0x80", 0)),
    ("dump-tlv-map", "br0"),
    ("del-flows", "br0"),
    ("del-tlv-map", "br0"),
    ("dump-tlv-map", "br0"),
]
WHOLE = "0x" + "ab" * 124
# Options of up to 124 bytes, and of none.
WIDE = [
    ("add-tlv-map", "br0", FOUR % ("0x80", 0) + ",{class=0x102,type=1,len=12}->tun_metadata1,{class=0x102,type=2,len=124}->tun_metadata2,"
     "{class=0x102,type=3,len=0}->tun_metadata9,{class=0x102,type=4,len=20}->tun_metadata63"),
    ("add-tlv-map", "br0", "{class=0x103,type=2,len=124}->tun_metadata3"),  # more than 256 bytes together
    ("add-tlv-map", "br0", "{class=0x103,type=2,len=96}->tun_metadata3"),
    ("add-tlv-map", "br0", "{class=0x103,type=3,len=4}->tun_metadata4"),
    ("add-tlv-map", "br0", "{class=0x103,type=4,len=0}->tun_metadata4"),
    ("dump-tlv-map", "br0"),
    ("add-flow", "br0", "tun_metadata1=0x112233445566778899aabbcc,actions=drop"),
    ("add-flow", "br0", "tun_metadata1=0x112233445566778899aabb00/0xffffffffffffffffffffff00,actions=1"),
    ("add-flow", "br0", "priority=3,tun_metadata0=0x5/0xffffffff,actions=drop"),
    ("add-flow", "br0", "priority=5,tun_metadata2=" + WHOLE + ",actions=drop"),
    ("add-flow", "br0", "priority=6,tun_metadata9,actions=drop"),
    ("add-flow", "br0", "priority=7,tun_metadata9=0,actions=drop"),
    ("add-flow", "br0", "priority=8,tun_metadata63=0x1%s1,actions=drop" % ("0" * 37)),
    ("add-flow", "br0", "priority=9,tun_metadata63=0x1%s/0x7%s,actions=drop" % (("0" * 38,) * 2)),
    ("add-flow", "br0", "priority=10,tun_metadata2[800..810]=5,actions=drop"),
    ("add-flow", "br0", "table=1,priority=1,actions=set_field:0x112233445566778899aabbcc->tun_metadata1"),
    ("add-flow", "br0", "table=1,priority=2,actions=set_field:0x112200000000000000000000/0xffff00000000000000000000->tun_metadata1"),
    ("add-flow", "br0", "table=1,priority=3,actions=load:5->NXM_NX_TUN_METADATA2[900..910]"),
    ("add-flow", "br0", "table=1,priority=4,actions=move:NXM_NX_TUN_METADATA2[0..95]->NXM_NX_TUN_METADATA1[0..95]"),
    ("add-flow", "br0", "table=1,priority=5,actions=move:NXM_NX_TUN_METADATA2[]->NXM_NX_TUN_METADATA2[]"),
    ("add-flow", "br0", "table=1,priority=6,actions=push:NXM_NX_TUN_METADATA2[],pop:NXM_NX_TUN_METADATA2[]"),
    ("add-flow", "br0", "table=1,priority=7,actions=learn(table=2,NXM_NX_TUN_METADATA1[0..95],load:NXM_NX_TUN_METADATA1[0..95]->NXM_NX_TUN_METADATA63[10..105])"),
    ("add-flow", "br0", "table=1,priority=8,actions=learn(table=2,NXM_NX_TUN_METADATA1[])"),  # wider than it is
    ("add-flow", "br0", "table=1,priority=9,actions=learn(table=2,NXM_NX_TUN_METADATA2[])"),
    ("add-flow", "br0", "table=1,priority=10,actions=set_field:" + WHOLE + "->tun_metadata2"),
    ("add-flow", "br0", "table=1,priority=11,actions=set_field:0x5/0x7->tun_metadata2"),
    ("add-flow", "br0", "table=1,priority=12,actions=load:5->NXM_NX_TUN_METADATA0[]"),
    ("add-flow", "br0", "table=1,priority=14,actions=move:NXM_NX_TUN_METADATA0[0..63]->NXM_NX_TUN_METADATA1[32..95]"),
    ("add-flow", "br0", "table=1,priority=15,actions=move:NXM_NX_TUN_METADATA1[0..31]->NXM_NX_REG0[]"),
    ("add-flow", "br0", "table=1,priority=16,actions=delete_field:tun_metadata2"),
    ("--no-stats", "dump-flows", "br0"),
    ("-OOpenFlow10", "--no-stats", "dump-flows", "br0"),
    ("-OOpenFlow15", "--no-stats", "dump-flows", "br0", "tun_metadata9"),
    ("--no-stats", "dump-flows", "br0", "tun_metadata63=0x1%s/0x1%s" % (("0" * 38,) * 2)),
    ("--strict", "del-flows", "br0", "priority=8,tun_metadata63=0x1%s1" % ("0" * 37)),
    ("del-flows", "br0", "tun_metadata2=0xab/0xff"),
    ("--no-stats", "dump-flows", "br0", "table=0"),
    ("del-tlv-map", "br0", "{class=0x102,type=3,len=0}->tun_metadata9"),
]
# What packets with such options meet, and what they become.
WIDE_FLOWS = [
    "table=4,priority=9,tun_metadata1=0x112233445566778899aabb00/0xffffffffffffffffffffff00,actions=move:NXM_NX_TUN_METADATA1[0..95]->NXM_NX_TUN_METADATA63[32..127],resubmit(,5)",
    "table=4,priority=8,tun_metadata2=%s,actions=move:NXM_NX_TUN_METADATA2[960..991]->NXM_NX_REG0[],resubmit(,5)" % WHOLE,
    "table=4,priority=7,tun_metadata9,actions=set_field:%s->tun_metadata2,resubmit(,5)" % WHOLE,
    "table=4,priority=0,actions=load:3->NXM_NX_TUN_METADATA63[130..132],push:NXM_NX_TUN_METADATA63[128..159],pop:NXM_NX_REG1[],resubmit(,5)",
    "table=5,priority=9,tun_metadata63=0x112233445566778899aabb0100000000,actions=drop",
    "table=5,priority=8,reg0=0xabababab,actions=1",
    "table=5,priority=7,tun_metadata2=0x%s/0x%s,actions=2" % ("ab" + "00" * 100, "ff" + "00" * 100),
    "table=5,priority=6,reg1=0xc,actions=3",
]


def said(result):
    text = result.stdout + result.stderr
    error = re.search(r"OFPT_ERROR.*: (\w+)", text)
    return error[1] if error else re.sub(r"xid=0x\w+|reset_counts ", "", text)


def presence(checks, ours, peer):
    """What a packet with and without options meets in table 3."""
    for options in ("", ",tun_metadata0=0", ",tun_metadata0=5", ",tun_metadata3=3", ",tun_metadata3=3,tun_metadata5=0", ",tun_metadata0=0x12340001"):
        flow = "in_port=1,tun_src=1.1.1.1,tun_dst=2.2.2.2" + options
        told = [s.appctl("ofproto/trace-packet-out", "--names", "br0", flow, "resubmit(,3)").stdout for s in (peer, ours)]
        checks.equal("a packet%s" % options, *[re.findall(r"^ *3\. (.*)", x, re.M) for x in told])


def wide(checks, ours, peer):
    for s in (ours, peer):
        for flow in WIDE_FLOWS:
            s.run(OFCTL, "add-flow", "br0", flow)
        dumps = [sorted(s.run(program, "-OOpenFlow13", "--no-stats", "dump-flows", "br0").stdout.splitlines()) for program in ("ovs-ofctl", OFCTL)]
        checks.equal("weft-ofctl dump-flows of %s" % ("ours" if s is ours else "the peer"), *[[re.sub(r"^ | *reset_counts ?", " ", x) for x in d] for d in dumps])
    for options in ("", ",tun_metadata1=0x112233445566778899aabb01", ",tun_metadata1=0x112233445566778899aacc01", ",tun_metadata2=" + WHOLE,
                    ",tun_metadata2=0xac" + "ab" * 123, ",tun_metadata63=0x1", ",tun_metadata63=0xff" + "00" * 19):
        flow = "in_port=1,tun_src=1.1.1.1,tun_dst=2.2.2.2" + options
        told = [s.appctl("ofproto/trace-packet-out", "--names", "br0", flow, "resubmit(,4)").stdout for s in (peer, ours)]
        checks.equal("a packet%s" % options[:40], *[re.findall(r"^ *([45]\. .*|Datapath actions.*|-> .* is now .*)", x, re.M) for x in told])


def main(checks, ours, peer):
    for s in (ours, peer):
        s.ofctl("del-flows", "br0")
    for command in COMMANDS:
        if command == ("del-flows", "br0", "table=0"):
            presence(checks, ours, peer)
        answers = [said(s.ofctl(*command)) for s in (peer, ours)]
        checks.equal("ovs-ofctl " + " ".join(command), *answers)
    for command in WIDE:
        answers = [sorted(said(s.ofctl(*command)).splitlines()) for s in (peer, ours)]
        checks.equal("ovs-ofctl " + " ".join(command)[:120], *answers)
    wide(checks, ours, peer)
    for s in (ours, peer):
        s.ofctl("del-flows", "br0")
        s.ofctl("del-tlv-map", "br0")
