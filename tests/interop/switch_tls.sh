#!/bin/bash
# TLS of the switch: controllers on both sides of ssl: and pssl:, with Debian's ovs-ofctl as a peer; certificates of another CA.
. "$WEFT_SRC/tests/support/lib.sh"
. "$WEFT_SRC/tests/support/pki.sh"
begin switch-tls
cd "$dir" || exit 1
ca red && ca blue && signed switch red && signed client red && signed stranger blue || exit 1
hv=wsst-hv
ns_new $hv
in_hv() { ip netns exec $hv "$@"; }
start switchd ip netns exec $hv "$WEFT_BIN/weft-switchd" --enable-dummy --unixctl="$dir/switchd.ctl"
wait_for 20 test -S "$dir/db.sock"
check "keys" ovs-vsctl set-ssl "$dir/switch.key" "$dir/switch.pem" "$dir/red.pem"
check "a bridge that listens" ovs-vsctl add-br br0 -- set bridge br0 datapath_type=dummy -- set-controller br0 pssl:16653:127.0.0.1
as() { local who=$1; shift; in_hv "$@" -p "$who.key" -c "$who.pem" -C red.pem; }
wait_for 20 as client "$WEFT_BIN/weft-ofctl" show ssl:127.0.0.1:16653
check "add-flow" as client "$WEFT_BIN/weft-ofctl" add-flow ssl:127.0.0.1:16653 priority=7,actions=drop
has "Debian's ovs-ofctl reads it" 'priority=7 actions=drop' "$(as client ovs-ofctl dump-flows ssl:127.0.0.1:16653)"
refuse "a client of another CA" 'ssl:127.0.0.1:16653' as stranger "$WEFT_BIN/weft-ofctl" show ssl:127.0.0.1:16653
refuse "a client without certificate" 'ssl:127.0.0.1:16653' in_hv "$WEFT_BIN/weft-ofctl" show ssl:127.0.0.1:16653
refuse "a key that is not there" 'nope.pem' as nope "$WEFT_BIN/weft-ofctl" show ssl:127.0.0.1:16653

start controller ip netns exec $hv "$WEFT_BIN/weft-testcontroller" --unixctl="$dir/controller.ctl" -p "$dir/client.key" -c "$dir/client.pem" -C "$dir/red.pem" pssl:16654:127.0.0.1
check "a controller" ovs-vsctl set-controller br0 ssl:127.0.0.1:16654
wait_for 20 bash -c '[ "$(ovs-vsctl --bare --columns=is_connected list controller)" = true ]'
wait_for 20 bash -c "ovs-vsctl --bare --columns=status list controller | grep -q 'sec_since_connect=.*state=ACTIVE'"
check "the controller leaves" ovs-vsctl del-controller br0
check "keys of another CA" ovs-vsctl set-ssl "$dir/stranger.key" "$dir/stranger.pem" "$dir/red.pem" -- set-controller br0 ssl:127.0.0.1:16654
wait_for 20 bash -c "ovs-vsctl --bare --columns=status list controller | grep -q last_error"
equal "the controller does not know them" false "$(ovs-vsctl --bare --columns=is_connected list controller)"
