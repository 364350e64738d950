/* packet.h - bench_packet: what "tools/bench fastpath" sends and receives with, and forwarders that do nothing but forward.
 *
 *     bench_packet gen IF      as many small frames as the device takes; prints how many a second
 *     bench_packet count IF    prints how many packets a second IF received
 *     bench_packet forward A B from device A to device B: the cost of packet sockets, or of AF_XDP's, alone; prints CPU us a packet
 *     bench_packet relay IF    the same to and from another relay (-T, from -a), by UDP
 *     bench_packet tcp-serve, tcp-send   one TCP stream; the server prints Gb/s
 *     bench_packet rr-serve, rr-send     one UDP request at a time; the client prints us, median and 99th percentile
 */
#pragma once

#include <net/if.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct options {
    double seconds;
    int flows;
    int cpu;               /* -1: not pinned */
    const char *mode;      /* of a forwarder */
    const char *src, *dst; /* MACs of generated frames */
    const char *from, *to; /* their IPv4 addresses */
    const char *address;   /* of a server */
    uint16_t port;         /* of a server, and of generated frames */
};

extern volatile sig_atomic_t stopped;

double now(void);
double cpu_time(void); /* of this thread */
_Noreturn void fail(const char *what);
/* An AF_PACKET socket that sends at once; bound to DEVICE it also receives when LISTEN. */
int packet_socket(void);
/* One that receives and sends frames behind virtio-net headers. */
int vnet_socket(const char *device);
void packet_bind(int fd, const char *device, bool listen);

void generate(const struct options *o, const char *device);
void count(const struct options *o, const char *device);
void forward(const struct options *o, const char *a, const char *b);
/* By AF_XDP sockets; NATIVE: the receiving device runs the program, else the kernel behind it. */
void forward_xdp(const struct options *o, const char *a, const char *b, bool native);
void relay(const struct options *o, const char *device);
void tcp_serve(const struct options *o);
void tcp_send(const struct options *o);
void rr_serve(const struct options *o);
void rr_send(const struct options *o);
