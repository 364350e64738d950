#!/usr/bin/env python3
"""Clients that do what they should not: weft-dbd serves the others all the while, keeps its memory bounded, and drops those it has to.

A client that does not read what it monitors, one that does not read its answers, 1,000 idle connections, a message of 100 MB, TLS
handshakes that do not end, garbage, half-closed sockets, an echo flood, requests byte by byte, first contents that are taken slowly
(40 MB; with the argument "full" 300 MB)."""
import json
import os
import random
import socket
import ssl
import subprocess
import sys
import tempfile
import time

BIN = os.environ.get("WEFT_BIN", "build/asan/bin")
SCHEMA = {"name": "F", "version": "1.0.0", "tables": {"T": {"isRoot": True, "columns": {"s": {"type": "string"}, "n": {"type": "integer"}}}}}
MB = 1 << 20
WATCH = ["F", "m", {"T": {"columns": ["n"]}}]


class Daemon:
    def __init__(self, top):
        self.dir = top
        with open(top + "/schema", "w") as f:
            json.dump(SCHEMA, f)
        subprocess.run([BIN + "/weft-dbctl", "create", top + "/f.db", top + "/schema"], check=True)
        self.make_certificates()
        self.log = open(top + "/log", "w")
        self.process = subprocess.Popen(
            [BIN + "/weft-dbd", "-vconsole:info", "--durability=relaxed", "--unixctl=" + top + "/ctl", "--remote=punix:" + top + "/sock",
             "--remote=pssl:16652:127.0.0.1", "--private-key=" + top + "/key", "--certificate=" + top + "/cert", "--ca-cert=" + top + "/cert", top + "/f.db"],
            stdout=self.log, stderr=self.log, env=dict(os.environ, WEFT_RUNDIR=top, ASAN_OPTIONS="detect_leaks=1:quarantine_size_mb=1"))
        wait(lambda: os.path.exists(top + "/sock"), "the daemon starts")

    def make_certificates(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=f", "-keyout", self.dir + "/key",
                        "-out", self.dir + "/cert"], check=True, stderr=subprocess.DEVNULL)

    def resident_mb(self):
        with open("/proc/%d/status" % self.process.pid) as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS")) // 1024

    def sessions(self):
        out = subprocess.run([BIN + "/weft-appctl", "-t", self.dir + "/ctl", "memory/show"], check=True, capture_output=True, text=True).stdout
        return int(next(w.split(":")[1] for w in out.split() if w.startswith("sessions:")))

    def stop(self):
        self.process.terminate()
        status = self.process.wait(60)
        self.log.close()
        if status:
            raise AssertionError("weft-dbd ended with %d:\n%s" % (status, open(self.dir + "/log").read()[-3000:]))


def wait(condition, what, seconds=60):
    end = time.time() + seconds
    while not condition():
        assert time.time() < end, "in vain: " + what
        time.sleep(0.02)


class Client:
    def __init__(self, daemon):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(daemon.dir + "/sock")
        self.sock.settimeout(120)
        self.data, self.id = b"", 0

    def send(self, method, params, id=None):
        self.sock.sendall(json.dumps({"method": method, "params": params, "id": id}).encode())

    def reply(self):
        """The next whole message that is not an update."""
        while True:
            try:
                text = self.data.decode()
                message, end = json.JSONDecoder().raw_decode(text)
                self.data = text[end:].encode()
                if message.get("id") is not None:
                    return message
                continue
            except ValueError:
                pass
            more = self.sock.recv(MB)
            if not more:
                raise EOFError
            self.data += more

    def call(self, method, params):
        self.id += 1
        self.send(method, params, self.id)
        return self.reply()

    def is_closed(self):
        """Reads what is there until the end."""
        try:
            while self.sock.recv(MB):
                pass
        except ConnectionError:
            pass
        return True


def insert(s, n=1):
    return ["F", {"op": "insert", "table": "T", "row": {"s": s, "n": n}}]


def alive(daemon, good):
    assert good.call("transact", ["F", {"op": "select", "table": "T", "where": [["n", "==", -1]]}])["result"] == [{"rows": []}]


def does_not_read_updates(daemon, good):
    deaf = Client(daemon)
    for i in range(16):
        deaf.send("monitor", ["F", "m%d" % i, {"T": {"columns": ["s"]}}], i)
    wait(lambda: len(deaf.sock.recv(MB, socket.MSG_PEEK)) >= 16 * 20, "it monitors")
    text, most = "x" * (4 * MB), 0
    for i in range(20):
        assert "uuid" in good.call("transact", ["F", {"op": "delete", "table": "T", "where": []}, insert(text)[1]])["result"][1]
        most = max(most, daemon.resident_mb())
        if daemon.sessions() == 1:
            break
    assert daemon.sessions() == 1, "still there"
    assert most < 900, most
    assert deaf.is_closed()
    good.call("transact", ["F", {"op": "delete", "table": "T", "where": []}])
    return "dropped after %d updates of 4 MB to 16 monitors, memory at most %d MB" % (i + 1, most)


def does_not_read_answers(daemon, good):
    good.call("transact", insert("y" * MB))
    deaf = Client(daemon)
    deaf.sock.setblocking(False)
    request = json.dumps({"method": "transact", "params": ["F", {"op": "select", "table": "T", "where": []}], "id": 1}).encode()
    sent = 0
    try:
        while sent < 100000:
            deaf.sock.send(request)
            sent += 1
    except BlockingIOError:
        pass
    alive(daemon, good)
    assert daemon.resident_mb() < 700, daemon.resident_mb()
    deaf.sock.close()
    good.call("transact", ["F", {"op": "delete", "table": "T", "where": []}])
    wait(lambda: daemon.sessions() == 1, "it is gone")
    return "%d requests were taken of it" % sent


def thousand_idle(daemon, good):
    before = daemon.resident_mb()
    idle = [Client(daemon) for _ in range(1000)]
    wait(lambda: daemon.sessions() == 1001, "1,000 connections")
    alive(daemon, good)
    assert idle[500].call("list_dbs", [])["result"]
    grown = daemon.resident_mb() - before
    for c in idle:
        c.sock.close()
    wait(lambda: daemon.sessions() == 1, "they are gone")
    return "%d MB more" % grown


def large_message(daemon, good):
    big = Client(daemon)
    text = "z" * (100 * MB)
    result = big.call("transact", insert(text) + [{"op": "abort"}])["result"]
    assert "uuid" in result[0] and result[1]["error"] == "aborted", result
    alive(daemon, good)
    big.sock.close()
    endless = Client(daemon)
    endless.sock.sendall(b'{"method":"transact","id":1,"params":["F",' + b"[" * 2000)
    assert endless.is_closed()
    return "100 MB in one message"


def slow_handshakes(daemon, good):
    slow = []
    for _ in range(50):
        s = socket.create_connection(("127.0.0.1", 16652))
        s.sendall(b"\x16\x03\x01")
        slow.append(s)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(daemon.dir + "/cert", daemon.dir + "/key")
    with context.wrap_socket(socket.create_connection(("127.0.0.1", 16652))) as tls:
        tls.sendall(b'{"method":"list_dbs","params":[],"id":1}')
        assert b'"F"' in tls.recv(4096)
    end, closed = time.time() + 40, set()
    while len(closed) < len(slow) and time.time() < end:
        for s in slow:
            if s in closed:
                continue
            try:
                s.send(b"\x00")  # one byte at a time: never a whole message
                s.settimeout(0.001)
                if not s.recv(1):
                    closed.add(s)
            except TimeoutError:
                pass
            except OSError:
                closed.add(s)
        alive(daemon, good)
        time.sleep(0.2)
    assert len(closed) == len(slow), "%d of %d were dropped" % (len(closed), len(slow))
    return "50 dropped, a whole one served between"


def garbage(daemon, good):
    r = random.Random(7)
    n = 0
    samples = [b"GET / HTTP/1.0\r\n\r\n", b"\x00" * 100, b"\xff\xfe", b"[1,2]", b'{"method":5}', b'{"id":null,"method":"x","params":{}}', b"}", b'{"a":"\xff"}',
               b'{"id":1,"result":[]}']
    for i in range(300):
        c = Client(daemon)
        text = samples[i % len(samples)] if i < 30 else bytes(r.randrange(256) for _ in range(r.randrange(1, 3000)))
        try:
            c.sock.sendall(text)
            c.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        n += c.is_closed()
    alive(daemon, good)
    wait(lambda: daemon.sessions() == 1, "they are gone")
    return "%d connections" % n


def half_closed(daemon, good):
    for _ in range(100):
        c = Client(daemon)
        c.send("list_dbs", [], 1)
        c.sock.shutdown(socket.SHUT_WR)
        assert c.reply()["result"]
        assert c.is_closed()
    wait(lambda: daemon.sessions() == 1, "they are gone")
    return "100 answered and closed"


def echo_flood(daemon, good):
    c = Client(daemon)
    c.sock.setblocking(False)
    text, sent, most = b'{"method":"echo","params":["%s"],"id":1}' % (b"e" * 1000) * 100, 0, 0
    end = time.time() + 2
    while time.time() < end:
        try:
            sent += c.sock.send(text)
        except BlockingIOError:
            alive(daemon, good)
            most = max(most, daemon.resident_mb())
    c.sock.close()
    wait(lambda: daemon.sessions() == 1, "it is gone")
    assert most < 700, most
    return "%d MB sent, memory at most %d MB" % (sent // MB, most)


def byte_by_byte(daemon, good):
    c = Client(daemon)
    for b in json.dumps({"method": "list_dbs", "params": [], "id": 9}).encode():
        c.sock.sendall(bytes([b]))
        alive(daemon, good)
    assert c.reply()["id"] == 9
    c.sock.close()
    return "answered"


def slow_first_contents(daemon, good):
    """First contents to one who takes them slowly: nobody waits, and memory holds a part only."""
    row = {"op": "insert", "table": "T", "row": {"s": "w" * (2 * MB)}}
    n = 300 if "full" in sys.argv else 40
    for _ in range(n // 10):
        good.call("transact", ["F", row, row, row, row, row])
    before = daemon.resident_mb()
    slow = Client(daemon)
    slow.send("monitor_cond", ["F", "m", {"T": [{"columns": ["s"]}]}], 1)
    slow.send("list_dbs", [], 2)
    got = len(slow.sock.recv(MB))
    for _ in range(20):
        alive(daemon, good)
        got += len(slow.sock.recv(MB))
    # What happens meanwhile comes behind the first contents.
    good.call("transact", insert("last"))
    grown = daemon.resident_mb() - before
    tail = b""
    while b'"id":2' not in tail:
        data = slow.sock.recv(MB)
        assert data
        got += len(data)
        tail = (tail + data)[-300:]
    assert got > n * MB, got
    assert b'"insert":{"s":"last"}' in tail and tail.index(b'"update2"') < tail.index(b'"id":2'), tail
    good.call("transact", ["F", {"op": "delete", "table": "T", "where": []}])
    slow.sock.close()
    assert grown < 25, grown
    return "%d MB, of which %d MB in memory at a time" % (got // MB, grown)


def main():
    failures = 0
    with tempfile.TemporaryDirectory(prefix="weft-faults-") as top:
        daemon = Daemon(top)
        good = Client(daemon)
        for test in (byte_by_byte, half_closed, garbage, echo_flood, thousand_idle, large_message, does_not_read_answers, slow_first_contents,
                     does_not_read_updates, slow_handshakes):
            started = time.time()
            try:
                print("ok    %s: %s (%.1f s)" % (test.__name__, test(daemon, good), time.time() - started), flush=True)
            except Exception as e:
                failures += 1
                print("FAIL  %s: %s %s" % (test.__name__, type(e).__name__, str(e)[:500]), flush=True)
                if daemon.process.poll() is not None:
                    break
        daemon.stop()
    return 1 if failures else 0


sys.exit(main())
