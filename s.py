import random, socket, struct
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(("eth0", 0))
me = bytes.fromhex("020000000001")
def ip4(proto, body, ihl=5, length=None, frag=0):
    n = 20 + len(body) if length is None else length
    return b"\x08\x00" + struct.pack("!BBHHHBBH4s4s", 0x40 | ihl, 0, n, 1, frag, 64, proto, 0, bytes([10, 0, 0, 1]), bytes([10, 0, 0, 254])) + body
ip6 = b"\x86\xdd" + struct.pack("!IHBB", 6 << 28, 40, 0, 64) + bytes(15) + b"\1" + bytes(15) + b"\2"
bodies = [
    b"\x08\x06" + struct.pack("!HHBBH", 1, 0x800, 6, 4, 1) + me + bytes([10, 0, 0, 1]) + bytes(6) + bytes([10, 0, 0, 254]),
    ip4(1, b"\x08\0\0\0\0\1\0\1" + bytes(24)), ip4(6, bytes(20)), ip4(17, bytes(8)), ip4(132, bytes(12)), ip4(2, bytes(8)),
    ip4(1, bytes(8), ihl=15), ip4(1, bytes(8), ihl=2), ip4(6, bytes(20), length=9000), ip4(17, bytes(8), length=0), ip4(6, b"", frag=0x2001),
    ip6 + b"\0\xff" + bytes(6), ip6 + b"\x2c\0" + bytes(6), ip6 + b"\x3a\0" + bytes(6) + b"\x87" + bytes(23) + b"\1\0",
    b"\x81\0\0\1" * 20, b"\x88\xa8\0\1\x81\0\0\2" + ip4(17, bytes(8)), b"\x88\x47" + b"\0\0\0\x40" * 15, b"\x89\x4f" + b"\x3f\0\0\0" * 9,
    b"\0\x10\xaa\xaa\3\0\0\0\x08\0", b"\x05\xdc" + bytes(40), b"\x65\x58" + bytes(30)]
n = 0
random.seed(1)
for to in ("0200000000aa", "02000000ff00", "ffffffffffff", "0200000000aa"):
    for body in bodies:
        frame = bytes.fromhex(to) + me + body
        # the kernel itself discards frames too short for the tag and the type they announce
        for end in range(20 if body[:2] in (b"\x81\0", b"\x88\xa8") else 14, len(frame) + 1, 1 if len(frame) < 64 else 3):
            s.send(frame[:end]); n += 1
for _ in range(1000):
    s.send(bytes.fromhex("0200000000aa") + me + random.randbytes(random.randrange(2, 120))); n += 1
print(n)
