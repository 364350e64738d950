#!/usr/bin/env python3
"""The big test of learned neighbours: 27 virtual machines in 9 subnets on 3 switches, one router, 3 hypervisors, real packets.

Logical: switches ls1..ls3 and router lr0. Port lpIJK is on switch I, in subnet J of it, number K; its MAC is f0:00:00:00:0I:JK, its
address 192.168.IJ.K. Router port lrpIJ has MAC 00:00:00:00:ff:IJ and 192.168.IJ.254/24. lpI11 also takes unknown addresses.
Physical: lp?11 on hv1; lp?12, lp?21, lp?22 on hv2; the others on hv3.

Each step sends a set of frames and compares all that arrives at all 27 machines, byte for byte, with what should. Rows MB-55, MB-56,
MB-60 to MB-67 and SD-1, SD-4, MB-71 of docs/seeds.md."""
import json
import os
import sys
import time
from collections import Counter

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from libseed import Cables, Lab, arp, checksum, ip4, udp  # noqa: E402

BROADCAST, ZERO = "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00"
R = (1, 2, 3)
VIFS = [(i, j, k) for i in R for j in R for k in R]
SUBNETS = [(i, j) for i in R for j in R]


def port(v):
    return "lp%d%d%d" % v


def vif_mac(v):
    return "f0:00:00:00:0%d:%d%d" % v


def address(v):
    return "192.168.%d%d.%d" % v


def router_port(s):
    return "lrp%d%d" % s


def router_mac(s):
    return "00:00:00:00:ff:%d%d" % s


def in_subnet(s, host):
    return "192.168.%d%d.%d" % (s[0], s[1], host)


def gateway(s):
    return in_subnet(s, 254)


def hypervisor(v):
    return "hv1" if v[1:] == (1, 1) else "hv2" if v[1:] in ((1, 2), (2, 1), (2, 2)) else "hv3"


def on_switch(i):
    return [v for v in VIFS if v[0] == i]


class Marks:
    """Numbers that make every frame unlike all others."""

    def __init__(self):
        self.n = 0

    def __call__(self):
        self.n += 1
        return self.n


mark = Marks()


def configure(lab):
    words = ["lr-add", "lr0"]
    add = lambda *args: words.extend(("--",) + args)  # noqa: E731
    for i in R:
        add("ls-add", "ls%d" % i)
    for s in SUBNETS:
        switch, lrp = "ls%d" % s[0], router_port(s)
        att = lrp + "-attachment"
        addresses = router_mac(s) + (" " + gateway(s) if s == (3, 3) else "")
        add("lrp-add", "lr0", lrp, router_mac(s), gateway(s) + "/24")
        add("lsp-add", switch, att)
        add("lsp-set-type", att, "router")
        add("lsp-set-options", att, "router-port=" + lrp)
        add("lsp-set-addresses", att, addresses)
    for v in VIFS:
        add("lsp-add", "ls%d" % v[0], port(v))
        unknown = ["unknown"] if v[1:] == (1, 1) else []
        add("lsp-set-addresses", port(v), "%s %s" % (vif_mac(v), address(v)), *unknown)
    lab.nbctl(*words)


def sent_and_routed(v, to, ip, mac):
    """A packet of V's to IP in subnet TO through the router, and what comes out of it."""
    n = mark()
    own = v[:2]
    return udp(vif_mac(v), router_mac(own), address(v), ip, 64, n), udp(router_mac(to), mac, address(v), ip, 63, n)


def reachable(lab, cables):
    """Until a packet passes between each two hypervisors: the tunnels' own addresses have been resolved, all flows are there."""
    lab.sync()
    one_of = {hypervisor(v): v for v in VIFS}
    for a in one_of.values():
        for b in one_of.values():
            end = time.monotonic() + 30
            while a != b:
                sent, routed = sent_and_routed(a, b[:2], address(b), vif_mac(b))
                if not cables.exchange([(port(a), sent)], [(port(b), routed)], seconds=0.5, quiet=0)[0]:
                    break
                if time.monotonic() > end:
                    raise RuntimeError("nothing passes from %s to %s" % (port(a), port(b)))
    cables.exchange([], [], quiet=0.5)  # late ones of those that were tried again


def unicast(cables):
    sends, expected = [], []
    for a in VIFS:
        for b in VIFS:
            n = mark()
            if a[0] == b[0]:
                frame = out = udp(vif_mac(a), vif_mac(b), address(a), address(b), 64, n)
            else:
                frame, out = sent_and_routed(a, b[:2], address(b), vif_mac(b))
            sends.append((port(a), frame))
            if a != b:
                expected.append((port(b), out))
    cables.step("MB-62 every machine to every machine", sends, expected)


def broadcast(cables):
    sends, expected = [], []
    for a in VIFS:
        frame = udp(vif_mac(a), BROADCAST, address(a), "255.255.255.255", 64, mark())
        sends.append((port(a), frame))
        expected += [(port(b), frame) for b in on_switch(a[0]) if a != b]
    cables.step("MB-63 broadcast stays in its switch", sends, expected)


def router_itself(cables):
    """MB-42: UDP to the router's own address comes back as "port unreachable", with the packet quoted; of a broadcast nothing comes back."""
    sends, expected = [], []
    for v in VIFS:
        sent = udp(vif_mac(v), router_mac(v[:2]), address(v), gateway(v[:2]), 64, mark())
        sends.append((port(v), sent))
        error = b"\x03\x03\0\0\0\0\0\0" + sent[14:]
        error = error[:2] + checksum(error) + error[4:]
        expected.append((port(v), ip4(router_mac(v[:2]), vif_mac(v), gateway(v[:2]), address(v), 254, 1, error)))
        by_broadcast = udp(vif_mac(v), BROADCAST, address(v), gateway(v[:2]), 64, mark())
        sends.append((port(v), by_broadcast))
        expected += [(port(b), by_broadcast) for b in on_switch(v[0]) if b != v]
    cables.step("MB-42 UDP for the router itself is refused", sends, expected)


def unknown_hosts():
    """From each machine to each foreign subnet, an address that no database knows: [(machine, subnet, host octet)]."""
    return [(v, s, v[0] * 9 + v[1] * 3 + v[2] + 10) for v in VIFS for s in SUBNETS if s != v[:2]]


def learned_mac(host):
    return "80:00:00:00:00:%02d" % host


def ask(cables):
    """Returns what waits for answers: [(port, frame as it will be routed)]."""
    sends, expected, waiting = [], [], []
    for v, s, host in unknown_hosts():
        ip = in_subnet(s, host)
        sent, routed = sent_and_routed(v, s, ip, learned_mac(host))
        sends.append((port(v), sent))
        waiting.append((port((s[0], 1, 1)), routed))
        question = arp("1", router_mac(s), gateway(s), ZERO, ip)
        expected += [(port(b), question) for b in on_switch(s[0])]
    assert len(sends) == 216
    cables.step("MB-64, SD-1 one question for each unknown host, at all machines of its switch", sends, expected)
    return waiting


def arp_for(v, sender, target):
    return arp("1", vif_mac(v), sender, ZERO, target)


def router_arp(cables, what, sender, answered, target=lambda s: gateway(s)):
    """From each machine an ARP request: SENDER(machine), for TARGET(subnet). Unanswered ones are seen by the whole switch, answered
    ones too unless the switch answers itself, which it does where the attachment has the address."""
    sends, expected = [], []
    for v in VIFS:
        s = v[:2]
        request = arp_for(v, sender(v), target(s))
        sends.append((port(v), request))
        by_switch = s == (3, 3) and target(s) == gateway(s)
        if answered(v) or by_switch:
            expected.append((port(v), arp("2", router_mac(s), target(s), vif_mac(v), sender(v), vif_mac(v))))
        if not by_switch:
            expected += [(port(b), request) for b in on_switch(s[0]) if b != v]
    cables.step(what, sends, expected)


def bindings(lab):
    rows = json.loads(lab.sbctl("--format=json", "--columns=logical_port,ip,mac", "list", "MAC_Binding"))["data"]
    return sorted(tuple(r) for r in rows)


def replies(lab, cables, waiting, asked):
    sends = []
    for v, s, host in unknown_hosts():
        frame = arp("2", learned_mac(host), in_subnet(s, host), router_mac(s), gateway(s), router_mac(s))
        sends.append((port((s[0], s[1], 1)), frame))
    wanted = sorted((router_port(s), in_subnet(s, host), learned_mac(host)) for v, s, host in unknown_hosts())
    # What waits is kept for ten seconds: on a machine too slow for that, packets may be missing, but none comes twice.
    in_time = time.monotonic() - asked < 6
    cables.step("MB-76 what waited for an answer goes out", sends, waiting if in_time else [], optional=[] if in_time else waiting, quiet=1)
    end = time.monotonic() + 30
    while bindings(lab) != wanted and time.monotonic() < end:
        pass
    rows = bindings(lab)
    lab.check("MB-66 exactly the %d rows of MAC_Binding" % len(wanted), len(wanted) == 216 and rows == wanted,
              "%d rows, missing %s, surplus %s" % (len(rows), sorted(set(wanted) - set(rows))[:4], sorted(set(rows) - set(wanted))[:4]))
    at = {r[0]: r for r in rows}
    lab.check("MB-22 a row is found by its port", at["lrp11"][1] in lab.sbctl("--bare", "--columns=ip", "find", "MAC_Binding", "logical_port=lrp11"))


def known_hosts(lab, cables):
    lab.sync()  # so that every hypervisor has the rows
    sends, expected = [], []
    for v, s, host in unknown_hosts():
        sent, routed = sent_and_routed(v, s, in_subnet(s, host), learned_mac(host))
        sends.append((port(v), sent))
        expected.append((port((s[0], 1, 1)), routed))
    cables.step("MB-67 the same hosts again: routed, and no question", sends, expected, quiet=1)


def bad_rows(lab):
    """MB-16: each row is a flow of priority 100 on every hypervisor; one that cannot be read is warned of, one of no port is not."""
    for hv in ("hv1", "hv2", "hv3"):
        flows = lab.lab("exec", hv, "weft-ofctl", "dump-flows", "br-int", "table=66").split("\n")
        n = sum("priority=100," in f for f in flows)
        lab.check("MB-16 a flow for each row on " + hv, n == len(bindings(lab)), "%d flows" % n)
    datapath = lab.sbctl("--bare", "--columns=datapath", "find", "MAC_Binding", "ip=" + in_subnet((1, 1), 32)).split()[0]
    for name, ip in (("nowhere", "192.168.11.9"), ("lrp11", "192.168.11")):
        lab.sbctl("create", "MAC_Binding", "logical_port=" + name, "ip=" + ip, 'mac="80:00:00:00:00:09"', "datapath=" + datapath)
    for hv in ("hv1", "hv2", "hv3"):
        log = os.path.join(lab.state, hv, "log", "weft-controller.log")
        end = time.monotonic() + 20
        while '"192.168.11"' not in open(log).read() and time.monotonic() < end:
            pass
        text = open(log).read()
        lab.check("MB-16 %s warns of the bad one alone" % hv, 'lrp11: bad address or MAC ("192.168.11"' in text and "nowhere" not in text)
    lab.sbctl("--", "--all", "destroy", "MAC_Binding")


def unasked(lab, cables):
    """MB-71: a gratuitous reply from one that nobody asked for makes no row, unless the router says so (MB-41)."""
    v = (1, 1, 2)
    sends = [(port(v), arp("2", vif_mac(v), in_subnet((1, 1), 200), BROADCAST, in_subnet((1, 1), 200)))]
    expected = [(port(b), sends[0][1]) for b in on_switch(1) if b != v]
    cables.step("an unasked reply", sends, expected)
    lab.check("MB-71 which teaches nothing", len(bindings(lab)) == 216)
    lab.nbctl("--wait=hv", "--timeout=60", "set", "Logical_Router", "lr0", "options:learn-from-any-reply=true")
    cables.step("an unasked reply again", sends, expected)
    end = time.monotonic() + 30
    wanted = ("lrp11", in_subnet((1, 1), 200), vif_mac(v))
    while wanted not in bindings(lab) and time.monotonic() < end:
        pass
    lab.check("MB-41 with learn-from-any-reply it does", wanted in bindings(lab))


def main():
    with Lab("wseed", 3) as lab:
        configure(lab)
        cables = Cables(lab, {port(v): hypervisor(v) for v in VIFS})
        lab.say("27 machines are plugged in")
        reachable(lab, cables)
        lab.say("packets pass between the hypervisors")
        unicast(cables)
        broadcast(cables)
        router_itself(cables)
        asked = time.monotonic()
        waiting = ask(cables)
        foreign = lambda v: in_subnet((v[0] % 3 + 1, v[1]), 55)  # noqa: E731
        router_arp(cables, "MB-65 (4) the router answers a machine", address, lambda v: True)
        router_arp(cables, "MB-65 (5) and for another sender of the subnet", lambda v: in_subnet(v[:2], 55), lambda v: True)
        router_arp(cables, "MB-65 (6), SD-4 not for a sender of another subnet", foreign, lambda v: False)
        router_arp(cables, "MB-65 (7) not for an address that is not its own", address, lambda v: False, lambda s: in_subnet(s, 253))
        replies(lab, cables, waiting, asked)
        known_hosts(lab, cables)
        words = []
        for s in SUBNETS:
            words += ["--", "lrp-set-options", router_port(s), "arp-reply-any-sender=true"]
        lab.nbctl("--wait=hv", "--timeout=60", *words[1:])
        router_arp(cables, "SD-4 with arp-reply-any-sender for any sender", foreign, lambda v: True)
        unasked(lab, cables)
        bad_rows(lab)
    if lab.failures:
        sys.exit("FAILED: %d" % lab.failures)
    print("passed")


main()
