/* refusal.h - packets that say no to a packet: ICMP errors, TCP resets, SCTP aborts.
 *
 * Each maker appends a whole frame to OUT, from the packet's destination to its source if TURNED, else with the addresses as they
 * stand, for actions that turn them. False: the packet must not be answered that way (the standards' rules against storms), or is
 * not what it says it is; nothing is appended.
 */
#pragma once

#include "controller/pinctrl/frame.h"

struct pinctrl;
struct of_packet_in;

struct refusal {
    bool is_turned;
    uint8_t code; /* of "destination unreachable" */
    uint32_t mtu; /* "packet too big": of the next link; 0: not said */
};

bool icmp_make(const struct frame *frame, const struct refusal *how, struct of_buf *out);
/* Whether an ICMP error may go to FRAME's sender now; counts those that may not. */
bool icmp_admit(struct pinctrl *pinctrl, const struct of_packet_in *pin, const struct frame *frame,
                const struct refusal *how);
bool tcp_reset_make(const struct frame *frame, const struct refusal *how, struct of_buf *out);
bool sctp_abort_make(const struct frame *frame, const struct refusal *how, struct of_buf *out);
/* The Ethernet and IP header of a refusal; where the IP header begins. */
size_t refusal_put_headers(struct of_buf *out, const struct frame *frame, bool is_turned,
                           uint8_t proto4, uint8_t proto6);
