#!/usr/bin/env python3
"""Sends data from one machine to another and looks at every packet on the way: usage in switch_offload.sh.

liboffload.py KIND FROM-NS TO-NS ADDRESS LEG...     KIND: tcp, udp, or udp-gso (one send of many datagrams)
LEG is NS,DEVICE,MTU,FORM: what arrives at DEVICE. With its virtio-net header every packet must say the truth: lengths, IP and L4
checksums (finished, or the pseudo-header's sum where the header says that the rest is to do), segments that fit the MTU. Tunnel packets
are opened and their inner packets, which must be finished, are looked at as well. FORM: whole (at least one packet is a
segment of many), cut (none is), finished (none, and no checksum is left to do), any."""
import ctypes, functools, hashlib, random, socket, struct, sys, threading

LIBC = ctypes.CDLL(None, use_errno=True)
PORT, SIZE, DATAGRAM = 5001, 1500000, 1000
SOL_PACKET, PACKET_VNET_HDR, PACKET_IGNORE_OUTGOING, SO_RCVBUFFORCE, UDP_SEGMENT = 263, 15, 23, 33, 103
NEEDS_CSUM, GSO = 1, {1: "TCPv4", 4: "TCPv6", 5: "UDP"}
GENEVE, VXLAN = 6081, 4789


def enter(ns):
    """This thread's new sockets are of namespace NS from here on."""
    with open("/run/netns/" + ns) as f:
        if LIBC.setns(f.fileno(), 0x40000000):
            raise OSError(ctypes.get_errno(), "setns")


def sum16(data):
    """The Internet checksum's sum: 0 stands for a right one."""
    return int.from_bytes(data + b"\0" * (len(data) & 1), "big") % 65535


class Lie(Exception):
    pass


def true(what, good):
    if not good:
        raise Lie(what)


@functools.cache
def leg_socket(ns, device, leaves):
    """Kept for the next one: the kernel takes 20 ms to close it."""
    enter(ns)
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    s.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    s.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, not leaves)
    s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 256 << 20)
    s.bind((device, 3))
    s.setblocking(False)
    return s


class Leg:
    def __init__(self, ns, device, mtu, form, port=PORT, addresses=None, summed=None):
        """ADDRESSES: (source, destination) of all that has our port, inside of tunnels, too. SUMMED: whether tunnels have checksums. A device with ">": what leaves by it."""
        self.ns, self.mtu, self.form, self.port = ns, int(mtu), form, port
        self.device, self.leaves = device.rstrip(">"), device.endswith(">")
        self.addresses = addresses and b"".join(socket.inet_pton(socket.AF_INET6 if ":" in a else socket.AF_INET, a) for a in addresses)
        self.summed = summed
        self.packets = self.segments = self.unfinished = self.inner = 0
        self.sock = leg_socket(self.ns, self.device, self.leaves)

    def check(self):
        while True:
            try:
                data, address = self.sock.recvfrom(1 << 17)
            except BlockingIOError:
                break
            if (address[2] == socket.PACKET_OUTGOING) != self.leaves:
                continue
            vnet, frame = struct.unpack("=BBHHHH", data[:10]), data[10:]
            try:
                self.frame(frame, vnet)
            except Lie as lie:
                raise Lie("%s: %s: header %s, frame of %d bytes %s" % (self.device, lie, vnet, len(frame), frame[:120].hex()))
        seen = "%d packets, %d of many segments, %d unfinished, %d in tunnels" % (self.packets, self.segments, self.unfinished, self.inner)
        ok = {"whole": self.segments > 0, "cut": not self.segments, "finished": not self.segments and not self.unfinished, "any": True}[self.form]
        if not ok or self.packets < 3:
            raise Lie("%s: wanted %s, got %s" % (self.device, self.form, seen))
        return "%s: %s" % (self.device, seen)

    def frame(self, frame, vnet, inner=False):
        kind, at = struct.unpack("!H", frame[12:14])[0], 14
        while kind in (0x8100, 0x88A8):
            kind, at = struct.unpack("!H", frame[at + 2:at + 4])[0], at + 4
        if kind == 0x0800:
            head = (frame[at] & 15) * 4
            true("IPv4 header checksum", sum16(frame[at:at + head]) == 0)
            length, proto, addresses = struct.unpack("!H", frame[at + 2:at + 4])[0], frame[at + 9], frame[at + 12:at + 20]
        elif kind == 0x86DD:
            head, length, proto, addresses = 40, 40 + struct.unpack("!H", frame[at + 4:at + 6])[0], frame[at + 6], frame[at + 8:at + 40]
        else:
            return
        if proto not in (6, 17):
            return
        true("length of the IP packet", length <= len(frame) - at and (length == len(frame) - at or len(frame) <= 60))
        l4 = at + head
        ports = struct.unpack("!HH", frame[l4:l4 + 4])
        tunnel = not inner and proto == 17 and ports[1] in (GENEVE, VXLAN)
        late = self.addresses and len(addresses) != len(self.addresses) # of what was sent before
        if not tunnel and (self.port not in ports or late):
            return
        true("addresses", tunnel or not self.addresses or addresses == self.addresses)
        self.packets += 1
        self.transport(frame, vnet, l4, at + length, proto, addresses)
        segment = self.sizes(frame, vnet, at, l4, at + length, proto)
        if tunnel:
            summed, before = bool(vnet[0] & NEEDS_CSUM or any(frame[l4 + 6:l4 + 8])), self.packets
            self.tunnel(frame[l4 + 8:at + length], segment, ports[1])
            true("checksum of the tunnel", self.packets == before or self.summed in (None, summed))

    def transport(self, frame, vnet, l4, end, proto, addresses):
        flags, _, _, _, start, offset = vnet
        field = l4 + (16 if proto == 6 else 6)
        pseudo = addresses + struct.pack("!II", end - l4, proto)
        if flags & NEEDS_CSUM:
            self.unfinished += 1
            true("place of the checksum", (start, offset) == (l4, field - l4))
            true("sum of the pseudo-header", (sum16(frame[field:field + 2]) - sum16(pseudo)) % 65535 == 0)
        elif proto == 6 or frame[field:field + 2] != b"\0\0":
            true("L4 checksum", sum16(pseudo + frame[l4:end]) == 0)
        if proto == 17:
            true("UDP length", struct.unpack("!H", frame[l4 + 4:l4 + 6])[0] == end - l4)

    def sizes(self, frame, vnet, l3, l4, end, proto):
        """Bytes of payload of one segment; 0: not of many."""
        gso, size = vnet[1] & 0x7F, vnet[3]
        head = l4 + ((frame[l4 + 12] >> 4) * 4 if proto == 6 else 8)
        if not gso:
            true("MTU", end - l3 <= self.mtu)
            return 0
        self.segments += 1
        true("kind of segmentation", GSO.get(gso) == ("UDP" if proto == 17 else "TCPv4" if frame[l3] >> 4 == 4 else "TCPv6"))
        true("checksum of a segment is to do", vnet[0] & NEEDS_CSUM)
        true("MTU of a segment", head - l3 + size <= self.mtu)
        true("more than one segment", end - head > size)
        return size

    def tunnel(self, data, segment, port):
        for i in range(0, len(data), segment or len(data)):
            one = data[i:i + (segment or len(data))]
            self.inner += 1
            self.frame(one[8 + (one[0] & 0x3F) * 4 if port == GENEVE else 8:], (0, 0, 0, 0, 0, 0), inner=True)


def receive(sock, kind, n, got):
    h, senders = hashlib.md5(), set()
    try:
        if kind == "tcp":
            sock, _ = sock.accept()
        sock.settimeout(20)
        while n > 0:
            data, sender = sock.recvfrom(1 << 20)
            if not data:
                break
            senders.add(sender)
            h.update(data)
            n -= len(data)
        if len(senders) == 1: # a stream tells none
            got.append(h.hexdigest())
    except TimeoutError:
        pass # what is missing is told


def run(kind, source, sink, address, port, legs, size=SIZE, datagrams=200):
    """Sends SIZE bytes or so many datagrams from namespace SOURCE to ADDRESS and PORT in SINK; raises Lie unless they arrive and all legs say the truth."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    stream = kind == "tcp"
    data = random.Random(1).randbytes(size if stream else datagrams * DATAGRAM)
    enter(sink)
    server = socket.socket(family, socket.SOCK_STREAM if stream else socket.SOCK_DGRAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
    server.bind(("", port))
    if stream:
        server.listen(1)
    server.settimeout(20)
    got = []
    thread = threading.Thread(target=receive, args=(server, kind, len(data), got))
    thread.start()
    enter(source)
    client = socket.socket(family, socket.SOCK_STREAM if stream else socket.SOCK_DGRAM)
    client.settimeout(20)
    try:
        client.connect((address, port))
        if kind == "udp-gso":
            client.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, DATAGRAM)
        step = len(data) if stream else DATAGRAM * (20 if kind == "udp-gso" else 1)
        for i in range(0, len(data), step):
            client.sendall(data[i:i + step])
    finally:
        thread.join()
    true("what arrived is what was sent", got == [hashlib.md5(data).hexdigest()])
    seen = [leg.check() for leg in legs]
    client.close()
    server.close()
    return seen


def main():
    kind, source, sink, address, *legs = sys.argv[1:]
    try:
        print("\n".join(run(kind, source, sink, address, PORT, [Leg(*text.split(",")) for text in legs])))
    except Lie as lie:
        raise SystemExit(str(lie))


if __name__ == "__main__":
    main()
