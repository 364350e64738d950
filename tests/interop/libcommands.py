"""libcommands.py - control commands and commands of weft-ofctl beside Debian's: packets written as a datapath's flows, fragments, bundles
from files, names of tables, echoes; then, on ours alone, flow-restore-wait and a time that a test moves."""
import os
import re
import struct

import libopenflow as lib

OFCTL = os.path.join(lib.BIN, "weft-ofctl")
ODP = "in_port(%d),eth(src=50:54:00:00:00:0%d,dst=50:54:00:00:00:99),eth_type(0x0800),ipv4(src=10.0.0.1,dst=10.0.0.2,proto=6,tos=4,ttl=64,frag=no),tcp(src=8,dst=80)"


def fragment(offset, more):
    """A UDP datagram's fragment to port 53 in hexadecimal."""
    ip = struct.pack(">BBHHHBBHII", 0x45, 0, 36, 7, offset // 8 | (0x2000 if more else 0), 64, 17, 0, 0x0a000001, 0x0a000002)
    total = sum(struct.unpack(">10H", ip))
    ip = ip[:10] + struct.pack(">H", 0xffff - (total % 0xffff or 0xffff)) + ip[12:]
    return (bytes.fromhex("505400000099" "505400000001" "0800") + ip + struct.pack(">HHHH", 9, 53, 24, 0) + bytes(8)).hex()


def counts(switch, table):
    """Packets of each flow of a table, by priority."""
    switch.appctl("revalidator/purge")
    out = switch.ofctl("dump-flows", "br0", "table=%d" % table).stdout
    return sorted((int(re.search(r"priority=(\d+)", x)[1]), int(re.search(r"n_packets=(\d+)", x)[1])) for x in out.splitlines() if "n_packets" in x)


def packets(checks, ours, peer):
    seen = []
    for s in (ours, peer):
        s.ofctl("del-flows", "br0")
        s.ofctl("add-flows", "br0", "-", input="priority=9,tcp,in_port=1,nw_src=10.0.0.1,nw_tos=4,tp_dst=80,actions=drop\npriority=8,ip,actions=drop\n")
        error = s.appctl("netdev-dummy/receive", "p1", ODP % (1, 1), ODP % (1, 2), "--len", "200").stderr
        lib.wait(lambda: sum(n for _, n in counts(s, 0)) == 2)
        seen.append((error, counts(s, 0)))
    checks.equal("packets as flows of a datapath", seen[1], seen[0])
    trace = ours.appctl("ofproto/trace", "br0", "tcp,in_port=1,dl_src=50:54:00:00:00:01,dl_dst=50:54:00:00:00:99,nw_src=10.0.0.1,nw_dst=10.0.0.2,nw_tos=4,nw_ttl=64,tp_src=8,tp_dst=80").stdout
    number = int(re.search(r"p1 1/(\d+)", ours.appctl("dpif/show").stdout)[1])
    checks.true("a trace finds the rule", "priority 9" in trace)
    for words in ((ODP % (number, 1),), ("netdev@ovs-netdev", ODP % (number, 1))):
        checks.equal("a trace of a datapath's flow", trace, ours.appctl("ofproto/trace", *words).stdout)
    for words in (("br0", "in_port=1", "5054000000015054"), ("br0",), ("nosuch", "in_port=1")):
        checks.equal("ofproto/trace " + " ".join(words), peer.appctl("ofproto/trace", *words).stderr.replace(peer.dir, ""),
                     ours.appctl("ofproto/trace", *words).stderr.replace(ours.dir, ""))


def fragments(checks, ours, peer):
    for mode in ("normal", "nx-match", "drop", "reassemble", "normal"):
        seen = []
        for s in (ours, peer):
            s.ofctl("del-flows", "br0")
            s.ofctl("add-flows", "br0", "-", input="table=0,priority=9,udp,tp_dst=53,actions=drop\ntable=0,priority=8,udp,nw_frag=first,actions=drop\n"
                    "table=0,priority=7,ip,nw_frag=later,actions=drop\n")
            status = s.ofctl("set-frags", "br0", mode).returncode
            ours_too = s.run(OFCTL, "set-frags", "br0", mode).returncode
            s.appctl("netdev-dummy/receive", "p1", fragment(0, True), fragment(16, False))
            if mode not in ("drop", "reassemble"):
                lib.wait(lambda: sum(n for _, n in counts(s, 0)) == 2)
            seen.append((status, ours_too, counts(s, 0)))
        checks.equal("fragments in mode %s" % mode, seen[1], seen[0])


GROUPS = ("group_id=1,type=all,bucket=output:2,bucket=output:3", "group_id=2,type=ff,bucket=watch_port:1,output:2,bucket=watch_port:2,output:3",
          "group_id=3,type=indirect,bucket=output:2")


def groups(checks, ours, peer):
    """What groups and their buckets count, flags that flows keep, and matches that are the switch's own."""
    seen = []
    for s in (ours, peer):
        s.ofctl("del-flows", "br0")
        for i, group in enumerate(GROUPS):
            s.ofctl("-O", "OpenFlow13", "add-group", "br0", group)
            s.ofctl("-O", "OpenFlow13", "add-flow", "br0", "priority=9,tcp,nw_src=10.0.0.%d,actions=group:%d" % (i + 1, i + 1))
            for _ in range(i + 1):
                s.appctl("netdev-dummy/receive", "p1", (ODP % (1, 1)).replace("10.0.0.1", "10.0.0.%d" % (i + 1)))
        lib.wait(lambda: sum(n for _, n in counts(s, 0)) == 6)
        answers = [sorted(re.sub(r",duration=[0-9.]*s", "", line) for line in s.ofctl("-O", v, "dump-group-stats", "br0").stdout.split("\n"))
                   for v in ("OpenFlow10", "OpenFlow15")]
        for flow in ("recirc_id=3", "dp_hash=1/3", "table=7,reset_counts", "table=8,check_overlap,send_flow_rem", "table=9,no_packet_counts"):
            answers.append(s.ofctl("-O", "OpenFlow13", "add-flow", "br0", flow + ",actions=drop").stderr)
        s.ofctl("add-flow", "br0", "table=7,arp,actions=drop")
        answers += [s.ofctl("-O", "OpenFlow13", "--no-stats", "--sort", "dump-flows", "br0", "table=%d" % t).stdout for t in (7, 8, 9)]
        s.ofctl("-O", "OpenFlow13", "del-groups", "br0")
        seen.append(answers)
    checks.equal("groups and flags", seen[1], seen[0])


def datapath(checks, ours, peer):
    """The datapath's name, its ports and what it counts, as tools that watch a hypervisor read them."""
    shapes = []
    for s in (ours, peer):
        name = s.appctl("dpctl/dump-dps").stdout.strip()
        text = s.appctl("dpctl/show", "-s", name).stdout
        checks.equal("the datapath's name", name + ":", text.splitlines()[0])
        checks.equal("its ports", ["br0", "p1", "p2", "p3"], sorted(x for x in re.findall(r"  port \d+: (\S+) \(dummy", text) if x != "ovs-system"))
        text = re.sub(r" \([\d.]+ .iB\)", "", text)
        shapes.append(sorted({re.sub(r"\d+|\?", "N", x) for x in text.splitlines()[1:] if not x.startswith("  port")}))
    checks.equal("lines of dpctl/show -s", shapes[1], shapes[0])
    checks.true("an unknown datapath", "opening datapath nosuch failed" in ours.appctl("dpctl/show", "nosuch").stderr)
    ours.appctl("netdev-dummy/receive", "p1", ODP % (1, 1))
    lib.wait(lambda: "  flows: 1\n" in ours.appctl("dpctl/show").stdout)
    checks.equal("its flows go", "", ours.appctl("dpctl/del-flows").stderr)
    checks.true("all of them", "  flows: 0\n" in ours.appctl("dpctl/show").stdout)


def files(checks, ours):
    """Both tools on our switch."""
    def write(name, text):
        with open(os.path.join(ours.dir, name), "w") as f:
            f.write(text)
        return os.path.join(ours.dir, name)
    bundle = write("bundle", "flow add table=3,priority=1,actions=drop\ngroup group_id=1,type=all,bucket=actions=1 # one\n\nflow table=4,priority=2,actions=drop\n"
                   "flow delete table=3\ngroup modify group_id=1,type=all,bucket=actions=2\n")
    bad = write("bad", "flow table=5,actions=drop\ngroup add group_id=1,type=all\n")
    other = write("other", "flow table=5,actions=drop\nflood table=5\n")
    groups = write("groups", "group_id=7,type=all,bucket=actions=1\nmodify group_id=7,type=all,bucket=actions=2\nadd_or_mod group_id=8,type=all\n"
                   "insert_bucket group_id=7,command_bucket_id=last,bucket=bucket_id:9,actions=3\ndelete group_id=8\n")
    seen = []
    for tool in ("ovs-ofctl", OFCTL):
        for command in (("del-flows", "br0"), ("-O", "OpenFlow15", "del-groups", "br0")):
            ours.ofctl(*command)
        said = [ours.run(tool, "-O", "OpenFlow15", "bundle", "br0", x) for x in (bundle, bad, other)]
        said.append(ours.run(tool, "-O", "OpenFlow15", "add-groups", "br0", groups))
        left = [ours.ofctl("-O", "OpenFlow15", *x).stdout for x in (("--no-stats", "dump-flows", "br0"), ("dump-groups", "br0"))]
        seen.append(([x.returncode for x in said], re.sub(r".*ofctl: ", "", said[2].stderr), re.sub(r"xid=\w+", "", "".join(left))))
    checks.equal("bundle FILE, add-groups FILE", seen[0], seen[1])
    ours.ofctl("-O", "OpenFlow15", "mod-table", "br0", "3", "name:third")
    checks.equal("a table by name", "", ours.run(OFCTL, "-O", "OpenFlow15", "add-flow", "br0", "table=third,priority=3,actions=drop").stderr)
    dumps = [ours.run(t, "-O", "OpenFlow15", "--names", "--no-stats", "dump-flows", "br0", "table=third").stdout for t in ("ovs-ofctl", OFCTL)]
    checks.equal("its flows", " table=third, priority=3 actions=drop\n", dumps[1])
    checks.equal("as ovs-ofctl shows them", dumps[0], dumps[1])
    checks.equal("echoes", 10, ours.run(OFCTL, "ping", "br0", "30").stdout.count("30 bytes from br0"))
    checks.true("an unknown format is refused", "foo: unknown flow protocol" in ours.run(OFCTL, "-F", "foo", "dump-flows", "br0").stderr)


def restore(checks, s):
    """A switch that starts with flow-restore-wait takes no packet until it is over."""
    s.vsctl("set", "Open_vSwitch", ".", "other_config:flow-restore-wait=true")
    s.children[0].terminate()
    s.children[0].wait(30)
    for name in ("db.sock", "br0.mgmt"):
        if os.path.exists(os.path.join(s.dir, name)):
            os.unlink(os.path.join(s.dir, name))
    s.children.pop()
    s.start(lib.BIN + "/weft-switchd", "--enable-dummy=override", "--db=%s/conf.db" % s.dir, "--unixctl=" + s.ctl)
    lib.wait(lambda: os.path.exists(s.dir + "/br0.mgmt"))
    lib.wait(lambda: "p1 1/" in s.appctl("dpif/show").stdout)
    s.ofctl("add-flow", "br0", "priority=5,actions=drop")
    s.appctl("netdev-dummy/receive", "p1", ODP % (1, 1))
    lib.wait(lambda: s.appctl("coverage/read-counter", "drop_restore_wait").stdout.strip() == "1")
    checks.equal("nothing is forwarded while flows are restored", [(5, 0)], counts(s, 0))
    s.vsctl("remove", "Open_vSwitch", ".", "other_config", "flow-restore-wait")
    s.appctl("netdev-dummy/receive", "p1", ODP % (1, 1))
    lib.wait(lambda: counts(s, 0) == [(5, 1)])
    checks.equal("then the restored flows are in force", [(5, 1)], counts(s, 0))


def clock(checks, s):
    s.appctl("time/stop")
    s.ofctl("add-flow", "br0", "table=9,priority=6,hard_timeout=600,actions=drop")
    checks.equal("warp to before its end", "warped\n", s.appctl("time/warp", "590000").stdout)
    checks.equal("a flow whose time has not come", [(6, 0)], counts(s, 9))
    checks.equal("warp beyond it, in steps", "warped\n", s.appctl("time/warp", "20000", "1000").stdout)
    lib.wait(lambda: counts(s, 9) == [])
    checks.equal("it went", [], counts(s, 9))


def main(checks, ours, peer):
    packets(checks, ours, peer)
    fragments(checks, ours, peer)
    groups(checks, ours, peer)
    datapath(checks, ours, peer)
    files(checks, ours)
    restore(checks, ours)
    clock(checks, ours)
