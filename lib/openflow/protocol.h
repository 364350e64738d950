/* protocol.h - OpenFlow messages: versions, kinds, headers, errors.
 *
 * lib/openflow translates between the wire (OpenFlow 1.0 with Nicira's extensions, 1.3, 1.4, 1.5) and values that know no
 * version: struct of_flow_mod, of_packet_in, of_port, ... Each value has a pair of functions,
 *
 *     int  of_X_decode(const struct of_msg *msg, struct of_X *ret)     0, or an OF_ERROR to answer with
 *     void of_X_encode(const struct of_X *x, uint8_t version, uint32_t xid, struct of_buf *out)
 *
 * and _fini where it owns memory. Encoders append one whole message to OUT; decoders accept any bytes. A decoded value owns
 * everything it points to unless its comment says "borrowed".
 *
 * A message is recognised by of_msg_parse, which checks lengths of headers and yields its kind: one enum for all
 * versions, with the kinds of multipart and Nicira messages spelled out.
 */
#pragma once

#include "base/diag.h"
#include "base/str.h"
#include "flow/key.h"

enum { OF10_VERSION = 1, OF11_VERSION, OF12_VERSION, OF13_VERSION, OF14_VERSION, OF15_VERSION };
/* The versions this module speaks, as a bitmap of 1 << version. */
#define OF_VERSIONS_ALL                                                                            \
    (1u << OF10_VERSION | 1u << OF13_VERSION | 1u << OF14_VERSION | 1u << OF15_VERSION)

#define OF_HEADER_LEN 8
#define OF_MAX_LEN 65535
#define OF_VENDOR_NX 0x00002320u        /* Nicira */
#define OF_VENDOR_ONF 0x4f4e4600u       /* Open Networking Foundation */
#define OF_VENDOR_NETRONOME 0x0000154du /* group selection method */
#define OF_PRIORITY_DEFAULT 32768
#define OF_BUFFER_NONE 0xffffffffu
#define OF_TABLE_ALL 0xff

enum of_type {
    OF_UNKNOWN, /* of_msg_parse has given an error */
    OF_HELLO,
    OF_ERROR_MSG,
    OF_ECHO_REQUEST,
    OF_ECHO_REPLY,
    OF_FEATURES_REQUEST,
    OF_FEATURES_REPLY,
    OF_GET_CONFIG_REQUEST,
    OF_GET_CONFIG_REPLY,
    OF_SET_CONFIG,
    OF_PACKET_IN,    /* also NXT_PACKET_IN and NXT_PACKET_IN2: of_packet_in_decode knows */
    OF_FLOW_REMOVED, /* also NXT_FLOW_REMOVED */
    OF_PORT_STATUS,
    OF_PACKET_OUT,
    OF_FLOW_MOD, /* also NXT_FLOW_MOD */
    OF_GROUP_MOD,
    OF_PORT_MOD,
    OF_TABLE_MOD,
    OF_METER_MOD,
    OF_BARRIER_REQUEST,
    OF_BARRIER_REPLY,
    OF_QUEUE_GET_CONFIG_REQUEST,
    OF_QUEUE_GET_CONFIG_REPLY,
    OF_ROLE_REQUEST, /* also NXT_ROLE_REQUEST */
    OF_ROLE_REPLY,
    OF_ROLE_STATUS,
    OF_GET_ASYNC_REQUEST,
    OF_GET_ASYNC_REPLY,
    OF_SET_ASYNC, /* also NXT_SET_ASYNC_CONFIG */
    OF_TABLE_STATUS,
    OF_REQUESTFORWARD,
    OF_BUNDLE_CONTROL,
    OF_BUNDLE_ADD_MESSAGE,
    /* multipart (statistics) */
    OF_DESC_REQUEST,
    OF_DESC_REPLY,
    OF_FLOW_STATS_REQUEST, /* also NXST_FLOW */
    OF_FLOW_STATS_REPLY,
    OF_FLOW_DESC_REQUEST, /* 1.5 has one that is like flow stats without counters */
    OF_FLOW_DESC_REPLY,
    OF_AGGREGATE_REQUEST,
    OF_AGGREGATE_REPLY,
    OF_TABLE_STATS_REQUEST,
    OF_TABLE_STATS_REPLY,
    OF_PORT_STATS_REQUEST,
    OF_PORT_STATS_REPLY,
    OF_QUEUE_STATS_REQUEST,
    OF_QUEUE_STATS_REPLY,
    OF_GROUP_STATS_REQUEST,
    OF_GROUP_STATS_REPLY,
    OF_GROUP_DESC_REQUEST,
    OF_GROUP_DESC_REPLY,
    OF_GROUP_FEATURES_REQUEST,
    OF_GROUP_FEATURES_REPLY,
    OF_METER_STATS_REQUEST,
    OF_METER_STATS_REPLY,
    OF_METER_CONFIG_REQUEST,
    OF_METER_CONFIG_REPLY,
    OF_METER_FEATURES_REQUEST,
    OF_METER_FEATURES_REPLY,
    OF_TABLE_FEATURES_REQUEST,
    OF_TABLE_FEATURES_REPLY,
    OF_TABLE_DESC_REQUEST,
    OF_TABLE_DESC_REPLY,
    OF_PORT_DESC_REQUEST,
    OF_PORT_DESC_REPLY,
    OF_FLOW_MONITOR_REQUEST,
    OF_FLOW_MONITOR_REPLY,
    OF_IPFIX_BRIDGE_REQUEST,
    OF_IPFIX_BRIDGE_REPLY,
    OF_IPFIX_FLOW_REQUEST,
    OF_IPFIX_FLOW_REPLY,
    OF_QUEUE_DESC_REQUEST,
    OF_QUEUE_DESC_REPLY,
    /* Nicira */
    OF_NX_FLOW_MOD_TABLE_ID,
    OF_NX_SET_FLOW_FORMAT,
    OF_NX_FLOW_AGE,
    OF_NX_SET_PACKET_IN_FORMAT,
    OF_NX_SET_CONTROLLER_ID,
    OF_NX_TLV_TABLE_MOD,
    OF_NX_TLV_TABLE_REQUEST,
    OF_NX_TLV_TABLE_REPLY,
    OF_NX_RESUME,
    OF_NX_CT_FLUSH_ZONE,
    OF_NX_FLOW_MONITOR_CANCEL,
    OF_NX_FLOW_MONITOR_PAUSED,
    OF_NX_FLOW_MONITOR_RESUMED,
    OF_NX_CT_FLUSH,
    N_OF_TYPES
};

/* One message, borrowed from the buffer that it was parsed in. */
struct of_msg {
    enum of_type type;
    uint8_t version;
    uint32_t xid;
    const uint8_t *data; /* the whole message */
    size_t len;          /* as its header says */
    const uint8_t *body; /* after the common, multipart and experimenter headers */
    size_t body_len;
    uint16_t flags;   /* of a multipart message */
    bool nx;          /* came as an experimenter (Nicira or ONF) message */
    uint32_t subtype; /* of an experimenter message */
};
#define OF_MULTIPART_MORE 1 /* flags: more messages of the same reply (or request) follow */

/* Recognises the message in DATA, which must hold exactly one (N == its length field). Returns 0 or an OF_ERROR;
 * the header's members of RET are set in both cases if N >= 8. */
int of_msg_parse(const void *data, size_t n, struct of_msg *ret) MUST_CHECK;
/* Like "OFPT_FLOW_MOD", "NXST_FLOW reply", "OFPST_PORT_DESC request": how ovs-ofctl names the message in that version. */
const char *of_type_name(enum of_type type, uint8_t version);
/* "OpenFlow10" .. "OpenFlow15" (also "1.0", ...) to version; 0: none. */
uint8_t of_version_parse(const char *text);
/* A list such as "OpenFlow10,OpenFlow13" to a bitmap of 1 << version; ERR_SYNTAX. */
int of_versions_parse(const char *text, uint32_t *versions, struct diag *diag) MUST_CHECK;
const char *of_version_name(uint8_t version); /* "OpenFlow10" */

/* ---- Building ---- */

/* Bytes to send; several messages may follow each other. */
struct of_buf {
    uint8_t *data;
    size_t n, cap;
};
#define OF_BUF_INIT                                                                                \
    {                                                                                              \
        NULL, 0, 0                                                                                 \
    }
void of_buf_fini(struct of_buf *buf);
void *of_buf_put(struct of_buf *buf, const void *bytes, size_t n); /* BYTES NULL: zeros */
void of_buf_put8(struct of_buf *buf, uint8_t x);
void of_buf_put16(struct of_buf *buf, uint16_t x);
void of_buf_put32(struct of_buf *buf, uint32_t x);
void of_buf_put64(struct of_buf *buf, uint64_t x);
void of_buf_pad(struct of_buf *buf, size_t start,
                size_t align); /* zeros until n - START is a multiple */

/* Begins a message of a kind that exists in VERSION and returns its offset; of_end fills in the length. */
size_t of_begin(struct of_buf *buf, uint8_t version, enum of_type type, uint32_t xid);
void of_end(struct of_buf *buf, size_t start);
/* A message that is only its header (ECHO, BARRIER, FEATURES_REQUEST, ...), or one with a raw body. */
void of_simple_encode(enum of_type type, uint8_t version, uint32_t xid, struct of_buf *out);
void of_raw_encode(enum of_type type, uint8_t version, uint32_t xid, const void *body, size_t n,
                   struct of_buf *out);

/* ---- Errors ---- */

/* Decoders return 0 or one of these: the standard's type and code (numbers of 1.3 and later), or a Nicira code. */
#define OF_ERROR(TYPE, CODE) (((TYPE) + 1) << 16 | (CODE))
#define OF_ERROR_NX(CODE) (0x7fff << 16 | (CODE))
enum of_error {
#define OF_ERR(NAME, TEXT, TYPE, CODE) OF_ERR_##NAME = OF_ERROR(TYPE, CODE),
#define OF_ERR_NX(NAME, TEXT, CODE) OF_ERR_##NAME = OF_ERROR_NX(CODE),
#include "openflow/error.def"
#undef OF_ERR
#undef OF_ERR_NX
};
const char *of_error_name(int error); /* "OFPBMC_BAD_PREREQ"; "unknown" */

struct of_error_msg {
    int error;           /* OF_ERR_, as far as known; else OF_ERROR(type, code) */
    const uint8_t *data; /* what it complains of; borrowed */
    size_t len;
};
int of_error_decode(const struct of_msg *msg, struct of_error_msg *ret) MUST_CHECK;
/* Answers REQUEST (it is quoted; its version and xid are used). */
void of_error_encode(int error, const struct of_msg *request, struct of_buf *out);
/* "Error OFPBMC_BAD_PREREQ for: ..." style text of an error message is in openflow/print.h. */

/* ---- Version negotiation ---- */

/* A HELLO that offers VERSIONS (bitmap of 1 << version); the header carries the highest. With BITMAP an element lists
 * them unless they are all up to the highest, without it the message is 8 bytes (as switches send it). */
void of_hello_encode(uint32_t versions, bool bitmap, uint32_t xid, struct of_buf *out);
/* The versions the peer offers: all up to the header's when it has no bitmap. */
int of_hello_decode(const struct of_msg *msg, uint32_t *versions) MUST_CHECK;
