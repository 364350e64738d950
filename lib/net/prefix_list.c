/* prefix_list.c - see prefix_list.h. Pure text.
 */
#include "net/prefix_list.h"

#include <stdlib.h>

/* Length of the network of ENTRY, which is cut behind it, -1 without one; -2: it does not hold IP. *NUMBER: the rest. */
static int entry_len(char *entry, const struct ip_addr *ip, const char **number)
{
    struct ip_prefix prefix;
    char *colon = strrchr(entry, ':');
    *number = colon ? colon + 1 : entry;
    if (!colon)
        return -1;
    *colon = '\0';
    return !ip_prefix_parse(entry, &prefix) && ip_prefix_contains(&prefix, ip) ? prefix.len : -2;
}

uint32_t prefix_list_find(const char *text, const struct ip_addr *ip)
{
    int best = -2;
    uint32_t ret = 0;
    while (text && *text) {
        const char *number;
        uint64_t value;
        size_t n = strcspn(text, ";");
        char *entry = xstrndup(text, n);
        int len = entry_len(entry, ip, &number);
        if (len > best && !text_to_u64(number, 10, &value) && value <= UINT32_MAX) {
            best = len;
            ret = (uint32_t)value;
        }
        free(entry);
        text += n + (text[n] == ';');
    }
    return ret;
}
