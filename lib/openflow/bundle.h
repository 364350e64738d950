/* bundle.h - bundles: many modifications that are made together or not at all (1.4 and later; in 1.3 as ONF
 * experimenter messages). */
#pragma once

#include "openflow/protocol.h"

enum of_bundle_type {
    OF_BUNDLE_OPEN_REQUEST,
    OF_BUNDLE_OPEN_REPLY,
    OF_BUNDLE_CLOSE_REQUEST,
    OF_BUNDLE_CLOSE_REPLY,
    OF_BUNDLE_COMMIT_REQUEST,
    OF_BUNDLE_COMMIT_REPLY,
    OF_BUNDLE_DISCARD_REQUEST,
    OF_BUNDLE_DISCARD_REPLY,
};
#define OF_BUNDLE_ATOMIC 1
#define OF_BUNDLE_ORDERED 2

struct of_bundle_control {
    uint32_t id;
    uint16_t type; /* enum of_bundle_type */
    uint16_t flags;
};
void of_bundle_control_encode(const struct of_bundle_control *bc, uint8_t version, uint32_t xid,
                              struct of_buf *out);
int of_bundle_control_decode(const struct of_msg *msg, struct of_bundle_control *ret) MUST_CHECK;

struct of_bundle_add {
    uint32_t id;
    uint16_t flags;
    struct of_msg
        msg; /* borrowed: FLOW_MOD, GROUP_MOD, PORT_MOD or PACKET_OUT, checked to have the outer's version */
};
/* The inner message is encoded between begin and end, with the same xid. */
size_t of_bundle_add_begin(uint32_t id, uint16_t flags, uint8_t version, uint32_t xid,
                           struct of_buf *out);
void of_bundle_add_end(struct of_buf *out, size_t start);
int of_bundle_add_decode(const struct of_msg *msg, struct of_bundle_add *ret) MUST_CHECK;
