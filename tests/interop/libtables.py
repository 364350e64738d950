"""libtables.py - full tables (limits, eviction, vacancy events), names of tables, and changes of role, on our switch and Debian's: the
same steps on both, the same answers."""
import re
import struct

import libopenflow as lib

# "evict" tables hold flows with one timeout apart, so that which one goes is certain.
LIMITS = [
    ("three fit", "add", "table=1,in_port=0,actions=drop"), ("", "add", "table=1,in_port=1,actions=drop"), ("", "add", "table=1,in_port=2,actions=drop"),
    ("the fourth does not", "add", "table=1,in_port=9,actions=drop"),
    ("one in place of another does", "add", "table=1,in_port=0,actions=1"),
    ("in another table", "add", "table=2,in_port=0,actions=1"),
    ("a modification that adds does not", "mod10", "table=1,in_port=7,actions=1"),
    ("nor does the third message of a bundle", "bundle", "delete table=1,in_port=0\nadd table=1,in_port=10,actions=1\nadd table=1,in_port=11,actions=1"),
    ("a bundle that makes room first", "bundle", "delete table=1,in_port=0\nadd table=1,in_port=10,actions=1"),
    ("", "dump", ""), ("", "del", "table=1"),
    ("eviction by OpenFlow", "evict", "1"),
    ("", "add", "table=1,in_port=1,hard_timeout=100,importance=5,actions=drop"), ("", "add", "table=1,in_port=2,hard_timeout=50,importance=5,actions=drop"),
    ("", "add", "table=1,in_port=3,importance=1,actions=drop"),
    ("of equal importance the one that ends first goes", "add", "table=1,in_port=4,importance=1,hard_timeout=100,actions=drop"), ("", "dump", ""),
    ("the least important goes", "add", "table=1,in_port=5,importance=0,idle_timeout=100,actions=drop"), ("", "dump", ""),
    ("", "add", "table=1,in_port=6,hard_timeout=10,importance=9,actions=drop"), ("", "add", "table=1,in_port=7,actions=drop"), ("", "dump", ""),
    ("", "add", "table=1,in_port=8,actions=drop"),
    ("flows without a timeout stay", "add", "table=1,in_port=9,actions=drop"), ("", "dump", ""),
    ("a bundle that fails brings back what it evicted", "del", "table=1"), ("", "add", "table=1,in_port=1,hard_timeout=100,actions=drop"),
    ("", "add", "table=1,in_port=2,hard_timeout=200,actions=drop"), ("", "add", "table=1,in_port=3,actions=drop"),
    ("", "bundle", "add table=1,in_port=4,hard_timeout=300,actions=drop\nadd table=1,in_port=5,hard_timeout=300,actions=drop\nadd table=254,actions=drop"),
    ("", "dump", ""),
    ("no more eviction", "noevict", "1"), ("", "add", "table=1,in_port=9,actions=drop"),
    ("a lower limit alone takes nothing", "vsctl", "set Flow_Table first flow_limit=2"), ("", "dump", ""),
    ("with eviction it does", "vsctl", "set Flow_Table first overflow_policy=evict"), ("", "dump", ""),
    ("names", "tables10", ""), ("", "tables14", ""), ("", "desc", ""),
    ("", "vsctl", "set Flow_Table first name=second"), ("", "tables10", ""),
    ("a name by OpenFlow", "name", "3 third"), ("", "tables10", ""),
    ("the database's name counts", "name", "1 other"), ("", "tables10", ""), ("", "vsctl", "clear Flow_Table second name"), ("", "tables10", ""),
    ("no limit any more", "vsctl", "clear Bridge br0 flow_tables"), ("", "add", "table=1,in_port=9,actions=drop"),
    ("", "add", "table=1,in_port=10,actions=drop"), ("", "add", "table=1,in_port=11,actions=drop"), ("", "desc", ""),
]
GROUPS = [
    ("the largest group loses", "add", "table=1,in_port=1,ip,nw_dst=1.1.1.1,hard_timeout=10,actions=drop"),
    ("", "add", "table=1,in_port=2,ip,nw_dst=1.1.1.2,hard_timeout=60,actions=drop"),
    ("", "add", "table=1,in_port=2,ip,nw_dst=1.1.1.3,hard_timeout=90,actions=drop"),
    ("", "add", "table=1,in_port=2,ip,nw_dst=1.1.1.4,hard_timeout=20,importance=7,actions=drop"),
    ("", "add", "table=1,in_port=3,ip,nw_dst=1.1.1.5,hard_timeout=5,actions=drop"), ("", "dump", ""),
    ("", "add", "table=1,in_port=4,ip,nw_dst=1.1.1.6,hard_timeout=5,actions=drop"), ("", "dump", ""),
    ("a flow without the field is in group 0", "del", "table=1"), ("", "add", "table=1,ip,nw_dst=1.1.1.8,hard_timeout=90,actions=drop"),
    ("", "add", "table=1,in_port=1,hard_timeout=10,actions=drop"), ("", "add", "table=1,arp,hard_timeout=60,actions=drop"),
    ("", "add", "table=1,in_port=2,hard_timeout=10,actions=drop"), ("", "add", "table=1,in_port=5,hard_timeout=7,actions=drop"), ("", "dump", ""),
    ("", "del", ""), ("", "vsctl", "clear Bridge br0 flow_tables"),
]


def step(switch, what, argument):
    of = lambda version, *a, **kw: switch.ofctl("-O", "OpenFlow%d" % version, *a, **kw)
    if what == "vsctl":
        return switch.vsctl(*argument.split()).stderr
    if what == "mod10":
        r = of(10, "--strict", "mod-flows", "br0", argument)
    elif what == "bundle":
        r = of(14, "--bundle", "add-flows", "br0", "-", input=argument)
        return r.returncode, re.findall(r"OFPFMFC_\w+|OFPBRC_\w+", r.stderr)[:1]
    elif what in ("evict", "noevict"):
        r = of(14, "mod-table", "br0", argument, what)
    elif what == "name":
        table, name = argument.split()
        r = of(13, "mod-table", "br0", table, "name:" + name)
        return r.returncode, re.findall(r"OFPTFFC_\w+", r.stderr)[:1]
    elif what.startswith("tables"):
        r = of(int(what[6:]), "dump-tables", "br0")
        return re.sub(r"lookup=\d+, matched=\d+", "", r.stdout)
    elif what == "desc":
        r = of(14, "dump-table-desc", "br0")
    else:
        r = of(14, {"add": "add-flow", "del": "del-flows", "dump": "dump-flows"}[what], "br0", *argument.split())
    lines = re.sub(r"duration=[\d.]+s, |(idle|hard)_age=\d+, |\(xid=0x[0-9a-f]+\)", "", r.stdout + r.stderr).splitlines()
    return r.returncode, lines if what == "desc" else sorted(lines)


def run_steps(checks, ours, peer, steps):
    name = ""
    for title, what, argument in steps:
        name = title or name
        checks.equal("%s (%s %s)" % (name, what, argument.split("\n")[0]), step(peer, what, argument), step(ours, what, argument))


def limit(switch, *columns):
    switch.ofctl("del-flows", "br0")
    return switch.vsctl("set", "Bridge", "br0", "flow_tables:1=@t", "--", "--id=@t", "create", "Flow_Table", "name=first", *columns).returncode


def listen(switch, version):
    c = switch.connect(version)
    c.ask(c.message(9, struct.pack(">HH", 0, 65535)))
    return c


def vacancy(switch, version):
    """What a controller hears while a table of ten fills up and empties."""
    limit(switch, "flow_limit=10")
    c = listen(switch, version)
    heard = [c.ask(c.message(28, struct.pack(">HHI", 9, 8, 0x18)))]
    heard += [m[8:64] for m in c.ask(c.message(26))]    # what was not said stays
    switch.ofctl("-O", "OpenFlow14", "mod-table", "br0", "1", "vacancy:40,60")
    now = lambda: [m[1:2] + m[8:] for m in c.ask(b"")]
    for i in range(10):
        switch.ofctl("add-flow", "br0", "table=1,idle_timeout=99,in_port=%d,actions=drop" % i)
        heard.append(now())
    for i in range(10):
        switch.ofctl("del-flows", "br0", "table=1,in_port=%d" % i)
        heard.append(now())
    switch.ofctl("-O", "OpenFlow14", "--bundle", "add-flows", "br0", "-", input="".join("table=1,in_port=%d,actions=drop\n" % i for i in range(9)))
    heard.append(now())
    switch.ofctl("-O", "OpenFlow14", "mod-table", "br0", "1", "vacancy:70,90")
    switch.ofctl("del-flows", "br0", "table=1,in_port=1")
    heard.append(now())
    switch.ofctl("-O", "OpenFlow14", "mod-table", "br0", "1", "novacancy")
    switch.ofctl("del-flows", "br0")
    heard.append(now())
    switch.vsctl("clear", "Bridge", "br0", "flow_tables")
    c.close()
    return heard


def table_mods(c):
    """(name, request) of TABLE_MODs, good and bad."""
    mod = lambda table, config, rest=b"": c.message(17, struct.pack(">B3xI", table, config) + rest)
    for config in (0, 3, 4, 8, 12, 16):
        yield "config %d" % config, mod(2, config)
    for table in (253, 254, 255):
        yield "table %d" % table, mod(table, 0)
    yield "short", c.message(17, bytes(4))
    yield "eviction flags", mod(2, 4, struct.pack(">HHI", 2, 8, 7))
    for down, up in ((10, 90), (90, 10), (50, 50), (0, 101), (101, 102)):
        yield "vacancy %d to %d" % (down, up), mod(2, 8, struct.pack(">HHBB2x", 3, 8, down, up))
    yield "long property", mod(2, 0, struct.pack(">HHQ4x", 2, 12, 7))


def role_changes(switch, version):
    """What two connections hear while they take the role of primary from each other."""
    a, b = listen(switch, version), listen(switch, version)
    heard = []
    for c, role in ((a, 2), (b, 2), (a, 2), (b, 3), (b, 1), (a, 3)):
        switch.generation = getattr(switch, "generation", 0) + 1
        heard.append(c.ask(c.message(24, struct.pack(">I4xQ", role, switch.generation)) if version > 1 else c.experimenter(0x2320, 10, struct.pack(">I", role - 1))))
        heard.append((a if c is b else b).ask(b""))
    a.close(), b.close()
    return heard


GROUPS10 = ["add-group br0 group_id=1,type=select,bucket=output:1,bucket=weight:7,output:2", "dump-groups br0", "dump-group-stats br0",
            "add-group br0 group_id=1,type=all", "mod-group br0 group_id=1,type=all,bucket=output:1", "mod-group br0 group_id=2,type=all",
            "insert-buckets br0 group_id=1,command_bucket_id=last,bucket=bucket_id:5,actions=output:2", "dump-groups br0",
            "remove-buckets br0 group_id=1,command_bucket_id=5", "dump-groups br0 1", "del-groups br0 group_id=1", "dump-groups br0",
            "add-group br0 group_id=3,type=select,selection_method=hash,fields(ip_src,ip_dst),bucket=watch_port:1,output:1", "dump-groups br0", "del-groups br0"]


def groups10(switch):
    """Groups over OpenFlow 1.0 with Nicira's messages, as ovs-ofctl does without -O."""
    answers = []
    for command in GROUPS10:
        r = switch.ofctl(*command.split())
        answers.append((command, r.returncode, re.sub(r"duration=[\d.]+s", "", r.stdout), re.findall(r"OFPGMFC_\w+", r.stderr)))
    return answers


def main(checks, ours, peer):
    for wanted, got in zip(groups10(peer), groups10(ours)):
        checks.equal("OpenFlow 1.0: " + wanted[0], wanted, got)
    for s in (ours, peer):
        limit(s, "flow_limit=3")
    run_steps(checks, ours, peer, LIMITS)
    for s in (ours, peer):
        limit(s, "flow_limit=4", "overflow_policy=evict", 'groups=["NXM_OF_IN_PORT[]","no such field"]')
    run_steps(checks, ours, peer, GROUPS)
    for version in (5, 6):
        checks.equal("OpenFlow 1.%d: vacancy events" % (version - 1), vacancy(peer, version), vacancy(ours, version))
    for version in (4, 5, 6):
        mine, theirs = ours.connect(version), peer.connect(version)
        for (name, request), (_, again) in zip(table_mods(mine), table_mods(theirs)):
            checks.equal("OpenFlow 1.%d: TABLE_MOD, %s" % (version - 1, name), lib.error(theirs.ask(again)), lib.error(mine.ask(request)))
        mine.close(), theirs.close()
    for version in (1, 4, 5, 6):
        checks.equal("OpenFlow 1.%d: changes of role" % (version - 1), role_changes(peer, version), role_changes(ours, version))
