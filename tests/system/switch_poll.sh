#!/bin/bash
# weft-switchd looks for the next packet for a moment where packets follow one another closely (other_config:busy-poll-usecs), by one thread and by two; neither
# at low rates, nor without packets, nor when it is told not to.
. "$WEFT_SRC/tests/support/lib.sh"
. "$WEFT_SRC/tests/system/libswitch.sh"
begin switch-poll
switch_up h
machine h a 10.9.0.1/24
machine h b 10.9.0.2/24
check "ports" vsctl h add-br br0 -- add-port br0 pa -- add-port br0 pb
check "ping" pings a 10.9.0.2
polls() { appctl h coverage/show | awk '/^busy_poll_/ { n += $NF } END { print n + 0 }'; }
flood() { ip netns exec wswa ping -n -q -i 0 -c "$1" -W 5 10.9.0.2; } # the next goes when the answer is there
flood_polls() { flood 200 >/dev/null && [ "$(polls)" -gt "$1" ]; }
quiet() { # WHAT COMMAND...: nobody looks meanwhile
    local what=$1 before
    shift
    before=$(polls)
    "$@" >/dev/null
    equal "$what" "$before" "$(polls)"
}
quiet "100 packets a second" ip netns exec wswa ping -n -q -i 0.01 -c 100 -W 5 10.9.0.2
for threads in 1 2; do
    vsctl h set open_vswitch . other_config:n-handler-threads=$threads other_config:busy-poll-usecs=1000
    check "packets in close succession, $threads threads" wait_for 20 flood_polls "$(polls)"
    vsctl h set open_vswitch . other_config:busy-poll-usecs=0
    flood 1 >/dev/null # what is not counted yet
    quiet "not when told not to, $threads threads" flood 500
done
vsctl h set open_vswitch . other_config:n-handler-threads=1 other_config:busy-poll-usecs=1000
check "again" wait_for 20 flood_polls "$(polls)"
spent() { awk '{ n += $1 } END { printf "%d", n }' /proc/$pid_h/task/*/schedstat; } # ns, of all threads
idle() { # for two seconds
    local before
    before=$(spent)
    sleep 2
    echo "$(($(spent) - before)) ns"
    [ $(($(spent) - before)) -lt 20000000 ]
}
check "ports of other kinds" vsctl h add-port br0 ti -- set interface ti type=internal options:n_rxq=2 -- set interface pb options:xdp-mode=best-effort \
    -- add-port br0 g0 -- set interface g0 type=geneve options:remote_ip=127.0.0.9
for threads in 1 2; do
    vsctl h set open_vswitch . other_config:n-handler-threads=$threads
    check "without packets it takes less than a hundredth of a processor, $threads threads" wait_for 20 idle
done
vsctl h set open_vswitch . other_config:n-handler-threads=1
vsctl h set open_vswitch . other_config:busy-poll-usecs=1001
said() { grep -q 'bad value for busy-poll-usecs: 1001 (wanted: 0 to 1000)' "$dir/h.out"; }
check "a bad value is told" wait_for 20 said
vsctl h set open_vswitch . other_config:n-handler-threads=many
said() { grep -q 'bad value for n-handler-threads: many (wanted: 1 to 64); it is 1' "$dir/h.out"; }
check "of threads, too" wait_for 20 said
