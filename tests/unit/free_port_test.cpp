#include "pipeline/app/free_port.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "pipeline/app/file_descriptor.h"

namespace fantail {
namespace {

const Endpoint kHere{Endpoint::Transport::kTcp, "127.0.0.1", 0};

TEST(FreePort, ATakenPortIsPassedOver) {
  const std::uint32_t port = choose_port(kHere, {0, 0}, {}, 0);
  ASSERT_GT(port, 0U);
  ASSERT_LT(port, 65535U);
  const FileDescriptor listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(0, bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address));
  ASSERT_EQ(0, listen(listener.get(), 1));
  EXPECT_FALSE(is_port_free(kHere, port));
  const auto first = static_cast<std::uint16_t>(port);
  EXPECT_EQ(0U, choose_port(kHere, {first, first}, {}, 0));
}

TEST(FreePort, BeginsWhereItIsTold) {
  const Endpoint path{Endpoint::Transport::kIpc, "/tmp/v", 0};
  EXPECT_EQ(1U, choose_port(path, {5560, 5599}, {}, 0));
  EXPECT_EQ(9U, choose_port(path, {5560, 5599}, {7, 8}, 7));
  EXPECT_TRUE(is_port_free(path, 7));
}

TEST(FreePort, Ranges) {
  EXPECT_EQ(5560, parse_port_range("5560-5599")->first);
  EXPECT_EQ(5599, parse_port_range("5560-5599")->last);
  EXPECT_EQ(0, parse_port_range("0")->last);
  for (const char* text : {"", "0-7", "8-7", "a-b", "1-", "1-70000"})
    EXPECT_FALSE(parse_port_range(text)) << text;
}

}  // namespace
}  // namespace fantail
