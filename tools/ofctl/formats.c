/* formats.c - -F: which versions of OpenFlow the formats of flows that a person allows leave. In 1.0 flows always go as NXM. */
#include <stdlib.h>
#include <strings.h>

#include "base/err.h"
#include "tools/ofctl/ofctl.h"

int ofctl_formats_parse(const char *text, uint32_t *versions, struct diag *diag)
{
    static const struct {
        const char *name;
        uint32_t versions;
    } formats[] = {
        {"any", UINT32_MAX},
        {"OpenFlow10", 1u << OF10_VERSION},
        {"OpenFlow10-table_id", 1u << OF10_VERSION},
        {"OpenFlow10+table_id", 1u << OF10_VERSION},
        {"NXM", 1u << OF10_VERSION},
        {"NXM-table_id", 1u << OF10_VERSION},
        {"NXM+table_id", 1u << OF10_VERSION},
        {"OXM", 1u << OF13_VERSION | 1u << OF14_VERSION | 1u << OF15_VERSION},
        {"OXM-OpenFlow13", 1u << OF13_VERSION},
        {"OXM-OpenFlow14", 1u << OF14_VERSION},
        {"OXM-OpenFlow15", 1u << OF15_VERSION},
    };
    char *copy = xstrdup(text), *save = NULL;
    int err = 0;
    *versions = 0;
    for (char *word = strtok_r(copy, ",", &save); word && !err; word = strtok_r(NULL, ",", &save)) {
        size_t i = 0;
        while (i < ARRAY_SIZE(formats) && strcasecmp(word, formats[i].name) != 0)
            i++;
        if (i == ARRAY_SIZE(formats))
            err = diag_set(diag, ERR_SYNTAX, "%s: unknown flow protocol", word);
        else
            *versions |= formats[i].versions;
    }
    free(copy);
    return err;
}
