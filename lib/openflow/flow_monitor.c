/* flow_monitor.c - see flow_monitor.h: the wire. The text is in flow_monitor_text.c. */
#include "openflow/flow_monitor.h"

#include "openflow/internal.h"
#include "openflow/oxm.h"
#include "openflow/switch.h"

enum {
    NX_MONITOR_SUBTYPE = 2,
    ONF_MONITOR_SUBTYPE = 1870,
    ONLY_OWN = 64, /* flag, see flow_monitor.h */
    REQUEST_HEAD = 16,
    UPDATE_HEAD = 24,
    UPDATE_SHORT = 8
};
enum {
    MONITOR_EVENTS = OF_MONITOR_INITIAL | OF_MONITOR_ADD | OF_MONITOR_REMOVED | OF_MONITOR_MODIFY
};
enum { NX_ADDED, NX_DELETED, NX_MODIFIED, NX_ABBREV }; /* Nicira's numbers of events */

void of_flow_monitor_init(struct of_flow_monitor *fm)
{
    memset(fm, 0, sizeof *fm);
    fm->flags = OF_MONITOR_INITIAL | OF_MONITOR_ADD | OF_MONITOR_REMOVED | OF_MONITOR_MODIFY |
                OF_MONITOR_ACTIONS | OF_MONITOR_NO_ABBREV;
    fm->out_port = PORT_ANY;
    fm->out_group = OF_GROUP_ANY;
    fm->table_id = OF_TABLE_ALL;
}

/* Three forms: Nicira's in 1.0, ONF's extension of 1.3, which is like it but for matches and instructions, and the standard's. */
static bool is_extension(uint8_t version)
{
    return version < OF14_VERSION;
}

static uint32_t subtype(uint8_t version)
{
    return version < OF13_VERSION ? NX_MONITOR_SUBTYPE : ONF_MONITOR_SUBTYPE;
}

/* Appends a match, padded; its length without padding goes to LEN_AT. */
static void put_match(const struct match *match, uint8_t version, size_t len_at, struct of_buf *b)
{
    size_t at = b->n;
    if (version < OF13_VERSION) {
        of_oxm_encode(match, version, 0, 0, b);
        put_be16(b->data + len_at, (uint16_t)(b->n - at));
        of_buf_pad(b, at, 8);
    } else {
        of_match_encode(match, version, b);
        put_be16(b->data + len_at, get_be16(b->data + at + 2));
    }
}

/* Reads a match of LEN bytes that is followed by padding, if there is some, within N. */
static int get_match(const uint8_t *p, size_t n, size_t len, uint8_t version, size_t *used,
                     struct match *ret)
{
    uint64_t cookie, cookie_mask;
    if (len > n)
        return OF_ERR_BAD_LEN;
    *used = MIN(n, ROUND_UP(len, (size_t)8));
    return version < OF13_VERSION ? of_oxm_decode(p, len, false, ret, &cookie, &cookie_mask)
                                  : of_match_decode(p, n, ret, used);
}

/* ---- requests ---- */

static void encode_extension(const struct of_flow_monitor *fm, uint8_t version, struct of_buf *out)
{
    of_buf_put32(out, fm->id);
    of_buf_put16(out, fm->flags);
    if (version < OF13_VERSION)
        of_buf_put16(out, port_to_16(fm->out_port));
    size_t len_at = out->n;
    of_buf_put16(out, 0);
    if (version >= OF13_VERSION)
        of_buf_put32(out, fm->out_port);
    of_buf_put8(out, fm->table_id);
    of_buf_put(out, NULL, version < OF13_VERSION ? 5 : 3);
    put_match(&fm->match, version, len_at, out);
}

void of_flow_monitor_encode(const struct of_flow_monitor *fm, uint8_t version, uint32_t xid,
                            struct of_buf *out)
{
    size_t start = of_begin_as(out, version, OF_FLOW_MONITOR_REQUEST, is_extension(version),
                               subtype(version), xid);
    if (is_extension(version)) {
        encode_extension(fm, version, out);
    } else {
        of_buf_put32(out, fm->id);
        of_buf_put32(out, fm->out_port);
        of_buf_put32(out, fm->out_group);
        of_buf_put16(out, fm->flags & OF_MONITOR_NO_ABBREV
                              ? (uint16_t)(fm->flags ^ OF_MONITOR_NO_ABBREV ^ ONLY_OWN)
                              : fm->flags);
        of_buf_put8(out, fm->table_id);
        of_buf_put8(out, (uint8_t)fm->command);
        of_match_encode(&fm->match, version, out);
    }
    of_end(out, start);
}

static int decode_extension(const uint8_t *p, size_t n, uint8_t version, size_t *used,
                            struct of_flow_monitor *ret)
{
    bool nx = version < OF13_VERSION;
    size_t len = get_be16(p + (nx ? 8 : 6));
    ret->id = get_be32(p);
    ret->flags = get_be16(p + 4);
    ret->out_port = nx ? port_from_16(get_be16(p + 6)) : get_be32(p + 8);
    ret->table_id = p[nx ? 10 : 12];
    if (get_be_n(p + 13, 3) || (nx && get_be16(p + 11)))
        return OF_ERR_NX_MUST_BE_ZERO;
    /* As peers have it: something to tell must be asked for. */
    if (ret->flags & ~(OF_MONITOR_NO_ABBREV * 2 - 1) || !(ret->flags & MONITOR_EVENTS))
        return OF_ERR_FLOW_MONITOR_BAD_FLAGS;
    int err = get_match(p + REQUEST_HEAD, n - REQUEST_HEAD, len, version, used, &ret->match);
    *used += REQUEST_HEAD;
    return err;
}

static int decode_standard(const uint8_t *p, size_t n, size_t *used, struct of_flow_monitor *ret)
{
    ret->id = get_be32(p);
    ret->out_port = get_be32(p + 4);
    ret->out_group = get_be32(p + 8);
    ret->flags = get_be16(p + 12);
    ret->table_id = p[14];
    ret->command = p[15];
    if (p[15] > OF_MONITOR_DELETE)
        return OF_ERR_FLOW_MONITOR_BAD_COMMAND;
    if (ret->flags & ONLY_OWN)
        ret->flags = (uint16_t)((ret->flags ^ ONLY_OWN) | OF_MONITOR_NO_ABBREV);
    if (ret->flags & ~(OF_MONITOR_NO_ABBREV * 2 - 1) ||
        (ret->command != OF_MONITOR_DELETE && !(ret->flags & MONITOR_EVENTS)))
        return OF_ERR_FLOW_MONITOR_BAD_FLAGS;
    int err = of_match_decode(p + REQUEST_HEAD, n - REQUEST_HEAD, &ret->match, used);
    *used += REQUEST_HEAD;
    return err;
}

int of_flow_monitor_next(const struct of_msg *msg, size_t *ofs, struct of_flow_monitor *ret)
{
    if (*ofs >= msg->body_len)
        return 0;
    const uint8_t *p = msg->body + *ofs;
    size_t n = msg->body_len - *ofs, used = 0;
    of_flow_monitor_init(ret);
    if (n < REQUEST_HEAD)
        return -OF_ERR_BAD_LEN;
    int err = msg->nx ? decode_extension(p, n, msg->version, &used, ret)
                      : decode_standard(p, n, &used, ret);
    *ofs += used;
    return err ? -err : 1;
}

void of_flow_monitor_cancel_encode(uint32_t id, uint8_t version, uint32_t xid, struct of_buf *out)
{
    of_nx_number_encode(OF_NX_FLOW_MONITOR_CANCEL, id, version, xid, out);
}

/* ---- updates ---- */

static void put_full(const struct of_flow_update *u, uint8_t version, struct of_buf *b)
{
    bool extension = is_extension(version);
    size_t len_at = 0;
    if (extension) {
        of_buf_put16(b, u->event == OF_UPDATE_REMOVED ? u->reason : 0);
        of_buf_put16(b, u->priority);
        of_buf_put16(b, u->idle_timeout);
        of_buf_put16(b, u->hard_timeout);
        len_at = b->n;
        of_buf_put16(b, 0);
        of_buf_put8(b, u->table_id);
        of_buf_put8(b, 0);
    } else {
        of_buf_put8(b, u->table_id);
        of_buf_put8(b, u->event == OF_UPDATE_REMOVED ? u->reason : 0);
        of_buf_put16(b, u->idle_timeout);
        of_buf_put16(b, u->hard_timeout);
        of_buf_put16(b, u->priority);
        of_buf_put(b, NULL, 4);
    }
    of_buf_put64(b, u->cookie);
    if (extension)
        put_match(&u->match, version, len_at, b);
    else
        of_match_encode(&u->match, version, b);
    of_instructions_encode(u->actions.data, u->actions.n, version, b);
}

static uint16_t event_number(enum of_update_event event, bool nx)
{
    static const uint8_t numbers[] = {NX_ADDED, NX_ADDED, NX_DELETED, NX_MODIFIED, NX_ABBREV};
    return nx ? numbers[event] : (uint16_t)event;
}

void of_flow_update_put(struct of_reply *reply, const struct of_flow_update *u)
{
    struct of_buf b = OF_BUF_INIT;
    of_buf_put16(&b, 0);
    of_buf_put16(&b, event_number(u->event, reply->nx));
    if (u->event < OF_UPDATE_ABBREV)
        put_full(u, reply->version, &b);
    else
        of_buf_put32(&b, u->event == OF_UPDATE_ABBREV ? u->xid : 0);
    /* A flow whose actions are too long for the message is told without them. */
    if (b.n > OF_MAX_LEN - 512) {
        struct of_flow_update brief = *u;
        brief.actions.n = 0;
        b.n = 4;
        put_full(&brief, reply->version, &b);
    }
    put_be16(b.data, (uint16_t)b.n);
    of_reply_put(reply, b.data, b.n);
    of_buf_fini(&b);
}

static int get_full_extension(const uint8_t *p, size_t n, uint8_t version,
                              struct of_flow_update *ret)
{
    size_t used = 0;
    ret->reason = (uint8_t)get_be16(p + 4);
    ret->priority = get_be16(p + 6);
    ret->idle_timeout = get_be16(p + 8);
    ret->hard_timeout = get_be16(p + 10);
    ret->table_id = p[14];
    ret->cookie = get_be64(p + 16);
    int err =
        get_match(p + UPDATE_HEAD, n - UPDATE_HEAD, get_be16(p + 12), version, &used, &ret->match);
    used += UPDATE_HEAD;
    return err ? err : of_instructions_decode(p + used, n - used, version, &ret->actions);
}

static int get_full(const uint8_t *p, size_t n, uint8_t version, struct of_flow_update *ret)
{
    size_t used;
    ret->table_id = p[4];
    ret->reason = p[5];
    ret->idle_timeout = get_be16(p + 6);
    ret->hard_timeout = get_be16(p + 8);
    ret->priority = get_be16(p + 10);
    ret->cookie = get_be64(p + 16);
    int err = of_match_decode(p + UPDATE_HEAD, n - UPDATE_HEAD, &ret->match, &used);
    return err ? err
               : of_instructions_decode(p + UPDATE_HEAD + used, n - UPDATE_HEAD - used, version,
                                        &ret->actions);
}

static int get_update(const uint8_t *p, size_t n, const struct of_msg *msg,
                      struct of_flow_update *ret)
{
    static const uint8_t events[] = {OF_UPDATE_ADDED, OF_UPDATE_REMOVED, OF_UPDATE_MODIFIED,
                                     OF_UPDATE_ABBREV};
    uint16_t event = get_be16(p + 2);
    if (event > (msg->nx ? NX_ABBREV : OF_UPDATE_RESUMED))
        return OF_ERR_BAD_TYPE;
    ret->event = msg->nx ? events[event] : event;
    if (ret->event >= OF_UPDATE_ABBREV) {
        ret->xid = get_be32(p + 4);
        return n == UPDATE_SHORT ? 0 : OF_ERR_BAD_LEN;
    }
    if (n < UPDATE_HEAD)
        return OF_ERR_BAD_LEN;
    return msg->nx ? get_full_extension(p, n, msg->version, ret)
                   : get_full(p, n, msg->version, ret);
}

int of_flow_update_next(const struct of_msg *msg, size_t *ofs, struct of_flow_update *ret)
{
    size_t left = msg->body_len - *ofs;
    if (!left)
        return 0;
    const uint8_t *p = msg->body + *ofs;
    size_t n = left >= UPDATE_SHORT ? get_be16(p) : 0;
    if (n < UPDATE_SHORT || n > left || n % 8)
        return -OF_ERR_BAD_LEN;
    memset(ret, 0, sizeof *ret);
    match_init(&ret->match);
    int err = get_update(p, n, msg, ret);
    *ofs += n;
    if (err)
        of_flow_update_fini(ret);
    return err ? -err : 1;
}

void of_flow_update_fini(struct of_flow_update *u)
{
    of_actions_fini(&u->actions);
}
