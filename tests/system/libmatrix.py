#!/usr/bin/env python3
"""The whole matrix of offloads (switch_offload.sh has the network): each sender x way x VLAN x what the tracker does x IP version x TCP and UDP,
every packet looked at on every leg, both ways (liboffload.py), its addresses, too.

libmatrix.py flows SWITCH       prints the flows of h1 or h2. Each combination has a port number of its own, so that all are in force at once.
libmatrix.py STATE              sends; STATE: on, sender (a's device has no offloads), ends (the devices that h1 and h2 send to have none), xdp (the ports of a, b and c are
                                AF_XDP sockets)"""
import itertools, sys

import liboffload

A, TAP, B, C = 1, 5, 2, 1  # OpenFlow ports of the machines: C is h2's
SENDERS = {"veth": A, "tap": TAP}
WAYS = {"local": B, "trunk": 3, "geneve": 9, "vxlan": 8, "geneve over IPv6": 7, "vxlan over IPv6": 6, "geneve over a bridge": 4}
MODES = ("as it is", "tracked", "translated")
ADDRESS = {4: "10.9.0.%d", 6: "fd00:9::%d"}
FROM = {"veth": 1, "tap": 100}  # last parts of addresses
COMBINATIONS = [(20000 + i,) + c for i, c in enumerate(c for c in itertools.product(SENDERS, WAYS, ("", "in a VLAN"), MODES)
                                                      if not (c[1] == "local" and c[2]))]
PROTOCOLS = (("tcp", 4), ("udp", 4), ("tcp6", 6), ("udp6", 6))


def flows_of(switch, port, sender, way, vlan, mode):
    """Forward packets come to tp_dst=PORT. h1 translates the destination, h2 the source."""
    first = switch == "h1"
    near, far = (SENDERS[sender], WAYS[way]) if first else (WAYS[way], C)
    push = "push_vlan:0x8100,set_field:4103->vlan_vid," if vlan else ""
    match, pop = ("dl_vlan=7,", "pop_vlan,") if vlan else ("", "")
    mac = "set_field:0a:00:00:00:00:64->eth_dst," if first and sender == "tap" else ""
    to = "" if first or mode != "translated" else "set_field:0a:00:00:00:00:03->eth_dst,"
    go, back = to + (push if first else "") + str(far), mac + ("" if first else push) + str(near)
    there, here = (("", ""), (match, pop)) if first else ((match, pop), ("", ""))  # what arrives from near, from far
    for p, version in PROTOCOLS:
        if mode == "as it is":
            yield "in_port=%d,%s%s,tp_dst=%d,actions=%s%s" % (near, there[0], p, port, there[1], go)
            yield "in_port=%d,%s%s,tp_src=%d,actions=%s%s" % (far, here[0], p, port, here[1], back)
            continue
        nat = mode == "translated" and (",nat(dst=%s)" % (ADDRESS[version] % (2 if way == "local" else 3)) if first else
                                        ",nat(src=%s)" % (ADDRESS[version] % 98)) or ""
        track = "zone=%d%s" % (1 if first else 2, ",nat" if nat else "")
        yield "in_port=%d,%s%s,tp_dst=%d,actions=%sct(table=1,%s)" % (near, there[0], p, port, there[1], track)
        yield "in_port=%d,%s%s,tp_src=%d,actions=%sct(table=2,%s)" % (far, here[0], p, port, here[1], track)
        yield "table=1,%s,tp_dst=%d,ct_state=+new-inv,actions=ct(commit,zone=%d%s),%s" % (p, port, 1 if first else 2, nat, go)
        yield "table=1,%s,tp_dst=%d,ct_state=+est-inv,actions=%s" % (p, port, go)
        yield "table=2,%s,tp_src=%d,ct_state=+est+rpl-inv,actions=%s" % (p, port, back)


def legs_of(state, port, sender, way, mode, version, kind):
    """What every device on the way sees, there and back; and the address that the sender is told."""
    end = 2 if way == "local" else 3
    me = FROM[sender]
    told, seen = (99, me if way == "local" else 98) if mode == "translated" else (end, me)
    tunnel = way not in ("local", "trunk")
    sent = "finished" if state == "sender" else "whole"
    under = "any" if state == "xdp" else "finished" if state == "ends" else sent if not tunnel or "geneve" in way and state == "on" else "any"
    last = "any" if state == "xdp" else "finished" if state == "ends" else sent if not tunnel else "cut" if kind != "tcp" else "whole" if under == "whole" else "any"
    legs = [("wswh1", "pa", 1500, sent, me, told) if sender == "veth" else ("wswh1", "ti>", 1500, sent, me, told)]
    back = [("wswa", "eth0", 1500, "any", told, me) if sender == "veth" else ("wswh1", "ti", 1500, "any", told, me)]
    if way == "local":
        legs += [("wswb", "eth0", 1500, last, seen, end)]
        back += [("wswh1", "pb", 1500, "any", end, seen)]
    else:
        device, mtu = ("w" if "bridge" in way else "u", 1600) if tunnel else ("t", 1500)
        legs += [("wswh2", device + "2", mtu, under, me, end), ("wswc", "eth0", 1500, last, seen, end)]
        back += [("wswh1", device + "1", mtu, "any", end, me), ("wswh2", "pc", 1500, "any", end, seen)]
    if state == "xdp":  # what an AF_XDP socket takes no other one sees
        legs, back = legs[1:], [leg for leg in back if leg[1] not in ("pb", "pc")]
    name = lambda n: ADDRESS[version] % n
    there = [liboffload.Leg(ns, device, mtu, form, port, (name(src), name(dst)), "geneve" in way)
             for ns, device, mtu, form, src, dst in legs + (back if kind == "tcp" else [])]
    return there, name(told)


def main():
    if sys.argv[1] == "flows":
        print("\n".join(f for c in COMBINATIONS for f in flows_of(sys.argv[2], *c) if sys.argv[2] == "h1" or c[2] != "local"))
        return
    state, n, bad = sys.argv[1], 0, 0
    for port, sender, way, vlan, mode in COMBINATIONS:
        if state != "on" and sender != "veth":
            continue
        for version, kind in itertools.product((4, 6), ("tcp", "udp-gso")):
            n += 1
            legs, address = legs_of(state, port, sender, way, mode, version, kind)
            try:
                liboffload.run(kind, "wswa" if sender == "veth" else "wswh1", "wswb" if way == "local" else "wswc", address, port, legs,
                               size=300000, datagrams=60)
            except (liboffload.Lie, OSError) as e:
                bad += 1
                print("%s from a %s, %s %s, %s, IPv%d: %s" % (kind, sender, way, vlan, mode, version, e))
    print("%d combinations" % n)
    sys.exit(bad > 0 or n < 100)


main()
