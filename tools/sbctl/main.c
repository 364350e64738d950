/* main.c - weft-sbctl: queries and configures the southbound database. See program.c. */
#include "tools/sbctl/sbctl.h"

int main(int argc, char **argv)
{
    return sbctl_main(argc, argv);
}
