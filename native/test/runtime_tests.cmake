# Real forwarders in network namespaces. Path logic, which is pure, needs no privileges and has a binary of its own.
add_executable(weft-path-test main.cc kernel_path_test.cc key_life_test.cc runtime/path_test.cc)
target_link_libraries(weft-path-test PRIVATE weft_runtime doctest::doctest)
add_test(NAME path COMMAND weft-path-test)

add_executable(weft-runtime-test
  runtime/main.cc
  runtime/control_test.cc
  runtime/forwarding_test.cc
  runtime/hostile_test.cc
  runtime/kernel_path_test.cc
  runtime/lab.cc
  runtime/path_change_test.cc
  runtime/sandbox_test.cc
  runtime/segment_test.cc
  runtime/relay_test.cc
  runtime/stream_test.cc)
target_link_libraries(weft-runtime-test PRIVATE weft_runtime doctest::doctest)
target_compile_definitions(weft-runtime-test PRIVATE WEFT_FORWARDER_BINARY="$<TARGET_FILE:weft-forwarder>")
add_dependencies(weft-runtime-test weft-forwarder)

# Each file's tests make namespaces of their own and mostly wait, so they may run side by side.
foreach(area control forwarding hostile kernel_path path_change relay sandbox segment stream)
  add_test(NAME runtime-${area} COMMAND weft-runtime-test --source-file=*/${area}_test.cc)
  set_tests_properties(runtime-${area} PROPERTIES SKIP_RETURN_CODE 77)
endforeach()
