/* options.h - command lines from a table: long and short options, and the --help text made of it.
 *
 * Used by daemons (which add the common daemon options, see daemon.h) and by tools. GNU rules:
 * options and positional arguments may be mixed (unless stop_at_positional), "--" ends options,
 * long options may be abbreviated, -T5 and -T 5 are the same.
 */
#pragma once

#include "base/diag.h"
#include "base/str.h"

struct option_spec {
    int id;           /* given back to SET; any number but 0, unique over all tables */
    char letter;      /* 0: none */
    const char *name; /* without the dashes; NULL: only the letter */
    const char *arg;  /* NULL: none; "FILE": required; "[FILE]": optional (--name=FILE) */
    const char *help; /* NULL: hidden (accepted, not in the help text) */
};

/* A table ends with an entry whose id is 0. An entry with id -1 has in HELP a heading for those
 * that follow. */
#define OPTION_HEADING(TEXT)                                                                       \
    {                                                                                              \
        -1, 0, NULL, NULL, TEXT                                                                    \
    }
#define OPTION_END                                                                                 \
    {                                                                                              \
        0, 0, NULL, NULL, NULL                                                                     \
    }

struct options {
    const struct option_spec *const *tables;                           /* NULL-ended */
    int (*set)(void *aux, int id, const char *arg, struct diag *diag); /* 0 or ERR_ */
    void *aux;
    bool stop_at_positional;
};

/* Parses ARGV; the positional arguments are then argv[*first] .. argv[argc - 1] (ARGV is permuted).
 * Errors read as getopt's do ("unrecognized option '--x'"). */
int options_parse(const struct options *options, int argc, char **argv, int *first,
                  struct diag *diag) MUST_CHECK;
void options_put_help(const struct option_spec *table, struct str *out);
