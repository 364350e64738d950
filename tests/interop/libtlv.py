"""libtlv.py - the table of tunnel options beside ovs-vswitchd: each answer to the same series of changes, and flows that name options."""
import re

FOUR = "{class=0x102,type=%s,len=4}->tun_metadata%d"
# Commands of ovs-ofctl; all of them fit into the table that both switches have.
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


def said(result):
    text = result.stdout + result.stderr
    error = re.search(r"OFPT_ERROR.*: (\w+)", text)
    return error[1] if error else re.sub(r"xid=0x\w+| max option space=.*|reset_counts ", "", text)


def presence(checks, ours, peer):
    """What a packet with and without options meets in table 3."""
    for options in ("", ",tun_metadata0=0", ",tun_metadata0=5", ",tun_metadata3=3", ",tun_metadata3=3,tun_metadata5=0", ",tun_metadata0=0x12340001"):
        flow = "in_port=1,tun_src=1.1.1.1,tun_dst=2.2.2.2" + options
        told = [s.appctl("ofproto/trace-packet-out", "--names", "br0", flow, "resubmit(,3)").stdout for s in (peer, ours)]
        checks.equal("a packet%s" % options, *[re.findall(r"^ *3\. (.*)", x, re.M) for x in told])


def main(checks, ours, peer):
    for s in (ours, peer):
        s.ofctl("del-flows", "br0")
    for command in COMMANDS:
        if command == ("del-flows", "br0", "table=0"):
            presence(checks, ours, peer)
        answers = [said(s.ofctl(*command)) for s in (peer, ours)]
        checks.equal("ovs-ofctl " + " ".join(command), *answers)
    checks.true("options beyond what the switch has room for", "NXTTMFC_TABLE_FULL" in said(ours.ofctl("add-tlv-map", "br0", "{class=1,type=1,len=12}->tun_metadata0")))
