#!/bin/bash
# weft-dbctl and the files of ovsdb-server: import, export, backup and restore both ways with Debian's ovsdb-tool and ovsdb-client; and
# log, check, convert, compact of a file of ours.
. "$WEFT_SRC/tests/support/lib.sh"
begin dbctl-files
cd "$dir" || exit 1
dbctl() { "$WEFT_BIN/weft-dbctl" "$@"; }
nb=/usr/share/ovn/ovn-nb.ovsschema
tables="Logical_Switch Logical_Switch_Port Logical_Router Logical_Router_Port ACL Address_Set Port_Group NB_Global DHCP_Options Load_Balancer Meter Meter_Band"
# contents COMMAND...: all rows of the tables with uuids, in a stable order. COMMAND executes the transaction that is appended.
contents() {
    local t text='["OVN_Northbound"'
    for t in $tables; do text+=",{\"op\":\"select\",\"table\":\"$t\",\"where\":[]}"; done
    "$@" "$text]" | /usr/bin/python3 -c '
import json, sys
for rows in json.load(sys.stdin):
    for row in sorted(rows["rows"], key=lambda r: r["_uuid"][1]):
        row.pop("_version")
        print(json.dumps(row, sort_keys=True))'
}
fill() { # DB: what a cloud has, in many transactions
    ovn-nbctl --db="$1" init
    for i in 1 2 3 4 5; do
        ovn-nbctl --db="$1" ls-add "sw$i" -- lsp-add "sw$i" "p$i" -- lsp-set-addresses "p$i" "0a:00:00:00:00:0$i 10.0.0.$i" "unknown" -- \
            acl-add "sw$i" to-lport "100$i" "ip4.src == 10.0.$i.0/24 && tcp.dst == {80, 443}" allow-related -- set Logical_Switch "sw$i" other_config:subnet="10.0.$i.0/24"
    done
    ovn-nbctl --db="$1" lr-add r -- lrp-add r rp 0a:00:00:00:ff:01 10.0.0.254/24 fe80::1/64 -- create Address_Set name=as addresses='1.2.3.4,"a\"b"' -- \
        meter-add m drop 100 pktps 10 -- lb-add lb 10.0.0.100:80 10.0.0.1:80,10.0.0.2:80 -- pg-add pg p1 p2
    ovn-nbctl --db="$1" lsp-del p3 -- ls-del sw4 -- remove Address_Set as addresses 1.2.3.4 -- set Logical_Switch sw1 other_config:subnet=x other_config:y=z -- pg-set-ports pg p2 p5
}
serve_peer() { # NAME: ovsdb-server with NAME.db at NAME.sock
    start "$1" ovsdb-server -vconsole:off --remote="punix:$dir/$1.sock" --unixctl="$dir/$1.ctl" "$dir/$1.db"
    wait_for 20 test -S "$dir/$1.sock"
}
serve_ours() {
    start "$1" "$WEFT_BIN/weft-dbd" -vconsole:off --remote="punix:$dir/$1.sock" --unixctl="$dir/$1.ctl" "$dir/$1.db"
    wait_for 20 test -S "$dir/$1.sock"
}

# ---- from theirs to ours and back; the first file has its history in it, differences and deletions ----
check "their file" ovsdb-tool create peer.db $nb
serve_peer peer
fill "unix:$dir/peer.sock"
want=$(contents ovsdb-client query "unix:$dir/peer.sock")
check "import of a file with history" dbctl import peer.db ours.db
equal "the same contents" "$want" "$(contents dbctl query ours.db)"
check "export" dbctl export ours.db back.db
equal "their tool reads it" "$want" "$(contents ovsdb-tool query back.db)"
check "their tool writes to it" ovsdb-tool transact back.db '["OVN_Northbound",{"op":"insert","table":"Logical_Switch","row":{"name":"later"}}]'
check "their server compacts" ovs-appctl -t "$dir/peer.ctl" ovsdb-server/compact
check "import of a compacted file" dbctl import peer.db compacted.db
equal "the same contents" "$want" "$(contents dbctl query compacted.db)"
head -c -40 back.db >cut.db
has "a cut off record is left out" 'cut off' "$(dbctl import cut.db cut-ours.db)"
sed 's/later/lAter/' back.db >bad.db
refuse "a wrong checksum" 'record 2: its checksum' dbctl import bad.db bad-ours.db
check "nothing is left of that" test ! -e bad-ours.db
refuse "a file that is there" 'there already' dbctl import peer.db ours.db

# ---- backup and restore between servers, any tool, any direction ----
serve_ours ours
dbctl backup "unix:$dir/ours.sock" OVN_Northbound >ours.snapshot
ovsdb-client backup "unix:$dir/ours.sock" OVN_Northbound >ours.snapshot2
check "our snapshot is a file of theirs" ovsdb-tool db-name ours.snapshot
equal "with the same contents" "$want" "$(contents ovsdb-tool query ours.snapshot)"
equal "so is what their client makes of our server" "$want" "$(contents ovsdb-tool query ours.snapshot2)"
check "online backup of the file" dbctl backup ours.db copy.db
equal "its contents" "$want" "$(contents dbctl query copy.db)"
check "a change" ovn-nbctl --db="unix:$dir/ours.sock" ls-del sw1 -- ls-add another -- set Logical_Switch sw2 other_config:subnet=q
check "restore" dbctl restore "unix:$dir/ours.sock" <ours.snapshot
equal "all is as it was, with the same uuids" "$want" "$(contents ovsdb-client query "unix:$dir/ours.sock")"
check "a change" ovn-nbctl --db="unix:$dir/peer.sock" ls-del sw1 -- ls-add another
check "restore into their server" dbctl restore "unix:$dir/peer.sock" <ours.snapshot
equal "all is as it was" "$want" "$(contents ovsdb-client query "unix:$dir/peer.sock")"
check "their client restores into ours" ovsdb-client restore "unix:$dir/ours.sock" <ours.snapshot
without_uuids() { sed -E 's/[0-9a-f]{8}-[0-9a-f-]{27}/U/g' | sort; }
equal "all is as it was but the uuids" "$(without_uuids <<<"$want")" "$(contents ovsdb-client query "unix:$dir/ours.sock" | without_uuids)"
refuse "a cut off snapshot" 'cut off' dbctl restore "unix:$dir/ours.sock" <cut.db

# ---- keeping a file ----
ovn-nbctl --db="unix:$dir/ours.sock" ls-add logged >/dev/null
has "log of a file in use" 'uid 0, 1 change: ovn-nbctl: .*ls-add logged' "$(dbctl log ours.db 1)"
has "log -m" 'Logical_Switch insert' "$(dbctl -m log ours.db 1)"
ovn-nbctl --db="unix:$dir/ours.sock" set Logical_Switch logged name=renamed
has "log -m -m has the former value" 'name: "logged"' "$(dbctl -m -m log ours.db 1)"
check "compact while served" "$WEFT_BIN/weft-appctl" -t "$dir/ours.ctl" ovsdb-server/compact OVN_Northbound
refuse "check of a file in use" 'in use' dbctl check ours.db
has "check" 'OVN_Northbound 7.0.0: [0-9]+ rows.*no damage' "$(dbctl check copy.db)"
check "compact" dbctl compact copy.db
sed 's/"version": "7.0.0"/"version": "8.0.0"/; s/"cksum": "[0-9 ]*",//' $nb >next.ovsschema
equal "needs conversion" yes "$(dbctl needs-conversion copy.db next.ovsschema)"
check "convert" dbctl convert copy.db next.ovsschema
equal "the new version" 8.0.0 "$(dbctl db-version copy.db)"
equal "the rows are there" "$want" "$(contents dbctl query copy.db)"
check "convert on a server" dbctl convert "unix:$dir/ours.sock" next.ovsschema
equal "the new version there" 8.0.0 "$(dbctl get-schema-version "unix:$dir/ours.sock")"
