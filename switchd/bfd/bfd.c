/* bfd.c - see bfd.h: the state machine (RFC 5880 section 6.8) and its timers. */
#include "switchd/bfd/bfd.h"

#include <stdlib.h>

#include "base/env.h"
#include "base/log.h"
#include "io/loop.h"

LOG_MODULE(bfd);

enum {
    SLOW_TX_MS = 1000, /* while the session is not up (6.8.3) */
    DECAY_CHECK_MS = 2000,
};

static int64_t now_us(const struct bfd *bfd)
{
    return env_now_us(bfd->env);
}

/* ---- intervals ---- */

/* How often the peer wants to hear of us, and we to speak: without jitter. */
static int64_t tx_interval_us(const struct bfd *bfd)
{
    int64_t mine = (int64_t)bfd->min_tx_ms * 1000;
    return MAX(mine, (int64_t)bfd->remote.min_rx_us);
}

static int64_t detect_us(const struct bfd *bfd)
{
    int64_t mine = (int64_t)bfd->min_rx_ms * 1000;
    return bfd->remote.mult * MAX(mine, (int64_t)bfd->remote.min_tx_us);
}

static void arm(struct bfd *bfd)
{
    int64_t at = bfd->next_tx_us;
    if (bfd->expires_us)
        at = MIN(at, bfd->expires_us);
    if (bfd->decay_check_us)
        at = MIN(at, bfd->decay_check_us);
    if (bfd->options.forwarding_if_rx)
        at = MIN(at, now_us(bfd) + (int64_t)bfd->min_rx_ms * 1000);
    timer_set_us(&bfd->timer, at);
}

/* The intervals that are told: changed ones begin a poll sequence (6.8.3). */
static void set_intervals(struct bfd *bfd, uint32_t min_rx_ms)
{
    uint32_t min_tx = bfd->options.min_tx_ms;
    if (bfd->state != BFD_UP)
        min_tx = MAX(min_tx, (uint32_t)SLOW_TX_MS);
    if (bfd->heard && (min_tx != bfd->min_tx_ms || min_rx_ms != bfd->min_rx_ms))
        bfd->polling = true;
    bfd->min_tx_ms = min_tx;
    bfd->min_rx_ms = min_rx_ms;
}

/* ---- state ---- */

static bool sees_forwarding(const struct bfd *bfd)
{
    if (bfd->forced >= 0)
        return bfd->forced;
    if (bfd->options.forwarding_if_rx && bfd->data_until_us > now_us(bfd))
        return true;
    return bfd->state == BFD_UP && bfd->remote.diag != BFD_DIAG_CONCATENATED_PATH_DOWN &&
           bfd->remote.diag != BFD_DIAG_REVERSE_CONCATENATED_PATH_DOWN;
}

/* To be called after anything that bears on it. */
static void update_forwarding(struct bfd *bfd, bool changed)
{
    bool was = bfd->forwarding;
    bfd->forwarding = sees_forwarding(bfd);
    if (was != bfd->forwarding)
        bfd->flap_count++;
    if (changed || was != bfd->forwarding)
        bfd->callbacks->changed(bfd->aux);
}

static void set_state(struct bfd *bfd, enum bfd_state state, enum bfd_diag diag)
{
    if (bfd->state == state && bfd->diag == diag)
        return;
    if (bfd->state == BFD_UP && state != BFD_UP)
        bfd->expires_us = 0;
    bfd->state = state;
    bfd->diag = diag;
    set_intervals(bfd, bfd->options.min_rx_ms);
}

/* The table of 6.8.6. */
static void follow_remote(struct bfd *bfd, enum bfd_state remote)
{
    if (remote == BFD_ADMIN_DOWN) {
        if (bfd->state != BFD_DOWN)
            set_state(bfd, BFD_DOWN, BFD_DIAG_REMOTE_DOWN);
        return;
    }
    switch (bfd->state) {
    case BFD_DOWN:
        if (remote == BFD_DOWN)
            set_state(bfd, BFD_INIT, bfd->diag);
        else if (remote == BFD_INIT)
            set_state(bfd, BFD_UP, BFD_DIAG_NONE);
        break;
    case BFD_INIT:
        if (remote >= BFD_INIT)
            set_state(bfd, BFD_UP, BFD_DIAG_NONE);
        break;
    case BFD_UP:
        if (remote == BFD_DOWN)
            set_state(bfd, BFD_DOWN, BFD_DIAG_REMOTE_DOWN);
        break;
    case BFD_ADMIN_DOWN:
        break;
    }
}

/* ---- packets ---- */

static void send_control(struct bfd *bfd, bool final)
{
    struct bfd_control control = {
        .state = bfd->state,
        .diag = bfd->options.cpath_down && bfd->state == BFD_UP ? BFD_DIAG_CONCATENATED_PATH_DOWN
                                                                : bfd->diag,
        .mult = bfd->options.mult,
        .poll = bfd->polling && !final,
        .final = final,
        .my_disc = bfd->disc,
        .your_disc = bfd->heard ? bfd->remote.my_disc : 0,
        .min_tx_us = bfd->min_tx_ms * 1000,
        .min_rx_us = bfd->min_rx_ms * 1000,
    };
    struct packet packet;
    packet_init(&packet);
    bfd_compose(bfd, &control, &packet);
    bfd->callbacks->send(bfd->aux, &packet, bfd->options.oam);
    packet_fini(&packet);
    bfd->last_tx_us = now_us(bfd);
}

/* With the jitter of 6.8.7: 75 to 100 per cent of the interval, to 90 when one lost packet ends the session. */
static void schedule_tx(struct bfd *bfd)
{
    int64_t interval = tx_interval_us(bfd);
    int64_t range = interval / 100 * (bfd->options.mult == 1 ? 15 : 25);
    int64_t cut = bfd->options.mult == 1 ? interval / 10 : 0;
    bfd->next_tx_us = now_us(bfd) + interval - cut -
                      (range > 0 ? (int64_t)(env_random_u64(bfd->env) % (uint64_t)range) : 0);
}

bool bfd_take(struct bfd *bfd, const struct packet *packet)
{
    const uint8_t *data;
    size_t n;
    struct bfd_control control;
    if (!bfd_is_control(bfd, packet, &data, &n))
        return false;
    if (!bfd_control_read(data, n, &control) ||
        (control.your_disc ? control.your_disc != bfd->disc : control.state >= BFD_INIT))
        return true; /* discarded */
    enum bfd_state state = bfd->state;
    enum bfd_diag diag = bfd->diag;
    bool remote_changed =
        control.state != bfd->remote.state || control.diag != bfd->remote.diag || !bfd->heard;
    bfd->remote = control;
    bfd->heard = true;
    if (control.final)
        bfd->polling = false;
    follow_remote(bfd, control.state);
    bfd->expires_us = now_us(bfd) + detect_us(bfd);
    if (control.poll)
        send_control(bfd, true);
    if (state != bfd->state)
        log_info("%s: %s, the peer says %s", bfd->name, bfd_state_name(bfd->state),
                 bfd_state_name(control.state));
    if (bfd->state == BFD_UP && state != BFD_UP)
        schedule_tx(bfd);
    arm(bfd);
    update_forwarding(bfd, remote_changed || state != bfd->state || diag != bfd->diag);
    return true;
}

/* ---- time ---- */

static void expire(struct bfd *bfd)
{
    bfd->expires_us = 0;
    if (bfd->state < BFD_INIT)
        return;
    bfd->heard = false;
    bfd->remote = (struct bfd_control){.state = BFD_DOWN, .min_rx_us = 1};
    bfd->polling = false;
    set_state(bfd, BFD_DOWN, BFD_DIAG_EXPIRED);
    log_info("%s: down, nothing was heard in time", bfd->name);
}

/* Without data traffic (no more than twice the control packets that are due) the peer may speak more rarely. */
static void check_decay(struct bfd *bfd, uint64_t received)
{
    bfd->decay_check_us = now_us(bfd) + DECAY_CHECK_MS * 1000;
    uint64_t interval_ms = MAX(MAX(bfd->min_rx_ms, bfd->remote.min_tx_us / 1000), UINT64_C(1));
    bool idle =
        bfd->state == BFD_UP && received - bfd->received <= 2 * (DECAY_CHECK_MS / interval_ms + 1);
    uint32_t min_rx =
        idle ? MAX(bfd->options.decay_min_rx_ms, bfd->options.min_rx_ms) : bfd->options.min_rx_ms;
    set_intervals(bfd, min_rx);
    bfd->received = received;
}

static void watch_data(struct bfd *bfd)
{
    uint64_t received = bfd->callbacks->received(bfd->aux);
    if (bfd->options.forwarding_if_rx && received != bfd->received)
        bfd->data_until_us = now_us(bfd) + (int64_t)bfd->options.mult * bfd->min_rx_ms * 1000;
    if (bfd->decay_check_us && now_us(bfd) >= bfd->decay_check_us)
        check_decay(bfd, received);
    else if (!bfd->decay_check_us)
        bfd->received = received;
}

static void run(void *bfd_)
{
    struct bfd *bfd = bfd_;
    enum bfd_state state = bfd->state;
    if (bfd->expires_us && now_us(bfd) >= bfd->expires_us)
        expire(bfd);
    watch_data(bfd);
    if (now_us(bfd) >= bfd->next_tx_us) {
        send_control(bfd, false);
        schedule_tx(bfd);
    }
    arm(bfd);
    update_forwarding(bfd, state != bfd->state);
}

/* ---- life ---- */

void bfd_configure(struct bfd *bfd, const struct bfd_options *options, struct mac mac)
{
    bfd->options = *options;
    bfd->mac = mac;
    bfd->decay_check_us = options->decay_min_rx_ms ? now_us(bfd) + DECAY_CHECK_MS * 1000 : 0;
    set_intervals(bfd, options->min_rx_ms);
    if (bfd->heard)
        bfd->next_tx_us = MIN(bfd->next_tx_us, now_us(bfd) + tx_interval_us(bfd));
    arm(bfd);
}

struct bfd *bfd_new(struct loop *loop, const char *name, const struct bfd_options *options,
                    struct mac mac, const struct bfd_callbacks *callbacks, void *aux)
{
    struct bfd *bfd = NEW(struct bfd);
    bfd->name = name;
    bfd->callbacks = callbacks;
    bfd->aux = aux;
    bfd->env = loop_env(loop);
    bfd->state = BFD_DOWN;
    bfd->remote.state = BFD_DOWN;
    bfd->remote.min_rx_us = 1;
    bfd->forced = -1;
    bfd->disc = (uint32_t)(env_random_u64(bfd->env) | 1);
    bfd->udp_src = (uint16_t)(49152 + env_random_u64(bfd->env) % 16384);
    bfd->received = callbacks->received(aux);
    bfd->next_tx_us = now_us(bfd);
    timer_init(&bfd->timer, loop, run, bfd);
    bfd_configure(bfd, options, mac);
    return bfd;
}

void bfd_free(struct bfd *bfd)
{
    if (!bfd)
        return;
    timer_stop(&bfd->timer);
    free(bfd);
}

void bfd_force(struct bfd *bfd, int forwarding)
{
    bfd->forced = forwarding;
    update_forwarding(bfd, false);
}
