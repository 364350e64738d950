/* main.c - weft-switchd. The work is in switchd.c, so that tests can hold it. */
#include "switchd/switchd.h"

int main(int argc, char **argv)
{
    return switchd_main(argc, argv);
}
