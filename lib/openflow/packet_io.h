/* packet_io.h - PACKET_IN in its three forms, RESUME, PACKET_OUT. */
#pragma once

#include "openflow/actions.h"

enum of_packet_in_reason {
    OF_REASON_NO_MATCH,
    OF_REASON_ACTION,
    OF_REASON_INVALID_TTL,
    OF_REASON_ACTION_SET,
    OF_REASON_GROUP,
    OF_REASON_PACKET_OUT,
};

enum of_packet_in_format { OF_PIF_STANDARD = 0, OF_PIF_NXT = 1, OF_PIF_NXT2 = 2 };

/* Also the contents of RESUME, which has no userdata. */
struct of_packet_in {
    const uint8_t *packet; /* borrowed */
    size_t packet_len;     /* bytes that are here */
    uint32_t total_len;    /* of the packet, >= packet_len */
    uint32_t buffer_id;
    uint8_t reason;
    uint8_t table_id;
    uint64_t cookie;         /* all ones: unknown (1.0) */
    struct match metadata;   /* in_port, registers, metadata, tunnel, ct_*, pkt_mark */
    const uint8_t *userdata; /* borrowed; NULL: none */
    size_t userdata_len;
    const uint8_t *continuation; /* borrowed; NULL: none. The switch's own, returned as it came */
    size_t continuation_len;
};

/* Fills METADATA from KEY: in_port always, of the rest what is not zero. */
void of_packet_in_metadata(struct match *metadata, const struct flow_key *key,
                           const struct tun_opts *opts); /* NULL: the key has no more options */
/* A packet that a message cannot hold is cut; total_len tells its length. False: nothing was appended, since
 * what comes with the packet is too long, or a cut packet could not be resumed. */
bool of_packet_in_encode(const struct of_packet_in *pin, uint8_t version,
                         enum of_packet_in_format format, struct of_buf *out);
/* Borrows from MSG. */
int of_packet_in_decode(const struct of_msg *msg, struct of_packet_in *ret) MUST_CHECK;
/* For a controller: PIN as received, perhaps with another packet or other metadata, back to the switch. */
void of_resume_encode(const struct of_packet_in *pin, uint8_t version, uint32_t xid,
                      struct of_buf *out);
int of_resume_decode(const struct of_msg *msg, struct of_packet_in *ret) MUST_CHECK;

/* The continuation is a sequence of properties (type, length, value); a switch builds and reads its own with these. */
size_t of_prop_begin(struct of_buf *buf, uint16_t type); /* returns its offset */
void of_prop_end(struct of_buf *buf, size_t start);      /* fills in the length, pads to 8 */
void of_prop_put(struct of_buf *buf, uint16_t type, const void *value, size_t n);
struct of_prop {
    uint16_t type;
    const uint8_t *value; /* borrowed */
    size_t len;
};
/* *OFS starts at 0. 1: RET is filled, 0: the end, negative: -OF_ERROR. */
int of_prop_next(const void *data, size_t n, size_t *ofs, struct of_prop *ret) MUST_CHECK;

struct of_packet_out {
    uint32_t buffer_id;
    struct match metadata; /* at least in_port; 1.5 can say more */
    struct of_actions actions;
    const uint8_t *packet; /* borrowed */
    size_t packet_len;
};
void of_packet_out_init(struct of_packet_out *po); /* from CONTROLLER, no buffer */
void of_packet_out_fini(struct of_packet_out *po);
void of_packet_out_encode(const struct of_packet_out *po, uint8_t version, uint32_t xid,
                          struct of_buf *out);
int of_packet_out_decode(const struct of_msg *msg, struct of_packet_out *ret) MUST_CHECK;
