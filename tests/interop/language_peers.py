#!/usr/bin/env python3
"""The names of the language, asked of Debian's ovn-trace (OVN 23.03): for each name of tests/data/lflow/symbols.txt, what may be compared with it, selected
of it and assigned to it, in the same words when it is refused; what it becomes with its prerequisites; and that no name of ovn-sb(5) is missing. Then
random matches, right and wrong.

    language_peers.py [SEED [MATCHES]]
"""
import json, os, random, re, shutil, subprocess, sys, tempfile, time

LFLOW = os.path.join(os.environ["WEFT_BIN"], "weft-lflow")
TABLE = os.path.join(os.environ["WEFT_SRC"], "tests/data/lflow/symbols.txt")

MATCHES = """@|!@|!(@)|!!(@ && 1)|@ == 1|@ != 1|!(@ != 1)|!(@ == 1)|@ < 1|@ > 0|1 <= @|0 < @ < 2|@ == 1/1|@[0]|!@[0]|@[0] == 0|@[0..1] == 1|@[200]|@ == {1, 0}|@ == {}
@ = 1|@ == "a"|@ != "a"|@ < "a"|@ < {1}|@ < {"a"}|@ == {"a", 1}|@ == 0x100000000000000000000000000000000|@ == 10.0.0.1|@ == 00:00:00:00:00:01|@ == ff::1
@ == $no|@ == @no|@ ==|@ @|@ && @|1 == @ == 1""".replace("\n", "|").split("|")
ACTIONS = """@ = 1;|@ = 0;|@ = "a";|@[0] = 1;|@[0..1] = 1;|@ = 0x1000000000000000000000000000000000;|@ = reg0;|@ = inport;|@ <-> reg0;|reg0 <-> @;|ct_commit { @ = 1; };
ct_commit { @[0] = reg0[0]; };|ct_commit { clone { @ = 1; }; };|reg0 = @;|reg0[0] = @[0];|@--;|@;|@ next;|push(@);|pop(@);|pop(@[0]);|get_arp(outport, @);|put_arp(@, arp.spa, arp.sha);
@ = select(1, 2);|@[0] = check_pkt_larger(1500);|@ = lookup_arp(inport, arp.spa, arp.sha);|@ = get_fdb(eth.dst);""".replace("\n", "|").split("|")
# Accepted by us alone; younger words for the same; a port has no bits; what a controller's note is within ct_commit is nobody's business.
DIFFERENT = re.compile(r"!!|\{\}|Can't assign|port = select|frag_mtu = 1; \};")


# Ours alone: a constant must fit into the bits that are selected, not only into the field (there the rest is lost); words about is_chassis_resident without
# its argument, and about masks, with an example from what was asked.
OURS = re.compile(r"bit field [a-z0-9.]+\[|is_chassis_resident' expecting|Consider using|parsing function name")

FIELDS = {"reg0": "0 1 5 0x10 4294967295 10.0.0.1 1/1 {1,2} {1 2,3}", "ip4.src": "10.0.0.1 10.0.0.0/8 10.0.0.1/255.0.255.0 {10.0.0.1,10.0.0.2} $no 1",
          "ip6.dst": "::1 fe80::/64 ::ffff:1.2.3.4 {::1,ff::/8} 10.0.0.1", "eth.dst": "00:00:00:00:00:01 ff:00:00:00:00:00/8 0x0f/0xff {00:00:00:00:00:01}", "ip.proto": "0 6 {6,17} 0x11",
          "tcp.dst": "80 0x50 {80,443} 65535 65536 1/3", "inport": '"a" {"a","b"} "a\\n" @no 1', "ip4": "1 0 1/1", "nd": "1 0 {1}", "vlan.present": "1 0 {0,1}", "vlan.pcp": "1 7 8 1/3",
          "ct.trk": "1 0", "xxreg1": "0 ::1 0xffffffffffffffffffffffffffffffff", "arp.op": "1 2 {1,2}"}


def random_match(rnd, depth=0):
    def constant(name):
        name = name if rnd.random() < .9 else rnd.choice(list(FIELDS))
        return rnd.choice(FIELDS[name].split())

    def operand():
        name = rnd.choice(list(FIELDS))
        bits = rnd.choice(["", "", "", "", "[0]", "[1..3]", "[0..7]"])
        kind, relop = rnd.random(), rnd.choice(["==", "==", "!=", "<", "<=", ">", ">="])
        if kind < .45:
            text = "%s%s %s %s" % (name, bits, relop, constant(name))
        elif kind < .55:
            text = name + bits
        elif kind < .65:
            text = "%s %s %s%s" % (constant(name), relop, name, bits)
        elif kind < .72:
            text = "%s %s %s%s %s %s" % (constant(name), relop, name, bits, rnd.choice([relop, "<="]), constant(name))
        elif kind < .77:
            text = rnd.choice(["0", "1", "2", 'is_chassis_resident("x")', "is_chassis_resident(x)"])
        else:
            text = "(%s)" % random_match(rnd, depth + 1) if depth < 3 else name
        return text if rnd.random() > .15 else "!" + (text if rnd.random() < .2 else "(%s)" % text)
    text = rnd.choice([" && ", " || "]).join(operand() for _ in range(rnd.choice([1, 1, 2, 2, 3])))
    if not depth and rnd.random() < .08:
        words = text.split(" ")
        words[rnd.randrange(len(words))] = rnd.choice(["&&", "!", "(", ")", "==", "1", "{", "}", ",", ";", "//", "..", "<->", "="])
        text = " ".join(words)
    return text


def fill(patterns, names):
    """Each pattern with each name; "@no" is a port group and stays."""
    return [re.sub(r"@(?!no)", name, p) for name in names for p in patterns]


class Peer:
    def __init__(self, folder):
        self.sb = "unix:%s/sb.sock" % folder
        db = folder + "/sb.db"
        subprocess.run(["ovsdb-tool", "create", db, "/usr/share/ovn/ovn-sb.ovsschema"], check=True)
        self.server = subprocess.Popen(["ovsdb-server", "--remote=p" + self.sb, "--unixctl=%s/ctl" % folder, db], stderr=subprocess.DEVNULL)
        end = time.time() + 20
        while not os.path.exists(folder + "/sb.sock"):
            if time.time() > end or self.server.poll() is not None:
                sys.exit("FAIL  ovsdb-server did not start")
            time.sleep(0.01)

    def stop(self):
        self.server.terminate()
        self.server.wait(20)

    def transact(self, ops):
        r = subprocess.run(["ovsdb-client", "transact", self.sb, json.dumps(["OVN_Southbound"] + ops)], text=True, capture_output=True)
        answers = json.loads(r.stdout)
        if any(a and "error" in a for a in answers):
            sys.exit("FAIL  " + r.stdout)
        return answers

    def trace(self, microflow):
        return subprocess.run(["ovn-trace", "--db=" + self.sb, "sw", microflow], text=True, capture_output=True)

    def refusals(self, matches, actions):
        """What ovn-trace says of logical flows with these, as it reads them: "" for what it takes."""
        names = ["map", [["logical-switch", "00000000-0000-0000-0000-000000000001"], ["name", "sw"]]]
        datapath = self.transact([{"op": "delete", "table": "Datapath_Binding", "where": []}, {"op": "insert", "table": "Datapath_Binding", "row": {"tunnel_key": 1, "external_ids": names}}])[1]["uuid"]
        flows = [{"op": "insert", "table": "Logical_Flow", "row": {"logical_datapath": datapath, "pipeline": "ingress", "table_id": 10, "priority": 1, "match": m, "actions": a}}
                 for m, a in [(m, "next;") for m in matches] + [("1", a) for a in actions]]
        for i in range(0, len(flows), 200):  # an argument of a command is not endless
            self.transact(flows[i:i + 200])
        said = {}
        for line in self.trace('inport == "x"').stderr.splitlines():
            m = re.search(r"\|WARN\|(.*): parsing (expression|actions) failed \((.*)\)$", line)
            if m:
                said[m[2], m[1]] = m[3]
        self.transact([{"op": "delete", "table": "Logical_Flow", "where": []}])
        return [said.get(("expression", m), "") for m in matches] + [said.get(("actions", a), "") for a in actions]

    def expanded(self, match):
        """MATCH as ovn-trace understands it, which it tells when it leaves a choice."""
        m = re.search(r"Constraints are ambiguous: (.*)\.$", self.trace(match).stdout, re.M)
        return m[1] if m else "?"


def ask_ours(kind, lines):
    out = subprocess.run([LFLOW, kind], input="".join(l + "\n" for l in lines), text=True, capture_output=True, check=True).stdout
    records = out.rstrip("\n").split("\n\n")
    assert len(records) == len(lines), (len(records), len(lines))
    return records


def manual_names():
    """The names in the lists of ovn-sb(5), the match of a logical flow."""
    text = subprocess.run("man ovn-sb | col -bx", shell=True, text=True, capture_output=True, env=dict(os.environ, MANWIDTH="200", LC_ALL="C.UTF-8")).stdout
    part = re.search(r"inport\s+and\s+outport\s+have\s+string\s+type.*?\n( +• +reg0.*?)actions: string", text, re.S)
    names = set()
    for line in part[1].splitlines() if part else []:
        m = re.match(r" +• +(.*)", line)
        for word in re.split(r"[ ,]+", re.split(r":|expands|, which", m[1])[0]) if m else []:
            run = re.fullmatch(r"reg0\.\.\.reg(\d)", word)
            if run:
                names.update("reg%d" % i for i in range(int(run[1]) + 1))
            elif re.fullmatch(r"[a-z][a-z0-9_.]*[a-z0-9]", word):
                names.add(word)
    return names


def compare(what, asked, ours, theirs):
    bad = [(q, a, b) for q, a, b in zip(asked, ours, theirs) if a != b and not DIFFERENT.search(q + a)]
    for q, a, b in bad[:20]:
        print("FAIL  %s: %s\n  ours   %s\n  theirs %s" % (what, q, a or "accepted", b or "accepted"))
    print("%s    %s: %d asked, %d differ" % ("FAIL" if bad else "ok", what, len(asked), len(bad)), flush=True)
    return len(bad)


def main():
    if not shutil.which("ovn-trace") or not shutil.which("ovsdb-server"):
        print("skipped: ovn-trace and ovsdb-server are not installed")
        return 0
    rows = [line.split(None, 7) for line in open(TABLE) if line.strip() and line[0] != "#"]
    old = [r for r in rows if r[5] == "23.03"]
    young = [r[0] for r in rows if r[5] != "23.03"]
    folder = tempfile.mkdtemp(prefix="weft-lang-")
    peer = Peer(folder)
    try:
        names = [r[0] for r in old]
        matches, actions = fill(MATCHES, names), fill(ACTIONS, names)
        theirs = peer.refusals(matches, actions)
        ours = [r[7:] if r.startswith("error: ") else "" for r in ask_ours("annotate", matches) + ask_ours("actions", actions)]
        failed = compare("matches", matches, ours[:len(matches)], theirs[:len(matches)])
        failed += compare("actions", actions, ours[len(matches):], theirs[len(matches):])
        asked = [r[0] + (' == "x"' if r[1] == "string" else "" if r[1] == "predicate" else " == 1") for r in old if r[1] != "note"]
        asked = [("ct_mark" if m.startswith(("pkt", "xreg4", "reg")) else "pkt.mark") + " == {1, 2} && " + m for m in asked]
        ours = [r.removeprefix("out: ") for r in ask_ours("annotate", asked)]
        ours = [o.replace("eth.dst[32..47] == 0x3333 && ", "") if "mldv" in q else o for q, o in zip(asked, ours)]  # which is younger
        failed += compare("expanded", asked, ours, [peer.expanded(m) for m in asked])
        rnd = random.Random(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
        texts = list(dict.fromkeys(random_match(rnd) for _ in range(int(sys.argv[2]) if len(sys.argv) > 2 else 3000)))
        theirs = peer.refusals(texts, [])
        ours = [r[7:] if r.startswith("error: ") else "" for r in ask_ours("annotate", texts)]
        ours = [b if OURS.search(a + b) else a for a, b in zip(ours, theirs)]
        failed += compare("random matches, of which %d are right" % theirs.count(""), texts, ours, theirs)
        unknown = peer.refusals(fill(["@ == 1"], young), [])
        failed += compare("younger names", young, ["unknown"] * len(young), ["unknown" if "expecting field name" in u else "known" for u in unknown])
        manual = manual_names()
        missing = sorted(manual - {r[0] for r in rows})
        print("%s    ovn-sb(5): %d names, missing: %s" % ("FAIL" if missing or len(manual) < 60 else "ok", len(manual), ", ".join(missing) or "none"))
        failed += bool(missing) or len(manual) < 60
    finally:
        peer.stop()
        shutil.rmtree(folder, ignore_errors=True)
    print("passed" if not failed else "FAILED")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
