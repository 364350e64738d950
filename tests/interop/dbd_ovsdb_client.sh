#!/bin/bash
# Every command of Debian's ovsdb-client does the same on weft-dbd as on ovsdb-server: what it prints and how it ends, on files
# with the same contents.
. "$WEFT_SRC/tests/support/lib.sh"
begin dbd-ovsdb-client
cd "$dir" || exit 1
nb=/usr/share/ovn/ovn-nb.ovsschema db=OVN_Northbound
ovsdb-tool create theirs.db $nb && "$WEFT_BIN/weft-dbctl" create ours.db $nb || exit 1
start theirs ovsdb-server -vconsole:off --remote="punix:$dir/theirs.sock" --unixctl="$dir/theirs.ctl" theirs.db
start ours "$WEFT_BIN/weft-dbd" -vconsole:warn --remote="punix:$dir/ours.sock" --unixctl="$dir/ours.ctl" ours.db
wait_for 20 test -S theirs.sock -a -S ours.sock
client() { local side=$1 command=$2; shift 2; ovsdb-client -vconsole:off --timeout=20 "$command" "unix:$dir/$side.sock" "$@"; }

# UUIDs by the order in which they first appear; without what ovsdb-server 3.1 gives to clusters only, ids of transactions.
normal() {
    perl -pe 's/last_id: \S+/last_id/; s/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/$n{$1} \/\/= "UUID" . scalar(%n)/ge; s/theirs|ours/SIDE/g'
}

# same COMMAND ARGUMENT...: standard input is what "input" holds
input=/dev/null
same() {
    local side
    for side in theirs ours; do
        { client $side "$@" <"$input"; echo "status $?"; } 2>&1 | normal >"$side.txt"
        [[ $1 != list-* ]] || sort -o "$side.txt" "$side.txt" # the client's own order
    done
    if cmp -s theirs.txt ours.txt; then echo "ok    $*"; else
        echo "FAIL  $*"; diff theirs.txt ours.txt | head -n 20; failures=$((failures + 1))
    fi
}

for side in theirs ours; do
    ovn-nbctl --db="unix:$dir/$side.sock" --no-leader-only init -- ls-add sw0 -- lsp-add sw0 p0 -- lsp-set-addresses p0 "0a:00:00:00:00:01 10.0.0.1" -- \
        set Logical_Switch sw0 other_config:a=b other_config:subnet=10.0.0.0/24 -- lr-add r0 -- lrp-add r0 rp 0a:00:00:00:00:02 10.0.0.254/24 || failures=$((failures + 1))
done
has "the comparison compares" 'sw0' "$(client ours dump $db Logical_Switch name)"

same list-dbs
for command in get-schema get-schema-version get-schema-cksum list-tables list-columns; do
    same $command $db
    same $command Nope
    same $command _Server
done
same list-columns $db Logical_Switch
same list-columns $db Nope
same needs-conversion $nb
same dump $db Logical_Switch
same dump $db Logical_Switch name other_config
same dump $db Logical_Router_Port name mac networks
same dump $db Nope
same dump $db Logical_Switch nope
same dump _Server Database name model connected leader cid sid index schema
for format in table list html csv json; do same dump -f $format $db Logical_Switch_Port name addresses type; done
for operation in '{"op":"insert","table":"Meter","row":{"name":"m","unit":"pktps"}}' \
    '{"op":"insert","table":"Logical_Switch","row":{"name":"sw1","ports":["named-uuid","x"]}}' \
    '{"op":"select","table":"Logical_Switch","where":[["name","==","sw0"]],"columns":["name","other_config"]}' \
    '{"op":"update","table":"Logical_Switch","where":[["name","==","sw0"]],"row":{"other_config":["map",[["x","y"]]]}}' \
    '{"op":"mutate","table":"Logical_Switch","where":[["name","==","sw0"]],"mutations":[["other_config","insert",["map",[["z","1"]]]]]}' \
    '{"op":"delete","table":"Logical_Router","where":[["name","==","nobody"]]}' \
    '{"op":"wait","table":"Logical_Switch","where":[],"columns":["name"],"until":"==","rows":[],"timeout":0}' \
    '{"op":"comment","comment":"c"}' '{"op":"assert","lock":"l"}' '{"op":"abort"}' '{"op":"frob"}' '5' \
    '{"op":"insert","table":"Logical_Switch","row":{"nope":1}}' '{"op":"insert","table":"ACL","row":{"priority":99999}}' \
    '{"op":"commit","durable":true}'; do
    same query "[\"$db\",$operation]"
    same transact "[\"$db\",$operation]"
done
same transact '["Nope"]'
same transact 'not JSON'
same transact "[\"_Server\",{\"op\":\"delete\",\"table\":\"Database\",\"where\":[]}]"
same wait $db connected
same wait $db added
same wait Nope removed

# What a file holds comes back from it: backup, a change, restore.
for side in theirs ours; do client $side backup $db >$side.backup; done
check "a backup is a file of ovsdb-server" bash -c "ovsdb-tool check-cluster theirs.backup 2>/dev/null; ovsdb-tool db-version ours.backup"
rows() { # FILE: tables, names and numbers of rows, uuids by their place
    ovsdb-tool query "$1" "[\"$db\",{\"op\":\"select\",\"table\":\"Logical_Switch\",\"where\":[],\"columns\":[\"name\",\"other_config\"]},
        {\"op\":\"select\",\"table\":\"Logical_Switch_Port\",\"where\":[]},{\"op\":\"select\",\"table\":\"Logical_Router_Port\",\"where\":[],\"columns\":[\"name\",\"mac\"]}]" |
        python3 -c 'import json, sys; print([[sorted((k, str(v)) for k, v in r.items() if k[0] != "_") for r in t["rows"]] for t in json.load(sys.stdin)])'
}
equal "backups hold the same" "$(rows theirs.backup)" "$(rows ours.backup)"
for side in theirs ours; do ovn-nbctl --db="unix:$dir/$side.sock" --no-leader-only ls-del sw0 -- ls-add other; done
input=ours.backup # one backup for both: so it is also the other's
same restore $db
input=/dev/null
same dump $db Logical_Switch name other_config
same dump $db Logical_Switch_Port name addresses
has "what was deleted is back" 'sw0' "$(client ours dump $db Logical_Switch name)"
same restore $db # nothing is no backup

# Monitors of each kind: both servers' are started, the same is done to both, then each is asked to end.
monitored() { # WHAT COMMAND ARGUMENT...
    local what=$1 command=$2 side
    shift 2
    for side in theirs ours; do
        start monitor ovsdb-client -vconsole:off --timeout=60 "$command" "unix:$dir/$side.sock" "$@"
        wait_for 20 has_monitor $side
        ovn-nbctl --db="unix:$dir/$side.sock" --no-leader-only ls-add "$what" -- set Logical_Switch "$what" other_config:k=v
        ovn-nbctl --db="unix:$dir/$side.sock" --no-leader-only set Logical_Switch "$what" other_config:k=w
        ovn-nbctl --db="unix:$dir/$side.sock" --no-leader-only ls-del "$what" -- ls-add the-end
        wait_for 20 grep -q the-end monitor.out
        stop_last
        ovn-nbctl --db="unix:$dir/$side.sock" --no-leader-only ls-del the-end
        normal <monitor.out | sed '/the-end/d' >$side.txt
    done
    if grep -q "$what" ours.txt && cmp -s theirs.txt ours.txt; then echo "ok    $command $*"; else
        echo "FAIL  $command $*"; diff theirs.txt ours.txt | head -n 20; failures=$((failures + 1))
    fi
}
has_monitor() { ovs-appctl -t "$dir/$1.ctl" memory/show | grep -q monitors:1; }
stop_last() { kill "${pids[-1]}"; wait "${pids[-1]}" 2>/dev/null; unset "pids[-1]"; }
monitored one monitor $db Logical_Switch name,other_config
monitored two monitor $db Logical_Switch 'name,!initial,!delete'
monitored three monitor-cond $db '[["name","!=","sw0"]]' Logical_Switch name,other_config
monitored four monitor-cond $db '[true]' Logical_Switch name
monitored five monitor-cond-since $db '[["name","!=","other"]]' Logical_Switch name,other_config
same monitor $db Nope
same monitor $db Logical_Switch nope
same monitor-cond $db '[["nope","==",1]]' Logical_Switch name

# Locks pass from one to the next: by theft, and when the owner goes.
for side in theirs ours; do
    start $side.holds ovsdb-client -vconsole:off --timeout=60 lock "unix:$dir/$side.sock" the_lock
    wait_for 20 grep -q '"locked":true' $side.holds.out
    start $side.steals ovsdb-client -vconsole:off --timeout=60 steal "unix:$dir/$side.sock" the_lock
    wait_for 20 grep -q stolen $side.holds.out
    stop_last
    wait_for 20 bash -c "[ \$(wc -l <$side.holds.out) -ge 3 ]"
    stop_last
done
for who in holds steals; do equal "lock: $who" "$(cat theirs.$who.out)" "$(cat ours.$who.out)"; done

# Another schema, while it runs.
sed 's/"version": "[0-9.]*"/"version": "99.0.0"/; s/"cksum": "[0-9 ]*",//' $nb >next.ovsschema
same needs-conversion next.ovsschema
same convert next.ovsschema
same get-schema-version $db
same needs-conversion next.ovsschema
same dump $db Logical_Switch name other_config
same convert /nonexistent
