import DwarfIndex
import TargetModel
import TestSupport

/// Programs that several suites look into.
enum Samples {
  /// One of everything that C offers to a tracer.
  static let shapes = #"""
    #include <stdio.h>
    #include <string.h>
    typedef struct point {
      int x, y;
      unsigned a : 3, b : 5;
      const char *name;
      union { long l; double d; };
      struct point *next;
      char tail[];
    } point_t;
    enum color { RED, GREEN = 5, BLUE = -1 };
    struct two { long a; long b; };
    struct mixed { long a; double d; };
    struct large { long a[4]; };
    int global_table[4][3];
    __thread int per_thread = 4;
    static int counter;

    static inline __attribute__((always_inline)) int square(int value) {
      int result = value * value;
      return result + counter;
    }
    __attribute__((noinline)) struct two make_two(long a, long b) { counter++; return (struct two){a, b}; }
    __attribute__((noinline)) struct mixed make_mixed(long a) { counter++; return (struct mixed){a, 1.5}; }
    __attribute__((noinline)) struct large make_large(long a) { counter++; return (struct large){{a}}; }
    __attribute__((noinline)) double half(double value) { counter++; return value / 2; }
    __attribute__((noinline)) int work(point_t *p, enum color c, char *text, int n,
                                       int (*callback)(int, const char *)) {
      static int calls;
      int sum = 0;
      calls++;
      for (int i = 0; i < n; i++) {
        char letter = text[i];
        sum += square(letter) + p->x + callback(i, p->name);
      }
      per_thread += sum;
      return sum + c;
    }
    static int on_item(int index, const char *text) { return index + (int)strlen(text); }
    int main(int argc, char **argv) {
      point_t p = {argc, 2, 1, 2, argv[0], {1}, 0};
      char text[16] = "hello";
      struct two t = make_two(1, 2);
      global_table[1][2] = (int)(make_mixed(3).a + make_large(4).a[0] + half(3));
      printf("%d %d %d\n", work(&p, GREEN, text, 5, on_item), (int)t.a, global_table[1][2]);
      return 0;
    }

    """#

  /// Opens `path` without any cache.
  static func open(_ path: String, debugDirectories: [String] = []) throws -> ProgramImage {
    try ProgramImage(
      path: path,
      options: DebugInfoOptions(debugDirectories: debugDirectories, cacheDirectory: nil)
    )
  }

  /// Function symbols of `path` by `nm`: name to address.
  static func symbols(_ path: String) throws -> [String: UInt64] {
    var symbols: [String: UInt64] = [:]
    for line in try run("nm", [path]).output.split(separator: "\n") {
      let parts = line.split(separator: " ")
      guard parts.count == 3, ["T", "t", "W"].contains(parts[1]) else { continue }
      symbols[String(parts[2])] = UInt64(parts[0], radix: 16)
    }
    return symbols
  }
}

extension ProgramImage {
  /// The one function of that name.
  func function(named name: String) -> FunctionMatch? {
    functions(matching: FunctionPattern(name: name)).first
  }

  /// The places of a function's variables at its probe address.
  func places(in name: String) -> [String: VariableLocation] {
    guard let function = function(named: name) else { return [:] }
    var places: [String: VariableLocation] = [:]
    for variable in variables(of: function, at: function.probeAddress) {
      places[variable.name] = location(of: variable, in: function, at: function.probeAddress)
    }
    return places
  }
}
