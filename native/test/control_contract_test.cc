/// Checks what the control socket takes and tells against the examples that the daemon's tests read, too.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <string>

#include "control/requests.h"

namespace weft {
namespace {

const Json& examples() {
  static const Json all = Json::parse(std::ifstream(WEFT_CONTROL_FIXTURES));
  return all;
}

std::set<std::string> names_of(const Json& object) {
  std::set<std::string> names;
  for (const auto& entry : object.items())
    names.insert(entry.key());
  return names;
}

/// The examples of an operation that are of a kind: `valid`, `refused` or `invalid`.
Json requests(std::string_view op, const std::string& kind) {
  const Json& operations = examples().at("operations");
  const auto at = operations.find(op);
  return at == operations.end() ? Json::array() : at->value(kind, Json::array());
}

TEST_CASE("every operation has examples, and every example an operation") {
  // The server answers it itself.
  std::set<std::string> operations{"subscribe"};
  for (const RequestKind& kind : request_kinds)
    operations.emplace(kind.op);
  CHECK(operations == names_of(examples().at("operations")));
}

TEST_CASE("requests that are well-formed are taken, whether the state allows them or not") {
  for (const RequestKind& kind : request_kinds) {
    CHECK_MESSAGE(!requests(kind.op, "valid").empty(), kind.op);
    for (const char* which : {"valid", "refused"})
      for (const Json& example : requests(kind.op, which))
        CHECK_NOTHROW_MESSAGE(kind.check(Fields(example.at("request"))), example.dump());
  }
}

TEST_CASE("requests that are malformed are refused with their code, and the field is named") {
  for (const RequestKind& kind : request_kinds) {
    for (const Json& example : requests(kind.op, "invalid")) {
      CAPTURE(kind.op);
      CAPTURE(example.dump());
      try {
        kind.check(Fields(example.at("request")));
        FAIL_CHECK("it was taken");
      } catch (const RequestError& error) {
        CHECK(error.code() == example.at("error"));
        if (example.contains("field"))
          CHECK(std::string(error.what()).find("'" + example.at("field").get<std::string>() + "'") !=
                std::string::npos);
      }
    }
  }
}

TEST_CASE("every event that the source tells has an example, and no other") {
  const std::regex telling("\\bemit\\(\\s*\"([a-z-]+)\"");
  std::set<std::string> told;
  for (const auto& file : std::filesystem::recursive_directory_iterator(WEFT_SOURCES)) {
    if (file.path().extension() != ".cc") continue;
    std::ifstream source(file.path());
    const std::string text{std::istreambuf_iterator<char>(source), {}};
    for (std::sregex_iterator at(text.begin(), text.end(), telling), end; at != end; ++at)
      told.insert((*at)[1]);
  }
  CHECK(told == names_of(examples().at("events")));
}

}  // namespace
}  // namespace weft
