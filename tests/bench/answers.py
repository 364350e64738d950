"""How long a machine waits for an answer that the controller gives (the reset of a TCP connection to the router; ICMP errors have a limit), when
the controller is idle and while it computes everything again."""
import os, select, socket, subprocess, sys, time
import restarts, topology

ROUTER = "%s.1" % topology.subnet(0)
PORT = 80  # what the network's ACLs let through


def probe(seconds):
    """A connection each 5 ms; prints a line of milliseconds, -1 for what was not answered within 2 s."""
    open_, waited, poll, end = {}, [], select.poll(), time.monotonic() + seconds
    while (now := time.monotonic()) < end + 2 and (now < end or open_):
        if now < end:
            s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            s.setblocking(False)
            open_[s.fileno()] = s, now
            s.connect_ex((ROUTER, PORT))
            poll.register(s)
        again = now + 0.005
        while (left := again - time.monotonic()) > 0:
            for fd, _ in poll.poll(left * 1e3):
                s, start = open_.pop(fd)
                waited.append((time.monotonic() - start) * 1e3)
                poll.unregister(fd)
                s.close()
    print(" ".join("%.3f" % t for t in waited + [-1] * len(open_)))


def measure(hv, clock, machines, seconds):
    """Milliseconds: median and 99th percentile when idle, the same during recomputes; and the share of lost answers in %."""
    subprocess.run(["ip", "-n", restarts.TAG + "0", "route", "add", "default", "via", ROUTER], check=True)

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
