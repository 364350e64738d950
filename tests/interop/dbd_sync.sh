#!/bin/bash
# weft-dbd as the copy of an ovsdb-server and the other way round, roles changed at run time; and TLS files that are replaced.
. "$WEFT_SRC/tests/support/lib.sh"
begin dbd-sync
cd "$dir" || exit 1
nb=/usr/share/ovn/ovn-nb.ovsschema
check "files" bash -c "'$WEFT_BIN/weft-dbctl' create ours.db $nb && ovsdb-tool create theirs.db $nb"
key() { openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$1" -keyout key.new -out cert.new 2>/dev/null && mv key.new key && mv cert.new cert; }
key first
start theirs ovsdb-server -vconsole:off --remote="punix:$dir/theirs.sock" --unixctl="$dir/theirs.ctl" theirs.db
wait_for 20 test -S theirs.sock
start ours "$WEFT_BIN/weft-dbd" -vconsole:info --remote="punix:$dir/ours.sock" --remote=pssl:16653:127.0.0.1 --unixctl="$dir/ours.ctl" \
    --private-key="$dir/key" --certificate="$dir/cert" --ca-cert="$dir/cert" --sync-from="unix:$dir/theirs.sock" ours.db
wait_for 20 test -S ours.sock
here() { ovn-nbctl --no-leader-only --db="unix:$dir/ours.sock" --timeout=20 "$@"; }
there() { ovn-nbctl --no-leader-only --db="unix:$dir/theirs.sock" --timeout=20 "$@"; }
ctl() { ovs-appctl -t "$dir/ours.ctl" "ovsdb-server/$@"; }
dump() { ovsdb-client dump "unix:$dir/$1.sock" OVN_Northbound; }
same() { [ "$(dump ours)" = "$(dump theirs)" ]; }
there init
there ls-add sw0 -- lsp-add sw0 p0 -- lsp-set-addresses p0 "0a:00:00:00:00:01 10.0.0.1" -- set Logical_Switch sw0 other_config:a=b
wait_for 20 same
equal "the copy has all, with its uuids" "$(dump theirs)" "$(dump ours)"
there lsp-del p0 -- ls-add sw1 -- remove Logical_Switch sw0 other_config a -- acl-add sw1 to-lport 1001 ip4 drop
wait_for 20 same
equal "and what changes" "$(dump theirs)" "$(dump ours)"
refuse "a change of the copy" 'read only mode' here ls-add no
equal "sync-status" "state: backup
replicating: unix:$dir/theirs.sock
database: OVN_Northbound" "$(ctl sync-status)"
equal "get-active-ovsdb-server" "unix:$dir/theirs.sock" "$(ctl get-active-ovsdb-server)"
check "disconnect-active-ovsdb-server" ctl disconnect-active-ovsdb-server
equal "sync-status" "state: active" "$(ctl sync-status)"
check "now it may be changed" here ls-add own
there ls-add behind
check "connect-active-ovsdb-server" ctl connect-active-ovsdb-server
wait_for 20 same
equal "what it did alone is undone" "" "$(here --bare --columns=name find Logical_Switch name=own)"

# Tables that are not copied keep what they have here.
check "set-sync-exclude-tables" ctl set-sync-exclude-tables OVN_Northbound:Address_Set,OVN_Northbound:Meter
equal "get-sync-exclude-tables" "OVN_Northbound:Address_Set,OVN_Northbound:Meter" "$(ctl get-sync-exclude-tables)"
has "sync-status" '^exclude: OVN_Northbound:Address_Set,OVN_Northbound:Meter$' "$(ctl sync-status)"
there ls-add copied -- create Address_Set name=not_copied
wait_for 20 bash -c "ovsdb-client dump 'unix:$dir/ours.sock' OVN_Northbound Logical_Switch name | grep -q copied"
equal "what is left out" "" "$(here --bare --columns=name find Address_Set name=not_copied)"
refuse "a wrong text" 'not of the form' ctl set-sync-exclude-tables nonsense
check "none excluded, and another probe interval" bash -c "ovs-appctl -t '$dir/ours.ctl' ovsdb-server/set-sync-exclude-tables '' && ovs-appctl -t '$dir/ours.ctl' ovsdb-server/set-active-ovsdb-server-probe-interval 2000"
wait_for 20 same

# The other way round: their server follows ours.
ctl disconnect-active-ovsdb-server
check "they follow us" bash -c "ovs-appctl -t '$dir/theirs.ctl' ovsdb-server/set-active-ovsdb-server unix:$dir/ours.sock && ovs-appctl -t '$dir/theirs.ctl' ovsdb-server/connect-active-ovsdb-server"
here ls-add led -- ls-del sw0
wait_for 20 same
has "their copy of ours" 'led' "$(dump theirs)"
refuse "a wrong remote" 'not of the form' ctl set-active-ovsdb-server nonsense

# Key and certificate are replaced: connections from now on get the new ones, also when one of the two comes first.
subject() { openssl s_client -connect 127.0.0.1:16653 -key key -cert cert </dev/null 2>/dev/null | openssl x509 -noout -subject 2>/dev/null; }
has "the first certificate" 'first' "$(subject)"
cp cert old-cert; cp key old-key
key second
has "the second certificate" 'second' "$(subject)"
cp old-key key
has "a key alone that does not fit: the second still" 'second' "$(openssl s_client -connect 127.0.0.1:16653 -key old-key -cert old-cert </dev/null 2>/dev/null | openssl x509 -noout -subject)"
cp old-cert cert
has "with its certificate: the first again" 'first' "$(subject)"
check "exit" "$WEFT_BIN/weft-appctl" -t "$dir/ours.ctl" exit
