"""libactions.py - what both switches say of actions that are malformed, or whose packets cannot have what they work on, in all versions;
and what a meter's end and a change of the fail mode do to flows."""
import struct

import libopenflow as lib

NX = 0x2320
EMPTY = bytes.fromhex("0001000400000000")
IP_SRC, IP_DST, REG0, CT_MARK = 0x0e04, 0x1004, 0x10004, 0x1d604


def match(hexes):
    fields = bytes.fromhex(hexes)
    return struct.pack(">HH", 1, 4 + len(fields)) + fields + bytes(-(4 + len(fields)) % 8)


IP, IP6, VLAN = match("80000a020800"), match("80000a0286dd"), match("80000c021005")


def nx(subtype, body):
    n = 10 + len(body)
    return struct.pack(">HHIH", 0xffff, n + -n % 8, NX, subtype) + body + bytes(-n % 8)


def output(version, port):
    return struct.pack(">HHHH", 0, 8, port, 0) if version == 1 else struct.pack(">HHIH6x", 0, 16, port, 0)


def load(field):
    return nx(7, struct.pack(">HIQ", 31, field, 5))


def move(src, dst):
    return nx(6, struct.pack(">HHHII", 32, 0, 0, src, dst))


def stack(subtype, field):
    return nx(subtype, struct.pack(">HIH6x", 0, field, 32))


def set_field(hexes):
    body = bytes.fromhex(hexes)
    return struct.pack(">HH", 25, 4 + len(body) + -(4 + len(body)) % 8) + body + bytes(-(4 + len(body)) % 8)


def ct(flags, nested=b""):
    return nx(35, struct.pack(">HIHB5x", flags, 0, 0, 255) + nested)


def nat(flags, present, address):
    return nx(36, struct.pack(">2xHH", flags, present) + address)


def learn(spec):
    return nx(16, struct.pack(">HHHQHBxHH", 0, 0, 5, 0, 0, 1, 0, 0) + spec)


def cases(v):
    """(name, match, actions)"""
    conjunction, note, v4 = nx(34, struct.pack(">BBI", 0, 2, 7)), nx(8, bytes(6)), bytes([1, 2, 3, 4])
    yield "conjunction", IP, conjunction
    yield "conjunction and a note", IP, conjunction + note
    yield "conjunction and output", IP, conjunction + output(v, 1)
    yield "mark is loaded outside of ct", IP, load(CT_MARK)
    yield "ct of no IP", EMPTY, ct(1)
    yield "ct sets a register", IP, ct(1, load(REG0))
    yield "ct sets a mark without commit", IP, ct(0, load(CT_MARK))
    yield "ct translates without commit", IP, ct(0, nat(1, 1, v4))
    yield "ct translates back without commit", IP, ct(0, nat(0, 0, b""))
    yield "IPv6 with an IPv4 translation", IP6, ct(1, nat(1, 1, v4))
    yield "load into what is not there", EMPTY, load(IP_SRC)
    yield "load into what is there", IP, load(IP_SRC)
    yield "move into what is not there", EMPTY, move(REG0, IP_DST)
    yield "move of what is not there", EMPTY, move(IP_SRC, REG0)
    yield "push of what is not there", EMPTY, stack(27, IP_SRC)
    yield "pop into what is not there", EMPTY, stack(28, IP_SRC)
    yield "learning from what is not there", EMPTY, learn(struct.pack(">HIHIH", 32, IP_SRC, 0, REG0, 0))
    yield "learning of what is not there", IP, learn(struct.pack(">HIHIH", 32, IP_SRC, 0, IP_SRC, 0))
    yield "output of too few bytes", IP, nx(39, struct.pack(">HI", 1, 5))
    yield "output of few bytes", IP, nx(39, struct.pack(">HI", 1, 14))
    yield "resubmit to a tracked state of no IP", EMPTY, nx(44, struct.pack(">HB3x", 1, 2))
    yield "action that is too short", IP, struct.pack(">HH", 0, 4)
    yield "action that goes beyond", IP, struct.pack(">HHI8x", 0, 32, 1)
    if v == 1:
        yield "output of another length", IP, struct.pack(">HHI8x", 0, 16, 1)
        yield "address of another length", IP, struct.pack(">HH4x", 4, 8)
        return
    yield "output of another length", IP, struct.pack(">HHI", 0, 8, 1)
    yield "long output", IP, struct.pack(">HHI16x", 0, 24, 1)
    yield "long pop_vlan", VLAN, struct.pack(">HH12x", 18, 16)
    yield "long group", IP, struct.pack(">HHI8x", 22, 16, 1)
    yield "mark is set outside of ct", IP, set_field("0001d60400000005")
    yield "pop of a tag that is not there", EMPTY, struct.pack(">HH4x", 18, 8)
    yield "pop of a tag", VLAN, struct.pack(">HH4x", 18, 8)
    yield "two pops of a tag", VLAN, struct.pack(">HH4x", 18, 8) * 2
    yield "pop of a pushed tag", EMPTY, struct.pack(">HHH2x", 17, 8, 0x8100) + struct.pack(">HH4x", 18, 8)
    yield "dec_ttl of no IP", EMPTY, struct.pack(">HH4x", 24, 8)
    yield "set_nw_ttl of no IP", EMPTY, struct.pack(">HHB3x", 23, 8, 4)
    yield "dec_mpls_ttl of no label", EMPTY, struct.pack(">HH4x", 16, 8)
    yield "set_mpls_ttl of no label", EMPTY, struct.pack(">HHB3x", 15, 8, 4)


def sets(v):
    """(name, what write_actions writes)"""
    yield "output in a set", output(v, 2)
    yield "note in a set", nx(8, bytes(6))
    yield "output and push in a set", output(v, 2) + stack(27, REG0)
    yield "ct in a set", ct(1)
    yield "learning in a set", learn(b"")
    yield "set_queue in a set", struct.pack(">HHI", 21, 8, 5)
    yield "pop_queue in a set", nx(5, b"")


def add(c, fields, actions, kind=4):
    if c.version == 1:
        return c.message(14, struct.pack(">I36xQHHHHIHH", 0x3fffff, 0, 0, 0, 0, 5, 0xffffffff, 0xffff, 0) + actions)
    head = struct.pack(">QQBBHHHIIIHH", 0, 0, 0, 0, 0, 0, 5, 0xffffffff, 0xffffffff, 0xffffffff, 0, 0)
    return c.message(14, head + fields + struct.pack(">HHI", kind, 8 + len(actions), 0) + actions)


def errors(checks, ours, peer):
    for v in (1, 4, 5, 6):
        mine, theirs = ours.connect(v), peer.connect(v)
        for name, fields, actions in cases(v):
            got, wanted = (lib.error(c.ask(add(c, fields, actions))) for c in (mine, theirs))
            checks.equal("OpenFlow 1.%d: %s" % (v - 1, name), wanted, got)
        for name, actions in sets(v) if v > 1 else ():
            got, wanted = (lib.error(c.ask(add(c, IP, actions, 3))) for c in (mine, theirs))
            checks.equal("OpenFlow 1.%d: %s" % (v - 1, name), wanted, got)
        mine.close()
        theirs.close()


def flows(switch):
    """Table, match and actions of all flows."""
    lines = switch.ofctl("-O", "OpenFlow13", "--no-stats", "dump-flows", "br0").stdout.splitlines()
    return sorted(x.strip() for x in lines)


def life(checks, ours, peer):
    for s in (ours, peer):
        for version in ("OpenFlow10", "OpenFlow13"):
            s.ofctl("-O", version, "del-flows", "br0")
        s.ofctl("-O", "OpenFlow13", "add-meter", "br0", "meter=3,kbps,band=type=drop,rate=9")
        s.ofctl("-O", "OpenFlow13", "add-flow", "br0", "table=3,ip,actions=meter:3,output:1")
        s.ofctl("-O", "OpenFlow13", "add-flow", "br0", "table=3,arp,actions=output:1")
    checks.equal("flows with a meter", flows(peer), flows(ours))
    for s in (ours, peer):
        s.ofctl("-O", "OpenFlow13", "del-meter", "br0", "meter=3")
    checks.equal("go with it", flows(peer), flows(ours))
    for mode in ("standalone", "secure", "standalone", "secure"):
        for s in (ours, peer):
            s.ofctl("add-flow", "br0", "table=0,priority=7,actions=drop")
            s.vsctl("set-fail-mode", "br0", mode)
        checks.equal("flows of a bridge that is now " + mode, flows(peer), flows(ours))


def main(checks, ours, peer):
    errors(checks, ours, peer)
    life(checks, ours, peer)
