/* prop.c - properties: type, length, value, padding to 8; used by packet-ins, controller actions, groups. */
#include "openflow/packet_io.h"

size_t of_prop_begin(struct of_buf *buf, uint16_t type)
{
    size_t start = buf->n;
    of_buf_put16(buf, type);
    of_buf_put16(buf, 0);
    return start;
}

void of_prop_end(struct of_buf *buf, size_t start)
{
    put_be16(buf->data + start + 2, (uint16_t)(buf->n - start));
    of_buf_pad(buf, start, 8);
}

void of_prop_put(struct of_buf *buf, uint16_t type, const void *value, size_t n)
{
    size_t start = of_prop_begin(buf, type);
    of_buf_put(buf, value, n);
    of_prop_end(buf, start);
}

int of_prop_next(const void *data, size_t n, size_t *ofs, struct of_prop *ret)
{
    if (*ofs >= n)
        return 0;
    const uint8_t *p = (const uint8_t *)data + *ofs;
    size_t left = n - *ofs;
    if (left < 4)
        return -OF_ERR_PROP_BAD_LEN;
    size_t len = get_be16(p + 2);
    if (len < 4 || ROUND_UP(len, 8) > ROUND_UP(left, 8) || len > left)
        return -OF_ERR_PROP_BAD_LEN;
    ret->type = get_be16(p);
    ret->value = p + 4;
    ret->len = len - 4;
    *ofs = MIN(*ofs + ROUND_UP(len, 8), n);
    return 1;
}
