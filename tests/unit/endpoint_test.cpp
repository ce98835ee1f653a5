#include "pipeline/endpoint.h"

#include <gtest/gtest.h>

namespace fantail {
namespace {

Endpoint endpoint(std::string_view text) {
  const auto parsed = parse_endpoint(text);
  EXPECT_TRUE(parsed) << text;
  return parsed.value_or(Endpoint{});
}

TEST(Endpoint, ReadsHostAndPort) {
  const Endpoint tcp = endpoint("tcp://venthost:5557");
  EXPECT_EQ(tcp.transport, Endpoint::Transport::kTcp);
  EXPECT_EQ(tcp.host, "venthost");
  EXPECT_EQ(tcp.port, 5557);
  EXPECT_EQ(tcp.transport_name(), "tcp");
  const Endpoint ipc = endpoint("ipc:///run/fantail/ventilator");
  EXPECT_EQ(ipc.transport, Endpoint::Transport::kIpc);
  EXPECT_EQ(ipc.host, "/run/fantail/ventilator");
  EXPECT_EQ(ipc.transport_name(), "ipc");
}

TEST(Endpoint, WritesWhatItRead) {
  for (const char* text :
       {"tcp://*:5557", "tcp://127.0.0.1:1", "tcp://[::1]:65535", "tcp://host:*", "ipc:///a/b"})
    EXPECT_EQ(endpoint(text).text(), text);
  EXPECT_EQ(endpoint("tcp://host:0").text(), "tcp://host:*") << "0 and * are any free port";
}

TEST(Endpoint, RefusesWhatIsNone) {
  for (const char* text : {"", "host:5557", "tcp://", "tcp://host", "tcp://:5557",
                           "tcp://host:", "tcp://host:65536", "tcp://host:-1", "tcp://host:5557x",
                           "tcp://host: 1", "tcp://::1:5557", "udp://host:5557", "ipc://", "http://host:80"})
    EXPECT_FALSE(parse_endpoint(text)) << text;
}

TEST(Endpoint, RefusesIpcPathsThatNoSocketAddressHolds) {
  EXPECT_TRUE(parse_endpoint("ipc://" + std::string(95, 'x')));
  EXPECT_FALSE(parse_endpoint("ipc://" + std::string(96, 'x')));
}

TEST(Endpoint, AnotherPortIsAnotherPortOfTheHostOrAPathBeside) {
  EXPECT_EQ(endpoint("tcp://host:5557").with_port(5600).text(), "tcp://host:5600");
  EXPECT_EQ(endpoint("ipc:///run/v").with_port(100).text(), "ipc:///run/v.100");
}

TEST(Endpoint, AnotherHostKeepsThePort) {
  EXPECT_EQ(endpoint("tcp://127.0.0.1:5558").with_host("venthost").text(), "tcp://venthost:5558");
}

TEST(Endpoint, KnowsWhatNobodyElseReaches) {
  for (const char* text :
       {"ipc:///a", "tcp://localhost:1", "tcp://127.0.0.1:1", "tcp://127.9.9.9:1", "tcp://[::1]:1"})
    EXPECT_TRUE(endpoint(text).is_local()) << text;
  for (const char* text : {"tcp://*:1", "tcp://0.0.0.0:1", "tcp://10.0.0.1:1", "tcp://host:1", "tcp://[::]:1",
                           "tcp://128.0.0.1:1", "tcp://localhost.example.com:1"})
    EXPECT_FALSE(endpoint(text).is_local()) << text;
}

// A name may begin like an address: it is looked up, and leads wherever its owner likes.
TEST(Endpoint, ANameThatBeginsLikeALoopbackAddressIsNotLocal) {
  EXPECT_FALSE(endpoint("tcp://127.example.com:1").is_local());
}

}  // namespace
}  // namespace fantail
