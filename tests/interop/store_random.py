#!/usr/bin/env python3
"""Sends the same random transactions to Debian's ovsdb-server and to weft-dbd, both on tests/data/ovsdb/interop.ovsschema, and
compares the answers: results, counts, rows, the tag and place of an error, and now and then the whole contents; and what each transaction
sends to monitors before its reply, plain ones and conditional ones.

    store_random.py [TRANSACTIONS [SEED]]

Not compared: _version, orders, and the words of an error (they depend on which of several mistakes is seen first). Left
out, because ovsdb-server 3.1 crashes on them or forgets to clean up (docs/adr): *= 0 on a negative number, and weak
references in rows that are edited together with what they name."""
import json
import random
import sys
import tempfile

from libovsdb import ours, theirs

TABLES = {"Root": 1, "Leaf": 2, "Peer": 3, "One": 4}
N_IDS = 8


class Maker:
    """Makes random transactions: mostly right, sometimes wrong in any way a client may be."""

    def __init__(self, seed):
        self.r = random.Random(seed)
        text = lambda: self.r.choice(["a", "b", "c", "d e", "", 'f"', "\u00e9", "true", "x-1"])
        integer = lambda: self.r.choice([self.r.randint(-12, 12)] * 3 + [self.r.randint(-120, 120), 1.0, -5.0])
        real = lambda: self.r.choice([0, 1, 2.5, -1.25, 1e10, 0.1, -3])
        small = lambda: self.r.randint(0, 4)
        empty = ["set", []]
        self.columns = {
            "Root": {
                "name": lambda: f"n{self.r.randrange(9)}", "i": integer, "r": real, "b": lambda: self.r.random() < 0.5,
                "s": lambda: self.r.choice(["", "abc", "123456789", "\u00e9" * 8]),
                "en": lambda: self.r.choice(["red", "green", "pink", empty, ["set", ["red"]], ["set", ["red", "blue"]]]),
                "u": lambda: ["uuid", uuid(9, self.r.randrange(3))],
                "oi": lambda: self.r.choice([empty, self.r.randint(-3, 3)]), "or": lambda: self.r.choice([empty, real()]),
                "si": lambda: self.set_of(lambda: self.r.randint(-4, 8), 0, 4),
                "s13": lambda: self.set_of(small, self.r.random() > 0.1, 4 if self.r.random() < 0.1 else 3),
                "ss": lambda: self.set_of(text, 0, 3), "mss": lambda: self.map_of(text, text, 3),
                "mis": lambda: self.map_of(small, text, 3), "leaf": lambda: self.set_of(lambda: self.ref("Leaf"), 0, 3),
                "oleaf": lambda: self.set_of(lambda: self.ref("Leaf"), 0, 1),
                "weak": lambda: self.set_of(lambda: self.ref("Leaf"), 0, 3),
                "weak1": lambda: self.set_of(lambda: self.ref("Peer"), 0, 1),
                "mweak": lambda: self.map_of(text, lambda: self.ref("Leaf"), 2), "imm": text, "eph": text},
            "Leaf": {"name": text, "val": integer, "next": lambda: self.set_of(lambda: self.ref("Leaf"), 0, 1)},
            "Peer": {"name": lambda: f"p{self.r.randrange(9)}", "a": lambda: self.r.randint(0, 3),
                     "b": lambda: self.r.randint(0, 3), "need": lambda: self.ref("Root")},
            "One": {"x": integer},
        }
        self.keys = {"mss": text, "mis": small, "mweak": text}

    def ref(self, table):
        if self.r.random() < 0.97:
            return ["uuid", uuid(TABLES[table], self.r.randrange(N_IDS))]
        return self.r.choice([["uuid", "x"], ["named-uuid", "zz"], "a", 5])

    def set_of(self, element, low, high):
        values = []
        for _ in range(self.r.randint(int(low), high)):
            value = element()
            if value not in values or self.r.random() < 0.1:
                values.append(value)
        return values[0] if len(values) == 1 and self.r.random() < 0.5 else ["set", values]

    def map_of(self, key, value, high):
        pairs = {}
        for _ in range(self.r.randint(0, high)):
            pairs[key()] = value()
        pairs = [[k, v] for k, v in pairs.items()]
        return ["map", pairs + pairs[:1] if self.r.random() < 0.03 else pairs]

    def value(self, table, column):
        if self.r.random() < 0.02:
            return self.r.choice([None, {}, [], ["set"], ["map", []], "zzz", 12345678901, True, 1.5, ["set", [["set", []]]], [1, 2]])
        return self.columns[table][column]()

    def row(self, table, share, insert):
        row = {c: self.value(table, c) for c in self.columns[table] if self.r.random() < share and (insert or c != "imm")}
        if insert and table == "Root":
            row.setdefault("name", self.value(table, "name"))
        if insert and table == "Peer":
            row["need"] = self.value(table, "need")
        if self.r.random() < 0.01:
            row[self.r.choice(["nope", "_uuid"])] = self.ref("Root")
        return row

    def clause(self, table):
        if self.r.random() < 0.06:
            return self.r.choice([True, False, [], ["i"], ["nope", "==", 1], ["i", "~", 1], 5])
        column = self.r.choice(list(self.columns[table]) + ["_uuid"] * 3)
        function = self.r.choice(["==", "!=", "includes", "excludes"] + (["<", ">=", "<=", ">"] if self.r.random() < 0.4 else []))
        return [column, function, self.ref(table) if column == "_uuid" else self.value(table, column)]

    def where(self, table):
        x = self.r.random()
        if x < 0.25:
            return []
        if x < 0.6:
            return [["_uuid", "==", ["uuid", uuid(TABLES[table], self.r.randrange(N_IDS))]]]
        return [self.clause(table) for _ in range(self.r.randint(1, 2))]

    def mutation(self, table):
        column = self.r.choice(list(self.columns[table]))
        is_number = column in ("i", "r", "oi", "or", "val", "a", "b", "x", "si")
        mutator = self.r.choice(["+=", "-=", "*=", "/=", "%="] if is_number else ["insert", "delete"])
        if self.r.random() < 0.1:
            mutator = self.r.choice(["insert", "delete", "^="])
        if mutator == "delete" and column in self.keys and self.r.random() < 0.5:
            return [column, mutator, self.set_of(self.keys[column], 0, 2)]
        if mutator in ("insert", "delete"):
            return [column, mutator, self.value(table, column)]
        return [column, mutator, self.r.choice([1, 2, -1, 3, self.r.randint(1, 50), 0.5])]

    def operation(self):
        table = self.r.choice(["Root"] * 3 + ["Leaf"] * 2 + ["Peer"] * 2 + ["One"])
        kind = self.r.choice(["insert"] * 5 + ["select"] * 2 + ["update"] * 3 + ["mutate"] * 4 + ["delete"] * 2 + ["wait", "other"])
        op = {"op": kind, "table": table}
        names = list(self.columns[table])
        if kind == "insert":
            op.update(uuid=uuid(TABLES[table], self.r.randrange(N_IDS)), row=self.row(table, 0.35, True))
        elif kind == "select":
            op.update(where=self.where(table), columns=self.r.sample(names + ["_uuid"], self.r.randint(0, min(4, len(names)))))
        elif kind == "update":
            op.update(where=self.where(table), row=self.row(table, 0.2, False))
        elif kind == "mutate":
            op.update(where=self.where(table), mutations=[self.mutation(table) for _ in range(self.r.randint(0, 2))])
        elif kind == "delete":
            op.update(where=self.where(table))
        elif kind == "wait":
            columns = self.r.sample(names, self.r.randint(1, min(2, len(names))))
            rows = [{c: self.value(table, c) for c in columns if self.r.random() < 0.8} for _ in range(self.r.randint(0, 2))]
            op.update(where=self.where(table), columns=columns, until=self.r.choice(["==", "!=", "!="]), rows=rows, timeout=0)
        else:
            op = self.r.choice([{"op": "comment", "comment": "c"}, {"op": "commit", "durable": False}, {"op": "abort"}])
        if self.r.random() < 0.01:
            op.pop(self.r.choice([k for k in op if k not in ("uuid", "timeout")]))
        return op

    def transaction(self):
        return [self.operation() for _ in range(self.r.randint(1, 5))]


def monitors(columns):
    """What both servers are asked to tell. Not weak references: see above."""
    shown = {t: sorted(n for n in c if n not in ("weak", "weak1", "mweak")) for t, c in columns.items()}
    yield "monitor", ["Interop", "all", {t: {"columns": c} for t, c in shown.items()}]
    yield "monitor_cond", ["Interop", "values", {
        "Root": [{"columns": shown["Root"], "where": [["name", "==", "n1"], ["i", "==", 3], ["en", "==", "red"]]}],
        "Leaf": [{"columns": ["name"], "where": [["_uuid", "==", ["uuid", uuid(2, 1)]], ["val", "==", 2]]}]}]
    yield "monitor_cond", ["Interop", "others", {
        "Root": [{"columns": ["name", "si", "mss", "oi"], "where": [["si", "includes", 2], ["i", ">", 5], ["mss", "excludes", ["map", [["a", "b"]]]]]}],
        "Peer": [{"columns": shown["Peer"], "select": {"modify": False}, "where": [["a", "!=", 2]]}]}]


def updates_of(server):
    """By monitor; of each there is at most one a transaction."""
    return sorted((normal(u) for u in server.updates), key=lambda u: json.dumps(u[:1] + u[1][:1]))


def uuid(table, number):
    return f"0000000{table}-0000-4000-8000-0000000000{number:02x}"


def normal(x):
    """Without _version, words of errors, and orders that mean nothing."""
    if isinstance(x, dict):
        if "error" in x:
            return {"error": True}
        if "rows" in x:
            return {"rows": sorted((normal(r) for r in x["rows"]), key=lambda r: json.dumps(r, sort_keys=True))}
        return {k: normal(v) for k, v in x.items() if k != "_version"}
    if isinstance(x, list):
        if len(x) == 2 and x[0] in ("set", "map") and isinstance(x[1], list):
            return [x[0], sorted((normal(y) for y in x[1]), key=json.dumps)]
        if len(x) == 2 and x[0] == "uuid" and "-0000-4000-8000-" not in x[1] and x[1].strip("0-"):
            return ["uuid", "of an undeclared name"]
        return [normal(y) for y in x]
    return int(x) if isinstance(x, float) and x == int(x) else x


def only_error(result):
    """The tag of the error, when there can have been only one mistake: it is then compared too."""
    errors = [x["error"] for x in result if isinstance(x, dict) and "error" in x]
    commit = {"referential integrity violation", "timed out", "aborted", "ovsdb error", "unknown mutator"}
    return errors[0] if errors and errors[0] in commit else None


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    maker = Maker(seed)
    dump = [{"op": "select", "table": t, "where": [], "columns": sorted(c) + ["_uuid"]} for t, c in sorted(maker.columns.items())]
    # A weak reference to a row that goes away with an edit of the same row stays behind in the real server.
    tidy = [{"op": "update", "table": "Root", "where": [], "row": {"weak": ["set", []], "weak1": ["set", []], "mweak": ["map", []]}}]
    print("seed", seed)
    committed = told = 0
    with tempfile.TemporaryDirectory() as top:
        their, our = theirs(top), ours(top)
        try:
            for method, params in monitors(maker.columns):
                assert their.call(method, params) == our.call(method, params)
            for i in range(n):
                operations = maker.transaction()
                a, b = their.transact(operations), our.transact(operations)
                told += len(our.updates)
                x, y = updates_of(their), updates_of(our)
                if x != y:
                    print(f"updates of transaction {i}: {json.dumps(operations)}\ntheirs {json.dumps(x)}\nours   {json.dumps(y)}")
                    return 1
                same = normal(a) == normal(b) and (only_error(a) == only_error(b) or None in (only_error(a), only_error(b)))
                if same and i % 10 == 9:
                    operations = dump
                    a, b = their.transact(tidy + dump), our.transact(tidy + dump)
                    same = normal(a) == normal(b)
                if not same:
                    print(f"transaction {i}: {json.dumps(operations)}\ntheirs {json.dumps(a)}\nours   {json.dumps(b)}")
                    return 1
                committed += not any(isinstance(x, dict) and "error" in x for x in a)
        finally:
            their.stop()
            our.stop()
    print(f"{n} transactions, {committed} committed, {told} updates: ovsdb-server and weft-dbd agree")
    return 0


sys.exit(main())
