"""Packets lost while the controller is killed (-9) and started again, at a steady rate between two machines of a hypervisor; beside the
same with nobody killed and the same CPU taken by somebody else."""
import os, re, socket, struct, subprocess, sys, time
from harness import cpu_seconds
import topology

TAG = "wrst%d" % os.getpid()
PORT, RATE = 53, 1000  # what the network's ACLs let through; packets a second


def sh(text):
    subprocess.run(["sh", "-ec", text], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def address(p):
    return "%s.%d" % (topology.subnet(0), 10 + p)


class Machines:
    """The first two machines of the first switch, each in a namespace; devices() are the switch's ends of their cables."""

    def __enter__(self):
        for p in range(2):
            sh("ip netns add {n}; ip -n {n} link set lo up; ip link add {d} type veth peer name eth0 address {m} netns {n}; ip link set {d} up; "
               "ip netns exec {n} ethtool -K eth0 tx off; ip -n {n} link set eth0 up; ip -n {n} addr add {a}/24 dev eth0".format(n=TAG + str(p), d=self.device(p), m=topology.mac(1, 0, p), a=address(p)))
        return self

    def __exit__(self, *_):
        for p in range(2):
            subprocess.run(["ip", "netns", "del", TAG + str(p)], stderr=subprocess.DEVNULL)
            subprocess.run(["ip", "link", "del", self.device(p)], stderr=subprocess.DEVNULL)

    @staticmethod
    def device(p):
        return "%sv%d" % (TAG, p)

    def tool(self, p, *args):
        return subprocess.Popen(["ip", "netns", "exec", TAG + str(p), sys.executable, os.path.abspath(__file__)] + list(args), text=True, stdout=subprocess.PIPE)


def receive():
    """Prints how many different numbers came, until one that is the last comes."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    s.bind(("", PORT))
    print("ready", flush=True)
    seen = set()
    while True:
        number, last = struct.unpack("!QQ", s.recv(64))
        if last:
            break
        seen.add(number)
    print(len(seen))


def send(to, stop):
    """Numbers at RATE until the file STOP is there; prints how many."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("", PORT))
    n, begin = 0, time.monotonic()
    while not os.path.exists(stop):
        while n < (time.monotonic() - begin) * RATE:
            s.sendto(struct.pack("!QQ", n, 0), (to, PORT))
            n += 1
        time.sleep(0.0005)
    time.sleep(1)
    for _ in range(20):
        s.sendto(struct.pack("!QQ", n, 1), (to, PORT))
        time.sleep(0.05)
    print(n)


def under_traffic(machines, stop, what):
    """Lost packets and packets while WHAT() runs."""
    if os.path.exists(stop):
        os.unlink(stop)
    receiver = machines.tool(1, "receive")
    receiver.stdout.readline()
    sender = machines.tool(0, "send", address(1), stop)
    time.sleep(1)
    try:
        what()
    finally:
        open(stop, "w").close()
        sent = int(sender.communicate(timeout=60)[0])
    got = int(receiver.communicate(timeout=60)[0])
    return sent - got, sent


def burn(seconds, wall):
    """Takes SECONDS of CPU within WALL seconds."""
    p = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    end = time.monotonic() + wall
    while time.monotonic() < end and cpu_seconds(p.pid) < seconds:
        time.sleep(0.05)
    p.kill()
    p.wait()
    time.sleep(max(0, end - time.monotonic()))


def measure(hv, clock, machines, times):
    """Figures of TIMES restarts of HV's controller: lost packets, of a run without restarts, flow-mods sent, seconds of a restart."""
    used, mods, seconds = [], [], []

    def restarts():
        for _ in range(times):
            hv.controller.kill()
            hv.controller.wait()
            hv.folder.running.remove(hv.controller)
            begin = time.perf_counter()
            hv.start_controller()
            clock.wait()
            seconds.append(time.perf_counter() - begin)
            used.append(cpu_seconds(hv.controller.pid))
            if hv.ours:
                shown = hv.folder.run([hv.appctl, "-t", hv.control, "install/show"])
                mods.append(sum(int(n) for n in re.findall(r"(\d+) (?:adds|deletes)", shown)))

    lost, sent = under_traffic(machines, hv.folder.file("stop"), restarts)
    quiet, _ = under_traffic(machines, hv.folder.file("stop"), lambda: burn(sum(used), sum(seconds)))
    return {"lost": lost, "lost_without": quiet, "sent": sent, "mods": sum(mods) if hv.ours else None, "seconds": sorted(seconds)[len(seconds) // 2]}


if __name__ == "__main__":
    receive() if sys.argv[1] == "receive" else send(*sys.argv[2:])
