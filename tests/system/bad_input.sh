#!/bin/bash
# Bad input at every seam of a small Weft (weft-northd, weft-switchd, weft-controller, two machines): wrong commands, bytes that are not
# JSON, OpenFlow of the wrong length, frames cut short, peers that die. Each time a clear error or a counted drop; the daemons go on, and
# what was acknowledged is still there.
. "$WEFT_SRC/tests/support/lib.sh"
begin bad-input
hv=wusrb-h wire=wusrb-w
ns_new $hv && ns_new $wire
ip link add eth0 netns $hv type veth peer name eth0 netns $wire
for n in "$hv 1" "$wire 2"; do
    set -- $n
    ip -n $1 addr add 192.168.80.$2/24 dev eth0
    ip -n $1 link set eth0 up
done
export WEFT_NB_DB=unix:$dir/ovnnb_db.sock OVN_NB_DB=unix:$dir/ovnnb_db.sock OVN_SB_DB=unix:$dir/ovnsb_db.sock
nbctl() { "$WEFT_BIN/weft-nbctl" --db="unix:$dir/ovnnb_db.sock" --timeout=20 "$@"; }
sbctl() { "$WEFT_BIN/weft-sbctl" --db="unix:$dir/ovnsb_db.sock" --timeout=20 "$@"; }
vsctl() { "$WEFT_BIN/weft-vsctl" --db="unix:$dir/db.sock" --timeout=20 "$@"; }
ofctl() { "$WEFT_BIN/weft-ofctl" -O OpenFlow15 "$@"; }
appctl() { "$WEFT_BIN/weft-appctl" -t "$dir/$1.ctl" "${@:2}"; }
northd() { rm -f "$dir"/ovn*.sock; start northd "$WEFT_BIN/weft-northd" --unixctl="$dir/northd.ctl" --verify; northd=$started; wait_for 20 test -S "$dir/ovnsb_db.sock"; }
switchd() { rm -f "$dir/db.sock"; start switchd ip netns exec $hv "$WEFT_BIN/weft-switchd" --unixctl="$dir/switchd.ctl"; switchd=$started; wait_for 20 vsctl --no-wait init; }
controller() { start controller ip netns exec $hv "$WEFT_BIN/weft-controller" --unixctl="$dir/controller.ctl" --verify; controller=$started; }
forget() { # PID: it was ended on purpose
    local p rest=()
    wait "$1" 2>/dev/null
    for p in "${pids[@]}"; do [ "$p" = "$1" ] || rest+=("$p"); done
    pids=("${rest[@]}")
}
end9() { kill -KILL "$1" && forget "$1"; }
machine() { # NAME ADDRESS
    ns_new wusrb-$1
    ip link add p-$1 netns $hv type veth peer name eth0 netns wusrb-$1
    ip -n $hv link set p-$1 up
    ip -n wusrb-$1 link set eth0 address 02:00:00:00:00:0${1#v} up
    ip -n wusrb-$1 addr add $2/24 dev eth0
    vsctl --no-wait add-port br-int p-$1 -- set interface p-$1 external_ids:iface-id=$1
    wait_for 20 nbctl get logical_switch_port $1 up
}
ping_it() { ip netns exec wusrb-v1 ping -n -q -c 3 -i 0.2 -W 2 10.0.0.2; }
alive() { # AFTER WHAT: the same processes, and a change still reaches the switch
    kill -0 "$northd" && kill -0 "$switchd" && kill -0 "$controller" && nbctl --wait=hv sync && ping_it
}
# raw SOCKET PYTHON-EXPRESSION: sends these bytes and prints what comes back, then "closed" when the other side closed
raw() {
    timeout 20 python3 - "$@" <<'P'
import json, socket, struct, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.settimeout(float(sys.argv[3]) if len(sys.argv) > 3 else 2)
def of(kind, body=b"", length=None, version=6, xid=9):
    return struct.pack("!BBHI", version, kind, 8 + len(body) if length is None else length, xid) + body
hello = of(0)
got, end = b"", "open"
try:
    try:
        s.sendall(eval(sys.argv[2]))
    except OSError:
        pass
    while True:
        d = s.recv(65536)
        if not d:
            end = "closed"
            break
        got += d
except socket.timeout:
    pass
except ConnectionError:
    end = "closed"
print(got.hex() if got[:1] == b"\x06" else got.decode(errors="replace")[:400], end)
P
}

northd
switchd
vsctl --no-wait set open . external_ids:system-id=hv external_ids:ovn-remote="$OVN_SB_DB" external_ids:ovn-encap-type=geneve \
    external_ids:ovn-encap-ip=192.168.80.1
controller
wait_for 20 vsctl br-exists br-int || exit 1
nbctl ls-add s -- lsp-add s v1 -- lsp-set-addresses v1 "02:00:00:00:00:01 10.0.0.1" \
    -- lsp-add s v2 -- lsp-set-addresses v2 "02:00:00:00:00:02 10.0.0.2" \
    -- lr-add r -- lrp-add r rs 02:00:00:00:ff:00 10.0.0.254/24 \
    -- lsp-add s sr -- lsp-set-type sr router -- lsp-set-addresses sr router -- lsp-set-options sr router-port=rs
machine v1 10.0.0.1
machine v2 10.0.0.2
check "a working network" nbctl --wait=hv sync
check "ping" ping_it || exit 1

echo "# commands"
mkdir "$dir/other"
contents() { ovsdb-client dump "unix:$dir/ovnnb_db.sock" OVN_Northbound; }
before=$(contents)
refuse "nbctl: unknown command" "unknown command 'fly'" nbctl fly
refuse "nbctl: missing argument" "'lsp-add' command requires at least 2 arg" nbctl lsp-add s
refuse "nbctl: unknown option" "'--fly'" nbctl --fly show
refuse "nbctl: duplicate switch" 's: a switch with this name already exists' nbctl ls-add s
refuse "nbctl: duplicate port" 'v1: a port with this name already exists' nbctl lsp-add s v1
refuse "nbctl: duplicate router port" 'rs: a port with this name already exists' nbctl lrp-add r rs 02:00:00:00:ff:01 10.0.1.254/24
refuse "nbctl: port on no switch" 'nosuch: switch name not found' nbctl lsp-add nosuch v9
refuse "nbctl: bad MAC" '02:zz 10.0.0.9: Invalid address' nbctl lsp-set-addresses v1 "02:zz 10.0.0.9"
refuse "nbctl: bad MAC of a router" 'invalid mac address 02:zz' nbctl lrp-add r r9 02:zz 10.0.9.254/24
refuse "nbctl: bad prefix" '10.0.9.254/99' nbctl lrp-add r r9 02:00:00:00:ff:09 10.0.9.254/99
refuse "nbctl: bad prefix of a route" '10.0.0.0/33' nbctl lr-route-add r 10.0.0.0/33 10.0.0.9
refuse "nbctl: bad next hop" 'nonsense' nbctl lr-route-add r 10.7.0.0/24 nonsense
refuse "nbctl: no such table" 'unknown table "Nope"' nbctl list Nope
refuse "nbctl: no such column" 'nope' nbctl set Logical_Switch s nope=1
refuse "nbctl: value out of range" '99999 is not in the valid range' nbctl set Logical_Switch_Port v1 tag=99999
refuse "nbctl: the second of two commands, so none" 'already exists' nbctl ls-add half -- ls-add s
refuse "nbctl: nobody there" 'nope.sock: database connection failed' "$WEFT_BIN/weft-nbctl" --db="unix:$dir/nope.sock" --timeout=2 show
refuse "sbctl: unknown command" "unknown command 'fly'" sbctl fly
refuse "sbctl: no such port" 'nosuch' sbctl lsp-bind nosuch hv
equal "the northbound database is as it was" "$before" "$(contents)"
refuse "vsctl: port on no bridge" 'no bridge named nosuch' vsctl add-port nosuch p9
refuse "vsctl: duplicate port" 'p-v1 already exists on bridge br-int' vsctl add-port br-int p-v1
refuse "vsctl: bad tag" '5000 is not in the valid range' vsctl add-port br-int p9 tag=5000
has "vsctl: a device that is not there" "'p9'.*No such device" "$(vsctl add-port br-int p9 2>&1)"
check "vsctl: and it goes" vsctl del-port br-int p9
refuse "ofctl: no bridge" 'nosuch is not a bridge or a socket' ofctl show nosuch
refuse "ofctl: unknown action" 'unknown action fly' ofctl add-flow br-int "ip,actions=fly"
refuse "ofctl: bad MAC" 'zz' ofctl add-flow br-int "dl_src=zz,actions=drop"
refuse "ofctl: bad prefix" '10.0.0.0/33' ofctl add-flow br-int "ip,nw_src=10.0.0.0/33,actions=drop"
for d in northd switchd controller; do refuse "appctl $d: unknown command" '"fly" is not a valid command' appctl $d fly; done
refuse "appctl: nobody there" 'nope.ctl' "$WEFT_BIN/weft-appctl" -t "$dir/nope.ctl" version
refuse "dbctl: not a database" 'not a database' "$WEFT_BIN/weft-dbctl" db-name /etc/passwd
refuse "lab: unknown command" 'unknown command "fly"' "$WEFT_BIN/weft-lab" --name nolab fly
refuse "northd: a remote of no kind" 'fly: unknown kind of target' env WEFT_RUNDIR="$dir/other" timeout 10 "$WEFT_BIN/weft-northd" --nb-remote=fly --nb-file="$dir/x.db" --sb-file="$dir/y.db"
refuse "northd: a file that is not a database" '/etc/passwd: is not a database' env WEFT_RUNDIR="$dir/other" timeout 10 "$WEFT_BIN/weft-northd" --nb-file=/etc/passwd --sb-file="$dir/y.db"
check "all goes on" alive

echo "# what is not JSON, or not the protocol"
for db in "ovnnb_db OVN_Northbound Logical_Switch" "ovnsb_db OVN_Southbound Chassis" "db Open_vSwitch Bridge"; do
    set -- $db
    s=$dir/$1.sock
    rows=$(ovsdb-client dump "unix:$s" "$2" "$3")
    has "$2: words" 'closed$' "$(raw "$s" 'b"these are words\n"')"
    has "$2: a stray bracket" 'closed$' "$(raw "$s" 'b"]"')"
    has "$2: bytes that are not UTF-8" 'closed$' "$(raw "$s" 'b"{\"id\":\"\xff\xfe\"}"')"
    has "$2: nested 200,000 deep" 'closed$' "$(raw "$s" 'b"[" * 200000')"
    has "$2: an object that is no request" 'closed$' "$(raw "$s" 'b"{\"fly\":1}"')"
    has "$2: a list" 'closed$' "$(raw "$s" 'b"[1,2,3]"')"
    has "$2: a method nobody knows" '"error":"unknownmethod"' "$(raw "$s" 'b"{\"method\":\"fly\",\"params\":[],\"id\":1}"' 1 | tr -d ' ')"
    has "$2: a transaction without operations' shape" '"error":[^n]' \
        "$(raw "$s" "b'{\"method\":\"transact\",\"params\":[\"$2\",5,\"x\"],\"id\":1}'" 1 | tr -d ' ')"
    has "$2: no such database" 'unknown database' "$(raw "$s" 'b"{\"method\":\"transact\",\"params\":[\"Fly\"],\"id\":1}"' 1)"
    has "$2: no such table" 'No table named Fly' \
        "$(raw "$s" "b'{\"method\":\"transact\",\"params\":[\"$2\",{\"op\":\"insert\",\"table\":\"Fly\",\"row\":{}}],\"id\":1}'" 1)"
    has "$2: no such operation" '"error"' "$(raw "$s" "b'{\"method\":\"transact\",\"params\":[\"$2\",{\"op\":\"fly\"}],\"id\":1}'" 1)"
    raw "$s" "b'{\"method\":\"transact\",\"params\":[\"$2\",{\"op\":\"delete\",\"table\":\"$3\",\"where\":[]}'" 0.3 >/dev/null # no end
    equal "$2: nothing changed" "$rows" "$(ovsdb-client dump "unix:$s" "$2" "$3")"
done
check "all goes on" alive

echo "# OpenFlow of the wrong length"
s=$dir/br-int.mgmt
flows() { ofctl --no-stats dump-flows br-int | grep actions | sort; }
before=$(flows)
has "shorter than a header" 'closed$' "$(raw "$s" 'hello + of(14, length=4)')"
has "length 0" 'closed$' "$(raw "$s" 'hello + of(14, length=0)')"
has "a flow mod of 20 bytes is answered with BAD_LEN" '060100[0-9a-f]{2}0000000900010006' "$(raw "$s" 'hello + of(14, b"\0" * 12)' 1)"
has "a type nobody knows: BAD_TYPE" '060100[0-9a-f]{2}0000000900010001' "$(raw "$s" 'hello + of(99)' 1)"
has "a statistics request of 9 bytes: BAD_LEN" '060100[0-9a-f]{2}0000000900010006' "$(raw "$s" 'hello + of(18, b"\0")' 1)"
has "a match longer than its message is an error" '060100[0-9a-f]{2}00000009' \
    "$(raw "$s" 'hello + of(14, b"\0" * 40 + struct.pack("!HH", 1, 4000) + b"\0" * 4)' 1)"
has "an action of length 0 is an error" '060100[0-9a-f]{2}00000009' \
    "$(raw "$s" 'hello + of(14, b"\0" * 40 + struct.pack("!HHI", 1, 4, 0) + struct.pack("!HHI", 4, 16, 0) + b"\0" * 8)' 1)"
raw "$s" 'hello + of(14, b"\0" * 40, length=65535)' 0.3 >/dev/null # the rest never comes
has "a message of another version: BAD_VERSION" '060100[0-9a-f]{2}0000000900010000' "$(raw "$s" 'of(0, version=99) + of(5, version=99)' 1)"
raw "$s" 'bytes(range(256)) * 100' 0.3 >/dev/null
equal "the flows are as they were" "$before" "$(flows)"
check "all goes on" alive

echo "# frames cut short"
drops() { appctl switchd coverage/show | awk '/^drop_/ { n += $3 } END { print n + 0 }'; }
received() { ofctl dump-ports br-int "$1" | sed -n 's/.*rx pkts=\([0-9]*\).*/\1/p'; }
port=$(vsctl get interface p-v1 ofport)
drops_before=$(drops) received_before=$(received "$port")
sent=$(ip netns exec wusrb-v1 python3 - "$WEFT_BIN/weft-ofctl" "$port" "$received_before" <<'P'
import random, re, socket, struct, subprocess, sys, time
ofctl, port, before = sys.argv[1], sys.argv[2], int(sys.argv[3])
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(("eth0", 0))
me = bytes.fromhex("020000000001")
def ip4(proto, body, ihl=5, length=None, frag=0):
    n = 20 + len(body) if length is None else length
    return b"\x08\x00" + struct.pack("!BBHHHBBH4s4s", 0x40 | ihl, 0, n, 1, frag, 64, proto, 0, bytes([10, 0, 0, 1]), bytes([10, 0, 0, 254])) + body
ip6 = b"\x86\xdd" + struct.pack("!IHBB", 6 << 28, 40, 0, 64) + bytes(15) + b"\1" + bytes(15) + b"\2"
bodies = [
    b"\x08\x06" + struct.pack("!HHBBH", 1, 0x800, 6, 4, 1) + me + bytes([10, 0, 0, 1]) + bytes(6) + bytes([10, 0, 0, 254]),
    ip4(1, b"\x08\0\0\0\0\1\0\1" + bytes(24)), ip4(6, bytes(20)), ip4(17, bytes(8)), ip4(132, bytes(12)), ip4(2, bytes(8)),
    ip4(1, bytes(8), ihl=15), ip4(1, bytes(8), ihl=2), ip4(6, bytes(20), length=9000), ip4(17, bytes(8), length=0), ip4(6, b"", frag=0x2001),
    ip6 + b"\0\xff" + bytes(6), ip6 + b"\x2c\0" + bytes(6), ip6 + b"\x3a\0" + bytes(6) + b"\x87" + bytes(23) + b"\1\0",
    b"\x81\0\0\1" * 20, b"\x88\xa8\0\1\x81\0\0\2" + ip4(17, bytes(8)), b"\x88\x47" + b"\0\0\0\x40" * 15, b"\x89\x4f" + b"\x3f\0\0\0" * 9,
    b"\0\x10\xaa\xaa\3\0\0\0\x08\0", b"\x05\xdc" + bytes(40), b"\x65\x58" + bytes(30)]
n = 0
def send(frame):
    """Sends, and each 400 frames waits until the switch has seen all: no more than its ring holds are under way."""
    global n
    s.send(frame)
    n += 1
    end = time.monotonic() + 20
    while n % 400 == 0 and time.monotonic() < end:
        shown = subprocess.run([ofctl, "-O", "OpenFlow15", "dump-ports", "br-int", port], text=True, stdout=subprocess.PIPE).stdout
        if int(re.search(r"rx pkts=(\d+)", shown).group(1)) >= before + n:
            break
        time.sleep(0.02)
random.seed(1)
for to in ("0200000000aa", "02000000ff00", "ffffffffffff", "0200000000aa"):
    for body in bodies:
        frame = bytes.fromhex(to) + me + body
        # the kernel itself discards frames too short for the tag and the type they announce
        for end in range(20 if body[:2] in (b"\x81\0", b"\x88\xa8") else 14, len(frame) + 1, 1 if len(frame) < 64 else 3):
            send(frame[:end])
for _ in range(1000):
    send(bytes.fromhex("0200000000aa") + me + random.randbytes(random.randrange(2, 120)))
print(n)
P
)
wait_for 10 bash -c "[ \$('$WEFT_BIN/weft-ofctl' -O OpenFlow15 dump-ports br-int $port | sed -n 's/.*rx pkts=\([0-9]*\).*/\1/p') -ge $((received_before + sent)) ]"
check "$sent damaged frames were received" test "$sent" -gt 3000
dropped=$(($(drops) - drops_before))
check "and most are counted as dropped ($dropped)" test "$dropped" -gt $((sent / 2))
check "all goes on" alive

echo "# damaged tunnel packets"
check "another chassis" sbctl chassis-add hv2 geneve 192.168.80.2
wait_for 10 bash -c "'$WEFT_BIN/weft-vsctl' --db='unix:$dir/db.sock' list-ports br-int | grep -q ovn-hv2"
nbctl --wait=sb sync
malformed() { appctl switchd coverage/show | awk '/^drop_tunnel/ { n += $3 } END { print n + 0 }'; }
malformed_before=$(malformed)
ip netns exec $wire python3 - <<'P'
import random, socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("192.168.80.2", 0))
random.seed(2)
good = bytes.fromhex("0240655800000100" "0102800100010002") + bytes(60)
for end in range(0, len(good)):
    s.sendto(good[:end], ("192.168.80.1", 6081))
for _ in range(300):
    s.sendto(random.randbytes(random.randrange(0, 200)), ("192.168.80.1", 6081))
P
wait_for 5 bash -c "[ \$('$WEFT_BIN/weft-appctl' -t '$dir/switchd.ctl' coverage/show | awk '/^drop_tunnel/ { n += \$3 } END { print n + 0 }') -gt $((malformed_before + 100)) ]"
check "they are counted" test "$(malformed)" -gt $((malformed_before + 100))
check "the chassis goes" sbctl chassis-del hv2
check "all goes on" alive

echo "# peers that die"
(python3 -c '
import os, signal, socket, sys
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
s.sendall(b"""{"method":"transact","params":["OVN_Northbound",{"op":"insert","table":"Logical_Switch","row":{"name":"half"}},{"op":"ins""")
os.kill(os.getpid(), signal.SIGKILL)' "$dir/ovnnb_db.sock"; :) 2>/dev/null
(python3 -c '
import os, signal, socket, sys
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
s.sendall(b"""{"method":"lock","params":["mine"],"id":1}{"method":"monitor","params":["OVN_Northbound",1,{"Logical_Switch":{}}],"id":2}""")
s.sendall(b"""{"method":"transact","params":["OVN_Northbound",{"op":"insert","table":"Logical_Switch","row":{"name":"whole"}}],"id":3}""")
os.kill(os.getpid(), signal.SIGKILL)' "$dir/ovnnb_db.sock"; :) 2>/dev/null
check "northd goes on" nbctl --wait=hv sync
equal "half a transaction did nothing" "" "$(nbctl --bare --columns=name find Logical_Switch name=half)"
n=$(nbctl --bare --columns=name find Logical_Switch name=whole | grep -c whole)
check "a whole one that nobody waited for is there once or not ($n)" test "$n" -le 1
for i in 1 2 3 4 5; do
    nbctl --wait=hv ls-add "killed$i" -- lsp-add "killed$i" "kp$i" &
    client=$!
    sleep 0.0$i
    kill -KILL $client 2>/dev/null
    wait $client 2>/dev/null
done
for i in 1 2 3 4 5; do
    a=$(nbctl --bare --columns=name find Logical_Switch name=killed$i) b=$(nbctl --bare --columns=name find Logical_Switch_Port name=kp$i)
    equal "transaction of killed client $i: all or nothing" "${a:+kp$i}" "$b"
done
check "all goes on" alive

ip netns exec wusrb-v1 ping -n -i 0.05 -W 1 10.0.0.2 >"$dir/ping" 2>&1 &
pinger=$!
sleep 0.3
before=$(flows)
end9 $controller
check "the controller is killed: the switch goes on" ping_it
equal "with its flows" "$before" "$(flows)"
controller
check "the controller comes back" nbctl --wait=hv sync
sleep 0.3
kill -INT $pinger
wait $pinger
has "no packet was lost" ' 0% packet loss' "$(cat "$dir/ping")"
equal "the same flows" "$before" "$(flows)"

end9 $switchd
switchd
wait_for 20 ping_it
check "the switch is killed: its ports and flows come back" nbctl --wait=hv sync
equal "the same flows again" "$before" "$(flows)"

(i=0; while nbctl ls-add ack$i; do echo ack$i >>"$dir/acknowledged"; i=$((i + 1)); done) >/dev/null 2>&1 &
writer=$!
wait_for 10 grep -q ack5 "$dir/acknowledged"
end9 $northd
wait $writer
northd
nbctl --bare --columns=name list Logical_Switch | grep ack | sort >"$dir/there"
equal "northd is killed: of $(wc -l <"$dir/acknowledged") acknowledged switches none is lost" "" \
    "$(sort "$dir/acknowledged" | comm -23 - "$dir/there")"
check "all goes on" alive
check "every daemon ends when asked" bash -c "for d in controller switchd northd; do '$WEFT_BIN/weft-appctl' -t '$dir/'\$d.ctl exit || exit 1; done"
