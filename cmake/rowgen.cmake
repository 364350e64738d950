# Typed row accessors are generated from schemas/*.json by schemas/rowgen into BUILDDIR/generated/rows/.
#   #include "rows/nb.h" "rows/sb.h" "rows/ovs.h"
# See schemas/CMakeLists.txt; the module is called "rows".
