#!/bin/bash
# Debian's unmodified ovn-nbctl, ovn-sbctl and ovsdb-client against weft-northd, which hosts both databases.
. "$WEFT_SRC/tests/support/lib.sh"
begin northd-clients
start northd "$WEFT_BIN/weft-northd" --sb-remote=ptcp:16642:127.0.0.1
wait_for 20 test -S "$dir/ovnsb_db.sock"
nb=unix:$dir/ovnnb_db.sock sb=unix:$dir/ovnsb_db.sock
nbctl() { ovn-nbctl --db="$nb" --timeout=20 "$@"; }
sbctl() { ovn-sbctl --db="$sb" --timeout=20 "$@"; }

check "ovn-nbctl init" nbctl init
check "ls-add" nbctl ls-add sw0
check "lsp-add in one transaction with ls-add" nbctl ls-add sw1 -- lsp-add sw1 p1 -- lsp-set-addresses p1 "0a:00:00:00:00:01 10.0.0.1"
check "lsp-add" nbctl lsp-add sw0 p0
check "lsp-set-addresses unknown" nbctl lsp-set-addresses p0 unknown
check "lr-add, lrp-add" nbctl lr-add lr0 -- lrp-add lr0 lrp0 0a:00:00:00:ff:01 10.0.0.254/24
check "--wait=sb" nbctl --wait=sb set Logical_Switch sw0 external_ids:owner=me
equal "get gives it back" me "$(nbctl get Logical_Switch sw0 external_ids:owner)"
has "list" 'name +: sw0' "$(nbctl list Logical_Switch sw0)"
has "show: the switch" 'switch [0-9a-f-]+ \(sw1\)' "$(nbctl show)"
has "show: the port" 'port p1' "$(nbctl show sw1)"
has "show: its addresses" 'addresses: \["0a:00:00:00:00:01 10.0.0.1"\]' "$(nbctl show sw1)"
refuse "a duplicate name" 'sw0.*already exists' nbctl ls-add sw0
refuse "no such switch" 'sw9: switch name not found' nbctl lsp-add sw9 p9
check "lsp-del, ls-del" nbctl lsp-del p0 -- ls-del sw0
equal "ls-list" sw1 "$(nbctl --bare --columns=name list Logical_Switch)"
has "SB has the datapath" 'name=sw1' "$(sbctl --columns=external_ids list Datapath_Binding)"
has "SB has the binding" 'p1' "$(sbctl --bare --columns=logical_port list Port_Binding)"
has "lflow-list" 'table=[0-9]+ ?\(ls_in_' "$(sbctl lflow-list sw1)"

equal "list-dbs" "OVN_Northbound
_Server" "$(ovsdb-client list-dbs "$nb" | sort)"
has "get-schema" '"name":"OVN_Northbound"' "$(ovsdb-client get-schema "$nb" OVN_Northbound)"
has "transact insert" '"uuid"' "$(ovsdb-client transact "$nb" '["OVN_Northbound",{"op":"insert","table":"Logical_Switch","row":{"name":"from-client"}}]')"
has "transact select" '"rows":\[\{"name":"from-client"\}\]' "$(ovsdb-client transact "$nb" '["OVN_Northbound",{"op":"select","table":"Logical_Switch","where":[["name","==","from-client"]],"columns":["name"]}]')"
has "transact wait that fails" 'timed out' "$(ovsdb-client transact "$nb" '["OVN_Northbound",{"op":"wait","timeout":0,"table":"Logical_Switch","where":[["name","==","from-client"]],"columns":["name"],"until":"==","rows":[{"name":"x"}]}]')"
has "transact abort" 'aborted' "$(ovsdb-client transact "$nb" '["OVN_Northbound",{"op":"delete","table":"Logical_Switch","where":[]},{"op":"abort"}]')"
has "abort changed nothing" 'from-client' "$(nbctl ls-list)"
has "transact on no such table" 'No table named Nope' "$(ovsdb-client transact "$nb" '["OVN_Northbound",{"op":"insert","table":"Nope","row":{}}]' 2>&1)"
has "dump" 'Logical_Switch_Port table' "$(ovsdb-client dump "$nb" OVN_Northbound)"
has "dump over TCP" 'Port_Binding table' "$(ovsdb-client dump tcp:127.0.0.1:16642 OVN_Southbound)"
start monitor ovsdb-client monitor "$nb" OVN_Northbound Logical_Switch name
wait_for 10 grep -q from-client "$dir/monitor.out"
check "a change for the monitor" nbctl ls-add monitored
wait_for 10 grep -q 'insert.*monitored' "$dir/monitor.out"

# Bad input: a clear end for the sender, and the daemon goes on.
printf 'this is not json\n' | timeout 5 python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.sendall(sys.stdin.buffer.read())
s.settimeout(5)
assert s.recv(100) == b"", "the connection should have been closed"' "$dir/ovnnb_db.sock" && echo "ok    garbage closes the connection" || { echo "FAIL  garbage"; failures=$((failures + 1)); }
check "the daemon goes on" nbctl --wait=sb sync

# kill -9: nothing acknowledged is lost.
kill "$started"; wait "$started" 2>/dev/null; unset "pids[-1]" # the monitor client
before=$(nbctl --bare --columns=name list Logical_Switch | sort)
kill -9 "${pids[0]}"
wait "${pids[0]}" 2>/dev/null
pids=("${pids[@]:1}")
rm -f "$dir"/*.sock
start northd2 "$WEFT_BIN/weft-northd"
wait_for 20 test -S "$dir/ovnsb_db.sock"
equal "after kill -9 all is there" "$before" "$(nbctl --bare --columns=name list Logical_Switch | sort)"
check "and northd works" nbctl --wait=sb sync
