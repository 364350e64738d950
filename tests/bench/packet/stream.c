/* stream.c - the ends of a TCP stream and of a UDP request and response. */
#include "packet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { BUFFER = 256 << 10, MAX_SAMPLES = 1 << 20, REQUEST = 16 };

static struct sockaddr_in server_address(const struct options *o)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons(o->port),
                                .sin_addr.s_addr = inet_addr(o->address)};
}

static int open_socket(const struct options *o, int type, bool server)
{
    int fd = socket(AF_INET, type, 0), one = 1;
    struct sockaddr_in a = server_address(o);
    struct timeval wait = {.tv_sec = type == SOCK_STREAM ? 10 : 0,
                           .tv_usec = type == SOCK_STREAM ? 0 : 200000};
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) < 0 ||
        (server ? bind(fd, (struct sockaddr *)&a, sizeof a)
                : connect(fd, (struct sockaddr *)&a, sizeof a)))
        fail(o->address);
    return fd;
}

/* Measures from the first byte on, for the given time. */
void tcp_serve(const struct options *o)
{
    int fd = open_socket(o, SOCK_STREAM, true);
    if (listen(fd, 1))
        fail("listen");
    int c = accept(fd, NULL, NULL);
    static char buffer[BUFFER];
    ssize_t n = c < 0 ? -1 : recv(c, buffer, sizeof buffer, 0);
    if (n < 0)
        fail("tcp-serve");
    double bytes = 0, start = now(), t = start;
    while (!stopped && t - start < o->seconds && (n = recv(c, buffer, sizeof buffer, 0)) > 0) {
        bytes += (double)n;
        t = now();
    }
    printf("%.4f\n", t > start ? bytes * 8e-9 / (t - start) : 0);
}

void tcp_send(const struct options *o)
{
    int fd = open_socket(o, SOCK_STREAM, false);
    static char buffer[BUFFER];
    while (!stopped && send(fd, buffer, sizeof buffer, MSG_NOSIGNAL) > 0)
        ;
}

void rr_serve(const struct options *o)
{
    int fd = open_socket(o, SOCK_DGRAM, true);
    char b[REQUEST];
    while (!stopped) {
        struct sockaddr_in from;
        socklen_t len = sizeof from;
        ssize_t n = recvfrom(fd, b, sizeof b, 0, (struct sockaddr *)&from, &len);
        if (n > 0)
            (void)sendto(fd, b, (size_t)n, 0, (struct sockaddr *)&from, len);
    }
}

static int compare(const void *a_, const void *b_)
{
    const double *a = a_, *b = b_;
    return (*a > *b) - (*a < *b);
}

void rr_send(const struct options *o)
{
    int fd = open_socket(o, SOCK_DGRAM, false);
    double *us = calloc(MAX_SAMPLES, sizeof *us);
    if (!us)
        fail("calloc");
    char b[REQUEST] = "";
    size_t n = 0;
    for (double start = now(), t;
         !stopped && (t = now()) - start < o->seconds && n < MAX_SAMPLES;) {
        if (send(fd, b, sizeof b, 0) == sizeof b && recv(fd, b, sizeof b, 0) == sizeof b)
            us[n++] = (now() - t) * 1e6;
    }
    qsort(us, n, sizeof *us, compare);
    printf("%.1f %.1f %zu\n", n ? us[n / 2] : 0, n ? us[n * 99 / 100] : 0, n);
    free(us);
    close(fd);
}
