# libswitch.sh - for system tests of weft-switchd: switches and machines in namespaces that begin with wsw.
# Use after lib.sh and begin: switch_up NAME; machine SWITCH BRIDGE NAME ADDRESS...

switch_up() { # NAME: namespace wswNAME with a switch; its run directory is $dir/NAME
    ns_new "wsw$1"
    mkdir -p "$dir/$1"
    switch_start "$1"
}

switch_start() { # NAME: the switch alone (again); with WEFT_THREADS it has so many threads that forward
    OVS_RUNDIR=$dir/$1 OVS_DBDIR=$dir/$1 WEFT_RUNDIR=$dir/$1 WEFT_DBDIR=$dir/$1 \
        start "$1" ip netns exec "wsw$1" "$WEFT_BIN/weft-switchd" --db="$dir/$1/conf.db" --unixctl="$dir/$1/ctl"
    eval "pid_$1=\$started"
    wait_for 20 ovs-vsctl --db="unix:$dir/$1/db.sock" --timeout=1 --no-wait init
    [ -z "${WEFT_THREADS:-}" ] || vsctl "$1" --no-wait set Open_vSwitch . other_config:n-handler-threads="$WEFT_THREADS"
}

vsctl() { # NAME ARGUMENT...: ovs-vsctl on the database of switch NAME
    local name=$1
    shift
    ovs-vsctl --db="unix:$dir/$name/db.sock" --timeout=10 "$@"
}

ofctl() { # NAME ARGUMENT...: ovs-ofctl with OpenFlow 1.5 in the run directory of switch NAME
    local name=$1
    shift
    OVS_RUNDIR=$dir/$name timeout 20 ovs-ofctl -O OpenFlow15 "$@"
}

appctl() { # NAME ARGUMENT...
    local name=$1
    shift
    ovs-appctl -t "$dir/$name/ctl" "$@"
}

machine() { # SWITCH NAME ADDRESS/LENGTH: a namespace with eth0, whose other end pNAME lies in the switch's namespace
    ns_new "wsw$2"
    ip link add "p$2" netns "wsw$1" type veth peer name eth0 netns "wsw$2"
    ip -n "wsw$1" link set "p$2" up
    ip -n "wsw$2" addr add "$3" dev eth0
    ip -n "wsw$2" link set eth0 up
}

pings() { # NAME ADDRESS
    ip netns exec "wsw$1" ping -n -c 3 -i 0.2 -W 2 "$2"
}

transfer() { # SERVER CLIENT ADDRESS MEGABYTES: over TCP; fails unless all bytes arrive as they were sent
    ip netns exec "wsw$1" timeout 100 python3 - >"$dir/received" <<'P' &
import socket, hashlib
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(("", 5001)); s.listen(1); s.settimeout(60)
c, _ = s.accept(); c.settimeout(60); h = hashlib.md5()
while d := c.recv(1 << 20): h.update(d)
print(h.hexdigest())
P
    local server=$!
    wait_for 5 ip netns exec "wsw$1" sh -c 'ss -ltn | grep -q :5001'
    ip netns exec "wsw$2" timeout 100 python3 - "$3" "$4" >"$dir/sent" <<'P'
import socket, hashlib, os, sys
s = socket.socket(); s.settimeout(60); s.connect((sys.argv[1], 5001)); h = hashlib.md5(); b = os.urandom(1 << 20)
for i in range(int(sys.argv[2])): s.sendall(b); h.update(b)
s.close(); print(h.hexdigest())
P
    wait $server
    [ -s "$dir/sent" ] && cmp "$dir/sent" "$dir/received"
}
