"""What every benchmark group uses: rows of the result, daemons in a private folder, an OVSDB connection."""
import json, os, shutil, signal, socket, statistics, subprocess, sys, tempfile, time

signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: terminated"))  # so that daemons are stopped


def row(name, unit, ours, peer=None, limit=None, more_is_better=False):
    """One figure. The ratio is "how many times better than the peer"."""
    ratio = None
    if ours and peer:
        ratio = ours / peer if more_is_better else peer / ours
    return {"name": name, "unit": unit, "ours": ours, "peer": peer, "limit": limit, "ratio": ratio}


def rows_of(build, program, *args):
    """The figures that one of our bench programs prints, a JSON object a line; without a peer."""
    out = subprocess.run([os.path.join(build, "tests", program)] + list(args), check=True, text=True, stdout=subprocess.PIPE).stdout
    return [row(r["name"], r["unit"], r["ours"]) for r in map(json.loads, out.splitlines())]


def cpu_seconds(pid):
    """CPU time of all threads of a process, from the scheduler's statistics."""
    total = 0
    for tid in os.listdir("/proc/%d/task" % pid):
        try:
            with open("/proc/%d/task/%s/schedstat" % (pid, tid)) as f:
                total += int(f.read().split()[0])
        except OSError:
            pass
    return total / 1e9


def peak_mb(pid):
    """Largest resident size so far, in MB."""
    with open("/proc/%d/status" % pid) as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmHWM")) / 1024


class Folder:
    """A private run folder and the daemons started in it; ends only those."""

    def __init__(self, tag):
        self.path = tempfile.mkdtemp(prefix="weft-bench-%s-" % tag)
        self.running = []
        self.env = dict(os.environ)
        for v in ("RUNDIR", "DBDIR", "LOGDIR", "SYSCONFDIR"):
            for p in ("WEFT_", "OVN_", "OVS_"):
                self.env[p + v] = self.path

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for p in reversed(self.running):
            self.stop(p)
        shutil.rmtree(self.path, ignore_errors=True)

    def file(self, name):
        return os.path.join(self.path, name)

    def start(self, args, socket_name=None):
        log = open(self.file(os.path.basename(args[0]) + ".out"), "a")
        p = subprocess.Popen(args, cwd=self.path, env=self.env, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.running.append(p)
        end = time.time() + 120
        while socket_name and not os.path.exists(self.file(socket_name)):
            if p.poll() is not None or time.time() > end:
                with open(log.name) as f:
                    raise RuntimeError("%s did not start:\n%s" % (args[0], f.read()[-2000:]))
            time.sleep(0.005)
        return p

    def stop(self, p):
        if p.poll() is None:
            p.terminate()
            try:
                p.wait(30)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        if p in self.running:
            self.running.remove(p)

    def run(self, args):
        return subprocess.run(args, cwd=self.path, env=self.env, check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout


class Connection:
    """JSON-RPC to an OVSDB server on a unix socket (RFC 7047 section 4)."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        end = time.time() + 60
        while True:
            try:
                self.sock.connect(path)
                break
            except OSError:
                if time.time() > end:
                    raise
                time.sleep(0.005)
        self.pending, self.text, self.serial, self.decoder = [], "", 0, json.JSONDecoder()

    def message(self, timeout=600):
        self.sock.settimeout(timeout)
        while True:
            self.text = self.text.lstrip()
            if self.text.endswith("}") or 0 < len(self.text) < 65536:
                try:
                    value, n = self.decoder.raw_decode(self.text)
                    self.text = self.text[n:]
                    if value.get("method") == "echo":
                        self.send({"id": value["id"], "result": value["params"], "error": None})
                        continue
                    return value
                except ValueError:
                    pass
            data = self.sock.recv(1 << 20)
            if not data:
                raise EOFError("the server closed the connection")
            self.text += data.decode("latin-1")

    def send(self, value):
        self.sock.sendall(json.dumps(value, separators=(",", ":")).encode())

    def call(self, method, *params):
        self.serial += 1
        self.send({"method": method, "params": list(params), "id": self.serial})
        while True:
            m = self.message()
            if m.get("id") == self.serial:
                if m.get("error"):
                    raise RuntimeError(m["error"])
                return m["result"]
            self.pending.append(m)

    def notification(self):
        return self.pending.pop(0) if self.pending else self.message()

    def transact(self, db, operations):
        result = self.call("transact", db, *operations)
        bad = [r for r in result if r and "error" in r]
        if bad:
            raise RuntimeError(bad[0])
        return result


median = statistics.median
