#!/bin/bash
# weft-switchd with forwarding threads: other_config:n-handler-threads starts them, real packets cross by them (NORMAL, conntrack, the LOCAL port), also
# while flows and ports come and go, their number changes, and after kill -9; without packets they sleep. WEFT_THREADS=2 runs the other
# tests of the switch in that way.
WEFT_THREADS=2
. "$WEFT_SRC/tests/support/lib.sh"
. "$WEFT_SRC/tests/system/libswitch.sh"
begin switch-threads
has_handlers() { [ "$(handlers)" = "$1" ]; }
handlers() { cat /proc/$pid_h/task/*/comm | grep -c '^handler'; }
switch_up h
wait_for 20 has_handlers 2
equal "two threads" 2 "$(handlers)"
machine h a 10.9.0.1/24
machine h b 10.9.0.2/24
machine h c 10.9.0.3/24
check "ports" vsctl h add-br br0 -- add-port br0 pa -- add-port br0 pb -- add-port br0 pc
check "ping" pings a 10.9.0.2
sockets() { ip netns exec wswh awk -v i="$(cat_in h /sys/class/net/$1/ifindex)" '$5 == i' /proc/net/packet | wc -l; }
cat_in() { ip netns exec "wsw$1" cat "$2"; }
has_sockets() { [ "$(sockets "$1")" = "$2" ]; }
check "a device has a socket for each thread" wait_for 20 has_sockets pa 2
check "more" vsctl h set interface pa options:n_rxq=4
wait_for 20 has_sockets pa 4
has "too many" 'bad value for option n_rxq: 17 .wanted: 1 to 16' "$(vsctl h set interface pc options:n_rxq=17 2>&1; vsctl h get interface pc error)"
check "as before" vsctl h remove interface pc options n_rxq
flood=$(ip netns exec wswa ping -n -q -f -c 1000 10.9.0.2)
has "each frame comes once" ' 1000 received, 0% packet loss' "$flood"
check "TCP, as it was sent" transfer b a 10.9.0.2 32
ip -n wswh addr add 10.9.0.100/24 dev br0
ip -n wswh link set br0 up
check "the LOCAL port" transfer h c 10.9.0.100 4
forwarded() { for t in /proc/$pid_h/task/*; do grep -q '^handler' $t/comm && awk '/^voluntary_ctxt/ { exit !($2 > 20) }' $t/status || continue; echo; done | wc -l; }
ip netns exec wswa python3 - <<'P'
import socket, time
for i in range(300):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("10.9.0.1", 7000 + i % 64))
    s.sendto(b"x", ("10.9.0.2", 9))
    s.close()
    time.sleep(0.001)
P
equal "both have worked" 2 "$(forwarded)"

# To one device, from two sides at once. The kernel itself may exchange datagrams whose sender goes from one processor to another, so some may be late (with one thread too).
ip netns exec wswb timeout 100 python3 - >"$dir/order" <<'P' &
import collections, socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, 33, 1 << 24)
s.bind(("10.9.0.2", 9)); s.settimeout(30)
last, n, late = collections.Counter(), 0, 0
while True:
    data, who = s.recvfrom(64)
    if data == b"end": break
    late += int(data) <= last[who]; last[who] = max(last[who], int(data)); n += 1
print("in order" if n > 1000 and late <= n / 10 else "%d of %d late" % (late, n))
P
order=$!
wait_for 10 ip netns exec wswb sh -c 'ss -lun | grep -q 10.9.0.2:9'
cat >"$dir/flood.py" <<'P'
import os, socket, sys, time
flows = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(8)]
for s in flows: s.connect(("10.9.0.2", 9))
i = 0
while not os.path.exists(sys.argv[1]):
    i += 1
    for s in flows:
        try: s.send(b"%d" % i)
        except OSError: pass
P
for m in a c; do ip netns exec wsw$m timeout 100 python3 "$dir/flood.py" "$dir/enough" & floods="${floods:-} $!"; done
beside() { [ "$(appctl h coverage/read-counter batch_sent_beside)" -gt 20 ]; }
check "who finds a device in use sends beside" wait_for 60 beside
touch "$dir/enough"
wait $floods
for i in 1 2 3 4 5; do ip netns exec wswc python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"end", ("10.9.0.2", 9))'; sleep 0.2; done
wait $order
equal "no datagram overtakes those of its flow" "in order" "$(cat "$dir/order")"

crosses() { [ "$(vsctl h get interface "$1" status:packet_io | tr -d '"')" = "$2" ]; }
check "AF_XDP" vsctl h set interface pa options:xdp-mode=native -- set interface pb options:xdp-mode=native
if wait_for 20 crosses pa "AF_XDP, native"; then
    check "is the threads' too" pings a 10.9.0.2
    check "TCP by it" transfer b a 10.9.0.2 4
fi
check "no more" vsctl h remove interface pa options xdp-mode -- remove interface pb options xdp-mode
wait_for 20 has_sockets pa 4

check "a firewall" ofctl h add-flows br0 - <<'F'
table=0,priority=5,ip,actions=ct(table=1,zone=1)
table=1,priority=5,in_port=pa,ip,actions=ct(commit,zone=1),normal
table=1,priority=5,ct_state=+est,ip,actions=normal
table=1,priority=1,actions=drop
F
ip netns exec wswa ping -n -q -i 0.002 -c 1000 -W 5 10.9.0.2 >"$dir/pings" 2>&1 &
pings=$!
for i in 1 2 3 4 5; do
    ofctl h add-flow br0 "table=1,priority=9,ct_state=+est,ip,nw_tos=$((i * 4)),actions=normal"
    vsctl h del-port br0 pc
    vsctl h set open_vswitch . other_config:n-handler-threads=$((i % 3 + 1))
    vsctl h add-port br0 pc
done
wait $pings
has "none of 1,000 comes twice" "received, 0%" "$(cat "$dir/pings")"
has "none of 1,000 is lost while flows, ports and threads change" ' 0% packet loss' "$(cat "$dir/pings")"
refuse "who may not begin" '100% packet loss' ip netns exec wswb ping -n -c 2 -i 0.2 -W 1 10.9.0.1
has "connections are there" 'icmp,' "$(appctl h dpctl/dump-conntrack)"
wait_for 20 has_handlers 3
ticks() { awk '{ print $14 + $15 }' "/proc/$pid_h/task/$1/stat"; }
idle() { for t in $(ls /proc/$pid_h/task); do grep -q '^handler' /proc/$pid_h/task/$t/comm && ticks $t; done | awk '{ n += $1 } END { print n + 0 }'; }
before=$(idle)
sleep 1
check "idle threads sleep" [ $(($(idle) - before)) -le 1 ]

kill -9 "$pid_h"
wait "$pid_h" 2>/dev/null # the kernel takes 0.05 s a port to let go
pids=()
switch_start h
wait_for 20 ip netns exec wswc ping -n -c 1 -W 1 10.9.0.2
check "again after kill -9" pings c 10.9.0.2
check "one thread again" vsctl h remove open_vswitch . other_config n-handler-threads
wait_for 20 has_handlers 0
check "which forwards" pings c 10.9.0.2
