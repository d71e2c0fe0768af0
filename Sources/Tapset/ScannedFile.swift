import Platform

/// A file of a library: what it holds, and what it declares.
struct ScannedFile: Sendable {
  enum Content: Sendable {
    case unreadable(SystemError)
    case macros([UInt8])
    case script(DeclarationScanner.Declarations)
  }

  /// The file before it was read.
  let fact: FileFact
  let content: Content

  /// Whether a library reads files of that name.
  static func isWanted(_ name: String) -> Bool { name.hasSuffix(".stp") || hasMacros(name) }

  /// Whether a file of that name holds macros.
  static func hasMacros(_ name: String) -> Bool { name.hasSuffix(".stpm") }

  /// Reads the file.
  init(_ path: String) {
    fact = FileFact(path)
    do throws(SystemError) {
      let text = try readSmallFile(path)
      content = Self.hasMacros(path) ? .macros(text) : .script(DeclarationScanner.scan(text))
    } catch {
      content = .unreadable(error)
    }
  }
}
