/* bundle.c - bundle FILE: changes of flows and groups and packets, all at once or not at all; and what all commands with --bundle share. */
#include <stdio.h>
#include <stdlib.h>

#include "openflow/bundle.h"
#include "tools/ofctl/ofctl.h"

static void ignore(struct client *c UNUSED, const struct of_msg *reply UNUSED, void *aux UNUSED)
{
}

void ofctl_bundle_control(struct ofctl *o, uint16_t type)
{
    struct of_bundle_control bc = {.type = type, .flags = OF_BUNDLE_ATOMIC | OF_BUNDLE_ORDERED};
    struct of_buf b = OF_BUF_INIT;
    of_bundle_control_encode(&bc, o->client.version, client_next_xid(&o->client), &b);
    client_transact(&o->client, &b, ignore, NULL);
    of_buf_fini(&b);
}

void ofctl_each_line(struct ofctl *o, const char *file, ofctl_line_fn *fn, struct of_buf *b)
{
    FILE *f = !strcmp(file, "-") ? stdin : fopen(file, "r");
    char *line = NULL;
    size_t cap = 0, number = 0;
    if (!f)
        ofctl_fatal("%s: open failed (No such file or directory)", file);
    while (getline(&line, &cap, f) > 0) {
        number++;
        line[strcspn(line, "#\r\n")] = '\0';
        const char *p = line + strspn(line, " \t");
        if (!*p)
            continue;
        char *place = xasprintf("%s:%zu: ", file, number);
        fn(o, p, place, b);
        free(place);
    }
    free(line);
    if (f != stdin)
        fclose(f);
}

/* "flow [COMMAND] FLOW", "group [COMMAND] GROUP", "packet-out ...". */
static void put_line(struct ofctl *o, const char *line, const char *place, struct of_buf *b)
{
    static const struct {
        const char *word;
        ofctl_line_fn *fn;
    } kinds[] = {
        {"flow", ofctl_put_flow}, {"group", ofctl_put_group}, {"packet-out", ofctl_put_packet_out}};
    size_t n = strcspn(line, " \t");
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (strlen(kinds[i].word) == n && !memcmp(line, kinds[i].word, n)) {
            line += n;
            kinds[i].fn(o, line + strspn(line, " \t"), place, b);
            return;
        }
    }
    ofctl_fatal("%sUnsupported bundle message type: %.*s", place, (int)n, line);
}

void ofctl_bundle(struct ofctl *o)
{
    struct of_buf b = OF_BUF_INIT;
    o->bundle = true;
    ofctl_connect(o);
    ofctl_each_line(o, o->argv[1], put_line, &b);
    ofctl_bundle_control(o, OF_BUNDLE_OPEN_REQUEST);
    client_transact_noreply(&o->client, &b);
    ofctl_bundle_control(o, OF_BUNDLE_COMMIT_REQUEST);
    of_buf_fini(&b);
}
