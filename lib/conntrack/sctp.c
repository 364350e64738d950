/* sctp.c - SCTP (RFC 9260): associations by their chunks and verification tags. */
#include "conntrack/conn.h"

enum {
    INIT = 1,
    INIT_ACK = 2,
    ABORT = 6,
    SHUTDOWN = 7,
    SHUTDOWN_ACK = 8,
    COOKIE_ECHO = 10,
    COOKIE_ACK = 11,
    SHUTDOWN_COMPLETE = 14
};
enum { CHUNK_T = 1 };
enum sctp_state {
    NONE,
    COOKIE_WAIT,
    COOKIE_ECHOED,
    ESTABLISHED,
    SHUTDOWN_SENT,
    SHUTDOWN_ACK_SENT,
    CLOSED
};

/* The chunks of one packet that matter here. */
struct chunks {
    uint32_t vtag;
    uint8_t first;     /* type */
    uint8_t flags;     /* of the first */
    uint32_t init_tag; /* of INIT, INIT ACK */
    bool ok;
};

static bool is_control(uint8_t type)
{
    return type == INIT || type == INIT_ACK || type == SHUTDOWN_COMPLETE;
}

/* Walks all chunks: lengths must fit, and INIT, INIT ACK, SHUTDOWN COMPLETE stand alone (4.3). The first is what counts for
 * the state, but an ABORT or a COOKIE ACK anywhere. */
static struct chunks read_chunks(const struct ct_packet *p)
{
    const uint8_t *at = p->outer.l4 + SCTP_HEADER_LEN, *end = p->outer.l4 + p->outer.l4_len;
    struct chunks c = {.vtag = get_be32(p->outer.l4 + offsetof(struct sctp_header, vtag))};
    unsigned n = 0;
    for (; end - at >= 4; n++) {
        uint32_t len = get_be16(at + 2);
        if (len < 4 || len > end - at || (n && (is_control(at[0]) || is_control(c.first))))
            return c;
        if (!n || at[0] == ABORT) {
            c.first = at[0];
            c.flags = at[1];
        }
        if (at[0] == INIT || at[0] == INIT_ACK) {
            if (len < 20 || !get_be32(at + 4))
                return c;
            c.init_tag = get_be32(at + 4);
        }
        at += MIN(ROUND_UP(len, 4u), (uint32_t)(end - at));
    }
    c.ok = n > 0 && at == end;
    return c;
}

bool sctp_may_begin(const struct ct_packet *p)
{
    struct chunks c = read_chunks(p);
    if (!c.ok)
        return false;
    if (c.first == INIT)
        return !c.vtag;
    /* One that is under way is taken up; not one that ends, nor what answers an INIT nobody saw. */
    return c.vtag && c.first != INIT_ACK && c.first != COOKIE_ACK && c.first != ABORT &&
           c.first != SHUTDOWN_ACK && c.first != SHUTDOWN_COMPLETE;
}

void sctp_begin(struct ct_conn *conn, const struct ct_packet *p)
{
    struct chunks c = read_chunks(p);
    memset(conn->sctp, 0, sizeof conn->sctp);
    conn->state = c.first == INIT          ? COOKIE_WAIT
                  : c.first == COOKIE_ECHO ? COOKIE_ECHOED
                                           : ESTABLISHED;
    conn->sctp[CT_ORIG].vtag = c.vtag;
    conn->sctp[CT_REPLY].vtag = c.init_tag;
}

/* Whether the packet's tag is the one of its direction (8.5; with the T bit it is the other's, 8.5.1). */
static bool tag_fits(const struct ct_conn *conn, int dir, const struct chunks *c)
{
    if (c->first == INIT)
        return !c->vtag;
    bool reflected = (c->first == ABORT || c->first == SHUTDOWN_COMPLETE) && c->flags & CHUNK_T;
    uint32_t tag = conn->sctp[reflected ? !dir : dir].vtag;
    return c->vtag && (!tag || tag == c->vtag);
}

static uint8_t next_state(uint8_t state, const struct chunks *c)
{
    switch (c->first) {
    case COOKIE_ECHO:
        return state < COOKIE_ECHOED ? COOKIE_ECHOED : state;
    case COOKIE_ACK:
        return state < ESTABLISHED ? ESTABLISHED : state;
    case SHUTDOWN:
        return state < SHUTDOWN_SENT ? SHUTDOWN_SENT : state;
    case SHUTDOWN_ACK:
        return state < SHUTDOWN_ACK_SENT ? SHUTDOWN_ACK_SENT : state;
    case ABORT:
    case SHUTDOWN_COMPLETE:
        return CLOSED;
    default:
        return state;
    }
}

enum ct_fit sctp_update(struct ct_conn *conn, int dir, const struct ct_packet *p)
{
    struct chunks c = read_chunks(p);
    if (!c.ok || !tag_fits(conn, dir, &c))
        return CT_MISFIT;
    if (c.first == INIT && conn->state >= SHUTDOWN_ACK_SENT)
        return CT_RESTART;
    if (c.first == INIT && conn->state == COOKIE_WAIT)
        conn->sctp[!dir].vtag = c.init_tag;
    if (c.first == INIT_ACK) {
        if (conn->state != COOKIE_WAIT)
            return CT_FITS; /* late, or a restart: its receiver's to judge (5.2.3) */
        conn->sctp[!dir].vtag = c.init_tag;
    }
    if (!conn->sctp[dir].vtag && c.first != INIT && !(c.flags & CHUNK_T && c.first == ABORT))
        conn->sctp[dir].vtag = c.vtag;
    conn->state = next_state(conn->state, &c);
    return CT_FITS;
}

enum ct_timeout sctp_timeout(const struct ct_conn *conn)
{
    return conn->state < ESTABLISHED    ? CT_TIMEOUT_SCTP_OPENING
           : conn->state == ESTABLISHED ? CT_TIMEOUT_SCTP_ESTABLISHED
                                        : CT_TIMEOUT_SCTP_CLOSING;
}

const char *sctp_state_name(uint8_t state)
{
    static const char *const names[] = {
        [NONE] = "NONE",
        [COOKIE_WAIT] = "COOKIE_WAIT",
        [COOKIE_ECHOED] = "COOKIE_ECHOED",
        [ESTABLISHED] = "ESTABLISHED",
        [SHUTDOWN_SENT] = "SHUTDOWN_SENT",
        [SHUTDOWN_ACK_SENT] = "SHUTDOWN_ACK_SENT",
        [CLOSED] = "CLOSED",
    };
    return names[state];
}
