/* main.c - weft-vsctl: configures and queries the switch's database. See program.c. */
#include "tools/vsctl/vsctl.h"

int main(int argc, char **argv)
{
    return vsctl_main(argc, argv);
}
