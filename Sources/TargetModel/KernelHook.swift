/// Where in the kernel a program hangs that is handed words.
package enum KernelHook: Hashable, Sendable, ExpressibleByStringLiteral {
  /// A raw tracepoint, with its arguments.
  case tracepoint(String)
  /// The entry of a function that BTF knows, with the function's arguments.
  case functionEntry(String)

  package init(stringLiteral name: String) { self = .tracepoint(name) }

  /// What it is, in words.
  package var kind: String {
    switch self {
    case .tracepoint: "tracepoint"
    case .functionEntry: "kernel function"
    }
  }

  /// The tracepoint or function.
  package var name: String {
    switch self {
    case .tracepoint(let name), .functionEntry(let name): name
    }
  }
}
