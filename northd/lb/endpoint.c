/* endpoint.c - addresses with ports, as load balancers write them (room 2 of docs/architecture.md; ovn-nb(5), Load_Balancer.vips). */
#include <string.h>

#include "northd/lb/lb.h"

enum { MAX_ENDPOINT = 64 };

static bool parse_port(const char *text, uint16_t *ret)
{
    uint64_t port;
    if (text_to_u64(text, 10, &port) || !port || port > UINT16_MAX)
        return false;
    *ret = (uint16_t)port;
    return true;
}

bool lb_endpoint_parse(const char *text, size_t n, struct lb_endpoint *ret)
{
    char buf[MAX_ENDPOINT], *ip_text = buf, *port = NULL;
    struct ip_addr ip;
    memset(ret, 0, sizeof *ret);
    if (n >= sizeof buf)
        return false;
    memcpy(buf, text, n);
    buf[n] = '\0';
    if (buf[0] == '[') {
        char *end = strchr(buf, ']');
        if (!end || (end[1] && end[1] != ':'))
            return false;
        ip_text = buf + 1;
        port = end[1] ? end + 2 : NULL;
        *end = '\0';
    } else if ((port = strchr(buf, ':')) != NULL && !strchr(port + 1, ':')) {
        *port++ = '\0';
    } else {
        port = NULL;
    }
    if (ip_addr_parse(ip_text, &ip) || (buf[0] == '[') != (ip.version == 6 && ip_text != buf))
        return false;
    ret->ip = address_make(ip.version, ip_addr_to_u128(&ip), ip_addr_bits(&ip));
    return !port || parse_port(port, &ret->port);
}

void lb_endpoint_put(struct str *out, const struct lb_endpoint *e)
{
    bool bracket = e->ip.version == 6 && e->port;
    if (bracket)
        str_putc(out, '[');
    address_put(out, &e->ip);
    if (bracket)
        str_putc(out, ']');
    if (e->port)
        str_putf(out, ":%u", e->port);
}
