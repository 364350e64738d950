/* text.c - BFD in words: the options of Interface.bfd, Interface.bfd_status, and bfd/show. */
#include <inttypes.h>
#include <stdio.h>

#include "base/env.h"
#include "switchd/bfd/bfd.h"

const char *bfd_state_name(enum bfd_state state)
{
    static const char *const names[] = {"admin_down", "down", "init", "up"};
    return names[state];
}

static const char *diag_name(unsigned diag)
{
    static const char *const names[] = {"No Diagnostic",
                                        "Control Detection Time Expired",
                                        "Echo Function Failed",
                                        "Neighbor Signaled Session Down",
                                        "Forwarding Plane Reset",
                                        "Path Down",
                                        "Concatenated Path Down",
                                        "Administratively Down",
                                        "Reverse Concatenated Path Down"};
    return diag < ARRAY_SIZE(names) ? names[diag] : "Unknown";
}

static void read_mac(const struct smap *map, const char *key, struct mac *ret)
{
    const char *text = smap_get(map, key);
    if (!text || mac_parse(text, ret))
        *ret = mac_from_u64(0);
}

static be32 read_ip(const struct smap *map, const char *key, const char *otherwise)
{
    struct ip_addr addr;
    if (ip_addr_parse(smap_get_or(map, key, otherwise), &addr) || addr.version != 4)
        (void)!ip_addr_parse(otherwise, &addr);
    return addr.v4;
}

static unsigned read_ms(const struct smap *map, const char *key, unsigned otherwise)
{
    int64_t ms = smap_get_int(map, key, otherwise);
    return ms > 0 && ms <= 3600000 ? (unsigned)ms : otherwise;
}

bool bfd_options_read(const struct smap *map, struct bfd_options *ret)
{
    memset(ret, 0, sizeof *ret);
    ret->min_rx_ms = read_ms(map, "min_rx", 1000);
    ret->min_tx_ms = read_ms(map, "min_tx", 100);
    ret->decay_min_rx_ms = read_ms(map, "decay_min_rx", 0);
    if (ret->decay_min_rx_ms < ret->min_rx_ms)
        ret->decay_min_rx_ms = 0;
    int64_t mult = smap_get_int(map, "mult", 3);
    ret->mult = mult >= 1 && mult <= 255 ? (uint8_t)mult : 3;
    ret->forwarding_if_rx = smap_get_bool(map, "forwarding_if_rx", false);
    ret->cpath_down = smap_get_bool(map, "cpath_down", false);
    ret->check_tnl_key = smap_get_bool(map, "check_tnl_key", false);
    ret->oam = smap_get_bool(map, "oam", false);
    read_mac(map, "bfd_local_src_mac", &ret->local_src);
    read_mac(map, "bfd_local_dst_mac", &ret->local_dst);
    read_mac(map, "bfd_remote_dst_mac", &ret->remote_dst);
    ret->ip_src = read_ip(map, "bfd_src_ip", "169.254.1.1");
    ret->ip_dst = read_ip(map, "bfd_dst_ip", "169.254.1.0");
    return smap_get_bool(map, "enable", false);
}

void bfd_status(const struct bfd *bfd, struct smap *ret)
{
    char count[24];
    smap_clear(ret);
    if (!bfd)
        return;
    snprintf(count, sizeof count, "%" PRIu64, bfd->flap_count);
    smap_set(ret, "forwarding", bfd->forwarding ? "true" : "false");
    smap_set(ret, "state", bfd_state_name(bfd->state));
    smap_set(ret, "diagnostic", diag_name(bfd->diag));
    smap_set(ret, "remote_state", bfd_state_name(bfd->remote.state));
    smap_set(ret, "remote_diagnostic", diag_name(bfd->remote.diag));
    smap_set(ret, "flap_count", count);
}

/* "now +515ms"; AT_US 0: "now -". */
static void put_time(struct str *out, const char *label, int64_t at_us, int64_t now_us)
{
    if (at_us)
        str_putf(out, "  %s: now %+" PRId64 "ms\n", label, (at_us - now_us) / 1000);
    else
        str_putf(out, "  %s: now -\n", label);
}

static void put_end(struct str *out, const char *side, const char *flags, enum bfd_state state,
                    unsigned diag, uint32_t disc, uint32_t tx_ms, uint32_t rx_ms)
{
    str_putf(out,
             "\n  %s Flags: %s\n  %s Session State: %s\n  %s Diagnostic: %s\n"
             "  %s Discriminator: 0x%x\n  %s Minimum TX Interval: %ums\n"
             "  %s Minimum RX Interval: %ums\n",
             side, flags, side, bfd_state_name(state), side, diag_name(diag), side, disc, side,
             tx_ms, side, rx_ms);
}

void bfd_put_text(const struct bfd *bfd, const char *name, struct str *out)
{
    const struct bfd_control *r = &bfd->remote;
    int64_t now_us = env_now_us(bfd->env);
    uint32_t tx_ms = MAX(bfd->min_tx_ms, r->min_rx_us / 1000);
    uint32_t rx_ms = MAX(bfd->min_rx_ms, r->min_tx_us / 1000);
    if (name)
        str_putf(out, "---- %s ----\n", name);
    str_putf(out,
             "  Forwarding: %s\n  Detect Multiplier: %u\n  Concatenated Path Down: %s\n"
             "  TX Interval: Approx %ums\n  RX Interval: Approx %ums\n",
             bfd->forwarding ? "true" : "false", bfd->options.mult,
             bfd->options.cpath_down ? "true" : "false", tx_ms, rx_ms);
    put_time(out, "Detect Time", bfd->expires_us, now_us);
    put_time(out, "Next TX Time", bfd->next_tx_us, now_us);
    put_time(out, "Last TX Time", bfd->last_tx_us, now_us);
    put_end(out, "Local", bfd->polling ? "poll" : "none", bfd->state, bfd->diag, bfd->disc,
            bfd->min_tx_ms, bfd->min_rx_ms);
    put_end(out, "Remote",
            r->poll    ? "poll"
            : r->final ? "final"
                       : "none",
            r->state, r->diag, r->my_disc, r->min_tx_us / 1000, r->min_rx_us / 1000);
    str_putf(out, "  Remote Detect Multiplier: %u\n", r->mult);
}
