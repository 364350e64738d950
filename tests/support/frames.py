#!/usr/bin/env python3
"""Ethernet frames as hexadecimal text, for switches that take them from a control command.

frames.py icmp SRC-MAC DST-MAC SRC-IP DST-IP [SEQUENCE]
frames.py arp OP SENDER-MAC SENDER-IP TARGET-MAC TARGET-IP [DST-MAC]"""
import struct
import sys


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def ip(text):
    return bytes(map(int, text.split(".")))


def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack("!H", ~total & 0xFFFF)


def icmp(src_mac, dst_mac, src, dst, sequence="1"):
    echo = struct.pack("!BBHHH", 8, 0, 0, 1, int(sequence)) + b"x" * 32
    echo = echo[:2] + checksum(echo) + echo[4:]
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(echo), int(sequence), 0, 64, 1, 0, ip(src), ip(dst))
    header = header[:10] + checksum(header) + header[12:]
    return mac(dst_mac) + mac(src_mac) + b"\x08\x00" + header + echo


def arp(op, sender_mac, sender_ip, target_mac, target_ip, dst_mac="ff:ff:ff:ff:ff:ff"):
    head = struct.pack("!HHBBH", 1, 0x0800, 6, 4, int(op))
    return mac(dst_mac) + mac(sender_mac) + b"\x08\x06" + head + mac(sender_mac) + ip(sender_ip) + mac(target_mac) + ip(target_ip)


if __name__ == "__main__":
    kinds = {"icmp": icmp, "arp": arp}
    if len(sys.argv) < 2 or sys.argv[1] not in kinds:
        sys.exit(__doc__)
    print(kinds[sys.argv[1]](*sys.argv[2:]).hex())
