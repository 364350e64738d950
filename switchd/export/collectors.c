/* collectors.c - see collectors.h. */
#include "switchd/export/collectors.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "net/addr.h"

LOG_MODULE(collectors);

/* "10.0.0.1:4739", "[fd00::1]:4739", or either without a port. */
static bool parse_target(const char *target, uint16_t default_port, struct ip_addr *ip,
                         uint16_t *port)
{
    char host[64];
    const char *end = *target == '[' ? strchr(target, ']') : strrchr(target, ':');
    if (!end)
        end = *target == '[' ? NULL : target + strlen(target);
    if (!end || (size_t)(end - target) >= sizeof host)
        return false;
    size_t skip = *target == '[';
    memcpy(host, target + skip, (size_t)(end - target) - skip);
    host[(size_t)(end - target) - skip] = '\0';
    const char *colon = end + skip;
    uint64_t number = default_port;
    if (*colon && (*colon != ':' || text_to_u64(colon + 1, 10, &number)))
        return false;
    *port = (uint16_t)number;
    return number && number <= UINT16_MAX && !ip_addr_parse(host, ip);
}

static int open_socket(const struct ip_addr *ip, uint16_t port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    v4.sin_addr.s_addr = ip->v4;
    memcpy(&v6.sin6_addr, &ip->v6, sizeof v6.sin6_addr);
    bool is_v4 = ip->version == 4;
    int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, is_v4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6,
                           is_v4 ? sizeof v4 : sizeof v6)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static struct collector *find(struct collectors *c, const char *target)
{
    struct collector *each;
    VEC_FOR_EACH (each, &c->list) {
        if (each->target && !strcmp(each->target, target))
            return each;
    }
    return NULL;
}

static void close_all(struct collectors *c)
{
    struct collector *each;
    VEC_FOR_EACH (each, &c->list) {
        if (each->fd >= 0)
            close(each->fd);
        free(each->target);
    }
    vec_fini(&c->list);
}

void collectors_set(struct collectors *c, const char *const *targets, size_t n,
                    uint16_t default_port)
{
    struct collectors old = {.list = {c->list.data, c->list.n, c->list.cap}};
    memset(&c->list, 0, sizeof c->list);
    for (size_t i = 0; i < n; i++) {
        struct collector *was = find(&old, targets[i]);
        struct collector *now = vec_push_zero(&c->list);
        if (was) {
            *now = *was;
            *was = (struct collector){NULL, -1};
            continue;
        }
        struct ip_addr ip;
        uint16_t port;
        now->target = xstrdup(targets[i]);
        now->fd = -1;
        if (!parse_target(targets[i], default_port, &ip, &port))
            log_warn("%s: a collector is IP:PORT", targets[i]);
        else if ((now->fd = open_socket(&ip, port)) < 0)
            log_warn("%s: collector cannot be reached", targets[i]);
    }
    close_all(&old);
}

void collectors_send(struct collectors *c, const void *data, size_t n)
{
    struct collector *each;
    VEC_FOR_EACH (each, &c->list) {
        if (each->fd >= 0 && send(each->fd, data, n, 0) == (ssize_t)n)
            c->n_sent++;
        else
            c->n_errors++;
    }
}

void collectors_fini(struct collectors *c)
{
    close_all(c);
}
