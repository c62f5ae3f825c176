/// All of Muster but what brings other libraries (`caf.hpp`, `fmt.hpp`, `asio.hpp`, `spdlog.hpp`) or is for tests.
#pragma once

#include <muster/async_context.hpp>
#include <muster/async_scope.hpp>
#include <muster/breaker_options.hpp>
#include <muster/cancel.hpp>
#include <muster/channel.hpp>
#include <muster/circuit_breaker.hpp>
#include <muster/clock.hpp>
#include <muster/context.hpp>
#include <muster/coro.hpp>
#include <muster/error.hpp>
#include <muster/manager.hpp>
#include <muster/options.hpp>
#include <muster/outcome.hpp>
#include <muster/plan.hpp>
#include <muster/pool_stats.hpp>
#include <muster/resource.hpp>
#include <muster/resource_pool.hpp>
#include <muster/retry.hpp>
#include <muster/scope.hpp>
#include <muster/stats.hpp>
#include <muster/task.hpp>
#include <muster/tree.hpp>
#include <muster/values.hpp>
#include <muster/verbs.hpp>
