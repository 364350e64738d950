/* meter.c - meters on the wire and as text. */
#include "openflow/meter.h"

#include <stdlib.h>

enum { BAND_LEN = 16 };

void of_meter_fini(struct of_meter *m)
{
    free(m->bands);
    m->bands = NULL;
    m->n_bands = 0;
}

void of_meter_copy(struct of_meter *dst, const struct of_meter *src)
{
    *dst = *src;
    dst->bands = src->n_bands ? xmemdup(src->bands, src->n_bands * sizeof *src->bands) : NULL;
}

void of_meter_mod_fini(struct of_meter_mod *mm)
{
    of_meter_fini(&mm->meter);
}

static void put_bands(const struct of_meter *m, struct of_buf *out)
{
    for (size_t i = 0; i < m->n_bands; i++) {
        const struct of_meter_band *b = &m->bands[i];
        of_buf_put16(out, b->type);
        of_buf_put16(out, BAND_LEN);
        of_buf_put32(out, b->rate);
        of_buf_put32(out, b->burst);
        of_buf_put8(out, b->type == OF_BAND_DSCP_REMARK ? b->prec_level : 0);
        of_buf_put(out, NULL, 3);
    }
}

static int get_bands(const uint8_t *p, size_t n, struct of_meter *m)
{
    m->bands = xcalloc(n / BAND_LEN + 1, sizeof *m->bands);
    m->n_bands = 0;
    while (n) {
        size_t len = n < 12 ? 0 : get_be16(p + 2);
        if (len < 12 || len > n)
            return OF_ERR_BAD_LEN;
        uint16_t type = get_be16(p);
        if ((type != OF_BAND_DROP && type != OF_BAND_DSCP_REMARK) || len != BAND_LEN)
            return OF_ERR_METER_MOD_BAD_BAND;
        struct of_meter_band *b = &m->bands[m->n_bands++];
        b->type = type;
        b->rate = get_be32(p + 4);
        b->burst = get_be32(p + 8);
        b->prec_level = type == OF_BAND_DSCP_REMARK ? p[12] : 0;
        p += len;
        n -= len;
    }
    return 0;
}

void of_meter_mod_encode(const struct of_meter_mod *mm, uint8_t version, uint32_t xid,
                         struct of_buf *out)
{
    size_t start = of_begin(out, version, OF_METER_MOD, xid);
    of_buf_put16(out, (uint16_t)mm->command);
    of_buf_put16(out, mm->meter.flags);
    of_buf_put32(out, mm->meter.id);
    put_bands(&mm->meter, out);
    of_end(out, start);
}

int of_meter_mod_decode(const struct of_msg *msg, struct of_meter_mod *ret)
{
    const uint8_t *p = msg->body;
    memset(ret, 0, sizeof *ret);
    if (msg->body_len < 8)
        return OF_ERR_BAD_LEN;
    uint16_t command = get_be16(p);
    if (command > OF_METER_DELETE)
        return OF_ERR_METER_MOD_BAD_COMMAND;
    ret->command = command;
    ret->meter.flags = get_be16(p + 2);
    ret->meter.id = get_be32(p + 4);
    if (command == OF_METER_DELETE)
        return 0;
    bool special = ret->meter.id == OF_METER_CONTROLLER || ret->meter.id == OF_METER_SLOWPATH;
    if (!ret->meter.id || (ret->meter.id > OF_METER_MAX && !special))
        return OF_ERR_METER_MOD_INVALID;
    if (ret->meter.flags > 15 ||
        (ret->meter.flags & (OF_METER_KBPS | OF_METER_PKTPS)) == (OF_METER_KBPS | OF_METER_PKTPS))
        return OF_ERR_METER_MOD_BAD_FLAGS;
    int err = get_bands(p + 8, msg->body_len - 8, &ret->meter);
    if (err)
        of_meter_mod_fini(ret);
    return err;
}

void of_meter_request_encode(enum of_type type, uint32_t meter, uint8_t version, uint32_t xid,
                             struct of_buf *out)
{
    size_t start = of_begin(out, version, type, xid);
    of_buf_put32(out, meter);
    of_buf_put32(out, 0);
    of_end(out, start);
}

int of_meter_request_decode(const struct of_msg *msg, uint32_t *meter)
{
    if (msg->body_len < 8)
        return OF_ERR_BAD_LEN;
    *meter = get_be32(msg->body);
    return 0;
}

void of_meter_config_put(struct of_reply *reply, const struct of_meter *m)
{
    struct of_buf b = OF_BUF_INIT;
    of_buf_put16(&b, 0);
    of_buf_put16(&b, m->flags);
    of_buf_put32(&b, m->id);
    put_bands(m, &b);
    put_be16(b.data, (uint16_t)b.n);
    of_reply_put(reply, b.data, b.n);
    of_buf_fini(&b);
}

int of_meter_config_next(const struct of_msg *msg, size_t *ofs, struct of_meter *ret)
{
    memset(ret, 0, sizeof *ret);
    if (*ofs >= msg->body_len)
        return 0;
    const uint8_t *p = msg->body + *ofs;
    size_t left = msg->body_len - *ofs, len = left < 8 ? 0 : get_be16(p);
    if (len < 8 || len > left)
        return -OF_ERR_BAD_LEN;
    ret->flags = get_be16(p + 2);
    ret->id = get_be32(p + 4);
    int err = get_bands(p + 8, len - 8, ret);
    if (err) {
        of_meter_fini(ret);
        return -err;
    }
    *ofs += len;
    return 1;
}

enum { STATS_LEN = 40 };

void of_meter_stats_put(struct of_reply *reply, const struct of_meter_stats *ms)
{
    struct of_buf b = OF_BUF_INIT;
    size_t n = MIN(ms->n_bands, (size_t)1000);
    of_buf_put32(&b, ms->id);
    of_buf_put16(&b, (uint16_t)(STATS_LEN + 16 * n));
    of_buf_put(&b, NULL, 6);
    of_buf_put32(&b, ms->flow_count);
    of_buf_put64(&b, ms->packets);
    of_buf_put64(&b, ms->bytes);
    of_buf_put32(&b, ms->duration_sec);
    of_buf_put32(&b, ms->duration_nsec);
    for (size_t i = 0; i < n; i++) {
        of_buf_put64(&b, ms->bands[i].packets);
        of_buf_put64(&b, ms->bands[i].bytes);
    }
    of_reply_put(reply, b.data, b.n);
    of_buf_fini(&b);
}

int of_meter_stats_next(const struct of_msg *msg, size_t *ofs, struct of_meter_stats *ret)
{
    memset(ret, 0, sizeof *ret);
    if (*ofs >= msg->body_len)
        return 0;
    const uint8_t *p = msg->body + *ofs;
    size_t left = msg->body_len - *ofs, len = left < STATS_LEN ? 0 : get_be16(p + 4);
    if (len < STATS_LEN || len > left)
        return -OF_ERR_BAD_LEN;
    ret->id = get_be32(p);
    ret->flow_count = get_be32(p + 12);
    ret->packets = get_be64(p + 16);
    ret->bytes = get_be64(p + 24);
    ret->duration_sec = get_be32(p + 32);
    ret->duration_nsec = get_be32(p + 36);
    ret->n_bands = (len - STATS_LEN) / 16;
    ret->bands = xcalloc(ret->n_bands + 1, sizeof *ret->bands);
    for (size_t i = 0; i < ret->n_bands; i++) {
        ret->bands[i].packets = get_be64(p + STATS_LEN + 16 * i);
        ret->bands[i].bytes = get_be64(p + STATS_LEN + 16 * i + 8);
    }
    *ofs += len;
    return 1;
}

void of_meter_stats_fini(struct of_meter_stats *ms)
{
    free(ms->bands);
    ms->bands = NULL;
}

void of_meter_features_put(struct of_reply *reply, const struct of_meter_features *mf)
{
    struct of_buf b = OF_BUF_INIT;
    of_buf_put32(&b, mf->max_meters);
    of_buf_put32(&b, mf->band_types);
    of_buf_put32(&b, mf->capabilities);
    of_buf_put8(&b, mf->max_bands);
    of_buf_put8(&b, mf->max_color);
    of_buf_put16(&b, 0);
    of_reply_put(reply, b.data, b.n);
    of_buf_fini(&b);
}

int of_meter_features_decode(const struct of_msg *msg, struct of_meter_features *ret)
{
    if (msg->body_len < 16)
        return OF_ERR_BAD_LEN;
    ret->max_meters = get_be32(msg->body);
    ret->band_types = get_be32(msg->body + 4);
    ret->capabilities = get_be32(msg->body + 8);
    ret->max_bands = msg->body[12];
    ret->max_color = msg->body[13];
    return 0;
}
