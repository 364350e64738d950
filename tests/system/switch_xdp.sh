#!/bin/bash
# Ports of type afxdp: machines a and b on switch h1, c on h2 behind Geneve. What arrives is looked at packet by packet (liboffload.py); where the
# kernel cannot, the port must have said so and serve all the same by AF_PACKET: the test goes on with what there is.
. "$WEFT_SRC/tests/support/lib.sh"
. "$WEFT_SRC/tests/system/libswitch.sh"
begin switch-xdp
switch_up h1
switch_up h2
ip link add u1 netns wswh1 type veth peer name u2 netns wswh2
for i in 1 2; do
    ip -n wswh$i addr add 172.31.9.$i/24 dev u$i
    ip -n wswh$i link set u$i mtu 1600 up
done
n=0
for m in h1:a h1:b h2:c; do
    n=$((n + 1))
    machine "${m%:*}" "${m#*:}" 10.9.0.$n/24
    ip -n "wsw${m#*:}" link set eth0 address 0a:00:00:00:00:0$n
    ip -n "wsw${m#*:}" addr add fd00:9::$n/64 dev eth0 nodad
done
says() { # SWITCH TEXT: the switch's log has it
    grep -q -- "$2" "$dir/$1.out"
}
io() { # PORT TEXT: so its packets cross, as the database tells
    [ "$(vsctl h1 --if-exists get interface "$1" status:packet_io | tr -d '"')" = "$2" ]
}
flows() { # FLOW...: of h1, these and no others
    check "flows" bash -c "printf '%s\n' $(printf "'%s' " "$@") | OVS_RUNDIR=$dir/h1 ovs-ofctl -O OpenFlow15 --bundle replace-flows br0 -"
}
send() { # WHAT KIND TO ADDRESS FORM: from machine a
    check "$1" python3 "$WEFT_SRC/tests/system/liboffload.py" "$2" wswa "wsw$3" "$4" "wsw$3,eth0,1500,$5"
}

check "bridge" vsctl h1 add-br br0 -- add-port br0 pa -- set interface pa type=afxdp ofport_request=1 -- add-port br0 pb -- set interface pb type=afxdp ofport_request=2
wait_for 20 says h1 "pb: packets cross by"
form=finished
if says h1 "pa: packets cross by AF_XDP, native"; then
    check "and the other port" says h1 "pb: packets cross by AF_XDP, native"
    check "told in the database" wait_for 20 io pa "AF_XDP, native"
else
    check "the log says why not" says h1 "pa: packets cross by AF_PACKET instead of AF_XDP: [a-z]"
    form=any
fi
flows in_port=1,actions=2 in_port=2,actions=1
check "ping" pings a 10.9.0.2
send "TCP of a sender that leaves its checksums unfinished" tcp b 10.9.0.2 $form
send "TCP over IPv6" tcp b fd00:9::2 $form
send "UDP" udp b 10.9.0.2 $form
send "UDP, many in one" udp-gso b 10.9.0.2 $form
track='ct(table=1,zone=1,nat)'
ip -n wswa neigh add 10.9.0.99 lladdr 0a:00:00:00:00:02 dev eth0
flows "priority=9,arp,actions=normal" "ip,actions=$track" 'table=1,in_port=1,ct_state=+new,ip,actions=ct(commit,zone=1,nat(dst=10.9.0.2)),2' \
    'table=1,in_port=1,ct_state=-new,actions=2' 'table=1,in_port=2,actions=1'
send "TCP, translated by the tracker" tcp b 10.9.0.99 $form
ip netns exec wswa ethtool -K eth0 tx off >/dev/null
flows in_port=1,actions=2 in_port=2,actions=1
send "TCP of a sender that finishes them" tcp b 10.9.0.2 any
ip netns exec wswa ethtool -K eth0 tx on >/dev/null

# A tag that stands beside its frame: the kernel's bridge takes it out of what x1 sends, and leaves it to eth0 to put it back.
ip -n wswa link add x1 type veth peer name x2
ip -n wswa link add brx type bridge
ip -n wswa link set x2 master brx
ip -n wswa addr flush dev eth0
ip -n wswa link set eth0 master brx
for d in x1 x2 brx; do ip -n wswa link set $d up; done
tagged() { # one frame in VLAN 7, and how many the flow has counted
    ip netns exec wswa python3 -c 'import socket; s = socket.socket(17, 3); s.bind(("x1", 0)); s.send(bytes.fromhex("0a00000000020a000000007181000007") + b"\x88\xb5" + b"x" * 50)'
    ofctl h1 dump-flows br0 dl_vlan=7 | grep -q "n_packets=[1-9]"
}
flows priority=9,dl_vlan=7,actions=drop priority=1,actions=drop
check "a tag beside its frame is seen" wait_for 10 tagged
ip -n wswa link set eth0 nomaster
ip -n wswa link del brx
ip -n wswa addr add 10.9.0.1/24 dev eth0
ip -n wswa addr add fd00:9::1/64 dev eth0 nodad

# To an ordinary port and back, into and out of a tunnel, in a VLAN.
check "an ordinary port again, and Geneve" vsctl h1 remove interface pb options xdp-mode -- set interface pb type=system -- add-port br0 g0 -- \
    set interface g0 type=geneve options:remote_ip=172.31.9.2 options:key=7 options:csum=true ofport_request=9
check "bridge of c" vsctl h2 add-br br0 -- add-port br0 pc -- set interface pc type=afxdp -- add-port br0 g0 -- \
    set interface g0 type=geneve options:remote_ip=172.31.9.1 options:key=7 options:csum=true
wait_for 20 says h2 "pc: packets cross by"
b=$(vsctl h1 get interface pb ofport)
flows in_port=1,actions=output:$b,output:9 in_port=$b,actions=1 in_port=9,actions=1
send "TCP from AF_XDP to AF_PACKET" tcp b 10.9.0.2 any
for d in a c; do ip netns exec wsw$d ip link set eth0 mtu 1400; done
check "TCP through Geneve" transfer c a 10.9.0.3 5
check "and back" transfer a c 10.9.0.1 5
for d in a c; do ip netns exec wsw$d ip link set eth0 mtu 1500; done

# A port that changes its mind while it runs.
twice() {
    [ "$(grep -c 'pb: packets cross by' "$dir/h1.out")" = 2 ]
}
error() { # TEXT: the database tells it of pb
    [ "$(vsctl h1 get interface pb error)" = "$1" ]
}
check "AF_XDP by an option" vsctl h1 set interface pb options:xdp-mode=native options:n_rxq_desc=128
check "at once" wait_for 5 twice
send "TCP then" tcp b 10.9.0.2 any
again() { # many changes, faster than the kernel opens and closes
    local i
    for i in 64 128 256 512 64 128 256 512; do vsctl h1 --no-wait set interface pb options:n_rxq_desc=$i || return 1; done
    vsctl h1 set interface pb options:n_rxq_desc=1024
}
if [ $form = finished ]; then
    check "changes that come before the last one is done" again
    check "leave it as it is" wait_for 20 io pb "AF_XDP, native"
    check "zero copy" vsctl h1 set interface pb options:xdp-mode=native-with-zerocopy
    check "is told to be missing" wait_for 20 says h1 "pb: packets cross by AF_XDP, native (the driver has no zero copy)"
    equal "nothing was in their way" "" "$(grep 'pb: .*busy' "$dir/h1.out")"
fi
check "a mode that is none" vsctl h1 set interface pb options:xdp-mode=fast
check "is an error that names it" wait_for 5 error '"bad value for option xdp-mode: fast (wanted: best-effort, native, native-with-zerocopy or generic)"'
check "nor is that a word" vsctl h1 set interface pb options:xdp-mode=native options:direct-send=no
check "as it says" wait_for 5 error '"bad value for option direct-send: no (wanted: true or false)"'
check "and back to none" vsctl h1 clear interface pb options
check "without an error" wait_for 5 error "[]"
send "TCP by AF_PACKET again" tcp b 10.9.0.2 any
check "an MTU that AF_XDP cannot have" vsctl h1 set interface pa mtu_request=9000
check "makes it AF_PACKET, and the log says why" wait_for 20 says h1 "pa: packets cross by AF_PACKET instead of AF_XDP: "
check "ping then" pings a 10.9.0.2

# An ordinary port sends small frames straight to the device, unless somebody listens there.
hears() {
    ip netns exec wswa ping -n -c 100 -i 0.2 10.9.0.2 >/dev/null &
    local pings=$!
    ip netns exec wswh1 timeout 20 tcpdump -nl -i pb -Q out -c 1 icmp >"$dir/heard" 2>/dev/null
    local status=$?
    kill $pings
    wait $pings
    return $status
}
if [ $form = finished ]; then check "small frames go straight" wait_for 15 io pb "AF_PACKET, sends by AF_XDP"; fi
check "tcpdump hears them all the same" hears
check "not when they shall not" vsctl h1 set interface pb options:direct-send=false
wait_for 20 io pb AF_PACKET
check "ping then" pings a 10.9.0.2

# A switch that has no right to load programs.
switch_limited() {
    OVS_RUNDIR=$dir/h3 OVS_DBDIR=$dir/h3 WEFT_RUNDIR=$dir/h3 WEFT_DBDIR=$dir/h3 start h3 ip netns exec wswh3 \
        setpriv --bounding-set=-sys_admin,-bpf --inh-caps=-sys_admin,-bpf "$WEFT_BIN/weft-switchd" --db="$dir/h3/conf.db" --unixctl="$dir/h3/ctl"
    wait_for 20 ovs-vsctl --db="unix:$dir/h3/db.sock" --timeout=1 --no-wait init
}
ns_new wswh3
mkdir -p "$dir/h3"
switch_limited
machine h3 d 10.9.0.4/24
check "its port" vsctl h3 add-br br0 -- add-port br0 pd -- set interface pd type=afxdp
check "says why it has none" wait_for 20 says h3 "pd: packets cross by AF_PACKET instead of AF_XDP: .*(Operation not permitted)"
ip netns exec wswh3 ip addr add 10.9.0.5/24 dev br0
ip netns exec wswh3 ip link set br0 up
check "and serves" pings d 10.9.0.5
