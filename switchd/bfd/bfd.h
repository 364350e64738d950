/* bfd.h - bidirectional forwarding detection on a port: whether what is sent there arrives, and comes back (RFC 5880, RFC 5881).
 *
 * A session sends control packets through its port, a tunnel as a rule, and takes those that come in there. It tells two things: its
 * state, for the database (Interface.bfd_status), and whether the port forwards, which decides what is live among the members of
 * groups and bundles. Options and texts are those of Open vSwitch's Interface.bfd (ovs-vswitchd.conf.db(5)); the demand mode, the echo
 * function and authentication do not exist.
 *
 *     bfd.c      the state machine and its timers
 *     packet.c   control packets in their frames
 *     text.c     options, status, bfd/show
 *
 * The owner gives packets to bfd_take, and sends what BFD wants sent.
 */
#pragma once

#include "base/str.h"
#include "flow/packet.h"
#include "io/timer.h"
#include "switchd/smap.h"

enum bfd_state { BFD_ADMIN_DOWN, BFD_DOWN, BFD_INIT, BFD_UP };
enum bfd_diag {
    BFD_DIAG_NONE,
    BFD_DIAG_EXPIRED,
    BFD_DIAG_ECHO_FAILED,
    BFD_DIAG_REMOTE_DOWN,
    BFD_DIAG_FORWARDING_RESET,
    BFD_DIAG_PATH_DOWN,
    BFD_DIAG_CONCATENATED_PATH_DOWN,
    BFD_DIAG_ADMIN_DOWN,
    BFD_DIAG_REVERSE_CONCATENATED_PATH_DOWN,
};
enum { BFD_CONTROL_LEN = 24, BFD_PORT = 3784 };

struct bfd_options {
    unsigned min_rx_ms, min_tx_ms, decay_min_rx_ms; /* decay 0: never */
    uint8_t mult;
    bool forwarding_if_rx, cpath_down, check_tnl_key, oam;
    struct mac local_src, local_dst, remote_dst; /* zero: not said */
    be32 ip_src, ip_dst;
};

/* What a control packet says (RFC 5880 section 4.1); times in microseconds. */
struct bfd_control {
    enum bfd_state state;
    uint8_t diag, mult;
    bool poll, final;
    uint32_t my_disc, your_disc;
    uint32_t min_tx_us, min_rx_us;
};

/* A session's ways out. */
struct bfd_callbacks {
    void (*send)(void *aux, struct packet *packet, bool oam);
    /* State or forwarding are others now. */
    void (*changed)(void *aux);
    uint64_t (*received)(void *aux); /* packets that the port has received so far */
};

struct bfd {
    const char *name;
    struct bfd_options options;
    const struct bfd_callbacks *callbacks;
    void *aux;
    struct env *env;
    struct timer timer;
    struct mac mac; /* of the port, for packets */
    uint16_t udp_src;
    /* This end. */
    enum bfd_state state;
    enum bfd_diag diag;
    uint32_t disc;
    uint32_t min_tx_ms, min_rx_ms; /* as told to the peer */
    bool polling;                  /* its answer with the final bit is awaited */
    /* The other end, as of its last packet. */
    struct bfd_control remote;
    bool heard;
    int64_t next_tx_us, last_tx_us, expires_us; /* expires 0: nothing awaited */
    uint64_t flap_count;
    int forced; /* bfd/set-forwarding: 0 or 1; -1: not */
    /* Data traffic. */
    uint64_t received;
    int64_t data_until_us, decay_check_us;
    bool forwarding;
};

/* An enabled session on the port NAME (borrowed) with address MAC; the first packet is sent at once. */
struct bfd *bfd_new(struct loop *loop, const char *name, const struct bfd_options *options,
                    struct mac mac, const struct bfd_callbacks *callbacks, void *aux);
void bfd_free(struct bfd *bfd); /* NULL is allowed */
void bfd_configure(struct bfd *bfd, const struct bfd_options *options, struct mac mac);
/* Whether PACKET, as it came from the port, is the session's; it is taken in then. */
bool bfd_take(struct bfd *bfd, const struct packet *packet);
/* From bfd/set-forwarding: -1 lets the session decide again. */
void bfd_force(struct bfd *bfd, int forwarding);

/* ---- packet.c ---- */
/* A frame with CONTROL; RET is finished by the caller. */
void bfd_compose(const struct bfd *bfd, const struct bfd_control *control, struct packet *ret);
/* Whether the frame is a control packet that the session's options admit. Malformed ones are taken and yield state -1. */
bool bfd_is_control(const struct bfd *bfd, const struct packet *packet, const uint8_t **control,
                    size_t *n);
bool bfd_control_read(const uint8_t *data, size_t n, struct bfd_control *ret);

/* ---- text.c ---- */
/* False: bfd:enable is not true. Bad values are the defaults. */
bool bfd_options_read(const struct smap *map, struct bfd_options *ret);
const char *bfd_state_name(enum bfd_state state);
void bfd_status(const struct bfd *bfd, struct smap *ret);
void bfd_put_text(const struct bfd *bfd, const char *name, struct str *out);
