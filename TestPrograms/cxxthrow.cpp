// cxxthrow: throws and catches exceptions, and has the names that C++ makes.
//
//   cxxthrow [EXCEPTIONS]        default 10; prints how many of each kind were caught
#include <cstdio>
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#define PROBED __attribute__((noinline, noclone))

namespace shop {

enum class State : short { open = 1, paid = -2 };

struct Item {
  std::string name;
  int price;
  bool sold;
};

class Cart {
 public:
  explicit Cart(int owner) : owner_(owner) {}
  virtual ~Cart() = default;

  PROBED int add(int price) {
    items_.push_back({"item", price, false});
    total_ += price;
    return total_;
  }
  PROBED int add(int price, int count) {
    for (int i = 0; i < count; i++) add(price);
    return total_;
  }
  PROBED int add(const std::string &name) {
    items_.push_back({name, 0, true});
    return static_cast<int>(name.size());
  }
  PROBED virtual int fee(State state) const { return state == State::paid ? 0 : owner_; }
  PROBED static int limit(long scale) { return static_cast<int>(scale * 100); }
  PROBED Cart &operator+=(const Item &item) {
    total_ += item.price;
    return *this;
  }

 protected:
  int owner_;
  int total_ = 0;
  std::vector<Item> items_;
};

class BigCart final : public Cart {
 public:
  using Cart::Cart;
  PROBED int fee(State state) const override { return Cart::fee(state) * 2; }
};

template <typename Number>
PROBED Number twice(Number value) {
  return value + value;
}

namespace {
PROBED int hidden(int value) { return value - 1; }
}  // namespace

PROBED int process(int step) {
  if (step % 3 == 0) throw std::runtime_error("step " + std::to_string(step));
  if (step % 3 == 1) throw step;
  if (step % 5 == 2) throw std::bad_alloc();
  return step;
}

}  // namespace shop

int main(int argc, char **argv) {
  int exceptions = argc > 1 ? std::atoi(argv[1]) : 10;
  int runtime = 0, numbers = 0, memory = 0, rethrown = 0, returned = 0;
  for (int thrown = 0, step = 0; thrown < exceptions; step++) {
    try {
      shop::process(step);
      returned++;
      continue;
    } catch (const std::runtime_error &) {
      runtime++;
      thrown++;
      try {
        throw;
      } catch (...) {
        rethrown++;
      }
    } catch (int) {
      numbers++;
      thrown++;
    } catch (const std::bad_alloc &) {
      memory++;
      thrown++;
    }
  }
  shop::BigCart cart(21);
  cart.add(5);
  cart.add(3, 4);
  cart.add(std::string("apple"));
  cart += shop::Item{"pear", 10, true};
  auto lambda = [&](int extra) { return cart.fee(shop::State::open) + extra; };
  std::printf("caught %d runtime, %d int, %d memory; %d rethrown, %d returned\n", runtime, numbers, memory, rethrown,
              returned);
  std::printf("%d %d %d %ld %.1f %d\n", cart.add(1), lambda(2), shop::Cart::limit(7), shop::twice(21l),
              shop::twice(1.5), shop::hidden(8));
}
