#!/bin/bash
# Debian's unmodified ovn-nbctl, ovsdb-client and ovs-appctl against weft-dbd serving a northbound file, as ovn-ctl starts it.
. "$WEFT_SRC/tests/support/lib.sh"
begin dbd-clients
check "weft-dbctl create" "$WEFT_BIN/weft-dbctl" create "$dir/nb.db" /usr/share/ovn/ovn-nb.ovsschema
ovn_ctl_options=(--remote=db:OVN_Northbound,NB_Global,connections --private-key=db:OVN_Northbound,SSL,private_key
    --certificate=db:OVN_Northbound,SSL,certificate --ca-cert=db:OVN_Northbound,SSL,ca_cert
    --ssl-protocols=db:OVN_Northbound,SSL,ssl_protocols --ssl-ciphers=db:OVN_Northbound,SSL,ssl_ciphers)
start dbd "$WEFT_BIN/weft-dbd" -vconsole:off -vfile:info --log-file --pidfile --remote=punix:nb.sock "${ovn_ctl_options[@]}" "$dir/nb.db"
wait_for 20 test -S "$dir/nb.sock"
nb=unix:$dir/nb.sock
nbctl() { ovn-nbctl --db="$nb" --timeout=20 "$@"; }
check "init" nbctl init
check "ls-add, lsp-add" nbctl ls-add sw0 -- lsp-add sw0 p0 -- lsp-set-addresses p0 "0a:00:00:00:00:01 10.0.0.1"
has "show" 'port p0' "$(nbctl show sw0)"
refuse "a second p0" 'already exists' nbctl lsp-add sw0 p0
equal "list-dbs" "OVN_Northbound
_Server" "$(ovsdb-client list-dbs "$nb" | sort)"
has "get-schema" '"name":"OVN_Northbound"' "$(ovsdb-client get-schema "$nb" OVN_Northbound)"
has "dump" 'Logical_Switch table' "$(ovsdb-client dump "$nb" OVN_Northbound)"
check "wait connected" ovsdb-client -t 5 wait "$nb" OVN_Northbound connected
start monitor ovsdb-client monitor "$nb" OVN_Northbound Logical_Switch name
wait_for 10 grep -q sw0 "$dir/monitor.out"
check "ls-add for the monitor" nbctl ls-add sw1
wait_for 10 grep -q 'insert.*sw1' "$dir/monitor.out"
kill "$started"; wait "$started" 2>/dev/null; unset "pids[-1]"

check "set-connection" nbctl set-connection ptcp:16651:127.0.0.1
wait_for 10 ovn-nbctl --db=tcp:127.0.0.1:16651 --timeout=2 show
wait_for 10 bash -c "ovn-nbctl --db='$nb' --bare --columns=status list Connection | grep -q bound_port=16651"
check "del-connection" nbctl del-connection
refuse "nobody listens any more" 'connection failed' ovn-nbctl --db=tcp:127.0.0.1:16651 --timeout=5 show

has "ovs-appctl by path" 'weft-dbd' "$(ovs-appctl -t "$dir/weft-dbd.$(cat "$dir/weft-dbd.pid").ctl" version)"
has "ovs-appctl by name" 'ovsdb-server/add-remote' "$(ovs-appctl -t weft-dbd list-commands)"
check "weft-appctl" "$WEFT_BIN/weft-appctl" -t weft-dbd ovsdb-server/add-remote punix:second.sock
check "the new remote" ovn-nbctl --db=unix:second.sock --timeout=5 show
refuse "no such command" 'not a valid command' "$WEFT_BIN/weft-appctl" -t weft-dbd frobnicate
refuse "a second server of the file" 'in use|already' "$WEFT_BIN/weft-dbd" --remote=punix:third.sock "$dir/nb.db"
ovsdb-client get-schema "$nb" OVN_Northbound | sed 's/"version":"[0-9.]*"/"version":"99.0.0"/; s/"cksum":"[0-9 ]*",//' >"$dir/next.ovsschema"
check "ovsdb-client convert" ovsdb-client -t 20 convert "$nb" "$dir/next.ovsschema"
equal "the new version" 99.0.0 "$(ovsdb-client get-schema-version "$nb" OVN_Northbound)"
has "the rows are there" 'port p0' "$(nbctl show sw0)"
check "exit" "$WEFT_BIN/weft-appctl" -t weft-dbd exit
wait "${pids[0]}"; equal "its status" 0 $?
pids=()
check "nothing is left" test ! -e "$dir/weft-dbd.pid" -a ! -e "$dir/nb.sock"

# In the background, with a parent that restarts it: kill -9 loses nothing that was acknowledged.
check "detached under ovsdb-server's name" bash -c "ln -s '$WEFT_BIN/weft-dbd' '$dir/ovsdb-server' && '$dir/ovsdb-server' --detach \
    --monitor --pidfile -vconsole:off --remote=punix:nb.sock '$dir/nb.db'"
check "ls-add before the kill" nbctl ls-add sw2
old=$(cat "$dir/ovsdb-server.pid")
kill -9 "$old"
wait_for 20 bash -c "ovn-nbctl --db='$nb' --timeout=2 show && [ \"\$(cat '$dir/ovsdb-server.pid')\" != '$old' ]"
equal "all switches are there" "sw0 sw1 sw2" "$(nbctl --bare --columns=name list Logical_Switch | sort | tr -s '\n' ' ' | sed 's/^ //;s/ $//')"
check "exit of the restarted one" ovs-appctl -t ovsdb-server exit
wait_for 20 test ! -e "$dir/ovsdb-server.pid"
