/* port.h - ports: description, status, modification, statistics. */
#pragma once

#include "openflow/flow_mod.h"

#define OF_PORT_NAME_LEN 16
/* config */
#define OF_PC_PORT_DOWN (1u << 0)
#define OF_PC_NO_STP (1u << 1)
#define OF_PC_NO_RECV (1u << 2)
#define OF_PC_NO_RECV_STP (1u << 3)
#define OF_PC_NO_FLOOD (1u << 4)
#define OF_PC_NO_FWD (1u << 5)
#define OF_PC_NO_PACKET_IN (1u << 6)
/* state */
#define OF_PS_LINK_DOWN (1u << 0)
#define OF_PS_BLOCKED (1u << 1)
#define OF_PS_LIVE (1u << 2)
/* features: bits of 1.1 and later; 1.0 is converted */
#define OF_PF_10MB_HD (1u << 0)
#define OF_PF_10MB_FD (1u << 1)
#define OF_PF_100MB_HD (1u << 2)
#define OF_PF_100MB_FD (1u << 3)
#define OF_PF_1GB_HD (1u << 4)
#define OF_PF_1GB_FD (1u << 5)
#define OF_PF_10GB_FD (1u << 6)
#define OF_PF_40GB_FD (1u << 7)
#define OF_PF_100GB_FD (1u << 8)
#define OF_PF_1TB_FD (1u << 9)
#define OF_PF_OTHER (1u << 10)
#define OF_PF_COPPER (1u << 11)
#define OF_PF_FIBER (1u << 12)
#define OF_PF_AUTONEG (1u << 13)
#define OF_PF_PAUSE (1u << 14)
#define OF_PF_PAUSE_ASYM (1u << 15)

struct of_port {
    uint32_t number;
    struct mac mac;
    char name[OF_PORT_NAME_LEN + 1];
    uint32_t config, state;                        /* OF_PC_*, OF_PS_* */
    uint32_t current, advertised, supported, peer; /* OF_PF_* */
    uint32_t current_speed, max_speed;             /* kbit/s */
};
/* One entry in the FEATURES_REPLY of 1.0 and PORT_DESC. */
void of_port_put(const struct of_port *port, uint8_t version, struct of_buf *out);
/* Walks *OFS over entries in DATA: 1, 0 at the end, -OF_ERROR. */
int of_port_next(const void *data, size_t n, uint8_t version, size_t *ofs,
                 struct of_port *ret) MUST_CHECK;

/* PORT_DESC: a request for one port (1.5) or PORT_ANY. Reply: of_port_desc_put each, of_port_next over the body. */
void of_port_desc_request_encode(uint32_t port, uint8_t version, uint32_t xid, struct of_buf *out);
int of_port_desc_request_decode(const struct of_msg *msg, uint32_t *port) MUST_CHECK;
void of_port_desc_put(struct of_reply *reply, const struct of_port *port);

enum of_port_reason { OF_PORT_ADD, OF_PORT_DELETE, OF_PORT_MODIFY };
struct of_port_status {
    enum of_port_reason reason;
    struct of_port port;
};
void of_port_status_encode(const struct of_port_status *ps, uint8_t version, struct of_buf *out);
int of_port_status_decode(const struct of_msg *msg, struct of_port_status *ret) MUST_CHECK;

struct of_port_mod {
    uint32_t number;
    struct mac mac;
    uint32_t config, mask; /* OF_PC_* */
    uint32_t advertise;
};
void of_port_mod_encode(const struct of_port_mod *pm, uint8_t version, uint32_t xid,
                        struct of_buf *out);
int of_port_mod_decode(const struct of_msg *msg, struct of_port_mod *ret) MUST_CHECK;

#define OF_STAT_UNKNOWN UINT64_MAX
struct of_port_stats {
    uint32_t number;
    uint32_t duration_sec, duration_nsec;                /* UINT32_MAX: unknown */
    uint64_t rx_packets, tx_packets, rx_bytes, tx_bytes; /* OF_STAT_UNKNOWN where not known */
    uint64_t rx_dropped, tx_dropped, rx_errors, tx_errors;
    uint64_t rx_frame_err, rx_over_err, rx_crc_err, collisions;
};
void of_port_stats_request_encode(uint32_t port, uint8_t version, uint32_t xid, struct of_buf *out);
int of_port_stats_request_decode(const struct of_msg *msg, uint32_t *port) MUST_CHECK;
void of_port_stats_put(struct of_reply *reply, const struct of_port_stats *ps);
int of_port_stats_next(const struct of_msg *msg, size_t *ofs, struct of_port_stats *ret) MUST_CHECK;
