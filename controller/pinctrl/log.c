/* log.c - opcode 7, log(...): a packet that an ACL decided on goes into the log, in OVN's form.
 *
 * Room 11 of docs/architecture.md. Userdata: verdict, severity, the rest is the ACL's name. Which way the packet went shows in the
 * table that it was in. Lines are of module acl_log at level info, whatever the severity; their rate is the business of the meter
 * that the action names.
 */
#include <ctype.h>

#include "base/log.h"
#include "controller/pinctrl/frame.h"
#include "controller/pinctrl/pinctrl.h"
#include "lflow/lflow.h"

LOG_MODULE(acl_log);

static const char *word(const char *const *words, size_t n, uint8_t i)
{
    return i < n && words[i] ? words[i] : "<invalid>";
}

static void put_name(struct str *s, const uint8_t *name, size_t n)
{
    enum { NAME_SHOWN = 256 };
    if (!n) {
        str_put(s, "<unnamed>");
        return;
    }
    str_putc(s, '"');
    for (size_t i = 0; i < MIN(n, (size_t)NAME_SHOWN); i++) {
        if (name[i] == '"' || name[i] == '\\' || !isprint(name[i]))
            str_putf(s, "\\x%02x", name[i]);
        else
            str_putc(s, (char)name[i]);
    }
    str_putc(s, '"');
}

void log_handle(struct pinctrl *p, const struct pinctrl_event *event)
{
    static const char *const verdicts[] = {"allow", "drop", "reject", "pass"};
    static const char *const severities[] = {
        [1] = "alert", [4] = "warning", [5] = "notice", [6] = "info", [7] = "debug"};
    const struct of_packet_in *pin = event->pin;
    struct str line = STR_INIT;
    struct packet packet;
    if (event->n_args < 2) {
        p->stats.malformed++;
        return;
    }
    str_put(&line, "name=");
    put_name(&line, event->args + 2, event->n_args - 2);
    str_putf(&line, ", verdict=%s, severity=%s, direction=%s: ",
             word(verdicts, ARRAY_SIZE(verdicts), event->args[0]),
             word(severities, ARRAY_SIZE(severities), event->args[1]),
             pin->table_id < OFTABLE_LOG_EGRESS ? "from-lport" : "to-lport");
    packet_init_view(&packet, pin->packet, pin->packet_len);
    packet_put_text(&line, &packet);
    log_info("%s", str_c(&line));
    str_fini(&line);
}
