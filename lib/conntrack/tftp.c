/* tftp.c - the helper for TFTP (RFC 1350): the server answers a request from a port of its own choice. */
#include "conntrack/conn.h"

enum { READ_REQUEST = 1, WRITE_REQUEST = 2 };

void ct_tftp(struct conntrack *ct, const struct ct_conn *conn, int dir, const struct ct_packet *p,
             int64_t now_ms)
{
    if (dir != CT_ORIG || p->outer.l4_len < UDP_HEADER_LEN + 2)
        return;
    uint16_t opcode = get_be16(p->outer.l4 + UDP_HEADER_LEN);
    if (opcode == READ_REQUEST || opcode == WRITE_REQUEST)
        ct_expect_add(ct, conn, dir, conn->end[CT_ORIG].tuple.src_port, now_ms);
}
