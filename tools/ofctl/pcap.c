/* pcap.c - Ethernet frames from a capture file, as tcpdump and our dummy ports write it: the classic format, in either byte order,
 * with times in microseconds or nanoseconds. Packets that tcpdump had cut are as long as what was kept.
 */
#include "tools/ofctl/pcap.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"

enum { LINK_ETHERNET = 1 };
enum { MAGIC_US = 0xa1b2c3d4u, MAGIC_NS = 0xa1b23c4du };

struct file_header {
    uint32_t magic;
    uint16_t major, minor;
    uint32_t zone, sigfigs, snaplen, network;
};

struct frame_header {
    uint32_t sec, fraction, kept, length;
};

static uint32_t number(const struct pcap_reader *r, uint32_t x)
{
    return r->swapped ? __builtin_bswap32(x) : x;
}

static int read_header(struct pcap_reader *r, const char *name, struct diag *diag)
{
    struct file_header h;
    if (fread(&h, 1, sizeof h, r->file) != sizeof h)
        return diag_set(diag, ERR_SYNTAX, "%s: open failed (End of file)", name);
    uint32_t other = __builtin_bswap32(h.magic);
    r->swapped = other == MAGIC_US || other == MAGIC_NS;
    if (r->swapped)
        h.magic = other;
    r->nanoseconds = h.magic == MAGIC_NS;
    if (h.magic != MAGIC_US && h.magic != MAGIC_NS)
        return diag_set(diag, ERR_SYNTAX, "%s: bad magic 0x%08x: this is no pcap file", name,
                        h.magic);
    uint32_t link = number(r, h.network) & 0xffff; /* above: about frame check sequences */
    if (link != LINK_ETHERNET)
        return diag_set(diag, ERR_SYNTAX, "%s: link type %u: only Ethernet (1) is understood", name,
                        link);
    return 0;
}

int pcap_reader_open(struct pcap_reader *r, const char *name, struct diag *diag)
{
    *r = (struct pcap_reader){.file = strcmp(name, "-") != 0 ? fopen(name, "rb") : stdin};
    if (!r->file)
        return diag_set(diag, ERR_IO, "%s: open failed (%s)", name, strerror(errno));
    int err = read_header(r, name, diag);
    if (err)
        pcap_reader_close(r);
    return err;
}

void pcap_reader_close(struct pcap_reader *r)
{
    if (r->file != stdin)
        fclose(r->file);
    r->file = NULL;
}

int pcap_reader_next(struct pcap_reader *r, struct pcap_frame *frame, struct diag *diag)
{
    struct frame_header h;
    if (fread(&h, 1, sizeof h, r->file) != sizeof h)
        return 0;
    uint32_t kept = number(r, h.kept);
    if (kept > PCAP_FRAME_MAX)
        return diag_set(diag, ERR_SYNTAX, "a frame of %u bytes: the file is damaged", kept);
    if (fread(frame->data, 1, kept, r->file) != kept)
        return 0;
    uint32_t fraction = number(r, h.fraction);
    frame->n = kept;
    frame->wall_us =
        (int64_t)number(r, h.sec) * 1000000 + (r->nanoseconds ? fraction / 1000 : fraction);
    return 1;
}
