#!/bin/bash
# Others configure network devices without a pause, each of which holds the kernel's lock for all of them (rtnl) for milliseconds, while ports of all kinds come, change
# and go: the thread that forwards packets never waits for that lock, and all that the database asks for is done.
. "$WEFT_SRC/tests/support/lib.sh"
. "$WEFT_SRC/tests/system/libswitch.sh"
begin switch-rtnl
switch_up q
machine q a 10.9.0.1/24
machine q b 10.9.0.2/24
for i in 1 2; do
    for k in 1 2 3; do machine q $i$k 10.9.1.$i$k/24; done
done
check "bridge" vsctl q add-br br0 -- add-port br0 pa -- add-port br0 pb
check "ping" pings a 10.9.0.2

# ---- what could not be opened at once is told, and tried again ----
ip -n wswq link add t0 type veth peer name t1
has "not a tap" 'could not open network device t0' "$(vsctl q add-port br0 t0 -- set interface t0 type=internal 2>&1)"
equal "has no number" -1 "$(vsctl q get interface t0 ofport)"
ip -n wswq link del t0
in_force() { [ "$(vsctl q get interface t0 error)" = "[]" ] && ip -n wswq link show t0; }
check "in force when its name is free" wait_for 20 in_force
check "with MTU and address" vsctl q set interface t0 mtu_request=1400 mac='"02:00:00:00:00:07"'
has "of the device" 'mtu 1400 .*02:00:00:00:00:07' "$(ip -n wswq -o link show t0)"
id=$(vsctl q get bridge br0 datapath_id)
has "the datapath's id is the local port's address" "\"0000$(ip -n wswq -o link show br0 | sed 's/.*ether \([0-9a-f:]*\).*/\1/; s/://g')\"" "$id"

# ---- how often a thread is found waiting in the kernel (state D) in the calls that configure ports and carry packets ----
cat >"$dir/watch.py" <<'P'
import signal, sys, time
CALLS = {"3", "16", "44", "45", "46", "47", "49", "54", "55"} # close ioctl sendto recvfrom sendmsg recvmsg bind setsockopt getsockopt
tids, out, found, go_on = sys.argv[2:], sys.argv[1], {}, True
def stop(*_): global go_on; go_on = False
signal.signal(signal.SIGTERM, stop)
def state(tid): return open(f"/proc/{tid}/stat").read().rpartition(") ")[2][0]
while go_on:
    for tid in tids:
        if state(tid) == "D":
            call = open(f"/proc/{tid}/syscall").read().split()
            if call[0] in CALLS: found.setdefault(tid, []).append(" ".join(call[:3]))
    time.sleep(0.0003)
print(*("%s %d %s" % (tid, len(found.get(tid, [])), sorted(set(found.get(tid, [])))) for tid in tids), sep="\n", file=open(out, "w"))
P
storm() { # NUMBER: until it is killed; $storming is who waits
    yes "link add s$1 type veth peer name t$1
link set s$1 up
link del s$1" | ip -n wswstorm -batch - >/dev/null 2>&1 8>&- &
    storming=$!
    pids+=("$storming")
}
ports() { # NUMBER THREADS
    local i=$1
    vsctl q add-port br0 p${i}1 -- add-port br0 p${i}2 -- set interface p${i}2 type=afxdp -- add-port br0 p${i}3 \
        -- add-port br0 i$i -- set interface i$i type=internal -- add-port br0 g$i -- set interface g$i type=geneve options:remote_ip=10.1.1.$i options:key=$i &&
        vsctl q set interface p${i}1 mtu_request=1400 -- set interface i$i mtu_request=1300 -- set interface p${i}2 mtu_request=1600 &&
        vsctl q set interface i$i mac="\"02:00:00:00:01:0$i\"" -- set interface p${i}3 options:n_rxq_desc=128 options:n_rxq="$2" ingress_policing_rate=1000 &&
        vsctl q set port p${i}1 qos=@q -- --id=@q create qos type=linux-htb queues:1=@a -- --id=@a create queue other_config:min-rate=10000000 &&
        vsctl q set interface p${i}2 mtu_request=9000 -- set interface p${i}3 options:direct-send=false &&
        ip -n wswq -o link show p${i}1 | grep -q 'mtu 1400' && ip -n wswq -o link show i$i | grep -q "mtu 1300 .*02:00:00:00:01:0$i" &&
        wait_for 20 of_mtu p${i}2 9000 && ip netns exec wswq tc class show dev p${i}1 | grep -q 'rate 10Mbit' &&
        appctl q ovs/route/add 10.8.$i.0/24 pa && appctl q ovs/route/del 10.8.$i.0/24 && appctl q tnl/neigh/set pa 10.9.0.20$i 02:00:00:00:00:09 &&
        vsctl q clear port p${i}1 qos -- del-port p${i}1 -- del-port p${i}2 -- del-port p${i}3 -- del-port i$i -- del-port g$i &&
        ! ip -n wswq link show i$i 2>/dev/null && ! ip netns exec wswq tc class show dev p${i}1 | grep htb
}
of_mtu() { ip -n wswq -o link show "$1" | grep -q "mtu $2"; }
ns_new wswstorm
storm 1
first=$storming
storm 2
start watch python3 "$dir/watch.py" "$dir/found" "$pid_q" "$first"
watch=$started
for threads in 1 2; do
    vsctl q set open_vswitch . other_config:n-handler-threads=$threads
    ports 1 $threads >"$dir/ports.out" 2>&1 &
    other=$!
    check "ports come, change and go, $threads threads" ports 2 $threads
    wait $other
    equal "others beside them" 0 $?
    check "a ping meanwhile" pings a 10.9.0.2
done
kill "$watch"
wait "$watch"
kill "$first" "$storming"
has "the storm waits" "^$first [0-9]*[0-9]{2} " "$(cat "$dir/found")"
has "who forwards does not" "^$pid_q [0-4] " "$(cat "$dir/found")"
finish
