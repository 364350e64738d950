/* kinds_action.c - the KINDs of weft-lflow that concern actions; see kinds_action.h. */
#include "tools/lflow/kinds_action.h"

#include <string.h>

#include "encode/encode.h"
#include "tools/lflow/context.h"

/* The flow that the actions belong to: logical table 10 of an ingress pipeline; each pipeline has 35. */
static const struct action_context example = {PIPELINE_INGRESS, 10, 35, 35};

static bool parse(struct session *s, const char *line, struct actions **as, struct expr **prereq,
                  struct str *out)
{
    struct diag diag = DIAG_INIT;
    if (!actions_parse(s->actions, line, &example, as, prereq, &diag))
        return true;
    str_putf(out, "error: %s\n", diag_text(&diag));
    diag_fini(&diag);
    return false;
}

void kind_actions(struct session *s, const char *line, struct str *out)
{
    struct actions *as;
    struct expr *prereq;
    if (!parse(s, line, &as, &prereq, out))
        return;
    str_put(out, "formats: ");
    actions_print(as, out);
    str_putc(out, '\n');
    if (prereq->kind != EXPR_BOOL) {
        str_put(out, "prereqs: ");
        expr_print(prereq, EXPR_STYLE_CANONICAL, out);
        str_putc(out, '\n');
    }
    actions_unref(as);
    expr_unref(prereq);
}

/* -- encodings -- */

struct uses {
    struct str group, meter;
};

/* Ports that exist on this chassis's side of the vectors. */
static bool encode_port(void *aux UNUSED, const char *name, uint32_t *ret)
{
    return strcmp(name, "lsp2") && strcmp(name, "lsp3") && context_port(name, ret);
}

static uint32_t use_group(void *aux, const char *spec)
{
    str_put(&((struct uses *)aux)->group, spec);
    return 1;
}

static uint32_t use_meter(void *aux, const char *name)
{
    str_put(&((struct uses *)aux)->meter, name);
    return 1;
}

static bool has_collector(void *aux UNUSED, uint32_t id)
{
    return id != 999;
}

/* Two things are written as the project's vectors have them: the numbers of groups and meters, which are the host's choice,
 * as #; and a whole field that a learned flow takes from another field ("IP_SRC[]=IP_DST[]") with the bits [0..-1]. */
static void put_as_vectors(struct str *out, const char *text)
{
    while (*text) {
        if (!strncmp(text, "group:", 6) || !strncmp(text, "meter:", 6)) {
            str_put_n(out, text, 6);
            str_putc(out, '#');
            text += 6 + strspn(text + 6, "0123456789");
        } else if (!strncmp(text, "[]=", 3)) {
            size_t n = 3 + strcspn(text + 3, "[");
            str_put_n(out, text, n);
            text += n;
            if (!strncmp(text, "[]", 2)) {
                str_put(out, "[0..-1]");
                text += 2;
            }
        } else {
            str_putc(out, *text++);
        }
    }
}

void kind_encodings(struct session *s, const char *line, struct str *out)
{
    struct actions *as;
    struct expr *prereq;
    if (!parse(s, line, &as, &prereq, out))
        return;
    struct encode_profile profile = encode_modern;
    profile.egress = 48;
    profile.output_ingress = profile.output_egress = 64;
    profile.mirror = 44;
    profile.arg6_get = FIELD_XXREG1;
    profile.peer_numbers = true;
    struct uses uses = {STR_INIT, STR_INIT};
    struct encode_params params = {
        .profile = &profile,
        .pipeline = example.pipeline,
        .table = example.table,
        .datapath_key = 0xabcdef,
        .flow_id = 0xaaaaaaaa,
        .meter = OF_METER_NONE,
        .aux = &uses,
        .port = encode_port,
        .group = use_group,
        .meter_id = use_meter,
        .collector = has_collector,
    };
    struct of_actions of = OF_ACTIONS_INIT;
    struct str text = STR_INIT;
    encode_actions(as, &params, &of);
    of_actions_put(&text, of.data, of.n, NULL);
    str_put(out, "encodes: ");
    put_as_vectors(out, str_c(&text));
    str_putc(out, '\n');
    if (uses.group.n)
        str_putf(out, "group: id(#), name(%s)\n", str_c(&uses.group));
    if (uses.meter.n)
        str_putf(out, "meter: id(#), name(%s)\n", str_c(&uses.meter));
    of_actions_fini(&of);
    str_fini(&text);
    str_fini(&uses.group);
    str_fini(&uses.meter);
    actions_unref(as);
    expr_unref(prereq);
}
