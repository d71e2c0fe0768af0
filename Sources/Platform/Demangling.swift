import CDemangle
import Glibc

/// Readable forms of mangled symbols, by the runtimes of the languages themselves.
///
/// The only file that calls them. Symbols come from untrusted files: very long ones are left alone.
package enum Demangling {
  /// Longer symbols are not worth their stack: demanglers recurse.
  private static let longest = 4096

  /// A C++ symbol (Itanium C++ ABI, section 5.1), and Rust's older ones, which look like it; nil for others.
  package static func itanium(_ symbol: String) -> String? {
    guard symbol.utf8.count <= longest else { return nil }
    return unsafe adopt(symbol.withCString { unsafe __cxa_demangle($0, nil, nil, nil) })
  }

  /// A Swift symbol; nil for others.
  package static func swift(_ symbol: String) -> String? {
    let count = symbol.utf8.count
    guard count <= longest else { return nil }
    let text = unsafe adopt(symbol.withCString { unsafe swift_demangle($0, count, nil, nil, 0) })
    // What it does not understand comes back as it was.
    return text == symbol ? nil : text
  }

  @unsafe private static func adopt(_ text: UnsafeMutablePointer<CChar>?) -> String? {
    guard let text = unsafe text else { return nil }
    defer { unsafe free(text) }
    return unsafe String(cString: text)
  }
}
