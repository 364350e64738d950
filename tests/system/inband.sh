#!/bin/bash
# In-band control in the six set-ups that it supports (seeds IB-t1 to IB-t6): switches that reach their controller only through their own
# bridges, with empty tables, fail mode secure, and a controller that drops everything. After each blow the controller is restarted,
# and the switch must find it again. What it cannot do by itself (IB-n1 to IB-n3) it must say.
. "$WEFT_SRC/tests/support/lib.sh"
. "$WEFT_SRC/tests/system/libswitch.sh"
begin inband
echo "priority=65535,actions=drop" >"$dir/drop-all"

controller_up() { # NAMESPACE: listens there; its pid is in $pid_controller
    start controller ip netns exec "wsw$1" "$WEFT_BIN/weft-testcontroller" --with-flows="$dir/drop-all" --unixctl="$dir/controller.ctl" "${listen:-ptcp:6653}"
    pid_controller=$started
    wait_for 20 ip netns exec "wsw$1" sh -c 'ss -ltn | grep -q :6653'
}

controller_down() {
    kill -9 "$pid_controller"
    wait "$pid_controller" 2>/dev/null
    pids=("${pids[@]/$pid_controller/}")
}

connected() { # SWITCH [BRIDGE]: true when its controller is
    [ "$(vsctl "$1" --bare get controller "${2:-br0}" is_connected)" = true ]
}

again() { # WHAT NAMESPACE SWITCH...: the switches find a controller that is started anew
    local what=$1 where=$2 s
    shift 2
    controller_down
    for s in "$@"; do wait_for 20 bash -c "! ovs-vsctl --db=unix:$dir/$s/db.sock --bare get controller br0 is_connected | grep -q true"; done
    controller_up "$where"
    for s in "$@"; do
        if wait_for 20 connected "$s"; then echo "ok    $what: $s is connected again"; fi
    done
}

bridge() { # SWITCH ADDRESS/LENGTH PORT...: br0 with the address on its local port, secure, controlled from $controller
    local s=$1 address=$2
    shift 2
    vsctl "$s" add-br br0 -- set-fail-mode br0 secure
    for p in "$@"; do vsctl "$s" add-port br0 "$p"; done
    vsctl "$s" set-controller br0 "tcp:$controller:6653" -- set controller br0 max_backoff=1000
    [ -z "$address" ] || ip -n "wsw$s" addr add "$address" dev br0
    ip -n "wsw$s" link set br0 up
}

cable() { # NAMESPACE DEVICE NAMESPACE DEVICE
    ip link add "$2" netns "wsw$1" type veth peer name "$4" netns "wsw$3"
    ip -n "wsw$1" link set "$2" up
    ip -n "wsw$3" link set "$4" up
}

kinds() { # SWITCH [BRIDGE]: the hidden flows' priorities
    appctl "$1" bridge/dump-flows "${2:-br0}" | sed -n 's/.*priority=1800\([01][0-9]\),.*/\1/p' | sort | tr '\n' ' '
}

# For tools/bench (WEFT_TIMES: how often): from naming the controller of a bridge with empty tables, and nothing known of any neighbour, until
# the controller says that it has a connection, in ms. True: that was all.
cold() { # SWITCH [BRIDGE]
    local s=$1 br=${2:-br0} i begin n
    [ -n "${WEFT_TIMES:-}" ] || return 1
    connections() { grep -c 'connected, OpenFlow' "$dir/controller.out"; }
    for i in $(seq "$WEFT_TIMES"); do
        vsctl "$s" del-controller "$br"
        ofctl "$s" del-flows "$br"
        ip -n "wsw$s" neigh flush all
        n=$(connections)
        begin=${EPOCHREALTIME/./}
        vsctl "$s" --no-wait set-controller "$br" "tcp:$controller:6653" -- set controller "$br" max_backoff=1000
        wait_for 20 eval '[ "$(connections)" -gt '"$n ]"
        echo "cold ${FUNCNAME[1]} $(((${EPOCHREALTIME/./} - begin) / 1000))"
    done
    clear_away
}

clear_away() {
    for p in "${pids[@]}"; do kill -TERM "$p" 2>/dev/null; done
    for p in "${pids[@]}"; do wait "$p" 2>/dev/null || { [ $? -le 143 ] || failures=$((failures + 1)); }; done
    for n in "${namespaces[@]}"; do ip netns del "$n" 2>/dev/null; done
    pids=() namespaces=()
    rm -rf "$dir"/[hxy]
}

blows() { # CONTROLLER HOP SWITCH...: what must not cut the switches off; HOP is where the next hop's eth0 is
    local c=$1 hop=$2 s n=5
    shift 2
    again "drop-all" "$c" "$@"
    for s in "$@"; do ofctl "$s" del-flows br0; done
    again "flows deleted" "$c" "$@"
    for s in "$@"; do
        ip -n "wsw$s" link set br0 address "02:11:22:33:44:5$n"
        wait_for 5 bash -c "ovs-appctl -t $dir/$s/ctl bridge/dump-flows br0 | grep 'dl_dst=02:11:22:33:44:5$n' >/dev/null"
        n=$((n + 1))
    done
    again "local MAC changed" "$c" "$@"
    ip -n "wsw$hop" link set eth0 address 02:77:77:77:77:77
    for s in "$@"; do ip -n "wsw$s" neigh flush dev br0; done
    again "the next hop's MAC changed" "$c" "$@"
}


t1() { # on one subnet
    controller=10.1.0.9
    switch_up h
    machine h c 10.1.0.9/24
    bridge h 10.1.0.1/24 pc
    controller_up c
    check "connects" wait_for 20 connected h
    cold h && return
    wait_for 5 bash -c "[ \"\$(ovs-appctl -t $dir/h/ctl bridge/dump-flows br0 | grep -c priority=180)\" = 11 ]"
    equal "one flow of each kind" "00 01 02 03 04 05 06 07 08 09 10 " "$(kinds h)"
    equal "controllers see only their own" " priority=0 actions=controller(reason=no_match)
 priority=65535 actions=drop" "$(ofctl h --no-stats dump-flows br0 | grep -v ^OFP | sort)"
    has "table statistics count only theirs" 'active=2,' "$(ofctl h dump-tables br0 | grep -A1 'table 0' | tr -d '\n')"
    has "so do aggregates" 'flow_count=2$' "$(ofctl h dump-aggregate br0 | tr -d '\n')"
    has "status" 'remote: 10.1.0.9:6653' "$(appctl h in-band/show br0)"
    OVS_RUNDIR=$dir/h start monitor ovs-ofctl monitor br0 watch:
    wait_for 5 grep -q event=ADDED "$dir/monitor.out"
    blows c c h
    equal "and flow monitors" 0 "$(grep -c 'NORMAL' "$dir/monitor.out")"
    resolves() { # with the neighbour unknown, by ARP from the local port
        ip -n wswh neigh flush dev br0
        ip netns exec wswh ping -n -q -c 1 -W 1 10.1.0.9
        ip -n wswh neigh show 10.1.0.9 | grep lladdr
    }
    check "ARP from the local port passes the tables" resolves
    vsctl h set bridge br0 other_config:in-band-queue=7
    wait_for 5 bash -c "ovs-appctl -t $dir/h/ctl bridge/dump-flows br0 | grep -q 'actions=set_queue:7,NORMAL'"
    vsctl h set bridge br0 other_config:disable-in-band=true
    wait_for 5 bash -c "! ovs-appctl -t $dir/h/ctl bridge/dump-flows br0 | grep -q priority=1800"
    refuse "without in-band control they have it" '' resolves
    check "a switch without in-band control is cut off by drop-all" wait_for 20 bash -c "! ovs-vsctl --db=unix:$dir/h/db.sock --bare get controller br0 is_connected | grep -q true"
    flows() { appctl h bridge/dump-flows br0 | sed -n 's/.*priority=1800\(0[78],.*\)/\1/p' | sort; }
    vsctl h remove bridge br0 other_config disable-in-band -- remove bridge br0 other_config in-band-queue -- set-manager tcp:10.1.0.8:6640
    equal "a manager counts too" "07,tcp,nw_dst=10.1.0.8,tp_dst=6640,actions=NORMAL
07,tcp,nw_dst=10.1.0.9,tp_dst=6653,actions=NORMAL
08,tcp,nw_src=10.1.0.8,tp_src=6640,actions=NORMAL
08,tcp,nw_src=10.1.0.9,tp_src=6653,actions=NORMAL" "$(flows)"
    vsctl h set manager tcp:10.1.0.8:6640 connection_mode=out-of-band -- set bridge br0 other_config:in-band-remotes=10.1.0.7:7000
    equal "out of band it does not; remotes of others can be listed" "07,tcp,nw_dst=10.1.0.7,tp_dst=7000,actions=NORMAL
07,tcp,nw_dst=10.1.0.9,tp_dst=6653,actions=NORMAL
08,tcp,nw_src=10.1.0.7,tp_src=7000,actions=NORMAL
08,tcp,nw_src=10.1.0.9,tp_src=6653,actions=NORMAL" "$(flows)"
    has "a remote by name is refused with a reason" 'must be given by its address' "$(vsctl h set-controller br0 tcp:controller.example:6653; sleep 0.2; cat "$dir/h.out")"
    equal "and contributes no flow" "07,tcp,nw_dst=10.1.0.7,tp_dst=7000,actions=NORMAL
08,tcp,nw_src=10.1.0.7,tp_src=7000,actions=NORMAL" "$(flows)"
    clear_away
}

t2() { # behind a gateway
    controller=10.2.0.9
    switch_up h
    ns_new wswg
    ns_new wswc
    cable h pg g eth0
    cable g eth1 c eth0
    ip -n wswg addr add 10.1.0.254/24 dev eth0
    ip -n wswg addr add 10.2.0.254/24 dev eth1
    ip -n wswc addr add 10.2.0.9/24 dev eth0
    ip -n wswc route add default via 10.2.0.254
    ip netns exec wswg sysctl -qw net.ipv4.ip_forward=1
    bridge h 10.1.0.1/24 pg
    ip -n wswh route add default via 10.1.0.254
    controller_up c
    check "connects" wait_for 20 connected h
    cold h && return
    gateway=$(ip netns exec wswg cat /sys/class/net/eth0/address)
    check "the next hop is the gateway" wait_for 12 bash -c "ovs-appctl -t $dir/h/ctl bridge/dump-flows br0 | grep -q 'priority=180003.*dl_dst=$gateway'"
    blows c g h
    clear_away
}

discover() { # of Y, whose local port asks by broadcast
    ip netns exec wswy python3 - <<'P'
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
s.setsockopt(socket.SOL_SOCKET, 25, b"br0\0")
s.bind(("", 68))
for i in range(5): s.sendto(b"\1" * 300, ("255.255.255.255", 67)); time.sleep(0.1)
P
}
heard() { # discovers that reach the controller's host meanwhile
    ip netns exec wswc timeout 3 tcpdump -nni eth0 -c 5 udp port 67 >"$dir/heard" 2>"$dir/tcpdump.err" &
    local tcpdump=$!
    wait_for 3 grep -q listening "$dir/tcpdump.err"
    discover
    wait $tcpdump
    grep -c ' > 255.255.255.255.67' "$dir/heard"
}

t3() { # this switch is between another switch and the remote
    controller=10.1.0.9
    switch_up x
    switch_up y
    ns_new wswc
    cable x py y px
    cable x pc c eth0
    ip -n wswc addr add 10.1.0.9/24 dev eth0
    bridge x 10.1.0.1/24 py pc
    bridge y 10.1.0.2/24 px
    controller_up c
    check "the near one connects" wait_for 20 connected x
    check "the far one connects through it" wait_for 20 connected y
    cold y && return
    blows c c x y
    equal "the far one's DHCP does not pass by itself" 0 "$(heard)"
    ofctl x add-flow br0 'table=0,priority=65535,udp,tp_src=68,tp_dst=67,actions=NORMAL'
    ofctl x --strict del-flows br0 'priority=65535'
    equal "but when the tables let it" 5 "$(heard)"
    clear_away
}

t4() { # this switch is between another switch and the gateway
    controller=10.2.0.9
    switch_up x
    switch_up y
    ns_new wswg
    ns_new wswc
    cable x py y px
    cable x pg g eth0
    cable g eth1 c eth0
    ip -n wswg addr add 10.1.0.254/24 dev eth0
    ip -n wswg addr add 10.2.0.254/24 dev eth1
    ip -n wswc addr add 10.2.0.9/24 dev eth0
    ip -n wswc route add default via 10.2.0.254
    ip netns exec wswg sysctl -qw net.ipv4.ip_forward=1
    bridge x 10.1.0.1/24 py pg
    bridge y 10.1.0.2/24 px
    ip -n wswx route add default via 10.1.0.254
    ip -n wswy route add default via 10.1.0.254
    controller_up c
    check "the near one connects" wait_for 20 connected x
    check "the far one connects through it" wait_for 20 connected y
    cold y && return
    blows c g x y
    clear_away
}

t5() { # the remote is a guest, reached through the local port
    controller=10.1.0.9
    switch_up h
    machine h c 10.1.0.9/24
    machine h w 10.1.0.50/24
    bridge h 10.1.0.1/24 pw pc
    controller_up c
    check "connects" wait_for 20 connected h
    cold h && return
    blows c c h
    clear_away
}

t6() { # the remote is a guest on another bridge, which has no address; the two meet outside
    controller=10.1.0.9
    switch_up h
    machine h c 10.1.0.9/24
    ns_new wswo
    cable h eth0 o e0
    cable h eth1 o e1
    ip -n wswo link add sw type bridge
    ip -n wswo link set e0 master sw
    ip -n wswo link set e1 master sw
    ip -n wswo link set sw up
    bridge h 10.1.0.1/24 eth0
    vsctl h add-br br1 -- set-fail-mode br1 secure -- add-port br1 eth1 -- add-port br1 pc -- set-controller br1 tcp:10.1.0.9:6653 -- set controller br1 max_backoff=1000
    controller_up c
    check "the bridge with the address connects" wait_for 20 connected h br0
    check "the other one too" wait_for 20 connected h br1
    cold h br1 && return
    ofctl h del-flows br1
    blows c c h
    check "the other one too" wait_for 20 connected h br1
    has "which lives by the remote's address" ' 05 06 07 08 09 10 ' "$(kinds h br1)"
    clear_away
}

t7() { # on one subnet, over IPv6
    controller='[fd00:1::9]' listen='ptcp:6653:[::]'
    switch_up h
    machine h c fd00:1::9/64
    bridge h fd00:1::1/64 pc
    controller_up c
    check "connects" wait_for 20 connected h
    wait_for 12 bash -c "ovs-appctl -t $dir/h/ctl bridge/dump-flows br0 | grep -q 'priority=180004'"
    equal "by flows of each kind" "00 00 01 02 03 04 05 06 07 08 09 10 " "$(kinds h)"
    again "drop-all" c h
    ip -n wswc link set eth0 address 02:77:77:77:77:77
    ip -n wswh neigh flush dev br0
    again "the controller's MAC changed" c h
    listen=
    clear_away
}

t8() { # a switch behind this one that has another gateway, then another remote (IB-n3, IB-n2): told in the log, and helped by in-band-remotes
    controller=10.2.0.9
    switch_up x
    switch_up y
    ns_new wswg
    ns_new wswc
    cable x py y px
    cable x pg g eth0
    cable g eth1 c eth0
    ip -n wswg link add link eth0 name other type macvlan mode bridge
    ip -n wswg link set other up
    ip netns exec wswg sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.arp_ignore=1
    ip -n wswg addr add 10.1.0.254/24 dev eth0
    ip -n wswg addr add 10.1.0.253/32 dev other
    ip -n wswg route add 10.1.0.2/32 dev other src 10.1.0.253
    ip -n wswg addr add 10.2.0.254/24 dev eth1
    for a in 9 8; do ip -n wswc addr add 10.2.0.$a/24 dev eth0; done
    ip -n wswc route add default via 10.2.0.254
    bridge x 10.1.0.1/24 py pg
    ip -n wswx route add default via 10.1.0.254
    controller_up c
    check "the near one connects" wait_for 20 connected x
    bridge y 10.1.0.2/24 px
    ip -n wswy route add default via 10.1.0.253
    told() { grep -q "in_band|WARN|bridge br0: $1" "$dir/x.out"; }
    check "the far one's gateway is told of" wait_for 20 told 'the flow tables drop the ARP request of 10.1.0.2 (port py) for 10.1.0.253;'
    other=$(ip netns exec wswg cat /sys/class/net/other/address)
    ip -n wswy neigh replace 10.1.0.253 lladdr "$other" dev br0
    ip -n wswg neigh replace 10.1.0.2 lladdr "$(ip netns exec wswy cat /sys/class/net/br0/address)" dev other
    check "with fixed neighbours it connects" wait_for 20 connected y
    check "and the way is told of" told "10.1.0.2 (port py) reaches 10.2.0.9:6653 by $other, not by this switch's next hop"
    vsctl y set-controller br0 tcp:10.2.0.8:6653 -- set controller br0 max_backoff=1000
    check "the far one's other remote is told of" wait_for 20 told 'the flow tables drop TCP from 10.1.0.2 (port py) to 10.2.0.8:6653;'
    ip -n wswy neigh flush dev br0 nud permanent
    ip -n wswg neigh flush dev other nud permanent
    vsctl x set bridge br0 'other_config:in-band-remotes="10.1.0.253,10.2.0.8:6653"'
    check "with both in in-band-remotes it connects" wait_for 20 connected y
    clear_away
}

for t in ${*:-t1 t2 t3 t4 t5 t6 t7 t8}; do
    echo "--- $t"
    $t
done
