#!/usr/bin/env python3
"""Marks of congestion in and behind a tunnel, all pairs (RFC 6040): usage in switch_geneve.sh.

libecn.py FROM TO KEY    machine wswa is behind hypervisor wswh1 with address TO; hypervisor wswh2 has address FROM, and its end of the link is u2"""
import os, socket, struct, sys, time

sys.path.insert(0, os.environ["WEFT_SRC"] + "/tests/support")
from frames import checksum, ip, mac
from liboffload import enter

SOURCE, SINK, PORT, GENEVE = mac("02:00:00:00:00:77"), mac("ff:ff:ff:ff:ff:ff"), 6543, 6081
INNER = ("IPv4", "IPv6", "IPv4 in a VLAN", "IPv6 in two VLANs")
NAMES = ("not ECT", "ECT(1)", "ECT(0)", "CE")


def frame(kind, ecn, number):
    """With TOS 0x10 and this mark; NUMBER says which it is."""
    udp = struct.pack("!HHHH", PORT, PORT, 8 + 2, 0) + struct.pack("!H", number)
    if kind.startswith("IPv4"):
        h = struct.pack("!BBHHHBBH4s4s", 0x45, 0x10 | ecn, 20 + len(udp), 1, 0, 64, 17, 0, ip("10.9.0.77"), ip("10.9.0.255"))
        l3 = b"\x08\x00" + h[:10] + checksum(h) + h[12:] + udp
    else:
        l3 = b"\x86\xdd" + struct.pack("!IHBB", 6 << 28 | (0x10 | ecn) << 20 | 5, len(udp), 17, 64) + b"\xfd" + b"\0" * 14 + b"\x77" + b"\xff\x02" + b"\0" * 13 + b"\1" + udp
    tags = {"VLAN": b"\x81\x00\x00\x07", "VLANs": b"\x88\xa8\x00\x08\x81\x00\x00\x07"}.get(kind.split()[-1], b"")
    return SINK + SOURCE + tags + l3


def read(frame):
    """(TOS, number) of one of ours; None: it is something else."""
    at = 14
    while frame[at - 2:at] in (b"\x81\x00", b"\x88\xa8"):
        at += 4
    if frame[6:12] != SOURCE:
        return None
    v4 = frame[at] >> 4 == 4
    l4 = at + (20 if v4 else 40)
    if v4 and checksum(frame[at:at + 20]) != b"\0\0":
        raise SystemExit("bad IPv4 checksum: " + frame.hex())
    return struct.unpack("!H", frame[at:at + 2])[0] >> (0 if v4 else 4) & 255, struct.unpack("!H", frame[l4 + 8:l4 + 10])[0]


def listen(ns, device):
    enter(ns)
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    s.setsockopt(263, 23, 1)  # only what arrives
    s.bind((device, 3))
    s.settimeout(0.2)
    return s


def gather(sock, take, n):
    """The first N that arrive."""
    got, deadline = {}, time.monotonic() + 15
    while len(got) < n and time.monotonic() < deadline:
        try:
            one = take(sock.recv(4096))
        except TimeoutError:
            continue
        if one:
            got[one[1]] = one[0]
    return got


def behind(outer, inner):
    if outer == 3:
        return None if inner == 0 else 3
    return 1 if (outer, inner) == (1, 2) else inner


def main():
    source, sink, key = sys.argv[1], sys.argv[2], int(sys.argv[3])
    v6 = ":" in source
    cases = [(k, outer, inner) for k in range(len(INNER)) for outer in range(4) for inner in range(4)]
    wrong = []
    # What comes out of the tunnel: the outer mark inside, or nothing.
    ear = listen("wswa", "eth0")
    enter("wswh2")
    s = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((source, 0))
    header = b"\0\0\x65\x58" + struct.pack("!I", key << 8)
    for n, (k, outer, inner) in enumerate(cases + [(0, 0, 0)]):
        s.setsockopt(socket.IPPROTO_IPV6 if v6 else socket.IPPROTO_IP, 67 if v6 else socket.IP_TOS, outer)
        s.sendto(header + frame(INNER[k], inner, n), (sink, GENEVE))
    got = gather(ear, read, len(cases) + 1 - len(INNER))
    for n, (k, outer, inner) in enumerate(cases):
        want = behind(outer, inner)
        if got.get(n) != (None if want is None else 0x10 | want):
            wrong.append("out of the tunnel, %s, outer %s, inner %s: %s" % (INNER[k], NAMES[outer], NAMES[inner], got.get(n)))

    # What goes into it: the inner mark outside, and inside as it was.
    def opened(data):
        at = 54 if v6 else 34
        if data[at + 2:at + 4] != struct.pack("!H", GENEVE):
            return None
        one = read(data[at + 16:])
        tos = struct.unpack("!H", data[14:16])[0] >> (4 if v6 else 0) & 255
        return one and ((tos, one[0]), one[1])
    ear = listen("wswh2", "u2")
    enter("wswa")
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    s.bind(("eth0", 0))
    cases = [(k, inner) for k in range(len(INNER)) for inner in range(4)]
    for n, (k, inner) in enumerate(cases + [(0, 0)]):
        s.send(frame(INNER[k], inner, n))
    got = gather(ear, opened, len(cases) + 1)
    for n, (k, inner) in enumerate(cases):
        if got.get(n) != (inner, 0x10 | inner):
            wrong.append("into the tunnel, %s, inner %s: %s" % (INNER[k], NAMES[inner], got.get(n)))
    if wrong:
        raise SystemExit("\n".join(wrong))


main()
