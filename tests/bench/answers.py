"""How long a machine waits for an answer that the controller gives (ICMP time exceeded), when the controller is idle and while it computes
everything again."""
import os, select, socket, struct, subprocess, sys, time
import restarts, topology

FAR = "%s.10" % topology.subnet(1)


def probe(seconds):
    """A packet each 5 ms with a hop limit of 1; prints a line of milliseconds, -1 for what was not answered within 2 s."""
    icmp = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    sent, waited, port, end = {}, {}, 20000, time.monotonic() + seconds
    until = end + 2
    while time.monotonic() < until and (time.monotonic() < end or len(waited) < len(sent)):
        if time.monotonic() < end:
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 1)
            s.bind(("", port))
            sent[port] = time.monotonic()
            s.sendto(b"?", (FAR, restarts.PORT))
            s.close()
            port += 1
        again = time.monotonic() + 0.005
        while (left := again - time.monotonic()) > 0:
            if select.select([icmp], [], [], left)[0]:
                data = icmp.recv(2048)
                about = data[20 + 8 + 20:]
                if data[20] == 11 and len(about) >= 2:
                    source = struct.unpack("!H", about[:2])[0]
                    if source in sent:
                        waited.setdefault(source, (time.monotonic() - sent[source]) * 1e3)
    print(" ".join("%.3f" % waited.get(p, -1) for p in sent))


def measure(hv, clock, machines, seconds):
    """Milliseconds: median and 99th percentile when idle, the same during recomputes; and the share of lost answers in %."""
    subprocess.run(["ip", "-n", restarts.TAG + "0", "route", "add", "default", "via", "%s.1" % topology.subnet(0)], check=True)

    def run(busy):
        p = subprocess.Popen(["ip", "netns", "exec", restarts.TAG + "0", sys.executable, os.path.abspath(__file__), str(seconds)], text=True, stdout=subprocess.PIPE)
        while busy and p.poll() is None:
            hv.recompute()
            clock.wait()
        times = sorted(float(x) for x in p.communicate(timeout=60)[0].split())
        good = [t for t in times if t >= 0]
        return good[len(good) // 2], good[len(good) * 99 // 100], 100 - 100 * len(good) / len(times)

    return {"idle": run(False), "busy": run(True)}


if __name__ == "__main__":
    probe(float(sys.argv[1]))
