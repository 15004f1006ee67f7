# Real forwarders in network namespaces. Path logic, which is pure, needs no privileges and has a binary of its own.
add_executable(weft-path-test kernel_path_test.cc key_life_test.cc runtime/path_test.cc runtime/port_spread_test.cc)
target_link_libraries(weft-path-test PRIVATE weft_runtime weft_test_main doctest::doctest)
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
  runtime/relay_test.cc
  runtime/segment/announced_endpoints_test.cc
  runtime/segment/floods_test.cc
  runtime/segment/loops_test.cc
  runtime/segment/membership_test.cc
  runtime/segment/multicast_test.cc
  runtime/stream_test.cc)
target_link_libraries(weft-runtime-test PRIVATE weft_runtime doctest::doctest)
target_compile_definitions(weft-runtime-test PRIVATE WEFT_FORWARDER_BINARY="$<TARGET_FILE:weft-forwarder>")
add_dependencies(weft-runtime-test weft-forwarder)

# Each file's tests make namespaces of their own and mostly wait, so they may run side by side. ctest begins with those of the
# highest cost: about the seconds that they take.
function(weft_runtime_test file cost)
  string(REPLACE "/" "-" name ${file})
  add_test(NAME runtime-${name} COMMAND weft-runtime-test --source-file=*/runtime/${file}_test.cc)
  set_tests_properties(runtime-${name} PROPERTIES SKIP_RETURN_CODE 77 COST ${cost})
endfunction()
weft_runtime_test(control 10)
weft_runtime_test(forwarding 30)
weft_runtime_test(hostile 10)
weft_runtime_test(kernel_path 10)
weft_runtime_test(path_change 12)
weft_runtime_test(relay 10)
weft_runtime_test(sandbox 1)
weft_runtime_test(segment/announced_endpoints 20)
weft_runtime_test(segment/floods 10)
weft_runtime_test(segment/loops 20)
weft_runtime_test(segment/membership 12)
weft_runtime_test(segment/multicast 12)
weft_runtime_test(stream 15)
