import Glibc

/// Environment variables as a value, so that stages get them passed in and tests make their own.
package struct Environment: Sendable {
  private let variables: [String: String]

  /// An environment with exactly these variables.
  package init(_ variables: [String: String]) { self.variables = variables }

  /// The environment of this process.
  package static func current() -> Environment {
    var variables: [String: String] = [:]
    var next: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> = unsafe environ
    while let text = unsafe next.pointee {
      if let (name, value) = unsafe split(String(cString: text)) { variables[name] = value }
      unsafe next += 1
    }
    return Environment(variables)
  }

  /// The environment that `/proc/PID/environ` holds: as it was when the program started.
  package init(block: [UInt8]) {
    var variables: [String: String] = [:]
    for entry in block.split(separator: 0) {
      guard let (name, value) = Environment.split(String(decoding: entry, as: UTF8.self)) else { continue }
      variables[name] = value
    }
    self.variables = variables
  }

  /// The value of `name`; nil when unset.
  package subscript(name: String) -> String? { variables[name] }

  /// The parts of a colon-separated variable such as PATH; an empty part means the current directory.
  package func list(_ name: String) -> [String] {
    guard let value = variables[name], !value.isEmpty else { return [] }
    return value.split(separator: ":", omittingEmptySubsequences: false).map { $0.isEmpty ? "." : String($0) }
  }

  private static func split(_ text: String) -> (String, String)? {
    guard let sign = text.firstIndex(of: "=") else { return nil }
    return (String(text[..<sign]), String(text[text.index(after: sign)...]))
  }
}
