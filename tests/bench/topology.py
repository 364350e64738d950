"""The network that northd and controller are measured on, put into a northbound database by plain transactions.

N switches of 20 ports each hang on one cluster router; a join switch leads to an edge router with a route back. That is what
both sides compile today. fill_policy adds ten ACLs on a port group of all ports and a hundred load balancers on every switch, one by
one or by a group: the logical flows that the language is measured on."""

DB = "OVN_Northbound"


def mac(kind, i, p):
    return "0a:%02x:%02x:%02x:%02x:%02x" % (kind, i >> 8, i & 255, p >> 8, p & 255)


def subnet(i):
    return "10.%d.%d" % (16 + (i >> 8), i & 255)


def ref(name):
    return ["named-uuid", name]


def insert(table, row, name):
    return {"op": "insert", "table": table, "row": row, "uuid-name": name}


def port_row(i, p, secure=False):
    addresses = "%s %s.%d" % (mac(1, i, p), subnet(i), 10 + p)
    return dict({"name": "lp-%d-%d" % (i, p), "addresses": addresses}, **({"port_security": addresses} if secure else {}))


def link(switch_port, router_port):
    return {"name": switch_port, "type": "router", "addresses": "router", "options": ["map", [["router-port", router_port]]]}


def fill(conn, n, ports=20, batch=20, secure=False):
    """Makes the network in a few transactions; SECURE: with port security."""
    ops = [
        insert("Logical_Router_Port", {"name": "cr-join", "mac": mac(2, 0, 1), "networks": "100.64.0.1/16"}, "crj"),
        insert("Logical_Router_Port", {"name": "er-join", "mac": mac(2, 0, 2), "networks": "100.64.0.2/16"}, "erj"),
        insert("Logical_Router_Static_Route", {"ip_prefix": "0.0.0.0/0", "nexthop": "100.64.0.2"}, "r1"),
        insert("Logical_Router_Static_Route", {"ip_prefix": "10.0.0.0/8", "nexthop": "100.64.0.1"}, "r2"),
        insert("Logical_Router", {"name": "cr", "ports": ref("crj"), "static_routes": ref("r1")}, "cr"),
        insert("Logical_Router", {"name": "er", "ports": ref("erj"), "static_routes": ref("r2")}, "er"),
        insert("Logical_Switch_Port", link("join-cr", "cr-join"), "jc"),
        insert("Logical_Switch_Port", link("join-er", "er-join"), "je"),
        insert("Logical_Switch", {"name": "join", "ports": ["set", [ref("jc"), ref("je")]]}, "join"),
        insert("NB_Global", {"nb_cfg": 0}, "g"),
    ]
    if conn.transact(DB, [{"op": "select", "table": "NB_Global", "where": [], "columns": ["nb_cfg"]}])[0]["rows"]:
        ops.pop()
    router = conn.transact(DB, ops)[4]["uuid"]
    for low in range(0, n, batch):
        ops, uplinks = [], []
        for i in range(low, min(n, low + batch)):
            names = ["p%d_%d" % (i, p) for p in range(ports)] + ["u%d" % i]
            ops += [insert("Logical_Switch_Port", port_row(i, p, secure), names[p]) for p in range(ports)]
            ops.append(insert("Logical_Switch_Port", link("ls%d-cr" % i, "cr-ls%d" % i), names[-1]))
            ops.append(insert("Logical_Switch", {"name": "ls%d" % i, "ports": ["set", [ref(x) for x in names]]}, "s%d" % i))
            ops.append(insert("Logical_Router_Port", {"name": "cr-ls%d" % i, "mac": mac(3, i, 0), "networks": subnet(i) + ".1/24"}, "l%d" % i))
            uplinks.append(ref("l%d" % i))
        ops.append({"op": "mutate", "table": "Logical_Router", "where": [["_uuid", "==", router]],
                    "mutations": [["ports", "insert", ["set", uplinks]]]})
        conn.transact(DB, ops)


def add_port_ops(i, p):
    """One more port on switch I."""
    return [insert("Logical_Switch_Port", port_row(i, p), "x"),
            {"op": "mutate", "table": "Logical_Switch", "where": [["name", "==", "ls%d" % i]], "mutations": [["ports", "insert", ref("x")]]}]


ACLS = (
    ("from-lport", 1000, "inport == @pg_all && ip", "drop"),
    ("to-lport", 1000, "outport == @pg_all && ip", "drop"),
    ("from-lport", 2000, "inport == @pg_all && ip4.dst == 10.0.0.0/8 && tcp.dst == {80, 443, 8080}", "allow-related"),
    ("from-lport", 2001, "inport == @pg_all && ip4.dst == 172.30.0.0/16 && tcp", "allow-related"),
    ("from-lport", 2002, "inport == @pg_all && udp.dst == 53", "allow-related"),
    ("from-lport", 2003, "inport == @pg_all && icmp4", "allow-related"),
    ("to-lport", 2000, "outport == @pg_all && ip4.src == 10.0.0.0/8 && tcp.dst == {80, 443, 8080}", "allow-related"),
    ("to-lport", 2001, "outport == @pg_all && ip4.src == 10.0.0.0/8 && udp", "allow-related"),
    ("to-lport", 2002, "outport == @pg_all && ip4.src == {192.168.0.0/16, 172.16.0.0/12} && tcp.dst == 8443", "allow-related"),
    ("to-lport", 2003, "outport == @pg_all && icmp4", "allow-related"),
)


def fill_policy(conn, n, ports=20, balancers=100, group=False):
    """ACLs, a port group and load balancers over the network that fill made; GROUP: the load balancers are in a group."""
    ops = []
    for k in range(balancers):
        backends = ",".join("%s.%d:8080" % (subnet((k * 7 + j * 3) % n), 10 + (k + j) % ports) for j in range(3))
        ops.append(insert("Load_Balancer", {"name": "lb%d" % k, "protocol": "tcp",
                                            "vips": ["map", [["172.30.0.%d:80" % (k + 1), backends]]]}, "lb%d" % k))
    for k, (direction, priority, match, action) in enumerate(ACLS):
        ops.append(insert("ACL", {"direction": direction, "priority": priority, "match": match, "action": action}, "acl%d" % k))
    rows = conn.transact(DB, [{"op": "select", "table": "Logical_Switch_Port", "where": [["type", "==", ""]], "columns": ["_uuid"]}])[0]["rows"]
    ops.append(insert("Port_Group", {"name": "pg_all", "ports": ["set", [r["_uuid"] for r in rows]],
                                     "acls": ["set", [ref("acl%d" % k) for k in range(len(ACLS))]]}, "pg"))
    all_balancers = ["set", [ref("lb%d" % k) for k in range(balancers)]]
    if group:
        ops.append(insert("Load_Balancer_Group", {"name": "all", "load_balancer": all_balancers}, "lbg"))
    ops.append({"op": "mutate", "table": "Logical_Switch", "where": [["name", "!=", "join"]],
                "mutations": [["load_balancer_group", "insert", ref("lbg")] if group else ["load_balancer", "insert", all_balancers]]})
    conn.transact(DB, ops)
