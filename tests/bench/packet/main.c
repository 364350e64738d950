/* main.c - the commands of bench_packet; see packet.h. */
#include "packet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

static double seconds_of(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double now(void)
{
    return seconds_of(CLOCK_MONOTONIC);
}

double cpu_time(void)
{
    return seconds_of(CLOCK_THREAD_CPUTIME_ID);
}

void fail(const char *what)
{
    fprintf(stderr, "bench_packet: %s: %s\n", what, strerror(errno));
    exit(1);
}

int packet_socket(void)
{
    int fd = socket(AF_PACKET, SOCK_RAW, 0), one = 1;
    if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one) < 0)
        fail("packet socket");
    return fd;
}

void packet_bind(int fd, const char *device, bool listen)
{
    int one = 1;
    struct sockaddr_ll a = {.sll_family = AF_PACKET,
                            .sll_protocol = htons(listen ? ETH_P_ALL : 0),
                            .sll_ifindex = (int)if_nametoindex(device)};
    if (!a.sll_ifindex ||
        (listen && setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one) < 0) ||
        bind(fd, (struct sockaddr *)&a, sizeof a) < 0)
        fail(device);
}

static void usage(void)
{
    fprintf(
        stderr,
        "usage: bench_packet gen|count|forward|relay|tcp-serve|tcp-send|rr-serve|rr-send "
        "[DEVICE...]\n"
        "       [-d SECONDS] [-c CPU] [-f FLOWS] [-m ring|vnet|xdp|xdpdrv] [-a ADDRESS] [-p PORT]\n"
        "       [-s MAC] [-t MAC] [-S ADDRESS] [-T ADDRESS]\n");
    exit(2);
}

static void pin(int cpu)
{
    if (cpu < 0)
        return;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set))
        fail("sched_setaffinity");
}

static void options_parse(struct options *o, int argc, char **argv)
{
    for (int c; (c = getopt(argc, argv, "d:c:f:m:a:p:s:t:S:T:")) != -1;) {
        switch (c) {
        case 'd':
            o->seconds = atof(optarg);
            break;
        case 'c':
            o->cpu = atoi(optarg);
            break;
        case 'f':
            o->flows = atoi(optarg);
            break;
        case 'm':
            o->mode = optarg;
            break;
        case 'a':
            o->address = optarg;
            break;
        case 'p':
            o->port = (uint16_t)atoi(optarg);
            break;
        case 's':
            o->src = optarg;
            break;
        case 't':
            o->dst = optarg;
            break;
        case 'S':
            o->from = optarg;
            break;
        case 'T':
            o->to = optarg;
            break;
        default:
            usage();
        }
    }
}

int main(int argc, char **argv)
{
    struct options o = {.seconds = 3,
                        .flows = 1,
                        .cpu = -1,
                        .mode = "ring",
                        .src = "0a:00:00:00:00:01",
                        .dst = "0a:00:00:00:00:02",
                        .from = "10.0.0.1",
                        .to = "10.0.0.2",
                        .address = "0.0.0.0",
                        .port = 53};
    struct sigaction sa = {.sa_handler = on_signal};
    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGINT, &sa, NULL);
    options_parse(&o, argc, argv);
    argc -= optind;
    argv += optind;
    static const struct {
        const char *name;
        int n_devices;
        void (*alone)(const struct options *o);
        void (*device)(const struct options *o, const char *device);
    } commands[] = {{"gen", 1, NULL, generate},        {"count", 1, NULL, count},
                    {"forward", 2, NULL, NULL},        {"relay", 1, NULL, relay},
                    {"tcp-serve", 0, tcp_serve, NULL}, {"tcp-send", 0, tcp_send, NULL},
                    {"rr-serve", 0, rr_serve, NULL},   {"rr-send", 0, rr_send, NULL}};
    pin(o.cpu);
    for (size_t i = 0; argc > 0 && i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(argv[0], commands[i].name) || argc != 1 + commands[i].n_devices)
            continue;
        if (commands[i].alone)
            commands[i].alone(&o);
        else if (commands[i].device)
            commands[i].device(&o, argv[1]);
        else
            forward(&o, argv[1], argv[2]);
        return 0;
    }
    usage();
}
