/* heap.h - how the process's memory is kept, so that freeing none of it stops packets.
 *
 * The C library's ways of making up for what it put off (joining small blocks again, giving a large top of the heap back to the system) take 5 to
 * 10 ms after 100,000 flows have gone. Here small blocks are joined at once, which costs no more in sum, and up to HEAP_KEPT_BYTES are kept for
 * the flows that come next.
 */
#pragma once

enum { HEAP_KEPT_BYTES = 256 << 20, HEAP_STEP_BYTES = 4 << 20 };

/* At the start of the process. */
void heap_init(void);
