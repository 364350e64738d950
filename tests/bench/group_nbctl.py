"""nbctl: lsp-add of one port on a database of many, from starting the program until it has ended; ours with our server beside Debian's with Debian's."""
import os, shutil, time
from harness import Folder, median, row
from group_db import Ours, Peer
import topology


def measure(server, tool, switches, ports, reps):
    server.start()
    conn = server.connect()
    for i in range(switches):
        names = [topology.port_row(i, p)["name"] for p in range(ports)]
        ops = [topology.insert("Logical_Switch_Port", {"name": name}, "p%d" % p) for p, name in enumerate(names)]
        ops.append(topology.insert("Logical_Switch", {"name": "sw%d" % i, "ports": ["set", [topology.ref("p%d" % p) for p in range(ports)]]}, "sw"))
        conn.transact(topology.DB, ops)
    times = []
    for k in range(reps):
        started = time.perf_counter()
        server.folder.run([tool, "--db=unix:" + server.folder.file("db.sock"), "lsp-add", "sw%d" % (k % switches), "new%d" % k])
        times.append((time.perf_counter() - started) * 1e3)
    server.stop()
    return median(times)


def run(build, quick):
    switches, ports, reps = (20, 50, 5) if quick else (100, 200, 11)
    with Folder("ours") as folder:
        ours = measure(Ours(folder, build), os.path.join(build, "bin", "weft-nbctl"), switches, ports, reps)
    peer = None
    if shutil.which("ovn-nbctl"):
        with Folder("peer") as folder:
            peer = measure(Peer(folder), "ovn-nbctl", switches, ports, reps)
    return [row("lsp_add_of_%d" % (switches * ports), "ms", ours, peer)]
