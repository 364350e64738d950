"""The language alone: text of logical flows to OpenFlow flows. The texts are those that ovn-northd makes of the benchmark's network
with ACLs and load balancers (or our northd, without them, where there is no peer)."""
import json, os, shutil, subprocess
from harness import Connection, Folder, row
import group_northd
import topology


def flows_of(central, n, with_policy):
    """The logical flows of the network as lines: pipeline, table, priority, match, actions, with tabs between."""
    central.prepare(n)
    if with_policy:
        topology.fill_policy(central.nb, n)
    central.cold()
    central.connect()
    group_northd.watch_cfg(central.nb)
    group_northd.sync(central.nb, 1)
    columns = ["pipeline", "table_id", "priority", "match", "actions"]
    rows = central.sb.transact("OVN_Southbound", [{"op": "select", "table": "Logical_Flow", "where": [], "columns": columns}])[0]["rows"]
    return "".join("\t".join(str(r[c]) for c in columns) + "\n" for r in rows)


def run(build, quick):
    has_peer = shutil.which("ovn-northd") is not None
    rows = []
    for n in [20] if quick else [100, 500, 1000]:
        with Folder("language") as folder:
            central = group_northd.Peer(folder) if has_peer else group_northd.Ours(folder, build)
            path = folder.file("flows.txt")
            with open(path, "w") as f:
                f.write(flows_of(central, n, has_peer))
            program = os.path.join(build, "tests", "bench_language")
            out = subprocess.run([program, path], check=True, text=True, stdout=subprocess.PIPE).stdout
        rows += [row("%s N=%d" % (r["name"], n), r["unit"], r["ours"]) for r in map(json.loads, out.splitlines())]
    return rows
