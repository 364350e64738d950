"""libopenflow.py - a switch of ours and Debian's ovs-vswitchd side by side on dummy ports, and raw OpenFlow conversations with both."""
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

BIN = os.environ["WEFT_BIN"]
OVSDB = "/usr/share/openvswitch/vswitch.ovsschema"
PORTS = 3


class Switch:
    """One switch with bridge br0 and dummy ports p1 to p3 in a run directory of its own."""

    def __init__(self, root, ours):
        self.ours, self.dir = ours, os.path.join(root, "ours" if ours else "peer")
        os.mkdir(self.dir)
        self.env = dict(os.environ, **{k: self.dir for k in ("OVS_RUNDIR", "OVS_DBDIR", "OVS_LOGDIR", "OVS_SYSCONFDIR",
                                                            "WEFT_RUNDIR", "WEFT_DBDIR", "WEFT_LOGDIR")})
        self.log = open(os.path.join(self.dir, "log"), "w")
        self.db = "unix:%s/db.sock" % self.dir
        self.ctl = self.dir + "/ctl"
        self.children = []
        if ours:
            self.start(BIN + "/weft-switchd", "--enable-dummy=override", "--db=%s/conf.db" % self.dir, "--unixctl=" + self.ctl)
        else:
            self.run("ovsdb-tool", "create", self.dir + "/conf.db", OVSDB)
            self.start("ovsdb-server", "--remote=punix:%s/db.sock" % self.dir, "--unixctl=%s/db.ctl" % self.dir, self.dir + "/conf.db")
        wait(lambda: os.path.exists(self.dir + "/db.sock"))
        self.run("ovs-vsctl", "--db=" + self.db, "--no-wait", "init")
        if not ours:
            self.start("ovs-vswitchd", "--enable-dummy=override", "--disable-system", "--unixctl=" + self.ctl, self.db)
            wait(lambda: os.path.exists(self.ctl))
        self.vsctl("add-br", "br0", "--", "set", "Bridge", "br0", "fail-mode=secure")
        for i in range(1, PORTS + 1):
            self.vsctl("add-port", "br0", "p%d" % i, "--", "set", "Interface", "p%d" % i, "type=dummy", "ofport_request=%d" % i)
        wait(lambda: os.path.exists(self.dir + "/br0.mgmt"))

    def start(self, *argv):
        self.children.append(subprocess.Popen(argv, env=self.env, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log))

    def run(self, *argv, **kw):
        return subprocess.run(argv, env=self.env, capture_output=True, text=True, timeout=60, **kw)

    def vsctl(self, *argv):
        return self.run("ovs-vsctl", "--db=" + self.db, "--timeout=20", *argv)

    def ofctl(self, *argv, **kw):
        return self.run("ovs-ofctl", *argv, **kw)

    def appctl(self, *argv):
        return self.run("ovs-appctl", "-t", self.ctl, *argv)

    def connect(self, version, bridge="br0"):
        return Connection("%s/%s.mgmt" % (self.dir, bridge), version)

    def alive(self):
        return all(c.poll() is None for c in self.children)

    def stop(self):
        for c in reversed(self.children):
            if c.poll() is None:
                c.send_signal(signal.SIGTERM)
        for c in self.children:
            try:
                c.wait(20)
            except subprocess.TimeoutExpired:
                c.kill()
        self.log.close()


class Connection:
    """A raw conversation in one version (1: OpenFlow 1.0 ... 6: 1.5)."""

    def __init__(self, path, version):
        self.version, self.data = version, b""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(path)
        self.sock.settimeout(30)
        self.sock.sendall(struct.pack(">BBHI", version, 0, 16, 1) + struct.pack(">HHI", 1, 8, 1 << version))
        assert self.receive()[1] == 0

    def receive(self):
        while len(self.data) < 8 or len(self.data) < struct.unpack(">H", self.data[2:4])[0]:
            more = self.sock.recv(1 << 16)
            if not more:
                raise EOFError
            self.data += more
        n = struct.unpack(">H", self.data[2:4])[0]
        message, self.data = self.data[:n], self.data[n:]
        return message

    def message(self, kind, body=b"", xid=7):
        return struct.pack(">BBHI", self.version, kind, 8 + len(body), xid) + body

    def experimenter(self, vendor, subtype, body=b""):
        return self.message(4, struct.pack(">II", vendor, subtype) + body)

    def multipart(self, kind, body=b"", flags=0):
        head = struct.pack(">HH", kind, flags) + (b"" if self.version == 1 else bytes(4))
        return self.message(16 if self.version == 1 else 18, head + body)

    def ask(self, data):
        """Sends raw bytes and a barrier; the messages that come before its reply."""
        barrier = 18 if self.version == 1 else 20
        self.sock.sendall(data + self.message(barrier, b"", 0x7777))
        replies = []
        while True:
            m = self.receive()
            if m[1] == 2:
                self.sock.sendall(bytes([m[0], 3]) + m[2:])
            elif m[1] == barrier + 1 and m[4:8] == b"\0\0\x77\x77":
                return replies
            else:
                replies.append(m)

    def close(self):
        self.sock.close()


def error(replies):
    """The first error among REPLIES as (vendor, type, code); None: there is none."""
    for m in replies:
        if m[1] != 1:
            continue
        kind, code = struct.unpack(">HH", m[8:12])
        if kind == 0xb0c2:
            return struct.unpack(">IHH", m[12:20])
        if kind == 0xffff:
            return (struct.unpack(">I", m[12:16])[0], code, 0)
        return (0, kind, code)
    return None


def wait(condition, seconds=30):
    end = time.time() + seconds
    while not condition():
        if time.time() > end:
            raise TimeoutError
        time.sleep(0.02)


class Checks:
    """Counts what fails; ends the program."""

    def __init__(self):
        self.failed = 0

    def equal(self, name, wanted, got):
        if wanted == got:
            return print("ok    " + name)
        self.failed += 1
        print("FAIL  %s\n  wanted %r\n  got    %r" % (name, wanted, got))

    def true(self, name, value):
        self.equal(name, True, bool(value))


def main(test):
    """Runs TEST(checks, ours, peer) with both switches and cleans up."""
    root = tempfile.mkdtemp(prefix="weft-of-")
    checks, switches = Checks(), []
    try:
        for ours in (True, False):
            switches.append(Switch(root, ours))
        test(checks, *switches)
        checks.true("both switches are alive", all(s.alive() for s in switches))
    finally:
        for s in switches:
            s.stop()
        if checks.failed and switches:
            print(open(os.path.join(switches[0].dir, "log")).read()[-4000:])
        shutil.rmtree(root, ignore_errors=True)
    sys.exit(1 if checks.failed else 0)
