# Finds the parts of OpenCV that read, scale and write pictures: OpenCVParts::images; with COMPONENTS dnn also the reader of Darknet's files that the tests
# compare with: OpenCVParts::dnn. Debian's packages of single parts bring neither pkg-config nor CMake files.
find_path(OpenCVParts_INCLUDE_DIR opencv2/imgcodecs.hpp PATH_SUFFIXES opencv4)
set(OpenCVParts_needed OpenCVParts_INCLUDE_DIR)
foreach(part core imgproc imgcodecs ${OpenCVParts_FIND_COMPONENTS})
  find_library(OpenCVParts_${part} opencv_${part})
  list(APPEND OpenCVParts_needed OpenCVParts_${part})
endforeach()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(OpenCVParts REQUIRED_VARS ${OpenCVParts_needed}
  REASON_FAILURE_MESSAGE "scripts/install_packages installs them (libopencv-imgcodecs-dev, and for tests libopencv-dnn-dev)")
mark_as_advanced(${OpenCVParts_needed})

function(opencv_part name)
  if(NOT TARGET OpenCVParts::${name})
    add_library(OpenCVParts::${name} INTERFACE IMPORTED GLOBAL)
    target_include_directories(OpenCVParts::${name} SYSTEM INTERFACE ${OpenCVParts_INCLUDE_DIR})
    target_link_libraries(OpenCVParts::${name} INTERFACE ${ARGN})
  endif()
endfunction()

if(OpenCVParts_FOUND)
  opencv_part(images ${OpenCVParts_imgcodecs} ${OpenCVParts_imgproc} ${OpenCVParts_core})
  if(OpenCVParts_dnn)
    opencv_part(dnn ${OpenCVParts_dnn} ${OpenCVParts_core})
  endif()
endif()
