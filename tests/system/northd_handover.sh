#!/bin/bash
# Two weft-northds over two weft-dbds: the standby takes over when the active one is killed, and rewrites nothing. Tunnel keys above all:
# packets carry them, so what the active one chose is right, also where the standby would have chosen otherwise.
. "$WEFT_SRC/tests/support/lib.sh"
begin northd-handover
# A northd that hosts the databases makes the files.
check "the files" "$WEFT_BIN/weft-northd" --detach --pidfile="$dir/first.pid" --unixctl="$dir/first.ctl" -vconsole:off
# Who hosts the southbound database has its lock: others wait, ovn-northd as well, until it pauses.
state() { "$WEFT_BIN/weft-appctl" -t "$dir/$1.ctl" status; }
is() { [ "$(state "$1")" = "Status: $2" ]; }
connected() { [ "$("$WEFT_BIN/weft-appctl" -t "$dir/$2.ctl" "$1-connection-status")" = connected ]; }
dbs="--ovnnb-db=unix:$dir/ovnnb_db.sock --ovnsb-db=unix:$dir/ovnsb_db.sock"
start second "$WEFT_BIN/weft-northd" $dbs --unixctl="$dir/second.ctl"
wait_for 40 connected sb second
equal "the host is active" "Status: active" "$(state first)"
equal "a second one is standby" "Status: standby" "$(state second)"
check "the host pauses" "$WEFT_BIN/weft-appctl" -t "$dir/first.ctl" pause
wait_for 40 is second active
check "the host goes on" "$WEFT_BIN/weft-appctl" -t "$dir/first.ctl" resume
wait_for 40 is second standby
start peer ovn-northd $dbs --unixctl="$dir/peer.ctl"
wait_for 40 connected sb peer
equal "Debian's is standby" "Status: standby" "$(state peer)"
equal "the host is active again" "Status: active" "$(state first)"
for i in second peer; do "$WEFT_BIN/weft-appctl" -t "$dir/$i.ctl" exit; done
check "they are left" "$WEFT_BIN/weft-appctl" -t "$dir/first.ctl" exit
wait_for 40 test ! -e "$dir/first.pid"
for db in nb sb; do
    start "$db-dbd" "$WEFT_BIN/weft-dbd" --remote="punix:$dir/ovn${db}_db.sock" --unixctl=none "$dir/$db.db"
    wait_for 40 test -S "$dir/ovn${db}_db.sock"
done
sb_dbd=$started
nbctl() { "$WEFT_BIN/weft-nbctl" --db="unix:$dir/ovnnb_db.sock" --timeout=60 "$@"; }
sbctl() { "$WEFT_BIN/weft-sbctl" --db="unix:$dir/ovnsb_db.sock" --timeout=60 "$@"; }
northd() { start "$1" "$WEFT_BIN/weft-northd" --nb="unix:$dir/ovnnb_db.sock" --sb="unix:$dir/ovnsb_db.sock" --unixctl="$dir/$1.ctl" -vconsole:info; }
keys() { sbctl --format=csv --no-headings --columns=logical_port,tunnel_key list Port_Binding | sort; }
flows() { sbctl --format=csv --no-headings --columns=_uuid,logical_dp_group list Logical_Flow | sort | md5sum; }

northd active
active=$started
check "ports" nbctl --wait=sb ls-add s -- lsp-add s p1 -- lsp-add s p2 -- lsp-add s p3
check "a port that goes, whose key stays unused for long" nbctl --wait=sb lsp-del p3
northd standby
wait_for 40 connected nb standby
wait_for 40 connected sb standby
# Rows of sets of datapaths are edited by element: the standby must know them again.
check "a switch" nbctl --wait=sb ls-add s2
check "another" nbctl --wait=sb ls-add s3
check "one goes" nbctl --wait=sb ls-del s2
# The standby hears of the port first: it must not settle on a key of its own.
kill -STOP "$active"
check "a port while the active one sleeps" nbctl lsp-add s p4
sleep 1
kill -CONT "$active"
check "the active one goes on" nbctl --wait=sb sync
keys=$(keys) flows=$(flows)
has "the active one's choice" 'p4,4' "$keys"
kill -KILL "$active" && wait "$active" 2>/dev/null
for i in "${!pids[@]}"; do [ "${pids[i]}" != "$active" ] || unset "pids[i]"; done
wait_for 40 grep -q "is active" "$dir/standby.out"
check "the standby answers" nbctl --wait=sb sync
equal "keys are the same" "$keys" "$(keys)"
equal "flows are the same rows" "$flows" "$(flows)"
check "a port of its own" nbctl --wait=sb lsp-add s p5
has "with the next key" 'p5,5' "$(keys)"

# The lock is stolen while a transaction is under way: it is refused, and the robbed one waits in peace.
robbed=$started
mkfifo "$dir/thief"
python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(b"{\"id\":0,\"method\":\"echo\",\"params\":[]}")
s.recv(1000)
print("connected", flush=True)
sys.stdin.readline()
s.sendall(b"{\"id\":1,\"method\":\"steal\",\"params\":[\"ovn_northd\"]}")
sys.stdin.read()' "$dir/ovnsb_db.sock" <"$dir/thief" >"$dir/thief.out" &
thief=$!
exec 7>"$dir/thief"
wait_for 40 grep -q connected "$dir/thief.out"
# What the sleeping server has not read yet, of how many connections.
waiting() { [ "$(ss -xHn src "$dir/ovnsb_db.sock" | awk '$2 == "ESTAB" && $3 > 0' | wc -l)" -ge "$1" ]; }
kill -STOP "$sb_dbd"
echo >&7
wait_for 40 waiting 1
check "a port that waits" nbctl lsp-add s p6
wait_for 40 waiting 2 # the transaction comes after the theft
kill -CONT "$sb_dbd"
wait_for 40 grep -q 'not owner' "$dir/standby.out"
has "the transaction is refused" 'not owner' "$(cat "$dir/standby.out")"
ticks() { awk '{print $14 + $15}' "/proc/$robbed/stat"; }
before=$(ticks)
sleep 2
used=$(($(ticks) - before))
check "no busy waiting ($used ticks)" test "$used" -lt 40
exec 7>&-
wait "$thief"
check "the lock comes back, and the port is made" nbctl --wait=sb sync
has "with a key of its own" 'p6,[67]' "$(keys)"
