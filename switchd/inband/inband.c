/* inband.c - in-band control of a bridge: what is known of the local port and of the next hops, and when to look again; see inband.h. */
#include "switchd/inband/inband.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "switchd/inband/internal.h"
#include "switchd/vswitch.h"

LOG_MODULE(in_band);

enum { LOCAL_MS = 1000, KNOWN_MS = 10000, UNKNOWN_MS = 1000 };

static void on_timer(void *ib)
{
    inband_run(ib);
}

struct inband *inband_new(struct bridge *br, const struct inband_kernel *kernel)
{
    struct inband *ib = NEW(struct inband);
    ib->br = br;
    ib->kernel = kernel;
    ib->queue = INBAND_NO_QUEUE;
    timer_init(&ib->timer, br->vs->loop, on_timer, ib);
    return ib;
}

void inband_free(struct inband *ib)
{
    if (!ib)
        return;
    timer_stop(&ib->timer);
    inband_remove_rules(ib);
    vec_fini(&ib->rules);
    vec_fini(&ib->remotes);
    str_fini(&ib->wanted);
    free(ib);
}

static bool is_same_list(const struct inband *ib, const struct inband_remote *remotes, size_t n)
{
    bool same = n == ib->remotes.n;
    for (size_t i = 0; same && i < n; i++)
        same = ip_addr_equal(&remotes[i].ip, &ib->remotes.data[i].at.ip) &&
               remotes[i].port == ib->remotes.data[i].at.port;
    return same;
}

void inband_set_remotes(struct inband *ib, const struct inband_remote *remotes, size_t n)
{
    if (is_same_list(ib, remotes, n))
        return;
    vec_clear(&ib->remotes);
    for (size_t i = 0; i < n; i++)
        vec_push(&ib->remotes, ((struct remote){.at = remotes[i]}));
    ib->next_local_ms = ib->next_remote_ms = 0;
    inband_run(ib);
}

void inband_set_queue(struct inband *ib, int64_t queue)
{
    ib->queue = queue < 0 || queue > UINT32_MAX ? INBAND_NO_QUEUE : queue;
    inband_update_rules(ib);
}

static void refresh_local(struct inband *ib)
{
    const struct vport *local = bridge_port(ib->br, PORT_LOCAL);
    bool none = !local || !local->dev;
    if (none && !ib->no_local)
        log_err("bridge %s: there is no local port, in-band control is off", ib->br->name);
    ib->no_local = none;
    ib->local = none ? (struct mac){{0}} : local->dev->status.mac;
}

struct mac inband_local_mac(struct inband *ib)
{
    refresh_local(ib);
    return ib->local;
}

struct mac inband_find_next_hop(struct inband *ib, struct remote *r)
{
    static struct log_rate rate = LOG_RATE(60, 60);
    struct next_hop hop = {0};
    struct mac mac = {{0}};
    struct str ip = STR_INIT;
    ip_addr_put(&ip, &r->at.ip);
    r->hop_ip = r->at.ip;
    if (ib->kernel->route(ib->kernel->aux, &r->at.ip, &hop)) {
        log_warn("bridge %s: cannot find route for controller or manager %s", ib->br->name,
                 str_c(&ip));
    } else {
        r->hop_ip = hop.ip;
        int err = ib->kernel->neighbour(ib->kernel->aux, &hop, &mac);
        if (err == ERR_NOT_FOUND)
            log_dbg_limited(&rate, "bridge %s: no %s entry for the next hop to %s on %s",
                            ib->br->name, hop.ip.version == 6 ? "ND" : "ARP", str_c(&ip),
                            hop.device);
        else if (err)
            log_warn_limited(&rate, "bridge %s: cannot open device %s of the next hop to %s",
                             ib->br->name, hop.device, str_c(&ip));
    }
    str_fini(&ip);
    return mac;
}

static void refresh_remote(struct inband *ib, struct remote *r)
{
    r->next_hop = inband_find_next_hop(ib, r);
    if (mac_is_zero(r->next_hop) || mac_equal(r->next_hop, r->last))
        return;
    struct str s = STR_INIT;
    ip_addr_put(&s, &r->at.ip);
    str_put(&s, " changed from ");
    mac_put(&s, r->last);
    str_put(&s, " to ");
    mac_put(&s, r->next_hop);
    log_dbg("bridge %s: the next hop's MAC for %s", ib->br->name, str_c(&s));
    str_fini(&s);
    r->last = r->next_hop;
}

/* Returns after how many ms to look again: the shortest wins. */
static int64_t refresh_remotes(struct inband *ib)
{
    int64_t period = KNOWN_MS;
    struct remote *r;
    ib->n_refreshes++;
    VEC_FOR_EACH (r, &ib->remotes) {
        refresh_remote(ib, r);
        if (mac_is_zero(r->next_hop))
            period = UNKNOWN_MS;
    }
    return period;
}

void inband_run(struct inband *ib)
{
    int64_t now_ms = env_now_ms(ib->br->vs->env);
    if (now_ms >= ib->next_local_ms) {
        refresh_local(ib);
        ib->next_local_ms = now_ms + LOCAL_MS;
    }
    if (now_ms >= ib->next_remote_ms)
        ib->next_remote_ms = now_ms + refresh_remotes(ib);
    inband_update_rules(ib);
    timer_start_ms(&ib->timer, MIN(ib->next_local_ms, ib->next_remote_ms) - now_ms);
}

void inband_amend(struct inband *ib, const struct vport *in_port, const struct packet *packet,
                  const struct flow_key *key, struct xlate_out *out)
{
    const struct vport *local = bridge_port(ib->br, PORT_LOCAL);
    if (in_port == local)
        return;
    if (local)
        inband_amend_dhcp(ib, local, packet, key, out);
    inband_notice(ib, in_port, key, out);
}

uint64_t inband_refreshes(const struct inband *ib)
{
    return ib->n_refreshes;
}

void inband_describe(const struct inband *ib, struct str *out)
{
    if (!mac_is_zero(ib->local)) {
        str_put(out, "local-mac: ");
        mac_put(out, ib->local);
        str_putc(out, '\n');
    }
    for (size_t i = 0; i < ib->remotes.n; i++) {
        const struct remote *r = &ib->remotes.data[i];
        str_put(out, "remote: ");
        bool v6 = r->at.ip.version == 6;
        str_put(out, v6 ? "[" : "");
        ip_addr_put(out, &r->at.ip);
        str_putf(out, "%s:%u\n", v6 ? "]" : "", r->at.port);
        if (!mac_is_zero(r->next_hop)) {
            str_put(out, "remote-mac: ");
            mac_put(out, r->next_hop);
            str_putc(out, '\n');
        }
    }
    if (ib->queue >= 0)
        str_putf(out, "queue: %lld\n", (long long)ib->queue);
    str_putf(out, "flows: %zu\n", ib->rules.n);
}
