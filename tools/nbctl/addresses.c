/* addresses.c - which texts lsp-set-addresses accepts.
 *
 *     MAC [IP]...    dynamic [IP]...    MAC dynamic    unknown    router
 *
 * and that no two ports of a switch are given the same IPv4 address.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "net/addr.h"
#include "tools/nbctl/nbctl.h"

/* The first word of TEXT; *rest behind it. Owned by the caller. */
static char *first_word(const char *text, const char **rest)
{
    text += strspn(text, " ");
    size_t n = strcspn(text, " ");
    *rest = text + n;
    return xstrndup(text, n);
}

static bool has_valid_form(const char *address)
{
    static const char *const words[] = {"unknown", "router"};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (!strcmp(address, words[i]))
            return true;
    const char *rest;
    char *word = first_word(address, &rest);
    struct mac mac;
    bool ok = !strcmp(word, "dynamic") || !mac_parse(word, &mac);
    free(word);
    return ok;
}

/* Does ADDRESS (of a port) hold IPv4 address IP, behind its first word? */
static bool holds_ip(const char *address, be32 ip)
{
    char *word = first_word(address, &address);
    bool found = false;
    while (*word && !found) {
        free(word);
        word = first_word(address, &address);
        be32 other, mask;
        found = *word && !ip4_parse_masked(word, &other, &mask) && other == ip;
    }
    free(word);
    return found;
}

static bool port_holds_ip(const struct row *port, be32 ip)
{
    const struct datum *addresses = row_value(port, "addresses");
    for (size_t i = 0; i < addresses->n; i++) {
        const char *address = addresses->atoms[i].string->s;
        if (!strcmp(address, "dynamic"))
            address = row_text(port, "dynamic_addresses");
        if (holds_ip(address, ip))
            return true;
    }
    return false;
}

static int check_ip(struct ctl_call *call, const struct row *ls, const struct row *port,
                    const char *text, be32 ip)
{
    struct row_list ports = view_referenced(call->view, ls, "ports");
    int err = 0;
    for (size_t i = 0; !err && i < ports.n; i++)
        if (!uuid_equal(&ports.rows[i]->uuid, &port->uuid) && port_holds_ip(ports.rows[i], ip))
            err = ctl_fail(call,
                           "Error on switch %s: duplicate IPv4 address '%s' found on logical "
                           "switch port '%s'",
                           row_text(ls, "name"), text, row_text(ports.rows[i], "name"));
    row_list_fini(&ports);
    return err;
}

int nb_check_address(struct ctl_call *call, const struct row *port, const char *address)
{
    if (!has_valid_form(address))
        return ctl_fail(call,
                        "%s: Invalid address format. See ovn-nb(5). Hint: An Ethernet address must "
                        "be listed before an IP address, together as a single argument.",
                        address);
    const struct row *ls = nb_owner(call, "Logical_Switch", "ports", port);
    const char *rest;
    free(first_word(address, &rest));
    int err = 0;
    while (!err && ls && *(rest += strspn(rest, " "))) {
        char *word = first_word(rest, &rest);
        be32 ip, mask;
        if (!ip4_parse_masked(word, &ip, &mask))
            err = check_ip(call, ls, port, word, ip);
        free(word);
    }
    return err;
}
