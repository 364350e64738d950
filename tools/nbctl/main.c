/* main.c - weft-nbctl: configures and queries the northbound database. See program.c. */
#include "tools/nbctl/nbctl.h"

int main(int argc, char **argv)
{
    return nbctl_main(argc, argv);
}
