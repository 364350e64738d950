#!/usr/bin/env python3
"""Requests and operations that are wrong in one way each, to Debian's ovsdb-server and to weft-dbd: the replies are equal, words and all.

Left out: what ovsdb-server 3.1 dies of (a monitor without requests, a change of conditions without "where"), and an index over _uuid, which it takes. Its
"volation" is read as what it means."""
import itertools
import json
import re
import sys
import tempfile

from libovsdb import ours, theirs

UUID = "00000001-0000-4000-8000-000000000001"
OPERATIONS = [
    {"op": "insert", "table": "Root", "row": {"name": "a", "i": "x"}}, {"op": "insert", "table": "Root", "row": {"name": "a", "i": 1.5}},
    {"op": "insert", "table": "Root", "row": {"name": "a", "b": 1}}, {"op": "insert", "table": "Root", "row": {"name": "a", "en": "pink"}},
    {"op": "insert", "table": "Root", "row": {"name": "a", "s": "1234567890"}},
    {"op": "insert", "table": "Root", "row": {"name": "a", "s13": ["set", []]}},
    {"op": "insert", "table": "Root", "row": {"name": "a", "s13": ["set", [1, 2, 3, 4]]}},
    {"op": "insert", "table": "Root", "row": {"name": "a", "si": ["set", [1, 1]]}},
    {"op": "insert", "table": "Root", "row": {"name": "a", "mss": ["map", [["a", "b"], ["a", "c"]]]}},
    {"op": "insert", "table": "Root", "row": {"name": "a", "leaf": ["named-uuid", "nope"]}},
    {"op": "insert", "table": "Root", "row": {"name": "a", "leaf": ["uuid", UUID]}},
    {"op": "insert", "table": "Root", "row": {"name": "a", "leaf": ["uuid", "zz"]}}, {"op": "insert", "table": "Root", "row": 5},
    {"op": "insert", "table": "Root"}, {"op": "insert"}, {"op": "insert", "table": 5, "row": {}}, {"op": "insert", "table": "Nope", "row": {}},
    {"op": "insert", "table": "Root", "row": {}, "extra": 1}, {"op": "insert", "table": "Root", "row": {"nope": 1}},
    {"op": "insert", "table": "Root", "row": {"_uuid": ["uuid", UUID]}},
    {"op": "insert", "table": "Root", "row": {}, "uuid-name": "5x"}, {"op": "insert", "table": "Root", "row": {}, "uuid-name": 5},
    {"op": "insert", "table": "Root", "row": {}, "uuid": "zz"}, {"op": "select", "table": "Root"}, {"op": "select", "table": "Root", "where": 5},
    {"op": "select", "table": "Root", "where": [5]}, {"op": "select", "table": "Root", "where": [["name", "=="]]},
    {"op": "select", "table": "Root", "where": [["name", "~", "a"]]}, {"op": "select", "table": "Root", "where": [["nope", "==", "a"]]},
    {"op": "select", "table": "Root", "where": [["name", "<", "a"]]}, {"op": "select", "table": "Root", "where": [["si", "<", 1]]},
    {"op": "select", "table": "Root", "where": [["name", "==", 5]]}, {"op": "select", "table": "Root", "where": [], "columns": ["nope"]},
    {"op": "select", "table": "Root", "where": [], "columns": ["name", "name"]}, {"op": "select", "table": "Root", "where": [], "columns": 5},
    {"op": "select", "table": "Root", "where": [], "columns": [5]}, {"op": "update", "table": "Root", "where": [], "row": {"imm": "x"}},
    {"op": "update", "table": "Root", "where": [], "row": {"_uuid": ["uuid", UUID]}},
    {"op": "update", "table": "Root", "where": [], "row": {"_version": ["uuid", UUID]}},
    {"op": "update", "table": "Root", "where": []}, {"op": "mutate", "table": "Root", "where": [], "mutations": 5},
    {"op": "mutate", "table": "Root", "where": [], "mutations": [5]}, {"op": "mutate", "table": "Root", "where": [], "mutations": [["i", "^=", 1]]},
    {"op": "mutate", "table": "Root", "where": [], "mutations": [["name", "+=", 1]]},
    {"op": "mutate", "table": "Root", "where": [], "mutations": [["i", "/=", 0]]},
    {"op": "mutate", "table": "Root", "where": [], "mutations": [["i", "+=", "a"]]},
    {"op": "mutate", "table": "Root", "where": [], "mutations": [["imm", "insert", "a"]]},
    {"op": "mutate", "table": "Root", "where": [], "mutations": [["i", "insert", 1]]},
    {"op": "mutate", "table": "Root", "where": [], "mutations": [["r", "%=", 1]]},
    {"op": "mutate", "table": "Root", "where": [], "mutations": [["mss", "insert", ["set", [1]]]]},
    {"op": "mutate", "table": "Root", "where": [], "mutations": [["_uuid", "insert", 1]]},
    {"op": "mutate", "table": "Root", "where": [], "mutations": [["nope", "insert", 1]]}, {"op": "delete", "table": "Root"},
    {"op": "delete", "table": "Root", "where": [["_uuid", "==", "x"]]},
    {"op": "wait", "table": "Root", "where": [], "columns": ["name"], "until": "=", "rows": [], "timeout": 0},
    {"op": "wait", "table": "Root", "where": [], "columns": ["name"], "until": "==", "rows": 5, "timeout": 0},
    {"op": "wait", "table": "Root", "where": [], "columns": ["name"], "until": "==", "rows": [{"nope": 1}], "timeout": 0},
    {"op": "wait", "table": "Root", "where": [], "columns": ["name"], "until": "==", "rows": [{"name": "zz"}], "timeout": 0},
    {"op": "wait", "table": "Root", "where": [], "columns": ["name"], "until": "==", "rows": [], "timeout": -1},
    {"op": "wait", "table": "Root", "where": [], "columns": ["name"], "until": "==", "rows": [], "timeout": "x"}, {"op": "commit"},
    {"op": "commit", "durable": 5}, {"op": "abort", "x": 1}, {"op": "comment"}, {"op": "comment", "comment": 5}, {"op": "assert"},
    {"op": "assert", "lock": "5x"}, {"op": "assert", "lock": "l"}, {"op": "nope"}, {"op": 5}, {}, [], 5, None, "x",
    {"op": "insert", "table": "One", "row": {"x": 1}}, {"op": "insert", "table": "One", "row": {"x": 2}},
    {"op": "insert", "table": "Peer", "row": {"name": "p"}}, {"op": "insert", "table": "Leaf", "row": {"name": "l"}},
]
CALLS = [
    ("nope", []), ("transact", []), ("transact", [5]), ("transact", ["Nope"]), ("monitor", []), ("monitor_cancel", []), ("monitor_cancel", ["zzz"]),
    ("monitor_cancel", ["y"]), ("get_schema", []), ("get_schema", [5]), ("get_schema", ["Nope"]), ("lock", []), ("lock", [5]), ("lock", ["5x"]),
    ("lock", ["l"]), ("lock", ["l"]), ("unlock", ["l"]), ("unlock", ["l"]), ("unlock", ["m"]), ("unlock", []), ("steal", ["l"]), ("steal", ["l"]),
    ("set_db_change_aware", []), ("set_db_change_aware", [5]), ("set_db_change_aware", [True]), ("echo", [1, {"a": 2}]), ("get_server_id", [5]),
    ("monitor_cond_since", ["Interop", "x", {"Root": [{}]}]), ("monitor_cond_change", []), ("monitor_cond_change", ["zzz", "y", {}]),
]
# In place of the requests of a monitor.
SHOWN = [
    5, [], None, {"Nope": 5}, {"Root": "x"}, {"Root": []}, {"Root": [[]]}, {"Root": [5]}, {"Root": {"columns": 5}}, {"Root": {"columns": ["nope"]}},
    {"Root": {"columns": ["name", "name"]}}, {"Root": [{"columns": ["name"]}, {"columns": ["name"]}]}, {"Root": [{"columns": [5]}]}, {"Root": [{"columns": {}}]},
    {"Root": {"select": 5}}, {"Root": {"select": {"nope": True}}}, {"Root": {"select": {"initial": 5}}}, {"Root": {"select": {"initial": None, "x": 1}}},
    {"Root": {"columns": ["name"], "select": None}}, {"Root": {"nope": 5}}, {"Root": {"where": 5}}, {"Root": {"where": [], "nope": 1}},
    {"Root": [{"where": [["nope", "==", 1]]}]}, {"Root": [{"where": [["name", "~", 1]]}]}, {"Root": [{"where": [["name", "==", 5]]}]}, {"Root": [{"where": ["true"]}]},
    {"Root": [{"where": [[]]}]},
]
# In place of the requests of a change of conditions; the monitor shows Leaf alone.
CHANGES = [
    5, [], None, {}, {"Nope": [{}]}, {"Root": [{"where": [True]}]}, {"Leaf": 5}, {"Leaf": {}}, {"Leaf": {"where": []}}, {"Leaf": [5]}, {"Leaf": []},
    {"Leaf": [{"where": 5}]}, {"Leaf": [{"where": [["name", "~", "a"]]}]}, {"Leaf": [{"columns": ["name"]}]}, {"Leaf": [{"columns": 5}]},
    {"Leaf": [{"where": [], "zz": 1}]}, {"Leaf": [{"where": []}, {"where": 5}]}, {"Leaf": [{"where": [["name", "==", "q"]]}]},
]


def schema(tables):
    return {"name": "Interop", "version": "1.0.0", "tables": tables}


def schemas():
    """Each wrong in one way."""
    string = {"type": "string"}
    table = {"columns": {"c": string}}
    yield from ({}, [], 5, None, "x", {"name": "Interop"}, {"name": "Interop", "version": "1.0.0"}, schema(5), dict(schema({"T": table}), x=1), dict(schema({"T": table}), cksum=5))
    yield from (dict(schema({"T": table}), version=v) for v in (5, "", "1.0", "1.0.x", "1.0.0 ", "1.0.0.0", "1..0", ".1.0.0"))
    yield from (dict(schema({"T": table}), name=v) for v in (5, "5x", "Other"))
    yield from (schema({name: table}) for name in ("_T", "5", "T-x"))
    yield from (schema({"T": t}) for t in (5, [], {}, {"columns": 5}, {"columns": {}}))
    yield from (schema({"T": dict(table, **{k: v})}) for k, v in (("x", 1), ("maxRows", "x"), ("maxRows", 0), ("maxRows", -1), ("maxRows", 1.5), ("isRoot", 5)))
    yield from (schema({"T": dict(table, indexes=v)}) for v in (5, [5], [[]], [["nope"]], [["c", "c"]], [[5]], ["c"]))
    yield from (schema({"T": {"columns": {name: string}}}) for name in ("_c", "5"))
    yield from (schema({"T": {"columns": {"c": c}}}) for c in (5, [], {}, dict(string, x=1), dict(string, mutable=5), dict(string, ephemeral=5)))
    yield schema({"T": {"columns": {"c": dict(string, ephemeral=True)}, "indexes": [["c"]]}})
    types = [5, [], None, "nope", {}, {"value": "string"}]
    types += ({"key": v} for v in (5, [], {}, "nope", {"type": 5}, {"type": "nope"}, {"enum": ["set", ["a"]]}))
    types += ({"key": "string", k: v} for k, v in (
        ("x", 1), ("min", 2), ("min", -1), ("min", "x"), ("min", 1.5), ("max", 0), ("max", "x"), ("max", 1.5), ("max", 2**32 - 1), ("max", 2**32), ("value", 5), ("value", "nope"), ("value", None)))
    types += ({"key": {"type": t, k: v}} for t, k, v in (
        ("string", "x", 1), ("integer", "minInteger", "x"), ("integer", "minInteger", 1.5), ("string", "minInteger", 1), ("real", "minReal", "x"), ("real", "minInteger", 1),
        ("boolean", "minInteger", 1), ("string", "minLength", -1), ("string", "maxLength", -1), ("string", "maxLength", "x"), ("string", "maxLength", 2**32),
        ("uuid", "refTable", 5), ("uuid", "refTable", "5x"), ("uuid", "refTable", "Nope"), ("uuid", "refType", "strong"), ("string", "refTable", "T"), ("string", "enum", 5),
        ("string", "enum", ["set", []]), ("string", "enum", ["set", [5]]), ("string", "enum", ["set", ["a", "a"]]), ("string", "enum", ["sat", ["a"]])))
    types += ({"key": {"type": "uuid", "refTable": "T", "refType": v}} for v in (5, "x"))
    types += ({"key": {"type": t, k: 5, l: 4}} for t, k, l in (("integer", "minInteger", "maxInteger"), ("real", "minReal", "maxReal"), ("string", "minLength", "maxLength")))
    types += [{"key": {"type": "integer", "enum": ["set", [1, 2]], "minInteger": 1}}, {"key": "string", "value": {"type": "uuid", "refTable": "Nope"}}]
    yield from (schema({"T": {"columns": {"c": {"type": t}}}}) for t in types)


def requests():
    for operation in OPERATIONS:
        yield "transact", ["Interop", operation]
    yield from CALLS
    names = ("m%d" % i for i in itertools.count())
    for shown in SHOWN:
        if shown != {"Root": {"where": [], "nope": 1}}:  # of two members that it does not know a monitor names either
            yield "monitor", ["Interop", next(names), shown]
        yield "monitor_cond", ["Interop", next(names), shown]
        yield "monitor_cond_since", ["Interop", next(names), shown, "zz"]
    for since in ("zz", 5, None):
        yield "monitor_cond_since", ["Interop", next(names), {"Root": [{}]}, since]
        yield "monitor_cond_since", ["Interop", next(names), {"Nope": [{}]}, since]
    yield "monitor_cond", ["Interop", "y", {"Leaf": [{}]}]
    for change in CHANGES:
        yield "monitor_cond_change", ["y", "y", change]
    for params in ([], ["Interop"], ["Interop", 5], ["Nope", {}]):
        yield "convert", params
    for each in schemas():
        yield "convert", ["Interop", each]


def normal(reply):
    text = json.dumps({k: reply.get(k) for k in ("result", "error")}, sort_keys=True).replace("volation", "violation")
    return re.sub("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID", text)


def main():
    n = failures = errors = 0
    with tempfile.TemporaryDirectory(prefix="weft-errors-") as top:
        their, our = theirs(top), ours(top)
        try:
            for server in (their, our):
                server.transact([{"op": "insert", "table": "Root", "row": {"name": "first"}}])
            for method, params in requests():
                a, b = normal(their.ask(method, params)), normal(our.ask(method, params))
                n += 1
                errors += '"error": "' in b or '"error": {' in b
                if a != b:
                    failures += 1
                    print("DIFFERENT: %s %s\n  theirs %s\n  ours   %s" % (method, json.dumps(params), a, b))
        finally:
            their.stop()
            our.stop()
    print("%d requests, %d errors: ovsdb-server and weft-dbd %s" % (n, errors, "differ in %d" % failures if failures else "say the same"))
    return 1 if failures or errors < n / 2 else 0


sys.exit(main())
