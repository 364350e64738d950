/* formats.c - -F: which versions of OpenFlow the formats of flows that a person allows leave. In 1.0 flows always go as NXM. */
#include <stdlib.h>
#include <strings.h>

#include "base/err.h"
#include "tools/ofctl/ofctl.h"

void ofctl_require_sayable(const struct ofctl *o, const struct of_flow_mod *fm)
{
    const char *usable = NULL;
    const struct of_action *a;
    if (!o->client.conn || o->client.version != OF10_VERSION)
        return;
    if (fm->flags & OF_FLOW_RESET_COUNTS)
        usable = "OXM";
    if (fm->flags & (OF_FLOW_NO_PKT_COUNTS | OF_FLOW_NO_BYT_COUNTS))
        usable = "OXM-OpenFlow13,OXM-OpenFlow14,OXM-OpenFlow15";
    OF_ACTION_FOR_EACH(a, fm->actions.data, fm->actions.n)
    {
        if (a->type == OF_METER)
            usable = "OXM-OpenFlow13,OXM-OpenFlow14,OXM-OpenFlow15";
    }
    if (usable)
        ofctl_fatal("none of the usable flow formats (%s) is among the allowed flow formats "
                    "(OpenFlow10,NXM)",
                    usable);
}

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
