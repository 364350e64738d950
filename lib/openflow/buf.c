/* buf.c - growing byte buffers in which messages are built. */
#include <stdlib.h>

#include "openflow/protocol.h"

void of_buf_fini(struct of_buf *buf)
{
    free(buf->data);
    *buf = (struct of_buf)OF_BUF_INIT;
}

void *of_buf_put(struct of_buf *buf, const void *bytes, size_t n)
{
    if (buf->cap - buf->n < n) {
        buf->cap = MAX(buf->cap * 2, ROUND_UP(buf->n + n, 256));
        buf->data = xrealloc(buf->data, buf->cap);
    }
    uint8_t *at = buf->data + buf->n;
    if (bytes && n)
        memcpy(at, bytes, n);
    else if (n)
        memset(at, 0, n);
    buf->n += n;
    return at;
}

void of_buf_put8(struct of_buf *buf, uint8_t x)
{
    of_buf_put(buf, &x, 1);
}

void of_buf_put16(struct of_buf *buf, uint16_t x)
{
    x = swap16(x);
    of_buf_put(buf, &x, 2);
}

void of_buf_put32(struct of_buf *buf, uint32_t x)
{
    x = swap32(x);
    of_buf_put(buf, &x, 4);
}

void of_buf_put64(struct of_buf *buf, uint64_t x)
{
    x = swap64(x);
    of_buf_put(buf, &x, 8);
}

void of_buf_pad(struct of_buf *buf, size_t start, size_t align)
{
    size_t n = buf->n - start;
    of_buf_put(buf, NULL, ROUND_UP(n, align) - n);
}
