/* flow_mod.c - FLOW_MOD and FLOW_REMOVED in every version. */
#include "openflow/flow_mod.h"

#include "openflow/internal.h"
#include "openflow/oxm.h"

enum { NXT_FLOW_MOD = 13, NXT_FLOW_REMOVED = 14 };

/* Flags as OpenFlow 1.0 numbers them. */
enum { FF10_SEND_FLOW_REM = 1, FF10_CHECK_OVERLAP = 2, FF10_EMERG = 4 };

void of_flow_mod_init(struct of_flow_mod *fm, enum of_flow_command command)
{
    memset(fm, 0, sizeof *fm);
    fm->command = command;
    fm->priority = OF_PRIORITY_DEFAULT;
    fm->buffer_id = OF_BUFFER_NONE;
    fm->out_port = PORT_ANY;
    fm->out_group = OF_GROUP_ANY;
}

void of_flow_mod_fini(struct of_flow_mod *fm)
{
    of_actions_fini(&fm->actions);
}

static void encode_11(const struct of_flow_mod *fm, uint8_t version, struct of_buf *out)
{
    /* An add carries the new cookie alone; the others say which flows they concern. */
    bool add = fm->command == OF_FLOW_ADD;
    /* Only a delete may be for all tables. */
    bool first = fm->table_id == OF_TABLE_ALL && fm->command < OF_FLOW_DELETE;
    of_buf_put64(out, add || fm->modify_cookie ? fm->cookie : fm->cookie_match);
    of_buf_put64(out, add ? 0 : fm->cookie_mask);
    of_buf_put8(out, first ? 0 : fm->table_id);
    of_buf_put8(out, (uint8_t)fm->command);
    of_buf_put16(out, fm->idle_timeout);
    of_buf_put16(out, fm->hard_timeout);
    of_buf_put16(out, fm->priority);
    of_buf_put32(out, fm->buffer_id);
    of_buf_put32(out, fm->out_port);
    of_buf_put32(out, fm->out_group);
    of_buf_put16(out, fm->flags);
    of_buf_put16(out, version >= OF14_VERSION ? fm->importance : 0);
    of_match_encode(&fm->match, version, out);
    of_instructions_encode(fm->actions.data, fm->actions.n, version, out);
}

static uint16_t flags_10(uint16_t flags)
{
    return flags & (FF10_SEND_FLOW_REM | FF10_CHECK_OVERLAP);
}

/* From the cookie to the flags: both messages of 1.0 have these. */
static void encode_middle_10(const struct of_flow_mod *fm, bool table_ids, struct of_buf *out)
{
    of_buf_put64(out, fm->cookie);
    of_buf_put16(out, (uint16_t)(fm->command | (table_ids ? fm->table_id << 8 : 0)));
    of_buf_put16(out, fm->idle_timeout);
    of_buf_put16(out, fm->hard_timeout);
    of_buf_put16(out, fm->priority);
    of_buf_put32(out, fm->buffer_id);
    of_buf_put16(out, port_to_16(fm->out_port));
    of_buf_put16(out, flags_10(fm->flags));
}

static void encode_plain_10(const struct of_flow_mod *fm, bool table_ids, struct of_buf *out)
{
    of_match10_encode(&fm->match, out);
    encode_middle_10(fm, table_ids, out);
    of_actions_encode(fm->actions.data, fm->actions.n, OF10_VERSION, out);
}

static void encode_nx(const struct of_flow_mod *fm, bool table_ids, struct of_buf *out)
{
    bool add = fm->command == OF_FLOW_ADD;
    encode_middle_10(fm, table_ids, out);
    size_t len_at = out->n;
    of_buf_put(out, NULL, 8);
    size_t start = out->n;
    of_oxm_encode(&fm->match, OF10_VERSION, fm->cookie_match, add ? 0 : fm->cookie_mask, out);
    put_be16(out->data + len_at, (uint16_t)(out->n - start));
    of_buf_pad(out, start, 8);
    of_actions_encode(fm->actions.data, fm->actions.n, OF10_VERSION, out);
}

void of_flow_mod_encode(const struct of_flow_mod *fm, uint8_t version, uint32_t xid,
                        struct of_buf *out)
{
    if (version == OF10_VERSION) {
        of_flow_mod_encode_10(fm, false, true, xid, out);
        return;
    }
    size_t start = of_begin_as(out, version, OF_FLOW_MOD, false, 0, xid);
    encode_11(fm, version, out);
    of_end(out, start);
}

void of_flow_mod_encode_10(const struct of_flow_mod *fm, bool plain, bool table_ids, uint32_t xid,
                           struct of_buf *out)
{
    size_t start = of_begin_as(out, OF10_VERSION, OF_FLOW_MOD, !plain, NXT_FLOW_MOD, xid);
    if (plain)
        encode_plain_10(fm, table_ids, out);
    else
        encode_nx(fm, table_ids, out);
    of_end(out, start);
}

/* ---- Decoding ---- */

static int check_flags(struct of_flow_mod *fm, uint8_t version)
{
    uint16_t known = OF_FLOW_SEND_FLOW_REM | OF_FLOW_CHECK_OVERLAP | OF_FLOW_RESET_COUNTS |
                     OF_FLOW_NO_PKT_COUNTS | OF_FLOW_NO_BYT_COUNTS;
    if (version == OF10_VERSION) {
        if (fm->flags & ~(FF10_SEND_FLOW_REM | FF10_CHECK_OVERLAP))
            return OF_ERR_FLOW_MOD_BAD_FLAGS;
        /* In 1.0 an add always begins at zero. */
        if (fm->command == OF_FLOW_ADD)
            fm->flags |= OF_FLOW_RESET_COUNTS;
    } else if (fm->flags & ~known) {
        return OF_ERR_FLOW_MOD_BAD_FLAGS;
    }
    return 0;
}

static int decode_11(const struct of_msg *msg, struct of_flow_mod *fm)
{
    const uint8_t *p = msg->body;
    size_t n = msg->body_len, used;
    if (n < 40)
        return OF_ERR_BAD_LEN;
    uint64_t cookie = get_be64(p), mask = get_be64(p + 8);
    fm->table_id = p[16];
    uint8_t command = p[17];
    fm->idle_timeout = get_be16(p + 18);
    fm->hard_timeout = get_be16(p + 20);
    fm->priority = get_be16(p + 22);
    fm->buffer_id = get_be32(p + 24);
    fm->out_port = get_be32(p + 28);
    fm->out_group = get_be32(p + 32);
    fm->flags = get_be16(p + 36);
    fm->importance = msg->version >= OF14_VERSION ? get_be16(p + 38) : 0;
    if (command > OF_FLOW_DELETE_STRICT)
        return OF_ERR_FLOW_MOD_BAD_COMMAND;
    fm->command = command;
    if (command == OF_FLOW_ADD) {
        if (fm->table_id == OF_TABLE_ALL)
            return OF_ERR_FLOW_MOD_BAD_TABLE_ID;
        fm->cookie = cookie;
        fm->modify_cookie = false;
    } else {
        fm->cookie_match = cookie & mask;
        fm->cookie_mask = mask;
        /* "Modify" with a cookie but no mask sets it. */
        fm->modify_cookie =
            !mask && cookie && cookie != UINT64_MAX && command <= OF_FLOW_MODIFY_STRICT;
        fm->cookie = fm->modify_cookie ? cookie : 0;
    }
    if (command != OF_FLOW_DELETE && command != OF_FLOW_DELETE_STRICT) {
        fm->out_port = PORT_ANY; /* "ignored" (OpenFlow 1.3 A.3.4.1) */
        fm->out_group = OF_GROUP_ANY;
    }
    int err = of_match_decode(p + 40, n - 40, &fm->match, &used);
    if (err)
        return err;
    return of_instructions_decode(p + 40 + used, n - 40 - used, msg->version, &fm->actions);
}

static int command_10(uint16_t command, bool table_ids, struct of_flow_mod *fm)
{
    fm->table_id = OF_TABLE_ALL;
    if (table_ids) {
        fm->table_id = (uint8_t)(command >> 8);
        command &= 0xff;
    }
    if (command > OF_FLOW_DELETE_STRICT)
        return OF_ERR_FLOW_MOD_BAD_COMMAND;
    fm->command = command;
    return 0;
}

static int decode_10(const struct of_msg *msg, bool table_ids, struct of_flow_mod *fm)
{
    const uint8_t *p = msg->body;
    if (msg->body_len < OF10_MATCH_LEN + 24)
        return OF_ERR_BAD_LEN;
    int err = of_match10_decode(p, OF10_MATCH_LEN, &fm->match);
    if (err)
        return err;
    p += OF10_MATCH_LEN;
    fm->cookie = get_be64(p);
    err = command_10(get_be16(p + 8), table_ids, fm);
    fm->idle_timeout = get_be16(p + 10);
    fm->hard_timeout = get_be16(p + 12);
    fm->priority = get_be16(p + 14);
    fm->buffer_id = get_be32(p + 16);
    fm->out_port = port_from_16(get_be16(p + 20));
    fm->flags = get_be16(p + 22);
    /* An exact match beats all others, whatever its priority says (OpenFlow 1.0 3.4). */
    if (!get_be32(msg->body))
        fm->priority = UINT16_MAX;
    fm->modify_cookie = fm->command != OF_FLOW_ADD && fm->cookie != UINT64_MAX;
    if (err)
        return err;
    return of_actions_decode(p + 24, msg->body_len - OF10_MATCH_LEN - 24, OF10_VERSION,
                             &fm->actions);
}

static int decode_nx(const struct of_msg *msg, bool table_ids, struct of_flow_mod *fm)
{
    const uint8_t *p = msg->body;
    size_t n = msg->body_len;
    if (n < 32)
        return OF_ERR_BAD_LEN;
    fm->cookie = get_be64(p);
    int err = command_10(get_be16(p + 8), table_ids, fm);
    fm->idle_timeout = get_be16(p + 10);
    fm->hard_timeout = get_be16(p + 12);
    fm->priority = get_be16(p + 14);
    fm->buffer_id = get_be32(p + 16);
    fm->out_port = port_from_16(get_be16(p + 20));
    fm->flags = get_be16(p + 22);
    size_t len = get_be16(p + 24), padded = ROUND_UP(len, 8);
    if (err)
        return err;
    if (padded > n - 32)
        return OF_ERR_BAD_LEN;
    err = of_oxm_decode(p + 32, len, false, &fm->match, &fm->cookie_match, &fm->cookie_mask);
    if (err)
        return err;
    if (fm->command == OF_FLOW_ADD && fm->cookie_mask)
        return OF_ERR_MATCH_BAD_FIELD;
    fm->modify_cookie = fm->command != OF_FLOW_ADD && fm->cookie != UINT64_MAX;
    return of_actions_decode(p + 32 + padded, n - 32 - padded, OF10_VERSION, &fm->actions);
}

int of_flow_mod_decode(const struct of_msg *msg, bool table_ids, struct of_flow_mod *ret)
{
    of_flow_mod_init(ret, OF_FLOW_ADD);
    int err = msg->nx                        ? decode_nx(msg, table_ids, ret)
              : msg->version == OF10_VERSION ? decode_10(msg, table_ids, ret)
                                             : decode_11(msg, ret);
    return err ? err : check_flags(ret, msg->version);
}

/* ---- FLOW_REMOVED ---- */

static void removed_encode_10(const struct of_flow_removed *fr, bool nx, struct of_buf *out)
{
    size_t start = of_begin_as(out, OF10_VERSION, OF_FLOW_REMOVED, nx, NXT_FLOW_REMOVED, 0),
           match_at = 0;
    if (!nx)
        of_match10_encode(&fr->match, out);
    of_buf_put64(out, fr->cookie);
    of_buf_put16(out, fr->priority);
    of_buf_put8(out, fr->reason);
    of_buf_put8(out, nx ? (uint8_t)(fr->table_id + 1) : 0);
    of_buf_put32(out, fr->duration_sec);
    of_buf_put32(out, fr->duration_nsec);
    of_buf_put16(out, fr->idle_timeout);
    if (nx) {
        match_at = out->n;
        of_buf_put16(out, 0);
    } else {
        of_buf_put16(out, 0);
    }
    of_buf_put64(out, fr->packets);
    of_buf_put64(out, fr->bytes);
    if (nx) {
        size_t at = out->n;
        of_oxm_encode(&fr->match, OF10_VERSION, 0, 0, out);
        put_be16(out->data + match_at, (uint16_t)(out->n - at));
        of_buf_pad(out, at, 8);
    }
    of_end(out, start);
}

void of_flow_removed_encode(const struct of_flow_removed *fr, uint8_t version, bool nx,
                            struct of_buf *out)
{
    if (version == OF10_VERSION || nx) {
        removed_encode_10(fr, nx, out);
        return;
    }
    size_t start = of_begin(out, version, OF_FLOW_REMOVED, 0);
    if (version >= OF15_VERSION) {
        of_buf_put8(out, fr->table_id);
        of_buf_put8(out, fr->reason);
        of_buf_put16(out, fr->priority);
        of_buf_put16(out, fr->idle_timeout);
        of_buf_put16(out, fr->hard_timeout);
        of_buf_put64(out, fr->cookie);
        of_match_encode(&fr->match, version, out);
        struct of_flow_stats fs;
        memset(&fs, 0, sizeof fs);
        fs.duration_sec = fr->duration_sec;
        fs.duration_nsec = fr->duration_nsec;
        fs.packets = fr->packets;
        fs.bytes = fr->bytes;
        of_stats_put15(out, &fs, false);
        of_end(out, start);
        return;
    }
    of_buf_put64(out, fr->cookie);
    of_buf_put16(out, fr->priority);
    of_buf_put8(out, fr->reason);
    of_buf_put8(out, fr->table_id);
    of_buf_put32(out, fr->duration_sec);
    of_buf_put32(out, fr->duration_nsec);
    of_buf_put16(out, fr->idle_timeout);
    of_buf_put16(out, fr->hard_timeout);
    of_buf_put64(out, fr->packets);
    of_buf_put64(out, fr->bytes);
    of_match_encode(&fr->match, version, out);
    of_end(out, start);
}

static int removed_decode_10(const struct of_msg *msg, struct of_flow_removed *fr)
{
    const uint8_t *p = msg->body;
    size_t n = msg->body_len;
    if (n < 40 || (!msg->nx && n < OF10_MATCH_LEN + 40))
        return OF_ERR_BAD_LEN;
    if (!msg->nx) {
        int err = of_match10_decode(p, n, &fr->match);
        if (err)
            return err;
        p += OF10_MATCH_LEN;
    }
    fr->cookie = get_be64(p);
    fr->priority = get_be16(p + 8);
    fr->reason = p[10];
    fr->table_id = p[11] ? (uint8_t)(p[11] - 1) : 0;
    fr->duration_sec = get_be32(p + 12);
    fr->duration_nsec = get_be32(p + 16);
    fr->idle_timeout = get_be16(p + 20);
    fr->packets = get_be64(p + 24);
    fr->bytes = get_be64(p + 32);
    if (!msg->nx)
        return 0;
    size_t len = get_be16(p + 22);
    if (len > n - 40)
        return OF_ERR_BAD_LEN;
    return of_oxm_decode(p + 40, len, false, &fr->match, NULL, NULL);
}

int of_flow_removed_decode(const struct of_msg *msg, struct of_flow_removed *ret)
{
    const uint8_t *p = msg->body;
    size_t n = msg->body_len, used;
    memset(ret, 0, sizeof *ret);
    if (msg->nx || msg->version == OF10_VERSION)
        return removed_decode_10(msg, ret);
    if (n < 40 && msg->version < OF15_VERSION)
        return OF_ERR_BAD_LEN;
    if (msg->version >= OF15_VERSION) {
        struct of_flow_stats fs;
        if (n < 16)
            return OF_ERR_BAD_LEN;
        ret->table_id = p[0];
        ret->reason = p[1];
        ret->priority = get_be16(p + 2);
        ret->idle_timeout = get_be16(p + 4);
        ret->hard_timeout = get_be16(p + 6);
        ret->cookie = get_be64(p + 8);
        int err = of_match_decode(p + 16, n - 16, &ret->match, &used);
        if (!err)
            err = of_stats_get15(p + 16 + used, n - 16 - used, &used, &fs, NULL);
        if (err)
            return err;
        ret->duration_sec = fs.duration_sec;
        ret->duration_nsec = fs.duration_nsec;
        ret->packets = fs.packets;
        ret->bytes = fs.bytes;
        return 0;
    }
    ret->cookie = get_be64(p);
    ret->priority = get_be16(p + 8);
    ret->reason = p[10];
    ret->table_id = p[11];
    ret->duration_sec = get_be32(p + 12);
    ret->duration_nsec = get_be32(p + 16);
    ret->idle_timeout = get_be16(p + 20);
    ret->hard_timeout = get_be16(p + 22);
    ret->packets = get_be64(p + 24);
    ret->bytes = get_be64(p + 32);
    return of_match_decode(p + 40, n - 40, &ret->match, &used);
}
