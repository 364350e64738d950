/* pcap.h - see pcap.c. */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "base/diag.h"

enum { PCAP_FRAME_MAX = 262144 };

struct pcap_reader {
    FILE *file;
    bool swapped;     /* written on a machine of the other byte order */
    bool nanoseconds; /* behind the second, else microseconds */
};

struct pcap_frame {
    uint8_t *data; /* of the reader's owner: PCAP_FRAME_MAX bytes */
    size_t n;
    int64_t wall_us;
};

/* Opens NAME ("-": standard input) and reads its header. ERR_IO, ERR_SYNTAX with DIAG. */
int pcap_reader_open(struct pcap_reader *r, const char *name, struct diag *diag) MUST_CHECK;
void pcap_reader_close(struct pcap_reader *r);
/* 1: FRAME is the next one; 0: the end, also in the middle of a frame that is still being written; else ERR_SYNTAX with DIAG. */
int pcap_reader_next(struct pcap_reader *r, struct pcap_frame *frame, struct diag *diag) MUST_CHECK;
