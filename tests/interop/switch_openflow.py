#!/usr/bin/env python3
"""OpenFlow in all versions, raw and by ovs-ofctl, to weft-switchd and to Debian's ovs-vswitchd side by side: the error for each
malformed or impossible request, and flow monitors."""
import re
import struct
import subprocess

import libactions
import libcommands
import libexport
import libopenflow as lib
import libpackets
import libsnoop
import libtables
import libtlv
import libtrace

NX, ONF = 0x2320, 0x4f4e4600
ANY = 0xffffffff
PASS = None  # no error
VERSIONS = (1, 4, 5, 6)
EMPTY = bytes.fromhex("0001000400000000")  # a match of everything


def oxm(*hexes):
    """A struct ofp_match of these fields."""
    fields = bytes.fromhex("".join(hexes))
    return struct.pack(">HH", 1, 4 + len(fields)) + fields + bytes(-(4 + len(fields)) % 8)


def apply(*actions):
    body = b"".join(actions)
    return struct.pack(">HHI", 4, 8 + len(body), 0) + body


def output(port):
    return struct.pack(">HHIH6x", 0, 16, port, 0)


def flow_mod(c, match=EMPTY, rest=b"", command=0, table=0, flags=0, actions10=b""):
    if c.version == 1:
        return c.message(14, struct.pack(">I36xQHHHHIHH", 0x3fffff, 0, command, 0, 0, 5, ANY, 0xffff, flags) + actions10)
    return c.message(14, struct.pack(">QQBBHHHIIIHH", 0, 0, table, command, 0, 0, 5, ANY, ANY, ANY, flags, 0) + match + rest)


def group_mod(c, command, kind, group, buckets=b""):
    if c.version == 6:
        return c.message(15, struct.pack(">HBBIH2xI", command, kind, 0, group, len(buckets), 0xffffffff) + buckets)
    return c.message(15, struct.pack(">HBBI", command, kind, 0, group) + buckets)


def bucket(c, *actions):
    body = b"".join(actions)
    if c.version == 6:
        return struct.pack(">HHI", 8 + len(body), len(body), len(bucket.ids)) + body
    return struct.pack(">HHII4x", 16 + len(body), 1, ANY, ANY) + body


bucket.ids = ()


def meter_mod(c, command, meter, bands=b"\0\1\0\x10\0\0\3\xe8\0\0\0\0\0\0\0\0", flags=1):
    return c.message(29, struct.pack(">HHI", command, flags, meter) + bands)


def port_mod(c, port, mac):
    if c.version == 1:
        return c.message(15, struct.pack(">H6sIII4x", port, mac, 0, 0, 0))
    if c.version == 4:
        return c.message(16, struct.pack(">I4x6s2xIII4x", port, mac, 0, 0, 0))
    return c.message(16, struct.pack(">I4x6s2xII", port, mac, 0, 0))


def bundle(c, kind, number, flags=1):
    body = struct.pack(">IHH", number, kind, flags)
    return c.experimenter(ONF, 2300, body) if c.version == 4 else c.message(33, body)


def bundle_add(c, number, inner, flags=1):
    body = struct.pack(">I2xH", number, flags) + inner
    return c.experimenter(ONF, 2301, body) if c.version == 4 else c.message(34, body)


def monitor(c, number, flags, table=255):
    if c.version == 1:
        head = struct.pack(">HHII4x", 0xffff, 0, NX, 2)
        return c.message(16, head + struct.pack(">IHHHB5x", number, flags, 0xffff, 0, table))
    if c.version == 4:
        head = struct.pack(">HHIII", 0xffff, 0, 0, ONF, 1870)
        return c.message(18, head + struct.pack(">IHHIB3x", number, flags, 4, ANY, table) + EMPTY)
    return c.multipart(16, struct.pack(">IIIHBB", number, ANY, ANY, flags, table, 0) + EMPTY)


def stats(c, kind, body):
    return c.multipart(kind, body)


def tlv(c, command, *maps):
    return c.experimenter(NX, 24, struct.pack(">H6x", command) + b"".join(struct.pack(">HBBHH", *m, 0) for m in maps))


IN_PORT, ETH_TYPE_IP, IP_PROTO_TCP = "8000000400000001", "80000a020800", "8000140106"
SHORT = b"\0\0\0\0"


def cases(c):
    """(name, request, error): the error that version C.version has for it."""
    v = c.version
    yield "unknown message type", c.message(99), (0, 1, 1)
    yield "unknown multipart type", c.multipart(77), (0, 1, 2)
    yield "unknown experimenter", c.experimenter(0xabcdef, 1), (0, 1, 3)
    yield "unknown Nicira message", c.experimenter(NX, 9999), (0, 1, 4)
    yield "experimenter header cut", c.message(4, SHORT), (0, 1, 6)
    yield "barrier reply", c.message(19 if v == 1 else 21), (0, 1, 1)
    yield "features request with a body", c.message(5, SHORT), (0, 1, 6)
    yield "configuration too short", c.message(9, b"\0\0"), (0, 1, 6)
    yield "configuration too long", c.message(9, bytes(8)), (0, 1, 6)
    yield "flow modification cut", flow_mod(c)[:2] + struct.pack(">H", 40) + flow_mod(c)[4:40], (0, 1, 6)
    yield "unknown flow command", flow_mod(c, command=9), (0, 3, 4) if v == 1 else (0, 5, 6)
    yield "unknown port is modified", port_mod(c, 77, bytes(6)), (0, 4, 0) if v == 1 else (0, 7, 0)
    yield "port with another address", port_mod(c, 1, b"\2\3\4\5\6\7"), (0, 4, 1) if v == 1 else (0, 7, 1)
    yield "unknown role", c.experimenter(NX, 10, struct.pack(">I", 9)) if v == 1 else c.message(24, struct.pack(">I4xQ", 9, 0)), (
        NX, 1, 513) if v == 1 else (0, 11, 2)
    yield "monitor", monitor(c, 1, 0x1f), PASS
    yield "monitor that exists", monitor(c, 1, 0x1f), {1: (NX, 1, 517), 4: (NX, 6, 0)}.get(v, (0, 16, 1))
    yield "monitor with unknown flags", monitor(c, 2, 0x8000), {1: (NX, 1, 518), 4: (NX, 7, 0)}.get(v, (0, 16, 5))
    yield "unknown tunnel option command", tlv(c, 9), (NX, 1, 527) if v == 1 else (NX, 16, 0)
    yield "tunnel option of odd length", tlv(c, 0, (1, 2, 3, 4)), (NX, 1, 528) if v == 1 else (NX, 17, 0)
    yield "resume of nothing", c.experimenter(NX, 28, bytes(8)), None if v == 0 else (0, 14, 1) if v > 4 else "any"
    yield "zone flush with a byte that must be zero", c.experimenter(NX, 29, b"\1" + bytes(7)), (NX, 1, 515) if v == 1 else (NX, 4, 0)
    if v == 1:
        yield "action of unknown type", flow_mod(c, actions10=struct.pack(">HH4x", 77, 8)), (0, 2, 0)
        yield "action of odd length", flow_mod(c, actions10=struct.pack(">HH4x", 0, 5)), (0, 2, 1)
        yield "output to a port beyond", flow_mod(c, actions10=struct.pack(">HHHH", 0, 8, 0xff10, 0)), (0, 2, 4)
        return
    yield "table that is the switch's own", flow_mod(c, table=254), (0, 1, 5)
    yield "add to all tables", flow_mod(c, table=255), (0, 5, 2)
    yield "modification of all tables", flow_mod(c, table=255, command=1), (0, 5, 2)
    yield "strict modification of all tables", flow_mod(c, table=255, command=2), (0, 5, 2)
    yield "bundle", bundle(c, 0, 2), PASS
    yield "modification of all tables in a bundle", bundle_add(c, 2, flow_mod(c, table=255, command=1)), (0, 5, 2)
    yield "bundle is discarded", bundle(c, 6, 2), PASS
    yield "match of unknown type", flow_mod(c, match=b"\0\7\0\4\0\0\0\0"), (0, 4, 0)
    yield "unknown field", flow_mod(c, match=oxm("80007e0400000001")), (0, 4, 6)
    yield "field without its prerequisite", flow_mod(c, match=oxm("80001a020050")), (0, 4, 9)
    yield "field twice", flow_mod(c, match=oxm(IN_PORT, IN_PORT)), (0, 4, 10)
    yield "value beyond its bits", flow_mod(c, match=oxm("80000c02ffff")), (0, 4, 7)
    yield "instruction of unknown type", flow_mod(c, rest=struct.pack(">HHI", 77, 8, 0)), (0, 3, 0)
    yield "instruction twice", flow_mod(c, rest=apply(output(1)) + apply(output(2))), {4: (ONF, 2600, 0)}.get(v, (0, 3, 9))
    yield "instruction of odd length", flow_mod(c, rest=struct.pack(">HHI", 1, 5, 0)), (0, 3, 7)
    yield "goto backwards", flow_mod(c, table=5, rest=struct.pack(">HHB3x", 1, 8, 5)), (0, 3, 2)
    yield "action of unknown type", flow_mod(c, rest=apply(struct.pack(">HH4x", 77, 8))), (0, 2, 0)
    yield "action of odd length", flow_mod(c, rest=apply(struct.pack(">HH4x", 17, 9))), (0, 2, 1)
    yield "output to a port beyond", flow_mod(c, rest=apply(output(0xfffffff1))), (0, 2, 4)
    yield "group that is not there", flow_mod(c, rest=apply(struct.pack(">HHI", 22, 8, 99))), (0, 2, 9)
    yield "meter that is not there", flow_mod(c, rest=struct.pack(">HHI", 6, 8, 99) if v < 6 else apply(struct.pack(">HHI", 29, 8, 99))), "same"
    yield "unknown field is set", flow_mod(c, rest=apply(struct.pack(">HH", 25, 16) + bytes.fromhex("80007e0400000001") + bytes(4))), (0, 2, 13)
    yield "tag of another kind", flow_mod(c, rest=apply(struct.pack(">HHH2x", 17, 8, 0x1234))), (0, 2, 5)
    yield "unknown group command", group_mod(c, 9, 0, 1), (0, 6, 11)
    yield "unknown group type", group_mod(c, 0, 9, 1), (0, 6, 10)
    yield "group", group_mod(c, 0, 0, 1), PASS
    yield "group that exists", group_mod(c, 0, 0, 1), (0, 6, 0)
    yield "change of a group that is not there", group_mod(c, 1, 0, 2), (0, 6, 8)
    yield "group without a number", group_mod(c, 0, 0, 0xfffffffd), (0, 6, 1)
    yield "indirect group without a bucket", group_mod(c, 0, 2, 3), (0, 6, 1)
    yield "group goes", group_mod(c, 2, 0, 1), PASS
    yield "meter", meter_mod(c, 0, 1), PASS
    yield "meter that exists", meter_mod(c, 0, 1), (0, 12, 1)
    yield "change of a meter that is not there", meter_mod(c, 1, 2), (0, 12, 3)
    yield "unknown meter command", meter_mod(c, 9, 2), (0, 12, 4)
    yield "meter with unknown flags", meter_mod(c, 0, 2, flags=0x40), (0, 12, 5)
    yield "meter goes", meter_mod(c, 2, 1), PASS
    yield "commit of an unknown bundle", bundle(c, 4, 77), (ONF, 2302, 0) if v == 4 else (0, 17, 2)
    yield "bundle", bundle(c, 0, 1), PASS
    yield "bundle with other flags", bundle_add(c, 1, flow_mod(c), flags=3), (ONF, 2307, 0) if v == 4 else (0, 17, 7)
    yield "message that a bundle cannot have", bundle_add(c, 1, c.message(2)), (ONF, 2310, 0) if v == 4 else (0, 17, 10)
    yield "message of another number", bundle_add(c, 1, flow_mod(c)[:4] + b"\0\0\0\x63" + flow_mod(c)[8:]), "same"
    yield "bundle is closed", bundle(c, 2, 1), PASS
    yield "message behind the close", bundle_add(c, 1, flow_mod(c)), (ONF, 2304, 0) if v == 4 else (0, 17, 4)
    yield "bundle is discarded", bundle(c, 6, 1), PASS
    yield "queues of an unknown port", c.multipart(5, struct.pack(">II", 77, ANY)), (0, 9, 0)
    yield "unknown queue", c.multipart(5, struct.pack(">II", 1, 77)), (0, 9, 1)
    if v < 5:
        yield "queue configuration of an unknown port", c.message(22, struct.pack(">I4x", 77)), (0, 9, 0)


def errors(checks, ours, peer):
    for v in VERSIONS:
        mine, theirs = ours.connect(v), peer.connect(v)
        for (name, request, wanted), (_, again, _) in zip(cases(mine), cases(theirs)):
            got, other = lib.error(mine.ask(request)), lib.error(theirs.ask(again))
            name = "OpenFlow 1.%d: %s" % (v - 1, name)
            if wanted == "any":
                checks.true(name, got)
            else:
                checks.equal(name, other if wanted == "same" else wanted, got)
            if wanted not in ("any", "same") and other != wanted:
                print("      (the peer: %r)" % (other,))
        mine.close()
        theirs.close()


def watch(switch, version):
    """What ovs-ofctl prints that watches all flows, while they change."""
    switch.ofctl("del-flows", "br0")
    switch.ofctl("add-flow", "br0", "cookie=1,table=3,tcp,actions=drop")
    path = switch.dir + "/watched"
    with open(path, "w") as out:
        p = subprocess.Popen(["ovs-ofctl", "-O", version, "monitor", "br0", "watch:!own"], env=switch.env, stdout=out, stderr=out)
        try:
            lib.wait(lambda: "table=3" in open(path).read())
            switch.ofctl("add-flow", "br0", "cookie=5,priority=7,in_port=1,idle_timeout=60,hard_timeout=70,actions=2")
            switch.ofctl("add-flow", "br0", "cookie=6,priority=7,in_port=1,actions=2")
            switch.ofctl("mod-flows", "br0", "in_port=1,actions=3,resubmit(,3)")
            switch.ofctl("--bundle", "add-flows", "br0", "-", input="add table=1,ip,actions=1\nadd table=2,udp,actions=3\ndelete table=1")
            switch.ofctl("-O", "OpenFlow14", "add-flow", "br0", "table=9,arp,idle_timeout=1,actions=resubmit(,10)")
            lib.wait(lambda: "reason=idle table=9" in open(path).read())
            switch.ofctl("del-flows", "br0")
            lib.wait(lambda: "DELETED reason=delete table=3" in open(path).read())
        finally:
            p.kill()
            p.wait()
    # How many messages the updates are in is the switch's business, and of a bundle the peer tells steps that nobody could see.
    lines = [x for x in open(path).read().splitlines() if x.startswith(" event=")]
    return [x for x in lines if "table=1 " not in x]


def monitors(checks, ours, peer):
    for version in ("OpenFlow10", "OpenFlow13", "OpenFlow14", "OpenFlow15"):
        checks.equal(version + " monitor watch:", watch(peer, version), watch(ours, version))


EVENTS = ("initial", "added", "removed", "modified", "abbrev", "paused", "resumed")


def updates(message):
    """(event, table, idle timeout) of each update in a reply of OpenFlow 1.4."""
    at = 16
    while at < len(message):
        n, event, table, idle = struct.unpack(">HHBxH", message[at:at + 8])
        yield EVENTS[event], table, idle
        at += n


def pauses(checks, ours):
    """A client that does not read is paused, and then hears all that it missed, once."""
    n = 30000
    ours.ofctl("del-flows", "br0")
    ours.ofctl("add-flows", "br0", "-", input="table=7,arp,actions=drop\ntable=8,arp,actions=drop\ntable=9,arp,actions=drop")
    c = ours.connect(5)
    known = {table: True for m in c.ask(monitor(c, 1, 0x5f)) for event, table, idle in updates(m)}
    checks.equal("what is there is told", [7, 8, 9], sorted(known))
    flows = "".join("table=1,ip,nw_dst=10.0.%d.%d,idle_timeout=600,actions=output:1\n" % (i >> 8, i & 255) for i in range(n))
    checks.equal("flows are added", "", ours.ofctl("add-flows", "br0", "-", input=flows).stderr)
    ours.ofctl("mod-flows", "br0", "table=7,actions=1")    # during the pause: of a known flow, a change and a removal
    ours.ofctl("--strict", "del-flows", "br0", "table=8,arp")
    ours.ofctl("del-flows", "br0", "table=1,ip,nw_dst=10.0.0.0/24")
    seen, paused, events, removed = 0, False, [], 0
    while "resumed" not in events:
        for event, table, idle in updates(c.receive()):
            events.append(event) if event in ("paused", "resumed") else None
            seen += event == "added" and table == 1
            removed += event == "removed" and table == 1
            if table in (7, 8) and event in ("modified", "removed"):
                events.append("%s %d" % (event, table))
    checks.equal("pause, removal, resumption", ["paused", "removed 8", "modified 7", "resumed"], events)
    checks.equal("every flow that is left was told once", n - 256, seen - removed)
    ours.ofctl("--strict", "del-flows", "br0", "table=9,arp")
    checks.equal("then it goes on", [("removed", 9, 0)], list(updates(c.receive())))
    c.close()


def failed_bundle(checks, ours):
    """Of a bundle that fails nothing stays: flows, groups, and how ports are configured."""
    for v in (5, 6):
        c = ours.connect(v)
        before = ours.ofctl("-O", "OpenFlow14", "dump-ports-desc", "br0").stdout
        c.ask(bundle(c, 0, 9))
        down = struct.pack(">I4x6s2xII", 1, bytes.fromhex(re.search(r" 1\(p1\): addr:(\S+)", before)[1].replace(":", "")), 1, 1)
        c.ask(bundle_add(c, 9, c.message(16, down)))
        c.ask(bundle_add(c, 9, group_mod(c, 0, 0, 77)))
        c.ask(bundle_add(c, 9, flow_mod(c, rest=apply(output(2)))))
        c.ask(bundle_add(c, 9, flow_mod(c, table=254)))
        checks.true("OpenFlow 1.%d: a bundle fails" % (v - 1), lib.error(c.ask(bundle(c, 4, 9))))
        checks.equal("its ports stay", before, ours.ofctl("-O", "OpenFlow14", "dump-ports-desc", "br0").stdout)
        checks.true("its group is not there", "group_id=77" not in ours.ofctl("-O", "OpenFlow13", "dump-groups", "br0").stdout)
        c.close()


def main(checks, ours, peer):
    failed_bundle(checks, ours)
    errors(checks, ours, peer)
    monitors(checks, ours, peer)
    pauses(checks, ours)
    libactions.main(checks, ours, peer)
    libtables.main(checks, ours, peer)
    libexport.main(checks, ours, peer)
    libpackets.main(checks, ours, peer)
    libsnoop.main(checks, ours)
    libtlv.main(checks, ours, peer)
    libtrace.main(checks, ours, peer)
    libcommands.main(checks, ours, peer)


lib.main(main)
