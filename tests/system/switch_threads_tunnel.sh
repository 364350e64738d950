#!/bin/bash
# Forwarding threads (other_config:n-handler-threads) and Geneve between two switches: each has several sockets on the tunnel's UDP port, flows spread over
# them, and none of their packets is lost, changed or overtaken; nor is TCP's, while the number of threads changes; and again after kill -9.
WEFT_THREADS=2
. "$WEFT_SRC/tests/support/lib.sh"
. "$WEFT_SRC/tests/system/libswitch.sh"
begin switch-threads-tunnel
listeners() { ip netns exec "wswh$1" ss -Huan 'sport = 6081' | wc -l; }
has_listeners() { [ "$(listeners "$1")" = "$2" ]; }
# Handlers of switch $1 that have slept more than $2 times, so that much has come to each.
worked() { for t in $(eval echo "/proc/\$pid_h$1/task/*"); do grep -q '^handler' $t/comm && awk -v n="$2" '/^voluntary_ctxt/ { exit !($2 > n) }' $t/status && echo; done | wc -l; }
switch_up h1
switch_up h2
ip link add u1 netns wswh1 type veth peer name u2 netns wswh2
for i in 1 2; do
    ip -n wswh$i addr add 172.31.9.$i/24 dev u$i
    ip -n wswh$i link set u$i mtu 1700 up
done
machine h1 a 10.9.0.1/24
machine h2 b 10.9.0.2/24
for i in 1 2; do
    check "tunnel $i" vsctl h$i add-br br0 -- add-port br0 g0 -- set interface g0 type=geneve options:remote_ip=172.31.9.$((3 - i)) options:key=7 options:csum=true
    check "port $i" vsctl h$i add-port br0 p$([ $i = 1 ] && echo a || echo b)
    wait_for 20 has_listeners $i 2
done
check "ping" pings a 10.9.0.2

small() { # COUNT: as many small packets each way in 16 flows, at most 128 on their way; says what was wrong
    ip netns exec wswb timeout 60 python3 - <<'P' &
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)
s.bind(("10.9.0.2", 5002))
s.settimeout(30)
while (p := s.recvfrom(2048))[0]: s.sendto(p[0], p[1])
P
    local echo=$!
    wait_for 20 ip netns exec wswb sh -c 'ss -Huan | grep -q :5002'
    ip netns exec wswa timeout 60 python3 - "$1" <<'P'
import random, select, socket, sys
n, flows, window = int(sys.argv[1]), 16, 128
rnd = random.Random(1)
socks = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(flows)]
for i, s in enumerate(socks):
    s.bind(("10.9.0.1", 6000 + i))
    s.setblocking(False)
body = lambda i, k: b"%d %d " % (i, k) + bytes((i * 7 + k + j) & 255 for j in range(k % 500))
sent, got, wrong = [0] * flows, [0] * flows, []
while sum(got) < n and not wrong:
    while sum(sent) < n and sum(sent) - sum(got) < window:
        i = rnd.randrange(flows)
        socks[i].sendto(body(i, sent[i]), ("10.9.0.2", 5002))
        sent[i] += 1
    ready = select.select(socks, [], [], 20)[0]
    if not ready: wrong.append("lost %d" % (sum(sent) - sum(got)))
    for s in ready:
        i = socks.index(s)
        p = s.recv(2048)
        if p != body(i, got[i]): wrong.append("flow %d: %s instead of %d" % (i, p[:12], got[i]))
        got[i] += 1
socks[0].sendto(b"", ("10.9.0.2", 5002))
sys.exit(str(wrong) if wrong else 0)
P
    local status=$?
    wait $echo
    return $status
}
check "small packets, none lost, changed or overtaken" small 8000
for i in 1 2; do equal "both threads of h$i have worked" 2 "$(worked $i 50)"; done
check "TCP, as it was sent" transfer b a 10.9.0.2 16

transfer b a 10.9.0.2 200 &
transfer=$!
ip netns exec wswa ping -n -q -i 0.002 -c 500 -W 5 10.9.0.2 >"$dir/pings" 2>&1 &
pings=$!
for n in 3 1 2 4 2; do
    for i in 1 2; do check "$n threads" vsctl h$i set open_vswitch . other_config:n-handler-threads=$n; done
done
wait $pings
has "none of 500 is lost meanwhile" ' 0% packet loss' "$(cat "$dir/pings")"
wait $transfer
equal "nor anything of a TCP connection" 0 $?
wait_for 20 has_listeners 1 4
check "small packets again" small 3000

check "another remote" vsctl h1 set interface g0 options:key=8
refuse "which does not know us" '100% packet loss' ip netns exec wswa ping -n -c 2 -i 0.2 -W 1 10.9.0.2
check "as before" vsctl h1 set interface g0 options:key=7
kill -9 "$pid_h1"
wait "$pid_h1" 2>/dev/null
pids=("$pid_h2")
switch_start h1
wait_for 20 ip netns exec wswa ping -n -c 1 -W 1 10.9.0.2
wait_for 20 has_listeners 1 2
check "again after kill -9" small 2000
check "without threads" vsctl h1 remove open_vswitch . other_config n-handler-threads
check "it works too" small 2000
