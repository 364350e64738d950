/* target.c - parses targets. See target.h. Opens nothing. */
#include "io/target.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "io/rundir.h"

struct scheme {
    const char *prefix;
    enum target_kind kind;
    bool passive;
};

static const struct scheme schemes[] = {
    {"unix:", TARGET_UNIX, false}, {"punix:", TARGET_UNIX, true}, {"tcp:", TARGET_TCP, false},
    {"ptcp:", TARGET_TCP, true},   {"ssl:", TARGET_SSL, false},   {"pssl:", TARGET_SSL, true},
};

static const struct scheme *scheme_find(const char *text)
{
    for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
        if (text_starts_with(text, schemes[i].prefix))
            return &schemes[i];
    }
    return NULL;
}

bool target_is_active(const char *text)
{
    const struct scheme *scheme = scheme_find(text);
    return scheme && !scheme->passive;
}

bool target_is_passive(const char *text)
{
    const struct scheme *scheme = scheme_find(text);
    return scheme && scheme->passive;
}

/* Cuts the next ":"-separated part off *REST, minding brackets. NULL at the end. */
static char *next_part(char **rest)
{
    char *part = *rest;
    if (!part)
        return NULL;
    char *p = part;
    if (*p == '[') {
        char *close = strchr(p, ']');
        if (close)
            p = close;
    }
    p = strchr(p, ':');
    if (p)
        *p++ = '\0';
    *rest = p;
    return part;
}

static int parse_port(const char *text, uint16_t default_port, bool zero_ok, uint16_t *ret,
                      struct diag *diag)
{
    if (!text || !*text) {
        *ret = default_port;
        return default_port || zero_ok ? 0 : diag_set(diag, ERR_SYNTAX, "port must be specified");
    }
    uint64_t port;
    if (text_to_u64(text, 10, &port) || port > UINT16_MAX || (!port && !zero_ok))
        return diag_set(diag, ERR_SYNTAX, "bad port number \"%s\"", text);
    *ret = (uint16_t)port;
    return 0;
}

/* A link-local address may carry its interface: fe80::1%eth0. */
static bool parse_ip6(char *text, struct sockaddr_in6 *sin6)
{
    char *scope = strchr(text, '%');
    if (scope) {
        *scope++ = '\0';
        sin6->sin6_scope_id = if_nametoindex(scope);
        if (!sin6->sin6_scope_id)
            return false;
    }
    sin6->sin6_family = AF_INET6;
    return inet_pton(AF_INET6, text, &sin6->sin6_addr) == 1;
}

static int set_addr(struct target *target, char *host, uint16_t port, struct diag *diag)
{
    struct sockaddr_in *sin = (void *)&target->addr;
    struct sockaddr_in6 *sin6 = (void *)&target->addr;
    size_t n = strlen(host);
    if (n >= 2 && host[0] == '[' && host[n - 1] == ']') {
        host[n - 1] = '\0';
        host++;
        if (!parse_ip6(host, sin6))
            return diag_set(diag, ERR_SYNTAX, "bad IPv6 address \"%s\"", host);
        sin6->sin6_port = htons(port);
        target->addr_len = sizeof *sin6;
        return 0;
    }
    if (!strcmp(host, "localhost"))
        sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else if (inet_pton(AF_INET, host, &sin->sin_addr) != 1)
        return diag_set(diag, ERR_SYNTAX, "\"%s\" is not an IP address", host);
    sin->sin_family = AF_INET;
    sin->sin_port = htons(port);
    target->addr_len = sizeof *sin;
    return 0;
}

static int parse_inet(struct target *target, char *rest, uint16_t default_port, struct diag *diag)
{
    char *first = next_part(&rest), *second = next_part(&rest);
    if (rest)
        return diag_set(diag, ERR_SYNTAX, "unexpected \":%s\" (IPv6 addresses need brackets)",
                        rest);
    uint16_t port = 0;
    if (target->passive) {
        int err = parse_port(first, default_port, true, &port, diag);
        char any[] = "0.0.0.0";
        char *host = second && *second ? second : any;
        return err ? err : set_addr(target, host, port, diag);
    }
    if (!*first)
        return diag_set(diag, ERR_SYNTAX, "host must be specified");
    int err = parse_port(second, default_port, false, &port, diag);
    return err ? err : set_addr(target, first, port, diag);
}

int target_parse(const char *text, uint16_t default_port, const char *rundir, struct target *ret,
                 struct diag *diag)
{
    memset(ret, 0, sizeof *ret);
    const struct scheme *scheme = scheme_find(text);
    if (!scheme)
        return diag_set(diag, ERR_SYNTAX, "%s: unknown kind of target", text);
    ret->kind = scheme->kind;
    ret->passive = scheme->passive;
    const char *rest = text + strlen(scheme->prefix);
    if (ret->kind == TARGET_UNIX) {
        if (!*rest)
            return diag_set(diag, ERR_SYNTAX, "%s: path must be specified", text);
        ret->path = rundir_path(rundir, rest);
        return 0;
    }
    char *copy = xstrdup(rest);
    int err = parse_inet(ret, copy, default_port, diag);
    free(copy);
    if (err)
        diag_prefix(diag, "%s: ", text);
    return err;
}

void target_fini(struct target *target)
{
    free(target->path);
    target->path = NULL;
}

char *target_print_addr(const struct sockaddr_storage *addr)
{
    char host[INET6_ADDRSTRLEN];
    if (addr->ss_family == AF_INET6) {
        const struct sockaddr_in6 *sin6 = (const void *)addr;
        if (IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr)) {
            inet_ntop(AF_INET, &sin6->sin6_addr.s6_addr[12], host, sizeof host);
            return xasprintf("%s:%u", host, ntohs(sin6->sin6_port));
        }
        inet_ntop(AF_INET6, &sin6->sin6_addr, host, sizeof host);
        return xasprintf("[%s]:%u", host, ntohs(sin6->sin6_port));
    }
    const struct sockaddr_in *sin = (const void *)addr;
    inet_ntop(AF_INET, &sin->sin_addr, host, sizeof host);
    return xasprintf("%s:%u", host, ntohs(sin->sin_port));
}
