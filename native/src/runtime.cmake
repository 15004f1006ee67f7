# The runtime: everything with sockets, devices, threads and a clock.
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp)
find_package(nlohmann_json 3.2 REQUIRED)

add_library(weft_runtime STATIC
  src/control/desired/desired_state.cc
  src/control/event_reporter.cc
  src/control/kernel/kernel_paths.cc
  src/control/kernel/operations.cc
  src/control/protocol/fields.cc
  src/control/forwarder.cc
  src/control/group_querier.cc
  src/control/operations.cc
  src/control/desired/peer.cc
  src/control/prober.cc
  src/control/reports.cc
  src/control/segment_operations.cc
  src/control/protocol/server.cc
  src/control/protocol/text.cc
  src/control/worker_events.cc
  src/io/device/bridge.cc
  src/io/endpoint.cc
  src/io/epoll.cc
  src/io/device/interfaces.cc
  src/base/log.cc
  src/io/device/packet_socket.cc
  src/io/device/tap.cc
  src/io/device/tap_queue.cc
  src/io/source_ports.cc
  src/io/udp_socket.cc
  src/io/unix_socket.cc
  src/offload/self_test.cc
  src/path/candidates.cc
  src/path/endpoint_choice.cc
  src/path/kernel/kernel_path.cc
  src/path/liveness.cc
  src/path/path.cc
  src/path/path_mtu.cc
  src/path/port_spread.cc
  src/path/transport.cc
  src/process/succession.cc
  src/sandbox/sandbox.cc
  src/state/epoch_reclaimer.cc
  src/stream/stream.cc
  src/worker/decap.cc
  src/worker/encap.cc
  src/worker/probes.cc
  src/worker/relay.cc
  src/worker/send/send_batch.cc
  src/worker/send/transmit.cc
  src/worker/worker.cc)
target_link_libraries(weft_runtime PUBLIC weft_core nlohmann_json::nlohmann_json Threads::Threads
  PRIVATE PkgConfig::SECCOMP PkgConfig::SODIUM)
