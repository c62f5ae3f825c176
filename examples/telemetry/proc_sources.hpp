/// Real sources: numbers in small files, those of the kernel below /proc above all.
#pragma once

#include "reading.hpp"

namespace telemetry {

/// load (/proc/loadavg), memory (/proc/meminfo: MemAvailable in kB), cpu (/proc/stat: jiffies that all processors have
/// worked), self (/proc/self/stat: jiffies of this process), and network (/proc/net/dev: bytes received) if it is
/// there.
[[nodiscard]] std::vector<source> proc_sources();
/// The first number in `file`, read anew each time; named after the file.
[[nodiscard]] source file_source(const std::string& file);
/// Reads each once: the first that cannot be read.
[[nodiscard]] muster::result<void> probe(const std::vector<source>& sources);

} // namespace telemetry
