/* meter.h - meters: METER_MOD (1.3 and later), configuration, statistics, features. */
#pragma once

#include "openflow/flow_mod.h"

enum of_meter_command { OF_METER_ADD, OF_METER_MODIFY, OF_METER_DELETE };
#define OF_METER_KBPS 1
#define OF_METER_PKTPS 2
#define OF_METER_BURST 4
#define OF_METER_STATS 8
#define OF_METER_ALL 0xffffffffu
#define OF_METER_CONTROLLER 0xfffffffeu
#define OF_METER_SLOWPATH 0xfffffffdu
#define OF_METER_MAX 0xffff0000u
enum { OF_BAND_DROP = 1, OF_BAND_DSCP_REMARK = 2 };

struct of_meter_band {
    uint16_t type;
    uint32_t rate, burst;
    uint8_t prec_level; /* DSCP_REMARK */
};
struct of_meter {
    uint32_t id;
    uint16_t flags;              /* OF_METER_KBPS ... */
    struct of_meter_band *bands; /* owned */
    size_t n_bands;
};
struct of_meter_mod {
    enum of_meter_command command;
    struct of_meter meter;
};
void of_meter_fini(struct of_meter *m);
void of_meter_copy(struct of_meter *dst, const struct of_meter *src);
void of_meter_mod_encode(const struct of_meter_mod *mm, uint8_t version, uint32_t xid,
                         struct of_buf *out);
int of_meter_mod_decode(const struct of_msg *msg, struct of_meter_mod *ret) MUST_CHECK;
void of_meter_mod_fini(struct of_meter_mod *mm);

/* TYPE OF_METER_CONFIG_REQUEST or OF_METER_STATS_REQUEST; one meter or OF_METER_ALL. */
void of_meter_request_encode(enum of_type type, uint32_t meter, uint8_t version, uint32_t xid,
                             struct of_buf *out);
int of_meter_request_decode(const struct of_msg *msg, uint32_t *meter) MUST_CHECK;
void of_meter_config_put(struct of_reply *reply, const struct of_meter *m);
int of_meter_config_next(const struct of_msg *msg, size_t *ofs, struct of_meter *ret) MUST_CHECK;
struct of_meter_stats {
    uint32_t id, flow_count;
    uint64_t packets, bytes;
    uint32_t duration_sec, duration_nsec;
    struct {
        uint64_t packets, bytes;
    } * bands; /* owned */
    size_t n_bands;
};
void of_meter_stats_put(struct of_reply *reply, const struct of_meter_stats *ms);
int of_meter_stats_next(const struct of_msg *msg, size_t *ofs,
                        struct of_meter_stats *ret) MUST_CHECK;
void of_meter_stats_fini(struct of_meter_stats *ms);
struct of_meter_features {
    uint32_t max_meters, band_types, capabilities;
    uint8_t max_bands, max_color;
};
void of_meter_features_put(struct of_reply *reply, const struct of_meter_features *mf);
int of_meter_features_decode(const struct of_msg *msg, struct of_meter_features *ret) MUST_CHECK;

void of_meter_put(struct str *s, const struct of_meter *m);
void of_meter_put_id(struct str *s, uint32_t id); /* a number, or "controller" and its like */
int of_meter_mod_parse(const char *text, enum of_meter_command command, struct of_meter_mod *ret,
                       struct diag *diag) MUST_CHECK;
