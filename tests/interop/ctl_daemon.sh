#!/bin/bash
# weft-nbctl and weft-sbctl as daemons (--detach, OVN_NB_DAEMON, -u): asked by themselves, by Debian's ovn-nbctl and by ovn-appctl; and
# weft-nbctl asking Debian's daemon.
. "$WEFT_SRC/tests/support/lib.sh"
begin ctl-daemon
start northd "$WEFT_BIN/weft-northd"
wait_for 20 test -S "$dir/ovnsb_db.sock"
nb=unix:$dir/ovnnb_db.sock
forget() { pids+=("$(cat "$1")"); } # PIDFILE: of what detached itself

socket=$("$WEFT_BIN/weft-nbctl" --detach --pidfile="$dir/d.pid" --db="$nb")
forget "$dir/d.pid"
export OVN_NB_DAEMON=$socket
has "the socket is printed" "^$dir/weft-nbctl\.[0-9]+\.ctl$" "$socket"
nbctl() { "$WEFT_BIN/weft-nbctl" "$@"; }
check "a change" nbctl --wait=sb ls-add sw0 -- lsp-add sw0 p0
equal "is there for Debian's client of the daemon" p0 "$(ovn-nbctl --bare --columns=name list Logical_Switch_Port)"
equal "and through ovn-appctl" p0 "$(ovn-appctl -t "$socket" run --bare --columns=name list Logical_Switch_Port)"
refuse "an error" '^weft-nbctl: no: switch name not found$' nbctl ls-del no
refuse "an error, to Debian's client" '^ovn-nbctl: no: switch name not found$' ovn-nbctl ls-del no
has "--db goes past the daemon" 'not using' "$(nbctl --db="$nb" ls-list 2>&1)"
has "-u instead of the variable" sw0 "$(OVN_NB_DAEMON='' nbctl -u "$socket" ls-list)"
refuse "no daemon" 'unset OVN_NB_DAEMON' env OVN_NB_DAEMON="$dir/none" "$WEFT_BIN/weft-nbctl" ls-list
refuse "arguments with --detach" 'non-option arguments not supported' nbctl --detach ls-list
for i in $(seq 8); do nbctl ls-add "many$i" & waits+=($!); done
wait "${waits[@]}"
equal "several at once" 8 "$(nbctl ls-list | grep -c many)"
has "--print-wait-time" 'ovn-northd completion:.*ms' "$(nbctl --wait=sb --print-wait-time sync)"
check "exit" ovn-appctl -t "$socket" exit
wait_for 10 test ! -S "$socket"

theirs=$(env -u OVN_NB_DAEMON ovn-nbctl --detach --pidfile="$dir/theirs.pid" --db="$nb")
forget "$dir/theirs.pid"
has "Debian's daemon" sw0 "$(OVN_NB_DAEMON=$theirs nbctl ls-list)"
refuse "an error of it" '^weft-nbctl: no: switch name not found$' env OVN_NB_DAEMON="$theirs" "$WEFT_BIN/weft-nbctl" ls-del no
unset OVN_NB_DAEMON
OVN_SB_DAEMON=$("$WEFT_BIN/weft-sbctl" --detach --pidfile="$dir/s.pid" -u "$dir/sb.ctl")
export OVN_SB_DAEMON
forget "$dir/s.pid"
equal "a socket of one's choice" "$dir/sb.ctl" "$OVN_SB_DAEMON"
equal "weft-sbctl" p0 "$("$WEFT_BIN/weft-sbctl" --bare --columns=logical_port list Port_Binding)"
