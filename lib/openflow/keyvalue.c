/* keyvalue.c - see keyvalue.h. */
#include "openflow/keyvalue.h"

#include <string.h>

static const char separators[] = ", \t\r\n";

/* The end of a value: the first separator (or, with CLOSE, the matching parenthesis) outside of nesting. NULL: unbalanced. */
static char *value_end(char *p, bool close)
{
    int depth = 0;
    for (; *p; p++) {
        if (*p == '(' || *p == '[') {
            depth++;
        } else if (*p == ')' || *p == ']') {
            if (!depth)
                return close && *p == ')' ? p : NULL;
            depth--;
        } else if (*p == '"') {
            char *q = strchr(p + 1, '"');
            if (!q)
                return NULL;
            p = q;
        } else if (!depth && !close && strchr(separators, *p)) {
            return p;
        }
    }
    return depth || close ? NULL : p;
}

int keyvalue_next(char **text, struct keyvalue *ret)
{
    char *p = *text + strspn(*text, separators);
    *ret = (struct keyvalue){p, (char *)"", false, NULL};
    if (!*p) {
        *text = p;
        return 0;
    }
    /* A key may itself have brackets: "NXM_OF_VLAN_TCI[0..11]=...". */
    char *end;
    if (*p == '"') {
        end = strchr(p + 1, '"');
        if (!end)
            return -1;
        end++;
    } else {
        end = p + strcspn(p, ":=( ,\t\r\n");
    }
    char delim = *end;
    if (delim == ':' || delim == '=') {
        ret->value = end + 1;
        char *stop = value_end(ret->value, false);
        if (!stop)
            return -1;
        *end = '\0';
        *text = *stop ? stop + 1 : stop;
        *stop = '\0';
    } else if (delim == '(') {
        ret->value = end + 1;
        ret->parens = true;
        char *stop = value_end(ret->value, true);
        if (!stop)
            return -1;
        *end = *stop = '\0';
        *text = stop + 1;
        if (stop[1] == '-' && stop[2] == '>') {
            ret->target = stop + 3;
            stop = value_end(ret->target, false);
            if (!stop)
                return -1;
            *text = *stop ? stop + 1 : stop;
            *stop = '\0';
        }
    } else {
        *text = delim ? end + 1 : end;
        *end = '\0';
    }
    return 1;
}
