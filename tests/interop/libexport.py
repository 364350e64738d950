"""libexport.py - what collectors are told by IPFIX of packets that a flow samples, and the commands for the MAC table, on our switch and
Debian's: the same packets, the same answers."""
import re
import socket
import struct

TCP = "0800" + "4500002800010000400666cc" + "0a0000010a000002" + "0007005000000001000000025002000000000000"
PACKETS = [
    ("TCP", "020000000002020000000001" + TCP),
    ("tagged TCP", "020000000002020000000001" + "8100600a" + TCP),
    ("ARP", "0200000000020200000000010806" + "0001080006040001" + "0200000000010a000001" + "0000000000000a000002"),
    ("ICMPv6", "02000000000202000000000186dd" + "6000000000083a40" + "fe80" + "00" * 13 + "01" + "fe80" + "00" * 13 + "02" + "8000000000010002"),
    ("ICMP", "0200000000020200000000010800" + "4500001c00010000400166dd" + "0a0000010a000002" + "0800000000010002"),
]
# Elements that both tell: addresses, types, VLAN, network and transport headers, interfaces, packets. (Of bytes the peer counts padding.)
SHARED = (138, 61, 56, 80, 256, 240, 58, 244, 60, 192, 4, 195, 196, 5, 8, 12, 27, 28, 31, 7, 11, 176, 177, 178, 179, 2, 10, 14)


class Collector:
    def __init__(self):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.sock.settimeout(20)
        self.target = "127.0.0.1:%d" % self.sock.getsockname()[1]
        self.templates = {}

    def template(self, body):
        while len(body) >= 4:
            number, n = struct.unpack(">HH", body[:4])
            at, elements = 4, []
            for _ in range(n):
                element, size = struct.unpack(">HH", body[at:at + 4])
                at += 8 if element & 0x8000 else 4
                elements.append((None if element & 0x8000 else element, size))
            self.templates[number] = elements
            body = body[at:]

    def record(self):
        """(observation domain, {element: value}) of the next record."""
        while True:
            m = self.sock.recv(65536)
            assert struct.unpack(">HH", m[:4]) == (10, len(m))
            found, at = None, 16
            while at < len(m):
                number, n = struct.unpack(">HH", m[at:at + 4])
                if number == 2:
                    self.template(m[at + 4:at + n])
                elif number >= 256 and number in self.templates:
                    found = self.values(number, m[at + 4:at + n])
                at += n
            if found:
                return struct.unpack(">I", m[12:16])[0], found

    def values(self, number, body):
        values, at = {}, 0
        for element, size in self.templates[number]:
            if size == 0xffff:
                size, at = body[at], at + 1
            if element in SHARED:
                values[element] = int.from_bytes(body[at:at + size], "big")
            at += size
        return values


def samples(switch):
    collector, told = Collector(), []
    switch.vsctl("--id=@b", "get", "Bridge", "br0", "--", "--id=@i", "create", "IPFIX", 'targets="%s"' % collector.target, "--",
                 "create", "Flow_Sample_Collector_Set", "id=5", "bridge=@b", "ipfix=@i")
    switch.ofctl("del-flows", "br0")
    switch.ofctl("add-flow", "br0", "in_port=1,actions=sample(probability=65535,collector_set_id=5,obs_domain_id=2,obs_point_id=3),output:2")
    switch.ofctl("add-flow", "br0", "in_port=3,actions=set_field:9->reg1,sample(probability=65535,collector_set_id=5,obs_domain_id=7,obs_point_id=8,sampling_port=2,egress),output:2")
    for port in ("p1", "p3"):
        for name, packet in PACKETS:
            switch.appctl("netdev-dummy/receive", port, packet.ljust(120, "0"))
            told.append((port, name) + collector.record())
    stats = switch.ofctl("dump-ipfix-flow", "br0").stdout
    told.append(("", "statistics", 0, {1: re.findall(r"id +\d+:|sampled pkts=\d+|ipv[46] ok=\d+|errs=\d+|tx errs=\d+", stats)}))
    collector.sock.close()
    return told


FDB = [("add", "br0 p1 0 02:00:00:00:00:0a"), ("add", "br0 p1 5 02:00:00:00:00:0a"), ("add", "br0 p1 5 0200"), ("add", "nobr p1 5 02:00:00:00:00:0a"),
       ("add", "br0 p2 0 02:00:00:00:00:0a"), ("show", "br0"), ("stats-show", "br0"), ("del", "br0 5 02:00:00:00:00:0a"), ("del", "br0 5 02:00:00:00:00:0a"),
       ("del", "br0 0 02:00:00:00:00:01"), ("flush", "br0"), ("show", "br0"), ("stats-clear", "br0"), ("stats-show", "br0"), ("stats-clear", "")]


def datapath(trace):
    """The ports of the last line."""
    return sorted(trace.stdout.split("Datapath actions: ")[1].split("\n")[0].split(","))


def fdb(switch):
    switch.ofctl("del-flows", "br0")
    switch.ofctl("add-flow", "br0", "actions=normal")
    learn = lambda mac: switch.appctl("netdev-dummy/receive", "p3", ("020000000002" + mac + "0806").ljust(120, "0"))
    learn("020000000001")
    answers = []
    for i, (command, arguments) in enumerate(FDB):
        r = switch.appctl("fdb/" + command, *arguments.split())
        if i == 1:
            learn("02000000000a")    # what the operator said stays
        answers.append((command, r.returncode, sorted(re.sub(r"Age| \d+$", "", r.stdout, flags=re.M).split("\n")), r.stderr.split("\n")[0]))
    for command in ("mdb/show br0", "mdb/flush br0", "mdb/flush", "mdb/show nobr"):
        r = switch.appctl(*command.split())
        answers.append((command, r.stdout, r.stderr.split("\n")[0]))
    r = switch.appctl("ofproto/trace", "--names", "br0", "in_port=1,dl_src=02:00:00:00:00:0b,dl_dst=02:00:00:00:00:0a")
    answers.append(("static", datapath(r)))
    for flow in ("dl_dst=01:80:c2:00:00:02", "dl_dst=01:80:c2:00:00:10"):
        for value in ("false", "true"):
            switch.vsctl("set", "Bridge", "br0", "other_config:forward-bpdu=" + value)
            r = switch.appctl("ofproto/trace", "--names", "br0", "in_port=1," + flow)
            answers.append((flow, value, datapath(r)))
    switch.ofctl("add-flow", "br0", "priority=40000,ip,actions=output:2")
    for mode in ("drop", "normal"):
        switch.ofctl("set-frags", "br0", mode)
        for flow in ("nw_frag=no", "nw_frag=first", "nw_frag=later"):
            r = switch.appctl("ofproto/trace", "--names", "br0", "in_port=1,udp," + flow)
            answers.append((flow, mode, datapath(r)))
    return answers


def main(checks, ours, peer):
    for wanted, got in zip(samples(peer), samples(ours)):
        shared = set(wanted[3]) & set(got[3])
        checks.equal("IPFIX, %s on %s" % (wanted[1], wanted[0]), (wanted[2], {k: wanted[3][k] for k in shared}), (got[2], {k: got[3][k] for k in shared}))
        checks.equal("nothing is missing", [], [k for k in wanted[3] if k not in got[3]])
    for wanted, got in zip(fdb(peer), fdb(ours)):
        checks.equal("fdb/%s" % (wanted[0],), wanted, got)
