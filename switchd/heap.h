/* heap.h - how the process's memory is kept, so that freeing none of it stops packets.
 *
 * The C library's ways of making up for what it put off (joining small blocks again, giving a large top of the heap back to the system) take 5 to
 * 10 ms after 100,000 flows have gone. Here small blocks are joined at once, which costs no more in sum, and up to HEAP_KEPT_BYTES are kept for
 * the flows that come next. What has been freed is sorted by size with the next request that no block fits at once, up to 10,000 blocks of it in one
 * piece (1 to 2 ms): who frees much, in slices, has that done with each slice.
 */
#pragma once

enum {
    HEAP_KEPT_BYTES = 256 << 20,
    HEAP_STEP_BYTES = 4 << 20,
    HEAP_SETTLE_BYTES = 64 << 10 /* no cache of blocks answers that */
};

/* At the start of the process. */
void heap_init(void);
/* Sorts what has been freed since the last time. */
void heap_settle(void);
