/// Hashing: see digest.hpp.
#include "digest.hpp"

#include <cerrno>
#include <memory>
#include <new>
#include <stdexcept>

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

namespace checksum {

namespace {

void require(int ok, const char* what) {
  if (ok != 1)
    throw std::runtime_error{what};
}

/// Looking an algorithm up by name costs more than hashing a small file: once for the whole program.
const EVP_MD* sha256() {
  static const std::unique_ptr<EVP_MD, decltype(&EVP_MD_free)> fetched{EVP_MD_fetch(nullptr, "SHA256", nullptr),
                                                                       &EVP_MD_free};
  if (!fetched)
    throw std::runtime_error{"OpenSSL has no SHA-256"};
  return fetched.get();
}

/// What a thread needs to hash one file after another.
class hasher {
public:
  hasher() {
    if (!state_ || !buffer_)
      throw std::bad_alloc{};
  }
  void begin() { require(EVP_DigestInit_ex2(state_.get(), sha256(), nullptr), "OpenSSL cannot begin a digest"); }
  void add(std::size_t bytes) {
    require(EVP_DigestUpdate(state_.get(), buffer_.get(), bytes), "OpenSSL cannot go on with a digest");
  }
  digest end() {
    digest sum;
    require(EVP_DigestFinal_ex(state_.get(), sum.data(), nullptr), "OpenSSL cannot finish a digest");
    return sum;
  }
  [[nodiscard]] void* buffer() const noexcept { return buffer_.get(); }

private:
  static constexpr std::size_t page = 4096;
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> state_{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
  std::unique_ptr<void, decltype(&std::free)> buffer_{std::aligned_alloc(page, block_size), &std::free};
};

} // namespace

std::expected<open_file, std::error_code> open_regular(const std::string& path) {
  auto at = open_path(path);
  if (!at)
    return std::unexpected{at.error()};
  struct stat about {};
  if (fstat(at->number(), &about) != 0)
    return std::unexpected{last_error()};
  if (!S_ISREG(about.st_mode)) // it was one when its folder was read
    return std::unexpected{std::make_error_code(std::errc::invalid_argument)};
  return open_file{std::move(*at), static_cast<std::uint64_t>(about.st_size)};
}

muster::result<digest> digest_of(muster::context& ctx, open_file file, std::atomic<std::uint64_t>& bytes) {
  thread_local hasher thread;
  thread.begin();
  const bool large = file.size > block_size;
  if (large)
    posix_fadvise(file.at.number(), 0, 0, POSIX_FADV_SEQUENTIAL);
  for (std::uint64_t done = 0;;) {
    if (auto go_on = ctx.checkpoint(); !go_on)
      return std::unexpected{go_on.error()};
    const ssize_t got = read(file.at.number(), thread.buffer(), block_size);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return std::unexpected{muster::error{last_error()}};
    thread.add(static_cast<std::size_t>(got));
    done += static_cast<std::uint64_t>(got);
    bytes.fetch_add(static_cast<std::uint64_t>(got), std::memory_order_relaxed);
    // The end, or all that a file of known size had to give: then the read that would find nothing is saved.
    if (got == 0 || (done == file.size && static_cast<std::size_t>(got) < block_size))
      return thread.end();
    if (large)
      ctx.progress(done, file.size);
  }
}

} // namespace checksum
