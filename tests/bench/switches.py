"""weft-switchd and Debian's ovs-vswitchd as a benchmark drives them: dummy ports, a raw OpenFlow connection, frames, flow texts."""
import os, re, socket, struct, subprocess, time
from harness import Connection, cpu_seconds


def oxm(header, value):
    return struct.pack("!I", header) + value


def pad8(b):
    return b + b"\0" * (-len(b) % 8)


ETH_TYPE, IP_PROTO, IPV4_DST, TCP_DST, REG0 = 0x80000A02, 0x80001401, 0x80001804, 0x80001C02, 0x00010004
ADD, MODIFY_STRICT, DELETE = 0, 2, 3


def flow_mod(xid, i, command=ADD, value=None, table=0):
    """OpenFlow 1.4: a TCP flow of its own IPv4 address that loads a register and goes to table 1."""
    fields = (oxm(ETH_TYPE, b"\x08\0") + oxm(IP_PROTO, b"\x06") + oxm(IPV4_DST, struct.pack("!BBBB", 11, i >> 16 & 255, i >> 8 & 255, i & 255)) +
              oxm(TCP_DST, struct.pack("!H", 80)))
    match = pad8(struct.pack("!HH", 1, 4 + len(fields)) + fields)
    put = oxm(REG0, struct.pack("!I", i if value is None else value))
    action = pad8(struct.pack("!HH", 25, -(-(4 + len(put)) // 8) * 8) + put)
    body = (struct.pack("!QQBBHHHIIIHH", 0, 0, table, command, 0, 0, 100, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0, 0) + match +
            struct.pack("!HHI", 4, 8 + len(action), 0) + action + struct.pack("!HHBBH", 1, 8, table + 1, 0, 0))
    return message(14, xid, body)


def message(kind, xid, body=b""):
    return struct.pack("!BBHI", 5, kind, 8 + len(body), xid) + body


class OpenFlow:
    """A connection of version 1.4."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(path)
        self.sock.sendall(message(0, 1))
        self.data = b""
        assert self.receive()[1] == 0

    def receive(self):
        while len(self.data) < 8 or len(self.data) < struct.unpack("!H", self.data[2:4])[0]:
            more = self.sock.recv(1 << 16)
            if not more:
                raise EOFError("the switch closed the OpenFlow connection")
            self.data += more
        n = struct.unpack("!H", self.data[2:4])[0]
        m, self.data = self.data[:n], self.data[n:]
        return m

    def until(self, kind, xid):
        while True:
            m = self.receive()
            if m[1] == 1:
                raise RuntimeError("OpenFlow error %s" % m[8:12].hex())
            if m[1] == 2:
                self.sock.sendall(message(3, struct.unpack("!I", m[4:8])[0], m[8:]))
            if (m[1], struct.unpack("!I", m[4:8])[0]) == (kind, xid):
                return

    def barrier(self, xid):
        self.sock.sendall(message(20, xid))
        self.until(21, xid)

    @staticmethod
    def wrapped(mods):
        """The messages as those of one atomic, ordered bundle."""
        return b"".join(message(34, struct.unpack("!I", m[4:8])[0], struct.pack("!IHH", 9, 0, 3) + m) for m in mods)

    def bundle(self, wrapped):
        control = lambda kind: message(33, 7, struct.pack("!IHH", 9, kind, 3))
        self.sock.sendall(control(0) + wrapped)
        self.sock.sendall(control(2))
        self.until(33, 7)  # open
        self.sock.sendall(control(4))
        self.until(33, 7)  # closed
        self.until(33, 7)  # committed


class Switch:
    """One of the two, with bridge br0 of ports p1.. (dummy, or KIND) in its own folder."""

    def __init__(self, folder, build, ours, ports=4, system=()):
        self.folder, self.ours = folder, ours
        ctl, db = folder.file("ctl"), folder.file("db.sock")
        dummy = [] if system else ["--enable-dummy"]
        if ours:
            self.process = folder.start([os.path.join(build, "bin", "weft-switchd"), "-vconsole:off", "--db=" + folder.file("conf.db"), "--unixctl=" + ctl] + dummy, "db.sock")
        else:
            folder.run(["ovsdb-tool", "create", folder.file("conf.db"), "/usr/share/openvswitch/vswitch.ovsschema"])
            folder.start(["ovsdb-server", "--remote=punix:" + db, "--unixctl=" + folder.file("dbctl"), folder.file("conf.db")], "db.sock")
            self.vsctl("--no-wait", "init")
            self.process = folder.start(["ovs-vswitchd", "-vconsole:off", "--unixctl=" + ctl] + (dummy + ["--disable-system"] if dummy else []) + ["unix:" + db], "ctl")
        names = list(system) or ["p%d" % (i + 1) for i in range(ports)]
        add = [a for i, name in enumerate(names) for a in ("--", "add-port", "br0", name, "--", "set", "interface", name, "ofport_request=%d" % (i + 1))
               + (() if system else ("type=dummy",))]
        self.vsctl("add-br", "br0", "--", "set", "bridge", "br0", "fail_mode=secure", "datapath_type=" + ("dummy" if dummy and not ours else "netdev"), *add)
        self.control = Connection(ctl)
        self.of = None

    def vsctl(self, *args):
        end = time.time() + 30
        while True:
            p = subprocess.run(["ovs-vsctl", "--db=unix:" + self.folder.file("db.sock"), "--timeout=20", *args], env=self.folder.env, text=True, capture_output=True)
            if not p.returncode:
                return p.stdout
            if time.time() > end:
                raise RuntimeError(p.stderr)
            time.sleep(0.05)

    def ofctl(self, *args, text=None):
        p = subprocess.run(["ovs-ofctl", "-OOpenFlow15", *args], env=self.folder.env, cwd=self.folder.path, input=text, text=True, capture_output=True)
        if p.returncode:
            raise RuntimeError("ovs-ofctl %s: %s" % (" ".join(args), p.stderr[-1000:]))
        return p.stdout

    def openflow(self):
        self.of = self.of or OpenFlow(self.folder.file("br0.mgmt"))
        return self.of

    def appctl(self, method, *args):
        return self.control.call(method, *args)

    def cpu(self):
        """Of all threads, in seconds."""
        return cpu_seconds(self.process.pid)

    def cpu_main(self):
        """Of the thread that carries packets between dummy ports."""
        with open("/proc/%d/task/%d/schedstat" % (self.process.pid, self.process.pid)) as f:
            return int(f.read().split()[0]) / 1e9

    def rss(self):
        """Resident bytes now."""
        with open("/proc/%d/statm" % self.process.pid) as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    def n_flows(self):
        return int(self.ofctl("dump-aggregate", "br0").split("flow_count=")[1])

    def received(self, port):
        return int(self.ofctl("dump-ports", "br0", port).split("rx pkts=")[1].split(",")[0])

    def receive(self, port, frames):
        """Frames (hexadecimal) through a dummy port, no more at once than a peer's port keeps; returns when all have been taken up."""
        done = self.received(port)
        for i in range(0, len(frames), 90):
            self.appctl("netdev-dummy/receive", port, *frames[i:i + 90])
            done += len(frames[i:i + 90])
            self.wait(lambda: self.received(port) >= done)

    def megaflows(self):
        """What they match, as a set; the numbers of recirculations, which come and go, left out."""
        lines = self.appctl("dpif/dump-flows", "br0").splitlines()
        return {re.sub("recirc_id(=|\\()(0x)?[1-9a-f][0-9a-f]*", "again", line.split(", packets:")[0]) for line in lines if "actions:" in line}

    @staticmethod
    def wait(what):
        end = time.time() + 60
        while not what():
            if time.time() > end:
                raise RuntimeError("waited in vain")
            time.sleep(0.01)


def checksum(b):
    s = sum(struct.unpack("!%dH" % (len(b) // 2), b))
    while s >> 16:
        s = (s & 0xFFFF) + (s >> 16)
    return ~s & 0xFFFF


def frame(src_mac, dst_mac, src, dst, sport=1024, dport=80, flags=2):
    """A TCP segment without data, as bytes; MACs as bytes, addresses as text."""
    s, d = socket.inet_aton(src), socket.inet_aton(dst)
    h = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 7, 0, 64, 6, 0, s, d)
    seg = struct.pack("!HHIIHHHH", sport, dport, 1, 0, 5 << 12 | flags, 1000, 0, 0)
    c = checksum(s + d + struct.pack("!BBH", 0, 6, 20) + seg)
    return dst_mac + src_mac + b"\x08\0" + h[:10] + struct.pack("!H", checksum(h)) + h[12:] + seg[:16] + struct.pack("!H", c) + seg[18:] + b"\0" * 6


def mac(i):
    return struct.pack("!HI", 0x0200, i)


def pipeline(n_tables=40, first=0):
    """Flow texts of N_TABLES tables in a row, each with 60 flows of three masks that do not match and one that goes on; the first looks at
    the source MAC, so that every new one is a packet for the translation."""
    yield from ("table=%d,priority=100,dl_src=06:00:00:00:00:%02x,actions=drop" % (first, k) for k in range(100))
    yield "table=%d,priority=1,actions=load:1->OXM_OF_METADATA[],resubmit(,%d)" % (first, first + 1)
    for t in range(first + 1, first + n_tables):
        for k in range(20):
            yield "table=%d,priority=100,ip,metadata=1,nw_dst=172.16.%d.0/24,actions=drop" % (t, k)
            yield "table=%d,priority=90,tcp,metadata=1,tp_dst=%d,actions=drop" % (t, 1000 + k)
            yield "table=%d,priority=80,metadata=1,reg0=%d,actions=drop" % (t, 1000 + k)
        last = t == first + n_tables - 1
        yield "table=%d,priority=1,metadata=1,actions=%s" % (t, "output:2" if last else "load:%d->NXM_NX_REG%d[],resubmit(,%d)" % (t, t % 8, t + 1))
