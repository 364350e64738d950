/* config.c - what the command line says of services, ARP and flows; see session.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "openflow/text.h"
#include "tools/testcontroller/session.h"

/* IP:PORT, up to the character that *P then stands at. */
static int parse_endpoint(const char *text, be32 *ip, uint16_t *port)
{
    const char *colon = strchr(text, ':');
    uint64_t n;
    char *address = xstrndup(text, colon ? (size_t)(colon - text) : strlen(text));
    int err = !colon || ip4_parse(address, ip) || text_to_u64(colon + 1, 10, &n) || !n || n > 65535;
    free(address);
    if (!err)
        *port = (uint16_t)n;
    return err;
}

/* A copy of ARG up to its "=", and what stands behind it, or NULL. */
static char *split(const char *arg, const char **rest)
{
    const char *equal = strchr(arg, '=');
    *rest = equal ? equal + 1 : NULL;
    return xstrndup(arg, equal ? (size_t)(equal - arg) : strlen(arg));
}

int config_add_dnat(struct testcontroller_config *config, const char *arg, bool per_instance,
                    struct diag *diag)
{
    struct dnat d = {.per_instance = per_instance};
    const char *to;
    char *from = split(arg, &to);
    int err =
        !to || parse_endpoint(from, &d.ip, &d.port) || parse_endpoint(to, &d.to_ip, &d.to_port);
    free(from);
    if (err)
        return diag_set(diag, ERR_SYNTAX, "%s: IP:PORT=IP:PORT is expected, such as %s", arg,
                        "169.254.169.254:80=10.0.0.1:9002");
    vec_push(&config->dnats, d);
    return 0;
}

int config_add_arp(struct testcontroller_config *config, const char *arg, struct diag *diag)
{
    struct arp_answer a = {0};
    const char *mac;
    char *ip = split(arg, &mac);
    int err = ip4_parse(ip, &a.ip) || (mac && (mac_parse(mac, &a.mac) || mac_is_zero(a.mac)));
    free(ip);
    if (err)
        return diag_set(diag, ERR_SYNTAX, "%s: IP or IP=MAC is expected", arg);
    vec_push(&config->arp_answers, a);
    return 0;
}

/* IP/MAC */
static int parse_station(const char *text, be32 *ip, struct mac *mac)
{
    const char *slash = strchr(text, '/');
    char *address = xstrndup(text, slash ? (size_t)(slash - text) : strlen(text));
    int err = !slash || ip4_parse(address, ip) || mac_parse(slash + 1, mac);
    free(address);
    return err;
}

int config_add_arp_rewrite(struct testcontroller_config *config, const char *arg, struct diag *diag)
{
    struct arp_rewrite r;
    const char *outer;
    char *inner = split(arg, &outer);
    int err = !outer || parse_station(inner, &r.inner_ip, &r.inner_mac) ||
              parse_station(outer, &r.outer_ip, &r.outer_mac);
    free(inner);
    if (err)
        return diag_set(diag, ERR_SYNTAX, "%s: IP/MAC=IP/MAC is expected, such as %s", arg,
                        "10.0.0.1/0e:00:00:00:00:01=192.0.2.1/0e:00:00:00:00:ff");
    vec_push(&config->arp_rewrites, r);
    return 0;
}

int config_add_flows(const char *path, struct texts *flows, struct diag *diag)
{
    FILE *f = fopen(path, "r");
    char *line = NULL;
    size_t cap = 0;
    int err = 0;
    if (!f)
        return diag_set(diag, ERR_IO, "%s: cannot be opened: %s", path, strerror(errno));
    for (unsigned n = 1; !err && getline(&line, &cap, f) >= 0; n++) {
        struct of_flow_mod fm;
        line[strcspn(line, "#\n")] = 0;
        if (!line[strspn(line, " \t\r")])
            continue;
        err = of_flow_mod_parse(line, OF_FLOW_ADD, NULL, NULL, &fm, diag);
        of_flow_mod_fini(&fm);
        if (err)
            diag_prefix(diag, "%s:%u: ", path, n);
        else
            vec_push(flows, xstrdup(line));
    }
    free(line);
    fclose(f);
    return err;
}

static void texts_fini(struct texts *texts)
{
    for (size_t i = 0; i < texts->n; i++)
        free(texts->data[i]);
    vec_fini(texts);
}

void config_fini(struct testcontroller_config *config)
{
    texts_fini(&config->flows);
    texts_fini(&config->on_demand);
    vec_fini(&config->dnats);
    vec_fini(&config->arp_answers);
    vec_fini(&config->arp_rewrites);
}
