/* io_json.c - fuzz harness: any bytes as JSON. The fast parser gives what jansson gives or nothing,
 * what is accepted prints as a text that parses, at last to the same, and an object is found in a stream. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/util.h"
#include "io/json.h"
#include "io/json_plain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put(const json_t *json, struct str *out)
{
    str_clear(out);
    json_put(json, false, out);
}

static void check_plain(const char *text, size_t n)
{
    json_t *ours = json_parse_plain(text, n);
    if (!ours)
        return;
    struct str a = STR_INIT, b = STR_INIT;
    json_t *theirs = json_loadb(text, n, JSON_DECODE_ANY, NULL);
    INVARIANT(theirs && json_equal(ours, theirs));
    put(ours, &a);
    put(theirs, &b);
    INVARIANT(!strcmp(str_c(&a), str_c(&b))); /* the members' order, too */
    str_fini(&a);
    str_fini(&b);
    json_decref(theirs);
    json_decref(ours);
}

/* A prefix of STEP bytes more each time: the end is found where the text ends but for white space. */
static void check_scan(const char *text, size_t n, size_t step)
{
    struct json_scanner scanner = {0};
    int done = 0;
    for (size_t have = 0; have < n && !done;) {
        have = n - have > step ? have + step : n;
        done = json_scan(&scanner, text, have);
    }
    INVARIANT(done == 1);
    INVARIANT(strspn(text + scanner.pos, " \t\r\n") == n - scanner.pos);
}

/* JSON printed, parsed and printed again, in OUT. */
static void put_again(const json_t *json, struct str *out)
{
    struct diag diag = DIAG_INIT;
    struct str text = STR_INIT;
    json_t *again;
    put(json, &text);
    INVARIANT(!json_from_text(str_c(&text), text.n, &again, &diag));
    put(again, out);
    json_decref(again);
    str_fini(&text);
    diag_fini(&diag);
}

/* Reals lose digits once, when they are first printed, and may be integers from then on. */
static void check_printed(const json_t *json)
{
    struct str once = STR_INIT, twice = STR_INIT;
    struct diag diag = DIAG_INIT;
    json_t *again;
    put_again(json, &once);
    INVARIANT(!json_from_text(str_c(&once), once.n, &again, &diag));
    put_again(again, &twice);
    INVARIANT(!strcmp(str_c(&once), str_c(&twice)));
    json_decref(again);
    diag_fini(&diag);
    str_fini(&twice);
    str_fini(&once);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = STR_INIT;
    struct diag diag = DIAG_INIT;
    json_t *json;
    str_put_n(&text, (const char *)data, size);
    check_plain(str_c(&text), size);
    if (!json_from_text(str_c(&text), size, &json, &diag)) {
        if (json_is_object(json))
            check_scan(str_c(&text), size, 1 + size % 7);
        check_printed(json);
        json_decref(json);
    } else {
        INVARIANT(*diag_text(&diag));
    }
    str_fini(&text);
    diag_fini(&diag);
    return 0;
}
