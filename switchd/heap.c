/* heap.c - see heap.h. */
#include "switchd/heap.h"

#include <malloc.h>
#include <stdlib.h>

void heap_init(void)
{
    mallopt(M_MXFAST, 0);
    mallopt(M_TRIM_THRESHOLD, HEAP_KEPT_BYTES);
    mallopt(M_TOP_PAD, HEAP_STEP_BYTES);
}

void heap_settle(void)
{
    void *volatile block = malloc(HEAP_SETTLE_BYTES);
    free(block);
}
