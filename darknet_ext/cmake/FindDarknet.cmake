# Finds an installed Darknet: DARKNET_ROOT (variable or environment) first, then Debian's package.
#   Darknet_FOUND, Darknet_PROGRAM, imported target Darknet::darknet
set(_darknet_hints ${DARKNET_ROOT} $ENV{DARKNET_ROOT})
find_path(Darknet_INCLUDE_DIR darknet.h HINTS ${_darknet_hints} PATHS /usr/lib/darknet /usr/local PATH_SUFFIXES include)
find_library(Darknet_LIBRARY darknet HINTS ${_darknet_hints} PATHS /usr/lib/darknet /usr/local/lib PATH_SUFFIXES lib .)
find_program(Darknet_PROGRAM darknet HINTS ${_darknet_hints} PATH_SUFFIXES bin . NO_DEFAULT_PATH)
find_program(Darknet_PROGRAM darknet PATHS /usr/bin /usr/local/bin)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Darknet
  REQUIRED_VARS Darknet_LIBRARY Darknet_INCLUDE_DIR
  FAIL_MESSAGE "Darknet was not found: install Debian's package 'darknet', or set DARKNET_ROOT to your own build")

if(Darknet_FOUND AND NOT TARGET Darknet::darknet)
  add_library(Darknet::darknet SHARED IMPORTED)
  set_target_properties(Darknet::darknet PROPERTIES
    IMPORTED_LOCATION "${Darknet_LIBRARY}"
    IMPORTED_NO_SONAME ON
    INTERFACE_INCLUDE_DIRECTORIES "${Darknet_INCLUDE_DIR}")
endif()
mark_as_advanced(Darknet_INCLUDE_DIR Darknet_LIBRARY Darknet_PROGRAM)
