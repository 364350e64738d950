#!/bin/bash
# weft-dbctl under the names ovsdb-tool and ovsdb-client beside the real ones: files, schemas, transactions, dumps and a
# monitor, on Debian's ovsdb-server and on weft-dbd.
set -u
BIN=${WEFT_BIN:-build/asan/bin}
BIN=$(cd "$BIN" && pwd)
TOP=$(mktemp -d /tmp/weft-dbctl-XXXXXX)
SCHEMA=/usr/share/ovn/ovn-nb.ovsschema
PIDS=()
FAILED=0
trap 'kill "${PIDS[@]}" 2>/dev/null; wait 2>/dev/null; rm -rf "$TOP"' EXIT
cd "$TOP" || exit 1
mkdir ours
ln -s "$BIN/weft-dbctl" ours/ovsdb-tool
ln -s "$BIN/weft-dbctl" ours/ovsdb-client

normal() { sed -E 's/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/UUID/g' | sort; }

# same NAME COMMAND...: the peer's and our program of that name print the same and end alike.
same()
{
    local name=$1 a b
    shift
    a=$("/usr/bin/$name" "$@" 2>&1; echo "status $?")
    b=$("ours/$name" "$@" 2>&1; echo "status $?")
    if [ "$(normal <<<"$a")" != "$(normal <<<"$b")" ]; then
        echo "DIFFERENT: $name $*"
        diff <(normal <<<"$a") <(normal <<<"$b") | head -20
        FAILED=1
    fi
}

# expect TEXT COMMAND...: our program prints TEXT.
expect()
{
    local want=$1 got
    shift
    got=$("$@" 2>&1)
    if [ "$got" != "$want" ]; then
        printf 'WRONG: %s\n  want: %s\n  got:  %s\n' "$*" "$want" "$got"
        FAILED=1
    fi
}

# ---- files ----
for what in name version cksum; do
    same ovsdb-tool schema-$what $SCHEMA
done
ours/ovsdb-tool create nb.db $SCHEMA || FAILED=1
expect "ovsdb-tool: I/O error: nb.db: create failed (File exists)" ours/ovsdb-tool create nb.db $SCHEMA
expect 7.0.0 ours/ovsdb-tool db-version nb.db
expect OVN_Northbound ours/ovsdb-tool db-name nb.db
expect no ours/ovsdb-tool needs-conversion nb.db $SCHEMA
expect yes ours/ovsdb-tool needs-conversion nb.db /usr/share/ovn/ovn-sb.ovsschema
INSERT='["OVN_Northbound",{"op":"insert","table":"Logical_Switch","row":{"name":"sw"}}]'
NAMES='["OVN_Northbound",{"op":"select","table":"Logical_Switch","where":[],"columns":["name"]}]'
ours/ovsdb-tool query nb.db "$INSERT" >/dev/null || FAILED=1
expect '[{"rows":[]}]' ours/ovsdb-tool query nb.db "$NAMES"
ours/ovsdb-tool transact nb.db "$INSERT" >/dev/null || FAILED=1
expect '[{"rows":[{"name":"sw"}]}]' ours/ovsdb-tool query nb.db "$NAMES"
for args in "1.2.3 < 1.10.0" "1.2.0 == 1.2.0" "2.0.0 >= 10.0.0" "1.0.0 != 1.0.0" "1 == 1" "1.0.0 x 1.0.0"; do
    # shellcheck disable=SC2086
    same ovsdb-tool compare-versions $args
done

# ---- servers ----
ovsdb-tool create peer.db $SCHEMA
ovsdb-server --remote=punix:"$TOP/peer.sock" --unixctl="$TOP/peer.ctl" --no-chdir peer.db >/dev/null 2>&1 &
PIDS+=($!)
"$BIN/weft-dbd" --remote=punix:"$TOP/weft.sock" --unixctl="$TOP/weft.ctl" --no-chdir nb.db >/dev/null 2>&1 &
PIDS+=($!)
for i in $(seq 100); do [ -S peer.sock ] && [ -S weft.sock ] && break; sleep 0.05; done
for server in peer weft; do
    R=unix:$TOP/$server.sock
    same ovsdb-client list-dbs "$R"
    for command in get-schema get-schema-version get-schema-cksum list-tables list-columns dump; do
        same ovsdb-client $command "$R" OVN_Northbound
    done
    same ovsdb-client list-columns "$R" OVN_Northbound NB_Global
    same ovsdb-client transact "$R" "$INSERT"
    same ovsdb-client transact "$R" "$NAMES"
    same ovsdb-client query "$R" "$NAMES"
    same ovsdb-client transact "$R" '["OVN_Northbound",{"op":"frob"}]'
    same ovsdb-client transact "$R" '["Nope",{"op":"frob"}]'
    for format in table list csv json html; do
        same ovsdb-client -f $format dump "$R" OVN_Northbound Logical_Switch name ports other_config
    done
    same ovsdb-client dump "$R" OVN_Northbound Nope
    same ovsdb-client dump "$R" OVN_Northbound NB_Global nope
    same ovsdb-client needs-conversion "$R" $SCHEMA
    same ovsdb-client list-dbs "unix:$TOP/none"
    expect "" ours/ovsdb-client --timeout=10 wait "$R" OVN_Northbound connected

    # A monitor sees the same changes in both.
    /usr/bin/ovsdb-client --timeout=3 monitor "$R" OVN_Northbound Address_Set name,addresses >a.txt 2>/dev/null &
    A=$!
    ours/ovsdb-client --timeout=3 monitor "$R" OVN_Northbound Address_Set name,addresses >b.txt 2>/dev/null &
    B=$!
    sleep 1
    ovn-nbctl --db="$R" create address_set name=as addresses=1.2.3.4 >/dev/null
    ovn-nbctl --db="$R" add address_set as addresses 1.2.3.5
    ovn-nbctl --db="$R" destroy address_set as
    wait $A $B 2>/dev/null
    if ! cmp -s a.txt b.txt || ! grep -q delete b.txt; then
        echo "DIFFERENT: monitor of $server"
        diff a.txt b.txt
        FAILED=1
    fi
done
[ $FAILED = 0 ] && echo "weft-dbctl: as ovsdb-tool and ovsdb-client do"
exit $FAILED
