/// CAF 1.x knows the types inside its messages by numbers, which a program registers before its first actor system. CAF
/// 0.17 does without, and this does nothing there.
///
/// Muster's numbers are 2000 to 2099, in every release: an application's own blocks begin elsewhere. Threads: the one
/// that starts the program.
#pragma once

#include <muster/api.hpp>

#include <cstdint>

MUSTER_API_BEGIN

namespace muster {

/// Muster's numbers: the first.
inline constexpr std::uint16_t first_caf_type_id = 2000;
/// And the last; what an application registers lies outside.
inline constexpr std::uint16_t last_caf_type_id = 2099;

/// Registers CAF's own types and Muster's. To be called before the first `caf::actor_system` of a program that lets
/// managers live in it (`muster::in_system` asserts that it was). A manager with an actor system of its own calls it by
/// itself. Again it does nothing; the first time after an actor system has come up, it asserts: CAF would go on with a
/// table that is freed. To register an application's types too, see muster/caf.hpp.
void init_caf_types();

namespace detail {
/// Whether the block of types that begins with this number is to be registered. Asserts that it is not too late.
[[nodiscard]] bool caf_types_missing(std::uint16_t first);
} // namespace detail

} // namespace muster

MUSTER_API_END
