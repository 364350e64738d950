"""The language alone: text of logical flows to OpenFlow flows, as the controller of one hypervisor makes them: it has the 20 machines of the
first switch and all datapaths. The texts are those that ovn-northd makes of the benchmark's network with ACLs and load balancers (or our
northd, without them, where there is no peer).

The peer's figures are recorded, not of this run: CPU time of the whole ovn-controller 26.03 a flow, in the same role at N switches, four fifths of
which is this path. A recompute parses all texts again, which is what a first pass does here; ours of a recompute is "cached"."""
import json, os, shutil, subprocess
from harness import Connection, Folder, row
import group_northd
import topology


PEER = {  # us of CPU an OpenFlow flow
    "text_to_flows": {100: 39.5, 500: 60, 1000: 107},  # cold start
    "cached": {100: 9.3, 500: 10.0, 1000: 12.2},  # full recompute
}


def datapath_groups(rows):
    """The lines "over", and the id that each logical flow of ROWS has there."""
    lists, ids = {}, []
    for keys in rows:
        ids.append(lists.setdefault(keys, "g%d" % len(lists)))
    return ["\t".join(("over", i, " ".join(keys))) for keys, i in lists.items()], ids


def network_of(central, n, with_policy):
    """The network of N switches as bench_language reads it (tests/bench/language/network.h)."""
    central.prepare(n)
    if with_policy:
        topology.fill_policy(central.nb, n)
    central.cold()
    central.connect()
    group_northd.watch_cfg(central.nb)
    group_northd.sync(central.nb, 1)

    def rows(table, *columns):
        ops = [{"op": "select", "table": table, "where": [], "columns": list(columns)}]
        return central.sb.transact("OVN_Southbound", ops)[0]["rows"]

    def items(value):  # of a set, which is written as its element when it has one
        return value[1] if value[0] == "set" else [value]

    datapaths = rows("Datapath_Binding", "_uuid", "tunnel_key", "external_ids")
    key = {d["_uuid"][1]: str(d["tunnel_key"]) for d in datapaths}
    groups = {g["_uuid"][1]: tuple(key[u] for _, u in items(g["datapaths"])) for g in rows("Logical_DP_Group", "_uuid", "datapaths")}
    lines = [("datapath", key[d["_uuid"][1]], "router" if any(k == "logical-router" for k, _ in d["external_ids"][1]) else "switch") for d in datapaths]
    for p in rows("Port_Binding", "logical_port", "datapath", "tunnel_key", "type"):
        is_away = not p["type"] and not p["logical_port"].startswith("lp-0-")  # the hypervisor has the machines of the first switch
        lines.append(("port", p["logical_port"], key[p["datapath"][1]], str(p["tunnel_key"]), "away" if is_away else "here"))
    lines += [("port", m["name"], key[m["datapath"][1]], str(m["tunnel_key"]), "here") for m in rows("Multicast_Group", "name", "datapath", "tunnel_key")]
    for g in rows("Port_Group", "name", "ports"):
        ports = [g["ports"]] if isinstance(g["ports"], str) else g["ports"][1]
        if ports:
            lines.append(("group", g["name"], " ".join(ports)))
    flows = rows("Logical_Flow", "pipeline", "table_id", "match", "actions", "logical_datapath", "logical_dp_group")
    over, ids = datapath_groups([groups[f["logical_dp_group"][1]] if f["logical_dp_group"][0] == "uuid" else (key[f["logical_datapath"][1]],)
                                 for f in flows])
    lines += [("lflow", f["pipeline"], str(f["table_id"]), f["match"], f["actions"], i) for f, i in zip(flows, ids)]
    return "".join(line + "\n" for line in over + ["\t".join(line) for line in lines])


def run(build, quick):
    has_peer = shutil.which("ovn-northd") is not None
    rows = []
    for n in [20] if quick else [100, 500, 1000]:
        with Folder("language") as folder:
            central = group_northd.Peer(folder) if has_peer else group_northd.Ours(folder, build)
            path = folder.file("network.txt")
            with open(path, "w") as f:
                f.write(network_of(central, n, has_peer))
            program = os.path.join(build, "tests", "bench_language")
            out = subprocess.run([program, path], check=True, text=True, stdout=subprocess.PIPE).stdout
        rows += [row("%s N=%d" % (r["name"], n), r["unit"], r["ours"], PEER.get(r["name"], {}).get(n)) for r in map(json.loads, out.splitlines())]
    return rows
