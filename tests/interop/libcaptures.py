#!/usr/bin/env python3
"""libcaptures.py DIRECTORY - files for the commands of weft-ofctl that read some: captures (*.pcap), the recorded OpenFlow messages
one behind the other (recorded.bin), and a frame (frame.bin)."""
import glob
import os
import re
import struct
import sys

CLIENT, SWITCH = 0x0A000001, 0x0A000002
SYN, ACK, FIN = 2, 16, 1
HELLO = bytes.fromhex("0100000800000001")
HELLO15 = bytes.fromhex("0600000800000009")
FEATURES = bytes.fromhex("0105000800000002")
ECHO = bytes.fromhex("0102000c00000003") + b"abcd"
NEWER = "ffff0028000023200033"  # sample with its ids from fields: Open vSwitch 3.1 does not have it
ARP = bytes.fromhex("ffffffffffff5054000000110806000108000604000150540000001100000000000000000000000000")
TCP = bytes.fromhex("000000000000000000000000080045000028000000000006bae3000000000000000000000050000000000000000050000000cb7c0000")


def pcap(frames, order="<", magic=0xA1B2C3D4, link=1):
    out = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, link)
    for i, frame in enumerate(frames):
        out += struct.pack(order + "IIII", 1700000000 + i, i * 1000, len(frame), len(frame)) + frame
    return out


def segment(src, dst, sport, dport, seq, flags, data):
    ip = struct.pack(">BBHHHBBHII", 0x45, 0, 40 + len(data), 0, 0, 64, 6, 0, src, dst)
    return b"\2" * 6 + b"\4" * 6 + b"\x08\0" + ip + struct.pack(">HHIIBBHHH", sport, dport, seq, 0, 80, flags, 1000, 0, 0) + data


def conversation(port=6653):
    def up(seq, flags, data=b""):
        return segment(CLIENT, SWITCH, 1234, port, seq, flags, data)

    return [up(100, SYN), segment(SWITCH, CLIENT, port, 1234, 500, SYN | ACK, b""), up(101, ACK, HELLO),
            segment(SWITCH, CLIENT, port, 1234, 501, ACK, HELLO15), up(101, ACK, HELLO), up(109, ACK, FEATURES + ECHO[:5]),
            up(122, ACK, ECHO[5:]), up(129, FIN | ACK)]


def recorded():
    out = b""
    for name in sorted(glob.glob(os.path.join(os.environ["WEFT_SRC"], "tests/data/openflow/*.txt"))):
        for line in open(name):
            m = re.match(r"\d+ (?:c2s|s2c) ((?:[0-9a-f]{2}){8,})\b", line)
            data = bytes.fromhex(m[1]) if m and NEWER not in m[1] else b""
            if data and len(data) == struct.unpack(">H", data[2:4])[0]:
                out += data
    return out


def main():
    files = {"two.pcap": pcap([ARP, TCP]), "big.pcap": pcap([TCP, ARP], ">"), "nano.pcap": pcap([ARP], magic=0xA1B23C4D),
             "cut.pcap": pcap([ARP, TCP])[:-10], "none.pcap": pcap([]), "talk.pcap": pcap(conversation()),
             "other.pcap": pcap(conversation(9999)), "recorded.bin": recorded(), "frame.bin": ARP}
    for name, data in files.items():
        with open(os.path.join(sys.argv[1], name), "wb") as f:
            f.write(data)


main()
