// A manager for each request: what belongs to it is handed down, what it does can be watched, its errors are its own.
//
// It shares the engine of the site's manager and costs one actor. Its end is the end of everything the request began.
#include <muster/muster.hpp>

#include <cstdio>
#include <string>

// A type of its own for each meaning: values are found by their type.
struct customer {
  std::string name;
};

static muster::result<std::string> handle(muster::manager& site, const std::string& number, const std::string& who) {
  muster::manager request{site, "request-" + number, {.values = muster::context_values{}.set(customer{who})}};
  auto crew = request.create_scope("checkout");
  const auto letter = crew.execute("letter", [&request](muster::context& ctx) -> muster::result<std::string> {
    const auto& name = ctx.value<customer>()->name; // handed down from the request
    if (name.empty())
      return std::unexpected{muster::error{std::errc::invalid_argument, "nobody to write to"}};

    ctx.note("writing");  // to the trace, and to the tree
    ctx.progress(2, 3);
    for (const auto& node : request.tree().nodes) // who is there now; somebody else would be looking, of course
      if (node.kind == muster::node_kind::task)
        std::printf("%s is %s (%s, %d of %d)\n", node.name.c_str(), node.state.c_str(), node.note.c_str(),
                    static_cast<int>(node.done), static_cast<int>(node.total));
    return "Dear " + name;
  });
  if (const auto done = crew.wait(); !done)
    std::printf("errors of request %s: %zu\n", number.c_str(), request.errors().errors.size());
  return letter.get().as_result();
}

int main() {
  muster::manager site{{.name = "site"}};
  for (const auto& [number, who] : {std::pair{"7", "Ada"}, std::pair{"8", ""}}) {
    const auto letter = handle(site, number, who);
    std::printf("%s\n", letter ? letter->c_str() : to_line(letter.error()).c_str());
  }
  std::printf("errors of the site: %zu\n", site.errors().errors.size());
}
