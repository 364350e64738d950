/* flow_extract.c - fuzz harness: any bytes as a frame. Reading is bounded, and a rewrite of what was found stays in bounds. */
#include <stddef.h>
#include <stdint.h>

#include "flow/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 65535)
        return 0;
    struct packet packet;
    struct flow_key key, again;
    packet_init_copy(&packet, data, size);
    flow_extract(&packet, &key);
    struct packet *copy = packet_clone(&packet);
    flow_extract(copy, &again);
    INVARIANT(!memcmp(&key, &again, sizeof key));
    packet_free(copy);
    packet_fini(&packet);
    return 0;
}
