"""db: weft-dbd beside ovsdb-server with the northbound schema: transactions, memory, start, snapshots, fan-out, conditional monitors.
A transaction inserts a Logical_Switch_Port and adds it to one of 200 switches."""
import json, os, selectors, shutil, socket, sqlite3, time
from harness import Connection, Folder, cpu_seconds, median, row

SCHEMA = "/usr/share/ovn/ovn-nb.ovsschema"
DB = "OVN_Northbound"
OK = b'"error":null'


def resident_mb(pid):
    with open("/proc/%d/status" % pid) as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS")) / 1024


class Server:
    """A database server with one database: start(), then a Connection a client."""

    def __init__(self, folder, relaxed=False):
        self.folder, self.relaxed, self.file = folder, relaxed, folder.file("nb.db")

    def start(self):
        if not os.path.exists(self.file):
            self.folder.run(self.create + [self.file, SCHEMA])
        if os.path.exists(self.folder.file("db.sock")):
            os.unlink(self.folder.file("db.sock"))
        self.process = self.folder.start(self.command + ["-vconsole:off", "--remote=punix:" + self.folder.file("db.sock"),
                                                         "--unixctl=" + self.folder.file("db.ctl"), self.file], "db.sock")
        self.pid = self.process.pid
        return self

    def stop(self):
        self.folder.stop(self.process)

    def connect(self):
        return Connection(self.folder.file("db.sock"))


class Ours(Server):
    def __init__(self, folder, build, relaxed=False):
        super().__init__(folder, relaxed)
        self.create = [os.path.join(build, "bin", "weft-dbctl"), "create"]
        self.command = [os.path.join(build, "bin", "weft-dbd")] + (["--durability=relaxed"] if relaxed else [])


class Peer(Server):
    create, command = ["ovsdb-tool", "create"], ["ovsdb-server"]


def text(value):
    return json.dumps(value, separators=(",", ":")).encode()


def port(k, tag="t"):
    a, b, c = k >> 16 & 255, k >> 8 & 255, k & 255
    return {"name": "%s-%d" % (tag, k), "addresses": "0a:00:00:%02x:%02x:%02x 10.%d.%d.%d" % (a, b, c, a, b, c)}


def transaction(k, switch, durable):
    ops = [DB, {"op": "insert", "table": "Logical_Switch_Port", "uuid-name": "x", "row": port(k)},
           {"op": "mutate", "table": "Logical_Switch", "where": [["_uuid", "==", switch]],
            "mutations": [["ports", "insert", ["set", [["named-uuid", "x"]]]]]}]
    return text({"method": "transact", "params": ops + ([{"op": "commit", "durable": True}] if durable else []), "id": k})


def insert_switches(c, n):
    return [r["uuid"] for r in c.transact(DB, [{"op": "insert", "table": "Logical_Switch", "row": {"name": "s%d" % i}} for i in range(n)])]


class Replies:
    """Counts the good replies that a socket has brought; each ends in "error":null."""

    def __init__(self, sock):
        self.sock, self.tail = sock, b""
        sock.settimeout(120)

    def wait(self):
        """At least one more; how many there were."""
        n = 0
        while not n:
            data = self.sock.recv(1 << 18)
            if not data:
                raise EOFError("the server closed the connection")
            data = self.tail + data
            if b'"error":"' in data:
                raise RuntimeError(data[:500])
            n = data.count(OK)
            self.tail = data[-(len(OK) - 1):]
        return n


def synchronous(server, n):
    c = server.connect()
    switches = insert_switches(c, 200)
    messages = [transaction(k, switches[k % 200], True) for k in range(n)]
    replies = Replies(c.sock)
    started = time.perf_counter()
    for m in messages:
        c.sock.sendall(m)
        replies.wait()
    return n / (time.perf_counter() - started)


def pipelined(server, n, durable):
    """One client that keeps 100 transactions under way: how many a second, and CPU of the server in us each."""
    c = server.connect()
    switches = insert_switches(c, 200)
    messages = [transaction(k, switches[k % 200], durable) for k in range(n)]
    replies = Replies(c.sock)
    sent = got = 0
    cpu, started = cpu_seconds(server.pid), time.perf_counter()
    while got < n:
        if sent < n and sent - got <= 50:
            end = min(n, got + 100)
            c.sock.sendall(b"".join(messages[sent:end]))
            sent = end
        got += replies.wait()
    return n / (time.perf_counter() - started), (cpu_seconds(server.pid) - cpu) / n * 1e6


def batch(c, switches, first, n):
    """One durable transaction of N ports on SWITCHES; seconds."""
    ops, each = [], n // len(switches)
    for i, s in enumerate(switches):
        names = []
        for k in range(first + i * each, first + (i + 1) * each):
            ops.append({"op": "insert", "table": "Logical_Switch_Port", "uuid-name": "x%d" % k, "row": port(k, "b")})
            names.append(["named-uuid", "x%d" % k])
        ops.append({"op": "mutate", "table": "Logical_Switch", "where": [["_uuid", "==", s]], "mutations": [["ports", "insert", ["set", names]]]})
    message = text({"method": "transact", "params": [DB] + ops + [{"op": "commit", "durable": True}], "id": 1})
    replies = Replies(c.sock)
    started = time.perf_counter()
    c.sock.sendall(message)
    replies.wait()
    return time.perf_counter() - started


def snapshot(server, n, rows):
    """Seconds until N clients that ask at once have the initial contents."""
    request = text({"method": "monitor_cond", "id": 1, "params": [DB, "m", {"Logical_Switch_Port": [{"columns": ["name", "addresses"]}]}]})
    clients = [server.connect().sock for _ in range(n)]
    selector, tails, counts = selectors.DefaultSelector(), {}, {}
    started = time.perf_counter()
    for s in clients:
        s.sendall(request)
        s.setblocking(False)
        selector.register(s, selectors.EVENT_READ)
        tails[s], counts[s] = b"", 0
    while clients:
        for key, _ in selector.select(60):
            s = key.fileobj
            data = s.recv(1 << 20)
            counts[s] += data.count(b'"initial"') + (tails[s] + data[:8]).count(b'"initial"')  # split between two reads
            whole = tails[s] + data
            tails[s] = whole[-8:]
            if OK in whole[-40:]:
                selector.unregister(s)
                clients.remove(s)
                if counts[s] < rows:
                    raise RuntimeError("%d of %d rows" % (counts[s], rows))
    return time.perf_counter() - started


def hundred_thousand(server, rows):
    """Memory, start and snapshots to 1 and to 10 clients with ROWS rows."""
    server.start()
    before = resident_mb(server.pid)
    c = server.connect()
    switches = insert_switches(c, rows // 100)
    part = len(switches) // 10
    for b in range(10):
        batch(c, switches[b * part:(b + 1) * part], b * rows // 10, rows // 10)
    memory = resident_mb(server.pid) - before
    server.stop()
    times = []
    for _ in range(3):
        started = time.perf_counter()
        server.start()
        server.connect().transact(DB, [{"op": "select", "table": "NB_Global", "where": [], "columns": ["_uuid"]}])
        times.append(time.perf_counter() - started)
        if len(times) < 3:
            server.stop()
    snapshots = [median([snapshot(server, n, rows) for _ in range(3)]) for n in (1, 10)]
    server.stop()
    return [memory, median(times)] + snapshots


def cpu_at_rest(pid):
    """CPU seconds of a server when it sleeps: what it does after its answers counts too, and all of it is in the kernel's books."""
    while True:
        with open("/proc/%d/stat" % pid) as f:
            if f.read().rsplit(")", 1)[1].split()[0] == "S":
                return cpu_seconds(pid)


def watched_writes(server, clients, requests, concerned, n):
    """CPU of the server in us a write while CLIENTS monitors look on, of whom CONCERNED have to be told."""
    server.start()
    writer = server.connect()
    switches = insert_switches(writer, 50)
    batch(writer, switches, 0, 1000)
    selector, tails, watchers = selectors.DefaultSelector(), {}, []
    for i in range(clients):
        w = server.connect()
        w.call("monitor_cond", DB, "m", requests(i))
        w.sock.setblocking(False)
        selector.register(w.sock, selectors.EVENT_READ)
        watchers.append(w)
    costs, replies = [], Replies(writer.sock)
    for k in range(20000, 20000 + n):
        mark, left = b'"t-%d"' % k, concerned
        cpu = cpu_at_rest(server.pid)
        writer.sock.sendall(transaction(k, switches[k % 50], False))
        while left:
            for key, _ in selector.select(30):
                data = tails.get(key.fd, b"") + key.fileobj.recv(1 << 16)
                left -= mark in data
                tails[key.fd] = b"" if mark in data else data
        replies.wait()
        costs.append((cpu_at_rest(server.pid) - cpu) * 1e6)
    server.stop()
    return median(costs)


def everything(_):
    return {"Logical_Switch_Port": [{}], "Logical_Switch": [{}]}


def only_its_own(i):
    """Two clients want what has type "" (as all have here), the others a type of their own."""
    return {"Logical_Switch_Port": [{"columns": ["name", "type"], "where": [["type", "==", "" if i < 2 else "type-%d" % i]]}]}


def bare_disk(folder, n):
    """Durable commits a second of SQLite with an insert and an update each, and of write and fdatasync of 400 bytes."""
    db = sqlite3.connect(folder.file("bare.db"), isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, a, b)")
    started = time.perf_counter()
    for i in range(n):
        db.execute("BEGIN")
        db.execute("INSERT INTO t VALUES(?,?,?)", (i, "x" * 40, "y" * 40))
        db.execute("UPDATE t SET b=? WHERE id=?", ("z" * 40, i // 2))
        db.execute("COMMIT")
    sqlite = n / (time.perf_counter() - started)
    fd = os.open(folder.file("bare"), os.O_CREAT | os.O_WRONLY)
    started = time.perf_counter()
    for _ in range(n):
        os.write(fd, b"x" * 400)
        os.fdatasync(fd)
    return max(sqlite, n / (time.perf_counter() - started))


def round_trip(n):
    """Microseconds that the client of synchronous() takes for a way there and back, when the other side only echoes."""
    near, far = socket.socketpair()
    pid = os.fork()
    if not pid:
        near.close()
        while far.recv(1 << 16):
            far.send(b'{"id":1,"result":[{},{"count":1},{}],"error":null}')
        os._exit(0)
    far.close()
    replies, message = Replies(near), transaction(1, "0" * 36, True)
    started = time.perf_counter()
    for _ in range(n):
        near.sendall(message)
        replies.wait()
    took = time.perf_counter() - started
    near.close()
    os.waitpid(pid, 0)
    return took / n * 1e6


def one_batch(server):
    c = server.start().connect()
    return batch(c, insert_switches(c, 100), 0, 10000)


def works(q):
    """What is measured: names of figures, the work on a fresh server, whether it is not durable, how often (the median is taken)."""
    n = q["repeat"]
    yield ["durable_sync"], lambda s: [synchronous(s.start(), q["sync"])], False, n
    yield ["durable_pipelined_100", "cpu_per_txn"], lambda s: pipelined(s.start(), q["pipelined"], True), False, n
    yield ["nondurable_pipelined_100"], lambda s: pipelined(s.start(), q["pipelined"], False), True, n
    yield ["batch_10000_rows"], lambda s: [one_batch(s)], False, n
    yield ["rss", "start", "snapshot_1", "snapshot_10"], lambda s: hundred_thousand(s, q["rows"]), False, 1
    yield ["fanout_200_cpu"], lambda s: [watched_writes(s, 200, everything, 200, q["writes"])], True, 1
    yield ["conditional_2_cpu"], lambda s: [watched_writes(s, 2, only_its_own, 2, q["writes"])], True, 1
    yield ["conditional_500_cpu"], lambda s: [watched_writes(s, 500, only_its_own, 2, q["writes"])], True, 1


def measure(sides, q):
    """SIDES make servers: make(folder, relaxed). They take turns, so that what else the machine does meets all alike. A dictionary of figures each;
    in the turns of durable_sync there are also the bare disk and the bare client."""
    figures = [{} for _ in sides]
    disk, client = [], []
    for names, work, relaxed, repeat in works(q):
        runs = [[] for _ in sides]
        for _ in range(repeat):
            if names[0] == "durable_sync":
                with Folder("db") as folder:
                    disk.append(bare_disk(folder, q["sync"]))
                client.append(round_trip(q["sync"]))
            for side, make in enumerate(sides):
                with Folder("db") as folder:
                    runs[side].append(work(make(folder, relaxed)))
        for side in range(len(sides)):
            figures[side].update((name, median([r[i] for r in runs[side]])) for i, name in enumerate(names))
    figures[0]["client_round_trip"] = median(client)
    return figures, median(disk)


NAMES = (("durable_sync", "/s", True), ("client_round_trip", "us", False), ("durable_pipelined_100", "/s", True), ("nondurable_pipelined_100", "/s", True),
         ("cpu_per_txn", "us", False), ("batch_10000_rows", "s", False), ("rss", "MB", False), ("start", "s", False), ("snapshot_1", "s", False), ("snapshot_10", "s", False),
         ("fanout_200_cpu", "us", False), ("conditional_2_cpu", "us", False), ("conditional_500_cpu", "us", False))


def run(build, quick):
    q = ({"sync": 300, "pipelined": 1000, "repeat": 1, "rows": 10000, "writes": 20} if quick else
         {"sync": 2000, "pipelined": 10000, "repeat": 3, "rows": 100000, "writes": 100})
    with_peer = shutil.which("ovsdb-server") is not None
    sides = [lambda folder, relaxed: Ours(folder, build, relaxed)] + ([Peer] if with_peer else [])
    figures, limit = measure(sides, q)
    ours, peer = (figures + [{}])[:2]
    size = "%dk_rows" % (q["rows"] // 1000)
    full = {"rss": "rss_" + size, "start": "start_" + size}
    return [row(full.get(name, name), unit, ours[name], peer.get(name), limit if name == "durable_sync" else None, more) for name, unit, more in NAMES]
