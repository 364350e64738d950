# Typed row accessors are generated from schemas/*.json by schemas/rowgen into BUILDDIR/generated/rows/.
#   #include "rows/nb.h" "rows/sb.h" "rows/ovs.h" "rows/server.h"
# A module that uses them names "rows" in its DEPS. See schemas/CMakeLists.txt.
set(ROWS_DIR ${CMAKE_BINARY_DIR}/generated/rows)
set(SCHEMA_DOC_DIR ${CMAKE_BINARY_DIR}/generated/schema-docs)
file(MAKE_DIRECTORY ${ROWS_DIR} ${SCHEMA_DOC_DIR})

# rowgen_rows(PREFIX SCHEMA): rows/PREFIX.h and .c
function(rowgen_rows prefix schema)
    add_custom_command(
        OUTPUT ${ROWS_DIR}/${prefix}.h ${ROWS_DIR}/${prefix}.c
        COMMAND ${ROWGEN_ENV} $<TARGET_FILE:rowgen> rows ${prefix} ${CMAKE_CURRENT_SOURCE_DIR}/${schema}
                ${ROWS_DIR}/${prefix}.h ${ROWS_DIR}/${prefix}.c
        DEPENDS rowgen ${CMAKE_CURRENT_SOURCE_DIR}/${schema} VERBATIM)
    set_property(GLOBAL APPEND PROPERTY WEFT_ROWS ${ROWS_DIR}/${prefix}.c)
    set_property(GLOBAL APPEND PROPERTY WEFT_ROWS_H ${ROWS_DIR}/${prefix}.h)
endfunction()

# The static library behind the module "rows", which lib/CMakeLists.txt declares as an interface, so that whoever
# links it waits for the generator.
function(rowgen_module)
    get_property(sources GLOBAL PROPERTY WEFT_ROWS)
    get_property(headers GLOBAL PROPERTY WEFT_ROWS_H)
    add_custom_target(rows_generated DEPENDS ${sources} ${headers})
    add_library(weft_rows_objects STATIC ${sources})
    add_dependencies(weft_rows_objects rows_generated)
    target_link_libraries(weft_rows_objects PUBLIC weft_schema)
    target_include_directories(weft_rows_objects PUBLIC ${CMAKE_BINARY_DIR}/generated)
    add_dependencies(weft_rows rows_generated)
    target_link_libraries(weft_rows INTERFACE weft_rows_objects)
endfunction()

# rowgen_doc(NAME TITLE): docs/schema/NAME.md from schemas/NAME.json
function(rowgen_doc name title)
    add_custom_command(
        OUTPUT ${SCHEMA_DOC_DIR}/${name}.md
        COMMAND ${ROWGEN_ENV} $<TARGET_FILE:rowgen> doc ${title} ${CMAKE_CURRENT_SOURCE_DIR}/${name}.json
                ${SCHEMA_DOC_DIR}/${name}.md
        DEPENDS rowgen ${CMAKE_CURRENT_SOURCE_DIR}/${name}.json VERBATIM)
    set_property(GLOBAL APPEND PROPERTY WEFT_SCHEMA_DOCS ${SCHEMA_DOC_DIR}/${name}.md)
    add_test(NAME check.schema-doc.${name}
             COMMAND ${CMAKE_COMMAND} -E compare_files ${SCHEMA_DOC_DIR}/${name}.md
                     ${CMAKE_SOURCE_DIR}/docs/schema/${name}.md)
    set_tests_properties(check.schema-doc.${name} PROPERTIES LABELS check)
endfunction()

function(rowgen_docs_finish)
    get_property(docs GLOBAL PROPERTY WEFT_SCHEMA_DOCS)
    add_custom_target(schema_docs_generated ALL DEPENDS ${docs})
    add_custom_target(schema-docs DEPENDS schema_docs_generated
        COMMAND ${CMAKE_COMMAND} -E copy ${docs} ${CMAKE_SOURCE_DIR}/docs/schema VERBATIM)
endfunction()
