"""What the tests of the seeds share: a lab, virtual machines that are nothing but a cable with a raw socket at its end, and
comparison of all that arrives with all that should."""
import ctypes
import os
import re
import select
import socket
import struct
import subprocess
import sys
import time
from collections import Counter

BIN, SRC = os.environ["WEFT_BIN"], os.environ["WEFT_SRC"]
sys.path.insert(0, os.path.join(SRC, "tests", "support"))
from frames import arp, checksum, ip, mac  # noqa: E402

CLONE_NEWNET = 0x40000000
ETH_P_ALL, ETH_P_IP, ETH_P_ARP = 3, 0x0800, 0x0806
SOL_PACKET, PACKET_IGNORE_OUTGOING = 263, 23


def ip4(src_mac, dst_mac, src, dst, ttl, protocol, payload):
    """An Ethernet frame with an IPv4 packet."""
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, 0, ttl, protocol, 0, ip(src), ip(dst))
    header = header[:10] + checksum(header) + header[12:]
    return mac(dst_mac) + mac(src_mac) + b"\x08\x00" + header + payload


def udp(src_mac, dst_mac, src, dst, ttl, mark):
    """An Ethernet frame with a UDP packet of 8 payload bytes: MARK, which makes it unlike all others."""
    return ip4(src_mac, dst_mac, src, dst, ttl, 17, struct.pack("!HHHHQ", 53, 4369, 16, 0, mark))


def name_of(frame):
    """A frame in words, for messages."""
    macs = "%s > %s" % (frame[6:12].hex(":"), frame[:6].hex(":"))
    kind = struct.unpack("!H", frame[12:14])[0]
    if kind == ETH_P_ARP and len(frame) >= 42:
        op = struct.unpack("!H", frame[20:22])[0]
        return "%s arp op %d %s is at %s, asks %s (%s)" % (macs, op, socket.inet_ntoa(frame[28:32]), frame[22:28].hex(":"),
                                                          socket.inet_ntoa(frame[38:42]), frame[32:38].hex(":"))
    if kind == ETH_P_IP and len(frame) >= 34:
        return "%s ip %s > %s ttl %d len %d" % (macs, socket.inet_ntoa(frame[26:30]), socket.inet_ntoa(frame[30:34]), frame[22], len(frame))
    return "%s type %04x len %d" % (macs, kind, len(frame))


class Lab:
    """A lab of weft-lab, gone at the end of the with statement; its engines compare themselves with a fresh compute (--verify)."""

    def __init__(self, name, hypervisors):
        self.name, self.hypervisors, self.failures = name, hypervisors, 0
        self.begin = time.monotonic()
        self.state = os.path.join(os.environ.get("WEFT_LAB_DIR", "/run/weft-lab"), name)

    def __enter__(self):
        os.environ["WEFT_LAB_OPTIONS"] = "--verify"
        self.lab("down")
        self.lab("up", str(self.hypervisors))
        return self

    def __exit__(self, kind, value, trace):
        if kind is None:
            self.healthy()
        self.lab("down")

    def lab(self, *args):
        r = subprocess.run([os.path.join(BIN, "weft-lab"), "--name", self.name, *args], text=True, capture_output=True, stdin=subprocess.DEVNULL)
        if r.returncode:
            raise RuntimeError("weft-lab %s: %s%s" % (" ".join(args)[:200], r.stdout, r.stderr))
        return r.stdout

    def nbctl(self, *args):
        return self.lab("exec", "central", "weft-nbctl", *args)

    def sbctl(self, *args):
        return self.lab("exec", "central", "weft-sbctl", *args)

    def sync(self):
        self.nbctl("--wait=hv", "--timeout=60", "sync")

    def say(self, text):
        print("[%6.1f s] %s" % (time.monotonic() - self.begin, text), flush=True)

    def check(self, what, good, why=""):
        self.say("%s %s%s" % ("ok   " if good else "FAIL ", what, "" if good else ": " + why))
        self.failures += not good

    def healthy(self):
        """No daemon has died (northd would if its state were not what a fresh compute gives), no controller has anything else, no flow
        was refused."""
        self.check("all daemons run", "NOT RUNNING" not in self.lab("show"), self.lab("show"))
        died = []
        for base, _, files in os.walk(self.state):
            for f in files:
                if f.endswith((".log", ".start")):
                    with open(os.path.join(base, f), errors="replace") as log:
                        died += [line for line in log if "died by signal" in line or "Sanitizer" in line or "runtime error" in line]
        self.check("none has died", not died, "".join(died[:5]))
        for i in range(self.hypervisors):
            appctl = lambda what: self.lab("exec", "hv%d" % (i + 1), "weft-appctl", "-t", "weft-controller", what).strip()  # noqa: E731,B023
            shown = appctl("inc/show")
            self.check("hv%d agrees with a fresh compute" % (i + 1), re.search(r"\b0 differences", shown), shown[-200:])
            shown = appctl("install/show")
            self.check("no flow of hv%d was refused" % (i + 1), re.search(r"\b0 refused", shown), shown)


class Cables:
    """Virtual machines in one namespace: for each a veth pair whose other end is a port of a hypervisor's switch."""

    def __init__(self, lab, ports):
        """PORTS: {logical port: hypervisor}."""
        self.lab, self.sockets, self.poll = lab, {}, select.epoll()
        ns, prefix = "wl-%s-vms" % lab.name, "wl-%s-" % lab.name
        run = lambda *args: subprocess.run(args, check=True, stdin=subprocess.DEVNULL)  # noqa: E731
        run("ip", "netns", "add", ns)
        # the kernel of these machines is silent: no addresses, no IPv6
        run("ip", "netns", "exec", ns, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
        for port, hv in ports.items():
            run("ip", "-n", ns, "link", "add", port, "mtu", "1400", "up", "type", "veth", "peer", "name", "vm-" + port, "netns", prefix + hv)
            run("ip", "-n", prefix + hv, "link", "set", "vm-" + port, "up")
        for hv in sorted(set(ports.values())):
            words = []
            for port in sorted(p for p in ports if ports[p] == hv):
                words += ["--", "add-port", "br-int", "vm-" + port, "--", "set", "Interface", "vm-" + port, "external_ids:iface-id=" + port]
            lab.lab("exec", hv, "weft-vsctl", *words[1:])
        self.open_sockets(ns, ports)

    def open_sockets(self, ns, ports):
        libc = ctypes.CDLL(None, use_errno=True)
        own = os.open("/proc/self/ns/net", os.O_RDONLY)
        there = os.open("/run/netns/" + ns, os.O_RDONLY)
        if libc.setns(there, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
        for port in ports:
            s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            s.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
            s.bind((port, ETH_P_ALL))
            s.setblocking(False)
            self.sockets[port] = s
            self.poll.register(s.fileno(), select.EPOLLIN)
        if libc.setns(own, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns back")
        os.close(own)
        os.close(there)
        self.by_fd = {s.fileno(): p for p, s in self.sockets.items()}

    def send(self, port, frame):
        self.sockets[port].send(frame)

    def receive(self, seconds):
        """What arrives next, as [(port, frame)], within SECONDS; ARP without padding. The kernels at the switches' ends of the cables
        greet their IPv6 neighbours now and then: that is left out."""
        got, end = [], time.monotonic() + seconds
        while True:
            self.drain(self.poll.poll(max(0, end - time.monotonic())), got)
            if got or time.monotonic() >= end:
                return got

    def drain(self, ready, got):
        for fd, _ in ready:
            s = self.sockets[self.by_fd[fd]]
            while True:
                try:
                    frame = s.recv(2048)
                except BlockingIOError:
                    break
                if frame[12:14] != b"\x86\xdd":
                    got.append((self.by_fd[fd], frame[:42] if frame[12:14] == b"\x08\x06" else frame))

    def exchange(self, sends, expected, seconds=40, quiet=0.3, optional=()):
        """Sends [(port, frame)] and receives until all of the Counter EXPECTED of (port, frame) has come and then nothing more for
        QUIET seconds. Returns (missing, surplus) Counters; what is in OPTIONAL may come, once, and need not."""
        missing, surplus, optional = Counter(expected), Counter(), Counter(optional)

        def take(items):
            for item in items:
                if missing[item] > 0:
                    missing[item] -= 1
                    if not missing[item]:
                        del missing[item]
                elif optional[item] > 0:
                    optional[item] -= 1
                else:
                    surplus[item] += 1

        for port, frame in sends:
            self.send(port, frame)
            take(self.receive(0))
        end = time.monotonic() + seconds
        while +missing and time.monotonic() < end:
            take(self.receive(0.1))
        while True:
            items = self.receive(quiet)
            if not items:
                break
            take(items)
        return +missing, +surplus

    def step(self, what, sends, expected, **kw):
        """An exchange that must come out exactly."""
        missing, surplus = self.exchange(sends, expected, **kw)
        why = "%d of %d missing, %d too many" % (sum(missing.values()), sum(Counter(expected).values()), sum(surplus.values()))
        for title, items in (("missing", missing), ("surplus", surplus)):
            for (port, frame), n in list(items.items())[:4]:
                why += "\n             %s at %s: %s%s" % (title, port, name_of(frame), " x%d" % n if n > 1 else "")
        self.lab.check("%s (%d sent, %d expected)" % (what, len(sends), sum(Counter(expected).values())), not missing and not surplus, why)
